/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Reservations, the physmap, and other domains' frames. */
#include "harness.h"

#include <string.h>

static void memory_goes_back_and_comes_again(struct world *w)
{
	uint64_t before, now, gfn;
	uint32_t done = 0;
	void *pages = xg_sim_page_alloc(w->a.domain, 4);

	CHECK(pages);
	CHECK_EQ(xg_sim_gfn(w->a.domain, pages, &gfn), 0);
	CHECK_EQ(xg_memory_current_reservation(w->a.guest, DOMID_SELF, &before),
		 0);
	CHECK_EQ(
		xg_memory_decrease_range(w->a.guest, DOMID_SELF, gfn, 4, &done),
		0);
	CHECK_EQ(done, 4);
	CHECK_EQ(xg_sim_frame(w->a.domain, gfn), XG_SIM_EMPTY);
	CHECK_EQ(xg_memory_current_reservation(w->a.guest, DOMID_SELF, &now),
		 0);
	CHECK_EQ(now, before - 4);
	CHECK_EQ(
		xg_memory_decrease_range(w->a.guest, DOMID_SELF, gfn, 4, &done),
		-XG_EINVAL);
	CHECK_EQ(done, 0);
	CHECK_EQ(
		xg_memory_populate_range(w->a.guest, DOMID_SELF, gfn, 4, &done),
		0);
	CHECK_EQ(done, 4);
	memset(pages, 0x77, 4 * XG_PAGE_SIZE);
	CHECK_EQ(xg_memory_populate_range(w->a.guest, DOMID_SELF, 0x40001000, 1,
					  &done),
		 -XG_E2BIG);
	CHECK_EQ(xg_sim_page_free(w->a.domain, pages, 4), 0);
}

static void a_batch_says_what_became_of_each(struct world *w)
{
	uint64_t idxs[3] = {0, 1, 0}, gfns[3];
	int errs[3] = {77, 77, 77};
	struct xg_window at;

	/* Nobody but a control domain has foreign frames. */
	CHECK_EQ(xg_sim_window(w->a.domain, XG_SIM_EXTENDED, &at), 0);
	for (unsigned int i = 0; i < 3; i++)
		gfns[i] = at.gfn + at.pages - 1 - i;
	CHECK_EQ(xg_memory_add_to_physmap_batch(w->a.guest, DOMID_SELF, w->b.id,
						XENMAPSPACE_gmfn_foreign, 3,
						idxs, gfns, errs),
		 -XG_EPERM);
	for (unsigned int i = 0; i < 3; i++)
		CHECK(errs[i] < 0);
}

static void a_control_domain_sees_foreign_frames(struct world *w)
{
	const struct xg_sim_domain_config privileged = {
		.flags = XG_SIM_PRIVILEGED | XG_SIM_DIRECT_MAP,
	};
	struct dom control;
	struct xg_window at = {0};
	uint32_t left = 0;
	uint64_t gfn;
	uint8_t *page = xg_sim_page_alloc(w->a.domain, 2);

	CHECK(page);
	CHECK(add_domain(w, &privileged, &control));
	CHECK_EQ(control.id, 0);
	CHECK_EQ(xg_sim_gfn(w->a.domain, page, &gfn), 0);
	at.va = xg_region_get_pages(control.guest, 2);
	at.pages = 2;
	CHECK(at.va);
	CHECK_EQ(xg_sim_gfn(control.domain, at.va, &at.gfn), 0);

	page[0] = 1;
	page[XG_PAGE_SIZE] = 2;
	CHECK_EQ(xg_foreign_map(control.guest, w->a.id, gfn, &at,
				XG_PROT_READ | XG_PROT_WRITE, &left),
		 0);
	CHECK_EQ(xg_sim_frame(control.domain, at.gfn), XG_SIM_FOREIGN);
	CHECK_EQ(((uint8_t *)at.va)[0], 1);
	CHECK_EQ(((uint8_t *)at.va)[XG_PAGE_SIZE], 2);
	((uint8_t *)at.va)[1] = 3;
	CHECK_EQ(page[1], 3);
	CHECK_EQ(xg_foreign_unmap(control.guest, &at, &left), 0);
	CHECK_EQ(xg_sim_frame(control.domain, at.gfn), XG_SIM_EMPTY);

	/* All or nothing: the second frame is no RAM. */
	CHECK_EQ(xg_foreign_map(control.guest, w->a.id, gfn + 1023, &at,
				XG_PROT_READ, &left),
		 -XG_EINVAL);
	CHECK_EQ(xg_sim_frame(control.domain, at.gfn), XG_SIM_EMPTY);
	CHECK_EQ(xg_region_put_pages(control.guest, at.va, 2), 0);
	CHECK_EQ(xg_sim_page_free(w->a.domain, page, 2), 0);
	CHECK_EQ(xg_sim_guest_fini(control.domain), 0);
}

static void parameters_are_read_and_checked(struct world *w)
{
	uint64_t most = 0, gfn = 0;

	CHECK_EQ(xg_memory_maximum_reservation(w->a.guest, DOMID_SELF, &most),
		 0);
	CHECK_EQ(most, 1024);
	CHECK_EQ(xg_memory_maximum_gpfn(w->a.guest, DOMID_SELF, &gfn), 0);
	CHECK(gfn > 0);
	CHECK_EQ(xg_memory_maximum_reservation(w->a.guest, w->b.id, &most),
		 -XG_EPERM);
	CHECK_EQ(xg_memory_maximum_reservation(w->a.guest, 99, &most),
		 -XG_ESRCH);
	CHECK_EQ(xg_memory_maximum_reservation(w->a.guest, DOMID_SELF, NULL),
		 -XG_EINVAL);
	CHECK_EQ(xg_memory_remove_from_physmap(w->a.guest, DOMID_SELF, 0x10),
		 -XG_ENOENT);
}

static const struct test tests[] = {
	TEST(memory_goes_back_and_comes_again),
	TEST(a_batch_says_what_became_of_each),
	TEST(a_control_domain_sees_foreign_frames),
	TEST(parameters_are_read_and_checked),
	{NULL, NULL},
};

const struct suite memory_suite = {"memory", tests};
