/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The physmap. */
#include "hypercall.h"
#include "internal.h"

/* The hypercall counts in 16 bits. */
#define BATCH_MAX 65535u

_Static_assert(sizeof(xen_ulong_t) == sizeof(uint64_t), "idxs[] is passed on");
_Static_assert(sizeof(xen_pfn_t) == sizeof(uint64_t), "gfns[] is passed on");

XG_SLOW intptr_t xg_memory_op(const struct xg_guest *g, uint32_t cmd, void *arg)
{
	return xg_hypercall_apart(g, __HYPERVISOR_memory_op, cmd,
				  (uintptr_t)arg, 0);
}

int xg_memory_add_to_physmap(struct xg_guest *g, uint16_t dom, uint32_t space,
			     uint64_t idx, uint64_t gfn)
{
	struct xen_add_to_physmap op = {
		.domid = dom,
		.space = space,
		.idx = (xen_ulong_t)idx,
		.gpfn = (xen_pfn_t)gfn,
	};

	return (int)xg_memory_op(g, XENMEM_add_to_physmap, &op);
}

int xg_memory_add_to_physmap_batch(struct xg_guest *g, uint16_t dom,
				   uint16_t foreign, uint32_t space,
				   uint32_t count, const uint64_t *idxs,
				   const uint64_t *gfns, int *errs)
{
	struct xen_add_to_physmap_batch op = {
		.domid = dom,
		.space = (uint16_t)space,
	};
	uint32_t batch;
	int rc = 0;

	if (count && (!idxs || !gfns || !errs))
		return -XG_EINVAL;
	/* Xen leaves entries that it does not come to unwritten. */
	for (uint32_t i = 0; i < count; i++)
		errs[i] = -XG_EAGAIN;
	if (space > UINT16_MAX)
		return -XG_EINVAL;
	op.u.foreign_domid = foreign;
	for (uint32_t at = 0; at < count && !rc; at += batch) {
		batch = count - at < BATCH_MAX ? count - at : BATCH_MAX;
		op.size = (uint16_t)batch;
		/* The handles' types have no const: Xen only reads these two.
		 */
		set_xen_guest_handle(op.idxs,
				     (xen_ulong_t *)(uintptr_t)&idxs[at]);
		set_xen_guest_handle(op.gpfns,
				     (xen_pfn_t *)(uintptr_t)&gfns[at]);
		set_xen_guest_handle(op.errs, &errs[at]);
		rc = (int)xg_memory_op(g, XENMEM_add_to_physmap_batch, &op);
	}
	/* The first failure, but for the marks from above. */
	for (uint32_t i = 0; i < count; i++)
		if (errs[i])
			return rc && errs[i] == -XG_EAGAIN ? rc : errs[i];
	return rc;
}

XG_SLOW int xg_memory_remove_from_physmap(struct xg_guest *g, uint16_t dom,
					  uint64_t gfn)
{
	struct xen_remove_from_physmap op = {
		.domid = dom,
		.gpfn = (xen_pfn_t)gfn,
	};

	return (int)xg_memory_op(g, XENMEM_remove_from_physmap, &op);
}

int xg_memory_remove_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			   uint32_t count, uint32_t *done)
{
	if (!done)
		return -XG_EINVAL;
	*done = 0;
	if (!xg_frames_valid(gfn, count))
		return -XG_EINVAL;
	for (; *done < count; (*done)++) {
		int rc = xg_memory_remove_from_physmap(g, dom, gfn + *done);

		if (rc)
			return rc;
	}
	return 0;
}
