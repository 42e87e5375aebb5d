/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "gntop.h"

int xg_grant_do(struct xg_guest *g, uint32_t kind, void *ops, uint32_t count)
{
	uint8_t *op = ops;
	int rc;

	if (!count)
		return 0;
	if (!ops)
		return -XG_EINVAL;
	for (uint32_t i = 0; i < count; i++, op += xg_grant_op_size(kind))
		*xg_grant_status(kind, op) = GNTST_general_error;
	rc = xg_grant_op(g, kind & 0xff, ops, count);
	if (rc)
		return rc;
	/* From the last on, so that the first error is what stays. */
	while (count--) {
		const int16_t *status;
		int error = 0;

		op -= xg_grant_op_size(kind);
		status = xg_grant_status(kind, op);
		for (int tries = XG_EAGAIN_TRIES;
		     tries && !error && *status == GNTST_eagain; tries--) {
			g->platform->relax(g->context);
			error = xg_grant_op(g, kind & 0xff, op, 1);
		}
		if (!error)
			error = xg_gnttab_errno(*status);
		rc = error ? error : rc;
	}
	return rc;
}
