/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What clients of Zephyr's API rely on, in Zephyr's words. */
#include "harness.h"

#include <zephyr/xen/events.h>
#include <zephyr/xen/gnttab.h>
#include <zephyr/xen/memory.h>
#include <zephyr/xen/regions.h>

/* A connection by Zephyr's names; the current domain is `a` afterwards. */
static bool connect_zephyr(struct world *w, evtchn_port_t *at_a,
			   evtchn_port_t *at_b, evtchn_cb_t cb, void *data)
{
	int port, far;

	if (xg_sim_switch(w->a.domain))
		return false;
	port = alloc_unbound_event_channel(w->b.id);
	if (xg_sim_switch(w->b.domain))
		return false;
	far = bind_interdomain_event_channel(w->a.id, (evtchn_port_t)port, cb,
					     data);
	*at_a = (evtchn_port_t)port;
	*at_b = (evtchn_port_t)far;
	/* No port is 0. */
	return port > 0 && far > 0 && !xg_sim_switch(w->a.domain);
}

static bool disconnect_zephyr(struct world *w, evtchn_port_t at_a,
			      evtchn_port_t at_b)
{
	int rc = xg_sim_switch(w->a.domain) || evtchn_close(at_a);

	return !rc && !xg_sim_switch(w->b.domain) && !evtchn_close(at_b);
}

static void calls_need_a_current_guest(struct world *w)
{
	CHECK(w);
	CHECK_EQ(xg_sim_switch(NULL), 0);
	CHECK_EQ(xen_events_init(), -XG_EINVAL);
	CHECK_EQ(notify_evtchn(1), -XG_EINVAL);
	CHECK_EQ(alloc_unbound_event_channel(1), -XG_EINVAL);
	CHECK_EQ((int32_t)gnttab_grant_access(1, 1, true), -XG_EINVAL);
	CHECK_EQ(xendom_remove_from_physmap(DOMID_SELF, 1), -XG_EINVAL);
	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	CHECK_EQ(xen_events_init(), 0);
	CHECK_EQ(xen_events_init(), 0);
}

static void a_bound_port_delivers_without_unmask(struct world *w)
{
	evtchn_port_t at_a, at_b;
	uint32_t events = 0;

	CHECK(connect_zephyr(w, &at_a, &at_b, count_event, &(uint32_t){0}));
	CHECK_EQ(bind_event_channel(at_a, count_event, &events), 0);
	CHECK_EQ(xg_sim_switch(w->b.domain), 0);
	CHECK_EQ(notify_evtchn(at_b), 0);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	/* And unmasking once more, or twice, changes nothing. */
	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	CHECK_EQ(unmask_event_channel(at_a), 0);
	CHECK_EQ(unmask_event_channel(at_a), 0);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK(disconnect_zephyr(w, at_a, at_b));
}

static void a_first_callback_comes_for_nothing(struct world *w)
{
	evtchn_port_t at_a, at_b;
	uint32_t events = 0;

	CHECK(connect_zephyr(w, &at_a, &at_b, count_event, &events));
	settle(w);
	CHECK_EQ(counted(&events), 1);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK(disconnect_zephyr(w, at_a, at_b));
}

static void a_port_used_again_is_like_new(struct world *w)
{
	evtchn_port_t at_a, at_b, again, far;
	uint32_t old = 0, new = 0;

	CHECK(connect_zephyr(w, &at_a, &at_b, NULL, NULL));
	CHECK_EQ(bind_event_channel(at_a, count_event, &old), 0);
	CHECK_EQ(mask_event_channel(at_a), 0);
	CHECK_EQ(xg_sim_switch(w->b.domain), 0);
	CHECK_EQ(notify_evtchn(at_b), 0);
	CHECK(disconnect_zephyr(w, at_a, at_b));

	CHECK(connect_zephyr(w, &again, &far, NULL, NULL));
	CHECK_EQ(again, at_a);
	CHECK_EQ(bind_event_channel(again, count_event, &new), 0);
	settle(w);
	CHECK_EQ(counted(&new), 0);
	CHECK_EQ(xg_sim_switch(w->b.domain), 0);
	CHECK_EQ(notify_evtchn(far), 0);
	settle(w);
	CHECK_EQ(counted(&new), 1);
	CHECK_EQ(counted(&old), 0);
	CHECK(disconnect_zephyr(w, again, far));
}

