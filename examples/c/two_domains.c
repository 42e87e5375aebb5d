/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Two domains on the simulated Xen: one offers a page and a port, as offer.c
 * does on a machine too; the other maps the page, finds the port in it, and
 * rings. examples/c/simulator says how to compile and link it.
 */
#include <stdio.h>
#include <xen_guest/sim.h>
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <xen/grant_table.h>
#include <xen/xen.h>

#define RINGS 3

int32_t offer(struct xg_guest *g, domid_t peer, void **page, uint32_t *events);

/* What a domain of this program is. */
struct machine {
	struct xg_sim_domain *domain;
	struct xg_guest *guest;
	domid_t id;
};

static int start(struct xg_sim *sim, struct machine *m)
{
	int rc = xg_sim_domain_create(sim, NULL, &m->domain);

	if (rc)
		return rc;
	m->id = (domid_t)xg_sim_domain_id(m->domain);
	return xg_sim_guest_init(m->domain, NULL, &m->guest);
}

/* The peer: map the page, connect to the port in it, ring, let go. */
static int use(struct xg_sim *sim, struct machine *m, domid_t owner,
	       int32_t gref)
{
	void *page = xg_region_get_pages(m->guest, 1);
	struct gnttab_map_grant_ref map = {
		.host_addr = (uintptr_t)page,
		.flags = GNTMAP_host_map,
		.ref = (grant_ref_t)gref,
		.dom = owner,
	};
	struct gnttab_unmap_grant_ref unmap = {.host_addr = (uintptr_t)page};
	int rc, port;

	if (!page)
		return -XG_ENOSPC;
	rc = xg_gnttab_map(m->guest, &map, 1);
	if (rc) {
		xg_region_put_pages(m->guest, page, 1);
		return rc;
	}
	port = xg_evtchn_bind_interdomain(
		m->guest, owner,
		__atomic_load_n((uint32_t *)page, __ATOMIC_ACQUIRE), NULL,
		NULL);
	rc = port < 0 ? port : 0;
	for (int i = 0; !rc && i < RINGS; i++) {
		rc = xg_evtchn_notify(m->guest, (uint32_t)port);
		/* Without threads, events arrive when they are told to. */
		xg_sim_deliver_all(sim);
	}
	if (!rc)
		rc = xg_evtchn_close(m->guest, (uint32_t)port);
	unmap.handle = map.handle;
	if (!rc)
		rc = xg_gnttab_unmap(m->guest, &unmap, 1);
	if (!rc)
		rc = xg_region_put_pages(m->guest, page, 1);
	return rc;
}

/* The owner takes back what it offered. */
static int withdraw(struct machine *m, int32_t gref, void *page)
{
	uint32_t port = *(uint32_t *)page;
	int rc = xg_gnttab_end(m->guest, (uint32_t)gref);

	if (rc)
		return rc;
	xg_sim_page_free(m->domain, page, 1);
	return xg_evtchn_close(m->guest, port);
}

int main(void)
{
	struct xg_sim *sim = xg_sim_create(XG_SIM_OPEN);
	struct machine a = {0}, b = {0};
	uint32_t events = 0;
	void *page = NULL;
	int32_t gref;
	int rc;

	if (!sim)
		return 1;
	rc = start(sim, &a);
	if (!rc)
		rc = start(sim, &b);
	if (!rc) {
		gref = offer(a.guest, b.id, &page, &events);
		rc = gref < 0 ? gref : use(sim, &b, a.id, gref);
		if (!rc)
			rc = withdraw(&a, gref, page);
	}
	if (!rc)
		rc = xg_sim_guest_fini(a.domain);
	if (!rc)
		rc = xg_sim_guest_fini(b.domain);
	printf("%u of %d rings, result %d, %s\n", events, RINGS, rc,
	       xg_sim_leaks(sim, NULL) ? "something is left" : "nothing left");
	rc = rc || events != RINGS || xg_sim_leaks(sim, NULL);
	xg_sim_destroy(sim);
	return rc;
}
