/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Granting with version 2 of the table.
 *
 * An entry is 16 bytes, little-endian, which only the guest writes:
 *   flags   16 bits
 *   domid   16 bits
 *   detail  32 bits  of a part of a page: its offset and its length
 *   frame   64 bits
 * GTF_reading and GTF_writing are in a table of their own, 16 bits for each
 * entry, the status words, which only Xen writes.
 *
 * Publishing. Xen ignores an entry whose flags have no type. The rest of it is
 * written before: then flags and domid, which Xen reads together, by one
 * store. Release: Xen, which reads those first, sees the rest, and a peer what
 * the page holds.
 *
 * Revoking. The flags and what a peer does with them are in two places, so
 * that no compare-and-swap sees both. Each side writes its own and then reads
 * the other's, with a full barrier in between:
 *
 *   here                          Xen, for a peer that maps or copies
 *   flags without a type          flags have a type?
 *   full barrier                  status: reading, or writing too
 *   status 0?                     full barrier
 *                                 the same flags as before? else undo
 *
 * One of the two sees the other, or both do. Status 0: nobody uses the page,
 * and whoever comes now sees the flags and goes away. Not 0: somebody does, or
 * is about to find out that he may not; the flags are put back, and the grant
 * is what it was. In between a peer that just comes is refused, as one that
 * comes a moment later may be; not where somebody has the page for long,
 * since that is seen before anything is written.
 *
 * From the first store to the last the entry is ENDING, which for Xen is none
 * at all: who else ends the grant meanwhile finds it busy, not gone.
 *
 * models/grant_end_v2.pml has all of this.
 *
 * What another domain granted can't be passed on (GTF_transitive). For a copy
 * Xen reads first whether an entry is of that kind, then the flags again, for
 * which either kind will do, then the rest as of the kind that it saw first.
 * A reference that is used for the other kind in between makes it take one
 * for the other: a copy would then reach whatever page of this guest has the
 * number of the reference that was passed on.
 */
#include "gntv2.h"

#include "gntref.h"

_Static_assert(XG_GRANTS_PER_FRAME_V2 * sizeof(union grant_entry_v2) ==
		       XG_PAGE_SIZE,
	       "entries of a frame");
_Static_assert(XG_GRANT_STATUS_FRAMES *XG_GRANTS_PER_FRAME_V2 *
			       sizeof(grant_status_t) ==
		       XG_PAGE_SIZE,
	       "status words of so many frames");

#if XG_GRANT_V2

/* No type, and not 0. */
#define ENDING 0x8000u

/* An entry's parts as they are written. */
typedef uint16_t __attribute__((may_alias)) flags_t;
typedef uint32_t __attribute__((may_alias)) half_t;
typedef uint64_t __attribute__((may_alias)) word_t;

static uintptr_t entry_of(const struct xg_gnttab *t, uint32_t gref)
{
	return (uintptr_t)t->va + gref * sizeof(union grant_entry_v2);
}

static flags_t *flags_of(const struct xg_gnttab *t, uint32_t gref)
{
	return (flags_t *)entry_of(t, gref);
}

/* Behind the last page that the table can have. */
static const grant_status_t *status_of(const struct xg_gnttab *t, uint32_t gref)
{
	uintptr_t first =
		(uintptr_t)t->va + ((uintptr_t)t->max_frames << XG_PAGE_SHIFT);

	return (const grant_status_t *)first + gref;
}

static uint32_t header_of(uint16_t domid, bool readonly)
{
	return (uint32_t)domid << 16 | GTF_permit_access |
	       (readonly ? GTF_readonly : 0);
}

static void publish(struct xg_gnttab *t, uint32_t gref, uint32_t header,
		    uint32_t detail, uint64_t frame)
{
	uintptr_t entry = entry_of(t, gref);

	__atomic_store_n((word_t *)(entry + 8), frame, __ATOMIC_RELAXED);
	__atomic_store_n((half_t *)(entry + 4), detail, __ATOMIC_RELAXED);
	/* Release: see above. */
	__atomic_store_n((half_t *)entry, header, __ATOMIC_RELEASE);
}

void xg_gntv2_grant(struct xg_gnttab *t, uint32_t gref, uint32_t header,
		    uint64_t gfn)
{
	publish(t, gref, header, 0, gfn);
}

int32_t xg_gntv2_grant_far(struct xg_guest *g, uint16_t domid, uint64_t swapped,
			   bool readonly)
{
	struct xg_gnttab *t = &g->gnttab;
	int32_t gref;

	if (!xg_gntv2(t))
		return -XG_ERANGE;
	gref = xg_gntref_take(g, 1);
	if (gref > 0)
		publish(t, (uint32_t)gref, header_of(domid, readonly), 0,
			swapped >> 32 | swapped << 32);
	return gref;
}

int32_t xg_gnttab_grant_sub_page(struct xg_guest *g, uint16_t domid,
				 uint64_t gfn, uint16_t page_off,
				 uint16_t length, bool readonly)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t header = header_of(domid, readonly) | GTF_sub_page;
	int32_t gref;

	if (!xg_gntv2(t))
		return -XG_EOPNOTSUPP;
	if (domid >= DOMID_FIRST_RESERVED || !length ||
	    (uint32_t)page_off + length > XG_PAGE_SIZE)
		return -XG_EINVAL;
	gref = xg_gntref_take(g, 1);
	if (gref > 0)
		publish(t, (uint32_t)gref, header,
			page_off | (uint32_t)length << 16, gfn);
	return gref;
}

int xg_gntv2_revoke(struct xg_gnttab *t, uint32_t gref)
{
	flags_t *flags = flags_of(t, gref);
	const grant_status_t *status = status_of(t, gref);
	uint16_t old;

	/* Acquire: pairs with the release when the table grows. */
	if (gref - XG_GRANT_RESERVED >=
	    __atomic_load_n(&t->refs_v2, __ATOMIC_ACQUIRE))
		return -XG_EINVAL;
	old = __atomic_load_n(flags, __ATOMIC_RELAXED);
	if (!(old & GTF_type_mask) ||
	    __atomic_load_n(status, __ATOMIC_RELAXED) ||
	    !__atomic_compare_exchange_n(flags, &old, ENDING, false,
					 __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		return old ? -XG_EBUSY : -XG_EINVAL;
	/* The flags are written before the status is read. */
	xg_fence();
	/* Acquire: what a peer wrote while it had the page is visible after. */
	if (__atomic_load_n(status, __ATOMIC_ACQUIRE)) {
		/* Release: the grant is as it was, and so is the rest. */
		__atomic_store_n(flags, old, __ATOMIC_RELEASE);
		return -XG_EBUSY;
	}
	/* Before the reference is free, which is a release. */
	__atomic_store_n(flags, 0, __ATOMIC_RELAXED);
	return 0;
}

uint32_t xg_gntv2_left(const struct xg_gnttab *t, uint32_t gref)
{
	return (uint32_t)__atomic_load_n(flags_of(t, gref), __ATOMIC_RELAXED) |
	       __atomic_load_n(status_of(t, gref), __ATOMIC_RELAXED);
}

#else

int32_t xg_gnttab_grant_sub_page(struct xg_guest *g, uint16_t domid,
				 uint64_t gfn, uint16_t page_off,
				 uint16_t length, bool readonly)
{
	(void)g, (void)domid, (void)gfn;
	(void)page_off, (void)length, (void)readonly;
	return -XG_EOPNOTSUPP;
}

#endif
