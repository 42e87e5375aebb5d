/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Pages to map grants into, and what became of those that can't be used any
 * more. */
#include "internal.h"

XG_SLOW int xg_gnttab_quarantine(struct xg_guest *g, uint32_t n)
{
	__atomic_fetch_add(&g->gnttab.quarantined, n, __ATOMIC_RELAXED);
	return -XG_EIO;
}

uint32_t xg_gnttab_quarantined(const struct xg_guest *g)
{
	return __atomic_load_n(&g->gnttab.quarantined, __ATOMIC_RELAXED);
}

/*
 * RAM, in the place of which grants are mapped while Xen has it. Xen takes and
 * gives it by a list of the frames: in one step if the list is in one piece. A
 * short one is on the stack, another behind the pages, in more that stay RAM.
 */
struct ram {
	uint8_t *va;
	uint32_t pages;
	uint32_t changed; /* of them */
	uint64_t *list;
	uint64_t few[XG_FRAMES];
};

static uint32_t with_list(uint32_t n)
{
	const uint32_t in_page = XG_PAGE_SIZE / sizeof(uint64_t);

	return n > XG_FRAMES ? n + (n - 1) / in_page + 1 : n;
}

/* Make the list: -XG_EFAULT if the frames are not in a row. */
static int list(struct xg_guest *g, struct ram *r)
{
	uint8_t *va = r->va, *end = va + ((size_t)r->pages << XG_PAGE_SHIFT);
	uint64_t *list =
		r->pages > XG_FRAMES ? (uint64_t *)(void *)end : r->few;

	r->list = list;
	for (; va != end; va += XG_PAGE_SIZE, list++)
		if (g->platform->virt_to_gfn(g->context, va, list) ||
		    *list != r->list[0] + (uint64_t)(list - r->list))
			return -XG_EFAULT;
	return 0;
}

/* Make the first pages RAM, and all visible, or those empty. */
static XG_SLOW int make(struct xg_guest *g, struct ram *r, bool filled)
{
	int rc = (filled ? xg_memory_populate_physmap
			 : xg_memory_decrease_reservation)(
		g, DOMID_SELF, 0, r->changed, 0, r->list, &r->changed);

	if (rc || !filled)
		return rc;
	return g->platform->map(g->context, r->va, r->list[0], r->pages,
				XG_PROT_READ | XG_PROT_WRITE);
}

/* All of the pages, which are the opposite, or none: what is RAM then is
 * free. */
static XG_SLOW int make_all(struct xg_guest *g, void *va, uint32_t n,
			    bool filled)
{
	struct ram r;
	int rc;

	r.va = va;
	r.pages = n;
	r.changed = n;
	rc = list(g, &r);
	/* Before the frames are empty, so that nothing can touch them. */
	if (!rc && !filled)
		rc = g->platform->unmap(g->context, va, n);
	if (!rc) {
		rc = make(g, &r, filled);
		if (rc && make(g, &r, !filled))
			return xg_gnttab_quarantine(g, with_list(n));
	}
	if (filled == !rc)
		g->platform->page_free(g->context, va, with_list(n));
	return rc;
}

void *xg_gnttab_get_pages(struct xg_guest *g, uint32_t n)
{
	const struct xg_platform *platform = g->platform;
	void *va;

	if (g->nr_regions)
		return xg_region_get_pages(g, n);
	if (!n || with_list(n) < n || !platform->page_alloc ||
	    !platform->page_free)
		return NULL;
	va = platform->page_alloc(g->context, with_list(n));
	return va && !make_all(g, va, n, false) ? va : NULL;
}

int xg_gnttab_put_pages(struct xg_guest *g, void *va, uint32_t n)
{
	if (g->nr_regions)
		return xg_region_put_pages(g, va, n);
	if (!n || !va || xg_page_offset((uintptr_t)va) ||
	    !g->platform->page_free)
		return -XG_EINVAL;
	return make_all(g, va, n, true);
}
