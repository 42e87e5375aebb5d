/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Grants by the core's names. */
#include "harness.h"

#include <string.h>

static void a_granted_page_is_one_page(struct world *w)
{
	grant_ref_t gref = 0;
	uint8_t *page = grant_page(&w->a, w->b.id, false, &gref);
	uint8_t *seen = xg_region_get_pages(w->b.guest, 1);
	struct gnttab_map_grant_ref map = map_op(seen, w->a.id, gref, false);
	struct gnttab_unmap_grant_ref unmap;

	CHECK(page && seen);
	CHECK(gref >= XG_GRANT_RESERVED);
	CHECK_EQ(page[17], 0);
	CHECK_EQ(xg_gnttab_map(w->b.guest, &map, 1), 0);
	page[17] = 0x5a;
	CHECK_EQ(seen[17], 0x5a);
	seen[4095] = 0xa5;
	CHECK_EQ(page[4095], 0xa5);

	CHECK_EQ(xg_gnttab_end(w->a.guest, gref), -XG_EBUSY);
	unmap = unmap_op(&map);
	CHECK_EQ(xg_gnttab_unmap(w->b.guest, &unmap, 1), 0);
	CHECK_EQ(xg_gnttab_unmap(w->b.guest, &unmap, 1), -XG_EINVAL);
	CHECK_EQ(xg_region_put_pages(w->b.guest, seen, 1), 0);
	CHECK(end_page(&w->a, page, gref));
	CHECK_EQ(xg_gnttab_end(w->a.guest, gref), -XG_EINVAL);
}

static void mapping_is_all_or_none(struct world *w)
{
	struct gnttab_map_grant_ref maps[3];
	struct gnttab_unmap_grant_ref unmaps[3];
	grant_ref_t grefs[3];
	void *pages[3];
	uint8_t *window = xg_region_get_pages(w->b.guest, 3);
	struct xg_sim_leaks leaks;

	CHECK(window);
	for (unsigned int i = 0; i < 3; i++) {
		pages[i] = grant_page(&w->a, w->b.id, i == 1, &grefs[i]);
		CHECK(pages[i]);
		maps[i] = map_op(window + i * XG_PAGE_SIZE, w->a.id, grefs[i],
				 false);
	}
	/* The second one is granted for reading only. */
	CHECK_EQ(xg_gnttab_map(w->b.guest, maps, 3), -XG_EINVAL);
	for (unsigned int i = 0; i < 3; i++)
		CHECK_EQ(maps[i].handle, XG_NO_HANDLE);
	CHECK_EQ(maps[0].status, GNTST_okay);
	CHECK(maps[1].status < 0);
	CHECK(xg_sim_leaks(w->sim, &leaks) == 1);
	CHECK_EQ(leaks.mappings, 0);

	maps[1].flags |= GNTMAP_readonly;
	CHECK_EQ(xg_gnttab_map(w->b.guest, maps, 3), 0);
	for (unsigned int i = 0; i < 3; i++)
		unmaps[i] = unmap_op(&maps[i]);
	CHECK_EQ(xg_gnttab_unmap(w->b.guest, unmaps, 3), 0);
	CHECK_EQ(xg_region_put_pages(w->b.guest, window, 3), 0);
	for (unsigned int i = 0; i < 3; i++)
		CHECK(end_page(&w->a, pages[i], grefs[i]));
}

static void bad_grants_are_refused(struct world *w)
{
	struct gnttab_map_grant_ref map;
	void *at = xg_region_get_pages(w->b.guest, 1);

	CHECK(at);
	CHECK_EQ(xg_gnttab_grant(w->a.guest, DOMID_SELF, 1, false), -XG_EINVAL);
	CHECK_EQ(xg_gnttab_grant(w->a.guest, w->b.id, UINT64_C(1) << 32, false),
		 -XG_ERANGE);
	CHECK_EQ(xg_gnttab_end(w->a.guest, 0), -XG_EINVAL);
	CHECK_EQ(xg_gnttab_end(w->a.guest, 9), -XG_EINVAL);
	CHECK_EQ(xg_gnttab_end(w->a.guest, UINT32_MAX), -XG_EINVAL);
	map = map_op(at, w->a.id, 9, false);
	CHECK_EQ(xg_gnttab_map(w->b.guest, &map, 1), -XG_EINVAL);
	map = map_op(at, 99, 9, false);
	CHECK_EQ(xg_gnttab_map(w->b.guest, &map, 1), -XG_ESRCH);
	CHECK_EQ(xg_region_put_pages(w->b.guest, at, 1), 0);
}

