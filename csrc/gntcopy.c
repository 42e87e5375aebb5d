/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Having Xen copy from and to granted pages. */
#include "hypercall.h"
#include "internal.h"

static int copy(struct xg_guest *g, struct gnttab_copy *ops, uint32_t count)
{
	return (int)xg_hypercall(g, __HYPERVISOR_grant_table_op, GNTTABOP_copy,
				 (uintptr_t)ops, count, 0, 0);
}

/* The page is being brought back by its owner's pager. */
static int retry(struct xg_guest *g, struct gnttab_copy *op)
{
	int rc = 0;

	for (int i = 0; i < XG_EAGAIN_TRIES && !rc; i++) {
		if (op->status != GNTST_eagain)
			break;
		g->platform->relax(g->context);
		rc = copy(g, op, 1);
	}
	return rc;
}

int xg_gnttab_copy(struct xg_guest *g, struct gnttab_copy *ops, uint32_t count)
{
	int rc;

	if (count && !ops)
		return -XG_EINVAL;
	for (uint32_t i = 0; i < count; i++)
		ops[i].status = GNTST_general_error;
	rc = count ? copy(g, ops, count) : 0;
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = retry(g, &ops[i]);
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = xg_gnttab_errno(ops[i].status);
	return rc;
}
