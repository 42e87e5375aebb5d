/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The 2-level event ABI: one pending and one mask bit per port in the
 * shared-info page, and per vCPU a selector with one bit per word of pending
 * bits.
 *
 * Who writes what, at any time and concurrently:
 *   pending   Xen sets, the guest clears (and sets, to put an event back)
 *   mask      the guest; Xen clears one bit in EVTCHNOP_unmask
 *   selector  Xen sets, the guest takes
 * so every change here is an atomic read-modify-write.
 *
 * Xen raises a port in this order, each step a full barrier: set pending, and
 * only if it was clear: test mask, and only if it was clear: set the selector
 * bit, and only if it was clear: set upcall_pending and interrupt.
 */
#include "evtchn_abi.h"

static uint64_t *word_of(uint64_t *words, uint32_t port)
{
	return &words[port / XG_WORD_BITS];
}

static uint64_t *selector(const struct xg_vcpu *v)
{
	return (uint64_t *)&v->info->evtchn_pending_sel;
}

void xg_evtchn_2l_init(struct xg_guest *g, struct shared_info *shared)
{
	_Static_assert(sizeof(shared->evtchn_pending[0]) == sizeof(uint64_t),
		       "the ABI's words are the library's words");
	_Static_assert(sizeof(shared->evtchn_pending) ==
			       XG_MAX_2L_GROUPS * sizeof(uint64_t),
		       "a group is a word");
	_Static_assert(offsetof(struct shared_info, evtchn_mask) ==
			       offsetof(struct shared_info, evtchn_pending) +
				       sizeof(shared->evtchn_pending),
		       "one offset from a pending to its mask bit");

	g->evtchn.ops = &xg_evtchn_2l_ops;
	g->evtchn.abi = XG_ABI_2L;
	g->evtchn.pending = (uint64_t *)shared->evtchn_pending;
	g->evtchn.mask = (uint64_t *)shared->evtchn_mask;
	/* The page comes with every port unmasked; ours deliver only while
	 * bound. */
	for (uint32_t w = 0; w < XG_MAX_2L_GROUPS; w++)
		xg_set_bits(&g->evtchn.mask[w], ~UINT64_C(0));
	/* A selector bit that earlier firmware did not take would keep Xen from
	 * announcing that word. The flag first, as in an upcall: what Xen still
	 * adds then makes one upcall that finds nothing. */
	__atomic_store_n(&g->evtchn.vcpus[0].info->evtchn_upcall_pending,
			 (uint8_t)0, __ATOMIC_SEQ_CST);
	xg_take_word(selector(&g->evtchn.vcpus[0]));
}

static void mask(struct xg_guest *g, uint32_t port)
{
	xg_set_bits(word_of(g->evtchn.mask, port), xg_bit(port));
}

static bool pending(const struct xg_guest *g, uint32_t port)
{
	return xg_load_seq(word_of(g->evtchn.pending, port)) & xg_bit(port);
}

/*
 * The clear of the mask bit and the load of the pending bit are both
 * sequentially consistent: either Xen, which sets pending before it tests the
 * mask, sees the bit clear and delivers, or we see the event. An event that
 * came while masked was not announced to the vCPU and never will be; Xen does
 * it in EVTCHNOP_unmask, which acts on a set mask bit only.
 */
static int unmask(struct xg_guest *g, uint32_t port)
{
	struct evtchn_unmask op = {.port = port};
	uint64_t *word = word_of(g->evtchn.mask, port);

	if (!(xg_clear_bits(word, xg_bit(port)) & xg_bit(port)))
		return 0;
	if (!pending(g, port))
		return 0;
	xg_set_bits(word, xg_bit(port));
	return xg_event_op(g, EVTCHNOP_unmask, &op);
}

static bool take_pending(struct xg_guest *g, uint32_t port)
{
	uint64_t *word = word_of(g->evtchn.pending, port);

	/* A load first: polling an idle port should not take the cache line
	 * from Xen. */
	if (!(xg_load(word) & xg_bit(port)))
		return false;
	return xg_clear_bits(word, xg_bit(port)) & xg_bit(port);
}

static void set_pending(struct xg_guest *g, uint32_t port)
{
	xg_set_bits(word_of(g->evtchn.pending, port), xg_bit(port));
}

static uint32_t port_of(const struct xg_guest *g,
			const struct xg_port_group *group,
			const struct xg_port_slot *slot)
{
	return (uint32_t)(group - g->evtchn.groups) * XG_WORD_BITS +
	       (uint32_t)(slot - group->slots);
}

/* An event of the slot before v->next, which has no handler. */
static __attribute__((noinline)) void
call_nobody(struct xg_guest *g, struct xg_vcpu *v,
	    const struct xg_port_group *group)
{
	xg_evtchn_undelivered(g, port_of(g, group, v->next - 1));
}

