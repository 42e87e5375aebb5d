/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Windows onto other domains' pages: first into the physmap, then into the
 * CPU's page tables; undone in the opposite order.
 */
#include "xen_guest/foreign.h"

#include "hypercall.h"
#include "internal.h"

#define CHUNK 32u

/*
 * Make the `count` frames from `gfn` on empty, from the last to the first;
 * only those with errs[i] == 0, if errs is given. A refusal is no reason to
 * leave the others. Returns the number of the last that stayed, 0 for none.
 */
static uint32_t take_back(struct xg_guest *g, uint64_t gfn, uint32_t count,
			  const int *errs)
{
	uint32_t left = 0;

	for (uint32_t i = count; i > 0; i--) {
		if (errs && errs[i - 1])
			continue;
		if (xg_memory_remove_from_physmap(g, DOMID_SELF, gfn + i - 1) &&
		    !left)
			left = i;
	}
	return left;
}

int xg_foreign_add_range(struct xg_guest *g, uint16_t foreign, uint64_t first,
			 uint32_t count, uint64_t gfn, uint32_t *left)
{
	uint64_t idxs[CHUNK], gfns[CHUNK];
	int errs[CHUNK];
	uint32_t done = 0;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!xg_frames_valid(first, count) || !xg_frames_valid(gfn, count))
		return -XG_EINVAL;
	while (done < count) {
		uint32_t batch = count - done < CHUNK ? count - done : CHUNK;
		uint32_t some;
		int rc;

		for (uint32_t i = 0; i < batch; i++) {
			idxs[i] = first + done + i;
			gfns[i] = gfn + done + i;
		}
		rc = xg_memory_add_to_physmap_batch(g, DOMID_SELF, foreign,
						    XENMAPSPACE_gmfn_foreign,
						    batch, idxs, gfns, errs);
		if (!rc) {
			done += batch;
			continue;
		}
		some = take_back(g, gfn + done, batch, errs);
		*left = take_back(g, gfn, done, NULL);
		if (some)
			*left = done + some;
		return *left ? -XG_EIO : rc;
	}
	return 0;
}

static bool window_valid(const struct xg_window *at, uint32_t prot)
{
	return at && xg_window_valid(at) &&
	       (prot == XG_PROT_READ || prot == (XG_PROT_READ | XG_PROT_WRITE));
}

/* The physmap has the pages: let the CPU reach them, or take them back. */
static int make_visible(struct xg_guest *g, const struct xg_window *at,
			uint32_t prot, uint32_t *left)
{
	int rc = xg_map_pages(g, at->va, at->gfn, at->pages, prot);

	if (!rc)
		return 0;
	*left = take_back(g, at->gfn, at->pages, NULL);
	return *left ? -XG_EIO : rc;
}

int xg_foreign_map(struct xg_guest *g, uint16_t foreign, uint64_t first,
		   const struct xg_window *at, uint32_t prot, uint32_t *left)
{
	int rc;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!window_valid(at, prot))
		return -XG_EINVAL;
	rc = xg_check_empty(g, at->va, at->pages);
	if (!rc)
		rc = xg_foreign_add_range(g, foreign, first, at->pages, at->gfn,
					  left);
	return rc ? rc : make_visible(g, at, prot, left);
}

int xg_resource_map(struct xg_guest *g, uint16_t dom, uint16_t type,
		    uint32_t id, uint64_t frame, const struct xg_window *at,
		    uint32_t prot, uint32_t *left)
{
	uint64_t gfns[CHUNK];
	uint32_t done = 0;
	int busy;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!window_valid(at, prot) || !xg_frames_valid(frame, at->pages))
		return -XG_EINVAL;
	busy = xg_check_empty(g, at->va, at->pages);
	if (busy)
		return busy;
	while (done < at->pages) {
		uint32_t batch =
			at->pages - done < CHUNK ? at->pages - done : CHUNK;
		uint32_t some, before;
		int rc;

		for (uint32_t i = 0; i < batch; i++)
			gfns[i] = at->gfn + done + i;
		rc = xg_memory_acquire_resource(g, dom, type, id, frame + done,
						batch, gfns, &some);
		if (!rc) {
			done += batch;
			continue;
		}
		before = take_back(g, at->gfn, done, NULL);
		*left = some ? done + some : before;
		return *left ? -XG_EIO : rc;
	}
	return make_visible(g, at, prot, left);
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
	*left = take_back(g, at->gfn, at->pages, NULL);
	return *left ? -XG_EIO : 0;
}
