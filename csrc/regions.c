/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A guest's regions: which one, under the lock, and what the CPU sees. */
#include "internal.h"

static struct xg_region *region_of(const struct xg_guest *g, const void *va)
{
	uintptr_t at = (uintptr_t)va;

	for (uint32_t i = 0; i < g->nr_regions; i++) {
		struct xg_region *r = &g->regions[i];
		uintptr_t start = (uintptr_t)r->va;

		if (at >= start &&
		    (at - start) >> XG_PAGE_SHIFT < (uintptr_t)r->pages)
			return r;
	}
	return NULL;
}

static uint32_t page_of(const struct xg_region *r, const void *va)
{
	uintptr_t offset = (uintptr_t)va - (uintptr_t)r->va;

	return (uint32_t)(offset >> XG_PAGE_SHIFT);
}

static uintptr_t lock(struct xg_guest *g)
{
	return g->platform->lock(g->context);
}

static void unlock(struct xg_guest *g, uintptr_t state)
{
	g->platform->unlock(g->context, state);
}

bool xg_region_contains(const struct xg_guest *g, const void *va)
{
	return region_of(g, va);
}

void *xg_region_get_pages(struct xg_guest *g, uint32_t n)
{
	for (uint32_t i = 0; n && i < g->nr_regions; i++) {
		struct xg_region *r = &g->regions[i];
		uintptr_t state = lock(g);
		int32_t page = xg_region_take(r, n);

		unlock(g, state);
		if (page >= 0)
			return r->va + ((size_t)page << XG_PAGE_SHIFT);
	}
	return NULL;
}

int xg_region_put_pages(struct xg_guest *g, void *va, uint32_t n)
{
	struct xg_region *r = region_of(g, va);
	uintptr_t state;
	int rc;

	if (!r)
		return -XG_EIO;
	if (xg_page_offset((uintptr_t)va))
		return -XG_EINVAL;
	state = lock(g);
	rc = xg_region_give(r, page_of(r, va), n);
	unlock(g, state);
	return rc;
}

/* Are the pages allocated, and each as `mapped` says? 0, or why not. */
static int check_mapped(struct xg_guest *g, struct xg_region *r, uint32_t page,
			uint32_t n, bool mapped)
{
	uintptr_t state = lock(g);
	int rc = xg_region_check_mapped(r, page, n, mapped);

	unlock(g, state);
	return rc;
}

/* Change what the region says of the pages; 0, or why not. */
static int set_mapped(struct xg_guest *g, struct xg_region *r, uint32_t page,
		      uint32_t n, bool mapped)
{
	uintptr_t state = lock(g);
	int rc = xg_region_set_mapped(r, page, n, mapped);

	unlock(g, state);
	return rc;
}

int xg_region_map(struct xg_guest *g, void *va, uint32_t n, uint32_t prot)
{
	struct xg_region *r = region_of(g, va);
	uint32_t page;
	int rc;

	if (!r || xg_page_offset((uintptr_t)va))
		return -XG_EFAULT;
	page = page_of(r, va);
	/* First: what is being mapped can't be given back or mapped twice. */
	rc = set_mapped(g, r, page, n, true);
	if (rc)
		return rc;
	rc = g->platform->map(g->context, va, r->gfn + page, n, prot);
	if (rc)
		set_mapped(g, r, page, n, false);
	return rc;
}

int xg_region_unmap(struct xg_guest *g, void *va, uint32_t n)
{
	struct xg_region *r = region_of(g, va);
	uint32_t page;
	int rc;

	if (!r || xg_page_offset((uintptr_t)va))
		return -XG_EFAULT;
	page = page_of(r, va);
	rc = check_mapped(g, r, page, n, true);
	if (rc)
		return rc;
	rc = g->platform->unmap(g->context, va, n);
	/* Last: until now nobody else can have the pages. */
	if (!rc)
		set_mapped(g, r, page, n, false);
	return rc;
}

bool xg_same_region(const struct xg_guest *g, uint64_t a, uint64_t b)
{
	return region_of(g, (void *)(uintptr_t)a) ==
	       region_of(g, (void *)(uintptr_t)b);
}

/* A region that has a page of `n` at `va`. */
static const struct xg_region *region_at(const struct xg_guest *g,
					 const void *va, uint32_t n)
{
	uintptr_t start = (uintptr_t)va;
	uintptr_t size = (uintptr_t)n << XG_PAGE_SHIFT;

	for (uint32_t i = 0; i < g->nr_regions; i++) {
		const struct xg_region *r = &g->regions[i];
		uintptr_t at = (uintptr_t)r->va;

		if (start < at + ((uintptr_t)r->pages << XG_PAGE_SHIFT) &&
		    at < start + size)
			return r;
	}
	return NULL;
}

int xg_check_empty(struct xg_guest *g, void *va, uint32_t n)
{
	struct xg_region *r = region_of(g, va);

	if (!r)
		return region_at(g, va, n) ? -XG_EFAULT : 0;
	return check_mapped(g, r, page_of(r, va), n, false);
}

int xg_map_pages(struct xg_guest *g, void *va, uint64_t gfn, uint32_t n,
		 uint32_t prot)
{
	const struct xg_region *r = region_at(g, va, n);

	if (!r)
		return g->platform->map(g->context, va, gfn, n, prot);
	/* In it with its first page and all others, at the region's frames. */
	if (gfn - r->gfn != page_of(r, va))
		return -XG_EFAULT;
	return xg_region_map(g, va, n, prot);
}

int xg_unmap_pages(struct xg_guest *g, void *va, uint32_t n)
{
	if (region_at(g, va, n))
		return xg_region_unmap(g, va, n);
	return g->platform->unmap(g->context, va, n);
}
