/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The upcall: from Xen's selector to handlers.
 *
 * A word of 64 pending bits is read once and cleared with one atomic
 * operation, then its events are served from `todo`. So a port gets one turn
 * per pass however often it fires, and a pass starts behind the port where
 * the last one ended.
 *
 * Teardown. `serving` names the word being served and which visit this is.
 * The upcall stores it before it reads the mask; unbind and close set the
 * mask bit before they read `serving` (all sequentially consistent). So
 * either the upcall sees the port masked and leaves it alone, or unbind sees
 * the visit and waits until it is over. Above an upcall on the same CPU there
 * is nobody to wait for; close takes what that upcall still holds for the
 * port out of `todo`, so that a next owner of the number never gets it.
 *
 * A port without a handler is masked, so the upcall meets one only when
 * unbind came in between; and a masked one when another handler of the word
 * masked it. It puts the event back, where bind or unmask finds it: see
 * put_back().
 */
#include "atomic.h"
#include "hypercall.h"
#include "internal.h"

/* `serving`: number of the visit, and below it the word plus 1, or 0. */
#define SERVING_WORD  0x7fu
#define SERVING_VISIT 0x80u

static uint32_t first_bit(uint64_t word)
{
	return (uint32_t)__builtin_ctzll(word);
}

/* The vCPU's part of a claim that Xen and the guest share. */
static void store_upcall_pending(struct xg_evtchn *e, uint8_t value)
{
	__atomic_store_n(&e->vcpu->evtchn_upcall_pending, value,
			 __ATOMIC_SEQ_CST);
}

static uint8_t load_upcall_pending(const struct xg_evtchn *e)
{
	return __atomic_load_n(&e->vcpu->evtchn_upcall_pending,
			       __ATOMIC_RELAXED);
}

static struct xg_port_group *group_of(const struct xg_guest *g, uint32_t port)
{
	return &g->evtchn.groups[port / XG_WORD_BITS];
}

static uint64_t *selector(struct xg_evtchn *e)
{
	return (uint64_t *)&e->vcpu->evtchn_pending_sel;
}

/*
 * The event of a port that has no handler or is masked. The mask and pending
 * bits are set before handler and `masked` are read again, and bind and unmask
 * store these before they clear the mask and read pending, so one of the two
 * sees the other's stores and has the event delivered.
 */
static void put_back(struct xg_guest *g, uint32_t port)
{
	xg_evtchn_2l_mask(g, port);
	if (!(xg_load_seq(&group_of(g, port)->open) & xg_bit(port)))
		return;
	xg_evtchn_2l_set_pending(g, port);
	xg_evtchn_settle(g, port);
}

static void serve_port(struct xg_guest *g, uint32_t port)
{
	struct xg_port_group *group = group_of(g, port);
	struct xg_port_slot *slot = &group->slots[port % XG_WORD_BITS];
	/* Pairs with the release in bind: its `data` is seen with it. */
	xg_evtchn_handler_t handler =
		__atomic_load_n(&slot->handler, __ATOMIC_ACQUIRE);

	if (handler && !(xg_load(&group->masked) & xg_bit(port)))
		handler(__atomic_load_n(&slot->data, __ATOMIC_RELAXED));
	else
		put_back(g, port);
}

/* Serve the events of word `w` in `window`; returns the budget left. */
static uint32_t serve_word(struct xg_guest *g, uint32_t w, uint64_t window,
			   uint32_t budget)
{
	struct xg_evtchn *e = &g->evtchn;
	uint64_t todo;
	uint32_t visit = (e->serving & ~SERVING_WORD) + SERVING_VISIT;

	/* Before the mask is read: see the top of the file. */
	__atomic_store_n(&e->serving, visit | (w + 1), __ATOMIC_SEQ_CST);
	todo = xg_load_seq(&e->pending[w]) & ~xg_load_seq(&e->mask[w]) & window;
	if (todo)
		/* Cleared before the handlers run: what a peer writes and
		 * then announces during a handler comes again. */
		xg_clear_bits(&e->pending[w], todo);
	e->todo = todo;
	while (e->todo && budget) {
		uint32_t bit = first_bit(e->todo);

		e->todo &= e->todo - 1;
		e->start = w * XG_WORD_BITS + bit + 1;
		budget--;
		serve_port(g, w * XG_WORD_BITS + bit);
	}
	if (e->todo)
		xg_set_bits(&e->pending[w], e->todo);
	/* Release: who sees the visit over sees the handlers' effects. */
	__atomic_store_n(&e->serving, visit, __ATOMIC_RELEASE);
	return budget;
}

