/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The physmap: which frames appear where in a guest's physical addresses.
 *
 * `dom` is DOMID_SELF (0x7ff0) but for a control domain.
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
 * domain but unreachable: to give RAM back to Xen is another operation.
 *
 *   -XG_ENOENT  nothing is there, or a grant mapping
 *   -XG_ESRCH, -XG_EPERM  no such domain, or not the caller's
 */
int xg_memory_remove_from_physmap(struct xg_guest *g, uint16_t dom,
				  uint64_t gfn);

#ifdef __cplusplus
}
#endif

#endif
