/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Mapping what peers granted.
 *
 * In an op, host_addr is the virtual address for the caller and the
 * guest-physical one for Xen. It is translated in place around the hypercall,
 * for as many ops at a time as have the same distance between the two: that
 * distance is all it takes to translate back, so nothing is allocated. With
 * identity mappings, or pages of one window, that is the whole batch.
 */
#include "hypercall.h"
#include "internal.h"

#define ROLLBACK_BATCH 8

static int to_physical(struct xg_guest *g, uint64_t va, uint64_t *physical)
{
	uint64_t gfn;
	int rc;

	if (!va || va > UINTPTR_MAX || xg_page_offset((uintptr_t)va))
		return -XG_EFAULT;
	rc = g->platform->virt_to_gfn(g->context, (void *)(uintptr_t)va, &gfn);
	if (rc)
		return rc;
	*physical = gfn << XG_PAGE_SHIFT;
	return 0;
}

/*
 * Translate the first of `count` addresses, `stride` bytes apart, and those
 * after it that are as far from their physical address. Returns how many, or
 * the error for the first.
 */
static int translate(struct xg_guest *g, uint64_t *host_addr, size_t stride,
		     uint32_t count, uint64_t *distance)
{
	uint32_t n = 0;

	while (n < count && n < INT32_MAX) {
		uint64_t physical = 0;
		int rc = to_physical(g, *host_addr, &physical);

		if (rc)
			return n ? (int)n : rc;
		if (!n)
			*distance = *host_addr - physical;
		else if (*host_addr - physical != *distance)
			break;
		*host_addr = physical;
		host_addr = (uint64_t *)((uintptr_t)host_addr + stride);
		n++;
	}
	return (int)n;
}

/* One hypercall's worth; returns how many ops were given to Xen. */
static int map_some(struct xg_guest *g, struct gnttab_map_grant_ref *ops,
		    uint32_t count)
{
	uint64_t distance = 0;
	int n = translate(g, &ops->host_addr, sizeof(*ops), count, &distance);
	int rc;

	if (n < 0)
		return n;
	rc = xg_grant_op(g, GNTTABOP_map_grant_ref, ops, (uint32_t)n);
	for (int i = 0; i < n; i++) {
		if (!rc)
			rc = xg_grant_retry(g, GNTTABOP_map_grant_ref, &ops[i],
					    &ops[i].status);
		ops[i].host_addr += distance;
	}
	return rc ? rc : n;
}

/* The hypercall part of unmapping; each op's status is its own. */
static int unmap_from_xen(struct xg_guest *g,
			  struct gnttab_unmap_grant_ref *ops, uint32_t count)
{
	uint32_t done = 0;
	int rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		/* Only device mappings have a bus address. */
		ops[i].dev_bus_addr = 0;
		ops[i].status = GNTST_general_error;
	}
	while (done < count && !rc) {
		uint64_t distance = 0;
		int n = translate(g, &ops[done].host_addr, sizeof(*ops),
				  count - done, &distance);

		if (n < 0)
			return n;
		rc = xg_grant_op(g, GNTTABOP_unmap_grant_ref, &ops[done],
				 (uint32_t)n);
		for (int i = 0; i < n; i++)
			ops[done++].host_addr += distance;
	}
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = xg_gnttab_errno(ops[i].status);
	return rc;
}

static int undo_batch(struct xg_guest *g, struct gnttab_map_grant_ref **mapped,
		      uint32_t count)
{
	struct gnttab_unmap_grant_ref undo[ROLLBACK_BATCH];
	int rc;

	for (uint32_t i = 0; i < count; i++) {
		undo[i].host_addr = mapped[i]->host_addr;
		undo[i].handle = mapped[i]->handle;
	}
	rc = unmap_from_xen(g, undo, count);
	for (uint32_t i = 0; i < count; i++)
		if (undo[i].status == GNTST_okay)
			mapped[i]->handle = XG_NO_HANDLE;
	return rc;
}

static int unmap_page(struct xg_guest *g, uint64_t va)
{
	return xg_unmap_pages(g, (void *)(uintptr_t)va, 1);
}

/* Undo every op that succeeded, the first `visible` of which are in the CPU's
 * page tables: 0, or -XG_EIO if Xen or the platform refused one. */
static int roll_back(struct xg_guest *g, struct gnttab_map_grant_ref *ops,
		     uint32_t count, uint32_t visible)
{
	struct gnttab_map_grant_ref *mapped[ROLLBACK_BATCH];
	uint32_t n = 0;
	int rc = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (ops[i].status != GNTST_okay)
			ops[i].handle = XG_NO_HANDLE;
		else if (i < visible && unmap_page(g, ops[i].host_addr))
			/* What the CPU still reaches stays mapped in Xen. */
			rc = -XG_EIO;
		else
			mapped[n++] = &ops[i];
		if (n < ROLLBACK_BATCH && i + 1 < count)
			continue;
		if (n && undo_batch(g, mapped, n))
			rc = -XG_EIO;
		n = 0;
	}
	return rc;
}

