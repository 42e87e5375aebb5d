/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Two domUs share a page and signal each other, in C: both run this image.
 * Domain 1 grants a page and asks, domain 2 maps it and answers.
 */
#include "board.h"

#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <xen/event_channel.h>
#include <xen/grant_table.h>

#define NAME   "c_firmware"
#define ROUNDS 1000u
#define LAST   UINT32_MAX
/* The first of a fresh table. In a larger system the peer would be told. */
#define FIRST_REFERENCE XG_GRANT_RESERVED

#define GRANT_FRAMES 4

/* What is in the page. The peer may write anything at any time, so each word
 * is read once and by these functions only. */
struct shared {
	uint32_t port;	   /* the granter's; 0: not ready yet */
	uint32_t asked;	   /* a number, or LAST */
	uint32_t answered; /* the number that was answered */
};

/* Pairs with put(): what the peer wrote before it is visible. */
static uint32_t get(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void put(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static struct xg_guest guest;
static struct shared *shared;
static uint32_t expected, events;
static uint32_t gref;

/* In the event interrupt. */
static void on_event(void *data)
{
	(void)data;
	__atomic_fetch_add(&events, 1, __ATOMIC_RELAXED);
}

/* A result that must not be negative. */
static int check(const char *what, int rc)
{
	if (rc < 0)
		board_panic(what, rc);
	return rc;
}

static void wait_for(const char *what, bool (*condition)(void))
{
	if (!board_wait(condition))
		board_panic(what, 0);
}

static void set_up(void)
{
	static struct xg_port_group ports[1];
	static struct xg_vcpu vcpu;
	static uint64_t words[XG_GRANT_WORDS(GRANT_FRAMES)];
	const struct xg_guest_config config = {
		.platform = &board_platform,
		.gnttab = WINDOW(0, GRANT_FRAMES),
		.gnttab_words = words,
		.shared_info = WINDOW(GRANT_FRAMES, 1),
		.port_groups = ports,
		.nr_port_groups = 1,
		.vcpus = &vcpu,
		.nr_vcpus = 1,
	};

	check("setting the guest up", xg_guest_init(&guest, &config));
	board_connect(&guest);
}

/* Xen does not tell a domain its number; but who may bind to a port. */
static uint16_t own_number(void)
{
	int port = xg_evtchn_alloc_unbound(&guest, DOMID_SELF, DOMID_SELF);
	struct evtchn_status status = {.dom = DOMID_SELF};

	status.port = (uint32_t)check("a port", port);
	check("its status", xg_evtchn_status(&guest, &status));
	check("closing it", xg_evtchn_close(&guest, status.port));
	return status.u.unbound.dom;
}

static bool answered(void)
{
	return get(&shared->answered) == expected;
}

static bool ended(void)
{
	return !xg_gnttab_end(&guest, gref);
}

static void granter(uint16_t peer)
{
	static _Alignas(XG_PAGE_SIZE) uint8_t page[XG_PAGE_SIZE];
	uint64_t gfn = (uintptr_t)page / XG_PAGE_SIZE;
	uint32_t port = (uint32_t)check(
		"a port", xg_evtchn_alloc_unbound(&guest, DOMID_SELF, peer));

	check("a handler", xg_evtchn_bind(&guest, port, on_event, NULL));
	gref = (uint32_t)check("granting",
			       xg_gnttab_grant(&guest, peer, gfn, false));
	if (gref != FIRST_REFERENCE)
		board_panic("another reference:", gref);
	board_say_number("granted a page, opened port", port);
	shared = (struct shared *)page;
	put(&shared->port, port);

	for (expected = 1; expected <= ROUNDS; expected++) {
		put(&shared->asked, expected);
		check("signalling", xg_evtchn_notify(&guest, port));
		wait_for("no answer", answered);
	}
	board_say_number("rounds answered:", ROUNDS);
	board_say_number("ending the grant now:", xg_gnttab_end(&guest, gref));
	put(&shared->asked, LAST);
	check("signalling", xg_evtchn_notify(&guest, port));
	wait_for("the peer keeps the page", ended);
	board_say("the peer let go, the page is ours again");
	check("closing", xg_evtchn_close(&guest, port));
}

static bool asked(void)
{
	return get(&shared->asked) != expected;
}

static void mapper(uint16_t peer)
{
	const struct xg_window window = WINDOW(GRANT_FRAMES + 1, 1);
	struct gnttab_map_grant_ref map = {
		.host_addr = (uintptr_t)window.va,
		.flags = GNTMAP_host_map,
		.ref = FIRST_REFERENCE,
		.dom = peer,
	};
	struct gnttab_unmap_grant_ref unmap = {.host_addr = map.host_addr};
	uint32_t port;

	/* The peer may not have come as far as granting, or as its port. */
	while (xg_gnttab_map(&guest, &map, 1))
		check("sleeping", xg_evtchn_wait(&guest, NULL, 0, 1000000));
	shared = window.va;
	while (!(port = get(&shared->port)))
		check("sleeping", xg_evtchn_wait(&guest, NULL, 0, 1000000));
	port = (uint32_t)check(
		"connecting",
		xg_evtchn_bind_interdomain(&guest, peer, port, on_event, NULL));
	board_say_number("mapped the peer's page, connected port", port);

	for (expected = 0;;) {
		wait_for("no question", asked);
		expected = get(&shared->asked);
		if (expected == LAST)
			break;
		put(&shared->answered, expected);
		check("signalling", xg_evtchn_notify(&guest, port));
	}
	unmap.handle = map.handle;
	check("unmapping", xg_gnttab_unmap(&guest, &unmap, 1));
	check("signalling", xg_evtchn_notify(&guest, port));
	check("closing", xg_evtchn_close(&guest, port));
}

int main(void)
{
	uint16_t self;

	set_up();
	self = own_number();
	if (self == 1)
		granter(2);
	else
		mapper(1);
	board_say_number("events:", events);
	/* Nothing is left open, or this would be refused. */
	__asm__ volatile("msr daifset, #2" ::: "memory");
	check("giving everything back", xg_guest_fini(&guest));
	board_say("xen-guest: " NAME ": complete");
	board_power_off();
}
