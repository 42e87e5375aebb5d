/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Zephyr's region calls over the core. */
#include "internal.h" /* first: the core's own headers of Xen */

#include "zephyr/xen/regions.h"

/* Counts are size_t in this API and 32 bits in the core: more pages than any
 * region has are as good as any other number that is too large. */
static uint32_t count_of(size_t nr_pages)
{
	return nr_pages > UINT32_MAX ? UINT32_MAX : (uint32_t)nr_pages;
}

bool xen_region_is_addr_extreg(void *ptr)
{
	struct xg_guest *g = xg_current();

	return g && ptr && xg_region_contains(g, ptr);
}

void *xen_region_get_pages(size_t nr_pages)
{
	struct xg_guest *g = xg_current();

	return g ? xg_region_get_pages(g, count_of(nr_pages)) : NULL;
}

int xen_region_put_pages(void *ptr, size_t nr_pages)
{
	struct xg_guest *g = xg_current();

	return g ? xg_region_put_pages(g, ptr, count_of(nr_pages)) : -XG_EIO;
}

int xen_region_map(void *ptr, size_t nr_pages)
{
	struct xg_guest *g = xg_current();

	return g ? xg_region_map(g, ptr, count_of(nr_pages),
				 XG_PROT_READ | XG_PROT_WRITE)
		 : -XG_EFAULT;
}

int xen_region_unmap(void *ptr, size_t nr_pages)
{
	struct xg_guest *g = xg_current();

	return g ? xg_region_unmap(g, ptr, count_of(nr_pages)) : -XG_EFAULT;
}
