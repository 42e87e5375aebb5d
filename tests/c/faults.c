/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Everything that can fail fails once: nothing is lost, and the next attempt
 * goes well. */
#include "harness.h"

#include <string.h>

/* What is tried, with what it needs. */
struct attempt {
	struct world *w;
	struct xg_sim_domain *domain; /* whose calls fail */
	int (*run)(struct attempt *attempt);
	int (*undo)(struct attempt *attempt);
	uint32_t port;
	grant_ref_t grefs[3];
	void *page;
	uint8_t *window;
	struct gnttab_map_grant_ref maps[3];
	struct xg_guest *guest;
};

/* What is made to fail. */
enum fault { HYPERCALL, MAP, UNMAP, PAGE_ALLOC, GRANT_MAP, FAULTS };

static int inject(struct xg_sim_domain *domain, enum fault fault, uint64_t n)
{
	switch (fault) {
	case HYPERCALL:
		return xg_sim_fail_hypercall(domain, n, XG_EIO);
	case MAP:
		return xg_sim_fail_hook(domain, XG_SIM_HOOK_MAP, n);
	case UNMAP:
		return xg_sim_fail_hook(domain, XG_SIM_HOOK_UNMAP, n);
	case PAGE_ALLOC:
		return xg_sim_fail_hook(domain, XG_SIM_HOOK_PAGE_ALLOC, n);
	default:
		return xg_sim_fail_grant_map(domain, n, GNTST_no_space);
	}
}

static bool as_before(struct world *w, const struct xg_sim_leaks *before)
{
	struct xg_sim_leaks now;

	return xg_sim_leaks(w->sim, &now) >= 0 &&
	       !memcmp(&now, before, sizeof(now));
}

/* Let the n-th call fail, for n from 1 until the attempt has no more calls.
 * Each kind of fault in `kinds` happens at least once. */
static void exhaust(struct attempt *attempt, unsigned int kinds)
{
	struct xg_sim_leaks before;

	CHECK(xg_sim_leaks(attempt->w->sim, &before) >= 0);
	for (enum fault fault = 0; fault < FAULTS; fault++) {
		uint64_t n = 1;
		bool hit = kinds & 1u << fault;

		for (; hit; n++) {
			int rc;

			CHECK_EQ(inject(attempt->domain, fault, n), 0);
			rc = attempt->run(attempt);
			hit = !xg_sim_faults_left(attempt->domain);
			CHECK_EQ(xg_sim_clear_faults(attempt->domain), 0);
			if (rc < 0) {
				CHECK(hit);
				CHECK(as_before(attempt->w, &before));
				CHECK(attempt->run(attempt) >= 0);
			}
			CHECK(attempt->undo(attempt) >= 0);
			CHECK(as_before(attempt->w, &before));
		}
		CHECK(!(kinds & 1u << fault) || n > 2);
	}
}

static int run_alloc(struct attempt *attempt)
{
	struct world *w = attempt->w;
	int rc = xg_evtchn_alloc_unbound(w->a.guest, DOMID_SELF, w->b.id);

	attempt->port = (uint32_t)rc;
	return rc;
}

static int undo_alloc(struct attempt *attempt)
{
	return xg_evtchn_close(attempt->w->a.guest, attempt->port);
}

static void opening_a_port(struct world *w)
{
	struct attempt attempt = {
		.w = w,
		.domain = w->a.domain,
		.run = run_alloc,
		.undo = undo_alloc,
	};

	exhaust(&attempt, 1u << HYPERCALL);
}

static int run_grant(struct attempt *attempt)
{
	struct world *w = attempt->w;
	int32_t rc = xg_gnttab_alloc_and_grant(w->a.guest, w->b.id,
					       &attempt->page, false);

	attempt->grefs[0] = (grant_ref_t)rc;
	return rc;
}

static int undo_grant(struct attempt *attempt)
{
	return end_page(&attempt->w->a, attempt->page, attempt->grefs[0]) ? 0
									  : -1;
}

static void granting_a_page(struct world *w)
{
	struct attempt attempt = {
		.w = w,
		.domain = w->a.domain,
		.run = run_grant,
		.undo = undo_grant,
	};

	exhaust(&attempt, 1u << PAGE_ALLOC);
}

static int run_map(struct attempt *attempt)
{
	for (unsigned int i = 0; i < 3; i++)
		attempt->maps[i] =
			map_op(attempt->window + i * XG_PAGE_SIZE,
			       attempt->w->a.id, attempt->grefs[i], false);
	return xg_gnttab_map(attempt->w->b.guest, attempt->maps, 3);
}

static int undo_map(struct attempt *attempt)
{
	struct gnttab_unmap_grant_ref unmaps[3];

	for (unsigned int i = 0; i < 3; i++)
		unmaps[i] = unmap_op(&attempt->maps[i]);
	return xg_gnttab_unmap(attempt->w->b.guest, unmaps, 3);
}

