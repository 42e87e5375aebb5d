/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The grant table's frames: mapping the first, and more when they run out. */
#include "gntop.h"
#include "gntref.h"
#include "gntv2.h"

static uint64_t gfn_of(const struct xg_gnttab *t, uint32_t frame)
{
	return t->gfn + frame;
}

static void *va_of(const struct xg_gnttab *t, uint32_t frame)
{
	return (uint8_t *)t->va + ((size_t)frame << XG_PAGE_SHIFT);
}

/* Take frames [first, end) of the table out of the physmap. */
static XG_SLOW int remove_frames(struct xg_guest *g, uint32_t first,
				 uint32_t end)
{
	int rc = 0;

	while (end-- > first)
		if (xg_memory_remove_from_physmap(g, DOMID_SELF,
						  gfn_of(&g->gnttab, end)))
			rc = -XG_EIO;
	return rc;
}

/* What Xen calls a page of the window: behind the table's are those with the
 * status words of version 2. */
static uint64_t index_of(const struct xg_gnttab *t, uint32_t frame)
{
	if (!xg_gntv2(t) || frame < t->max_frames)
		return frame;
	return XENMAPIDX_grant_table_status | (frame - t->max_frames);
}

static int add_frame(struct xg_guest *g, uint32_t frame)
{
	uint64_t gfn = gfn_of(&g->gnttab, frame);
	uint64_t index = index_of(&g->gnttab, frame);
	int rc = xg_memory_add_to_physmap(g, DOMID_SELF,
					  XENMAPSPACE_grant_table, index, gfn);

	/* Xen does not put a frame in twice, not even in the same place. There
	 * it may be since an earlier try that could not be undone. The first
	 * frame there would be earlier firmware's. */
	if (rc != -XG_EBUSY || !frame || remove_frames(g, frame, frame + 1))
		return rc;
	return xg_memory_add_to_physmap(g, DOMID_SELF, XENMAPSPACE_grant_table,
					index, gfn);
}

/* Put frames [first, end) there, all or none. From the highest down: Xen grows
 * its table to the index asked for, so it grows once. */
static int add_frames(struct xg_guest *g, uint32_t first, uint32_t end)
{
	for (uint32_t i = end; i-- > first;) {
		int rc = add_frame(g, i);

		if (rc) {
			remove_frames(g, i + 1, end);
			return rc;
		}
	}
	return 0;
}

/* Put them there, and into the CPU's page tables. */
static int map_frames(struct xg_guest *g, uint32_t first, uint32_t end)
{
	struct xg_gnttab *t = &g->gnttab;
	int rc = add_frames(g, first, end);

	if (rc)
		return rc;
	rc = g->platform->map(g->context, va_of(t, first), gfn_of(t, first),
			      end - first, XG_PROT_READ | XG_PROT_WRITE);
	if (rc)
		remove_frames(g, first, end);
	return rc;
}

static int unmap_frames(struct xg_guest *g, uint32_t first, uint32_t end)
{
	int unmapped = g->platform->unmap(g->context, va_of(&g->gnttab, first),
					  end - first);
	int removed = remove_frames(g, first, end);

	return unmapped || removed ? -XG_EIO : 0;
}

/* Have the table go on to `end` frames. One call at a time. */
static int extend(struct xg_guest *g, uint32_t end)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t first = t->frames;
	uint32_t status = t->max_frames + xg_gntv2_status_pages(t, first);
	uint32_t status_end = t->max_frames + xg_gntv2_status_pages(t, end);
	int rc = map_frames(g, first, end);

	/* Xen has pages of status words for as many frames as there are. */
	if (XG_GRANT_V2 && !rc && status != status_end) {
		rc = map_frames(g, status, status_end);
		if (rc)
			unmap_frames(g, first, end);
	}
	if (rc)
		return rc;
	/* Release: who gets one of the new references, or a number that is one
	 * now, sees its frame. In this order: what is granted can be ended, and
	 * who finds none free in so many frames has seen all of them. */
	__atomic_store_n(xg_gntv2(t) ? &t->refs_v2 : &t->refs,
			 end * xg_grants_per_frame(t) - XG_GRANT_RESERVED,
			 __ATOMIC_RELEASE);
	xg_gntref_add(t, first, end);
	__atomic_store_n(&t->frames, end, __ATOMIC_RELEASE);
	return 0;
}

