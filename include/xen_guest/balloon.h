/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * A balloon: RAM of the guest that Xen has for a while, so that its frames are
 * empty. What to make a region of where Xen names no extended regions.
 *
 *	xg_guest_init(&guest, &config);          without regions
 *	xg_balloon_inflate(&guest, &balloon, &ram);
 *	xg_region_init(&region, &ram, metadata, sizeof(metadata));
 *	xg_guest_set_regions(&guest, &region, 1);
 *
 * and in the end
 *
 *	xg_guest_set_regions(&guest, NULL, 0);   while pages are taken: busy
 *	xg_balloon_deflate(&guest, &balloon);
 *
 * A domU may have as much RAM again as it gave; nobody takes it meanwhile. A
 * direct-mapped domain (Arm's dom0) gets the same RAM back.
 *
 * One call at a time for a balloon; context as that of the `map` and `unmap`
 * hooks.
 */
#ifndef XEN_GUEST_BALLOON_H
#define XEN_GUEST_BALLOON_H

#include <stdint.h>

#include "platform.h"

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;

/* The caller's storage, the library's contents. */
struct xg_balloon {
	struct xg_window ram;
	uint32_t first, end; /* pages [first, end) of it are Xen's */
};

/*
 * Give the guest's RAM at `ram` to Xen: the `unmap` hook for all of it, which
 * must know the range as if `map` had mapped it, then one page after the other.
 * What was in it is lost, also if that fails. Nobody uses it; no peer has a
 * grant of it.
 *
 *   -XG_EINVAL  a window of impossible size or alignment, or a page of it that
 *               is not the guest's own RAM
 *   or what the `unmap` hook or Xen answers. The RAM is back then, and visible
 *   to the CPU.
 *   -XG_EIO     it is not: Xen would not give it back, or the `map` hook
 *               failed. xg_balloon_deflate() tries again.
 */
int xg_balloon_inflate(struct xg_guest *g, struct xg_balloon *balloon,
		       const struct xg_window *ram);

/*
 * Take it back, empty or with whatever Xen leaves in it, and have the CPU see
 * it. Its frames are empty: no region is made of them any more.
 *
 *   -XG_ENOMEM  Xen has none, or -XG_E2BIG, somebody took it; or what the `map`
 *               hook answers. The CPU can't reach any of it; what came back
 *               stays, and another call goes on with the rest.
 */
int xg_balloon_deflate(struct xg_guest *g, struct xg_balloon *balloon);

#ifdef __cplusplus
}
#endif

#endif
