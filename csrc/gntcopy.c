/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Having Xen copy from and to granted pages. */
#include "hypercall.h"
#include "internal.h"

int xg_gnttab_copy(struct xg_guest *g, struct gnttab_copy *ops, uint32_t count)
{
	int rc;

	if (count && !ops)
		return -XG_EINVAL;
	for (uint32_t i = 0; i < count; i++)
		ops[i].status = GNTST_general_error;
	rc = count ? xg_grant_op(g, GNTTABOP_copy, ops, count) : 0;
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = xg_grant_retry(g, GNTTABOP_copy, &ops[i], &ops[i].status);
	for (uint32_t i = 0; i < count && !rc; i++)
		rc = xg_gnttab_errno(ops[i].status);
	return rc;
}
