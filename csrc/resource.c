/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What other domains have, in this one's physmap: frames of theirs, and those
 * that Xen keeps for them, such as a grant table's. All or none.
 */
#include "hypercall.h"
#include "internal.h"

/* `count` frames; with none and no list, the question how many there are. */
static int acquire(struct xg_guest *g, uint16_t dom, uint16_t type, uint32_t id,
		   uint64_t frame, const uint64_t *gfns, uint32_t *count)
{
	struct xen_mem_acquire_resource op = {
		.domid = dom,
		.type = type,
		.id = id,
		.nr_frames = *count,
		.frame = frame,
	};
	int rc;

	/* The handle's type has no const: Xen only reads the list, but for PV
	 * domains. */
	set_xen_guest_handle(op.frame_list, (xen_pfn_t *)(uintptr_t)gfns);
	rc = (int)xg_memory_op(g, XENMEM_acquire_resource, &op);
	*count = op.nr_frames;
	return rc;
}

int xg_memory_resource_size(struct xg_guest *g, uint16_t dom, uint16_t type,
			    uint32_t id, uint32_t *frames)
{
	uint32_t count = 0;
	int rc;

	if (!frames)
		return -XG_EINVAL;
	rc = acquire(g, dom, type, id, 0, NULL, &count);
	if (rc)
		return rc;
	/* Xen 4.17 puts its error for an unknown type where the count goes. */
	if (count > INT32_MAX)
		return -XG_EINVAL;
	*frames = count;
	return 0;
}

static uint64_t place(const uint64_t *gfns, uint32_t what, uint32_t i)
{
	return what & XG_LIST ? gfns[i] : *gfns + i;
}

int xg_take_back(struct xg_guest *g, const uint64_t *gfns, uint32_t what,
		 uint32_t count, uint32_t sure, const int *errs, int rc,
		 uint32_t *left)
{
	for (uint32_t i = count; i-- > 0;) {
		int refused;

		if (i >= sure && errs[i - sure])
			continue;
		refused = xg_memory_remove_from_physmap(g, DOMID_SELF,
							place(gfns, what, i));
		if (refused && refused != -XG_ENOENT && !*left)
			*left = i + 1;
	}
	return *left ? -XG_EIO : rc;
}

int xg_fill_frames(struct xg_guest *g, uint16_t dom, uint32_t what, uint32_t id,
		   uint64_t first, const uint64_t *gfns, uint32_t count,
		   uint32_t *left)
{
	/* Those of a resource are done one by one, as all lists: if Xen fails
	 * at a later frame of several it leaves those before mapped, and says
	 * neither how many they are nor why it failed. */
	uint32_t most = what & XG_FOREIGN ? XG_FRAMES : 1;
	uint64_t from[XG_FRAMES], to[XG_FRAMES];
	int errs[XG_FRAMES];
	uint32_t done = 0;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!gfns || !xg_frames_valid(first, count) ||
	    !(what & XG_LIST ? count != 0 : xg_frames_valid(*gfns, count)))
		return -XG_EINVAL;
	while (done < count) {
		uint32_t n = count - done < most ? count - done : most;
		uint64_t gfn = place(gfns, what, done);
		uint32_t one = 1;
		int rc;

		for (uint32_t i = 0; i < n; i++) {
			from[i] = first + done + i;
			to[i] = gfn + i;
		}
		if (what & XG_FOREIGN)
			rc = xg_memory_add_to_physmap_batch(
				g, DOMID_SELF, dom, XENMAPSPACE_gmfn_foreign, n,
				from, to, errs);
		else
			rc = errs[0] = acquire(g, dom, (uint16_t)what, id,
					       from[0], to, &one);
		if (rc)
			return xg_take_back(g, gfns, what, done + n, done, errs,
					    rc, left);
		done += n;
	}
	return 0;
}

int xg_memory_acquire_resource(struct xg_guest *g, uint16_t dom, uint16_t type,
			       uint32_t id, uint64_t frame, uint32_t count,
			       const uint64_t *gfns, uint32_t *left)
{
	return xg_fill_frames(g, dom, type | XG_LIST, id, frame, gfns, count,
			      left);
}