static void references_come_in_batches_and_runs(struct world *w)
{
	struct xg_window ram;
	uint64_t gfns[100];
	uint32_t grefs[100];
	int32_t first;

	CHECK_EQ(xg_sim_window(w->a.domain, XG_SIM_RAM, &ram), 0);
	for (unsigned int i = 0; i < 100; i++)
		gfns[i] = ram.gfn + i;
	CHECK_EQ(xg_gnttab_grant_batch(w->a.guest, w->b.id, gfns, grefs, 100,
				       true),
		 0);
	CHECK_EQ(xg_gnttab_end_batch(w->a.guest, grefs, NULL, 100), 0);
	first = xg_gnttab_grant_run(w->a.guest, w->b.id, ram.gfn, 100, true);
	CHECK(first > 0);
	for (uint32_t i = 0; i < 100; i++)
		grefs[i] = (uint32_t)first + i;
	CHECK_EQ(xg_gnttab_end_batch(w->a.guest, grefs, NULL, 100), 0);
}

static void the_table_grows_and_ends(struct world *w)
{
	/* Four frames, of which the first eight references are Xen's. */
	uint32_t most = 4 * XG_GRANTS_PER_FRAME - XG_GRANT_RESERVED;
	static uint32_t grefs[4 * XG_GRANTS_PER_FRAME];
	uint32_t count = 0;
	struct xg_window ram;
	int32_t gref;

	CHECK_EQ(xg_sim_window(w->a.domain, XG_SIM_RAM, &ram), 0);
	for (;;) {
		gref = xg_gnttab_grant(w->a.guest, w->b.id, ram.gfn, true);
		if (gref < 0)
			break;
		CHECK(count < most);
		grefs[count++] = (uint32_t)gref;
	}
	CHECK_EQ(gref, -XG_ENOSPC);
	CHECK_EQ(count, most);
	CHECK_EQ(xg_gnttab_end_batch(w->a.guest, grefs, NULL, count), 0);
}

static void a_parked_grant_ends_later(struct world *w)
{
	grant_ref_t gref = 0;
	void *page = grant_page(&w->a, w->b.id, false, &gref);
	uint32_t released = 0;
	uint32_t handle = 0;
	void *seen = NULL;

	CHECK(page);
	CHECK_EQ(xg_sim_map_grant(w->b.domain, w->a.id, gref, false, &seen,
				  &handle),
		 0);
	CHECK_EQ(xg_gnttab_park(w->a.guest, gref, count_event, &released), 1);
	CHECK_EQ(xg_gnttab_reap(w->a.guest, 100), 1);
	CHECK_EQ(released, 0);
	CHECK_EQ(xg_sim_unmap_grant(w->b.domain, seen, handle), 0);
	CHECK_EQ(xg_gnttab_reap(w->a.guest, 100), 0);
	CHECK_EQ(released, 1);
	CHECK_EQ(xg_sim_page_free(w->a.domain, page, 1), 0);
}

static void xen_copies_to_a_grant(struct world *w)
{
	grant_ref_t gref = 0;
	char *page = grant_page(&w->a, w->b.id, false, &gref);
	char *from = xg_sim_page_alloc(w->b.domain, 1);
	struct gnttab_copy copy = {.len = 6, .flags = GNTCOPY_dest_gref};
	uint64_t gfn;

	CHECK(page && from);
	CHECK_EQ(xg_sim_gfn(w->b.domain, from, &gfn), 0);
	memcpy(from, "hello", 6);
	copy.source.u.gmfn = (xen_pfn_t)gfn;
	copy.source.domid = DOMID_SELF;
	copy.dest.u.ref = gref;
	copy.dest.domid = w->a.id;
	copy.dest.offset = 100;
	CHECK_EQ(xg_gnttab_copy(w->b.guest, &copy, 1), 0);
	CHECK(!strcmp(page + 100, "hello"));
	copy.dest.u.ref = gref + 1;
	CHECK(xg_gnttab_copy(w->b.guest, &copy, 1) < 0);
	CHECK_EQ(xg_sim_page_free(w->b.domain, from, 1), 0);
	CHECK(end_page(&w->a, page, gref));
}

