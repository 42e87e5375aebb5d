/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One region: taking and giving pages.
 *
 * Single pages go through a small cache, last in first out, so that the tree
 * is not touched for most of them. A page in the cache is, for the tree, an
 * allocation of one page; that it is in `free` as well tells it apart.
 */
#include "region_tree.h"

/* Pages taken from the tree at a time for an empty cache. */
#define REFILL (XG_REGION_CACHE / 2)

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
	size_t count;

	if (!r || !window || !metadata || !xg_window_valid(window) ||
	    window->pages > XG_REGION_MAX_PAGES ||
	    (uintptr_t)metadata % sizeof(uint64_t) ||
	    size < XG_REGION_METADATA(window->pages))
		return -XG_EINVAL;
	memset(r, 0, sizeof(*r));
	r->va = window->va;
	r->gfn = window->gfn;
	r->pages = window->pages;
	count = XG_REGION_WORDS(r->pages);
	memset(words, 0, 3 * count * sizeof(*words));
	r->free = words;
	r->heads = words + count;
	r->mapped = words + 2 * count;
	xg_region_tree_init(r, (struct xg_region_node *)(words + 3 * count));
	return 0;
}

static void put_in_cache(struct xg_region *r, uint32_t page)
{
	set_bit(r->free, page);
	r->cache[r->cached++] = page;
}

static uint32_t take_from_cache(struct xg_region *r)
{
	uint32_t page = r->cache[--r->cached];

	clear_bit(r->free, page);
	return page;
}

static void free_run(struct xg_region *r, uint32_t page, uint32_t n)
{
	xg_region_tree_mark(r, r->heads, XG_NODE_HEADS, page, 1, false);
	xg_region_tree_set(r, page, n, true);
}

/* What single pages hold back may be the middle of a longer run. */
static void flush_cache(struct xg_region *r)
{
	while (r->cached)
		free_run(r, take_from_cache(r), 1);
}

/* Some pages of one word, the lowest on top. */
static bool refill_cache(struct xg_region *r)
{
	uint32_t first = xg_region_tree_find(r, 1);
	uint64_t taken;

	if (first == r->pages)
		return false;
	taken = xg_region_tree_take_word(r, first, REFILL);
	while (taken) {
		uint32_t bit = 63 - (uint32_t)__builtin_clzll(taken);

		r->cache[r->cached++] = first / 64 * 64 + bit;
		taken ^= UINT64_C(1) << bit;
	}
	return true;
}

int32_t xg_region_take(struct xg_region *r, uint32_t n)
{
	uint32_t page;

	if (n == 1) {
		if (!r->cached && !refill_cache(r))
			return -XG_ENOSPC;
		return (int32_t)take_from_cache(r);
	}
	if (!n)
		return -XG_EINVAL;
	page = xg_region_tree_find(r, n);
	if (page == r->pages && r->cached && n <= r->pages) {
		flush_cache(r);
		page = xg_region_tree_find(r, n);
	}
	if (page == r->pages)
		return -XG_ENOSPC;
	xg_region_tree_set(r, page, n, false);
	xg_region_tree_mark(r, r->heads, XG_NODE_HEADS, page, 1, true);
	return (int32_t)page;
}

/* Is `page`, the first of an allocation, all of it? Within a block that is
 * looked up: the words of an allocation's first block are up to date. */
static bool is_single(struct xg_region *r, uint32_t page)
{
	uint32_t next = page + 1;

	if (next == r->pages)
		return true;
	if (next % XG_REGION_BLOCK)
		return xg_test_bit(r->heads, next) ||
		       xg_test_bit(r->free, next);
	return xg_region_tree_next(r, page) == next;
}

int xg_region_give(struct xg_region *r, uint32_t page, uint32_t n)
{
	if (page >= r->pages || !n || n > r->pages - page ||
	    !xg_test_bit(r->heads, page) || xg_test_bit(r->free, page))
		return -XG_EINVAL;
	if (n == 1 ? !is_single(r, page)
		   : xg_region_tree_next(r, page) != page + n)
		return -XG_EINVAL;
	if (n == 1 ? xg_test_bit(r->mapped, page)
		   : xg_region_tree_mapped(r, page, n))
		return -XG_EBUSY;
	if (n == 1 && r->cached < XG_REGION_CACHE)
		put_in_cache(r, page);
	else
		free_run(r, page, n);
	return 0;
}

int xg_region_check_mapped(struct xg_region *r, uint32_t first, uint32_t n,
			   bool mapped)
{
	if (first >= r->pages || !n || n > r->pages - first)
		return -XG_EFAULT;
	if (!xg_region_tree_used(r, first, n))
		return -XG_EFAULT;
	for (uint32_t i = 0; i < r->cached; i++)
		if (r->cache[i] - first < n)
			return -XG_EFAULT;
	if (!mapped)
		return xg_region_tree_mapped(r, first, n) ? -XG_EBUSY : 0;
	return xg_region_tree_all_mapped(r, first, n) ? 0 : -XG_EINVAL;
}

int xg_region_set_mapped(struct xg_region *r, uint32_t first, uint32_t n,
			 bool mapped)
{
	int rc = xg_region_check_mapped(r, first, n, !mapped);

	if (rc)
		return rc;
	xg_region_tree_mark(r, r->mapped, XG_NODE_MAPPED, first, n, mapped);
	return 0;
}
