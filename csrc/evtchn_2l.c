/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The upcall of the 2-level event ABI: one pending and one mask bit per port
 * in the shared-info page, and per vCPU a selector with one bit per word of
 * pending bits, which Xen sets and the guest takes.
 *
 * Xen raises a port in this order, each step a full barrier: set pending, and
 * only if it was clear: test mask, and only if it was clear: set the selector
 * bit, and only if it was clear: set upcall_pending and interrupt.
 */
#include "evtchn_port.h"

#define PORTS (XG_MAX_2L_GROUPS * XG_WORD_BITS)

static uint64_t *selector(const struct xg_vcpu *v)
{
	return (uint64_t *)&v->info->evtchn_pending_sel;
}

/* All but the lowest `n` bits, of which there are more than 0. */
static uint64_t without_lowest(uint64_t bits, uint32_t n)
{
	while (n-- && bits)
		bits &= bits - 1;
	return bits;
}

/*
 * Call the handlers of `events`, all of the word that begins with port `base`,
 * a run of neighbouring ports at a time. Returns what is left of the budget,
 * which is enough. Before each call `next` is told what comes after it: a
 * handler, or an interrupt above us, may take a port out of `todo`, and marks
 * it as XG_PORT_STALE. What they see is stored in program order: hence the
 * fences, which are for the compiler.
 */
static inline uint32_t call_all(struct xg_guest *g, struct xg_vcpu *v,
				uint32_t base, uint64_t events, uint32_t budget)
{
	struct xg_port_slot *slots = xg_slot_of(g, base);

	v->next = slots;
	v->end = slots + XG_WORD_BITS;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	v->todo = events;
	do {
		/* Its carry ends the run, and stops at the first 0. */
		uint64_t beyond = events + (events & -events);
		uint32_t first = xg_first_bit(events);
		uint32_t end = beyond ? xg_first_bit(beyond) : XG_WORD_BITS;
		struct xg_port_slot *slot = &slots[first];

		do {
			v->next = ++slot;
			__atomic_signal_fence(__ATOMIC_SEQ_CST);
			if (xg_port_plain(slot - 1))
				xg_port_call(slot - 1);
			else
				xg_evtchn_call_special(g, v, slot - 1);
		} while (slot != &slots[end]);
		budget -= end - first;
		if (!budget)
			v->start = (base + end) % PORTS;
		events &= beyond;
	} while (events);
	v->todo = 0;
	return budget;
}

/*
 * Serve the events of word `w` in `window`, as many as the budget allows;
 * returns what is left of it.
 *
 * They are cleared before the handlers run: what a peer writes and then
 * announces during a handler comes again. In one step with the look at them,
 * so that what somebody else takes is not ours.
 */
static inline uint32_t serve_word(struct xg_guest *g, struct xg_vcpu *v,
				  uint32_t w, uint64_t window, uint32_t budget)
{
	uint64_t *word = &g->evtchn.pending[w];
	/* Ports beyond the table stay masked. */
	uint64_t served = window & ~xg_load_seq(word + XG_MAX_2L_GROUPS);
	uint64_t old = xg_load_seq(word);
	uint64_t events;

	if (v->ports && served)
		served &= xg_load(&v->ports[w]);
	do {
		events = old & served;
		if (budget < XG_WORD_BITS)
			events &= ~without_lowest(events, budget);
		if (!events)
			return budget;
	} while (!xg_swap_word(word, &old, old & ~events));
	return call_all(g, v, w * XG_WORD_BITS, events, budget);
}

/*
 * Serve the words of `sel`, from port v->start round to it again: the word
 * that it is in has two turns, its upper part the first and its lower part
 * the last one. Where a pass begins is of no matter unless the one before
 * could not end. Returns the budget left.
 */
