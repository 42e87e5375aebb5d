/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The grant table's frames: mapping the first, and more when they run out. */
#include "gntop.h"
#include "gntref.h"
#include "gntv2.h"

/* What Xen calls a page of the window: behind the table's are those with the
 * status words of version 2. */
static uint64_t index_of(const struct xg_gnttab *t, uint32_t frame)
{
	if (!xg_gntv2(t) || frame < t->max_frames)
		return frame;
	return XENMAPIDX_grant_table_status | (frame - t->max_frames);
}

/* Put frames [first, end) where they belong. From the highest down: Xen grows
 * its table to the index asked for, so it grows once. */
static int add_frames(struct xg_guest *g, uint32_t first, uint32_t end)
{
	const struct xg_gnttab *t = &g->gnttab;
	int rc;

	do {
		end--;
		rc = xg_memory_add_to_physmap(g, DOMID_SELF,
					      XENMAPSPACE_grant_table,
					      index_of(t, end), t->gfn + end);
	} while (!rc && end > first);
	return rc;
}

static XG_SLOW int take_back(struct xg_guest *g, uint32_t first, uint32_t end)
{
	uint64_t gfn = g->gnttab.gfn + first;
	uint32_t n = end - first, left = 0;

	return xg_take_back(g, &gfn, 0, n, n, NULL, 0, &left);
}

static uint8_t *va_of(const struct xg_gnttab *t, uint32_t frame)
{
	return (uint8_t *)t->va + ((size_t)frame << XG_PAGE_SHIFT);
}

/* Put them there, and into the CPU's page tables: all or none. */
static int map_frames(struct xg_guest *g, uint32_t first, uint32_t end)
{
	struct xg_gnttab *t = &g->gnttab;
	int rc, tries = 2;

	/* Xen does not put a frame in twice, not even in the same place. There
	 * it may be since an earlier try that could not be undone; the first
	 * frame would be earlier firmware's. */
	do {
		rc = add_frames(g, first, end);
		if (rc && first)
			take_back(g, first, end);
	} while (rc == -XG_EBUSY && first && --tries);
	if (rc)
		return rc;
	rc = g->platform->map(g->context, va_of(t, first), t->gfn + first,
			      end - first, XG_PROT_READ | XG_PROT_WRITE);
	if (rc)
		take_back(g, first, end);
	return rc;
}

static int unmap_frames(struct xg_guest *g, uint32_t first, uint32_t end)
{
	int rc = g->platform->unmap(g->context, va_of(&g->gnttab, first),
				    end - first);

	return take_back(g, first, end) || rc ? -XG_EIO : 0;
}

/* The references of frames [first, end), which are mapped. */
static void add_refs(struct xg_guest *g, uint32_t first, uint32_t end)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t gref = first * xg_grants_per_frame(t);

	do {
		uint32_t w = gref / XG_WORD_BITS;
		uint64_t bits, flags = 0;

		if (!gref)
			gref = XG_GRANT_RESERVED;
		bits = ~UINT64_C(0) << gref % XG_WORD_BITS;
		do
			flags |= xg_gntv2(t) ? xg_gntv2_left(t, gref)
					     : xg_load(&t->entries[gref]);
		while (++gref % XG_WORD_BITS);
		/* The flags are the low 16 bits. Not 0: a peer may still use
		 * what earlier firmware granted. Such words are left alone: a
		 * bit for each tells those grants from this guest's. */
		if (flags & 0xffff) {
			xg_set_bits(&t->left[w / XG_WORD_BITS], xg_bit(w));
			bits = 0;
		}
		/* Release: who gets one of these references, or ends what was
		 * granted before, sees its frame, and whose the word is. In
		 * this order: what is granted can be ended. */
		__atomic_store_n(xg_gntv2(t) ? &t->refs_v2 : &t->refs,
				 gref - XG_GRANT_RESERVED, __ATOMIC_RELEASE);
		xg_gntref_free_some(g, w, bits);
	} while (gref < end * xg_grants_per_frame(t));
}

/* Have the table, of `first` frames, go on to `end`. One call at a time. */
static int extend(struct xg_guest *g, uint32_t first, uint32_t end)
{
	struct xg_gnttab *t = &g->gnttab;
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
	add_refs(g, first, end);
	/* Release: who finds none free in so many frames has seen all. */
	__atomic_store_n(&t->frames, end, __ATOMIC_RELEASE);
	return 0;
}

int xg_gnttab_grow(struct xg_guest *g, uint32_t frames)
{
	struct xg_gnttab *t = &g->gnttab;
	uintptr_t state = g->platform->lock(g->context);
	uint32_t end = frames ? frames * 2 : 1;
	int rc = 0;

	if (end > t->max_frames)
		end = t->max_frames;
	/* Unless somebody else did it while we waited for the lock. */
	if (t->frames == frames)
		rc = end > frames ? extend(g, frames, end) : -XG_ENOSPC;
	g->platform->unlock(g->context, state);
	return rc;
}

static const uint32_t sizes =
	XG_GRANT_KIND(GNTTABOP_query_size, gnttab_query_size);

XG_SLOW int xg_gnttab_query_size(struct xg_guest *g, uint16_t dom,
				 uint32_t *frames, uint32_t *max_frames)
{
	struct gnttab_query_size op = {.dom = dom};
	int rc;

	if (!frames || !max_frames)
		return -XG_EINVAL;
	rc = xg_grant_do(g, sizes, &op, 1);
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

static int use_version(struct xg_guest *g, uint32_t version)
{
	if (!XG_GRANT_V2 && version > 1)
		return -XG_ENOSYS;
#if XG_GRANT_V2 || defined(__x86_64__)
	/* Earlier firmware may have chosen the other. */
	struct gnttab_set_version op = {.version = version ? version : 1};

	g->gnttab.version = op.version;
	return xg_grant_op(g, GNTTABOP_set_version, &op, 1);
#else
	(void)g;
	return 0;
#endif
}

/* Leave the version as most expect it: of those after this guest, who don't
 * ask. Xen refuses if peers use what earlier firmware granted. */
static void leave_version(struct xg_guest *g)
{
	if (xg_gntv2(&g->gnttab))
		use_version(g, 1);
}

static int set_up(struct xg_guest *g, const struct xg_guest_config *config)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t pages = config->gnttab.pages, frames, limit;
	int rc;

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
	if (xg_gntv2(t))
		t->near_v2 = &t->none;
	memset(t->words, 0, xg_grants_per_frame(t) / 8 * t->max_frames);
	t->parked = config->parked;
	t->nr_parked = config->nr_parked;
	if (t->nr_parked)
		memset(t->parked, 0, t->nr_parked * sizeof(*t->parked));
	return xg_gnttab_grow(g, 0);
}

int xg_gnttab_init(struct xg_guest *g, const struct xg_guest_config *config)
{
	int rc;

	g->gnttab.near = &g->gnttab.none;
	if (!config->gnttab.pages)
		return 0;
	rc = set_up(g, config);
	if (rc)
		leave_version(g);
	return rc;
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
	leave_version(g);
	return rc;
}
