/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Extended regions under Zephyr's names, for the guest that xg_current() is.
 *
 * Every call is a thin form of one in xen_guest/region.h, whose contract
 * holds. Where this differs from Zephyr's own implementation:
 *
 *   regions     are configured at run time; none is no error.
 *   get         finds a run in bounded time, and may be called anywhere.
 *   put         takes exactly what get returned, unmapped.
 *   map, unmap  check every page of the range, and fail instead of panicking.
 */
#ifndef ZEPHYR_XEN_REGIONS_H
#define ZEPHYR_XEN_REGIONS_H

#include <stdbool.h>
#include <stddef.h>

/* What Zephyr's own header brings, where Zephyr is. */
#if __has_include(<zephyr/kernel.h>)
#include <zephyr/kernel.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* xg_region_contains() */
bool xen_region_is_addr_extreg(void *ptr);
/* xg_region_get_pages(): null if no region has so many pages together. */
void *xen_region_get_pages(size_t nr_pages);
/* xg_region_put_pages(): 0, -XG_EIO outside the regions, -XG_EINVAL, -XG_EBUSY.
 */
int xen_region_put_pages(void *ptr, size_t nr_pages);
/* xg_region_map() for reading and writing, xg_region_unmap(): 0, -XG_EFAULT
 * outside the regions or not allocated, -XG_EBUSY, -XG_EINVAL. */
int xen_region_map(void *ptr, size_t nr_pages);
int xen_region_unmap(void *ptr, size_t nr_pages);

#ifdef __cplusplus
}
#endif

#endif
