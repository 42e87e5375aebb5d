/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Memory: how much of it a domain has, and the physmap, which says what
 * appears where in a guest's physical addresses.
 *
 * `dom` is DOMID_SELF (0x7ff0) but for a control domain. Frames and pages are
 * of XG_PAGE_SIZE bytes. All calls can be made in any context and on several
 * CPUs at once, for different frames; they take no lock, allocate nothing and
 * use little stack (1.5 KiB at most) whatever their arguments are.
 *
 * Null pointers where something is to be read or written are refused with
 * -XG_EINVAL. Every call can also return what else Xen answers.
 */
#ifndef XEN_GUEST_MEMORY_H
#define XEN_GUEST_MEMORY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;

/*
 * Make page `idx` of the mapping space `space` (XENMAPSPACE_*, xen/memory.h)
 * appear at frame `gfn` of `dom`. A frame that holds something else loses it.
 *
 *   -XG_EINVAL  an index beyond the space, or an invalid frame
 *   -XG_EBUSY   the page is already at another frame (Arm)
 *   -XG_ENOSYS  not a space for single pages on this architecture
 *   -XG_EACCES  device memory, and not the hardware domain for itself
 *   -XG_ESRCH, -XG_EPERM  no such domain, or not the caller's
 */
int xg_memory_add_to_physmap(struct xg_guest *g, uint16_t dom, uint32_t space,
			     uint64_t idx, uint64_t gfn);

/*
 * The same for `count` pages, and the form for foreign frames: with
 * XENMAPSPACE_gmfn_foreign, idxs[] are frames of domain `foreign`, which is 0
 * for the other spaces. The hypercall takes at most 65535 pages: larger
 * counts are split.
 *
 * errs[i] is written for every entry: 0, a negative error, or -XG_EAGAIN
 * where an earlier failure of the whole call kept Xen from coming that far.
 * Returns 0 only if every entry is in place; otherwise the first error.
 * Entries with errs[i] == 0 stay mapped.
 */
int xg_memory_add_to_physmap_batch(struct xg_guest *g, uint16_t dom,
				   uint16_t foreign, uint32_t space,
				   uint32_t count, const uint64_t *idxs,
				   const uint64_t *gfns, int *errs);

/*
 * Make frame `gfn` of `dom` empty. RAM that was there stays charged to the
 * domain but unreachable: xg_memory_decrease_reservation() gives RAM back.
 *
 *   -XG_ENOENT  nothing is there, or a grant mapping
 *   -XG_ESRCH, -XG_EPERM  no such domain, or not the caller's
 */
int xg_memory_remove_from_physmap(struct xg_guest *g, uint16_t dom,
				  uint64_t gfn);

/*
 * The same for `count` frames from `gfn` on, one after the other up to the
 * first that fails. *done says how many are empty now: all if 0 is returned;
 * otherwise frame `gfn + *done` is the one that failed, and it and those
 * behind it are as before.
 *
 *   -XG_EINVAL  the range wraps
 *   and what xg_memory_remove_from_physmap() returns.
 */
int xg_memory_remove_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			   uint32_t count, uint32_t *done);

/*
 * Take memory from Xen for `dom` and put it at empty frames: `count` extents
 * of 2 to the power of `order` pages, each from gfns[i] on. What is in them is
 * Xen's business, zero as a rule. `flags` is XENMEMF_* of xen/memory.h, 0 on
 * Arm. A frame that holds something loses it, so name empty ones.
 *
 * *done says how many extents are there: all `count` if 0 is returned, fewer
 * otherwise. The extents behind those are as before.
 *
 * Xen itself gives no reason. This one is found by asking further:
 *   -XG_ESRCH, -XG_EPERM  no such domain, or not the caller's
 *   -XG_E2BIG  the domain has all it may have
 *   -XG_EINVAL  an extent of more pages than any domain may ask for
 *   -XG_ENOMEM  anything else: Xen is out of memory or of extents of that
 *               size, or the caller may not ask for that size; the extent is
 *               outside of what the physmap can hold (Xen charges the domain
 *               for it all the same, out of reach); for a direct-mapped
 *               domain, it is not where the domain's RAM was from the start
 */