static void mapping_grants(struct world *w)
{
	struct attempt attempt = {
		.w = w,
		.domain = w->b.domain,
		.run = run_map,
		.undo = undo_map,
	};
	void *pages[3];

	attempt.window = xg_region_get_pages(w->b.guest, 3);
	CHECK(attempt.window);
	for (unsigned int i = 0; i < 3; i++) {
		pages[i] = grant_page(&w->a, w->b.id, false, &attempt.grefs[i]);
		CHECK(pages[i]);
	}
	exhaust(&attempt, 1u << HYPERCALL | 1u << MAP | 1u << GRANT_MAP);
	CHECK(!has_failed());
	for (unsigned int i = 0; i < 3; i++)
		CHECK(end_page(&w->a, pages[i], attempt.grefs[i]));
	CHECK_EQ(xg_region_put_pages(w->b.guest, attempt.window, 3), 0);
}

static int run_init(struct attempt *attempt)
{
	const struct xg_sim_guest_config config = {
		.flags = attempt->w->fifo ? XG_SIM_FIFO : 0,
	};

	return xg_sim_guest_init(attempt->domain, &config, &attempt->guest);
}

static int undo_init(struct attempt *attempt)
{
	return xg_sim_guest_fini(attempt->domain);
}

static void setting_a_guest_up(struct world *w)
{
	struct attempt attempt = {
		.w = w,
		.run = run_init,
		.undo = undo_init,
	};

	CHECK_EQ(xg_sim_domain_create(w->sim, NULL, &attempt.domain), 0);
	exhaust(&attempt, 1u << HYPERCALL | 1u << MAP | 1u << PAGE_ALLOC);
}

static void what_was_not_unmapped_stays_usable(struct world *w)
{
	grant_ref_t gref = 0;
	uint8_t *page = grant_page(&w->a, w->b.id, false, &gref);
	uint8_t *at = xg_region_get_pages(w->b.guest, 1);
	struct gnttab_map_grant_ref map = map_op(at, w->a.id, gref, false);
	struct gnttab_unmap_grant_ref unmap;

	CHECK(page && at);
	CHECK_EQ(xg_gnttab_map(w->b.guest, &map, 1), 0);
	unmap = unmap_op(&map);
	CHECK_EQ(xg_sim_fail_grant_unmap(w->b.domain, 1, GNTST_general_error),
		 0);
	CHECK_EQ(xg_gnttab_unmap(w->b.guest, &unmap, 1), -XG_EINVAL);
	at[5] = 6;
	CHECK_EQ(page[5], 6);
	unmap = unmap_op(&map);
	CHECK_EQ(xg_gnttab_unmap(w->b.guest, &unmap, 1), 0);
	CHECK_EQ(xg_region_put_pages(w->b.guest, at, 1), 0);
	CHECK(end_page(&w->a, page, gref));
}

static void a_guest_that_kept_a_page_can_start_anew(struct world *w)
{
	struct dom dom;
	struct xg_guest *guest;

	CHECK(add_domain(w, NULL, &dom));
	CHECK_EQ(xg_sim_fail_hook(dom.domain, XG_SIM_HOOK_UNMAP, 1), 0);
	CHECK_EQ(xg_sim_guest_fini(dom.domain), -XG_EIO);
	CHECK_EQ(xg_sim_faults_left(dom.domain), 0);
	CHECK_EQ(xg_sim_guest_fini(dom.domain), -XG_EINVAL);
	/* The page is where the next guest wants it. */
	CHECK_EQ(xg_sim_guest_init(dom.domain, NULL, &guest), 0);
	CHECK_EQ(xg_sim_guest_fini(dom.domain), 0);
}

static void a_page_that_is_swapped_in_is_awaited(struct world *w)
{
	grant_ref_t gref = 0;
	void *page = grant_page(&w->a, w->b.id, false, &gref);
	void *at = xg_region_get_pages(w->b.guest, 1);
	struct gnttab_map_grant_ref map = map_op(at, w->a.id, gref, false);
	struct gnttab_unmap_grant_ref unmap;

	CHECK(page && at);
	/* Three times it is not there yet. */
	for (uint64_t n = 1; n <= 3; n++)
		CHECK_EQ(xg_sim_fail_grant_map(w->b.domain, n, GNTST_eagain),
			 0);
	CHECK_EQ(xg_gnttab_map(w->b.guest, &map, 1), 0);
	CHECK_EQ(xg_sim_faults_left(w->b.domain), 0);
	unmap = unmap_op(&map);
	CHECK_EQ(xg_gnttab_unmap(w->b.guest, &unmap, 1), 0);
	/* But not for ever. */
	for (uint64_t n = 1; n <= 2 * XG_EAGAIN_TRIES; n++)
		CHECK_EQ(xg_sim_fail_grant_map(w->b.domain, n, GNTST_eagain),
			 0);
	map = map_op(at, w->a.id, gref, false);
	CHECK_EQ(xg_gnttab_map(w->b.guest, &map, 1), -XG_EAGAIN);
	CHECK_EQ(map.handle, XG_NO_HANDLE);
	CHECK_EQ(xg_sim_clear_faults(w->b.domain), 0);
	CHECK_EQ(xg_region_put_pages(w->b.guest, at, 1), 0);
	CHECK(end_page(&w->a, page, gref));
}

static const struct test tests[] = {
	TEST(opening_a_port),
	TEST(granting_a_page),
	TEST(mapping_grants),
	TEST(setting_a_guest_up),
	TEST(what_was_not_unmapped_stays_usable),
	TEST(a_guest_that_kept_a_page_can_start_anew),
	TEST(a_page_that_is_swapped_in_is_awaited),
	{NULL, NULL},
};

const struct suite faults_suite = {"faults", tests};
