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

/* The operations about one domain whose result is a number of 64 bits. */
static int64_t ask(struct xg_guest *g, uint16_t dom, uint32_t cmd)
{
	struct xen_memory_domain op = {.domid = dom};

	return xg_memory_op(g, cmd, &op);
}

static XG_SLOW int ask_for(struct xg_guest *g, uint16_t dom, uint64_t *number,
			   uint32_t cmd)
{
	int64_t answer;

	if (!number)
		return -XG_EINVAL;
	answer = ask(g, dom, cmd);
	if (answer < 0)
		return (int)answer;
	*number = (uint64_t)answer;
	return 0;
}

int xg_memory_current_reservation(struct xg_guest *g, uint16_t dom,
				  uint64_t *pages)
{
	return ask_for(g, dom, pages, XENMEM_current_reservation);
}

int xg_memory_maximum_reservation(struct xg_guest *g, uint16_t dom,
				  uint64_t *pages)
{
	return ask_for(g, dom, pages, XENMEM_maximum_reservation);
}

int xg_memory_maximum_gpfn(struct xg_guest *g, uint16_t dom, uint64_t *gfn)
{
	return ask_for(g, dom, gfn, XENMEM_maximum_gpfn);
}

/* Why Xen did not do an extent, as far as it can be found out. */
static int reason(struct xg_guest *g, uint16_t dom, uint32_t order,
		  uint32_t cmd)
{
	int64_t has, may;

	/* The same permission that the operation itself needs. */
	has = ask(g, dom, XENMEM_current_reservation);
	if (has < 0)
		return (int)has;
	if (cmd == XENMEM_decrease_reservation || order > ORDER_MAX)
		return -XG_EINVAL;
	may = ask(g, dom, XENMEM_maximum_reservation);
	if (may >= 0 && has + ((int64_t)1 << order) > may)
		return -XG_E2BIG;
	return -XG_ENOMEM;
}

/* gfns[] is null for an increase, which needs none. */
static XG_SLOW int adjust(struct xg_guest *g, uint16_t dom, uint32_t order,
			  uint32_t count, uint32_t flags, const uint64_t *gfns,
			  uint32_t *done, uint32_t cmd)
{
	struct xen_memory_reservation op = {
		.extent_order = order,
		.mem_flags = flags,
		.domid = dom,
	};

	if (!done)
		return -XG_EINVAL;
	*done = 0;
	if (count && !gfns && cmd != XENMEM_increase_reservation)
		return -XG_EINVAL;
	while (*done < count) {
		uint32_t batch = count - *done;
		intptr_t rc;

		op.nr_extents = batch < EXTENTS_MAX ? batch : EXTENTS_MAX;
		/* The handle's type has no const: without XENMEMF flags of PV
		 * domains Xen only reads the list. */
		set_xen_guest_handle(op.extent_start,
				     (xen_pfn_t *)(uintptr_t)gfns);
		rc = xg_memory_op(g, cmd, &op);
		if (rc < 0)
			return (int)rc;
		/* After a short count the next round begins with the extent
		 * that failed, and so fails for sure. */
		if (!rc)
			return reason(g, dom, order, cmd);
		*done += (uint32_t)rc;
		if (gfns)
			gfns += rc;
	}
	return 0;
}

int xg_memory_populate_physmap(struct xg_guest *g, uint16_t dom, uint32_t order,
			       uint32_t count, uint32_t flags,
			       const uint64_t *gfns, uint32_t *done)
{
	return adjust(g, dom, order, count, flags, gfns, done,
		      XENMEM_populate_physmap);
}

int xg_memory_decrease_reservation(struct xg_guest *g, uint16_t dom,
				   uint32_t order, uint32_t count,
				   uint32_t flags, const uint64_t *gfns,
				   uint32_t *done)
{
	return adjust(g, dom, order, count, flags, gfns, done,
		      XENMEM_decrease_reservation);
}

int xg_memory_increase_reservation(struct xg_guest *g, uint16_t dom,
				   uint32_t order, uint32_t count,
				   uint32_t flags, uint32_t *done)
{
	return adjust(g, dom, order, count, flags, NULL, done,
		      XENMEM_increase_reservation);
}

/* Frames from `gfn` on, so many at once as are listed here. */
static XG_SLOW int adjust_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
				uint32_t count, uint32_t *done, uint32_t cmd)
{
	uint64_t frames[XG_FRAMES];
	uint32_t before = 0;
	int rc;

	if (!done)
		return -XG_EINVAL;
	*done = 0;
	if (!xg_frames_valid(gfn, count))
		return -XG_EINVAL;
	do {
		uint32_t n = count - before;

		for (uint32_t i = 0; i < XG_FRAMES; i++)
			frames[i] = gfn++;
		rc = adjust(g, dom, 0, n < XG_FRAMES ? n : XG_FRAMES, 0, frames,
			    done, cmd);
		*done = before += *done;
	} while (!rc && before < count);
	return rc;
}

int xg_memory_populate_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			     uint32_t count, uint32_t *done)
{
	return adjust_range(g, dom, gfn, count, done, XENMEM_populate_physmap);
}

int xg_memory_decrease_range(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			     uint32_t count, uint32_t *done)
{
	return adjust_range(g, dom, gfn, count, done,
			    XENMEM_decrease_reservation);
}