int xg_memory_populate_physmap(struct xg_guest *g, uint16_t dom, uint32_t order,
			       uint32_t count, uint32_t flags,
			       const uint64_t *gfns, uint32_t *done);

/*
 * Give RAM back to Xen: `count` extents of 2 to the power of `order` pages
 * from gfns[i] on, whose frames are empty afterwards. Nobody may use them,
 * and none may be granted. What a peer has mapped nevertheless is charged
 * until the peer lets go. A direct-mapped domain's RAM stays reserved for it,
 * and charged.
 *
 * *done says how many extents are gone: all `count` if 0 is returned, fewer
 * otherwise. The extents behind those are as before, but for one of several
 * pages that failed: it may have lost pages up to the one that is not RAM.
 *
 *   -XG_ESRCH, -XG_EPERM  no such domain, or not the caller's
 *   -XG_EINVAL  a page that is not the domain's own RAM: an empty frame, a
 *               foreign page or a grant; or an extent of more pages than the
 *               caller may name
 */
int xg_memory_decrease_reservation(struct xg_guest *g, uint16_t dom,
				   uint32_t order, uint32_t count,
				   uint32_t flags, const uint64_t *gfns,
				   uint32_t *done);

/*
 * Take memory from Xen for `dom` without a place in the physmap. Only domains
 * with paging of their own (x86 PV) can do anything with it: for all others
 * it is charged and out of reach. Counts and errors as for
 * xg_memory_populate_physmap().
 */
int xg_memory_increase_reservation(struct xg_guest *g, uint16_t dom,
				   uint32_t order, uint32_t count,
				   uint32_t flags, uint32_t *done);

/*
 * xg_memory_populate_physmap() and xg_memory_decrease_reservation() for
 * `count` consecutive frames from `gfn` on, page by page; *done counts pages.
 * -XG_EINVAL also if the range wraps.
 */
int xg_memory_populate_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			     uint32_t count, uint32_t *done);
int xg_memory_decrease_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			     uint32_t count, uint32_t *done);

/*
 * How many pages `dom` has, how many it may have at most, and the highest
 * frame that ever held something. Written on success only.
 *
 *   -XG_ESRCH, -XG_EPERM  no such domain, or not the caller's
 */
int xg_memory_current_reservation(struct xg_guest *g, uint16_t dom,
				  uint64_t *pages);
int xg_memory_maximum_reservation(struct xg_guest *g, uint16_t dom,
				  uint64_t *pages);
int xg_memory_maximum_gpfn(struct xg_guest *g, uint16_t dom, uint64_t *gfn);

/*
 * How many frames the resource `type` (XENMEM_resource_*, xen/memory.h), `id`
 * of another domain has. Written on success only.
 *
 *   -XG_EINVAL  an unknown type, or no such resource
 *   -XG_EPERM   the caller's own domain, or not a control domain nor the
 *               domain's device model
 *   -XG_ESRCH   no such domain, DOMID_SELF included
 */
int xg_memory_resource_size(struct xg_guest *g, uint16_t dom, uint16_t type,
			    uint32_t id, uint32_t *frames);

/*
 * Make `count` frames of such a resource, from `frame` on, appear at the
 * caller's empty frames gfns[], all different. All or nothing. What Xen makes
 * in doing so, such as new frames of a grant table, stays.
 *
 * If Xen would not take a frame back -XG_EIO is returned, and *left is not 0:
 * gfns[i] is empty as before for all i from *left on; those before must not be
 * used for anything else.
 *
 *   -XG_EINVAL  beyond the resource's end, no frames at all, a frame that the
 *               physmap can't hold, or as for xg_memory_resource_size()
 *   -XG_EOPNOTSUPP  an unknown type, for an older Xen (4.17)
 *   -XG_EPERM, -XG_ESRCH  as for xg_memory_resource_size()
 */
int xg_memory_acquire_resource(struct xg_guest *g, uint16_t dom, uint16_t type,
			       uint32_t id, uint64_t frame, uint32_t count,
			       const uint64_t *gfns, uint32_t *left);

#ifdef __cplusplus
}
#endif

#endif
