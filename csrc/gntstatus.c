/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The per-op status of grant-table operations: as errors, in words, and asking
 * again where it says so. */
#include "hypercall.h"
#include "internal.h"

struct meaning {
	int error;
	const char *text;
};

/* Indexed by the negated status. */
static const struct meaning meanings[] = {
	[-GNTST_okay] = {0, "okay"},
	[-GNTST_general_error] = {-XG_EINVAL, "general error"},
	[-GNTST_bad_domain] = {-XG_ESRCH, "no such domain"},
	[-GNTST_bad_gntref] = {-XG_EINVAL, "no such grant reference"},
	[-GNTST_bad_handle] = {-XG_EINVAL, "no such mapping handle"},
	[-GNTST_bad_virt_addr] = {-XG_EINVAL, "bad virtual address"},
	[-GNTST_bad_dev_addr] = {-XG_EINVAL, "bad device address"},
	[-GNTST_no_device_space] = {-XG_ENOSPC, "no space in the IOMMU"},
	[-GNTST_permission_denied] = {-XG_EPERM, "permission denied"},
	[-GNTST_bad_page] = {-XG_EINVAL, "bad page"},
	[-GNTST_bad_copy_arg] = {-XG_EINVAL, "copy crosses a page boundary"},
	[-GNTST_address_too_big] = {-XG_ERANGE, "page address too large"},
	[-GNTST_eagain] = {-XG_EAGAIN, "page not there yet, try again"},
	[-GNTST_no_space] = {-XG_ENOSPC, "out of space for mappings"},
};

static const struct meaning *meaning_of(int16_t status)
{
	static const struct meaning unknown = {-XG_EINVAL, "unknown status"};
	int index = -(int)status;

	if (index < 0 || index >= (int)(sizeof(meanings) / sizeof(*meanings)))
		return &unknown;
	return &meanings[index];
}

const char *xg_gnttab_error(int16_t status)
{
	return meaning_of(status)->text;
}

int xg_gnttab_errno(int16_t status)
{
	return meaning_of(status)->error;
}

int xg_grant_retry(struct xg_guest *g, uint32_t sub_op, void *op,
		   const int16_t *status)
{
	int rc = 0;

	for (int i = 0; i < XG_EAGAIN_TRIES && !rc; i++) {
		if (*status != GNTST_eagain)
			break;
		g->platform->relax(g->context);
		rc = xg_grant_op(g, sub_op, op, 1);
	}
	return rc;
}
