/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A region's pages as runs, and where the long free ones are. */
#ifndef XG_REGION_TREE_H
#define XG_REGION_TREE_H

#include "internal.h"
#include "xen_guest/region.h"

/* A node: the length of the longest hole that starts in its part, and whether
 * a run starts there at all and a page is mapped. */
#define XG_NODE_STARTS (UINT32_C(1) << 31)
#define XG_NODE_MAPPED (UINT32_C(1) << 30)
#define XG_NODE_HOLE   (XG_NODE_MAPPED - 1)

static inline bool xg_test_bit(const uint64_t *words, uint32_t bit)
{
	return words[bit / 64] >> (bit % 64) & 1;
}

/* Bits [first, first + n) of a word; n is 1 to 64 - first. */
static inline uint64_t xg_bit_range(uint32_t first, uint32_t n)
{
	return ~UINT64_C(0) >> (64 - n) << first;
}

/* The free pages of a word, but for those of a hole that starts before it. */
static inline uint64_t xg_region_free(uint64_t starts, uint64_t holes)
{
	/* Adding a hole's first bit carries through to where it ends. */
	uint64_t inside = ~starts | holes;

	return inside & ~(inside + holes);
}

/*
 * The first page from `at` on, or `back` from there, that has its bit in
 * `words`, of which the nodes' bits in `mask` tell; r->pages if there is none.
 */
uint32_t xg_region_seek(const struct xg_region *r, const uint64_t *words,
			uint32_t mask, uint32_t at, bool back);

/* The next run, and the one that page `at` is in; the next hole, the next page
 * that is mapped. */
static inline uint32_t xg_region_next_start(const struct xg_region *r,
					    uint32_t at)
{
	return xg_region_seek(r, r->starts, XG_NODE_STARTS, at, false);
}

static inline uint32_t xg_region_start_of(const struct xg_region *r,
					  uint32_t at)
{
	return xg_region_seek(r, r->starts, XG_NODE_STARTS, at, true);
}

static inline uint32_t xg_region_next_hole(const struct xg_region *r,
					   uint32_t at)
{
	return xg_region_seek(r, r->holes, XG_NODE_HOLE, at, false);
}

static inline uint32_t xg_region_next_mapped(const struct xg_region *r,
					     uint32_t at)
{
	return xg_region_seek(r, r->mapped, XG_NODE_MAPPED, at, false);
}

/* The lowest hole of `n` pages or more, or r->pages. */
uint32_t xg_region_find(const struct xg_region *r, uint32_t n);

/* Have the nodes say what is in the blocks of two pages: after bits in them
 * have changed, or the end of a hole that starts there. Where runs ended has to
 * be known before: the later block comes first. Nothing is beyond r->pages. */
void xg_region_update(struct xg_region *r, uint32_t page, uint32_t later);

#endif
