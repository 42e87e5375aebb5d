/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Xen's ABI, domctl.h: what a control domain does to others.
 *
 * Not a stable part of the ABI: every call carries a version, Xen accepts its
 * own only (-EACCES), and the versions differ between releases. What is
 * described here has been the same in all of 0x14 to 0x18 (Xen 4.16 to 4.22).
 */

#ifndef __XEN_PUBLIC_DOMCTL_H__
#define __XEN_PUBLIC_DOMCTL_H__

#include "xen.h"

/* As in hvm/dm_op.h: 64-bit guests align it so anyway. */
#ifndef uint64_aligned_t
#define uint64_aligned_t uint64_t
#endif

/** XEN_DOMCTL_max_mem: how much memory the domain may have. */
struct xen_domctl_max_mem {
	/** In: KiB. */
	uint64_aligned_t max_memkb;
};

/** XEN_DOMCTL_iomem_permission: which device memory a domain may map. */
struct xen_domctl_iomem_permission {
	/** In: first machine frame. */
	uint64_aligned_t first_mfn;
	/** In: how many. */
	uint64_aligned_t nr_mfns;
	/** In: 0 takes the permission away. */
	uint8_t allow_access;
};

/** XEN_DOMCTL_memory_mapping: device memory in a domain's physmap. */
struct xen_domctl_memory_mapping {
	/** In: first guest frame. */
	uint64_aligned_t first_gfn;
	/** In: first machine frame. */
	uint64_aligned_t first_mfn;
	/** In: how many; at most 64 on Arm. */
	uint64_aligned_t nr_mfns;
	/** In: DPCI_*_MAPPING. */
	uint32_t add_mapping;
	/** Unused. */
	uint32_t padding;
};
#define DPCI_ADD_MAPPING    1
#define DPCI_REMOVE_MAPPING 0

/** XEN_DOMCTL_set_target: makes a domain the device model of another. */
struct xen_domctl_set_target {
	/** In: the other. */
	domid_t target;
};

/** Argument of __HYPERVISOR_domctl. */
struct xen_domctl {
	/** In: XEN_DOMCTL_*. */
	uint32_t cmd;
#define XEN_DOMCTL_pausedomain	    3
#define XEN_DOMCTL_unpausedomain    4
#define XEN_DOMCTL_max_mem	    11
#define XEN_DOMCTL_iomem_permission 20
#define XEN_DOMCTL_memory_mapping   39
#define XEN_DOMCTL_set_target	    46
	/** In: the version of Xen's that the caller means. */
	uint32_t interface_version;
	/** In: which domain; DOMID_SELF is none. */
	domid_t domain;
	/** Unused. */
	uint16_t _pad[3];
	/** The command's own. */
	union {
		struct xen_domctl_max_mem max_mem;
		struct xen_domctl_iomem_permission iomem_permission;
		struct xen_domctl_memory_mapping memory_mapping;
		struct xen_domctl_set_target set_target;
		uint8_t pad[128];
	} u;
};
typedef struct xen_domctl xen_domctl_t;
DEFINE_XEN_GUEST_HANDLE(xen_domctl_t);

#endif /* __XEN_PUBLIC_DOMCTL_H__ */
