/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pages that Xen keeps for another domain: its grant table, its emulators'. */
#include "hypercall.h"
#include "internal.h"

/* As many as Xen maps in one go, so that it fails in the first go or not at
 * all. */
#define CHUNK 32u

static int acquire(struct xg_guest *g, struct xen_mem_acquire_resource *op,
		   const uint64_t *gfns)
{
	/* The handle's type has no const: Xen only reads the list, but for PV
	 * domains. */
	set_xen_guest_handle(op->frame_list, (xen_pfn_t *)(uintptr_t)gfns);
	return (int)xg_memory_op(g, XENMEM_acquire_resource, op);
}

int xg_memory_resource_size(struct xg_guest *g, uint16_t dom, uint16_t type,
			    uint32_t id, uint32_t *frames)
{
	struct xen_mem_acquire_resource op = {
		.domid = dom,
		.type = type,
		.id = id,
	};
	int rc;

	if (!frames)
		return -XG_EINVAL;
	/* No list and no count: the question for the size. */
	rc = acquire(g, &op, NULL);
	if (rc)
		return rc;
	/* Xen 4.17 puts its error for an unknown type where the count goes. */
	if (op.nr_frames > INT32_MAX)
		return -XG_EINVAL;
	*frames = op.nr_frames;
	return 0;
}

/*
 * If Xen fails at the first frame of a call nothing is left behind. At a later
 * one it leaves those before it mapped and answers -XG_EIO, which says neither
 * how many they are nor why it failed. So they are taken back up to the first
 * that is empty, and each is tried again by itself.
 */
int xg_memory_acquire_resource(struct xg_guest *g, uint16_t dom, uint16_t type,
			       uint32_t id, uint64_t frame, uint32_t count,
			       const uint64_t *gfns, uint32_t *left)
{
	struct xen_mem_acquire_resource op = {
		.domid = dom,
		.type = type,
		.id = id,
	};
	uint32_t done = 0, most = CHUNK;
	int rc = 0;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!count || !gfns || !xg_frames_valid(frame, count))
		return -XG_EINVAL;
	while (done < count) {
		uint32_t batch = count - done < most ? count - done : most;
		int removed = 0;

		op.frame = frame + done;
		op.nr_frames = batch;
		rc = acquire(g, &op, gfns + done);
		if (rc == -XG_EIO && batch > 1) {
			for (uint32_t i = 0; i < batch && !removed; i++)
				removed = xg_memory_remove_from_physmap(
					g, DOMID_SELF, gfns[done + i]);
			most = 1;
			/* Mapped twice, Xen would never let a frame go. */
			if (!removed || removed == -XG_ENOENT)
				continue;
		} else if (rc) {
			break;
		}
		done += batch;
		if (removed)
			break;
	}
	if (rc)
		*left = xg_take_back(g, gfns, 0, done, NULL);
	return *left ? -XG_EIO : rc;
}
