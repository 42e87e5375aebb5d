/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * An upcall's passes in the 2-level event ABI: one pending and one mask bit per
 * port in the shared-info page, and per vCPU a selector with one bit per word
 * of pending bits, which Xen sets and the guest takes.
 *
 * Xen raises a port in this order, each step a full barrier: set pending, and
 * only if it was clear: test mask, and only if it was clear: set the selector
 * bit, and only if it was clear: set upcall_pending and interrupt.
 *
 * A pass serves the words of the selector from the first port on. Where the
 * budget ends it, v->first and v->passed keep the place, and the selector is
 * put back, for the next pass to go on there; behind which comes a whole one.
 * So ports have their turns in a circle.
 *
 * For evtchn_upcall.c alone.
 */
#ifndef XG_EVTCHN_2L_H
#define XG_EVTCHN_2L_H

#include "evtchn_deliver.h"

static inline uint64_t *selector(const struct xg_vcpu *v)
{
	return (uint64_t *)&v->info->evtchn_pending_sel;
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
	xg_count_taken(v);
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

#endif
