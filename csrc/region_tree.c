/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A region is a row of runs: holes, which are free and as long as can be, and
 * allocations. Only where runs start is written down, in `starts`, and in
 * `holes` which of them are free: a run of any length is two bits.
 *
 * Above these is a binary tree in an array, node i over nodes 2i and 2i + 1,
 * with a leaf for each block of 512 pages. A node is 0 if no run *starts* in
 * its part, and otherwise one more than the length of the longest hole that
 * does, wherever it ends; so it is the greater of the two below it. One way
 * down finds a hole, and what changes are the leaves where runs start or end,
 * not those in between, and the nodes above them.
 */
#include "region_tree.h"

#define BLOCK	    XG_REGION_BLOCK
#define BLOCK_WORDS (BLOCK / 64)

uint32_t xg_region_seek(const struct xg_region *r, uint32_t at, bool back)
{
	/* A block's last word on that side. */
	uint32_t edge = back ? 0 : BLOCK_WORDS - 1;
	uint32_t w = at / 64;
	uint32_t i = r->leaves + at / BLOCK;
	uint64_t word;

	if (at >= r->pages)
		return r->pages;
	word = r->starts[w] & (back ? ~UINT64_C(0) >> (63 - at % 64)
				    : ~UINT64_C(0) << (at % 64));
	while (!word) {
		if (w % BLOCK_WORDS != edge) {
			w = back ? w - 1 : w + 1;
		} else {
			/* Up to the nearest part that has one, and down. Node
			 * 0, as if beside the root, is 0. */
			while ((i & 1) != back || !r->nodes[i ^ 1]) {
				i /= 2;
				if (!i)
					return r->pages;
			}
			i ^= 1;
			while (i < r->leaves) {
				i = 2 * i + back;
				if (!r->nodes[i])
					i ^= 1;
			}
			w = (i - r->leaves) * BLOCK_WORDS +
			    (BLOCK_WORDS - 1 - edge);
		}
		word = r->starts[w];
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

	if (r->nodes[1] <= n)
		return r->pages;
	while (i < r->leaves) {
		i *= 2;
		if (r->nodes[i] <= n)
			i++;
	}
	return longer_hole(r, (i - r->leaves) * BLOCK_WORDS, n - 1);
}

static void update(struct xg_region *r, uint32_t block)
{
	uint32_t i = r->leaves + block;
	uint32_t hole = block * BLOCK, node = 0;

	/* From hole to longer hole. */
	while ((hole = longer_hole(r, hole / 64, node)) < r->pages)
		node = xg_region_next_start(r, hole + 1) - hole;
	if (xg_region_next_start(r, block * BLOCK) / BLOCK == block)
		node++;
	do {
		uint32_t left, right;

		if (r->nodes[i] == node)
			return;
		r->nodes[i] = node;
		left = r->nodes[i & ~1u];
		right = r->nodes[i | 1];
		node = left > right ? left : right;
		i /= 2;
	} while (i);
}

void xg_region_update(struct xg_region *r, uint32_t first, uint32_t middle,
		      uint32_t last)
{
	/* Where holes end is known only with the later blocks up to date. */
	if (last / BLOCK != middle / BLOCK && last < r->pages)
		update(r, last / BLOCK);
	if (middle / BLOCK != first / BLOCK)
		update(r, middle / BLOCK);
	update(r, first / BLOCK);
}
