/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, memory.h: reservations, the physmap and mappable resources. */

#ifndef __XEN_PUBLIC_MEMORY_H__
#define __XEN_PUBLIC_MEMORY_H__

#include "xen.h"

/* Commands of __HYPERVISOR_memory_op. */
#define XENMEM_increase_reservation 0
#define XENMEM_decrease_reservation 1
#define XENMEM_maximum_ram_page	    2
#define XENMEM_current_reservation  3
#define XENMEM_maximum_reservation  4
#define XENMEM_populate_physmap	    6
#define XENMEM_add_to_physmap	    7
#define XENMEM_memory_map	    9
#define XENMEM_machine_memory_map   10
#define XENMEM_exchange		    11
#define XENMEM_maximum_gpfn	    14
#define XENMEM_remove_from_physmap  15
#define XENMEM_add_to_physmap_batch 23
#define XENMEM_get_vnumainfo	    26
#define XENMEM_acquire_resource	    28

/* xen_memory_reservation.mem_flags */
#define XENMEMF_address_bits(x)	    (x)
#define XENMEMF_get_address_bits(x) ((x)&0xffu)
#define XENMEMF_node(x)		    (((x) + 1) << 8)
#define XENMEMF_get_node(x)	    ((((x) >> 8) - 1) & 0xffu)
#define XENMEMF_populate_on_demand  (1 << 16)
#define XENMEMF_exact_node_request  (1 << 17)
#define XENMEMF_exact_node(n)	    (XENMEMF_node(n) | XENMEMF_exact_node_request)
#define XENMEMF_vnode		    (1 << 18)

/**
 * XENMEM_increase_reservation, _decrease_reservation, _populate_physmap; the
 * call returns how many extents were done.
 */
struct xen_memory_reservation {
	/** First frame of each extent. */
	XEN_GUEST_HANDLE(xen_pfn_t) extent_start;
	/** How many extents. */
	xen_ulong_t nr_extents;
	/** Each has two to this power pages. */
	unsigned int extent_order;
	/** XENMEMF_*. */
	unsigned int mem_flags;
	/** Whose memory. */
	domid_t domid;
};
typedef struct xen_memory_reservation xen_memory_reservation_t;
DEFINE_XEN_GUEST_HANDLE(xen_memory_reservation_t);

/** XENMEM_exchange: memory for memory of another shape. */
struct xen_memory_exchange {
	/** What is given. */
	struct xen_memory_reservation in;
	/** What is wanted. */
	struct xen_memory_reservation out;
	/** Out, and zero at first: how many of `in` are done. */
	xen_ulong_t nr_exchanged;
};
typedef struct xen_memory_exchange xen_memory_exchange_t;
DEFINE_XEN_GUEST_HANDLE(xen_memory_exchange_t);

/** Whose XENMEM_current_reservation, _maximum_reservation, _maximum_gpfn. */
struct xen_memory_domain {
	/** The domain. */
	domid_t domid;
};

/* What XENMEM_add_to_physmap can put there. */
#define XENMAPSPACE_shared_info	 0
#define XENMAPSPACE_grant_table	 1
#define XENMAPSPACE_gmfn	 2
#define XENMAPSPACE_gmfn_range	 3
#define XENMAPSPACE_gmfn_foreign 4
#define XENMAPSPACE_dev_mmio	 5

/** XENMEM_add_to_physmap. */
struct xen_add_to_physmap {
	/** Whose physmap. */
	domid_t domid;
	/** Page count, XENMAPSPACE_gmfn_range only. */
	uint16_t size;
	/** XENMAPSPACE_*. */
	unsigned int space;
#define XENMAPIDX_grant_table_status 0x80000000
	/** Which page of the space. */
	xen_ulong_t idx;
	/** Where to put it. */
	xen_pfn_t gpfn;
};
typedef struct xen_add_to_physmap xen_add_to_physmap_t;
DEFINE_XEN_GUEST_HANDLE(xen_add_to_physmap_t);

/** XENMEM_add_to_physmap_batch. */
struct xen_add_to_physmap_batch {
	/** Whose physmap. */
	domid_t domid;
	/** XENMAPSPACE_*. */
	uint16_t space;
	/** How many pages. */
	uint16_t size;
	/** Depends on the space. */
	union xen_add_to_physmap_batch_extra {
		/** XENMAPSPACE_gmfn_foreign: whose pages. */
		domid_t foreign_domid;
		/** Other spaces: must be zero. */
		uint16_t res0;
	} u;
	/** Which pages of the space. */
	XEN_GUEST_HANDLE(xen_ulong_t) idxs;
	/** Where to put them. */
	XEN_GUEST_HANDLE(xen_pfn_t) gpfns;
	/** Out: each page's result. */
	XEN_GUEST_HANDLE(int) errs;
};
typedef struct xen_add_to_physmap_batch xen_add_to_physmap_batch_t;
DEFINE_XEN_GUEST_HANDLE(xen_add_to_physmap_batch_t);

/** XENMEM_remove_from_physmap. */
struct xen_remove_from_physmap {
	/** Whose physmap. */
	domid_t domid;
	/** Which page. */
	xen_pfn_t gpfn;
};
typedef struct xen_remove_from_physmap xen_remove_from_physmap_t;
DEFINE_XEN_GUEST_HANDLE(xen_remove_from_physmap_t);

/** XENMEM_memory_map: the firmware's memory map. */
struct xen_memory_map {
	/** In: room in the buffer. Out: entries. */
	unsigned int nr_entries;
	/** Where to write them. */
	XEN_GUEST_HANDLE(void) buffer;
};
typedef struct xen_memory_map xen_memory_map_t;
DEFINE_XEN_GUEST_HANDLE(xen_memory_map_t);

/**
 * XENMEM_acquire_resource: map what belongs to another domain's emulation;
 * without a frame list the call reports the resource's size.
 */
struct xen_mem_acquire_resource {
	/** In: whose resource. */
	domid_t domid;
	/** In: XENMEM_resource_*. */
	uint16_t type;
#define XENMEM_resource_ioreq_server 0
#define XENMEM_resource_grant_table  1
#define XENMEM_resource_vmtrace_buf  2
	/** In: which one of the type. */
	uint32_t id;
#define XENMEM_resource_grant_table_id_shared 0
#define XENMEM_resource_grant_table_id_status 1
	/** In: how many frames. Out: the size, when asked for. */
	uint32_t nr_frames;
	/** Must be zero. */
	uint32_t pad;
	/** In: first frame of the resource. */
	uint64_t frame;
#define XENMEM_resource_ioreq_server_frame_bufioreq 0
#define XENMEM_resource_ioreq_server_frame_ioreq(n) (1 + (n))
	/** In: where to map the frames. */
	XEN_GUEST_HANDLE(xen_pfn_t) frame_list;
};
typedef struct xen_mem_acquire_resource xen_mem_acquire_resource_t;
DEFINE_XEN_GUEST_HANDLE(xen_mem_acquire_resource_t);

#endif /* __XEN_PUBLIC_MEMORY_H__ */
