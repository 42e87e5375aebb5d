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

static uint64_t *selector(struct xg_vcpu *v)
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

static void call_handler(struct xg_guest *g, uint32_t port,
			 const struct xg_port_slot *slot)
{
	/* Pairs with the store in bind: its `data` is seen with it. */
	xg_evtchn_handler_t handler =
		__atomic_load_n(&slot->handler, __ATOMIC_ACQUIRE);

	if (handler)
		handler(__atomic_load_n(&slot->data, __ATOMIC_RELAXED));
	else
		xg_evtchn_put_back(g, port);
}

/* Call the handlers of v->todo and return the last port's number. `todo` is
 * in memory, because a handler may close another port. */
static uint32_t call_all(struct xg_guest *g, struct xg_vcpu *v, uint32_t w)
{
	const struct xg_port_slot *slots = g->evtchn.groups[w].slots;
	uint64_t todo = v->todo;
	uint32_t bit;

	do {
		bit = xg_first_bit(todo);
		v->todo = todo & (todo - 1);
		call_handler(g, w * XG_WORD_BITS + bit, &slots[bit]);
		todo = v->todo;
	} while (todo);
	return w * XG_WORD_BITS + bit;
}

/* The same with all that can be asked for: at most `budget` of them, and
 * ports in `late` held back before their handler runs. */
static uint32_t call_some(struct xg_guest *g, struct xg_vcpu *v, uint32_t w,
			  uint64_t late, uint32_t budget)
{
	struct xg_port_group *group = &g->evtchn.groups[w];
	uint32_t port;

	do {
		uint32_t bit = xg_first_bit(v->todo);

		port = w * XG_WORD_BITS + bit;
		v->todo &= v->todo - 1;
		if (late & xg_bit(bit))
			xg_evtchn_hold(g, port);
		call_handler(g, port, &group->slots[bit]);
	} while (v->todo && --budget);
	return port;
}

/* Events that came through while somebody was masking their port. */
static uint64_t put_masked_back(struct xg_guest *g, uint32_t w, uint64_t events)
{
	uint64_t masked = events & xg_load(&g->evtchn.groups[w].masked);

	for (uint64_t rest = masked; rest; rest &= rest - 1)
		xg_evtchn_put_back(g, w * XG_WORD_BITS + xg_first_bit(rest));
	return events & ~masked;
}

/* Serve `events` of word `w`; returns the budget left. */
static uint32_t serve_events(struct xg_guest *g, struct xg_vcpu *v, uint32_t w,
			     uint64_t events, uint32_t budget)
{
	uint64_t late = events & xg_load(&g->evtchn.groups[w].late);
	uint32_t count = xg_count_bits(events);
	uint32_t last;

	v->todo = events;
	if (!late && count <= budget)
		last = call_all(g, v, w);
	else
		last = call_some(g, v, w, late, budget);
	v->start = last + 1;
	if (v->todo) {
		xg_set_bits(&g->evtchn.pending[w], v->todo);
		v->todo = 0;
		return 0;
	}
	return count < budget ? budget - count : 0;
}

/*
 * Serve the events of word `w` in `window`. Returns the budget left; *others
 * is set if there are events outside of the window.
 */
static uint32_t serve_word(struct xg_guest *g, struct xg_vcpu *v, uint32_t w,
			   uint64_t window, uint32_t budget, bool *others)
{
	uint64_t *word = &g->evtchn.pending[w];
	uint32_t visit = xg_serving_next(v);
	uint64_t active;

	/* Before the mask is read: evtchn_upcall.c. */
	__atomic_store_n(&v->serving, visit | (w + 1), __ATOMIC_SEQ_CST);
	active = xg_load_seq(word) & ~xg_load_seq(&g->evtchn.mask[w]);
	if (v->ports)
		active &= xg_load(&v->ports[w]);
	*others = active & ~window;
	active &= window;
	/* Cleared before the handlers run: what a peer writes and then
	 * announces during a handler comes again. What somebody else took
	 * meanwhile is not ours. */
	if (active)
		active = put_masked_back(g, w,
					 active & xg_clear_bits(word, active));
	if (active)
		budget = serve_events(g, v, w, active, budget);
	xg_serving_end(v, visit);
	return budget;
}

/* The selector with bit `by` in the lowest place, and back. */
static uint64_t rotate(uint64_t sel, uint32_t by)
{
	return sel >> by | sel << (-by & 63);
}

/*
 * From the port behind the last one served round to it again. So the first
 * word has two turns: its upper part first and its lower part last.
 */
static uint32_t serve(struct xg_guest *g, struct xg_vcpu *v, uint32_t budget)
{
	uint32_t start = v->start < g->evtchn.nr_ports ? v->start : 0;
	uint32_t first = start / XG_WORD_BITS;
	uint64_t window = ~UINT64_C(0) << (start % XG_WORD_BITS);
	uint64_t words = rotate(xg_take_word(selector(v)), first);
	bool others = false;

	while (words && budget) {
		uint32_t i = xg_first_bit(words);
		uint32_t w = (first + i) % XG_MAX_2L_GROUPS;
		bool more = false;

		/* Ports beyond the table stay masked. */
		if (w < g->evtchn.nr_ports / XG_WORD_BITS)
			budget = serve_word(g, v, w, i ? ~UINT64_C(0) : window,
					    budget, &more);
		others |= more;
		if (budget)
			words &= words - 1;
	}
	if (others && budget) {
		bool more;

		budget = serve_word(g, v, first, ~window, budget, &more);
	}
	if (budget)
		return budget;
	/* Pending bits are back already: the selector is what leads to them. */
	words = rotate(words, -first & 63);
	if (others)
		words |= xg_bit(first);
	if (words)
		xg_set_bits(selector(v), words);
	return 0;
}

const struct xg_evtchn_ops xg_evtchn_2l_ops = {
	.mask = mask,
	.unmask = unmask,
	.pending = pending,
	.take_pending = take_pending,
	.set_pending = set_pending,
	.serve = serve,
};
