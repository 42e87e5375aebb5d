/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The upcall, and how a handler is taken away under it. What the upcall does in
 * each ABI: evtchn_2l.h, evtchn_fifo.h.
 *
 * Each vCPU's `serving` counts: it is odd in a visit, which is about one port,
 * in the FIFO ABI, or all that the selector led to, in the 2-level ABI. The
 * upcall begins a visit before it reads a port's mask; unbind and close set the
 * mask before they read `serving` (all sequentially consistent). So either the
 * upcall sees the port masked and leaves it alone, or unbind sees the visit and
 * waits until it is over. Above an upcall on the same vCPU there is nobody to
 * wait for. What that one has taken for the port and not got to yet it puts
 * back when it does, if the port is masked or was moved to another vCPU; or,
 * once the port was closed, it drops it: `taken` counts what is taken, and
 * close leaves in the slot where the count was. No two vCPUs count the same,
 * and none counts so far that it begins anew: so a thread that is moved to
 * another CPU meanwhile leaves a number that means nothing.
 */
#include "evtchn_2l.h"
#include "evtchn_fifo.h"

XG_SHARED struct xg_vcpu *xg_vcpu(const struct xg_guest *g, uint32_t id)
{
	return id < g->evtchn.nr_vcpus ? &g->evtchn.vcpus[id] : NULL;
}

XG_SHARED struct xg_vcpu *xg_this_vcpu(const struct xg_guest *g)
{
	return xg_vcpu(g, g->platform->cpu_id(g->context));
}

const struct xg_vcpu *xg_evtchn_stop(struct xg_guest *g,
				     struct xg_port_slot *slot, uint32_t why)
{
	const struct xg_vcpu *v, *end, *here, *beneath = NULL;

	xg_port_set(slot, why);
	xg_port_mask(g, slot);
	/* Not before: an upcall that begins here once this thread has moved to
	 * another CPU sees the port masked. */
	here = xg_this_vcpu(g);
	v = g->evtchn.vcpus;
	end = v + g->evtchn.nr_vcpus;
	do {
		/* After the store of the mask bit: top of the file. */
		uint32_t seen = __atomic_load_n(&v->serving, __ATOMIC_SEQ_CST);

		if (!(seen & 1))
			continue;
		if (v == here)
			beneath = v;
		else
			while (__atomic_load_n(&v->serving, __ATOMIC_ACQUIRE) ==
			       seen)
				g->platform->relax(g->context);
	} while (++v != end);
	return beneath;
}

/*
 * Begin a visit: lower the flag and take the selector. In this order: what Xen
 * adds after we took it sets the flag again. On Arm the flag is also the
 * interrupt line, which must fall before the scan for the same reason.
 *
 * The exchange is the barrier, too, between `serving` and the masks read from
 * here on: top of the file. One for all words that the pass visits, where one
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
		budget = g->evtchn.words ? serve_queues(g, v, budget)
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