static void missed_events_are_told_once(struct world *w)
{
	evtchn_port_t at_a, at_b;
	uint32_t events = 0;

	CHECK(connect_zephyr(w, &at_a, &at_b, NULL, NULL));
	CHECK_EQ(bind_event_channel(at_a, count_event, &events), 0);
	CHECK_EQ(unbind_event_channel(at_a), 0);
	CHECK_EQ(get_missed_events(at_a), 0);
	CHECK_EQ(xg_sim_switch(w->b.domain), 0);
	CHECK_EQ(notify_evtchn(at_b), 0);
	settle(w);
	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	CHECK_EQ(get_missed_events(at_a), 1);
	CHECK_EQ(get_missed_events(at_a), 0);
	CHECK_EQ(counted(&events), 0);
	CHECK(disconnect_zephyr(w, at_a, at_b));
}

/* A driver: whether its owner is busy with it, and what its callback does. */
struct driver {
	evtchn_port_t port;
	bool busy;
	uint32_t calls;
	uint32_t calls_while_busy;
	uint32_t answers;
	int errors;
};

/* Answers by Zephyr's names, which act on the domain of the upcall. */
static void driver_callback(void *data)
{
	struct driver *driver = data;

	if (__atomic_load_n(&driver->busy, __ATOMIC_SEQ_CST))
		driver->calls_while_busy++;
	__atomic_add_fetch(&driver->calls, 1, __ATOMIC_SEQ_CST);
	if (driver->answers) {
		driver->answers--;
		driver->errors |= notify_evtchn(driver->port);
	}
}

static void callbacks_may_notify(struct world *w)
{
	struct driver a = {.answers = 1}, b = {.answers = 0};

	CHECK(connect_zephyr(w, &a.port, &b.port, NULL, NULL));
	CHECK_EQ(bind_event_channel(a.port, driver_callback, &a), 0);
	CHECK_EQ(xg_sim_switch(w->b.domain), 0);
	clear_event_channel(b.port);
	CHECK_EQ(bind_event_channel(b.port, driver_callback, &b), 0);
	CHECK_EQ(notify_evtchn(b.port), 0);
	settle(w);
	CHECK_EQ(counted(&a.calls), 1);
	CHECK_EQ(counted(&b.calls), 1);
	CHECK_EQ(a.errors, 0);
	/* The thread's own current domain is what it was. */
	CHECK(xg_current() == w->b.guest);
	CHECK(disconnect_zephyr(w, a.port, b.port));
}

static void callbacks_run_while_their_owner_is_busy(struct world *w)
{
	struct driver a = {.busy = false};
	evtchn_port_t at_b;

	CHECK(connect_zephyr(w, &a.port, &at_b, NULL, NULL));
	CHECK_EQ(bind_event_channel(a.port, driver_callback, &a), 0);
	CHECK_EQ(mask_event_channel(a.port), 0);
	CHECK_EQ(xg_sim_switch(w->b.domain), 0);
	CHECK_EQ(notify_evtchn(at_b), 0);
	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	/* As if it held a lock of its own: none is needed for the callback. */
	__atomic_store_n(&a.busy, true, __ATOMIC_SEQ_CST);
	CHECK_EQ(unmask_event_channel(a.port), 0);
	settle(w);
	CHECK_EQ(counted(&a.calls), 1);
	CHECK_EQ(counted(&a.calls_while_busy), 1);
	CHECK(disconnect_zephyr(w, a.port, at_b));
}

static void failed_grants_are_negative_as_int(struct world *w)
{
	int32_t gref;
	int as_int;

	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	gref = (int32_t)gnttab_grant_access(0x7fff, 1, true);
	CHECK_EQ(gref, -XG_EINVAL);
	as_int = (int)gnttab_grant_access(0x7fff, 1, true);
	CHECK(as_int < 0);
	gref = (int32_t)gnttab_grant_access(w->b.id, 0x40000, true);
	CHECK(gref > 0);
	CHECK_EQ(gnttab_end_access((grant_ref_t)gref), 0);
	CHECK_EQ(gnttab_end_access((grant_ref_t)gref), -XG_EINVAL);
}

