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

static const uint32_t mapping =
	XG_GRANT_KIND(GNTTABOP_map_grant_ref, gnttab_map_grant_ref);
static const uint32_t unmapping =
	XG_GRANT_KIND(GNTTABOP_unmap_grant_ref, gnttab_unmap_grant_ref);

/* What both kinds of ops begin with. */
struct __attribute__((may_alias)) op {
	uint64_t host_addr;
	uint32_t flags; /* to map */
};

_Static_assert(!offsetof(struct gnttab_map_grant_ref, host_addr) &&
		       !offsetof(struct gnttab_unmap_grant_ref, host_addr) &&
		       offsetof(struct gnttab_map_grant_ref, flags) ==
			       offsetof(struct op, flags) &&
		       offsetof(struct gnttab_unmap_grant_ref, dev_bus_addr) ==
			       offsetof(struct op, flags),
	       "ops begin in the same way");

/* What is the same for all pages of a run: the protection, in the half of the
 * flags that has all of them, or the status. */
static uint16_t key_of(uint32_t kind, const struct op *op)
{
	return kind == mapping ? (uint16_t)op->flags
			       : (uint16_t)*xg_grant_status(kind, op);
}

static struct op *next(uint32_t kind, const struct op *op, uint32_t n)
{
	return (struct op *)((uintptr_t)op + n * xg_grant_op_size(kind));
}

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
	*physical = gfn << XG_PAGE_SHIFT;
	return rc;
}

/* Have Xen do a stretch of the ops: as many from the first on as have the same
 * distance, which are *count then, or a first one that has no address. To map,
 * none if one of them has no empty page. */
static int ask_xen(struct xg_guest *g, uint32_t kind, struct op *ops,
		   uint32_t *count, uint64_t *distance)
{
	struct op *op = ops;
	uint32_t n;
	int rc = 0;

	for (n = 0; n < *count; n++, op = next(kind, op, 1)) {
		uint64_t physical = 0;

		rc = to_physical(g, op->host_addr, &physical);
		if (!rc && kind == mapping)
			rc = xg_check_empty(g, to_va(op->host_addr), 1);
		if (!n)
			*distance = op->host_addr - physical;
		if (rc || op->host_addr - physical != *distance)
			break;
		op->host_addr = physical;
	}
	*count = n ? n : 1;
	if (n && !(rc && kind == mapping))
		rc = xg_grant_do(g, kind, ops, n);
	for (op = ops; n--; op = next(kind, op, 1))
		op->host_addr += *distance;
	return rc;
}

/* How many ops from the first on are consecutive pages of one region, with
 * equal status and protection. */
static uint32_t run_of(struct xg_guest *g, uint32_t kind, struct op *first,
		       uint32_t count)
{
	const struct op *op = first;
	uint64_t va = first->host_addr;
	uint32_t n = 0;

	do {
		n++;
		op = next(kind, op, 1);
		va += XG_PAGE_SIZE;
	} while (n < count && op->host_addr == va &&
		 key_of(kind, op) == key_of(kind, first) &&
		 xg_same_region(g, va, first->host_addr));
	return n;
}

/* What Xen did with a run of ops, in the CPU's page tables. */
static int show(struct xg_guest *g, uint32_t kind, struct op *op, uint32_t n,
		uint64_t distance)
{
	void *va = to_va(op->host_addr);

	if (kind == mapping)
		return xg_map_pages(
			g, va, (op->host_addr - distance) >> XG_PAGE_SHIFT, n,
			op->flags & GNTMAP_readonly
				? XG_PROT_READ
				: XG_PROT_READ | XG_PROT_WRITE);
	if (*xg_grant_status(kind, op) != GNTST_okay ||
	    !xg_unmap_pages(g, va, n))
		return 0;
	for (uint32_t i = 0; i < n; i++)
		*xg_grant_status(kind, next(kind, op, i)) = GNTST_bad_virt_addr;
	return xg_gnttab_quarantine(g, n);
}

/* Have `count` ops done, in Xen and then in the CPU's page tables. The first
 * error, or -XG_EIO if there is any. To map stops at an error: *done came
 * before it. */
static int change(struct xg_guest *g, uint32_t kind, void *ops, uint32_t count,
		  uint32_t *done)
{
	struct op *op = ops;
	int first = 0;

	*done = 0;
	do {
		uint32_t run, left = count - *done;
		uint64_t distance = 0;
		int rc = ask_xen(g, kind, op, &left, &distance);

		first = first ? first : rc;
		for (; left; left -= run) {
			if (kind == mapping && first)
				return first;
			run = run_of(g, kind, op, left);
			rc = show(g, kind, op, run, distance);
			first = rc ? rc : first;
			if (kind == mapping && first)
				return first;
			*done += run;
			op = next(kind, op, run);
		}
	} while (*done < count);
	return first;
}

/* Undo an op that succeeded; `visible`: in the CPU's page tables too. 0, or
 * -XG_EIO if Xen or the platform refused. */
static int undo(struct xg_guest *g, struct gnttab_map_grant_ref *op,
		bool visible)
{
	struct gnttab_unmap_grant_ref back = {
		.handle = op->handle,
	};

	/* What the CPU still reaches stays mapped in Xen. */
	if (visible && xg_unmap_pages(g, to_va(op->host_addr), 1))
		return xg_gnttab_quarantine(g, 1);
	if (to_physical(g, op->host_addr, &back.host_addr) ||
	    xg_grant_do(g, unmapping, &back, 1)) {
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
	uint32_t visible;
	int rc;

	if (!count)
		return 0;
	if (!ops)
		return -XG_EINVAL;
	for (size_t i = 0; i < count; i++)
		ops[i].status = GNTST_general_error;
	rc = change(g, mapping, ops, count, &visible);
	if (!rc)
		return 0;
	for (size_t i = 0; i < count; i++) {
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
	uint32_t done;

	if (!count)
		return 0;
	if (!ops)
		return -XG_EINVAL;
	for (size_t i = 0; i < count; i++) {
		/* Only device mappings have one. */
		ops[i].dev_bus_addr = 0;
		ops[i].status = GNTST_general_error;
	}
	return change(g, unmapping, ops, count, &done);
}
