/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Machines for tests, and the count of how the tests went. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Checks fail in event handlers too, on any thread. */
static bool failure;

static const char *suite_name, *test_name, *variant_name;

static void complain(void)
{
	printf("FAILED %s/%s, %s: ", suite_name, test_name, variant_name);
	__atomic_store_n(&failure, true, __ATOMIC_SEQ_CST);
}

void failed(const char *file, int line, const char *what)
{
	complain();
	printf("%s:%d: %s\n", file, line, what);
}

void differ(const char *file, int line, const char *what, long long left,
	    long long right)
{
	complain();
	printf("%s:%d: %s is %lld, not %lld\n", file, line, what, left, right);
}

bool has_failed(void)
{
	return __atomic_load_n(&failure, __ATOMIC_SEQ_CST);
}

bool add_domain(struct world *w, const struct xg_sim_domain_config *config,
		struct dom *dom)
{
	struct xg_sim_domain_config own = {0};
	struct xg_sim_guest_config guest = {
		.flags = w->fifo ? XG_SIM_FIFO : 0,
	};
	int rc;

	if (config)
		own = *config;
	if (w->async)
		own.flags |= XG_SIM_ASYNC;
	rc = xg_sim_domain_create(w->sim, &own, &dom->domain);
	if (!rc)
		rc = xg_sim_guest_init(dom->domain, &guest, &dom->guest);
	if (rc) {
		differ(__FILE__, __LINE__, "a new domain", rc, 0);
		return false;
	}
	dom->id = (domid_t)xg_sim_domain_id(dom->domain);
	return true;
}

void settle(struct world *w)
{
	int rc = xg_sim_deliver_all(w->sim);

	if (rc < 0)
		differ(__FILE__, __LINE__, "delivery", rc, 0);
}

void count_event(void *data)
{
	__atomic_add_fetch((uint32_t *)data, 1, __ATOMIC_SEQ_CST);
}

uint32_t counted(const uint32_t *count)
{
	return __atomic_load_n(count, __ATOMIC_SEQ_CST);
}

bool connect_ports(struct world *w, uint32_t *at_a, uint32_t *at_b)
{
	int port = xg_evtchn_alloc_unbound(w->a.guest, DOMID_SELF, w->b.id);
	int far = port < 0 ? port
			   : xg_evtchn_bind_interdomain(w->b.guest, w->a.id,
							(uint32_t)port, NULL,
							NULL);

	if (far <= 0) {
		differ(__FILE__, __LINE__, "a connection", far, 1);
		return false;
	}
	*at_a = (uint32_t)port;
	*at_b = (uint32_t)far;
	return true;
}

void *grant_page(struct dom *owner, domid_t peer, bool readonly,
		 grant_ref_t *gref)
{
	void *page = NULL;
	int32_t rc =
		xg_gnttab_alloc_and_grant(owner->guest, peer, &page, readonly);

	if (rc < 0) {
		differ(__FILE__, __LINE__, "a granted page", rc, 1);
		return NULL;
	}
	*gref = (grant_ref_t)rc;
	return page;
}

bool end_page(struct dom *owner, void *page, grant_ref_t gref)
{
	return xg_gnttab_end(owner->guest, gref) == 0 &&
	       xg_sim_page_free(owner->domain, page, 1) == 0;
}

struct gnttab_map_grant_ref map_op(void *at, domid_t owner, grant_ref_t gref,
				   bool readonly)
{
	struct gnttab_map_grant_ref op = {
		.host_addr = (uintptr_t)at,
		.flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0u),
		.ref = gref,
		.dom = owner,
	};

	return op;
}

struct gnttab_unmap_grant_ref unmap_op(const struct gnttab_map_grant_ref *map)
{
	struct gnttab_unmap_grant_ref op = {
		.host_addr = map->host_addr,
		.handle = map->handle,
	};

	return op;
}

/* What a test must not leave behind. */
static void check_end(struct world *w)
{
	struct xg_sim_leaks leaks;
	char text[256];

	CHECK_EQ(xg_sim_guest_fini(w->a.domain), 0);
	CHECK_EQ(xg_sim_guest_fini(w->b.domain), 0);
	CHECK(xg_sim_leaks(w->sim, &leaks) >= 0);
	CHECK_EQ(leaks.ports, 0);
	CHECK_EQ(leaks.grants, 0);
	CHECK_EQ(leaks.mappings, 0);
	CHECK_EQ(leaks.pinned_frames, 0);
	CHECK_EQ(leaks.foreign_mappings, 0);
	CHECK_EQ(leaks.pages, 0);
	CHECK_EQ(leaks.empty_pages, 0);
	CHECK_EQ(leaks.lost_pages, 0);
	CHECK_EQ(leaks.ioreq_servers, 0);
	CHECK_EQ(leaks.io_ranges, 0);
	if (!w->rough && xg_sim_warning(w->sim, 0, text, sizeof(text)) >= 0)
		failed(__FILE__, __LINE__, text);
}

static void run_one(const struct test *test, bool async, bool fifo)
{
	struct world w = {.async = async, .fifo = fifo};

	w.sim = xg_sim_create(XG_SIM_OPEN);
	CHECK(w.sim);
	if (add_domain(&w, NULL, &w.a) && add_domain(&w, NULL, &w.b))
		test->run(&w);
	if (!has_failed())
		check_end(&w);
	CHECK_EQ(xg_sim_switch(NULL), 0);
	CHECK_EQ(xg_sim_destroy(w.sim), 0);
}

static const struct {
	const char *name;
	bool async, fifo;
} variants[] = {
	{"deterministic, 2-level", false, false},
	{"deterministic, FIFO", false, true},
	{"asynchronous, 2-level", true, false},
	{"asynchronous, FIFO", true, true},
};

static const struct suite *const suites[] = {
	&events_suite,	&grants_suite, &memory_suite,
	&regions_suite, &zephyr_suite, &sel4vm_suite,
	&peers_suite,	&faults_suite, &sim_suite,
};

/* What a sanitizer has to find, or it is not there. */
static int overflow(void)
{
	volatile char *byte = calloc(1, 1);
	volatile size_t index = 1;
	char found = byte ? byte[index] : 0;

	free((void *)(uintptr_t)byte);
	return found;
}

static int leak(void)
{
	volatile char *lost = malloc(1000);

	lost = NULL;
	return lost != NULL;
}

/* All suites, or those that are named. */
int main(int argc, char **argv)
{
	unsigned int passed = 0, not_passed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 2 && !strcmp(argv[1], "overflow"))
		return overflow();
	if (argc == 2 && !strcmp(argv[1], "leak"))
		return leak();
	for (size_t s = 0; s < sizeof(suites) / sizeof(*suites); s++) {
		const struct suite *suite = suites[s];
		bool wanted = argc < 2;

		for (int i = 1; i < argc; i++)
			wanted |= !strcmp(argv[i], suite->name);
		suite_name = suite->name;
		for (const struct test *test = suite->tests;
		     wanted && test->name; test++) {
			test_name = test->name;
			for (size_t v = 0;
			     v < sizeof(variants) / sizeof(*variants); v++) {
				variant_name = variants[v].name;
				__atomic_store_n(&failure, false,
						 __ATOMIC_SEQ_CST);
				run_one(test, variants[v].async,
					variants[v].fifo);
				if (has_failed())
					not_passed++;
				else
					passed++;
			}
		}
	}
	printf("%u passed, %u failed\n", passed, not_passed);
	return not_passed || !passed;
}
