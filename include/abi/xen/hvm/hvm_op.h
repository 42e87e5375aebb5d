/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, hvm/hvm_op.h: parameters and the upcall vector. */

#ifndef __XEN_PUBLIC_HVM_HVM_OP_H__
#define __XEN_PUBLIC_HVM_HVM_OP_H__

#include "../xen.h"
#include "../event_channel.h"

/* Commands of __HYPERVISOR_hvm_op. */
#define HVMOP_set_param	   0
#define HVMOP_get_param	   1
#define HVMOP_flush_tlbs   5
#define HVMOP_get_time	   10
#define HVMOP_get_mem_type 15
#if defined(__x86_64__) || defined(__i386__)
#define HVMOP_set_evtchn_upcall_vector 23
#endif

/** HVMOP_set_param, HVMOP_get_param. */
struct xen_hvm_param {
	/** Whose. */
	domid_t domid;
	/** Unused. */
	uint16_t pad;
	/** HVM_PARAM_*. */
	uint32_t index;
	/** In or out. */
	uint64_t value;
};
typedef struct xen_hvm_param xen_hvm_param_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_param_t);

/** What a frame of guest memory is. */
typedef enum {
	HVMMEM_ram_rw,
	HVMMEM_ram_ro,
	HVMMEM_mmio_dm,
	HVMMEM_unused,
	HVMMEM_ioreq_server
} hvmmem_type_t;

/** HVMOP_get_time. */
struct xen_hvm_get_time {
	/** Out: system time. */
	uint64_t now;
};
typedef struct xen_hvm_get_time xen_hvm_get_time_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_get_time_t);

/** HVMOP_get_mem_type. */
struct xen_hvm_get_mem_type {
	/** In: whose memory. */
	domid_t domid;
	/** Out: HVMMEM_*. */
	uint16_t mem_type;
	/** Unused. */
	uint16_t pad[2];
	/** In: which frame. */
	uint64_t pfn;
};
typedef struct xen_hvm_get_mem_type xen_hvm_get_mem_type_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_get_mem_type_t);

#if defined(__x86_64__) || defined(__i386__)
/** HVMOP_set_evtchn_upcall_vector: a vCPU's own vector for the upcall. */
struct xen_hvm_evtchn_upcall_vector {
	/** Which vCPU. */
	uint32_t vcpu;
	/** Which vector. */
	uint8_t vector;
};
typedef struct xen_hvm_evtchn_upcall_vector xen_hvm_evtchn_upcall_vector_t;
DEFINE_XEN_GUEST_HANDLE(xen_hvm_evtchn_upcall_vector_t);
#endif

#endif /* __XEN_PUBLIC_HVM_HVM_OP_H__ */
