/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the core's files share: Xen's headers and calls across files. */
#ifndef XG_INTERNAL_H
#define XG_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#include "xen_guest/guest.h"
#include "xen_guest/region.h"

/* Provided by every C environment, freestanding ones too. */
void *memset(void *dest, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* What a hot function calls when it is not simple: apart, so that the simple
 * case saves no registers for it. */
#define XG_SLOW __attribute__((noinline))

static inline uintptr_t xg_page_offset(uintptr_t address)
{
	return address & (XG_PAGE_SIZE - 1);
}

/* guest.c: is the window usable: there, page aligned and not past the end? */
bool xg_window_valid(const struct xg_window *window);

/* Can so many frames be counted from `gfn` on? */
static inline bool xg_frames_valid(uint64_t gfn, uint32_t count)
{
	return !count || gfn <= UINT64_MAX - (count - 1);
}

/* memory.c: one operation on memory, with its argument structure. */
intptr_t xg_memory_op(const struct xg_guest *g, uint32_t cmd, void *arg);
/* So many frames of a range are listed at once. */
#define XG_FRAMES 32u

/* resource.c: make `count` frames from `first` on appear at frames gfns[] of
 * this domain with XG_LIST, or else from *gfns on. They are frames of domain
 * `dom` with XG_FOREIGN, or else of its resource `id` of the type in the low
 * bits of `what`. All or none, or -XG_EIO and *left; stack for XG_FRAMES. */
#define XG_FOREIGN (UINT32_C(1) << 16)
#define XG_LIST	   (UINT32_C(1) << 17)
int xg_fill_frames(struct xg_guest *g, uint16_t dom, uint32_t what, uint32_t id,
		   uint64_t first, const uint64_t *gfns, uint32_t count,
		   uint32_t *left);
/* Make the `count` frames empty, the last first; behind the first `sure` of
 * them only those with 0 in errs[]. A refusal is no reason to leave the others:
 * the number of the last that stayed is in *left, which was 0, if any did, and
 * -XG_EIO returned; otherwise `rc`. */
int xg_take_back(struct xg_guest *g, const uint64_t *gfns, uint32_t what,
		 uint32_t count, uint32_t sure, const int *errs, int rc,
		 uint32_t *left);

/* evtchn.c */
int xg_evtchn_init(struct xg_guest *g, const struct xg_guest_config *config);
int xg_evtchn_fini(struct xg_guest *g);
/* Any port still open? */
bool xg_evtchn_in_use(const struct xg_guest *g);

/* gnttab_table.c. Growing is for a table that had `frames` frames and no free
 * reference in them: 0 if it has more now. */
int xg_gnttab_init(struct xg_guest *g, const struct xg_guest_config *config);
int xg_gnttab_fini(struct xg_guest *g);
int xg_gnttab_grow(struct xg_guest *g, uint32_t frames);

/* region.c: are `n` pages in the region, and those in the first one's word
 * allocated and none of them mapped, or all (XG_MAPPED)? Then these are the
 * opposite (XG_FLIP). As xg_region_map() answers. */
#define XG_MAPPED 1u
#define XG_FLIP	  2u
int xg_region_mapped(struct xg_region *r, uint32_t first, uint32_t n,
		     uint32_t how);
/* Has nobody any page of it? */
bool xg_region_is_free(struct xg_region *r);

/* regions.c: are both addresses in one region, or both in none? */
bool xg_same_region(const struct xg_guest *g, uint64_t a, uint64_t b);
/* 0, or why pages of a region can't be mapped: before Xen is asked, which would
 * replace what is mapped there. */
int xg_check_empty(struct xg_guest *g, void *va, uint32_t n);
/* The platform's `map` and `unmap`, with the region told where the pages
 * belong to one; -XG_EFAULT if only some of them do. */
int xg_map_pages(struct xg_guest *g, void *va, uint64_t gfn, uint32_t n,
		 uint32_t prot);
int xg_unmap_pages(struct xg_guest *g, void *va, uint32_t n);
/* What Xen maps at this empty page does not go away: if a region has the page
 * it stays taken. */
void xg_keep_page(struct xg_guest *g, void *va);

/* gntpages.c: count `n` pages that must not be used again. Returns -XG_EIO. */
int xg_gnttab_quarantine(struct xg_guest *g, uint32_t n);

#endif