static void granted_pages_are_the_platforms(struct world *w)
{
	struct xg_sim_leaks before, now;
	void *page = NULL;
	int32_t gref;

	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	CHECK(xg_sim_leaks(w->sim, &before) >= 0);
	gref = gnttab_alloc_and_grant(&page, false);
	CHECK(gref > 0);
	CHECK(xg_sim_leaks(w->sim, &now) >= 0);
	CHECK_EQ(now.pages, before.pages + 1);
	for (unsigned int i = 0; i < XG_PAGE_SIZE; i++)
		CHECK_EQ(((uint8_t *)page)[i], 0);
	CHECK_EQ(gnttab_end_access((grant_ref_t)gref), 0);
	CHECK_EQ(xg_sim_page_free(w->a.domain, page, 1), 0);
	/* Without memory nothing is granted. */
	page = &page;
	CHECK_EQ(xg_sim_fail_hook(w->a.domain, XG_SIM_HOOK_PAGE_ALLOC, 1), 0);
	CHECK_EQ(gnttab_alloc_and_grant(&page, false), -XG_ENOMEM);
	CHECK(page == &page);
}

static void refs_are_mapped_all_or_none(struct world *w)
{
	struct gnttab_map_grant_ref maps[2];
	struct gnttab_unmap_grant_ref unmap;
	grant_ref_t gref = 0;
	void *page = grant_page(&w->a, w->b.id, false, &gref);
	uint8_t *at;

	CHECK(page);
	CHECK_EQ(xg_sim_switch(w->b.domain), 0);
	at = xen_region_get_pages(2);
	CHECK(at);
	maps[0] = map_op(at, w->a.id, gref, false);
	maps[1] = map_op(at + XG_PAGE_SIZE, w->a.id, gref + 1, false);
	CHECK_EQ(gnttab_map_refs(maps, 2), -XG_EINVAL);
	CHECK_EQ(maps[0].status, GNTST_okay);
	CHECK_EQ(maps[1].status, GNTST_general_error);
	CHECK_EQ(xg_gnttab_end(w->a.guest, gref), 0);
	gref = (grant_ref_t)xg_gnttab_grant(w->a.guest, w->b.id, 0x40010,
					    false);
	maps[0] = map_op(at, w->a.id, gref, false);
	CHECK_EQ(gnttab_map_refs(maps, 1), 0);
	unmap = unmap_op(&maps[0]);
	CHECK_EQ(gnttab_unmap_refs(&unmap, 1), 0);
	CHECK_EQ(xen_region_put_pages(at, 2), 0);
	CHECK_EQ(xg_gnttab_end(w->a.guest, gref), 0);
	CHECK_EQ(xg_sim_page_free(w->a.domain, page, 1), 0);
}

static void errs_are_always_filled(struct world *w)
{
	xen_ulong_t idxs[4] = {1, 2, 3, 4};
	xen_pfn_t gfns[4] = {0x50000, 0x50001, 0x50002, 0x50003};
	int errs[4] = {1, 1, 1, 1};

	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	CHECK(xendom_add_to_physmap_batch(DOMID_SELF, w->b.id,
					  XENMAPSPACE_gmfn_foreign, 4, idxs,
					  gfns, errs) < 0);
	for (unsigned int i = 0; i < 4; i++)
		CHECK(errs[i] < 0);
}

static const struct test tests[] = {
	TEST(calls_need_a_current_guest),
	TEST(a_bound_port_delivers_without_unmask),
	TEST(a_first_callback_comes_for_nothing),
	TEST(a_port_used_again_is_like_new),
	TEST(missed_events_are_told_once),
	TEST(callbacks_may_notify),
	TEST(callbacks_run_while_their_owner_is_busy),
	TEST(failed_grants_are_negative_as_int),
	TEST(granted_pages_are_the_platforms),
	TEST(refs_are_mapped_all_or_none),
	TEST(errs_are_always_filled),
	{NULL, NULL},
};

const struct suite zephyr_suite = {"zephyr", tests};
