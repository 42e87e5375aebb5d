/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A region's pages as runs, and where the long free ones are. */
#ifndef XG_REGION_TREE_H
#define XG_REGION_TREE_H

#include "internal.h"
#include "xen_guest/region.h"

static inline bool xg_test_bit(const uint64_t *words, uint32_t bit)
{
	return words[bit / 64] >> (bit % 64) & 1;
}

/* The free pages of a word, but for those of a hole that starts before it. */
static inline uint64_t xg_region_free(uint64_t starts, uint64_t holes)
{
	/* Adding a hole's first bit carries through to where it ends. */
	uint64_t inside = ~starts | holes;

	return inside & ~(inside + holes);
}

/* The parts of a node: whether any page is mapped, and, above that, which runs
 * start. */
#define XG_NODE_MAPPED 1u
#define XG_NODE_STARTS (~XG_NODE_MAPPED)

/* Where the first run starts from page `at` on, or the last up to there
 * (`back`); or, if `what` is XG_NODE_MAPPED, the first or last mapped page.
 * r->pages if there is none. */
uint32_t xg_region_seek(const struct xg_region *r, uint32_t what, uint32_t at,
			bool back);

static inline uint32_t xg_region_next_start(const struct xg_region *r,
					    uint32_t at)
{
	return xg_region_seek(r, XG_NODE_STARTS, at, false);
}

/* Of the run that page `at` is in. */
static inline uint32_t xg_region_start_of(const struct xg_region *r,
					  uint32_t at)
{
	return xg_region_seek(r, XG_NODE_STARTS, at, true);
}

/* The lowest hole of `n` pages or more, or r->pages. */
uint32_t xg_region_find(const struct xg_region *r, uint32_t n);

/* Have the nodes say what is in the blocks of these pages, which are in order:
 * after bits in them have changed, or the end of a hole that starts there.
 * Nothing is beyond r->pages. */
void xg_region_update(struct xg_region *r, uint32_t first, uint32_t middle,
		      uint32_t last);
/* And after pages of a block were mapped or unmapped. */
void xg_region_update_mapped(struct xg_region *r, uint32_t block);

#endif
