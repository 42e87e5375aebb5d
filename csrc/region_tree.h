/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A region's pages as a tree of free runs: region_tree.c. */
#ifndef XG_REGION_TREE_H
#define XG_REGION_TREE_H

#include "internal.h"
#include "xen_guest/region.h"

/* Kept in `longest`, above the length: is there such a page below? */
#define XG_NODE_HEADS  (UINT32_C(1) << 31)
#define XG_NODE_MAPPED (UINT32_C(1) << 30)
#define XG_NODE_FLAGS  (XG_NODE_HEADS | XG_NODE_MAPPED)

static inline uint32_t xg_node_longest(const struct xg_region_node *node)
{
	return node->longest & ~XG_NODE_FLAGS;
}

static inline bool xg_test_bit(const uint64_t *words, uint32_t bit)
{
	return words[bit / 64] >> (bit % 64) & 1;
}

/* Lay the levels out in `nodes`, with every page free. */
void xg_region_tree_init(struct xg_region *r, struct xg_region_node *nodes);

/* The lowest run of `n` free pages, or r->pages if there is none. */
uint32_t xg_region_tree_find(const struct xg_region *r, uint32_t n);

/* Have pages [first, first + n) free, or not. */
void xg_region_tree_set(struct xg_region *r, uint32_t first, uint32_t n,
			bool free);

/* Put up to `most` free pages of the word of page `first`, which is free, into
 * the state that pages in the cache have: their bits in that word. */
uint64_t xg_region_tree_take_word(struct xg_region *r, uint32_t first,
				  uint32_t most);

/* Is every page of [first, first + n) not free? */
bool xg_region_tree_used(struct xg_region *r, uint32_t first, uint32_t n);

/* The next page after `page` that is free or the first of an allocation, or
 * r->pages. */
uint32_t xg_region_tree_next(struct xg_region *r, uint32_t page);

/* Set or clear [first, first + n) in `heads` or `mapped`, with the nodes' flags
 * above. */
void xg_region_tree_mark(struct xg_region *r, uint64_t *words, uint32_t flag,
			 uint32_t first, uint32_t n, bool on);

/* Are all of [first, first + n) in `mapped`, and is any of them? */
bool xg_region_tree_all_mapped(const struct xg_region *r, uint32_t first,
			       uint32_t n);
bool xg_region_tree_mapped(const struct xg_region *r, uint32_t first,
			   uint32_t n);

#endif
