/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event channels by the core's names. */
#include "harness.h"

static void an_event_reaches_its_handler(struct world *w)
{
	uint32_t at_a, at_b, events = 0;

	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_bind(w->a.guest, at_a, count_event, &events), 0);
	settle(w);
	CHECK_EQ(counted(&events), 0);
	for (uint32_t n = 1; n <= 5; n++) {
		CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
		settle(w);
		CHECK_EQ(counted(&events), n);
	}
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
}

static void xen_announces_a_connection(struct world *w)
{
	int port = xg_evtchn_alloc_unbound(w->a.guest, DOMID_SELF, w->b.id);
	uint32_t events = 0;
	int far;

	CHECK(port > 0);
	far = xg_evtchn_bind_interdomain(w->b.guest, w->a.id, (uint32_t)port,
					 count_event, &events);
	CHECK(far > 0);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK_EQ(xg_evtchn_close(w->b.guest, (uint32_t)far), 0);
	CHECK_EQ(xg_evtchn_close(w->a.guest, (uint32_t)port), 0);
}

static void events_wait_while_masked(struct world *w)
{
	uint32_t at_a, at_b, events = 0;

	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_bind(w->a.guest, at_a, count_event, &events), 0);
	CHECK_EQ(xg_evtchn_mask(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_mask(w->a.guest, at_a), 0);
	for (int n = 0; n < 3; n++)
		CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
	settle(w);
	CHECK_EQ(counted(&events), 0);
	CHECK_EQ(xg_evtchn_pending(w->a.guest, at_a), 1);
	CHECK_EQ(xg_evtchn_unmask(w->a.guest, at_a), 0);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK_EQ(xg_evtchn_pending(w->a.guest, at_a), 0);

	CHECK_EQ(xg_evtchn_mask(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
	CHECK_EQ(xg_evtchn_take_pending(w->a.guest, at_a), 1);
	CHECK_EQ(xg_evtchn_take_pending(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_unmask(w->a.guest, at_a), 0);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
}

static void bad_ports_are_refused(struct world *w)
{
	static const uint32_t ports[] = {0, 5, 1024, UINT32_MAX};
	uint32_t events = 0;

	for (size_t i = 0; i < sizeof(ports) / sizeof(*ports); i++) {
		struct xg_guest *g = w->a.guest;
		uint32_t port = ports[i];

		CHECK_EQ(xg_evtchn_bind(g, port, count_event, &events),
			 -XG_EINVAL);
		CHECK_EQ(xg_evtchn_unbind(g, port), -XG_EINVAL);
		CHECK_EQ(xg_evtchn_notify(g, port), -XG_EINVAL);
		CHECK_EQ(xg_evtchn_mask(g, port), -XG_EINVAL);
		CHECK_EQ(xg_evtchn_unmask(g, port), -XG_EINVAL);
		CHECK_EQ(xg_evtchn_pending(g, port), -XG_EINVAL);
		CHECK_EQ(xg_evtchn_close(g, port), -XG_EINVAL);
	}
	CHECK_EQ(xg_evtchn_bind_interdomain(w->a.guest, 77, 1, NULL, NULL),
		 -XG_ESRCH);
	CHECK_EQ(xg_evtchn_bind_interdomain(w->a.guest, w->b.id, 9, NULL, NULL),
		 -XG_EINVAL);
}

/* What a handler needs that answers its peer. */
struct echo {
	struct xg_guest *guest;
	uint32_t port;
	uint32_t calls;
	uint32_t left;
};

static void answer(void *data)
{
	struct echo *echo = data;

	__atomic_add_fetch(&echo->calls, 1, __ATOMIC_SEQ_CST);
	if (echo->left && echo->left--)
		CHECK_EQ(xg_evtchn_notify(echo->guest, echo->port), 0);
}

static void handlers_may_notify(struct world *w)
{
	struct echo a = {.guest = w->a.guest, .left = 10};
	struct echo b = {.guest = w->b.guest, .left = 10};

	CHECK(connect_ports(w, &a.port, &b.port));
	/* The connection's own event would start the game. */
	xg_evtchn_take_pending(b.guest, b.port);
	CHECK_EQ(xg_evtchn_bind(a.guest, a.port, answer, &a), 0);
	CHECK_EQ(xg_evtchn_bind(b.guest, b.port, answer, &b), 0);
	CHECK_EQ(xg_evtchn_notify(a.guest, a.port), 0);
	settle(w);
	CHECK(!has_failed());
	CHECK_EQ(counted(&a.calls), 10);
	CHECK_EQ(counted(&b.calls), 11);
	CHECK_EQ(xg_evtchn_close(a.guest, a.port), 0);
	CHECK_EQ(xg_evtchn_close(b.guest, b.port), 0);
}

static void close_own_port(void *data)
{
	struct echo *echo = data;

	__atomic_add_fetch(&echo->calls, 1, __ATOMIC_SEQ_CST);
	CHECK_EQ(xg_evtchn_close(echo->guest, echo->port), 0);
}

static void a_handler_closes_its_port(struct world *w)
{
	struct echo a = {.guest = w->a.guest};
	uint32_t at_b;

	CHECK(connect_ports(w, &a.port, &at_b));
	CHECK_EQ(xg_evtchn_bind(a.guest, a.port, close_own_port, &a), 0);
	CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
	settle(w);
	CHECK_EQ(counted(&a.calls), 1);
	CHECK(!has_failed());
	/* The peer's end is there, and nobody listens. */
	CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
}

static void virtual_interrupts_come_in(struct world *w)
{
	int port = xg_evtchn_bind_virq(w->a.guest, VIRQ_TIMER, 0);
	uint32_t events = 0;

	CHECK(port > 0);
	CHECK_EQ(xg_evtchn_bind(w->a.guest, (uint32_t)port, count_event,
				&events),
		 0);
	CHECK_EQ(xg_sim_raise_virq(w->a.domain, VIRQ_TIMER, 0), 1);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK_EQ(xg_sim_raise_virq(w->b.domain, VIRQ_TIMER, 0), 0);
	CHECK_EQ(xg_sim_raise_virq(w->a.domain, VIRQ_TIMER, 7), -XG_ENOENT);
	CHECK_EQ(xg_evtchn_close(w->a.guest, (uint32_t)port), 0);
	CHECK_EQ(xg_sim_raise_virq(w->a.domain, VIRQ_TIMER, 0), 0);
}

static void priorities_need_fifo(struct world *w)
{
	uint32_t at_a, at_b;

	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_set_priority(w->a.guest, at_a, 3),
		 w->fifo ? 0 : -XG_ENOSYS);
	CHECK_EQ(xg_evtchn_set_priority(w->a.guest, at_a, 16),
		 w->fifo ? -XG_EINVAL : -XG_ENOSYS);
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
}

/* A thread that sleeps in Xen until its port rings. */
struct sleeper {
	struct dom *dom;
	uint32_t port;
	uint64_t timeout;
	int result;
};

static void sleep_as_vcpu(void *data)
{
	struct sleeper *sleeper = data;

	sleeper->result = xg_evtchn_wait(sleeper->dom->guest, &sleeper->port, 1,
					 sleeper->timeout);
}

static void waiting_ends_with_an_event_or_in_time(struct world *w)
{
	struct sleeper sleeper = {.dom = &w->a, .timeout = 1000000};
	uint32_t at_b;

	CHECK(connect_ports(w, &sleeper.port, &at_b));
	CHECK_EQ(xg_sim_become_vcpu(w->a.domain, 0, sleep_as_vcpu, &sleeper),
		 0);
	CHECK_EQ(sleeper.result, 0);
	CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
	sleeper.timeout = XG_FOREVER;
	CHECK_EQ(xg_sim_become_vcpu(w->a.domain, 0, sleep_as_vcpu, &sleeper),
		 0);
	CHECK_EQ(sleeper.result, 1);
	CHECK_EQ(xg_evtchn_take_pending(w->a.guest, sleeper.port), 1);
	CHECK_EQ(xg_evtchn_close(w->a.guest, sleeper.port), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
}

static const struct test tests[] = {
	TEST(an_event_reaches_its_handler),
	TEST(xen_announces_a_connection),
	TEST(events_wait_while_masked),
	TEST(bad_ports_are_refused),
	TEST(handlers_may_notify),
	TEST(a_handler_closes_its_port),
	TEST(virtual_interrupts_come_in),
	TEST(priorities_need_fifo),
	TEST(waiting_ends_with_an_event_or_in_time),
	{NULL, NULL},
};

const struct suite events_suite = {"events", tests};
