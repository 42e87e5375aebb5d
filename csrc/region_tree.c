/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A region is a row of runs: holes, which are free and as long as can be, and
 * allocations. Only where runs start is written down, in `starts`, and in
 * `holes` which of them are free: a run of any length is two bits.
 *
 * Above these is a binary tree in an array, node i over nodes 2i and 2i + 1,
 * with a leaf for each block of 512 pages. The upper bits of a node are 0 if no
 * run *starts* in its part, and otherwise one more than the length of the
 * longest hole that does, wherever it ends; so they are the greater of the two
 * below it. One way down finds a hole, and what changes are the leaves where
 * runs start or end, not those in between, and the nodes above them. The lowest
 * bit is set if any page of the part is mapped.
 */
#include "region_tree.h"

#define BLOCK	    XG_REGION_BLOCK
#define BLOCK_WORDS (BLOCK / 64)

uint32_t xg_region_seek(const struct xg_region *r, uint32_t what, uint32_t at,
			bool back)
{
	const uint64_t *words = what == XG_NODE_MAPPED ? r->mapped : r->starts;
	/* A block's last word on that side. */
	uint32_t edge = back ? 0 : BLOCK_WORDS - 1;
	uint32_t w = at / 64;
	uint32_t i = r->leaves + at / BLOCK;
	uint64_t word;

	if (at >= r->pages)
		return r->pages;
	word = words[w] & (back ? ~UINT64_C(0) >> (63 - at % 64)
				: ~UINT64_C(0) << (at % 64));
	while (!word) {
		if (w % BLOCK_WORDS != edge) {
			w = back ? w - 1 : w + 1;
		} else {
			/* Up to the nearest part that has one, and down. Node
			 * 0, as if beside the root, is 0. */
			while ((i & 1) != back || !(r->nodes[i ^ 1] & what)) {
				i /= 2;
				if (!i)
					return r->pages;
			}
			i ^= 1;
			while (i < r->leaves) {
				i = 2 * i + back;
				if (!(r->nodes[i] & what))
					i ^= 1;
			}
			w = (i - r->leaves) * BLOCK_WORDS +
			    (BLOCK_WORDS - 1 - edge);
		}
		word = words[w];
	}
	return w * 64 + (uint32_t)(back ? 63 - __builtin_clzll(word)
					: __builtin_ctzll(word));
}

/* The bits at which `n` set bits in a row begin: where one of half as many
 * does, and another behind it. */
static uint64_t runs_of(uint64_t word, uint32_t n)
{
	if (n > 64)
		return 0;
	for (; n > 1; n -= n / 2)
		word &= word >> n / 2;
	return word;
}

/* The first hole of more than `over` pages that starts in word `w` or behind
 * it, in its block; r->pages if there is none. */
static uint32_t longer_hole(const struct xg_region *r, uint32_t w,
			    uint32_t over)
{
	do {
		uint64_t starts = r->starts[w];
		uint64_t free = xg_region_free(starts, r->holes[w]);
		uint64_t longer = runs_of(free, over + 1);
		uint32_t page = w * 64;

		if (longer)
			return page + (uint32_t)__builtin_ctzll(longer);
		/* The last one may go on behind the word. */
		if (free >> 63) {
			page += 63 - (uint32_t)__builtin_clzll(starts);
			if (xg_region_next_start(r, page + 1) - page > over)
				return page;
		}
	} while (++w % BLOCK_WORDS);
	return r->pages;
}

uint32_t xg_region_find(const struct xg_region *r, uint32_t n)
{
	uint32_t i = 1;

	if (r->nodes[1] / 2 <= n)
		return r->pages;
	while (i < r->leaves) {
		i *= 2;
		if (r->nodes[i] / 2 <= n)
			i++;
	}
	return longer_hole(r, (i - r->leaves) * BLOCK_WORDS, n - 1);
}

/* What a leaf tells of `what` is now `node`. */
static void set_leaf(struct xg_region *r, uint32_t i, uint32_t what,
		     uint32_t node)
{
	node |= r->nodes[i] & ~what;
	do {
		uint32_t left, right;

		if (r->nodes[i] == node)
			return;
		r->nodes[i] = node;
		left = r->nodes[i & ~1u];
		right = r->nodes[i | 1];
		node = left > right ? left : right;
		node |= (left | right) & XG_NODE_MAPPED;
		i /= 2;
	} while (i);
}

void xg_region_update_mapped(struct xg_region *r, uint32_t block)
{
	uint64_t mapped = 0;

	for (uint32_t i = 0; i < BLOCK_WORDS; i++)
		mapped |= r->mapped[block * BLOCK_WORDS + i];
	set_leaf(r, r->leaves + block, XG_NODE_MAPPED, !!mapped);
}

void xg_region_update(struct xg_region *r, uint32_t first, uint32_t middle,
		      uint32_t last)
{
	/* Where holes end is known only with the later blocks up to date. */
	const uint32_t pages[] = {first, middle, last};
	uint32_t done = UINT32_MAX;

	for (uint32_t i = 3; i-- > 0;) {
		uint32_t block = pages[i] / BLOCK;
		uint32_t hole = block * BLOCK, node = 0;

		if (block == done || pages[i] >= r->pages)
			continue;
		done = block;
		/* From hole to longer hole. */
		while ((hole = longer_hole(r, hole / 64, node)) < r->pages)
			node = xg_region_next_start(r, hole + 1) - hole;
		if (xg_region_next_start(r, block * BLOCK) / BLOCK == block)
			node++;
		set_leaf(r, r->leaves + block, XG_NODE_STARTS, node * 2);
	}
}
