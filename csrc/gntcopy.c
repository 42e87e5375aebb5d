/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Having Xen copy from and to granted pages. */
#include "gntop.h"

static const struct xg_grant_kind copy =
	XG_GRANT_KIND(GNTTABOP_copy, gnttab_copy, status);

int xg_gnttab_copy(struct xg_guest *g, struct gnttab_copy *ops, uint32_t count)
{
	int rc;

	if (!count)
		return 0;
	if (!ops)
		return -XG_EINVAL;
	xg_grant_clear(&copy, ops, count);
	rc = xg_grant_do(g, &copy, ops, count);
	return rc ? rc : xg_grant_result(&copy, ops, count);
}
