/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Regions, by the core's names and by Zephyr's. */
#include "harness.h"

#include <zephyr/xen/regions.h>

#define REGION_PAGES 256

static void pages_come_and_go(struct world *w)
{
	struct xg_guest *g = w->a.guest;
	uint8_t *one = xg_region_get_pages(g, 1);
	uint8_t *many = xg_region_get_pages(g, 100);

	CHECK(one && many);
	CHECK(xg_region_contains(g, one));
	CHECK(!xg_region_contains(g, &one));
	CHECK(!xg_region_get_pages(g, 0));
	CHECK(!xg_region_get_pages(g, REGION_PAGES));
	CHECK_EQ(xg_region_put_pages(g, &one, 1), -XG_EIO);
	CHECK_EQ(xg_region_put_pages(g, many + 1, 100), -XG_EINVAL);
	CHECK_EQ(xg_region_put_pages(g, many, 99), -XG_EINVAL);
	CHECK_EQ(xg_region_put_pages(g, many, 100), 0);
	CHECK_EQ(xg_region_put_pages(g, many, 100), -XG_EINVAL);
	CHECK_EQ(xg_region_put_pages(g, one, 1), 0);
	many = xg_region_get_pages(g, REGION_PAGES);
	CHECK(many);
	CHECK(!xg_region_get_pages(g, 1));
	CHECK_EQ(xg_region_put_pages(g, many, REGION_PAGES), 0);
}

static void a_region_in_use_keeps_the_guest(struct world *w)
{
	void *page = xg_region_get_pages(w->a.guest, 1);

	CHECK(page);
	CHECK_EQ(xg_sim_guest_fini(w->a.domain), -XG_EBUSY);
	CHECK_EQ(xg_region_put_pages(w->a.guest, page, 1), 0);
}

static void zephyr_names_act_on_the_current_guest(struct world *w)
{
	void *at_a, *at_b;

	CHECK(!xen_region_get_pages(1));
	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	at_a = xen_region_get_pages(2);
	CHECK_EQ(xg_sim_switch(w->b.domain), 0);
	at_b = xen_region_get_pages(2);
	CHECK(at_a && at_b && at_a != at_b);
	CHECK(xen_region_is_addr_extreg(at_b));
	CHECK(!xen_region_is_addr_extreg(at_a));
	CHECK_EQ(xen_region_put_pages(at_a, 2), -XG_EIO);
	CHECK_EQ(xen_region_put_pages(at_b, 2), 0);
	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	CHECK_EQ(xen_region_put_pages(at_a, 2), 0);
}

static void zephyr_maps_what_is_there(struct world *w)
{
	uint32_t done;
	uint64_t gfn;
	uint8_t *at;

	CHECK_EQ(xg_sim_switch(w->a.domain), 0);
	at = xen_region_get_pages(2);
	CHECK(at);
	/* RAM takes the place of the empty frames for a while. */
	CHECK_EQ(xg_sim_gfn(w->a.domain, at, &gfn), 0);
	CHECK_EQ(xg_sim_populate(w->a.domain, gfn, 2), 0);
	CHECK_EQ(xen_region_map(at, 2), 0);
	CHECK_EQ(xen_region_map(at + XG_PAGE_SIZE, 1), -XG_EBUSY);
	at[0] = 1;
	at[2 * XG_PAGE_SIZE - 1] = 2;
	CHECK_EQ(xen_region_put_pages(at, 2), -XG_EBUSY);
	CHECK_EQ(xen_region_unmap(at, 2), 0);
	CHECK_EQ(xen_region_unmap(at, 1), -XG_EINVAL);
	CHECK_EQ(xen_region_map(at + 2 * XG_PAGE_SIZE, 1), -XG_EFAULT);
	CHECK_EQ(
		xg_memory_decrease_range(w->a.guest, DOMID_SELF, gfn, 2, &done),
		0);
	CHECK_EQ(xen_region_put_pages(at, 2), 0);
}

static const struct test tests[] = {
	TEST(pages_come_and_go),
	TEST(a_region_in_use_keeps_the_guest),
	TEST(zephyr_names_act_on_the_current_guest),
	TEST(zephyr_maps_what_is_there),
	{NULL, NULL},
};

const struct suite regions_suite = {"regions", tests};