int xg_gnttab_grow(struct xg_guest *g, uint32_t frames)
{
	struct xg_gnttab *t = &g->gnttab;
	uintptr_t state = g->platform->lock(g->context);
	uint32_t end = t->frames * 2;
	int rc = 0;

	if (end > t->max_frames)
		end = t->max_frames;
	/* Unless somebody else did it while we waited for the lock. */
	if (t->frames == frames)
		rc = end > frames ? extend(g, end) : -XG_ENOSPC;
	g->platform->unlock(g->context, state);
	return rc;
}

int xg_gnttab_query_size(struct xg_guest *g, uint16_t dom, uint32_t *frames,
			 uint32_t *max_frames)
{
	struct gnttab_query_size op = {.dom = dom};
	int rc;

	if (!frames || !max_frames)
		return -XG_EINVAL;
	rc = xg_grant_op(g, GNTTABOP_query_size, &op, 1);
	if (!rc)
		rc = xg_gnttab_errno(op.status);
	if (rc)
		return rc;
	*frames = op.nr_frames;
	*max_frames = op.max_nr_frames;
	return 0;
}

int xg_gnttab_version(struct xg_guest *g, uint16_t dom)
{
	struct gnttab_get_version op = {.dom = dom};
	int rc = xg_grant_op(g, GNTTABOP_get_version, &op, 1);

	return rc ? rc : (int)op.version;
}

/* Earlier firmware may have chosen the other. */
static int use_version(struct xg_guest *g, uint32_t version)
{
#if XG_GRANT_V2
	struct gnttab_set_version op = {.version = version ? version : 1};

	g->gnttab.version = op.version;
	return xg_grant_op(g, GNTTABOP_set_version, &op, 1);
#else
	(void)g;
	return version > 1 ? -XG_ENOSYS : 0;
#endif
}

int xg_gnttab_init(struct xg_guest *g, const struct xg_guest_config *config)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t pages = config->gnttab.pages, frames, limit;
	int rc;

	t->near = &t->none;
	if (!pages)
		return 0;
	rc = use_version(g, config->gnttab_version);
	if (!rc)
		rc = xg_gnttab_query_size(g, DOMID_SELF, &frames, &limit);
	if (rc)
		return rc;
	/* Of nine pages one is for the status of the others. */
	if (xg_gntv2(t))
		pages -= (pages + XG_GRANT_STATUS_FRAMES) /
			 (XG_GRANT_STATUS_FRAMES + 1);
	t->max_frames = pages < limit ? pages : limit;
	if (!t->max_frames)
		return -XG_ENOSPC;
	t->gfn = config->gnttab.gfn;
	t->va = config->gnttab.va;
	t->entries = t->va;
	t->words = config->gnttab_words;
	memset(t->words, 0, xg_grants_per_frame(t) / 8 * t->max_frames);
	t->parked = config->parked;
	t->nr_parked = config->nr_parked;
	if (t->nr_parked)
		memset(t->parked, 0, t->nr_parked * sizeof(*t->parked));
	return extend(g, 1);
}

int xg_gnttab_fini(struct xg_guest *g)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t frames = t->frames;
	uint32_t status = xg_gntv2_status_pages(t, frames);
	int rc;

	if (!frames)
		return 0;
	rc = unmap_frames(g, 0, frames);
	if (XG_GRANT_V2 && status)
		rc |= unmap_frames(g, t->max_frames, t->max_frames + status);
	t->refs = 0;
	if (xg_gntv2(t))
		t->refs_v2 = 0;
	t->frames = 0;
	return rc;
}
