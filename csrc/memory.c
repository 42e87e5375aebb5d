/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The physmap. */
#include "hypercall.h"
#include "internal.h"

/* The hypercall counts in 16 bits. */
#define BATCH_MAX 65535u

_Static_assert(sizeof(xen_ulong_t) == sizeof(uint64_t), "idxs[] is passed on");
_Static_assert(sizeof(xen_pfn_t) == sizeof(uint64_t), "gfns[] is passed on");

intptr_t xg_memory_op(const struct xg_guest *g, uint32_t cmd, void *arg)
{
	return xg_hypercall(g, __HYPERVISOR_memory_op, cmd, (uintptr_t)arg, 0,
			    0, 0);
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
	int first = 0;
	int rc = 0;

	if (count && (!idxs || !gfns || !errs))
		return -XG_EINVAL;
	/* Xen leaves entries that it does not come to unwritten. */
	for (uint32_t i = 0; i < count; i++)
		errs[i] = -XG_EAGAIN;
	if (space > UINT16_MAX)
		return -XG_EINVAL;
	while (count && !rc) {
		uint32_t batch = count < BATCH_MAX ? count : BATCH_MAX;
		struct xen_add_to_physmap_batch op = {
			.domid = dom,
			.space = (uint16_t)space,
			.size = (uint16_t)batch,
		};

		op.u.foreign_domid = foreign;
		/* The handles' types have no const: Xen only reads these two.
		 */
		set_xen_guest_handle(op.idxs, (xen_ulong_t *)(uintptr_t)idxs);
		set_xen_guest_handle(op.gpfns, (xen_pfn_t *)(uintptr_t)gfns);
		set_xen_guest_handle(op.errs, errs);
		rc = (int)xg_memory_op(g, XENMEM_add_to_physmap_batch, &op);
		/* Up to where Xen came: behind it are the marks from above. */
		for (uint32_t i = 0; i < batch && !first; i++)
			first = errs[i];
		idxs += batch;
		gfns += batch;
		errs += batch;
		count -= batch;
	}
	return rc && (!first || first == -XG_EAGAIN) ? rc : first;
}

__attribute__((noinline)) int
xg_memory_remove_from_physmap(struct xg_guest *g, uint16_t dom, uint64_t gfn)
{
	struct xen_remove_from_physmap op = {
		.domid = dom,
		.gpfn = (xen_pfn_t)gfn,
	};

	return (int)xg_memory_op(g, XENMEM_remove_from_physmap, &op);
}

bool xg_frames_valid(uint64_t gfn, uint32_t count)
{
	return !count || gfn <= UINT64_MAX - (count - 1);
}

uint32_t xg_take_back(struct xg_guest *g, const uint64_t *gfns, uint64_t gfn,
		      uint32_t count, const int *errs)
{
	uint32_t left = 0;

	for (uint32_t i = count; i-- > 0;) {
		int rc = 0;

		if (!errs || !errs[i])
			rc = xg_memory_remove_from_physmap(
				g, DOMID_SELF, gfns ? gfns[i] : gfn + i);
		if (rc && rc != -XG_ENOENT && !left)
			left = i + 1;
	}
	return left;
}

uint32_t xg_frames_from(uint64_t *frames, uint64_t first, uint32_t count)
{
	if (count > XG_FRAMES)
		count = XG_FRAMES;
	for (uint32_t i = 0; i < count; i++)
		frames[i] = first + i;
	return count;
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
