/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pages to map grants into, and what became of those that can't be used any
 * more. */
#include "internal.h"

/* The first frame of pages whose frames are in a row. */
static int frames_of(struct xg_guest *g, uint8_t *va, uint32_t n, uint64_t *gfn)
{
	uint64_t here;

	for (uint32_t i = 0; i < n; i++) {
		int rc = g->platform->virt_to_gfn(
			g->context, va + ((size_t)i << XG_PAGE_SHIFT), &here);

		if (rc)
			return rc;
		if (!i)
			*gfn = here;
		else if (here != *gfn + i)
			return -XG_EFAULT;
	}
	return 0;
}

int xg_gnttab_quarantine(struct xg_guest *g, uint32_t n)
{
	__atomic_fetch_add(&g->gnttab.quarantined, n, __ATOMIC_RELAXED);
	return -XG_EIO;
}

uint32_t xg_gnttab_quarantined(const struct xg_guest *g)
{
	return __atomic_load_n(&g->gnttab.quarantined, __ATOMIC_RELAXED);
}

/* Visible RAM in empty frames, of which `n` are to be filled: 0; or an error
 * and *done, the frames that are filled. */
static int fill(struct xg_guest *g, void *va, uint64_t gfn, uint32_t empty,
		uint32_t n, uint32_t *done)
{
	int rc = xg_memory_populate_range(g, DOMID_SELF, gfn, empty, done);

	if (rc)
		return rc;
	return g->platform->map(g->context, va, gfn, n,
				XG_PROT_READ | XG_PROT_WRITE);
}

void *xg_gnttab_get_pages(struct xg_guest *g, uint32_t n)
{
	const struct xg_platform *platform = g->platform;
	uint32_t done = 0, filled;
	uint64_t gfn = 0;
	void *va;
	int rc;

	if (g->nr_regions)
		return xg_region_get_pages(g, n);
	if (!n || !platform->page_alloc || !platform->page_free)
		return NULL;
	va = platform->page_alloc(g->context, n);
	if (!va)
		return NULL;
	rc = frames_of(g, va, n, &gfn);
	if (!rc)
		rc = platform->unmap(g->context, va, n);
	if (!rc) {
		rc = xg_memory_decrease_range(g, DOMID_SELF, gfn, n, &done);
		if (!rc)
			return va;
		if (fill(g, va, gfn, done, n, &filled)) {
			xg_gnttab_quarantine(g, n);
			return NULL;
		}
	}
	platform->page_free(g->context, va, n);
	return NULL;
}

int xg_gnttab_put_pages(struct xg_guest *g, void *va, uint32_t n)
{
	const struct xg_platform *platform = g->platform;
	uint32_t done = 0, emptied;
	uint64_t gfn = 0;
	int rc;

	if (g->nr_regions)
		return xg_region_put_pages(g, va, n);
	if (!n || !va || xg_page_offset((uintptr_t)va) || !platform->page_free)
		return -XG_EINVAL;
	rc = frames_of(g, va, n, &gfn);
	if (rc)
		return rc;
	rc = fill(g, va, gfn, n, n, &done);
	if (!rc)
		platform->page_free(g->context, va, n);
	else if (xg_memory_decrease_range(g, DOMID_SELF, gfn, done, &emptied))
		return xg_gnttab_quarantine(g, n);
	return rc;
}
