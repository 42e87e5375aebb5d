/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Peers that keep to nothing but Xen's rules: the guest stays live, and gets
 * back what it can. */
#include "harness.h"

#include <string.h>

#define STORM 5000

static void a_storm_costs_no_event_of_others(struct world *w)
{
	uint32_t at_a, at_b, quiet_a, quiet_b, events = 0, others = 0;

	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK(connect_ports(w, &quiet_a, &quiet_b));
	CHECK_EQ(xg_evtchn_bind(w->a.guest, at_a, count_event, &events), 0);
	CHECK_EQ(xg_evtchn_bind(w->a.guest, quiet_a, count_event, &others), 0);
	CHECK_EQ(xg_sim_storm(w->b.domain, at_b, STORM), 0);
	CHECK_EQ(xg_evtchn_notify(w->b.guest, quiet_b), 0);
	CHECK_EQ(xg_sim_storm(w->b.domain, at_b, STORM), 0);
	settle(w);
	CHECK_EQ(counted(&others), 1);
	CHECK(counted(&events) > 0);
	CHECK(counted(&events) <= 2 * STORM);
	CHECK_EQ(xg_sim_storm(w->b.domain, 1000, 1), -XG_EINVAL);
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->a.guest, quiet_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, quiet_b), 0);
}

static void late_ends_slow_a_storm_down(struct world *w)
{
	uint32_t at_a, at_b, events = 0;

	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_set_late(w->a.guest, at_a, true), 0);
	CHECK_EQ(xg_evtchn_bind(w->a.guest, at_a, count_event, &events), 0);
	for (uint32_t n = 1; n <= 3; n++) {
		CHECK_EQ(xg_sim_storm(w->b.domain, at_b, STORM), 0);
		settle(w);
		CHECK_EQ(counted(&events), n);
		CHECK_EQ(xg_sim_storm(w->b.domain, at_b, STORM), 0);
		settle(w);
		CHECK_EQ(counted(&events), n);
		CHECK_EQ(xg_evtchn_take_pending(w->a.guest, at_a), 1);
		CHECK_EQ(xg_evtchn_done(w->a.guest, at_a, true), 0);
	}
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
}

static void a_page_is_lost_only_while_its_peer_lives(struct world *w)
{
	struct dom peer;
	grant_ref_t gref = 0;
	uint32_t handle = 0;
	uint8_t *page;
	void *seen = NULL;

	CHECK(add_domain(w, NULL, &peer));
	page = grant_page(&w->a, peer.id, false, &gref);
	CHECK(page);
	CHECK_EQ(xg_sim_map_grant(peer.domain, w->a.id, gref, false, &seen,
				  &handle),
		 0);
	/* It may write whenever it likes. */
	memset(seen, 0xff, XG_PAGE_SIZE);
	CHECK_EQ(page[123], 0xff);
	CHECK_EQ(xg_gnttab_end(w->a.guest, gref), -XG_EBUSY);
	CHECK_EQ(xg_sim_page_free(w->a.domain, page, 1), -XG_EINVAL);
	CHECK_EQ(xg_sim_guest_fini(w->a.domain), -XG_EBUSY);
	CHECK_EQ(xg_sim_domain_kill(peer.domain), 0);
	CHECK_EQ(xg_sim_domain_exists(peer.domain), 0);
	CHECK(end_page(&w->a, page, gref));
}

static void nobody_maps_what_is_not_his(struct world *w)
{
	struct dom other;
	grant_ref_t gref = 0;
	uint32_t handle = 0;
	void *page, *seen = NULL;

	CHECK(add_domain(w, NULL, &other));
	page = grant_page(&w->a, w->b.id, true, &gref);
	CHECK(page);
	CHECK_EQ(xg_sim_map_grant(other.domain, w->a.id, gref, true, &seen,
				  &handle),
		 -XG_EACCES);
	CHECK_EQ(xg_sim_map_grant(w->b.domain, w->a.id, gref, false, &seen,
				  &handle),
		 -XG_EACCES);
	CHECK_EQ(xg_sim_map_grant(w->b.domain, w->a.id, gref + 1, true, &seen,
				  &handle),
		 -XG_EACCES);
	CHECK(end_page(&w->a, page, gref));
	CHECK_EQ(xg_sim_map_grant(w->b.domain, w->a.id, gref, true, &seen,
				  &handle),
		 -XG_EACCES);
	CHECK_EQ(xg_sim_guest_fini(other.domain), 0);
}

