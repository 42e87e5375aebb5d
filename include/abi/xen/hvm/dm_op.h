/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, hvm/dm_op.h: operations of an emulator on the guest it serves. */

#ifndef __XEN_PUBLIC_HVM_DM_OP_H__
#define __XEN_PUBLIC_HVM_DM_OP_H__

#include "../xen.h"
#include "../event_channel.h"

/* 64-bit guests align it so anyway. */
#ifndef uint64_aligned_t
#define uint64_aligned_t uint64_t
#endif

/* xen_dm_op.op */
#define XEN_DMOP_create_ioreq_server		  1
#define XEN_DMOP_get_ioreq_server_info		  2
#define XEN_DMOP_map_io_range_to_ioreq_server	  3
#define XEN_DMOP_unmap_io_range_from_ioreq_server 4
#define XEN_DMOP_set_ioreq_server_state		  5
#define XEN_DMOP_destroy_ioreq_server		  6
#define XEN_DMOP_modified_memory		  11
#define XEN_DMOP_set_mem_type			  12
#define XEN_DMOP_map_mem_type_to_ioreq_server	  15
#define XEN_DMOP_remote_shutdown		  16
#define XEN_DMOP_set_irq_level			  19
#define XEN_DMOP_nr_vcpus			  20

/** Names one emulator of a domain. */
typedef uint16_t ioservid_t;

/** XEN_DMOP_create_ioreq_server. */
struct xen_dm_op_create_ioreq_server {
	/** In: whether and how writes are buffered. */
	uint8_t handle_bufioreq;
	/** Must be zero. */
	uint8_t pad[3];
	/** Out: the new emulator. */
	ioservid_t id;
};
typedef struct xen_dm_op_create_ioreq_server xen_dm_op_create_ioreq_server_t;

/** XEN_DMOP_get_ioreq_server_info. */
struct xen_dm_op_get_ioreq_server_info {
	/** In: which emulator. */
	ioservid_t id;
	/** In: XEN_DMOP_no_gfns. */
	uint16_t flags;
#define _XEN_DMOP_no_gfns 0
#define XEN_DMOP_no_gfns  (1u << _XEN_DMOP_no_gfns)
	/** Out: port of buffered writes. */
	evtchn_port_t bufioreq_port;
	/** Out: frame of the requests. */
	uint64_aligned_t ioreq_gfn;
	/** Out: frame of the buffered writes. */
	uint64_aligned_t bufioreq_gfn;
};
typedef struct xen_dm_op_get_ioreq_server_info
	xen_dm_op_get_ioreq_server_info_t;

/** XEN_DMOP_map_io_range_to_ioreq_server and its inverse. */
struct xen_dm_op_ioreq_server_range {
	/** In: which emulator. */
	ioservid_t id;
	/** Must be zero. */
	uint16_t pad;
	/** In: XEN_DMOP_IO_RANGE_*. */
	uint32_t type;
#define XEN_DMOP_IO_RANGE_PORT	 0
#define XEN_DMOP_IO_RANGE_MEMORY 1
#define XEN_DMOP_IO_RANGE_PCI	 2
	/** In: first and last of the range. */
	uint64_aligned_t start, end;
};
typedef struct xen_dm_op_ioreq_server_range xen_dm_op_ioreq_server_range_t;

/** XEN_DMOP_set_ioreq_server_state. */
struct xen_dm_op_set_ioreq_server_state {
	/** In: which emulator. */
	ioservid_t id;
	/** In: whether it gets requests. */
	uint8_t enabled;
	/** Must be zero. */
	uint8_t pad;
};
typedef struct xen_dm_op_set_ioreq_server_state
	xen_dm_op_set_ioreq_server_state_t;

/** XEN_DMOP_destroy_ioreq_server. */
struct xen_dm_op_destroy_ioreq_server {
	/** In: which emulator. */
	ioservid_t id;
	/** Must be zero. */
	uint16_t pad;
};
typedef struct xen_dm_op_destroy_ioreq_server xen_dm_op_destroy_ioreq_server_t;

/** XEN_DMOP_modified_memory: the emulator wrote to guest memory. */
struct xen_dm_op_modified_memory {
	/** In: how many extents the second buffer holds. */
	uint32_t nr_extents;
	/** Zero at first; Xen's own afterwards. */
	uint32_t opaque;
};
typedef struct xen_dm_op_modified_memory xen_dm_op_modified_memory_t;

