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

uint32_t xg_gnttab_refs(const struct xg_gnttab *t)
{
	/* Acquire: pairs with the release when the table grows. */
	return __atomic_load_n(&t->frames, __ATOMIC_ACQUIRE) *
	       XG_GRANTS_PER_FRAME;
}

/* What all forms of granting check first. */
static int check(const struct xg_gnttab *t, uint16_t domid, uint64_t gfn)
{
	if (domid >= DOMID_FIRST_RESERVED)
		return -XG_EINVAL;
	if (gfn > UINT32_MAX)
		return -XG_ERANGE;
	return t->max_frames ? 0 : -XG_ENOSYS;
}

static void publish(struct xg_gnttab *t, uint32_t gref, uint16_t domid,
		    uint64_t gfn, bool readonly)
{
	uint64_t flags = GTF_permit_access | (readonly ? GTF_readonly : 0);

	/* Release: what the page holds is visible before the grant is. */
	__atomic_store_n(&t->entries[gref],
			 flags | (uint64_t)domid << 16 | gfn << 32,
			 __ATOMIC_RELEASE);
}

/* Up to `most` references of one word, or the error that kept from any. */
static int take_some(struct xg_guest *g, uint32_t most, struct xg_refs *refs)
{
	struct xg_gnttab *t = &g->gnttab;

	for (;;) {
		uint32_t frames = __atomic_load_n(&t->frames, __ATOMIC_ACQUIRE);
		int rc;

		if (xg_gntref_take(t, most, refs))
			return 0;
		rc = xg_gnttab_grow(g, frames);
		if (rc)
			return -XG_ENOSPC;
	}
}

int32_t xg_gnttab_grant(struct xg_guest *g, uint16_t domid, uint64_t gfn,
			bool readonly)
{
	struct xg_gnttab *t = &g->gnttab;
	struct xg_refs refs;
	uint32_t gref;
	int rc = check(t, domid, gfn);

	if (!rc)
		rc = take_some(g, 1, &refs);
	if (rc)
		return rc;
	gref = refs.base + xg_first_bit(refs.bits);
	__atomic_fetch_add(&t->in_use, 1, __ATOMIC_RELAXED);
	publish(t, gref, domid, gfn, readonly);
	return (int32_t)gref;
}

/* Give back what nobody was told of. */
static void untake(struct xg_gnttab *t, const uint32_t *grefs, uint32_t count)
{
	while (count--)
		xg_gntref_free(t, grefs[count]);
}

int xg_gnttab_grant_batch(struct xg_guest *g, uint16_t domid,
			  const uint64_t *gfns, uint32_t *grefs, uint32_t count,
			  bool readonly)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t have = 0;
	int rc = check(t, domid, 0);

	if (count && (!gfns || !grefs))
		return -XG_EINVAL;
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = check(t, domid, gfns[i]);
	/* All references first: none is published before it is sure that
	 * there are enough, so there is nothing to revoke. */
	while (have < count && !rc) {
		struct xg_refs refs;

		rc = take_some(g, count - have, &refs);
		for (; !rc && refs.bits; refs.bits &= refs.bits - 1)
			grefs[have++] = refs.base + xg_first_bit(refs.bits);
	}
	if (rc) {
		untake(t, grefs, have);
		return rc;
	}
	__atomic_fetch_add(&t->in_use, count, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < count; i++)
		publish(t, grefs[i], domid, gfns[i], readonly);
	return 0;
}

int32_t xg_gnttab_grant_run(struct xg_guest *g, uint16_t domid, uint64_t gfn,
			    uint32_t count, bool readonly)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t first = 0;
	int rc = count ? check(t, domid, gfn) : -XG_EINVAL;

	if (!rc)
		rc = check(t, domid, gfn + count - 1);
	while (!rc && !first) {
		uint32_t frames = __atomic_load_n(&t->frames, __ATOMIC_ACQUIRE);

		first = xg_gntref_take_run(t, count);
		if (!first)
			rc = xg_gnttab_grow(g, frames) ? -XG_ENOSPC : 0;
	}
	if (rc)
		return rc;
	__atomic_fetch_add(&t->in_use, count, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < count; i++)
		publish(t, first + i, domid, gfn + i, readonly);
	return (int32_t)first;
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

	if (gref < XG_GRANT_RESERVED || gref >= xg_gnttab_refs(t) ||
	    xg_gntref_is_free(t, gref))
		return -XG_EINVAL;
	rc = revoke(flags_of(t, gref));
	if (rc)
		return rc;
	__atomic_fetch_sub(&t->in_use, 1, __ATOMIC_RELEASE);
	xg_gntref_free(t, gref);
	return 0;
}

int xg_gnttab_end_batch(struct xg_guest *g, const uint32_t *grefs, int *errs,
			uint32_t count)
{
	int first = 0;

	if (count && !grefs)
		return -XG_EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		int rc = xg_gnttab_end(g, grefs[i]);

		if (errs)
			errs[i] = rc;
		if (!first)
			first = rc;
	}
	return first;
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
