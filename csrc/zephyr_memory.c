/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Zephyr's physmap calls over the core. */
#include "internal.h" /* first: the core's own headers of Xen */

#include "zephyr/xen/memory.h"

/* Domain numbers are ints in this API and 16 bits in Xen's. */
static bool domid_fits(int domid)
{
	return domid >= 0 && domid <= 0xffff;
}

int xendom_add_to_physmap(int domid, unsigned long idx, unsigned int space,
			  xen_pfn_t gpfn)
{
	struct xg_guest *g = xg_current();

	if (!g || !domid_fits(domid))
		return -XG_EINVAL;
	return xg_memory_add_to_physmap(g, (uint16_t)domid, space, idx, gpfn);
}

int xendom_add_to_physmap_batch(int domid, int foreign_domid,
				unsigned int space, unsigned int size,
				xen_ulong_t *idxs, xen_pfn_t *gpfns, int *errs)
{
	struct xg_guest *g = xg_current();

	if (!g || !domid_fits(domid) || !domid_fits(foreign_domid)) {
		/* Callers look at these without looking at the result. */
		for (unsigned int i = 0; errs && i < size; i++)
			errs[i] = -XG_EINVAL;
		return -XG_EINVAL;
	}
	return xg_memory_add_to_physmap_batch(
		g, (uint16_t)domid, (uint16_t)foreign_domid, space, size,
		(const uint64_t *)idxs, (const uint64_t *)gpfns, errs);
}

int xendom_remove_from_physmap(int domid, xen_pfn_t gpfn)
{
	struct xg_guest *g = xg_current();

	if (!g || !domid_fits(domid))
		return -XG_EINVAL;
	return xg_memory_remove_from_physmap(g, (uint16_t)domid, gpfn);
}

int xendom_populate_physmap(int domid, unsigned int extent_order,
			    unsigned int nr_extents, unsigned int mem_flags,
			    xen_pfn_t *extent_start)
{
	struct xg_guest *g = xg_current();
	uint32_t done = 0;
	int rc;

	if (!g || !domid_fits(domid) || nr_extents > INT32_MAX)
		return -XG_EINVAL;
	rc = xg_memory_populate_physmap(g, (uint16_t)domid, extent_order,
					nr_extents, mem_flags,
					(const uint64_t *)extent_start, &done);
	return done ? (int)done : rc;
}

int xendom_acquire_resource(domid_t domid, uint16_t type, uint32_t id,
			    uint64_t frame, uint32_t *nr_frames,
			    xen_pfn_t *frame_list)
{
	struct xg_guest *g = xg_current();
	uint32_t left;

	if (!g || !nr_frames)
		return -XG_EINVAL;
	if (!*nr_frames)
		return xg_memory_resource_size(g, domid, type, id, nr_frames);
	return xg_memory_acquire_resource(g, domid, type, id, frame, *nr_frames,
					  (const uint64_t *)frame_list, &left);
}
