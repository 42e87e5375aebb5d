/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A guest's regions: which one, under the lock, and what the CPU sees. */
#include "internal.h"

/* The region that has one of the `size` bytes at `va`. */
static XG_SLOW struct xg_region *region_at(const struct xg_guest *g,
					   const void *va, size_t size)
{
	uintptr_t start = (uintptr_t)va;

	for (uint32_t i = 0; i < g->nr_regions; i++) {
		struct xg_region *r = &g->regions[i];
		uintptr_t at = (uintptr_t)r->va;

		if (start < at + ((uintptr_t)r->pages << XG_PAGE_SHIFT) &&
		    at < start + size)
			return r;
	}
	return NULL;
}

static uint32_t page_of(const struct xg_region *r, const void *va)
{
	uintptr_t offset = (uintptr_t)va - (uintptr_t)r->va;

	return (uint32_t)(offset >> XG_PAGE_SHIFT);
}

bool xg_region_contains(const struct xg_guest *g, const void *va)
{
	return region_at(g, va, 1);
}

/* Done to pages of a region under the lock, beside what xg_region_mapped() can
 * do: that is done word by word, with the lock let go of in between. If one is
 * refused those before it stay done, and *n says how many pages they are. */
#define TAKE 4u
#define GIVE 8u

static XG_SLOW int32_t locked(struct xg_guest *g, struct xg_region *r,
			      uint32_t todo, uint32_t first, uint32_t *n)
{
	uint32_t page = first, end = first + *n;

	do {
		uintptr_t state = g->platform->lock(g->context);
		int32_t rc;

		if (todo == TAKE)
			rc = xg_region_take(r, *n);
		else if (todo == GIVE)
			rc = xg_region_give(r, page, *n);
		else
			rc = xg_region_mapped(r, page, end - page, todo);
		g->platform->unlock(g->context, state);
		if (todo >= TAKE)
			return rc;
		if (rc) {
			*n = page - first;
			return rc;
		}
		page = (page | 63) + 1;
	} while (page < end);
	return 0;
}

int xg_region_get_window(struct xg_guest *g, uint32_t n, struct xg_window *at)
{
	struct xg_region *r = g->regions;

	if (!n || !at)
		return -XG_EINVAL;
	for (uint32_t i = g->nr_regions; i; i--, r++) {
		int32_t page = locked(g, r, TAKE, 0, &n);

		if (page < 0)
			continue;
		at->va = r->va + ((size_t)page << XG_PAGE_SHIFT);
		at->gfn = r->gfn + (uint32_t)page;
		at->pages = n;
		return 0;
	}
	return -XG_ENOSPC;
}

void *xg_region_get_pages(struct xg_guest *g, uint32_t n)
{
	struct xg_window at;

	return xg_region_get_window(g, n, &at) ? NULL : at.va;
}

int xg_region_put_pages(struct xg_guest *g, void *va, uint32_t n)
{
	struct xg_region *r = region_at(g, va, 1);

	if (!r)
		return -XG_EIO;
	if (xg_page_offset((uintptr_t)va))
		return -XG_EINVAL;
	return locked(g, r, GIVE, page_of(r, va), &n);
}

/* What is done to pages that may be a region's: first what xg_region_mapped()
 * can do, and then this. */
#define MAP	  4u
#define UNMAP	  8u
#define OF_REGION 16u /* they must be, and their frames are the region's */

static int show(struct xg_guest *g, void *va, uint32_t n, uint32_t what,
		uint64_t gfn, uint32_t prot)
{
	struct xg_region *r = region_at(g, va, (size_t)n << XG_PAGE_SHIFT);
	uint32_t page = 0, marked = n;
	int rc = 0;

	if (r) {
		/* In it with the first page, and so with all of them: checked
		 * under the lock. */
		uint64_t own;

		page = page_of(r, va);
		own = r->gfn + page;
		if ((what & (MAP | OF_REGION)) != MAP)
			gfn = own;
		if (xg_page_offset((uintptr_t)va) || gfn != own)
			return -XG_EFAULT;
		rc = locked(g, r, what & (XG_MAPPED | XG_FLIP), page, &marked);
	} else if (what & OF_REGION) {
		return -XG_EFAULT;
	}
	if (!rc && (what & MAP))
		rc = g->platform->map(g->context, va, gfn, n, prot);
	if (!rc && (what & UNMAP))
		rc = g->platform->unmap(g->context, va, n);
	/* Those that are to be unmapped, after all or now. Until here nobody
	 * else can have the pages. */
	if (r && marked && (rc ? what & MAP : what & UNMAP))
		locked(g, r, XG_MAPPED | XG_FLIP, page, &marked);
	return rc;
}

int xg_region_map(struct xg_guest *g, void *va, uint32_t n, uint32_t prot)
{
	return show(g, va, n, XG_FLIP | MAP | OF_REGION, 0, prot);
}

int xg_region_unmap(struct xg_guest *g, void *va, uint32_t n)
{
	return show(g, va, n, XG_MAPPED | UNMAP | OF_REGION, 0, 0);
}

int xg_check_empty(struct xg_guest *g, void *va, uint32_t n)
{
	return show(g, va, n, 0, 0, 0);
}

int xg_map_pages(struct xg_guest *g, void *va, uint64_t gfn, uint32_t n,
		 uint32_t prot)
{
	return show(g, va, n, XG_FLIP | MAP, gfn, prot);
}

int xg_unmap_pages(struct xg_guest *g, void *va, uint32_t n)
{
	return show(g, va, n, XG_MAPPED | UNMAP, 0, 0);
}

void xg_keep_page(struct xg_guest *g, void *va)
{
	show(g, va, 1, XG_FLIP, 0, 0);
}

bool xg_same_region(const struct xg_guest *g, uint64_t a, uint64_t b)
{
	return region_at(g, (void *)(uintptr_t)a, 1) ==
	       region_at(g, (void *)(uintptr_t)b, 1);
}