static bool add_guest(struct xg_sim *sim, struct dom *dom)
{
	struct xg_sim_guest_config config = {.flags = XG_SIM_GRANTS_V2};
	int id;

	if (xg_sim_domain_create(sim, NULL, &dom->domain) ||
	    xg_sim_guest_init(dom->domain, &config, &dom->guest))
		return false;
	id = xg_sim_domain_id(dom->domain);
	dom->id = (domid_t)id;
	return id >= 0;
}

static void part_of_a_page_is_copied(struct world *w)
{
	struct xg_sim_guest_config config = {.flags = XG_SIM_GRANTS_V2};
	struct xg_sim *sim = xg_sim_create(XG_SIM_HAS_GRANTS_V2);
	struct gnttab_copy copy = {.len = 6, .flags = GNTCOPY_dest_gref};
	struct gnttab_map_grant_ref map;
	struct dom a, b, c;
	char *page, *from;
	void *at;
	uint64_t gfn;
	int32_t gref;

	CHECK(sim && add_guest(sim, &a) && add_guest(sim, &b));
	CHECK_EQ(xg_gnttab_version(a.guest, DOMID_SELF), 2);
	page = xg_sim_page_alloc(a.domain, 1);
	from = xg_sim_page_alloc(b.domain, 1);
	at = xg_region_get_pages(b.guest, 1);
	CHECK(page && from && at);
	memset(page, 0, XG_PAGE_SIZE);
	memcpy(from, "hello", 6);
	CHECK_EQ(xg_sim_gfn(a.domain, page, &gfn), 0);
	gref = xg_gnttab_grant_sub_page(a.guest, b.id, gfn, 100, 6, false);
	CHECK_EQ(gref, XG_GRANT_RESERVED);
	CHECK_EQ(xg_sim_gfn(b.domain, from, &gfn), 0);
	copy.source.u.gmfn = (xen_pfn_t)gfn;
	copy.source.domid = DOMID_SELF;
	copy.dest.u.ref = (grant_ref_t)gref;
	copy.dest.domid = a.id;
	copy.dest.offset = 100;
	CHECK_EQ(xg_gnttab_copy(b.guest, &copy, 1), 0);
	CHECK(!strcmp(page + 100, "hello"));
	copy.dest.offset = 101;
	CHECK_EQ(xg_gnttab_copy(b.guest, &copy, 1), -XG_EINVAL);
	CHECK(!strcmp(page + 100, "hello"));
	map = map_op(at, a.id, (grant_ref_t)gref, true);
	CHECK_EQ(xg_gnttab_map(b.guest, &map, 1), -XG_EINVAL);
	CHECK_EQ(xg_gnttab_end(a.guest, (uint32_t)gref), 0);
	CHECK_EQ(xg_gnttab_end(a.guest, (uint32_t)gref), -XG_EINVAL);
	CHECK_EQ(xg_sim_destroy(sim), 0);

	/* Where there is no version 2. */
	CHECK_EQ(xg_sim_domain_create(w->sim, NULL, &c.domain), 0);
	CHECK_EQ(xg_sim_guest_init(c.domain, &config, &c.guest), -XG_ENOSYS);
	gref = xg_gnttab_grant_sub_page(w->a.guest, w->b.id, 1, 0, 16, true);
	CHECK_EQ(gref, -XG_EOPNOTSUPP);
}

static const struct test tests[] = {
	TEST(a_granted_page_is_one_page),
	TEST(mapping_is_all_or_none),
	TEST(bad_grants_are_refused),
	TEST(references_come_in_batches_and_runs),
	TEST(the_table_grows_and_ends),
	TEST(a_parked_grant_ends_later),
	TEST(xen_copies_to_a_grant),
	TEST(part_of_a_page_is_copied),
	{NULL, NULL},
};

const struct suite grants_suite = {"grants", tests};
