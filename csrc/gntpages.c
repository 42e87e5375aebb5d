/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pages to map grants into, and what became of those that can't be used any
 * more. */
#include "xen_guest/balloon.h"

#include "internal.h"

int xg_gnttab_quarantine(struct xg_guest *g, uint32_t n)
{
	__atomic_fetch_add(&g->gnttab.quarantined, n, __ATOMIC_RELAXED);
	return -XG_EIO;
}

uint32_t xg_gnttab_quarantined(const struct xg_guest *g)
{
	return __atomic_load_n(&g->gnttab.quarantined, __ATOMIC_RELAXED);
}

/* Pages whose frames are in a row. */
static XG_SLOW int window_of(struct xg_guest *g, void *va, uint32_t n,
			     struct xg_window *window)
{
	window->va = va;
	window->pages = n;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t gfn = 0;
		int rc = g->platform->virt_to_gfn(
			g->context,
			(uint8_t *)va + ((size_t)i << XG_PAGE_SHIFT), &gfn);

		if (!i)
			window->gfn = gfn;
		if (rc || gfn != window->gfn + i)
			return -XG_EFAULT;
	}
	return 0;
}

void *xg_gnttab_get_pages(struct xg_guest *g, uint32_t n)
{
	const struct xg_platform *platform = g->platform;
	struct xg_balloon balloon;
	struct xg_window ram;
	void *va;
	int rc;

	if (g->nr_regions)
		return xg_region_get_pages(g, n);
	if (!n || !platform->page_alloc || !platform->page_free)
		return NULL;
	va = platform->page_alloc(g->context, n);
	if (!va)
		return NULL;
	rc = window_of(g, va, n, &ram);
	if (!rc)
		rc = xg_balloon_inflate(g, &balloon, &ram);
	if (!rc)
		return va;
	if (rc == -XG_EIO)
		xg_gnttab_quarantine(g, n);
	else
		platform->page_free(g->context, va, n);
	return NULL;
}

int xg_gnttab_put_pages(struct xg_guest *g, void *va, uint32_t n)
{
	const struct xg_platform *platform = g->platform;
	struct xg_balloon balloon = {.first = 0, .end = n};
	uint32_t emptied;
	int rc;

	if (g->nr_regions)
		return xg_region_put_pages(g, va, n);
	if (!n || !va || xg_page_offset((uintptr_t)va) || !platform->page_free)
		return -XG_EINVAL;
	rc = window_of(g, va, n, &balloon.ram);
	if (rc)
		return rc;
	rc = xg_balloon_deflate(g, &balloon);
	if (!rc)
		platform->page_free(g->context, va, n);
	/* What has come back goes again, so that all are empty. */
	else if (xg_memory_decrease_range(g, DOMID_SELF, balloon.ram.gfn,
					  balloon.first, &emptied))
		return xg_gnttab_quarantine(g, n);
	return rc;
}