static uint32_t prot_of(const struct gnttab_map_grant_ref *op)
{
	return op->flags & GNTMAP_readonly ? XG_PROT_READ
					   : XG_PROT_READ | XG_PROT_WRITE;
}

/* How many ops from the first on are consecutive pages, in both address
 * spaces and one region, of equal protection. Writes the first frame. */
static uint32_t map_run(struct xg_guest *g,
			const struct gnttab_map_grant_ref *ops, uint32_t count,
			uint64_t *gfn)
{
	uint64_t first = 0;
	uint32_t n = 1;

	to_physical(g, ops[0].host_addr, &first);
	*gfn = first >> XG_PAGE_SHIFT;
	for (; n < count; n++) {
		uint64_t offset = (uint64_t)n << XG_PAGE_SHIFT;
		uint64_t physical = 0;

		if (ops[n].host_addr != ops[0].host_addr + offset ||
		    prot_of(&ops[n]) != prot_of(&ops[0]) ||
		    !xg_same_region(g, ops[n].host_addr, ops[0].host_addr) ||
		    to_physical(g, ops[n].host_addr, &physical) ||
		    physical != first + offset)
			break;
	}
	return n;
}

/* Into the CPU's page tables. *done counts the ops whose pages are there,
 * which are all unless it fails. */
static int map_pages(struct xg_guest *g, const struct gnttab_map_grant_ref *ops,
		     uint32_t count, uint32_t *done)
{
	while (*done < count) {
		const struct gnttab_map_grant_ref *op = &ops[*done];
		uint64_t gfn;
		uint32_t n = map_run(g, op, count - *done, &gfn);
		int rc = xg_map_pages(g, (void *)(uintptr_t)op->host_addr, gfn,
				      n, prot_of(op));

		if (rc)
			return rc;
		*done += n;
	}
	return 0;
}

int xg_gnttab_map(struct xg_guest *g, struct gnttab_map_grant_ref *ops,
		  uint32_t count)
{
	uint32_t done = 0, visible = 0;
	int rc = 0;

	if (count && !ops)
		return -XG_EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t physical;

		ops[i].status = GNTST_general_error;
		ops[i].handle = XG_NO_HANDLE;
		if (!rc)
			rc = to_physical(g, ops[i].host_addr, &physical);
		if (!rc)
			rc = xg_check_empty(
				g, (void *)(uintptr_t)ops[i].host_addr, 1);
	}
	if (rc)
		return rc;
	while (done < count && rc >= 0) {
		rc = map_some(g, ops + done, count - done);
		if (rc > 0)
			done += (uint32_t)rc;
	}
	if (rc > 0)
		rc = 0;
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = xg_gnttab_errno(ops[i].status);
	if (!rc)
		rc = map_pages(g, ops, count, &visible);
	if (rc && roll_back(g, ops, count, visible))
		return -XG_EIO;
	return rc;
}

/* Out of the CPU's page tables, where Xen unmapped: 0 or -XG_EIO. */
static int unmap_pages(struct xg_guest *g, struct gnttab_unmap_grant_ref *ops,
		       uint32_t count)
{
	uint32_t i = 0;
	int rc = 0;

	while (i < count) {
		void *va = (void *)(uintptr_t)ops[i].host_addr;
		uint32_t n = 0;

		while (i + n < count && ops[i + n].status == GNTST_okay &&
		       ops[i + n].host_addr ==
			       ops[i].host_addr +
				       ((uint64_t)n << XG_PAGE_SHIFT) &&
		       xg_same_region(g, ops[i + n].host_addr,
				      ops[i].host_addr))
			n++;
		if (n && xg_unmap_pages(g, va, n)) {
			rc = -XG_EIO;
			for (uint32_t k = i; k < i + n; k++)
				ops[k].status = GNTST_bad_virt_addr;
		}
		i += n ? n : 1;
	}
	return rc;
}

int xg_gnttab_unmap(struct xg_guest *g, struct gnttab_unmap_grant_ref *ops,
		    uint32_t count)
{
	int rc, unmapped;

	if (count && !ops)
		return -XG_EINVAL;
	rc = unmap_from_xen(g, ops, count);
	unmapped = unmap_pages(g, ops, count);
	/* Pages that must not be used again are the worse news. */
	return unmapped ? unmapped : rc;
}
