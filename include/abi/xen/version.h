/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, version.h: which Xen this is and what it offers. */

#ifndef __XEN_PUBLIC_VERSION_H__
#define __XEN_PUBLIC_VERSION_H__

#include "xen.h"
#include "features.h"

/* Commands of __HYPERVISOR_xen_version. */
#define XENVER_version		   0
#define XENVER_extraversion	   1
#define XENVER_compile_info	   2
#define XENVER_capabilities	   3
#define XENVER_changeset	   4
#define XENVER_platform_parameters 5
#define XENVER_get_features	   6
#define XENVER_pagesize		   7
#define XENVER_guest_handle	   8
#define XENVER_commandline	   9
#define XENVER_build_id		   10

/** XENVER_extraversion: what follows major and minor, a C string. */
typedef char xen_extraversion_t[16];
#define XEN_EXTRAVERSION_LEN (sizeof(xen_extraversion_t))

/** XENVER_capabilities: kinds of guest it runs, a C string. */
typedef char xen_capabilities_info_t[1024];
#define XEN_CAPABILITIES_INFO_LEN (sizeof(xen_capabilities_info_t))

/** XENVER_get_features: one word of feature bits. */
struct xen_feature_info {
	/** In: which word. */
	unsigned int submap_idx;
	/** Out: XENFEAT_* bits. */
	uint32_t submap;
};
typedef struct xen_feature_info xen_feature_info_t;

#endif /* __XEN_PUBLIC_VERSION_H__ */
