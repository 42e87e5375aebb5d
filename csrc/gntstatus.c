/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The per-op status of grant-table operations: as errors, and in words. */
#include "internal.h"

/* Both by the negated status; one more for those that have no name. */
static const int8_t errors[] = {
	[-GNTST_okay] = 0,
	[-GNTST_general_error] = -XG_EINVAL,
	[-GNTST_bad_domain] = -XG_ESRCH,
	[-GNTST_bad_gntref] = -XG_EINVAL,
	[-GNTST_bad_handle] = -XG_EINVAL,
	[-GNTST_bad_virt_addr] = -XG_EINVAL,
	[-GNTST_bad_dev_addr] = -XG_EINVAL,
	[-GNTST_no_device_space] = -XG_ENOSPC,
	[-GNTST_permission_denied] = -XG_EPERM,
	[-GNTST_bad_page] = -XG_EINVAL,
	[-GNTST_bad_copy_arg] = -XG_EINVAL,
	[-GNTST_address_too_big] = -XG_ERANGE,
	[-GNTST_eagain] = -XG_EAGAIN,
	[-GNTST_no_space] = -XG_ENOSPC,
	-XG_EINVAL,
};

/* One behind the other, each with a 0 at its end: a table of pointers would
 * be as large as they are. */
static const char texts[] = "okay\0"
			    "general error\0"
			    "bad domain\0"
			    "bad reference\0"
			    "bad handle\0"
			    "bad address\0"
			    "bad device address\0"
			    "IOMMU full\0"
			    "not permitted\0"
			    "bad page\0"
			    "bad copy\0"
			    "address too large\0"
			    "try again\0"
			    "no space\0"
			    "unknown";

static uint32_t index_of(int16_t status)
{
	uint32_t index = (uint32_t)-status;

	return index < sizeof(errors) ? index : sizeof(errors) - 1;
}

const char *xg_gnttab_error(int16_t status)
{
	const char *text = texts;

	for (uint32_t i = index_of(status); i; i--)
		while (*text++)
			;
	return text;
}

int xg_gnttab_errno(int16_t status)
{
	return errors[index_of(status)];
}
