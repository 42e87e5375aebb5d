/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * libsel4vm's types, for Xen: what its other headers here have in common.
 *
 * A capability is what names a frame (XG_VM_FRAME_* of
 * xen_guest/guest_memory.h), and rights are XG_PROT_*: on Xen neither means
 * more than that.
 */
#ifndef SEL4VM_GUEST_VM_H
#define SEL4VM_GUEST_VM_H

#include <stddef.h>
#include <stdint.h>

#include "xen_guest/guest_memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A domain whose memory is managed, one of its vCPUs, a reservation, a frame
 * of an iterator with its address, rights and size. */
typedef struct xg_vm vm_t;
typedef struct xg_vm_vcpu vm_vcpu_t;
typedef struct xg_vm_reservation vm_memory_reservation_t;
typedef struct xg_vm_frame vm_frame_t;

/* A register; what names a frame, and what may be done with it. */
typedef uintptr_t seL4_Word;
typedef uint64_t seL4_CPtr;
typedef uint32_t seL4_CapRights_t;

/* Of xen_guest/guest_memory.h and platform.h. */
#define seL4_CapNull   XG_VM_FRAME_NONE
#define seL4_NoRights  ((seL4_CapRights_t)0)
#define seL4_CanRead   ((seL4_CapRights_t)XG_PROT_READ)
#define seL4_CanWrite  ((seL4_CapRights_t)XG_PROT_WRITE)
#define seL4_ReadWrite ((seL4_CapRights_t)(XG_PROT_READ | XG_PROT_WRITE))
#define seL4_AllRights seL4_ReadWrite
#define seL4_PageBits  XG_PAGE_SHIFT

/* What became of a fault; no enum, so that its size is the same for every
 * compiler. */
typedef int memory_fault_result_t;

/* Results of callbacks and of vm_memory_handle_fault(). */
#define FAULT_HANDLED	XG_FAULT_HANDLED
#define FAULT_UNHANDLED XG_FAULT_UNHANDLED
#define FAULT_RESTART	XG_FAULT_RESTART
#define FAULT_IGNORE	XG_FAULT_IGNORE
#define FAULT_ERROR	XG_FAULT_ERROR

/* xg_vm_fault_fn and xg_vm_iterator_fn. */
typedef memory_fault_result_t (*memory_fault_callback_fn)(
	vm_t *vm, vm_vcpu_t *vcpu, uintptr_t paddr, size_t len, void *cookie);
typedef memory_fault_callback_fn unhandled_mem_fault_callback_fn;
typedef vm_frame_t (*memory_map_iterator_fn)(uintptr_t addr, void *cookie);

#ifdef __cplusplus
}
#endif

#endif