/*
 * Serve the words of `sel` from port e->start round to it again, so the first
 * word is visited twice: its upper part first and its lower part last.
 * Returns the selector bits that may have events left.
 */
static uint64_t pass(struct xg_guest *g, uint64_t sel, uint32_t *budget)
{
	uint32_t start =
		g->evtchn.start < g->evtchn.nr_ports ? g->evtchn.start : 0;
	uint32_t first = start / XG_WORD_BITS;
	uint64_t upper = ~UINT64_C(0) << (start % XG_WORD_BITS);
	uint64_t left = sel;
	uint64_t ahead = sel & (~UINT64_C(0) << first);
	uint64_t behind = sel & ~(~UINT64_C(0) << first);

	while (ahead && *budget) {
		uint32_t w = first_bit(ahead);

		*budget = serve_word(g, w, w == first ? upper : ~UINT64_C(0),
				     *budget);
		ahead &= ahead - 1;
		if (w != first && *budget)
			left &= ~xg_bit(w);
	}
	while (behind && *budget) {
		uint32_t w = first_bit(behind);

		*budget = serve_word(g, w, ~UINT64_C(0), *budget);
		behind &= behind - 1;
		if (*budget)
			left &= ~xg_bit(w);
	}
	if (*budget && (left & xg_bit(first))) {
		if (~upper)
			*budget = serve_word(g, first, ~upper, *budget);
		if (*budget)
			left &= ~xg_bit(first);
	}
	return left;
}

int xg_evtchn_upcall(struct xg_guest *g, uint32_t budget)
{
	struct xg_evtchn *e = &g->evtchn;
	uint64_t known = e->nr_ports / XG_WORD_BITS < XG_WORD_BITS
				 ? xg_bit(e->nr_ports / XG_WORD_BITS) - 1
				 : ~UINT64_C(0);

	if (!budget)
		budget = 1;
	do {
		uint64_t left;

		/* Before the selector is taken: an event that Xen adds after
		 * we took it sets upcall_pending again. Both operations are
		 * sequentially consistent, so they can't swap. */
		store_upcall_pending(e, 0);
		left = pass(g, xg_take_word(selector(e)) & known, &budget);
		if (left) {
			/* The reverse of Xen's order of looking: pending bits
			 * are back already, then the selector, then the flag
			 * that makes somebody look. */
			xg_set_bits(selector(e), left);
			store_upcall_pending(e, 1);
			return 1;
		}
	} while (load_upcall_pending(e));
	return 0;
}

static bool beneath_caller(struct xg_guest *g, uint32_t port, uint32_t serving)
{
	return (serving & SERVING_WORD) == port / XG_WORD_BITS + 1 &&
	       g->platform->cpu_id(g->context) == 0;
}

void xg_evtchn_quiesce(struct xg_guest *g, uint32_t port)
{
	struct xg_evtchn *e = &g->evtchn;
	/* After the caller's store of the mask bit: top of the file. */
	uint32_t seen = __atomic_load_n(&e->serving, __ATOMIC_SEQ_CST);

	if ((seen & SERVING_WORD) != port / XG_WORD_BITS + 1 ||
	    beneath_caller(g, port, seen))
		return;
	while (__atomic_load_n(&e->serving, __ATOMIC_ACQUIRE) == seen)
		g->platform->relax(g->context);
}

void xg_evtchn_forget(struct xg_guest *g, uint32_t port)
{
	struct xg_evtchn *e = &g->evtchn;

	if (beneath_caller(g, port,
			   __atomic_load_n(&e->serving, __ATOMIC_RELAXED)))
		e->todo &= ~xg_bit(port);
}
