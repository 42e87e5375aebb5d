/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One region: taking and giving pages, and what is mapped of them.
 *
 * Single pages are taken from the tree a word at a time: all that are free in
 * the word become allocations of one page, and `kept` are those that nobody
 * has asked for yet. So the tree is not touched for most of them.
 */
#include "region_tree.h"

static void set_bit(uint64_t *words, uint32_t bit)
{
	words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static void clear_bit(uint64_t *words, uint32_t bit)
{
	words[bit / 64] &= ~(UINT64_C(1) << (bit % 64));
}

int xg_region_init(struct xg_region *r, const struct xg_window *window,
		   void *metadata, size_t size)
{
	uint64_t *words = metadata;
	uint32_t pages, count;

	if (!r || !window || !metadata || !xg_window_valid(window) ||
	    window->pages > XG_REGION_MAX_PAGES ||
	    (uintptr_t)metadata % sizeof(uint64_t) ||
	    size < XG_REGION_METADATA(window->pages))
		return -XG_EINVAL;
	pages = window->pages;
	memset(r, 0, sizeof(*r));
	memset(metadata, 0, size);
	r->va = window->va;
	r->gfn = window->gfn;
	r->pages = pages;
	count = (uint32_t)XG_REGION_BLOCKS(pages);
	/* The next power of two. */
	r->leaves = 1u << (31 - __builtin_clz(2 * count - 1));
	count = (uint32_t)XG_REGION_WORDS(pages);
	r->starts = words;
	r->holes = words + count;
	r->mapped = words + 2 * (size_t)count;
	r->nodes = (uint32_t *)(words + 3 * (size_t)count);
	/* A hole, and behind it, up to the end of the block, what is as good
	 * as taken. */
	if (r->pages % XG_REGION_BLOCK)
		set_bit(r->starts, r->pages);
	set_bit(r->starts, 0);
	set_bit(r->holes, 0);
	xg_region_update(r, 0, r->pages - 1);
	return 0;
}

/* A hole's pages up to `end` are taken from it, those of word `w` at least. */
static void shorten_hole(struct xg_region *r, uint32_t page, uint32_t end)
{
	if (end < r->pages && !xg_test_bit(r->starts, end)) {
		set_bit(r->starts, end);
		set_bit(r->holes, end);
	}
	xg_region_update(r, page, end);
}

/*
 * Free the pages in `mask` of word `w`: each an allocation of one page, or all
 * of them part of the same, which may go on to page `end`.
 */
static void free_pages(struct xg_region *r, uint32_t w, uint64_t mask,
		       uint32_t end)
{
	uint64_t starts = r->starts[w];
	uint64_t free = xg_region_free(starts, r->holes[w]) | mask;
	uint64_t holes = free & ~(free << 1);
	uint32_t base = w * 64;
	uint32_t first = base + (uint32_t)__builtin_ctzll(starts);
	uint32_t before = base;

	/* What starts before the word may be a hole up to the first page. */
	if (first && (mask & starts & -starts)) {
		before = xg_region_start_of(r, first - 1);
		if (xg_test_bit(r->holes, before))
			holes &= holes - 1;
	}
	r->starts[w] = (starts & ~free) | holes;
	r->holes[w] = holes;
	/* And so may be what starts behind. */
	if (end < base + 64)
		end = base + 64;
	if (free >> 63 && end < r->pages && xg_test_bit(r->holes, end)) {
		clear_bit(r->starts, end);
		clear_bit(r->holes, end);
	}
	xg_region_update(r, base, end);
	if (before / XG_REGION_BLOCK != base / XG_REGION_BLOCK)
		xg_region_update(r, before, before);
}

/* What is kept may be the middle of a longer run. */
static void free_kept(struct xg_region *r)
{
	free_pages(r, r->kept_word, r->kept, 0);
	r->kept = 0;
	r->singles = 0;
}

bool xg_region_is_free(struct xg_region *r)
{
	if (r->kept)
		free_kept(r);
	return (r->nodes[1] & XG_NODE_HOLE) == r->pages;
}

static bool keep_more(struct xg_region *r)
{
	uint32_t page = xg_region_find(r, 1);
	uint32_t w = page / 64;
	uint64_t free;

	if (page == r->pages)
		return false;
	free = xg_region_free(r->starts[w], r->holes[w]);
	r->starts[w] |= free;
	r->holes[w] = 0;
	shorten_hole(r, page, free >> 63 ? w * 64 + 64 : page);
	r->kept_word = w;
	r->kept = free;
	r->singles = free;
	return true;
}

/* None, or not all of them in the region. */
static __attribute__((noinline)) bool outside(const struct xg_region *r,
					      uint32_t page, uint32_t n)
{
	return page >= r->pages || !n || n > r->pages - page;
}

int32_t xg_region_take(struct xg_region *r, uint32_t n)
{
	uint32_t page;

	if (n == 1) {
		if (!r->kept && !keep_more(r))
			return -XG_ENOSPC;
		page = r->kept_word * 64 + (uint32_t)__builtin_ctzll(r->kept);
		r->kept &= r->kept - 1;
		return (int32_t)page;
	}
	if (!n)
		return -XG_EINVAL;
	page = xg_region_find(r, n);
	if (page == r->pages && r->kept && n <= r->pages) {
		free_kept(r);
		page = xg_region_find(r, n);
	}
	if (page == r->pages)
		return -XG_ENOSPC;
	clear_bit(r->holes, page);
	shorten_hole(r, page, page + n);
	return (int32_t)page;
}

int xg_region_give(struct xg_region *r, uint32_t page, uint32_t n)
{
	uint32_t w = page / 64, bit = page % 64;

	if (outside(r, page, n))
		return -XG_EINVAL;
	if (n == 1 && w == r->kept_word && r->singles >> bit & 1) {
		if (r->kept >> bit & 1)
			return -XG_EINVAL;
		if (xg_test_bit(r->mapped, page))
			return -XG_EBUSY;
		r->kept |= UINT64_C(1) << bit;
		return 0;
	}
	if (!xg_test_bit(r->starts, page) || xg_test_bit(r->holes, page) ||
	    xg_region_next_start(r, page + 1) != page + n)
		return -XG_EINVAL;
	if (xg_region_next_mapped(r, page) < page + n)
		return -XG_EBUSY;
	free_pages(r, w, xg_bit_range(bit, n < 64 - bit ? n : 64 - bit),
		   page + n);
	return 0;
}

/* The bits of pages that are mapped, or not, against `how`. All pages have it
 * right: with XG_FLIP they are the opposite. */
static uint64_t wrong(struct xg_region *r, uint32_t first, uint32_t n,
		      uint32_t how)
{
	uint64_t right = how & XG_MAPPED ? ~UINT64_C(0) : 0;
	uint64_t wrong = 0;

	while (n) {
		uint32_t bit = first % 64;
		uint32_t some = n < 64 - bit ? n : 64 - bit;
		uint64_t bits = xg_bit_range(bit, some);
		uint64_t *word = &r->mapped[first / 64];

		wrong |= (*word ^ right) & bits;
		if (how & XG_FLIP)
			*word ^= bits;
		first += some;
		n -= some;
	}
	return wrong;
}

int xg_region_mapped(struct xg_region *r, uint32_t first, uint32_t n,
		     uint32_t how)
{
	uint32_t end = first + n;

	if (outside(r, first, n) ||
	    xg_test_bit(r->holes, xg_region_start_of(r, first)) ||
	    xg_region_next_hole(r, first) < end)
		return -XG_EFAULT;
	for (uint64_t left = r->kept; left; left &= left - 1)
		if (r->kept_word * 64 + (uint32_t)__builtin_ctzll(left) -
			    first <
		    n)
			return -XG_EFAULT;
	if (wrong(r, first, n, how & XG_MAPPED))
		return how & XG_MAPPED ? -XG_EINVAL : -XG_EBUSY;
	if (!(how & XG_FLIP))
		return 0;
	wrong(r, first, n, how);
	/* A page of each block. */
	for (; first < end; first = (first | (XG_REGION_BLOCK - 1)) + 1)
		xg_region_update(r, first, first);
	return 0;
}
