/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "gntop.h"

#include "hypercall.h"

XG_SLOW int xg_grant_op(struct xg_guest *g, uint32_t sub_op, void *ops,
			uint32_t count)
{
	return (int)xg_hypercall(g, __HYPERVISOR_grant_table_op, sub_op,
				 (uintptr_t)ops, count, 0, 0);
}

static int16_t *status_of(const struct xg_grant_kind *kind, const void *ops,
			  uint32_t i)
{
	return (int16_t *)((uintptr_t)ops + (size_t)i * kind->size +
			   kind->status);
}

void xg_grant_clear(const struct xg_grant_kind *kind, void *ops, uint32_t count)
{
	while (count--)
		*status_of(kind, ops, count) = GNTST_general_error;
}

int xg_grant_do(struct xg_guest *g, const struct xg_grant_kind *kind, void *ops,
		uint32_t count)
{
	int rc = xg_grant_op(g, kind->sub_op, ops, count);

	for (uint32_t i = 0; i < count; i++) {
		int16_t *status = status_of(kind, ops, i);
		void *op = (uint8_t *)status - kind->status;

		for (int tries = XG_EAGAIN_TRIES;
		     tries && !rc && *status == GNTST_eagain; tries--) {
			g->platform->relax(g->context);
			rc = xg_grant_op(g, kind->sub_op, op, 1);
		}
	}
	return rc;
}

int xg_grant_result(const struct xg_grant_kind *kind, const void *ops,
		    uint32_t count)
{
	int rc = 0;

	for (uint32_t i = 0; i < count && !rc; i++)
		rc = xg_gnttab_errno(*status_of(kind, ops, i));
	return rc;
}
