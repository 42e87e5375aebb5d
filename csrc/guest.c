/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Setting a guest up and giving it back. */
#include "gntv2.h"
#include "hypercall.h"
#include "internal.h"

bool xg_window_valid(const struct xg_window *window)
{
	uint64_t pages = window ? window->pages : 0;

	return pages && window->va && !xg_page_offset((uintptr_t)window->va) &&
	       window->gfn <= (UINT64_MAX >> XG_PAGE_SHIFT) - pages &&
	       pages <= (UINTPTR_MAX - (uintptr_t)window->va) >> XG_PAGE_SHIFT;
}

static bool windows_overlap(const struct xg_window *a,
			    const struct xg_window *b)
{
	uintptr_t a_va = (uintptr_t)a->va, b_va = (uintptr_t)b->va;
	uintptr_t a_size = (uintptr_t)a->pages << XG_PAGE_SHIFT;
	uintptr_t b_size = (uintptr_t)b->pages << XG_PAGE_SHIFT;

	return (a->gfn < b->gfn + b->pages && b->gfn < a->gfn + a->pages) ||
	       (a_va < b_va + b_size && b_va < a_va + a_size);
}

static struct xg_window window_of(const struct xg_region *r)
{
	struct xg_window at = {.va = r->va, .gfn = r->gfn, .pages = r->pages};

	return at;
}

/* Set up, and apart from each other and from the windows. */
static bool regions_valid(const struct xg_region *regions, uint32_t nr,
			  const struct xg_window *shared_info,
			  const struct xg_window *gnttab)
{
	if (nr && !regions)
		return false;
	for (uint32_t i = 0; i < nr; i++) {
		struct xg_window at = window_of(&regions[i]);

		if (!at.pages || windows_overlap(&at, shared_info) ||
		    (gnttab->pages && windows_overlap(&at, gnttab)))
			return false;
		for (uint32_t k = 0; k < i; k++) {
			struct xg_window other = window_of(&regions[k]);

			if (windows_overlap(&at, &other))
				return false;
		}
	}
	return true;
}

int xg_guest_set_regions(struct xg_guest *g, struct xg_region *regions,
			 uint32_t nr_regions)
{
	const struct xg_gnttab *t = &g->gnttab;
	const struct xg_window gnttab = {
		.va = t->va,
		.gfn = t->gfn,
		.pages =
			t->max_frames + xg_gntv2_status_pages(t, t->max_frames),
	};

	if (!regions_valid(regions, nr_regions, &g->shared_info, &gnttab))
		return -XG_EINVAL;
	for (uint32_t i = 0; i < g->nr_regions; i++)
		if (!xg_region_is_free(&g->regions[i]))
			return -XG_EBUSY;
	g->regions = regions;
	g->nr_regions = nr_regions;
	return 0;
}

static bool events_valid(const struct xg_guest_config *config)
{
	if (!config->port_groups || !config->nr_port_groups ||
	    config->nr_port_groups > XG_MAX_PORT_GROUPS)
		return false;
	if (!config->vcpus || !config->nr_vcpus ||
	    config->nr_vcpus > XG_MAX_VCPUS ||
	    (config->nr_vcpus > 1 && !config->vcpu_ports))
		return false;
	if (!config->nr_fifo_pages)
		return true;
	return config->fifo_pages &&
	       !xg_page_offset((uintptr_t)config->fifo_pages) &&
	       config->nr_fifo_pages >= 2 &&
	       config->nr_fifo_pages <= XG_FIFO_MAX_PAGES &&
	       config->nr_vcpus <= XG_FIFO_MAX_VCPUS;
}

/* Pages for the grant table, those with the status of its entries too. */
static uint32_t max_table(uint32_t version)
{
	return XG_MAX_GRANT_FRAMES +
	       (XG_GRANT_V2 && version == 2
			? XG_MAX_GRANT_FRAMES / XG_GRANT_STATUS_FRAMES
			: 0);
}

static bool config_valid(const struct xg_guest_config *config)
{
	const struct xg_platform *platform = config->platform;

	if (!platform || !platform->virt_to_gfn || !platform->map ||
	    !platform->unmap || !platform->lock || !platform->unlock ||
	    !platform->cpu_id || !platform->relax)
		return false;
	if (!xg_window_valid(&config->shared_info))
		return false;
	if (!events_valid(config) ||
	    !regions_valid(config->regions, config->nr_regions,
			   &config->shared_info, &config->gnttab))
		return false;
	if (config->nr_parked && !config->parked)
		return false;
	if (!config->gnttab.pages)
		return true;
	return config->gnttab_words && xg_window_valid(&config->gnttab) &&
	       config->gnttab.pages <= max_table(config->gnttab_version) &&
	       !windows_overlap(&config->gnttab, &config->shared_info);
}

static int map_shared_info(struct xg_guest *g)
{
	const struct xg_window *at = &g->shared_info;
	int rc = xg_memory_add_to_physmap(g, DOMID_SELF,
					  XENMAPSPACE_shared_info, 0, at->gfn);

	if (rc)
		return rc;
	rc = g->platform->map(g->context, at->va, at->gfn, 1,
			      XG_PROT_READ | XG_PROT_WRITE);
	if (rc)
		xg_memory_remove_from_physmap(g, DOMID_SELF, at->gfn);
	return rc;
}

static int unmap_shared_info(struct xg_guest *g)
{
	const struct xg_window *at = &g->shared_info;
	int unmapped = g->platform->unmap(g->context, at->va, 1);
	int removed = xg_memory_remove_from_physmap(g, DOMID_SELF, at->gfn);

	return unmapped || removed ? -XG_EIO : 0;
}

int xg_guest_init(struct xg_guest *g, const struct xg_guest_config *config)
{
	int rc;

	if (!g || !config || !config_valid(config))
		return -XG_EINVAL;
	memset(g, 0, sizeof(*g));
	g->platform = config->platform;
	g->context = config->context;
	g->shared_info = config->shared_info;
	g->regions = config->regions;
	g->nr_regions = config->nr_regions;
	rc = xg_hypercall_setup(g);
	if (rc)
		return rc;
	rc = map_shared_info(g);
	if (rc)
		return rc;
	rc = xg_evtchn_init(g, config);
	if (!rc) {
		rc = xg_gnttab_init(g, config);
		if (rc)
			xg_evtchn_fini(g);
	}
	if (rc)
		unmap_shared_info(g);
	return rc;
}

int xg_guest_fini(struct xg_guest *g)
{
	int rc;

	if (xg_evtchn_in_use(g) || xg_gnttab_in_use(g))
		return -XG_EBUSY;
	rc = xg_gnttab_fini(g);
	rc |= xg_evtchn_fini(g);
	return unmap_shared_info(g) || rc ? -XG_EIO : 0;
}
