/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Windows onto other domains' pages: first into the physmap, then into the
 * CPU's page tables; undone in the opposite order.
 */
#include "xen_guest/foreign.h"

#include "hypercall.h"
#include "internal.h"

int xg_foreign_add_range(struct xg_guest *g, uint16_t foreign, uint64_t first,
			 uint32_t count, uint64_t gfn, uint32_t *left)
{
	return xg_fill_frames(g, foreign, XG_FOREIGN, 0, first, &gfn, count,
			      left);
}

/* What is in the window goes: all that xg_fill_frames() put there. */
static int empty(struct xg_guest *g, const struct xg_window *at, int rc,
		 uint32_t *left)
{
	return xg_take_back(g, &at->gfn, 0, at->pages, at->pages, NULL, rc,
			    left);
}

/* `what` and `id` as for xg_fill_frames(). */
static int map(struct xg_guest *g, uint16_t dom, uint32_t what, uint32_t id,
	       uint64_t first, const struct xg_window *at, uint32_t prot,
	       uint32_t *left)
{
	int rc;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!xg_window_valid(at) ||
	    (prot | XG_PROT_WRITE) != (XG_PROT_READ | XG_PROT_WRITE))
		return -XG_EINVAL;
	rc = xg_check_empty(g, at->va, at->pages);
	if (!rc)
		rc = xg_fill_frames(g, dom, what, id, first, &at->gfn,
				    at->pages, left);
	if (rc)
		return rc;
	rc = xg_map_pages(g, at->va, at->gfn, at->pages, prot);
	return rc ? empty(g, at, rc, left) : 0;
}

int xg_foreign_map(struct xg_guest *g, uint16_t foreign, uint64_t first,
		   const struct xg_window *at, uint32_t prot, uint32_t *left)
{
	return map(g, foreign, XG_FOREIGN, 0, first, at, prot, left);
}

int xg_resource_map(struct xg_guest *g, uint16_t dom, uint16_t type,
		    uint32_t id, uint64_t frame, const struct xg_window *at,
		    uint32_t prot, uint32_t *left)
{
	return map(g, dom, type, id, frame, at, prot, left);
}

int xg_foreign_unmap(struct xg_guest *g, const struct xg_window *at,
		     uint32_t *left)
{
	int rc;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!xg_window_valid(at))
		return -XG_EINVAL;
	rc = xg_unmap_pages(g, at->va, at->pages);
	if (!rc)
		return empty(g, at, 0, left);
	*left = at->pages;
	return rc;
}

static int get(struct xg_guest *g, uint16_t dom, uint32_t what, uint32_t id,
	       uint64_t first, uint32_t n, uint32_t prot, struct xg_window *at)
{
	uint32_t left;
	int rc = xg_region_get_window(g, n, at);

	if (rc)
		return rc;
	rc = map(g, dom, what, id, first, at, prot, &left);
	if (rc && !left)
		xg_region_put_pages(g, at->va, n);
	return rc;
}

int xg_foreign_get(struct xg_guest *g, uint16_t foreign, uint64_t first,
		   uint32_t n, uint32_t prot, struct xg_window *at)
{
	return get(g, foreign, XG_FOREIGN, 0, first, n, prot, at);
}

int xg_resource_get(struct xg_guest *g, uint16_t dom, uint16_t type,
		    uint32_t id, uint64_t frame, uint32_t n, uint32_t prot,
		    struct xg_window *at)
{
	return get(g, dom, type, id, frame, n, prot, at);
}

int xg_foreign_put(struct xg_guest *g, const struct xg_window *at)
{
	uint32_t left;
	int rc = xg_foreign_unmap(g, at, &left);

	return rc ? rc : xg_region_put_pages(g, at->va, at->pages);
}
