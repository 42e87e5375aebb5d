/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Physmap operations under Zephyr's names, for the guest that xg_current() is.
 *
 * Every call is a thin form of one in xen_guest/memory.h, whose contract
 * holds. Without a current guest calls return -XG_EINVAL. Where this differs
 * from Zephyr's own implementation: batches of any size, errs[] always filled
 * and looked at, a reason where nothing was populated, resources mapped
 * entirely or not at all, pointers checked, domain numbers checked instead of
 * cut to 16 bits.
 */
#ifndef ZEPHYR_XEN_MEMORY_H
#define ZEPHYR_XEN_MEMORY_H

#include <stdint.h>

/* What Zephyr's own header brings, where Zephyr is. */
#if __has_include(<zephyr/kernel.h>)
#include <zephyr/kernel.h>
#endif
#if __has_include(<zephyr/xen/public/memory.h>)
#include <zephyr/xen/public/memory.h>
#else
#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif
#include <xen/memory.h>
#endif

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
/* xg_memory_populate_physmap(). Returns how many extents were populated, which
 * can be fewer than nr_extents; the error if there is none of them. At most
 * 2^31 - 1 extents: -XG_EINVAL for more. */
int xendom_populate_physmap(int domid, unsigned int extent_order,
			    unsigned int nr_extents, unsigned int mem_flags,
			    xen_pfn_t *extent_start);
/* With *nr_frames 0: xg_memory_resource_size(), to *nr_frames; `frame` and
 * frame_list are ignored. Otherwise xg_memory_acquire_resource(), and
 * *nr_frames stays as it is. */
int xendom_acquire_resource(domid_t domid, uint16_t type, uint32_t id,
			    uint64_t frame, uint32_t *nr_frames,
			    xen_pfn_t *frame_list);

#ifdef __cplusplus
}
#endif

#endif
