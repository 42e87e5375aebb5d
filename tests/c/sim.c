/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The simulator itself, as far as no other test needs it. */
#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void null_is_refused_everywhere(struct world *w)
{
	struct xg_sim_domain *domain;
	struct xg_guest *guest;
	struct xg_window window;
	uint64_t gfn;
	uint32_t handle;
	void *va;

	CHECK_EQ(xg_sim_destroy(NULL), 0);
	CHECK_EQ(xg_sim_leaks(NULL, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_warning(NULL, 0, NULL, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_keep_log(NULL, 1), -XG_EINVAL);
	CHECK_EQ(xg_sim_log(NULL, 0, NULL, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_deliver_all(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_create(NULL, NULL, &domain), -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_create(w->sim, NULL, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_id(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_kill(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_exists(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_hypercalls(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_console(NULL, NULL, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_shutdown(NULL), -XG_EINVAL);
	CHECK(!xg_sim_context(NULL));
	CHECK_EQ(xg_sim_guest_init(NULL, NULL, &guest), -XG_EINVAL);
	CHECK_EQ(xg_sim_guest_init(w->a.domain, NULL, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_guest_fini(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_connect(NULL, NULL, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_disconnect(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_deliver(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_raise_virq(NULL, 0, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_run_as_vcpu(w->a.domain, 0, NULL, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_become_vcpu(NULL, 0, NULL, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_window(NULL, 0, &window), -XG_EINVAL);
	CHECK_EQ(xg_sim_window(w->a.domain, 0, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_window(w->a.domain, 3, &window), -XG_EINVAL);
	CHECK(!xg_sim_page_alloc(NULL, 1));
	CHECK(!xg_sim_empty_pages(NULL, 1));
	CHECK_EQ(xg_sim_page_free(w->a.domain, NULL, 1), -XG_EINVAL);
	CHECK_EQ(xg_sim_return_empty_pages(w->a.domain, NULL, 1), -XG_EINVAL);
	CHECK_EQ(xg_sim_gfn(w->a.domain, NULL, &gfn), -XG_EFAULT);
	CHECK_EQ(xg_sim_frame(NULL, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_populate(NULL, 0, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_fail_hypercall(NULL, 1, XG_EIO), -XG_EINVAL);
	CHECK_EQ(xg_sim_fail_hypercall(w->a.domain, 0, XG_EIO), -XG_EINVAL);
	CHECK_EQ(xg_sim_fail_hypercall(w->a.domain, 1, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_fail_hook(w->a.domain, 3, 1), -XG_EINVAL);
	CHECK_EQ(xg_sim_fail_grant_map(w->a.domain, 0, -1), -XG_EINVAL);
	CHECK_EQ(xg_sim_fail_grant_unmap(w->a.domain, 0, -1), -XG_EINVAL);
	CHECK_EQ(xg_sim_faults_left(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_faults_left(w->a.domain), 0);
	CHECK_EQ(xg_sim_clear_faults(NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_hypercall(NULL, 0, 0, 0, 0, 0, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_storm(NULL, 1, 1), -XG_EINVAL);
	CHECK_EQ(xg_sim_map_grant(w->a.domain, 1, 8, true, NULL, &handle),
		 -XG_EINVAL);
	CHECK_EQ(xg_sim_map_grant(NULL, 1, 8, true, &va, &handle), -XG_EINVAL);
	CHECK_EQ(xg_sim_unmap_grant(NULL, NULL, 1), -XG_EINVAL);
	CHECK_EQ(xg_sim_read(w->a.domain, 0x40000000, 4, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_read(NULL, 0x40000000, 4, &gfn), -XG_EINVAL);
	CHECK_EQ(xg_sim_write(NULL, 0x40000000, 4, 0), -XG_EINVAL);
	CHECK_EQ(xg_sim_irq_level(NULL, 40), -XG_EINVAL);
}

static void settings_out_of_range_are_refused(struct world *w)
{
	static const struct xg_sim_domain_config domains[] = {
		{.ram_pages = UINT64_MAX},
		{.vcpus = 129},
		{.flags = 16},
	};
	static const struct xg_sim_guest_config guests[] = {
		{.ports = 131073},	{.ports = UINT32_MAX},
		{.grant_frames = 65},	{.region_pages = 16385},
		{.parked = UINT32_MAX}, {.flags = 4},
	};
	struct xg_sim_domain *domain;
	struct xg_guest *guest;

	CHECK(!xg_sim_create(8));
	for (size_t i = 0; i < sizeof(domains) / sizeof(*domains); i++)
		CHECK_EQ(xg_sim_domain_create(w->sim, &domains[i], &domain),
			 -XG_EINVAL);
	CHECK_EQ(xg_sim_domain_create(w->sim, NULL, &domain), 0);
	for (size_t i = 0; i < sizeof(guests) / sizeof(*guests); i++)
		CHECK_EQ(xg_sim_guest_init(domain, &guests[i], &guest),
			 -XG_EINVAL);
	CHECK_EQ(xg_sim_guest_fini(domain), -XG_EINVAL);
	CHECK_EQ(xg_sim_switch(domain), -XG_EINVAL);
	CHECK_EQ(xg_sim_connect(domain, NULL, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_guest_init(domain, NULL, &guest), 0);
	CHECK_EQ(xg_sim_guest_init(domain, NULL, &guest), -XG_EBUSY);
	CHECK_EQ(xg_sim_guest_fini(domain), 0);
}

static void silo_keeps_domains_apart(struct world *w)
{
	struct world silo = {.async = w->async, .fifo = w->fifo};

	silo.sim = xg_sim_create(XG_SIM_SILO);
	CHECK(silo.sim);
	CHECK(add_domain(&silo, NULL, &silo.a));
	CHECK(add_domain(&silo, NULL, &silo.b));
	CHECK_EQ(xg_evtchn_alloc_unbound(silo.a.guest, DOMID_SELF, silo.b.id),
		 -XG_EPERM);
	CHECK_EQ(xg_sim_destroy(silo.sim), 0);
}

/* Firmware that sets its guest up by itself, on the hooks. */
static bool own_upcall(void *data)
{
	return xg_evtchn_upcall(data, 1) > 0;
}

static void a_guest_can_be_set_up_by_hand(struct world *w)
{
	static struct xg_guest g;
	static struct xg_port_group groups[2];
	static struct xg_vcpu vcpu;
	struct xg_sim_domain *domain;
	struct xg_guest_config config = {
		.platform = xg_sim_platform(),
		.port_groups = groups,
		.nr_port_groups = 2,
		.vcpus = &vcpu,
		.nr_vcpus = 1,
	};
	uint32_t events = 0;
	int port;

	CHECK_EQ(xg_sim_domain_create(
			 w->sim,
			 &(struct xg_sim_domain_config){
				 .flags = w->async ? XG_SIM_ASYNC : 0},
			 &domain),
		 0);
	config.context = xg_sim_context(domain);
	CHECK_EQ(
		xg_sim_window(domain, XG_SIM_GRANT_WINDOW, &config.shared_info),
		0);
	config.shared_info.pages = 1;
	CHECK_EQ(xg_guest_init(&g, &config), 0);
	CHECK_EQ(xg_sim_connect(domain, own_upcall, &g), 0);
	port = xg_evtchn_bind_ipi(&g, 0);
	CHECK(port > 0);
	CHECK_EQ(xg_evtchn_bind(&g, (uint32_t)port, count_event, &events), 0);
	CHECK_EQ(xg_evtchn_notify(&g, (uint32_t)port), 0);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK_EQ(xg_evtchn_close(&g, (uint32_t)port), 0);
	CHECK_EQ(xg_sim_disconnect(domain), 0);
	CHECK_EQ(xg_guest_fini(&g), 0);
}

static void nothing_comes_in_while_disconnected(struct world *w)
{
	uint32_t at_a, at_b, events = 0;

	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_bind(w->a.guest, at_a, count_event, &events), 0);
	CHECK_EQ(xg_sim_disconnect(w->a.domain), 0);
	CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
	CHECK_EQ(xg_sim_deliver(w->a.domain), 0);
	CHECK_EQ(counted(&events), 0);
	CHECK_EQ(xg_sim_connect(w->a.domain, NULL, NULL), 0);
	settle(w);
	CHECK_EQ(counted(&events), 1);
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
}

/* What a handler is refused. */
struct inside {
	struct world *w;
	int destroy, init, fini, become;
	bool current;
};

static void do_nothing(void *data)
{
	(void)data;
}

static void try_inside(void *data)
{
	struct inside *inside = data;
	struct world *w = inside->w;
	struct xg_guest *guest;

	inside->current = xg_current() == w->a.guest;
	inside->destroy = xg_sim_destroy(w->sim);
	inside->init = xg_sim_guest_init(w->a.domain, NULL, &guest);
	inside->fini = xg_sim_guest_fini(w->a.domain);
	inside->become = xg_sim_become_vcpu(w->a.domain, 0, do_nothing, NULL);
}

static void upcalls_cannot_pull_the_rug(struct world *w)
{
	struct inside inside = {.w = w};
	uint32_t at_a, at_b;

	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_bind(w->a.guest, at_a, try_inside, &inside), 0);
	CHECK_EQ(xg_evtchn_notify(w->b.guest, at_b), 0);
	settle(w);
	CHECK_EQ(inside.destroy, -XG_EBUSY);
	CHECK_EQ(inside.init, -XG_EBUSY);
	CHECK_EQ(inside.fini, -XG_EBUSY);
	CHECK_EQ(inside.become, -XG_EBUSY);
	CHECK(inside.current);
	CHECK(!xg_current());
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
}

/* Which vCPU a handler runs on. */
struct place {
	struct xg_sim_domain *domain;
	uint32_t vcpu;
};

static void note_vcpu(void *data)
{
	struct place *place = data;
	uint32_t vcpu =
		xg_sim_platform()->cpu_id(xg_sim_context(place->domain));

	__atomic_store_n(&place->vcpu, vcpu, __ATOMIC_SEQ_CST);
}

static void handlers_run_on_their_vcpus(struct world *w)
{
	const struct xg_sim_domain_config config = {.vcpus = 4};
	struct dom many;
	struct place place;

	CHECK(add_domain(w, &config, &many));
	place.domain = many.domain;
	for (uint32_t vcpu = 0; vcpu < 4; vcpu++) {
		int port = xg_evtchn_bind_ipi(many.guest, vcpu);

		CHECK(port > 0);
		place.vcpu = 99;
		CHECK_EQ(xg_evtchn_bind(many.guest, (uint32_t)port, note_vcpu,
					&place),
			 0);
		CHECK_EQ(xg_evtchn_notify(many.guest, (uint32_t)port), 0);
		settle(w);
		CHECK_EQ(counted(&place.vcpu), vcpu);
		CHECK_EQ(xg_evtchn_close(many.guest, (uint32_t)port), 0);
	}
	CHECK_EQ(xg_sim_run_as_vcpu(many.domain, 4, do_nothing, NULL),
		 -XG_ENOENT);
	CHECK_EQ(xg_sim_become_vcpu(many.domain, 3, note_vcpu, &place), 0);
	CHECK_EQ(place.vcpu, 3);
	CHECK_EQ(xg_sim_run_as_vcpu(many.domain, 3, note_vcpu, &place), 0);
	CHECK_EQ(place.vcpu, XG_CPU_NONE);
	CHECK_EQ(xg_sim_guest_fini(many.domain), 0);
	/* Xen holds on to the vCPUs' part until the domain is dead. */
	CHECK_EQ(xg_sim_leaks(w->sim, NULL), 1);
	CHECK_EQ(xg_sim_domain_kill(many.domain), 0);
}

/* A thread with a current domain of its own. */
struct firmware {
	struct dom *dom;
	uint32_t port;
	uint32_t rounds;
	int errors;
};

static void *firmware_thread(void *data)
{
	struct firmware *firmware = data;

	firmware->errors |= xg_sim_switch(firmware->dom->domain);
	for (uint32_t i = 0; i < firmware->rounds; i++) {
		firmware->errors |= xg_current() != firmware->dom->guest;
		firmware->errors |=
			xg_evtchn_notify(xg_current(), firmware->port);
	}
	return NULL;
}

static void each_thread_has_its_own_domain(struct world *w)
{
	struct firmware a = {.dom = &w->a, .rounds = 1000};
	struct firmware b = {.dom = &w->b, .rounds = 1000};
	uint32_t at_a = 0, at_b = 0;
	pthread_t threads[2];

	CHECK(connect_ports(w, &a.port, &b.port));
	CHECK_EQ(xg_evtchn_bind(w->a.guest, a.port, count_event, &at_a), 0);
	CHECK_EQ(xg_evtchn_bind(w->b.guest, b.port, count_event, &at_b), 0);
	CHECK_EQ(pthread_create(&threads[0], NULL, firmware_thread, &a), 0);
	CHECK_EQ(pthread_create(&threads[1], NULL, firmware_thread, &b), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	settle(w);
	CHECK_EQ(a.errors | b.errors, 0);
	CHECK(counted(&at_a) > 0 && counted(&at_a) <= 1000);
	CHECK(counted(&at_b) > 0 && counted(&at_b) <= 1001);
	CHECK_EQ(xg_evtchn_close(w->a.guest, a.port), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, b.port), 0);
}

static void what_domains_say_and_ask_is_kept(struct world *w)
{
	char text[64], little[4];
	const char said[] = "hello\n";
	int64_t calls = xg_sim_domain_hypercalls(w->a.domain);

	CHECK_EQ(xg_sim_keep_log(w->sim, 2), 0);
	CHECK_EQ(xg_sim_hypercall(w->a.domain, __HYPERVISOR_console_io, 0,
				  sizeof(said) - 1, (uintptr_t)said, 0, 0),
		 0);
	CHECK_EQ(xg_sim_domain_hypercalls(w->a.domain), calls + 1);
	CHECK_EQ(xg_sim_domain_console(w->a.domain, text, sizeof(text)), 6);
	CHECK(!strcmp(text, "hello\n"));
	CHECK_EQ(xg_sim_domain_console(w->a.domain, little, sizeof(little)), 6);
	CHECK(!strcmp(little, "hel"));
	CHECK(xg_sim_log(w->sim, 0, text, sizeof(text)) > 0);
	CHECK(!strncmp(text, "d1 console_io write", 19));
	CHECK_EQ(xg_sim_log(w->sim, 1, text, sizeof(text)), -XG_ENOENT);
	CHECK_EQ(xg_sim_warning(w->sim, 0, text, sizeof(text)), -XG_ENOENT);
	CHECK_EQ(xg_sim_domain_shutdown(w->a.domain), -XG_EAGAIN);
}

static void ram_can_be_added(struct world *w)
{
	struct xg_window at;
	uint8_t *page;

	CHECK_EQ(xg_sim_window(w->a.domain, XG_SIM_EXTENDED, &at), 0);
	page = (uint8_t *)at.va + (at.pages - 2) * (size_t)XG_PAGE_SIZE;
	CHECK_EQ(xg_sim_populate(w->a.domain, at.gfn + at.pages - 1, 2),
		 -XG_EFAULT);
	CHECK_EQ(xg_sim_populate(w->a.domain, at.gfn + at.pages - 2, 2), 0);
	CHECK_EQ(xg_sim_populate(w->a.domain, at.gfn + at.pages - 2, 1),
		 -XG_EBUSY);
	CHECK_EQ(page[2 * XG_PAGE_SIZE - 1], 0);
	page[0] = 1;
	CHECK_EQ(xg_sim_frame(w->a.domain, at.gfn + at.pages - 2), XG_SIM_OWN);
}

static void a_timeline_is_written(struct world *w)
{
	char path[] = "/tmp/xg-trace-XXXXXX";
	int file = mkstemp(path);
	uint32_t at_a, at_b;
	char text[32] = {0};

	CHECK(file >= 0);
	CHECK_EQ(xg_sim_record_trace(w->sim, 1000), 0);
	CHECK(connect_ports(w, &at_a, &at_b));
	CHECK_EQ(xg_evtchn_close(w->a.guest, at_a), 0);
	CHECK_EQ(xg_evtchn_close(w->b.guest, at_b), 0);
	CHECK_EQ(xg_sim_write_trace(w->sim, path), 0);
	CHECK(read(file, text, 18) == 18);
	CHECK(!strcmp(text, "{\"displayTimeUnit\""));
	/* More than what there is without events. */
	CHECK(lseek(file, 0, SEEK_END) > 500);
	close(file);
	unlink(path);
	CHECK_EQ(xg_sim_write_trace(w->sim, "/nowhere/trace"), -XG_EACCES);
	CHECK_EQ(xg_sim_write_trace(w->sim, NULL), -XG_EINVAL);
	CHECK_EQ(xg_sim_record_trace(w->sim, 0), 0);
}

static void a_dead_domain_is_only_forgotten(struct world *w)
{
	struct dom dom;
	struct xg_guest *guest;

	CHECK(add_domain(w, NULL, &dom));
	CHECK_EQ(xg_sim_switch(dom.domain), 0);
	CHECK_EQ(xg_sim_domain_kill(dom.domain), 0);
	CHECK(!xg_current());
	CHECK_EQ(xg_sim_domain_kill(dom.domain), 0);
	CHECK_EQ(xg_sim_populate(dom.domain, 0x40000, 1), -XG_ESRCH);
	CHECK_EQ(xg_sim_guest_fini(dom.domain), 0);
	CHECK_EQ(xg_sim_guest_init(dom.domain, NULL, &guest), -XG_ESRCH);
}

/* More than the machine has: the simulator gives up, and says so. */
static void giving_up_is_an_answer(struct world *w)
{
	const struct xg_sim_domain_config huge = {.ram_pages = 1 << 18};
	struct xg_sim *sim;
	struct xg_sim_domain *domain;
	int rc = 0;

	if (w->async || w->fifo)
		return;
	sim = xg_sim_create(XG_SIM_OPEN);
	CHECK(sim);
	for (int i = 0; i < 4 && !rc; i++)
		rc = xg_sim_domain_create(sim, &huge, &domain);
	CHECK_EQ(rc, -XG_EIO);
	CHECK_EQ(xg_sim_destroy(sim), 0);
}

static const struct test tests[] = {
	TEST(null_is_refused_everywhere),
	TEST(settings_out_of_range_are_refused),
	TEST(silo_keeps_domains_apart),
	TEST(a_guest_can_be_set_up_by_hand),
	TEST(nothing_comes_in_while_disconnected),
	TEST(upcalls_cannot_pull_the_rug),
	TEST(handlers_run_on_their_vcpus),
	TEST(each_thread_has_its_own_domain),
	TEST(what_domains_say_and_ask_is_kept),
	TEST(ram_can_be_added),
	TEST(a_timeline_is_written),
	TEST(a_dead_domain_is_only_forgotten),
	TEST(giving_up_is_an_answer),
	{NULL, NULL},
};

const struct suite sim_suite = {"sim", tests};
