/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Granting: the entries that this guest writes and Xen reads.
 *
 * A version 1 entry is eight bytes, little-endian:
 *   flags  16 bits  the guest writes; Xen sets and clears GTF_reading and
 *                   GTF_writing while a peer has the frame mapped
 *   domid  16 bits  the guest writes while flags is 0
 *   frame  32 bits  the guest writes while flags is 0
 * Xen ignores an entry whose flags are 0. All of it is published by one
 * 8-byte store, which is single-copy atomic on both architectures: Xen never
 * sees new flags with an old domid or frame.
 */
#include "atomic.h"
#include "hypercall.h"
#include "internal.h"

_Static_assert(sizeof(struct grant_entry_v1) == sizeof(uint64_t),
	       "an entry is published by one store");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "Xen's ABI is little-endian");

/* Tries of the revoking compare-and-swap while a peer maps and unmaps. */
#define END_TRIES 8

/* The entry's first two bytes, of an object that is written as 8. */
typedef uint16_t __attribute__((may_alias)) flags_t;

static flags_t *flags_of(const struct xg_gnttab *t, uint32_t gref)
{
	return (flags_t *)&t->entries[gref];
}

/* Take frames [0, count) of the table out of the physmap. */
static int unmap_frames(struct xg_guest *g, uint32_t count)
{
	int rc = 0;

	while (count--)
		if (xg_memory_remove_from_physmap(g, DOMID_SELF,
						  g->gnttab.gfn + count))
			rc = -XG_EIO;
	return rc;
}

/* From the highest frame down: Xen grows its table to the index asked for,
 * so it grows once. */
static int map_frames(struct xg_guest *g, uint32_t count)
{
	for (uint32_t i = count; i--;) {
		int rc = xg_memory_add_to_physmap(g, DOMID_SELF,
						  XENMAPSPACE_grant_table, i,
						  g->gnttab.gfn + i);

		if (!rc)
			continue;
		for (i++; i < count; i++)
			xg_memory_remove_from_physmap(g, DOMID_SELF,
						      g->gnttab.gfn + i);
		return rc;
	}
	return 0;
}

/* Xen's limit of table frames for this domain, or a negative error. */
static int max_frames(struct xg_guest *g)
{
	struct gnttab_query_size op = {.dom = DOMID_SELF};
	int rc =
		(int)xg_hypercall(g, __HYPERVISOR_grant_table_op,
				  GNTTABOP_query_size, (uintptr_t)&op, 1, 0, 0);

	if (rc)
		return rc;
	rc = xg_gnttab_errno(op.status);
	if (rc)
		return rc;
	return op.max_nr_frames > XG_MAX_GRANT_FRAMES ? XG_MAX_GRANT_FRAMES
						      : (int)op.max_nr_frames;
}

int xg_gnttab_init(struct xg_guest *g, const struct xg_window *window,
		   uint64_t *words)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t frames = window->pages;
	int rc;

	if (!frames)
		return 0;
	rc = max_frames(g);
	if (rc < 0)
		return rc;
	if (frames > (uint32_t)rc)
		frames = (uint32_t)rc;
	if (!frames)
		return -XG_ENOSPC;
	t->gfn = window->gfn;
	t->va = window->va;
	rc = map_frames(g, frames);
	if (rc)
		return rc;
	rc = g->platform->map(g->context, t->va, t->gfn, frames,
			      XG_PROT_READ | XG_PROT_WRITE);
	if (rc) {
		unmap_frames(g, frames);
		return rc;
	}
	t->entries = t->va;
	t->words = words;
	t->frames = frames;
	xg_gntref_init(t);
	return 0;
}

int xg_gnttab_fini(struct xg_guest *g)
{
	uint32_t frames = g->gnttab.frames;
	int unmapped, removed;

	if (!frames)
		return 0;
	unmapped = g->platform->unmap(g->context, g->gnttab.va, frames);
	removed = unmap_frames(g, frames);
	g->gnttab.frames = 0;
	return unmapped || removed ? -XG_EIO : 0;
}

int32_t xg_gnttab_grant(struct xg_guest *g, uint16_t domid, uint64_t gfn,
			bool readonly)
{
	struct xg_gnttab *t = &g->gnttab;
	uint64_t flags = GTF_permit_access | (readonly ? GTF_readonly : 0);
	uint32_t gref;

	if (domid >= DOMID_FIRST_RESERVED)
		return -XG_EINVAL;
	if (gfn > UINT32_MAX)
		return -XG_ERANGE;
	if (!t->frames)
		return -XG_ENOSYS;
	gref = xg_gntref_alloc(t);
	if (!gref)
		return -XG_ENOSPC;
	__atomic_fetch_add(&t->in_use, 1, __ATOMIC_RELAXED);
	/* Release: what the page holds is visible before the grant is. */
	__atomic_store_n(&t->entries[gref],
			 flags | (uint64_t)domid << 16 | gfn << 32,
			 __ATOMIC_RELEASE);
	return (int32_t)gref;
}

/*
 * Flags to 0 in one step, and only if no peer is using the entry. Never a
 * plain store: it would wipe out a GTF_reading that Xen sets at that moment.
 * Acquire: what a peer wrote while it had the page is visible after.
 */
static int revoke(flags_t *flags)
{
	uint16_t old = __atomic_load_n(flags, __ATOMIC_RELAXED);

	for (int i = 0; i < END_TRIES; i++) {
		if (!(old & GTF_type_mask))
			return -XG_EINVAL;
		if (old & (GTF_reading | GTF_writing))
			return -XG_EBUSY;
		if (__atomic_compare_exchange_n(flags, &old, 0, false,
						__ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return 0;
	}
	/* It changed each time we looked: somebody is at it. */
	return -XG_EBUSY;
}

int xg_gnttab_end(struct xg_guest *g, uint32_t gref)
{
	struct xg_gnttab *t = &g->gnttab;
	int rc;

	if (gref < XG_GRANT_RESERVED ||
	    gref >= t->frames * XG_GRANTS_PER_FRAME ||
	    xg_gntref_is_free(t, gref))
		return -XG_EINVAL;
	rc = revoke(flags_of(t, gref));
	if (rc)
		return rc;
	__atomic_fetch_sub(&t->in_use, 1, __ATOMIC_RELEASE);
	xg_gntref_free(t, gref);
	return 0;
}

int32_t xg_gnttab_alloc_and_grant(struct xg_guest *g, uint16_t domid,
				  void **page, bool readonly)
{
	const struct xg_platform *platform = g->platform;
	uint64_t gfn;
	int32_t gref;
	void *va;

	if (!page || !platform->page_alloc || !platform->page_free)
		return -XG_EINVAL;
	va = platform->page_alloc(g->context, 1);
	if (!va)
		return -XG_ENOMEM;
	/* The peer sees all of the page. */
	memset(va, 0, XG_PAGE_SIZE);
	gref = platform->virt_to_gfn(g->context, va, &gfn);
	if (!gref)
		gref = xg_gnttab_grant(g, domid, gfn, readonly);
	if (gref < 0) {
		platform->page_free(g->context, va, 1);
		return gref;
	}
	*page = va;
	return gref;
}
