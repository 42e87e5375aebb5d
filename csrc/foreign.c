/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Windows onto other domains' pages: first into the physmap, then into the
 * CPU's page tables; undone in the opposite order.
 */
#include "xen_guest/foreign.h"

#include "hypercall.h"
#include "internal.h"

/* What a window shows. */
struct source {
	uint64_t first;
	uint32_t id;
	uint16_t dom;
	uint16_t type;
	bool resource; /* of this type and number, or frames of the domain */
};

/* Into the physmap: all, or what *left says. */
static int fill(struct xg_guest *g, const struct source *from, uint64_t gfn,
		uint32_t count, uint32_t *left)
{
	uint64_t frames[XG_FRAMES], gfns[XG_FRAMES];
	int errs[XG_FRAMES];
	uint32_t done = 0;

	if (!xg_frames_valid(from->first, count) ||
	    !xg_frames_valid(gfn, count))
		return -XG_EINVAL;
	while (done < count) {
		uint32_t batch = xg_frames_from(gfns, gfn + done, count - done);
		uint64_t first = from->first + done;
		uint32_t before, some;
		int rc;

		if (from->resource) {
			rc = xg_memory_acquire_resource(
				g, from->dom, from->type, from->id, first,
				batch, gfns, &some);
		} else {
			xg_frames_from(frames, first, batch);
			rc = xg_memory_add_to_physmap_batch(
				g, DOMID_SELF, from->dom,
				XENMAPSPACE_gmfn_foreign, batch, frames, gfns,
				errs);
			some = rc ? xg_take_back(g, gfns, 0, batch, errs) : 0;
		}
		if (rc) {
			before = xg_take_back(g, NULL, gfn, done, NULL);
			*left = some ? done + some : before;
			return *left ? -XG_EIO : rc;
		}
		done += batch;
	}
	return 0;
}

int xg_foreign_add_range(struct xg_guest *g, uint16_t foreign, uint64_t first,
			 uint32_t count, uint64_t gfn, uint32_t *left)
{
	struct source from = {.dom = foreign, .first = first};

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	return fill(g, &from, gfn, count, left);
}

static int map_window(struct xg_guest *g, const struct source *from,
		      const struct xg_window *at, uint32_t prot, uint32_t *left)
{
	int rc;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!at || !xg_window_valid(at) ||
	    (prot | XG_PROT_WRITE) != (XG_PROT_READ | XG_PROT_WRITE))
		return -XG_EINVAL;
	rc = xg_check_empty(g, at->va, at->pages);
	if (!rc)
		rc = fill(g, from, at->gfn, at->pages, left);
	if (rc)
		return rc;
	rc = xg_map_pages(g, at->va, at->gfn, at->pages, prot);
	if (rc)
		*left = xg_take_back(g, NULL, at->gfn, at->pages, NULL);
	return *left ? -XG_EIO : rc;
}

int xg_foreign_map(struct xg_guest *g, uint16_t foreign, uint64_t first,
		   const struct xg_window *at, uint32_t prot, uint32_t *left)
{
	struct source from = {.dom = foreign, .first = first};

	return map_window(g, &from, at, prot, left);
}

int xg_resource_map(struct xg_guest *g, uint16_t dom, uint16_t type,
		    uint32_t id, uint64_t frame, const struct xg_window *at,
		    uint32_t prot, uint32_t *left)
{
	struct source from = {
		.dom = dom,
		.type = type,
		.id = id,
		.first = frame,
		.resource = true,
	};

	return map_window(g, &from, at, prot, left);
}

int xg_foreign_unmap(struct xg_guest *g, const struct xg_window *at,
		     uint32_t *left)
{
	int rc;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!at || !xg_window_valid(at))
		return -XG_EINVAL;
	*left = at->pages;
	rc = xg_unmap_pages(g, at->va, at->pages);
	if (rc)
		return rc;
	*left = xg_take_back(g, NULL, at->gfn, at->pages, NULL);
	return *left ? -XG_EIO : 0;
}

static int get(struct xg_guest *g, const struct source *from, uint32_t n,
	       uint32_t prot, struct xg_window *at)
{
	uint32_t left;
	int rc = xg_region_get_window(g, n, at);

	if (rc)
		return rc;
	rc = map_window(g, from, at, prot, &left);
	if (rc && !left)
		xg_region_put_pages(g, at->va, n);
	return rc;
}

int xg_foreign_get(struct xg_guest *g, uint16_t foreign, uint64_t first,
		   uint32_t n, uint32_t prot, struct xg_window *at)
{
	struct source from = {.dom = foreign, .first = first};

	return get(g, &from, n, prot, at);
}

int xg_resource_get(struct xg_guest *g, uint16_t dom, uint16_t type,
		    uint32_t id, uint64_t frame, uint32_t n, uint32_t prot,
		    struct xg_window *at)
{
	struct source from = {
		.dom = dom,
		.type = type,
		.id = id,
		.first = frame,
		.resource = true,
	};

	return get(g, &from, n, prot, at);
}

int xg_foreign_put(struct xg_guest *g, const struct xg_window *at)
{
	uint32_t left;
	int rc = xg_foreign_unmap(g, at, &left);

	return rc ? rc : xg_region_put_pages(g, at->va, at->pages);
}
