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
 * sees new flags with an old domid or frame. In a batch two stores of 4 bytes
 * are less work than shifting the frame to its place: the frame first, then
 * flags and domid, which Xen reads together and before the frame.
 *
 * With version 2 (gntv2.c) nothing here is simple: there is never a reference
 * at `near`, and none is in the table, so that the fast paths need not know.
 */
#include "gntref.h"

#include "gntv2.h"

_Static_assert(sizeof(struct grant_entry_v1) == sizeof(uint64_t),
	       "an entry is published by one store");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "Xen's ABI is little-endian");

/* Where bytes count less: before a loop over a batch, and before what a batch
 * goes on with, so that it saves no registers for that. */
#if defined(__OPTIMIZE_SIZE__)
#define XG_UNROLL
#define XG_APART
#else
#if defined(__clang__)
#define XG_UNROLL _Pragma("clang loop unroll_count(8)")
#else
#define XG_UNROLL _Pragma("GCC unroll 8")
#endif
#define XG_APART XG_SLOW
#endif

/* The entry's first two bytes, of an object that is written as 8. */
typedef uint16_t __attribute__((may_alias)) flags_t;

static flags_t *flags_of(const struct xg_gnttab *t, uint32_t gref)
{
	return (flags_t *)&t->entries[gref];
}

/* An entry that grants frame 0. */
static uint32_t entry_of(uint16_t domid, bool readonly)
{
	return ((uint32_t)domid << 16) + GTF_permit_access +
	       readonly * GTF_readonly;
}

static void publish(uint64_t *place, uint64_t entry)
{
	/* Release: what the page holds is visible before the grant is. */
	__atomic_store_n(place, entry, __ATOMIC_RELEASE);
}

/* Either version's entry for a reference that is the caller's. */
static void put(struct xg_gnttab *t, uint32_t gref, uint32_t low, uint64_t gfn)
{
	if (xg_gntv2(t))
		xg_gntv2_grant(t, gref, low, gfn);
	else
		publish(&t->entries[gref], low | gfn << 32);
}

/* With `count` references in a row, for as many frames. */
static XG_SLOW int32_t grant_slowly(struct xg_guest *g, uint32_t low,
				    uint64_t gfn, uint32_t count)
{
	int32_t first = xg_gntref_take(g, count);

	if (first > 0)
		while (count--)
			put(&g->gnttab, (uint32_t)first + count, low,
			    gfn + count);
	return first;
}

int32_t xg_gnttab_grant(struct xg_guest *g, uint16_t domid, uint64_t gfn,
			bool readonly)
{
	struct xg_gnttab *t = &g->gnttab;
	/* As an entry has it: the lower half is its upper, with no other. */
	uint64_t entry = gfn << 32 | gfn >> 32;
	uint32_t gref;

	if (domid >= DOMID_FIRST_RESERVED)
		return -XG_EINVAL;
	if ((uint32_t)entry)
		return xg_gntv2_grant_far(g, domid, entry, readonly);
	entry |= entry_of(domid, readonly);
	if (!xg_gntref_take_near(t, &t->near, &gref))
		return grant_slowly(g, (uint32_t)entry, entry >> 32, 1);
	publish(&t->entries[gref], entry);
	return (int32_t)gref;
}

/* The bits that any of the frames' numbers has. */
static inline uint64_t bits_of(const uint64_t *gfns, size_t count)
{
	uint64_t bits = 0;

	XG_UNROLL
	for (size_t i = 0; i < count; i++)
		bits |= gfns[i];
	return bits;
}

/* An entry's halves: flags and domid, frame. */
typedef uint32_t __attribute__((may_alias)) half_t;

/* Grant with `n` references in a row. Returns 0. */
static XG_APART int grant_row(uint64_t *entries, uint32_t gref, uint32_t low,
			      const uint64_t *gfns, uint32_t *grefs, size_t n)
{
	half_t *half = (half_t *)entries;

	XG_UNROLL
	for (size_t i = 0; i < n; i++)
		grefs[i] = gref++;
	XG_UNROLL
	for (size_t i = 0; i < n; i++) {
		__atomic_store_n(&half[2 * i + 1], (uint32_t)gfns[i],
				 __ATOMIC_RELAXED);
		/* Release: the frame, and what its page holds, are visible
		 * before the grant is. */
		__atomic_store_n(&half[2 * i], low, __ATOMIC_RELEASE);
	}
	return 0;
}

static XG_APART int batch_slowly(struct xg_guest *g, uint32_t entry,
				 const uint64_t *gfns, uint32_t *grefs,
				 size_t count)
{
	struct xg_gnttab *t = &g->gnttab;

	/* All references first: none is published before it is sure that
	 * there are enough, so there is nothing to revoke. */
	for (size_t i = 0; i != count; i++) {
		int32_t rc = xg_gntref_take(g, 1);

		if (rc < 0) {
			while (i--)
				xg_gntref_give(g, grefs[i]);
			return rc;
		}
		grefs[i] = (uint32_t)rc;
	}
	while (count--)
		put(t, grefs[count], entry, gfns[count]);
	return 0;
}