/* Call the handler of the slot before v->next. */
static inline void call_handler(struct xg_guest *g, struct xg_vcpu *v,
				const struct xg_port_group *group,
				const struct xg_port_slot *next)
{
	/* Pairs with the store in bind: its `data` is seen with it. */
	xg_evtchn_handler_t handler =
		__atomic_load_n(&next[-1].handler, __ATOMIC_ACQUIRE);

	v->next = next;
	if (handler)
		handler(__atomic_load_n(&next[-1].data, __ATOMIC_RELAXED));
	else
		call_nobody(g, v, group);
}

/*
 * Call the handlers of v->todo, a run of neighbouring ports at a time; returns
 * how many. What is left can be read from memory in every handler, as one may
 * take away another port.
 */
static inline uint32_t call_all(struct xg_guest *g, struct xg_vcpu *v,
				const struct xg_port_group *group)
{
	uint64_t todo = v->todo, left = todo;
	uint32_t count = 0;

	do {
		/* Filled up from below: the run ends at the first 0. */
		uint64_t gap = ~(left | (left - 1));
		const struct xg_port_slot *first =
			&group->slots[xg_first_bit(left)];
		const struct xg_port_slot *end =
			&group->slots[gap ? xg_first_bit(gap) : XG_WORD_BITS];
		const struct xg_port_slot *slot = first;

		do {
			call_handler(g, v, group, ++slot);
		} while (v->todo == todo && slot != end);
		count += (uint32_t)(slot - first);
		/* Read again, so that the loop need not keep it. */
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		todo = v->todo;
		left = xg_todo_left(v, group);
	} while (left);
	return count;
}

/* The same with all that can be asked for: at most `budget` of them, and
 * ports in `late` held back before their handler runs. */
static __attribute__((noinline)) uint32_t
call_some(struct xg_guest *g, struct xg_vcpu *v,
	  const struct xg_port_group *group, uint64_t late, uint32_t budget)
{
	uint64_t left = v->todo;
	uint32_t count = 0;

	do {
		const struct xg_port_slot *slot =
			&group->slots[xg_first_bit(left)];

		if ((late & left & -left) &&
		    !xg_evtchn_hold(g, port_of(g, group, slot)))
			v->next = slot + 1;
		else
			call_handler(g, v, group, slot + 1);
		left = xg_todo_left(v, group);
	} while (++count != budget && left);
	return count;
}

/* Events that came through while somebody was masking their port. */
static __attribute__((noinline)) void put_back(struct xg_guest *g, uint32_t w,
					       uint64_t events)
{
	for (; events; events &= events - 1)
		xg_evtchn_put_back(g, w * XG_WORD_BITS + xg_first_bit(events));
}

/* Serve `events`, taken from word `w`; returns the budget left. */
static __attribute__((noinline)) uint32_t
serve_events(struct xg_guest *g, struct xg_vcpu *v, uint32_t w, uint64_t events,
	     uint32_t budget)
{
	const struct xg_port_group *group = &g->evtchn.groups[w];
	uint64_t masked = events & xg_load(&group->masked);
	uint64_t late = events & xg_load(&group->late);
	uint64_t left;
	uint32_t count;

	if (masked) {
		put_back(g, w, masked);
		events &= ~masked;
	}
	if (!events)
		return budget;
	/* In this order for interrupts above us, which may mask ports. */
	v->next = group->slots;
	__atomic_signal_fence(__ATOMIC_RELEASE);
	v->todo = events;
	if (!late && budget >= XG_WORD_BITS)
		count = call_all(g, v, group);
	else
		count = call_some(g, v, group, late, budget);
	left = xg_todo_left(v, group);
	v->start = w * XG_WORD_BITS + (uint32_t)(v->next - group->slots);
	v->todo = 0;
	if (left) {
		xg_set_bits(&g->evtchn.pending[w], left);
		return 0;
	}
	return budget - count;
}

/* The events among `pending`, of the word `word`, that this vCPU is to serve
 * now. */
static inline uint64_t active_in(const struct xg_vcpu *v, const uint64_t *word,
				 uint32_t w, uint64_t pending)
{
	uint64_t active = pending & ~xg_load_seq(word + XG_MAX_2L_GROUPS);

	return v->ports ? active & xg_load(&v->ports[w]) : active;
}

/* The selector with bit `by` in the lowest place, and back. */
static uint64_t rotate(uint64_t sel, uint32_t by)
{
	return sel >> by | sel << (-by & 63);
}

/*
 * Serve the words of `sel`, from port v->start round to it again: the word
 * that it is in has two turns, its upper part the first and its lower part
 * the last one. Returns the budget left.
 */
