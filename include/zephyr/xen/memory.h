/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Physmap operations under Zephyr's names, for the guest that xg_current() is.
 *
 * Every call is a thin form of one in xen_guest/memory.h, whose contract
 * holds. Without a current guest calls return -XG_EINVAL. Where this differs
 * from Zephyr's own implementation: batches of any size, errs[] always filled
 * and looked at, domain numbers checked instead of cut to 16 bits.
 */
#ifndef ZEPHYR_XEN_MEMORY_H
#define ZEPHYR_XEN_MEMORY_H

#include <stdint.h>

#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif
#include <xen/memory.h>

#ifdef __cplusplus
extern "C" {
#endif

/* xg_memory_add_to_physmap() */
int xendom_add_to_physmap(int domid, unsigned long idx, unsigned int space,
			  xen_pfn_t gpfn);
/* xg_memory_add_to_physmap_batch() */
int xendom_add_to_physmap_batch(int domid, int foreign_domid,
				unsigned int space, unsigned int size,
				xen_ulong_t *idxs, xen_pfn_t *gpfns, int *errs);
/* xg_memory_remove_from_physmap() */
int xendom_remove_from_physmap(int domid, xen_pfn_t gpfn);

#ifdef __cplusplus
}
#endif

#endif