int xg_gnttab_grant_batch(struct xg_guest *g, uint16_t domid,
			  const uint64_t *gfns, uint32_t *grefs, uint32_t count,
			  bool readonly)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t gref, entry = entry_of(domid, readonly);
	size_t n = count;

	if (!n)
		return 0;
	if (domid >= DOMID_FIRST_RESERVED || !gfns || !grefs)
		return -XG_EINVAL;
	if (bits_of(gfns, n) >> 32 && !xg_gntv2(t))
		return -XG_ERANGE;
	if (n >= XG_WORD_BITS || !xg_gntref_take_row(t, n, &gref))
		return batch_slowly(g, entry, gfns, grefs, n);
	return grant_row(&t->entries[gref], gref, entry, gfns, grefs, n);
}

int32_t xg_gnttab_grant_run(struct xg_guest *g, uint16_t domid, uint64_t gfn,
			    uint32_t count, bool readonly)
{
	uint64_t limit = xg_gntv2(&g->gnttab) ? UINT64_MAX : UINT32_MAX;

	if (domid >= DOMID_FIRST_RESERVED || !count)
		return -XG_EINVAL;
	if (gfn > limit || count - 1 > limit - gfn)
		return -XG_ERANGE;
	return grant_slowly(g, entry_of(domid, readonly), gfn, count);
}

/*
 * Flags to 0 in one step, and only if no peer is using the entry. Never a
 * plain store: it would wipe out a GTF_reading that Xen sets at that moment.
 * Acquire: what a peer wrote while it had the page is visible after.
 */
static bool clear(struct xg_gnttab *t, uint32_t gref, uint16_t *old)
{
	return __atomic_compare_exchange_n(flags_of(t, gref), old, 0, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static bool in_table(const struct xg_gnttab *t, uint32_t gref)
{
	/* Acquire: pairs with the release when the table grows. */
	return gref - XG_GRANT_RESERVED <
	       __atomic_load_n(&t->refs, __ATOMIC_ACQUIRE);
}

/* Revoke a grant that nobody is using; otherwise ask end_slowly(). */
static inline bool revoke_idle(struct xg_gnttab *t, uint32_t gref)
{
	uint16_t old;

	if (!in_table(t, gref))
		return false;
	/* What the flags are if it is one. */
	old = __atomic_load_n(flags_of(t, gref), __ATOMIC_RELAXED);
	old = (old & GTF_readonly) | GTF_permit_access;
	return clear(t, gref, &old);
}

static XG_SLOW int end_slowly(struct xg_guest *g, size_t at)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t gref = (uint32_t)at;
	uint16_t old = 0;

	if (xg_gntv2(t)) {
		int rc = xg_gntv2_revoke(t, gref);

		return rc ? rc : xg_gntref_give(g, gref);
	}
	if (in_table(t, gref))
		old = __atomic_load_n(flags_of(t, gref), __ATOMIC_RELAXED);
	/* Where it changes between the two, somebody is at it. */
	if ((old & GTF_type_mask) && !(old & (GTF_reading | GTF_writing)) &&
	    clear(t, gref, &old))
		return xg_gntref_give(g, gref);
	return old & GTF_type_mask ? -XG_EBUSY : -XG_EINVAL;
}

int xg_gnttab_end(struct xg_guest *g, uint32_t gref)
{
	struct xg_gnttab *t = &g->gnttab;

	if (!revoke_idle(t, gref))
		return end_slowly(g, gref);
	return xg_gntref_free(g, gref / XG_WORD_BITS, xg_bit(gref));
}

int xg_gnttab_end_batch(struct xg_guest *g, const uint32_t *grefs, int *errs,
			uint32_t count)
{
	struct xg_gnttab *t = &g->gnttab;
	int rc, first = 0;

	if (!count)
		return 0;
	if (!grefs)
		return -XG_EINVAL;
	if (errs)
		memset(errs, 0, count * sizeof(*errs));
	for (size_t i = 0; i < count;) {
		uint32_t gref = grefs[i], w = gref / XG_WORD_BITS;
		uint64_t bits = 0; /* ended, and not free yet */

		/* What is simple, and of one word, is free in one step. */
		for (; revoke_idle(t, gref); gref = grefs[i]) {
			bits |= xg_bit(gref);
			if (++i == count || grefs[i] / XG_WORD_BITS != w)
				break;
		}
		if (bits) {
			xg_gntref_free_some(g, w, bits);
			continue;
		}
		rc = end_slowly(g, gref);
		if (errs)
			errs[i] = rc;
		if (!first)
			first = rc;
		i++;
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
