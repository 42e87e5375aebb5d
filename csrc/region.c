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
	uint32_t pages;
	size_t words;

	if (!r || !metadata || !xg_window_valid(window))
		return -XG_EINVAL;
	pages = window->pages;
	words = XG_REGION_WORDS(pages);
	if (pages > XG_REGION_MAX_PAGES ||
	    (uintptr_t)metadata % sizeof(uint64_t) ||
	    size < XG_REGION_METADATA(pages))
		return -XG_EINVAL;
	memset(r, 0, sizeof(*r));
	memset(metadata, 0, size);
	r->va = window->va;
	r->gfn = window->gfn;
	r->pages = pages;
	r->starts = metadata;
	r->holes = r->starts + words;
	r->mapped = r->holes + words;
	r->nodes = (uint32_t *)(r->mapped + words);
	for (r->leaves = 1; r->leaves < XG_REGION_BLOCKS(pages); r->leaves *= 2)
		;
	/* A hole, and behind it, up to the end of the block, what is as good
	 * as taken. */
	if (pages % XG_REGION_BLOCK)
		set_bit(r->starts, pages);
	r->starts[0] |= 1;
	r->holes[0] = 1;
	xg_region_update(r, 0, 0, pages - 1);
	return 0;
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
	/* The run before the first of them. */
	uint32_t before = xg_region_start_of(
		r, base + (uint32_t)__builtin_ctzll(mask) - 1);

	if (before < base && xg_test_bit(r->holes, before))
		holes &= holes - 1;
	else
		before = base;
	r->starts[w] = (starts & ~free) | holes;
	r->holes[w] = holes;
	/* What starts behind may be a hole too. */
	if (end < base + 64)
		end = base + 64;
	if (free >> 63 && end < r->pages && xg_test_bit(r->holes, end)) {
		clear_bit(r->starts, end);
		clear_bit(r->holes, end);
	}
	xg_region_update(r, before, base, end);
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
	return r->nodes[1] / 2 > r->pages;
}

/* Make the free pages of a word allocations of one page: `page`, the first of
 * them, is asked for, the others are kept. Returns where a rest of their last
 * hole would start, or `page`. */
static uint32_t keep(struct xg_region *r, uint32_t page)
{
	uint32_t w = page / 64;
	uint64_t free = xg_region_free(r->starts[w], r->holes[w]);

	r->starts[w] |= free;
	r->holes[w] = 0;
	r->kept_word = w;
	r->kept = free & (free - 1);
	r->singles = free;
	return free >> 63 ? w * 64 + 64 : page;
}

int32_t xg_region_take(struct xg_region *r, uint32_t n)
{
	uint32_t page, end;

	if (n == 1 && r->kept) {
		page = r->kept_word * 64 + (uint32_t)__builtin_ctzll(r->kept);
		r->kept &= r->kept - 1;
		return (int32_t)page;
	}
	if (!n)
		return -XG_EINVAL;
	while ((page = xg_region_find(r, n)) == r->pages) {
		if (!r->kept)
			return -XG_ENOSPC;
		free_kept(r);
	}
	if (n == 1) {
		end = keep(r, page);
	} else {
		clear_bit(r->holes, page);
		end = page + n;
	}
	/* The rest of the hole. */
	if (end < r->pages && !xg_test_bit(r->starts, end)) {
		set_bit(r->starts, end);
		set_bit(r->holes, end);
	}
	xg_region_update(r, page, page, end);
	return (int32_t)page;
}

/* The bits of `n` pages from `first` on that are in its word. */
static inline uint64_t bits_from(uint32_t first, uint32_t n)
{
	return (n < 64 ? ~(~UINT64_C(0) << n) : ~UINT64_C(0)) << first % 64;
}

int xg_region_mapped(struct xg_region *r, uint32_t first, uint32_t n,
		     uint32_t how)
{
	uint32_t w = first / 64;
	uint64_t bits = bits_from(first, n), free, wrong;

	/* 0 pages are too many, too. */
	if (first >= r->pages || n - 1 >= r->pages - first ||
	    xg_test_bit(r->holes, xg_region_start_of(r, first)))
		return -XG_EFAULT;
	free = r->holes[w];
	if (w == r->kept_word)
		free |= r->kept;
	wrong = how & XG_MAPPED ? ~r->mapped[w] : r->mapped[w];
	if (free & bits)
		return -XG_EFAULT;
	if (wrong & bits)
		return how & XG_MAPPED ? -XG_EINVAL : -XG_EBUSY;
	if (how & XG_FLIP) {
		r->mapped[w] ^= bits;
		xg_region_update_mapped(r, first / XG_REGION_BLOCK);
	}
	return 0;
}

int xg_region_give(struct xg_region *r, uint32_t page, uint32_t n)
{
	uint32_t w = page / 64, end = page + n;
	uint64_t first = UINT64_C(1) << page % 64;

	/* Back to where it came from. */
	if (n == 1 && w == r->kept_word && (r->singles & first)) {
		if (r->kept & first)
			return -XG_EINVAL;
		if (r->mapped[w] & first)
			return -XG_EBUSY;
		r->kept |= first;
		return 0;
	}
	if (page >= r->pages || !(r->starts[w] & ~r->holes[w] & first) ||
	    xg_region_next_start(r, page + 1) != end)
		return -XG_EINVAL;
	if (xg_region_seek(r, XG_NODE_MAPPED, page, false) < end)
		return -XG_EBUSY;
	free_pages(r, w, bits_from(page, n), end);
	return 0;
}