static void a_port_in_a_shared_page_is_not_trusted(struct world *w)
{
	static const uint32_t lies[] = {0, 1, 77, 1023, 1024, UINT32_MAX};
	grant_ref_t gref = 0;
	uint32_t *page = grant_page(&w->a, w->b.id, false, &gref);
	uint32_t handle = 0;
	void *seen = NULL;

	CHECK(page);
	CHECK_EQ(xg_sim_map_grant(w->b.domain, w->a.id, gref, false, &seen,
				  &handle),
		 0);
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		*(uint32_t *)seen = lies[i];
		CHECK_EQ(xg_evtchn_bind_interdomain(w->a.guest, w->b.id, *page,
						    NULL, NULL),
			 -XG_EINVAL);
	}
	CHECK_EQ(xg_sim_unmap_grant(w->b.domain, seen, handle), 0);
	CHECK_EQ(xg_sim_unmap_grant(w->b.domain, seen, handle), -XG_EACCES);
	CHECK(end_page(&w->a, page, gref));
}

static void a_dead_peer_leaves_an_open_port(struct world *w)
{
	uint32_t at_a, at_b, events = 0;

	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_bind(w->a.guest, at_a, count_event, &events), 0);
	CHECK_EQ(xg_sim_domain_kill(w->b.domain), 0);
	CHECK_EQ(xg_sim_hypercall(w->b.domain, __HYPERVISOR_sched_op,
				  SCHEDOP_yield, 0, 0, 0, 0),
		 -XG_ESRCH);
	CHECK_EQ(xg_evtchn_notify(w->a.guest, at_a), 0);
	settle(w);
	CHECK_EQ(counted(&events), 0);
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
}

/* Marsaglia's xorshift: the same in every run. */
static uint32_t next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static void rubbish_harms_nobody_else(struct world *w)
{
	static const uint32_t grant_ops[] = {
		GNTTABOP_map_grant_ref,
		GNTTABOP_unmap_grant_ref,
		GNTTABOP_query_size,
		GNTTABOP_copy,
	};
	const struct xg_sim_domain_config config = {.ram_pages = 64};
	struct xg_sim_domain *rogue;
	uint32_t at_a, at_b, events = 0, state = 1;
	uint32_t *words;

	w->rough = true;
	CHECK_EQ(xg_sim_domain_create(w->sim, &config, &rogue), 0);
	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_bind(w->a.guest, at_a, count_event, &events), 0);
	words = xg_sim_page_alloc(rogue, 1);
	CHECK(words);
	for (uint32_t round = 0; round < 20000; round++) {
		uint32_t op = next_random(&state);

		/* Small numbers are more often something. */
		for (unsigned int i = 0; i < 12; i++)
			words[i] = next_random(&state) >> (i % 4 * 8);
		words[next_random(&state) % 12] = w->a.id;
		if (op % 2)
			xg_sim_hypercall(rogue, __HYPERVISOR_event_channel_op,
					 op / 2 % 16, (uintptr_t)words, 0, 0,
					 0);
		else
			xg_sim_hypercall(rogue, __HYPERVISOR_grant_table_op,
					 grant_ops[op / 2 % 4],
					 (uintptr_t)words, 1, 0, 0);
	}
	CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
	CHECK_EQ(xg_sim_domain_kill(rogue), 0);
}

static const struct test tests[] = {
	TEST(a_storm_costs_no_event_of_others),
	TEST(late_ends_slow_a_storm_down),
	TEST(a_page_is_lost_only_while_its_peer_lives),
	TEST(nobody_maps_what_is_not_his),
	TEST(a_port_in_a_shared_page_is_not_trusted),
	TEST(a_dead_peer_leaves_an_open_port),
	TEST(rubbish_harms_nobody_else),
	{NULL, NULL},
};

const struct suite peers_suite = {"peers", tests};
