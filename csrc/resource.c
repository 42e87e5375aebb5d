/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pages that Xen keeps for another domain: its grant table, its emulators'. */
#include "hypercall.h"
#include "internal.h"

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
 * One by one: if Xen fails at a later frame of several it leaves those before
 * mapped, and says neither how many they are nor why it failed.
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
	uint32_t done = 0;
	int rc = 0;

	if (!left)
		return -XG_EINVAL;
	*left = 0;
	if (!count || !gfns || !xg_frames_valid(frame, count))
		return -XG_EINVAL;
	for (; done < count; done++) {
		op.nr_frames = 1;
		op.frame = frame + done;
		rc = acquire(g, &op, gfns + done);
		if (rc)
			break;
	}
	if (rc)
		*left = xg_take_back(g, gfns, 0, done, NULL);
	return *left ? -XG_EIO : rc;
}
