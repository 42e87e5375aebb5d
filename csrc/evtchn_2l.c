/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The upcall, and what it does in the 2-level event ABI: one pending and one
 * mask bit per port in the shared-info page, and per vCPU a selector with one
 * bit per word of pending bits, which Xen sets and the guest takes.
 *
 * Xen raises a port in this order, each step a full barrier: set pending, and
 * only if it was clear: test mask, and only if it was clear: set the selector
 * bit, and only if it was clear: set upcall_pending and interrupt.
 *
 * A pass serves the words of the selector from the first port on. Where the
 * budget ends it, v->first and v->passed keep the place, and the selector is
 * put back, for the next pass to go on there; behind which comes a whole one.
 * So ports have their turns in a circle.
 */
#include "evtchn_port.h"

static uint64_t *selector(const struct xg_vcpu *v)
{
	return (uint64_t *)&v->info->evtchn_pending_sel;
}

static inline void deliver(struct xg_guest *g, struct xg_vcpu *v,
			   struct xg_port_slot *slot)
{
	if (xg_port_plain(slot))
		xg_port_call(slot);
	else
		xg_evtchn_call_special(g, v, slot);
}

/*
 * Serve some of word `w`'s `events`, from the lowest on: those of no more
 * neighbouring ports than the budget, which is not 0. Returns what is left of
 * it.
 *
 * They are cleared before the handlers run: what a peer writes and then
 * announces during a handler comes again. By one atomic step for all; what
 * somebody else took before is not ours.
 */
static inline uint32_t serve_events(struct xg_guest *g, struct xg_vcpu *v,
				    uint32_t w, uint64_t *word, uint64_t events,
				    uint32_t budget)
{
	struct xg_port_slot *slot = xg_slot_of(g, w * XG_WORD_BITS);
	uint64_t lowest = events & -events;
	/* The first that has to wait, or 0. */
	uint64_t beyond = budget < XG_WORD_BITS ? lowest << budget : 0;

	v->first = w;
	v->passed = beyond - 1;
	events &= beyond - lowest;
	events &= xg_clear_bits(word, events);
	v->taken++;
	/* A run of neighbouring ports at a time. */
	while (events) {
		uint32_t gap = xg_first_bit(events);

		events >>= gap;
		slot += gap;
		do {
			deliver(g, v, slot++);
			budget--;
			events >>= 1;
		} while (events & 1);
	}
	return budget;
}

/* A pass over the words of `sel`. Returns the budget left. */
static inline uint32_t serve_words(struct xg_guest *g, struct xg_vcpu *v,
				   uint64_t sel, uint32_t budget)
{
	uint64_t words = sel & ~UINT64_C(0) << v->first;
	bool again = v->passed;

	while (words) {
		uint32_t w = xg_first_bit(words);
		uint64_t *word = &g->evtchn.pending[w];
		/* Ports beyond the table stay masked. */
		uint64_t stopped = xg_load_seq(word + XG_MAX_2L_GROUPS);
		uint64_t events = xg_load_seq(word) & ~(stopped | v->passed);

		if (events && v->ports)
			events &= xg_load(&v->ports[w]);
		if (events) {
			budget = serve_events(g, v, w, word, events, budget);
			if (budget)
				continue;
			again = true;
			break;
		}
		v->passed = 0;
		words &= words - 1;
	}
	if (budget) {
		v->first = 0;
		v->passed = 0;
	}
	if (again) {
		/* Pending bits are left as they were: the selector is what
		 * leads to them. */
		xg_set_bits(selector(v), sel);
		xg_upcall_again(v);
	}
	return budget;
}

/*
 * Begin a visit: lower the flag and take the selector. In this order: what Xen
 * adds after we took it sets the flag again. On Arm the flag is also the
 * interrupt line, which must fall before the scan for the same reason.
 *
 * The exchange is the barrier, too, between `serving` and the masks read from
 * here on: evtchn_upcall.c. One for all words that the pass visits, where one
 * for each would cost more than all the rest does.
 */
static inline uint64_t take_selector(struct xg_vcpu *v, uint32_t visit)
{
	struct vcpu_info *info = v->info;

	XG_STORE_BEFORE_RMW(&info->evtchn_upcall_pending, 0);
	XG_STORE_BEFORE_RMW(&v->serving, visit);
	return xg_take_word((uint64_t *)&info->evtchn_pending_sel);
}

/*
 * The rest of an upcall that took `sel`, if that is not 0, for `v`. With
 * several vCPUs, or the FIFO ABI, that is null, and it all is left.
 */
static XG_SLOW int serve(struct xg_guest *g, struct xg_vcpu *v, uint64_t sel,
			 uint32_t budget)
{
	if (!v) {
		/* A single vCPU is the caller's, whatever the platform says. */
		v = g->evtchn.vcpus;
		if (g->evtchn.nr_vcpus > 1)
			v = xg_this_vcpu(g);
		if (!v || !v->info)
			return 0;
	}
	while (budget) {
		if (!sel)
			sel = take_selector(v, (v->serving + 1) | 1);
		budget = g->evtchn.words ? xg_fifo_serve(g, v, budget)
					 : serve_words(g, v, sel, budget);
		/* Release: who sees the visit over sees the handlers'
		 * effects. */
		xg_serving_end(v);
		if (!xg_upcall_pending(v))
			return 0;
		sel = 0;
	}
	return 1;
}

/*
 * A single word is what an upcall mostly finds, and mostly a single port in
 * it. That is served here, if nothing about it is special. All else goes the
 * long way. What is needed behind the handler is kept in *v, not in registers
 * that had to be saved first.
 */
int xg_evtchn_upcall(struct xg_guest *g, uint32_t budget)
{
	struct xg_vcpu *v = g->evtchn.only;
	const struct xg_port_slot *slot;
	uint64_t sel = 0, *word, old, events;
	uint32_t w;

	if (!v)
		goto more;
	v->budget = budget;
	sel = take_selector(v, v->serving + 1);
	if (!xg_one_bit(sel))
		goto more;
	w = xg_first_bit(sel);
	word = &g->evtchn.pending[w];
	old = xg_load_seq(word);
	events = old & ~xg_load_seq(word + XG_MAX_2L_GROUPS);
	if (!xg_one_bit(events))
		goto more;
	slot = xg_slot_of(g, w * XG_WORD_BITS + xg_first_bit(events));
	/* If the swap fails another one came, or somebody took one. */
	if (!xg_port_plain(slot) || !xg_swap_word(word, &old, old - events))
		goto more;
	xg_port_call(slot);
	xg_serving_end(v);
	return xg_upcall_pending(v)
		       ? serve(v->guest, v, 0, v->budget - !!v->budget)
		       : 0;
more:
	return serve(g, v, sel, budget + !budget);
}