/** One of those extents. */
struct xen_dm_op_modified_memory_extent {
	/** How many frames. */
	uint32_t nr;
	/** Must be zero. */
	uint32_t pad;
	/** The first. */
	uint64_aligned_t first_pfn;
};

/** XEN_DMOP_set_mem_type. */
struct xen_dm_op_set_mem_type {
	/** In: how many frames. */
	uint32_t nr;
	/** In: HVMMEM_*. */
	uint16_t mem_type;
	/** Must be zero. */
	uint16_t pad;
	/** In: the first. */
	uint64_aligned_t first_pfn;
};
typedef struct xen_dm_op_set_mem_type xen_dm_op_set_mem_type_t;

/** XEN_DMOP_map_mem_type_to_ioreq_server. */
struct xen_dm_op_map_mem_type_to_ioreq_server {
	/** In: which emulator. */
	ioservid_t id;
	/** In: HVMMEM_ioreq_server. */
	uint16_t type;
	/** In: XEN_DMOP_IOREQ_MEM_ACCESS_*; none unmaps. */
	uint32_t flags;
#define XEN_DMOP_IOREQ_MEM_ACCESS_READ	(1u << 0)
#define XEN_DMOP_IOREQ_MEM_ACCESS_WRITE (1u << 1)
	/** Zero at first; Xen's own afterwards. */
	uint64_t opaque;
};
typedef struct xen_dm_op_map_mem_type_to_ioreq_server
	xen_dm_op_map_mem_type_to_ioreq_server_t;

/** XEN_DMOP_remote_shutdown. */
struct xen_dm_op_remote_shutdown {
	/** In: SHUTDOWN_*. */
	uint32_t reason;
};
typedef struct xen_dm_op_remote_shutdown xen_dm_op_remote_shutdown_t;

/** XEN_DMOP_set_irq_level. */
struct xen_dm_op_set_irq_level {
	/** In: the interrupt. */
	uint32_t irq;
	/** In: 0 or 1. */
	uint8_t level;
	/** Must be zero. */
	uint8_t pad[3];
};
typedef struct xen_dm_op_set_irq_level xen_dm_op_set_irq_level_t;

/** XEN_DMOP_nr_vcpus. */
struct xen_dm_op_nr_vcpus {
	/** Out: how many. */
	uint32_t vcpus;
};
typedef struct xen_dm_op_nr_vcpus xen_dm_op_nr_vcpus_t;

/** What the first buffer of the hypercall holds. */
struct xen_dm_op {
	/** In: XEN_DMOP_*. */
	uint32_t op;
	/** Must be zero. */
	uint32_t pad;
	/** The operation's own. */
	union {
		xen_dm_op_create_ioreq_server_t create_ioreq_server;
		xen_dm_op_get_ioreq_server_info_t get_ioreq_server_info;
		xen_dm_op_ioreq_server_range_t map_io_range_to_ioreq_server;
		xen_dm_op_ioreq_server_range_t unmap_io_range_from_ioreq_server;
		xen_dm_op_set_ioreq_server_state_t set_ioreq_server_state;
		xen_dm_op_destroy_ioreq_server_t destroy_ioreq_server;
		xen_dm_op_modified_memory_t modified_memory;
		xen_dm_op_set_mem_type_t set_mem_type;
		xen_dm_op_map_mem_type_to_ioreq_server_t
			map_mem_type_to_ioreq_server;
		xen_dm_op_remote_shutdown_t remote_shutdown;
		xen_dm_op_set_irq_level_t set_irq_level;
		xen_dm_op_nr_vcpus_t nr_vcpus;
	} u;
};

/** One buffer of the hypercall. */
struct xen_dm_op_buf {
	/** Where. */
	XEN_GUEST_HANDLE(void) h;
	/** How long. */
	xen_ulong_t size;
};
typedef struct xen_dm_op_buf xen_dm_op_buf_t;
DEFINE_XEN_GUEST_HANDLE(xen_dm_op_buf_t);

#endif /* __XEN_PUBLIC_HVM_DM_OP_H__ */
