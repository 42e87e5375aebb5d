/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Regions: empty frames to map foreign pages and grants into.
 *
 * A region is a window (guest.h) with a page allocator over it: the extended
 * regions that Xen names in the device tree, or RAM whose frames were given
 * back. Runs of any length are found in time bounded by the logarithm of the
 * region's size, however fragmented it is.
 *
 * Calls on a guest take the platform's lock for that time, those that map or
 * unmap anew for every 64 pages; they can be made in any context and on any
 * CPU, except where a `map` or `unmap` hook is named.
 */
#ifndef XEN_GUEST_REGION_H
#define XEN_GUEST_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;
struct xg_window; /* platform.h */

#define XG_REGION_BLOCK	    512	       /* pages that are looked at one by one */
#define XG_REGION_MAX_PAGES (1u << 29) /* of one region */

/* Blocks of so many pages, the last one maybe in part. */
#define XG_REGION_BLOCKS(pages)                                                \
	((size_t)(pages) / XG_REGION_BLOCK + !!((pages) % XG_REGION_BLOCK))
/* Words of each of a region's bitmaps. */
#define XG_REGION_WORDS(pages)                                                 \
	(XG_REGION_BLOCKS(pages) * (XG_REGION_BLOCK / 64))
/* Places for nodes of its tree: for each block, and fewer than twice as many
 * above them; an even number. */
#define XG_REGION_NODES(pages) ((XG_REGION_BLOCKS(pages) * 3 + 2) / 2 * 2)
/* Bytes of metadata that xg_region_init() needs for `pages` pages: three bits
 * for each and the tree, 102 KiB per GiB. */
#define XG_REGION_METADATA(pages)                                              \
	(XG_REGION_WORDS(pages) * 3 * sizeof(uint64_t) +                       \
	 XG_REGION_NODES(pages) * sizeof(uint32_t))

/* One region: the caller's storage, the library's contents. */
struct xg_region {
	uint8_t *va;
	uint64_t gfn;
	uint32_t pages;
	uint32_t leaves;
	/* A bit for each page: csrc/region_tree.c. */
	uint64_t *starts;
	uint64_t *holes;
	uint64_t *mapped;
	uint32_t *nodes;
	/* Single pages kept back from the tree: of one word. */
	uint64_t kept;	  /* nobody has them */
	uint64_t singles; /* those, and the others that came from there */
	uint32_t kept_word;
};

/*
 * Set a region up over `window`, whose frames are all empty. `metadata` is
 * aligned to 8 bytes and has `size` bytes, XG_REGION_METADATA(pages) or more.
 * Both must stay in place while the region is used.
 *
 * 0, or -XG_EINVAL for a window or metadata of impossible size or alignment.
 * Not reentrant; before the region is given to a guest.
 */
int xg_region_init(struct xg_region *r, const struct xg_window *window,
		   void *metadata, size_t size);

/*
 * Take `n` consecutive pages, or give them back. Without a lock: the caller
 * sees to it that one call at a time is made for a region. A page's number is
 * its distance from the region's start.
 *
 * take: the first page's number, or -XG_ENOSPC if there is no run of `n` free
 * pages, -XG_EINVAL for 0.
 * give: 0, or, with nothing changed,
 *   -XG_EINVAL  not the first page of an allocation, or not all of it
 *   -XG_EBUSY   a page of it is mapped
 */
int32_t xg_region_take(struct xg_region *r, uint32_t n);
int xg_region_give(struct xg_region *r, uint32_t page, uint32_t n);

/*
 * Check that everything the region knows is consistent: 0, or the number of
 * the check that failed. Time proportional to the region's size; for tests.
 */
int xg_region_verify(const struct xg_region *r);

/*
 * Take `n` consecutive pages from the guest's regions, the first that has
 * them. Their addresses, or null: none has so many together, or n is 0, or
 * the guest has no regions. Nothing is accessible there yet.
 */
void *xg_region_get_pages(struct xg_guest *g, uint32_t n);

/*
 * The same with their frames, for calls that want a window. 0, -XG_EINVAL for
 * no pages, or -XG_ENOSPC, with nothing written.
 */
int xg_region_get_window(struct xg_guest *g, uint32_t n, struct xg_window *at);

/*
 * Give back exactly what xg_region_get_pages() returned.
 *   -XG_EIO     the address is in no region
 *   -XG_EINVAL  not page aligned, not the start of an allocation, or not as
 *               many pages as it has (0 included)
 *   -XG_EBUSY   a page is still mapped
 */
int xg_region_put_pages(struct xg_guest *g, void *va, uint32_t n);

/* Is the address inside one of the guest's regions? */
bool xg_region_contains(const struct xg_guest *g, const void *va);

/*
 * Make `n` pages of an allocation visible to the CPU, or invisible. Their
 * frames have been filled before, or are emptied after. One call of the
 * platform's `map` or `unmap` hook. `prot`: XG_PROT_READ, XG_PROT_WRITE.
 *   -XG_EFAULT  a page is in no region, or not allocated, or 0 pages
 *   -XG_EBUSY   map: a page is mapped already
 *   -XG_EINVAL  unmap: a page is not mapped
 * (one of these, if there are several pages in question) or what the hook
 * answers; with nothing changed. Context as the hook's.
 */
int xg_region_map(struct xg_guest *g, void *va, uint32_t n, uint32_t prot);
int xg_region_unmap(struct xg_guest *g, void *va, uint32_t n);

#ifdef __cplusplus
}
#endif

#endif
