/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A region is a row of runs: holes, which are free and as long as can be, and
 * allocations. Only where runs start is written down, in `starts`, and in
 * `holes` which of them are free: a run of any length is two bits.
 *
 * Above these is a binary tree in an array, node i over nodes 2i and 2i + 1,
 * with a leaf for each block of 512 pages. A node has the length of the
 * longest hole that *starts* in its part, wherever it ends. So one way down
 * finds a hole, and what changes are the leaves where runs start or end, not
 * those in between, and the nodes above them.
 */
#include "region_tree.h"

#define BLOCK	    XG_REGION_BLOCK
#define BLOCK_WORDS (BLOCK / 64)

uint32_t xg_region_seek(const struct xg_region *r, const uint64_t *words,
			uint32_t mask, uint32_t at, bool back)
{
	uint32_t w = at / 64;
	uint32_t i = r->leaves + at / BLOCK;
	uint64_t word;

	if (at >= r->pages)
		return r->pages;
	word = words[w] & (back ? ~UINT64_C(0) >> (63 - at % 64)
				: ~UINT64_C(0) << (at % 64));
	while (!word && (w + !back) % BLOCK_WORDS) {
		w = back ? w - 1 : w + 1;
		word = words[w];
	}
	if (word)
		goto found;
	/* Up to the nearest part on that side that has one, and down. */
	do {
		while ((i & 1) != back)
			i /= 2;
		if (i <= 1)
			return r->pages;
		i ^= 1;
	} while (!(r->nodes[i] & mask));
	while (i < r->leaves) {
		i = 2 * i + back;
		if (!(r->nodes[i] & mask))
			i ^= 1;
	}
	w = (i - r->leaves) * BLOCK_WORDS + (back ? BLOCK_WORDS - 1 : 0);
	while (!(word = words[w]))
		w = back ? w - 1 : w + 1;
found:
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

/*
 * The length of the longest hole that starts in a block, 0 if none is longer
 * than `over`. With `at`, the first that is longer will do: *at is where it
 * starts.
 */
static uint32_t longest_hole(const struct xg_region *r, uint32_t block,
			     uint32_t over, uint32_t *at)
{
	uint32_t w = block * BLOCK_WORDS;
	uint32_t end = w + BLOCK_WORDS;
	uint32_t hole = r->pages; /* the one that is open, or none */
	uint32_t longest = over;

	for (;; w++) {
		uint32_t first = w * 64, to;
		uint64_t starts = 0, free, runs;

		if (w < end) {
			starts = r->starts[w];
			if (!starts)
				continue;
			to = first + (uint32_t)__builtin_ctzll(starts);
		} else if (hole < r->pages) {
			to = xg_region_next_start(r, first);
		} else {
			break;
		}
		if (hole < r->pages && to - hole > longest) {
			longest = to - hole;
			if (at)
				break;
		}
		if (w == end)
			break;
		free = xg_region_free(starts, r->holes[w]);
		hole = first + 63 - (uint32_t)__builtin_clzll(starts);
		if (xg_test_bit(r->holes, hole))
			free &= ~(~UINT64_C(0) << hole % 64);
		else
			hole = r->pages;
		/* The first that is longer, until there is none. */
		while ((runs = runs_of(free, longest + 1))) {
			uint32_t bit = (uint32_t)__builtin_ctzll(runs);

			if (at) {
				*at = first + bit;
				return longest;
			}
			longest = (uint32_t)__builtin_ctzll(~(free >> bit));
		}
	}
	if (at)
		*at = hole;
	return longest;
}

uint32_t xg_region_find(const struct xg_region *r, uint32_t n)
{
	uint32_t i = 1;
	uint32_t at;

	if ((r->nodes[1] & XG_NODE_HOLE) < n)
		return r->pages;
	while (i < r->leaves) {
		i *= 2;
		if ((r->nodes[i] & XG_NODE_HOLE) < n)
			i++;
	}
	longest_hole(r, i - r->leaves, n - 1, &at);
	return at;
}

static void update(struct xg_region *r, uint32_t block)
{
	uint32_t i = r->leaves + block;
	uint32_t node = longest_hole(r, block, 0, NULL);
	uint64_t starts = 0, mapped = 0;

	for (uint32_t w = block * BLOCK_WORDS; w < (block + 1) * BLOCK_WORDS;
	     w++) {
		starts |= r->starts[w];
		mapped |= r->mapped[w];
	}
	if (starts)
		node |= XG_NODE_STARTS;
	if (mapped)
		node |= XG_NODE_MAPPED;
	while (i && r->nodes[i] != node) {
		uint32_t left, right;

		r->nodes[i] = node;
		i /= 2;
		left = r->nodes[2 * i];
		right = r->nodes[2 * i + 1];
		node = (left | right) & ~XG_NODE_HOLE;
		left &= XG_NODE_HOLE;
		right &= XG_NODE_HOLE;
		node |= left > right ? left : right;
	}
}

void xg_region_update(struct xg_region *r, uint32_t page, uint32_t later)
{
	if (later / BLOCK != page / BLOCK && later < r->pages)
		update(r, later / BLOCK);
	update(r, page / BLOCK);
}
