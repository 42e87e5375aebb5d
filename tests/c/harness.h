/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Tests in C on the simulator. A test is a function that gets a machine with
 * two domains, each with a guest, and returns at its first check that fails.
 * It runs with every way of delivery and both event ABIs. At its end nothing
 * may be left in use, and Xen may have nothing to remark on.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <stdbool.h>
#include <stdint.h>

#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/xen.h>
#include <xen_guest/sim.h>

/* A domain, its guest and its number. */
struct dom {
	struct xg_sim_domain *domain;
	struct xg_guest *guest;
	domid_t id;
};

struct world {
	struct xg_sim *sim;
	struct dom a, b;
	bool async; /* upcalls run on other threads */
	bool fifo;  /* the FIFO ABI of event channels */
	bool rough; /* the test does what Xen remarks on */
};

struct test {
	const char *name;
	void (*run)(struct world *w);
};

struct suite {
	const char *name;
	const struct test *tests; /* up to one without a name */
};

extern const struct suite events_suite;
extern const struct suite faults_suite;
extern const struct suite grants_suite;
extern const struct suite memory_suite;
extern const struct suite peers_suite;
extern const struct suite regions_suite;
extern const struct suite sel4vm_suite;
extern const struct suite sim_suite;
extern const struct suite zephyr_suite;

#define TEST(function)                                                         \
	{                                                                      \
#function, function                                            \
	}

/* End the test, or the handler, as failed unless the condition holds. */
#define CHECK(condition)                                                       \
	do {                                                                   \
		if (!(condition)) {                                            \
			failed(__FILE__, __LINE__, #condition);                \
			return;                                                \
		}                                                              \
	} while (0)

/* The same for two numbers that are to be equal. */
#define CHECK_EQ(left, right)                                                  \
	do {                                                                   \
		long long left_ = (long long)(left);                           \
		long long right_ = (long long)(right);                         \
		if (left_ != right_) {                                         \
			differ(__FILE__, __LINE__, #left, left_, right_);      \
			return;                                                \
		}                                                              \
	} while (0)

void failed(const char *file, int line, const char *what);
void differ(const char *file, int line, const char *what, long long left,
	    long long right);
/* Whether a check of this test failed, in a helper or handler perhaps. */
bool has_failed(void);

/* Make another domain with a guest. What it is to have may be null. */
bool add_domain(struct world *w, const struct xg_sim_domain_config *config,
		struct dom *dom);

/* Have everything delivered that is on its way. */
void settle(struct world *w);

/* An event handler: counts in the uint32_t that it gets. */
void count_event(void *data);
/* What it counted, as seen by another thread. */
uint32_t counted(const uint32_t *count);

/* Connect a port of `a` with one of `b`, without handlers. */
bool connect_ports(struct world *w, uint32_t *at_a, uint32_t *at_b);

/* A page of the domain's, granted to `peer`: its address, or null. */
void *grant_page(struct dom *owner, domid_t peer, bool readonly,
		 grant_ref_t *gref);
/* The contrary: false if the grant is still in use. */
bool end_page(struct dom *owner, void *page, grant_ref_t gref);

/* An op that maps a grant at a page of the domain's region. */
struct gnttab_map_grant_ref map_op(void *at, domid_t owner, grant_ref_t gref,
				   bool readonly);
/* An op that undoes another. */
struct gnttab_unmap_grant_ref unmap_op(const struct gnttab_map_grant_ref *map);

#endif
