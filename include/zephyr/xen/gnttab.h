/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Grant tables under Zephyr's names, for the guest that xg_current() is.
 *
 * Every call is a thin form of one in xen_guest/gnttab.h, whose contract
 * holds. Without a current guest calls return -XG_EINVAL. Where this differs
 * from Zephyr's own implementation:
 *
 *   grant       never waits; a full table is -XG_ENOSPC.
 *   end         tells whether the peer still has the page: -XG_EBUSY, and the
 *               reference stays granted. A second end is -XG_EINVAL.
 *   get, put    with regions, theirs; otherwise RAM that goes back to Xen, with
 *               nothing allocated to give it back, and nothing half done.
 *   map         all or none, and the result says so.
 *   unmap       each status is looked at; the local mapping goes second.
 */
#ifndef ZEPHYR_XEN_GNTTAB_H
#define ZEPHYR_XEN_GNTTAB_H

#include <stdbool.h>
#include <stdint.h>

/* What Zephyr's own header brings, where Zephyr is. */
#if __has_include(<zephyr/kernel.h>)
#include <zephyr/kernel.h>
#endif
#if __has_include(<zephyr/xen/public/grant_table.h>)
#include <zephyr/xen/public/grant_table.h>
#else
#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif
#include <xen/grant_table.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* xg_gnttab_grant(). On failure the negative error, converted: assign the
 * result to an int32_t and test for < 0. Valid references are positive. */
grant_ref_t gnttab_grant_access(domid_t domid, unsigned long gfn,
				bool readonly);
/* xg_gnttab_end(): 0, -XG_EBUSY, -XG_EINVAL. */
int gnttab_end_access(grant_ref_t gref);
/* xg_gnttab_alloc_and_grant() to domain 0. */
int32_t gnttab_alloc_and_grant(void **map, bool readonly);
/* xg_gnttab_get_pages(), xg_gnttab_put_pages() */
void *gnttab_get_pages(unsigned int npages);
int gnttab_put_pages(void *start_addr, unsigned int npages);
/* xg_gnttab_map(), xg_gnttab_unmap() */
int gnttab_map_refs(struct gnttab_map_grant_ref *map_ops, unsigned int count);
int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *unmap_ops,
		      unsigned int count);
/* xg_gnttab_error() */
const char *gnttabop_error(int16_t status);

#ifdef __cplusplus
}
#endif

#endif