static uint32_t serve_words(struct xg_guest *g, struct xg_vcpu *v, uint64_t sel,
			    uint32_t budget)
{
	uint32_t start = v->start < g->evtchn.nr_ports ? v->start : 0;
	uint32_t first = start / XG_WORD_BITS;
	uint64_t window = ~UINT64_C(0) << (start % XG_WORD_BITS);
	uint64_t words = rotate(sel, first);
	/* Of the first word, what has to wait. */
	uint64_t lower = words & 1 ? ~window : 0;

	while (words) {
		uint32_t i = xg_first_bit(words);
		uint32_t w = (first + i) % XG_MAX_2L_GROUPS;
		uint64_t *word = &g->evtchn.pending[w];
		uint64_t active;

		/* Ports beyond the table stay masked. */
		active = w < g->evtchn.nr_groups
				 ? active_in(v, word, w, xg_load_seq(word))
				 : 0;
		if (!i) {
			lower &= active;
			active &= window;
		}
		/* Cleared before the handlers run: what a peer writes and then
		 * announces during a handler comes again. What somebody else
		 * took meanwhile is not ours. */
		if (active)
			active &= xg_clear_bits(word, active);
		if (active)
			budget = serve_events(g, v, w, active, budget);
		if (!budget)
			break;
		words &= words - 1;
		if (!words && lower) {
			words = 1;
			window = lower;
			lower = 0;
		}
	}
	/* Pending bits are back already: the selector is what leads to them. */
	if (words)
		xg_set_bits(selector(v),
			    rotate(words | (lower != 0), -first & 63));
	return budget;
}

/*
 * Lower the flag and take the selector. In this order: what Xen adds after we
 * took it sets the flag again. On Arm the flag is also the interrupt line,
 * which must fall before the scan for the same reason.
 *
 * The exchange is the barrier, too, between `serving` and the masks read from
 * here on: evtchn_upcall.c. One for all words that the pass visits, where one
 * for each would cost more than all the rest does.
 */
static inline uint64_t take_selector(struct xg_vcpu *v)
{
	struct vcpu_info *info = v->info;

	XG_STORE_BEFORE_RMW(&info->evtchn_upcall_pending, 0);
	XG_STORE_BEFORE_RMW(&v->serving,
			    v->serving + XG_SERVING_VISIT + XG_SERVING_ALL);
	return xg_take_word((uint64_t *)&info->evtchn_pending_sel);
}

/* The rest of an upcall that has served what it took, and has this budget
 * left. */
static __attribute__((noinline)) int go_on(struct xg_guest *g,
					   struct xg_vcpu *v, uint32_t budget)
{
	for (;;) {
		xg_serving_end(v);
		if (!budget)
			return xg_upcall_again(v);
		if (!xg_upcall_pending(v))
			return 0;
		budget = serve_words(g, v, take_selector(v), budget);
	}
}

/* The rest of an upcall that took `sel`. */
static __attribute__((noinline)) int serve_taken(struct xg_guest *g,
						 struct xg_vcpu *v,
						 uint64_t sel, uint32_t budget)
{
	return go_on(g, v, serve_words(g, v, sel, budget ? budget : 1));
}

/* The rest of an upcall whose first word's events are taken already. */
static __attribute__((noinline)) int serve_first(struct xg_guest *g,
						 struct xg_vcpu *v, uint32_t w,
						 uint64_t events,
						 uint32_t budget)
{
	if (!budget)
		budget = 1;
	/* May have to stop before the last one: then they have turns. */
	if (budget < XG_WORD_BITS) {
		xg_set_bits(&g->evtchn.pending[w], events);
		return serve_taken(g, v, xg_bit(w), budget);
	}
	return go_on(g, v, serve_events(g, v, w, events, budget));
}

/*
 * A single word is what an upcall mostly finds, and mostly a single port in
 * it. That is served here, if nothing about it is special: `todo` stays empty,
 * as nothing is left for the handler to take out, and there is no turn to
 * keep. All else goes the long way.
 */
static int upcall(struct xg_guest *g, struct xg_vcpu *v, uint32_t budget)
{
	uint64_t sel = take_selector(v);
	const struct xg_port_group *group;
	const struct xg_port_slot *slot;
	xg_evtchn_handler_t handler;
	uint64_t *word, pending, events, special;
	uint32_t w;

	if (!xg_one_bit(sel))
		return serve_taken(g, v, sel, budget);
	w = xg_first_bit(sel);
	if (w >= g->evtchn.nr_groups)
		return serve_taken(g, v, xg_bit(w), budget);
	word = &g->evtchn.pending[w];
	pending = xg_load_seq(word);
	events = active_in(v, word, w, pending);
	/* If the swap fails another one came, or somebody took one. */
	if (!events || !xg_swap_word(word, pending, pending ^ events))
		return serve_taken(g, v, xg_bit(w), budget);
	group = &g->evtchn.groups[w];
	slot = &group->slots[xg_first_bit(events)];
	special =
		xg_load(&group->masked) | xg_load(&group->late) | (events - 1);
	handler = __atomic_load_n(&slot->handler, __ATOMIC_ACQUIRE);
	if ((special & events) || !handler || budget < 2)
		return serve_first(g, v, w, events, budget);
	handler(__atomic_load_n(&slot->data, __ATOMIC_RELAXED));
	xg_serving_end(v);
	return xg_upcall_pending(v) ? go_on(g, v, budget - 1) : 0;
}

const struct xg_evtchn_ops xg_evtchn_2l_ops = {
	.mask = mask,
	.unmask = unmask,
	.pending = pending,
	.take_pending = take_pending,
	.set_pending = set_pending,
	.upcall = upcall,
};