static inline uint32_t serve_words(struct xg_guest *g, struct xg_vcpu *v,
				   uint64_t sel, uint32_t budget)
{
	uint32_t first = v->start / XG_WORD_BITS;
	uint64_t upper = ~UINT64_C(0) << (v->start % XG_WORD_BITS);
	/* The selector with the first word in the lowest place. */
	uint64_t words = sel >> first | sel << (-first % XG_WORD_BITS);
	/* What the next word has to wait with, and the first one had to. */
	uint64_t wait = words & 1 ? ~upper : 0, lower = wait;

	v->start = 0;
	while (words) {
		uint32_t w = (first + xg_first_bit(words)) % XG_MAX_2L_GROUPS;

		budget = serve_word(g, v, w, ~wait, budget);
		if (!budget) {
			/* Pending bits are left as they were: the selector is
			 * what leads to them. */
			xg_set_bits(selector(v), sel);
			break;
		}
		words &= words - 1;
		wait = 0;
		if (!words && lower) {
			words = 1;
			wait = ~lower;
			lower = 0;
		}
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

/* The rest of an upcall that took `sel`, if that is not 0. */
static __attribute__((noinline)) int serve(struct xg_guest *g,
					   struct xg_vcpu *v, uint64_t sel)
{
	uint32_t budget = v->budget + !v->budget;

	do {
		if (!sel)
			sel = take_selector(v, (v->serving + 1) | 1);
		budget = serve_words(g, v, sel, budget);
		xg_serving_end(v);
		if (!budget)
			return xg_upcall_again(v);
		sel = 0;
	} while (xg_upcall_pending(v));
	return 0;
}

/* The rest of an upcall that has served its one event, and found that there
 * are more. */
static __attribute__((noinline)) int go_on(struct xg_vcpu *v)
{
	if (v->budget < 2)
		return xg_upcall_again(v);
	v->budget--;
	return serve(v->guest, v, 0);
}

/* Several vCPUs, or the FIFO ABI. */
static __attribute__((noinline)) int upcall(struct xg_guest *g, uint32_t budget)
{
	struct xg_vcpu *v = g->evtchn.vcpus;

	/* A single vCPU is the caller's, whatever the platform says. */
	if (g->evtchn.nr_vcpus > 1) {
		v = xg_this_vcpu(g);
		if (!v || !v->info)
			return 0;
	}
	v->budget = budget;
	return g->evtchn.words ? xg_fifo_upcall(g, v) : serve(g, v, 0);
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
	uint64_t sel, *word, old, events;
	uint32_t w;

	if (!v)
		return upcall(g, budget);
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
	return xg_upcall_pending(v) ? go_on(v) : 0;
more:
	return serve(g, v, sel);
}

void xg_evtchn_2l_init(struct xg_guest *g, struct shared_info *shared)
{
	struct xg_evtchn *e = &g->evtchn;

	_Static_assert(sizeof(shared->evtchn_pending[0]) == sizeof(uint64_t),
		       "the ABI's words are the library's words");
	_Static_assert(sizeof(shared->evtchn_pending) ==
			       XG_MAX_2L_GROUPS * sizeof(uint64_t),
		       "a group is a word");
	_Static_assert(offsetof(struct shared_info, evtchn_mask) ==
			       offsetof(struct shared_info, evtchn_pending) +
				       sizeof(shared->evtchn_pending),
		       "one offset from a pending to its mask bit");

	e->only = e->nr_vcpus > 1 ? NULL : e->vcpus;
	e->abi = XG_ABI_2L;
	e->words = NULL;
	e->pending = (uint64_t *)shared->evtchn_pending;
	e->nr_ports = (e->nr_groups < XG_MAX_2L_GROUPS ? e->nr_groups
						       : XG_MAX_2L_GROUPS) *
		      XG_WORD_BITS;
	/* The page comes with every port unmasked; ours deliver only while
	 * bound. */
	for (uint32_t w = 0; w < XG_MAX_2L_GROUPS; w++)
		__atomic_store_n(&e->pending[XG_MAX_2L_GROUPS + w],
				 ~UINT64_C(0), __ATOMIC_SEQ_CST);
	/* A selector bit that earlier firmware did not take would keep Xen from
	 * announcing that word. The flag first, as in an upcall: what Xen still
	 * adds then makes one upcall that finds nothing. */
	__atomic_store_n(&e->vcpus[0].info->evtchn_upcall_pending, (uint8_t)0,
			 __ATOMIC_SEQ_CST);
	xg_take_word(selector(&e->vcpus[0]));
}
