/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Frames of other domains and of their resources, in a window of this guest:
 * for control domains and device models.
 *
 * All or nothing: a call that fails takes back what it did, frame by frame.
 * Where Xen refuses even that, -XG_EIO is returned, and *left says what is
 * left: the frames with an index from *left on are empty as before; those
 * before it must not be used for anything else. *left is 0 after any other
 * result but that of xg_foreign_unmap().
 *
 * Nothing is allocated, no lock is taken, and at most 1.5 KiB of stack used.
 * Any context in which the platform's `map` and `unmap` may be called, and on
 * several CPUs at once for different windows. Null pointers, windows of no
 * pages, misaligned or wrapping ones are refused with -XG_EINVAL.
 */
#ifndef XEN_GUEST_FOREIGN_H
#define XEN_GUEST_FOREIGN_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;
struct xg_window;

/*
 * Make `count` consecutive frames of domain `foreign`, from `first` on,
 * appear at empty frames of the caller from `gfn` on: the physmap's part of
 * xg_foreign_map().
 *
 *   -XG_EINVAL  one of the frames holds no RAM of the domain, or can't be
 *               mapped; either range wraps
 *   -XG_EPERM   a domain that the caller may not look into, or its own by
 *               number; that is -XG_ESRCH for an older Xen (4.17)
 *   -XG_ESRCH   no such domain, or DOMID_SELF, which is -XG_EINVAL for an
 *               older Xen
 *   -XG_ENOMEM  Xen is out of memory for the caller's physmap
 */
int xg_foreign_add_range(struct xg_guest *g, uint16_t foreign, uint64_t first,
			 uint32_t count, uint64_t gfn, uint32_t *left);

/*
 * Map as many consecutive frames of domain `foreign`, from `first` on, as the
 * window has, and make them accessible at its address with protection `prot`
 * (XG_PROT_*). The pages stay with the domain, which goes on using them, and
 * outlive it as long as they are mapped.
 *
 *   -XG_EINVAL  also for protections that there are not
 *   -XG_EFAULT  only some of the pages are of a region and taken
 *   -XG_EBUSY   a region's page that is mapped already
 *   and what xg_foreign_add_range() and the `map` hook return.
 */
int xg_foreign_map(struct xg_guest *g, uint16_t foreign, uint64_t first,
		   const struct xg_window *at, uint32_t prot, uint32_t *left);

/*
 * The same with frames of a resource: see xg_memory_acquire_resource() for
 * the arguments and errors.
 */
int xg_resource_map(struct xg_guest *g, uint16_t dom, uint16_t type,
		    uint32_t id, uint64_t frame, const struct xg_window *at,
		    uint32_t prot, uint32_t *left);

/*
 * Undo either of them; the window is as it was given. Nobody may use it any
 * more.
 *
 * Returns 0 with *left 0; what the `unmap` hook returns, with everything
 * mapped as before and *left the window's size; or -XG_EIO if the CPU can't
 * reach the pages any more, but Xen did not take them all back.
 */
int xg_foreign_unmap(struct xg_guest *g, const struct xg_window *at,
		     uint32_t *left);

/*
 * All in one: take `n` pages of the guest's regions and map into them, as
 * xg_foreign_map() or xg_resource_map() does; *at says where, on success. And
 * undo that, and give the pages back.
 *
 * After a failure all is as before, but for -XG_EIO of frames that Xen would
 * not take back: then the pages stay taken, so that nobody gets them.
 *
 *   -XG_ENOSPC  no region has so many pages together
 *   and what the calls return that they stand for.
 */
int xg_foreign_get(struct xg_guest *g, uint16_t foreign, uint64_t first,
		   uint32_t n, uint32_t prot, struct xg_window *at);
int xg_resource_get(struct xg_guest *g, uint16_t dom, uint16_t type,
		    uint32_t id, uint64_t frame, uint32_t n, uint32_t prot,
		    struct xg_window *at);
int xg_foreign_put(struct xg_guest *g, const struct xg_window *at);

#ifdef __cplusplus
}
#endif

#endif
