/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Grant tables of version 2: entries of 16 bytes, and Xen's part of them apart.
 *
 * Xen has them on x86 only, so that only there, and for simulators, is there
 * any code for them: XG_GRANT_V2 can be defined otherwise.
 */
#ifndef XG_GNTV2_H
#define XG_GNTV2_H

#include "internal.h"

#ifndef XG_GRANT_V2
#if defined(__x86_64__) || __STDC_HOSTED__
#define XG_GRANT_V2 1
#else
#define XG_GRANT_V2 0
#endif
#endif

static inline bool xg_gntv2(const struct xg_gnttab *t)
{
	return XG_GRANT_V2 && t->version == 2;
}

static inline uint32_t xg_grants_per_frame(const struct xg_gnttab *t)
{
	return xg_gntv2(t) ? XG_GRANTS_PER_FRAME_V2 : XG_GRANTS_PER_FRAME;
}

/* Pages of status words for so many frames of the table: 0 with version 1. */
static inline uint32_t xg_gntv2_status_pages(const struct xg_gnttab *t,
					     uint32_t frames)
{
	return xg_gntv2(t) ? (frames + XG_GRANT_STATUS_FRAMES - 1) /
				     XG_GRANT_STATUS_FRAMES
			   : 0;
}

#if XG_GRANT_V2

/* Grant a whole page with a reference that is the caller's. */
void xg_gntv2_grant(struct xg_gnttab *t, uint32_t gref, uint32_t header,
		    uint64_t gfn);

/* xg_gnttab_grant() of a frame that version 1 has no room for; the halves of
 * its number are swapped. */
int32_t xg_gntv2_grant_far(struct xg_guest *g, uint16_t domid, uint64_t swapped,
			   bool readonly);

/* As xg_gnttab_end(), but that the reference stays taken. */
int xg_gntv2_revoke(struct xg_gnttab *t, uint32_t gref);

/* Not 0: earlier firmware granted it, or a peer still uses it. */
uint32_t xg_gntv2_left(const struct xg_gnttab *t, uint32_t gref);

#else

/* There is none to be granted far; the others are for compilers that leave in
 * what never runs. */
static inline void xg_gntv2_grant(struct xg_gnttab *t, uint32_t gref,
				  uint32_t header, uint64_t gfn)
{
	(void)t, (void)gref, (void)header, (void)gfn;
}

static inline int32_t xg_gntv2_grant_far(struct xg_guest *g, uint16_t domid,
					 uint64_t swapped, bool readonly)
{
	(void)g, (void)domid, (void)swapped, (void)readonly;
	return -XG_ERANGE;
}

static inline int xg_gntv2_revoke(struct xg_gnttab *t, uint32_t gref)
{
	(void)t, (void)gref;
	return -XG_EINVAL;
}

static inline uint32_t xg_gntv2_left(const struct xg_gnttab *t, uint32_t gref)
{
	(void)t, (void)gref;
	return 0;
}

#endif

#endif
