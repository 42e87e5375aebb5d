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
#include "gntop.h"

static const struct xg_grant_kind mapping =
	XG_GRANT_KIND(GNTTABOP_map_grant_ref, gnttab_map_grant_ref, flags);
static const struct xg_grant_kind unmapping =
	XG_GRANT_KIND(GNTTABOP_unmap_grant_ref, gnttab_unmap_grant_ref, status);

_Static_assert(!offsetof(struct gnttab_map_grant_ref, host_addr) &&
		       !offsetof(struct gnttab_unmap_grant_ref, host_addr),
	       "an op begins with its address");

static void *to_va(uint64_t host_addr)
{
	return (void *)(uintptr_t)host_addr;
}

static XG_SLOW int to_physical(struct xg_guest *g, uint64_t va,
			       uint64_t *physical)
{
	uint64_t gfn = 0;
	int rc;

	if (!va || va > UINTPTR_MAX || xg_page_offset((uintptr_t)va))
		return -XG_EFAULT;
	rc = g->platform->virt_to_gfn(g->context, to_va(va), &gfn);
	if (!rc)
		*physical = gfn << XG_PAGE_SHIFT;
	return rc;
}

/* The hypercalls for `count` ops, each of which gets a status. */
static int ask_xen(struct xg_guest *g, const struct xg_grant_kind *kind,
		   void *ops, uint32_t count)
{
	uint8_t *first = ops;
	uint32_t left = count;
	int rc = 0;

	xg_grant_clear(kind, ops, count);
	while (left && !rc) {
		uint64_t distance = 0;
		uint8_t *op = first;
		uint32_t n = 0;

		for (; n < left && n < INT32_MAX; n++, op += kind->size) {
			uint64_t *host_addr = (uint64_t *)(void *)op;
			uint64_t physical = 0;

			rc = to_physical(g, *host_addr, &physical);
			if (!n)
				distance = *host_addr - physical;
			if (rc || *host_addr - physical != distance)
				break;
			*host_addr = physical;
		}
		/* The next round meets the address that has none. */
		if (n)
			rc = xg_grant_do(g, kind, first, n);
		left -= n;
		for (; n; n--, first += kind->size)
			*(uint64_t *)(void *)first += distance;
	}
	return rc ? rc : xg_grant_result(kind, ops, count);
}

/* A key is a status, or the half of the flags that has all of them. */
typedef uint16_t __attribute__((may_alias)) op_key;

static op_key key_of(const struct xg_grant_kind *kind, uintptr_t op)
{
	return *(const op_key *)(op + kind->key);
}

/* How many ops from the first on are consecutive pages, in both address spaces
 * and one region, with equal keys. Writes the first frame. */
static XG_SLOW uint32_t run_of(struct xg_guest *g,
			       const struct xg_grant_kind *kind,
			       const void *ops, uint32_t count, uint64_t *gfn)
{
	uint64_t va = *(const uint64_t *)ops, first = 0, physical = 0;
	uint32_t n = 0;
	uint64_t here;
	uintptr_t op = (uintptr_t)ops;

	to_physical(g, va, &first);
	*gfn = first >> XG_PAGE_SHIFT;
	do {
		n++;
		op += kind->size;
		if (n == count)
			break;
		here = *(const uint64_t *)op;
		to_physical(g, here, &physical);
	} while (here - va == (uint64_t)n << XG_PAGE_SHIFT &&
		 here - va == physical - first &&
		 key_of(kind, op) == key_of(kind, (uintptr_t)ops) &&
		 xg_same_region(g, here, va));
	return n;
}

/* Undo an op that succeeded; `visible`: in the CPU's page tables too. 0, or
 * -XG_EIO if Xen or the platform refused. */
static int undo(struct xg_guest *g, struct gnttab_map_grant_ref *op,
		bool visible)
{
	struct gnttab_unmap_grant_ref back = {
		.host_addr = op->host_addr,
		.handle = op->handle,
	};

	/* What the CPU still reaches stays mapped in Xen. */
	if (visible && xg_unmap_pages(g, to_va(op->host_addr), 1))
		return xg_gnttab_quarantine(g, 1);
	if (ask_xen(g, &unmapping, &back, 1)) {
		/* And what Xen maps is not given to anybody else. */
		xg_keep_page(g, to_va(op->host_addr));
		return xg_gnttab_quarantine(g, 1);
	}
	op->handle = XG_NO_HANDLE;
	return 0;
}

int xg_gnttab_map(struct xg_guest *g, struct gnttab_map_grant_ref *ops,
		  uint32_t count)
{
	uint32_t visible = 0;
	int rc = count && !ops ? -XG_EINVAL : 0;

	if (rc)
		return rc;
	xg_grant_clear(&mapping, ops, count);
	for (uint32_t i = 0; i < count; i++) {
		uint64_t physical;

		ops[i].handle = XG_NO_HANDLE;
		if (!rc)
			rc = to_physical(g, ops[i].host_addr, &physical);
		if (!rc)
			rc = xg_check_empty(g, to_va(ops[i].host_addr), 1);
	}
	if (rc)
		return rc;
	rc = ask_xen(g, &mapping, ops, count);
	/* Then into the CPU's page tables. */
	while (visible < count && !rc) {
		const struct gnttab_map_grant_ref *op = &ops[visible];
		uint64_t gfn;
		uint32_t n = run_of(g, &mapping, op, count - visible, &gfn);

		rc = xg_map_pages(g, to_va(op->host_addr), gfn, n,
				  op->flags & GNTMAP_readonly
					  ? XG_PROT_READ
					  : XG_PROT_READ | XG_PROT_WRITE);
		if (!rc)
			visible += n;
	}
	if (!rc)
		return 0;
	for (uint32_t i = 0; i < count; i++) {
		if (ops[i].status != GNTST_okay)
			ops[i].handle = XG_NO_HANDLE;
		else if (undo(g, &ops[i], i < visible))
			rc = -XG_EIO;
	}
	return rc;
}

int xg_gnttab_unmap(struct xg_guest *g, struct gnttab_unmap_grant_ref *ops,
		    uint32_t count)
{
	uint32_t i, n;
	int rc;

	if (count && !ops)
		return -XG_EINVAL;
	/* Only device mappings have a bus address. */
	for (i = 0; i < count; i++)
		ops[i].dev_bus_addr = 0;
	rc = ask_xen(g, &unmapping, ops, count);
	/* Out of the CPU's page tables, where Xen unmapped. */
	for (i = 0; i < count; i += n) {
		uint64_t gfn;

		n = run_of(g, &unmapping, &ops[i], count - i, &gfn);
		if (ops[i].status != GNTST_okay ||
		    !xg_unmap_pages(g, to_va(ops[i].host_addr), n))
			continue;
		/* Pages that must not be used again are the worse news. */
		for (uint32_t k = i; k < i + n; k++) {
			ops[k].status = GNTST_bad_virt_addr;
			rc = xg_gnttab_quarantine(g, 1);
		}
	}
	return rc;
}
