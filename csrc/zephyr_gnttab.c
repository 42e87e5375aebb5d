/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Zephyr's grant-table calls over the core. */
#include "internal.h" /* first: the core's own headers of Xen */

#include "zephyr/xen/gnttab.h"

grant_ref_t gnttab_grant_access(domid_t domid, unsigned long gfn, bool readonly)
{
	struct xg_guest *g = xg_current();

	return (grant_ref_t)(g ? xg_gnttab_grant(g, domid, gfn, readonly)
			       : -XG_EINVAL);
}

int gnttab_end_access(grant_ref_t gref)
{
	struct xg_guest *g = xg_current();

	return g ? xg_gnttab_end(g, gref) : -XG_EINVAL;
}

int32_t gnttab_alloc_and_grant(void **map, bool readonly)
{
	struct xg_guest *g = xg_current();

	return g ? xg_gnttab_alloc_and_grant(g, 0, map, readonly) : -XG_EINVAL;
}

void *gnttab_get_pages(unsigned int npages)
{
	struct xg_guest *g = xg_current();

	return g ? xg_gnttab_get_pages(g, npages) : NULL;
}

int gnttab_put_pages(void *start_addr, unsigned int npages)
{
	struct xg_guest *g = xg_current();

	return g ? xg_gnttab_put_pages(g, start_addr, npages) : -XG_EINVAL;
}

int gnttab_map_refs(struct gnttab_map_grant_ref *map_ops, unsigned int count)
{
	struct xg_guest *g = xg_current();

	return g ? xg_gnttab_map(g, map_ops, count) : -XG_EINVAL;
}

int gnttab_unmap_refs(struct gnttab_unmap_grant_ref *unmap_ops,
		      unsigned int count)
{
	struct xg_guest *g = xg_current();

	return g ? xg_gnttab_unmap(g, unmap_ops, count) : -XG_EINVAL;
}

const char *gnttabop_error(int16_t status)
{
	return xg_gnttab_error(status);
}
