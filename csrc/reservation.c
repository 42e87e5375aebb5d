/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * How much memory a domain has: taking it from Xen and giving it back.
 *
 * Xen answers these three operations with how many extents it did, whatever
 * kept it from doing more, an unknown domain or a bad pointer included.
 */
#include "hypercall.h"
#include "internal.h"

/* Xen keeps its position in 26 bits and does nothing for larger counts. */
#define EXTENTS_MAX (UINT32_MAX >> 6)

/* Xen's own limit for anybody; most domains' is lower. */
#define ORDER_MAX 18u

#define RANGE_CHUNK 32u

/* The operations about one domain whose result is a number of 64 bits. */
static int64_t ask(struct xg_guest *g, uint32_t cmd, uint16_t dom)
{
	struct xen_memory_domain op = {.domid = dom};

	return xg_hypercall(g, __HYPERVISOR_memory_op, cmd, (uintptr_t)&op, 0,
			    0, 0);
}

static int ask_for(struct xg_guest *g, uint32_t cmd, uint16_t dom,
		   uint64_t *number)
{
	int64_t answer;

	if (!number)
		return -XG_EINVAL;
	answer = ask(g, cmd, dom);
	if (answer < 0)
		return (int)answer;
	*number = (uint64_t)answer;
	return 0;
}

int xg_memory_current_reservation(struct xg_guest *g, uint16_t dom,
				  uint64_t *pages)
{
	return ask_for(g, XENMEM_current_reservation, dom, pages);
}

int xg_memory_maximum_reservation(struct xg_guest *g, uint16_t dom,
				  uint64_t *pages)
{
	return ask_for(g, XENMEM_maximum_reservation, dom, pages);
}

int xg_memory_maximum_gpfn(struct xg_guest *g, uint16_t dom, uint64_t *gfn)
{
	return ask_for(g, XENMEM_maximum_gpfn, dom, gfn);
}

/* Why Xen did not do an extent, as far as it can be found out. */
static int reason(struct xg_guest *g, uint32_t cmd, uint16_t dom,
		  uint32_t order)
{
	int64_t has, may;

	/* The same permission that the operation itself needs. */
	has = ask(g, XENMEM_current_reservation, dom);
	if (has < 0)
		return (int)has;
	if (cmd == XENMEM_decrease_reservation || order > ORDER_MAX)
		return -XG_EINVAL;
	may = ask(g, XENMEM_maximum_reservation, dom);
	if (may >= 0 && has + ((int64_t)1 << order) > may)
		return -XG_E2BIG;
	return -XG_ENOMEM;
}

static intptr_t reserve(struct xg_guest *g, uint32_t cmd, uint16_t dom,
			uint32_t order, uint32_t count, uint32_t flags,
			const uint64_t *gfns)
{
	struct xen_memory_reservation op = {
		.nr_extents = count,
		.extent_order = order,
		.mem_flags = flags,
		.domid = dom,
	};

	/* The handle's type has no const: without XENMEMF flags of PV domains
	 * Xen only reads the list. */
	set_xen_guest_handle(op.extent_start, (xen_pfn_t *)(uintptr_t)gfns);
	return xg_hypercall(g, __HYPERVISOR_memory_op, cmd, (uintptr_t)&op, 0,
			    0, 0);
}

/* gfns[] is null for an increase. */
static int adjust(struct xg_guest *g, uint32_t cmd, uint16_t dom,
		  uint32_t order, uint32_t count, uint32_t flags,
		  const uint64_t *gfns, uint32_t *done)
{
	*done = 0;
	while (*done < count) {
		uint32_t batch = count - *done;
		intptr_t rc;

		if (batch > EXTENTS_MAX)
			batch = EXTENTS_MAX;
		rc = reserve(g, cmd, dom, order, batch, flags,
			     gfns ? gfns + *done : NULL);
		if (rc < 0)
			return (int)rc;
		/* After a short count the next round begins with the extent
		 * that failed, and so fails for sure. */
		if (!rc)
			return reason(g, cmd, dom, order);
		*done += (uint32_t)rc;
	}
	return 0;
}

int xg_memory_populate_physmap(struct xg_guest *g, uint16_t dom, uint32_t order,
			       uint32_t count, uint32_t flags,
			       const uint64_t *gfns, uint32_t *done)
{
	if (!done || (count && !gfns))
		return -XG_EINVAL;
	return adjust(g, XENMEM_populate_physmap, dom, order, count, flags,
		      gfns, done);
}

int xg_memory_decrease_reservation(struct xg_guest *g, uint16_t dom,
				   uint32_t order, uint32_t count,
				   uint32_t flags, const uint64_t *gfns,
				   uint32_t *done)
{
	if (!done || (count && !gfns))
		return -XG_EINVAL;
	return adjust(g, XENMEM_decrease_reservation, dom, order, count, flags,
		      gfns, done);
}

int xg_memory_increase_reservation(struct xg_guest *g, uint16_t dom,
				   uint32_t order, uint32_t count,
				   uint32_t flags, uint32_t *done)
{
	if (!done)
		return -XG_EINVAL;
	return adjust(g, XENMEM_increase_reservation, dom, order, count, flags,
		      NULL, done);
}

static int adjust_range(struct xg_guest *g, uint32_t cmd, uint16_t dom,
			uint64_t gfn, uint32_t count, uint32_t *done)
{
	uint64_t gfns[RANGE_CHUNK];
	int rc = 0;

	if (!done)
		return -XG_EINVAL;
	*done = 0;
	if (!xg_frames_valid(gfn, count))
		return -XG_EINVAL;
	while (*done < count && !rc) {
		uint32_t batch = count - *done;
		uint32_t some;

		if (batch > RANGE_CHUNK)
			batch = RANGE_CHUNK;
		for (uint32_t i = 0; i < batch; i++)
			gfns[i] = gfn + *done + i;
		rc = adjust(g, cmd, dom, 0, batch, 0, gfns, &some);
		*done += some;
	}
	return rc;
}

int xg_memory_populate_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			     uint32_t count, uint32_t *done)
{
	return adjust_range(g, XENMEM_populate_physmap, dom, gfn, count, done);
}

int xg_memory_decrease_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			     uint32_t count, uint32_t *done)
{
	return adjust_range(g, XENMEM_decrease_reservation, dom, gfn, count,
			    done);
}
