/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Having Xen copy from and to granted pages. */
#include "gntop.h"

static const uint32_t copying = XG_GRANT_KIND(GNTTABOP_copy, gnttab_copy);

int xg_gnttab_copy(struct xg_guest *g, struct gnttab_copy *ops, uint32_t count)
{
	return xg_grant_do(g, copying, ops, count);
}
