/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The upcall, and how a handler is taken away under it.
 *
 * Each vCPU's `serving` names the ports that its upcall is about: a group of
 * them, in the FIFO ABI, or all that its selector led to, in the 2-level ABI.
 * It also says which visit this is. The upcall stores it before it reads a
 * port's mask; unbind and close set the mask before they read `serving` (all
 * sequentially consistent). So either the upcall sees the port masked and
 * leaves it alone, or unbind sees the visit and waits until it is over. Above
 * an upcall on the same vCPU there is nobody to wait for; close and mask take
 * what that upcall still holds for the port out of `todo`.
 *
 * A port without a handler is masked, so the upcall meets one, or one that
 * somebody masks, only when that call is not over. It masks the port and puts
 * the event back, where bind or unmask finds it: see xg_evtchn_put_back().
 */
#include "evtchn_abi.h"

/*
 * Pending is set first, then the mask bit, then handler and `masked` are read
 * again; bind and unmask store these first, then clear the mask bit, then read
 * pending. So if they clear the bit after we set it, they see the event, and
 * if they did before, we see their stores and find the bit as we left it.
 * Either has the event delivered.
 */
void xg_evtchn_put_back(struct xg_guest *g, uint32_t port)
{
	bool open = xg_load_seq(&xg_group_of(g, port)->open) & xg_bit(port);

	if (open)
		g->evtchn.ops->set_pending(g, port);
	g->evtchn.ops->mask(g, port);
	if (open)
		xg_evtchn_settle(g, port);
}

void xg_evtchn_undelivered(struct xg_guest *g, uint32_t port)
{
	/* A late event that nobody got is not one to wait for. */
	xg_clear_bits(&xg_group_of(g, port)->held, xg_bit(port));
	xg_evtchn_put_back(g, port);
}

/* Apart, so that the usual way has no registers to save. */
static __attribute__((noinline)) int upcall_here(struct xg_guest *g,
						 uint32_t budget)
{
	uint32_t cpu = g->platform->cpu_id(g->context);

	if (cpu >= g->evtchn.nr_vcpus || !g->evtchn.vcpus[cpu].info)
		return 0;
	return g->evtchn.ops->upcall(g, &g->evtchn.vcpus[cpu], budget);
}

int xg_evtchn_upcall(struct xg_guest *g, uint32_t budget)
{
	if (g->evtchn.nr_vcpus > 1)
		return upcall_here(g, budget);
	/* The first one is up as long as the guest is. */
	return g->evtchn.ops->upcall(g, g->evtchn.vcpus, budget);
}

static bool serves(uint32_t serving, uint32_t port)
{
	uint32_t group = serving & XG_SERVING_GROUP;

	return group == port / XG_WORD_BITS + 1 || group == XG_SERVING_ALL;
}

void xg_evtchn_quiesce(struct xg_guest *g, uint32_t port)
{
	for (uint32_t cpu = 0; cpu < g->evtchn.nr_vcpus; cpu++) {
		struct xg_vcpu *v = &g->evtchn.vcpus[cpu];
		/* After the caller's store of the mask bit: top of the file. */
		uint32_t seen = __atomic_load_n(&v->serving, __ATOMIC_SEQ_CST);

		if (!serves(seen, port) ||
		    g->platform->cpu_id(g->context) == cpu)
			continue;
		while (__atomic_load_n(&v->serving, __ATOMIC_ACQUIRE) == seen)
			g->platform->relax(g->context);
	}
}

bool xg_evtchn_forget(struct xg_guest *g, uint32_t port)
{
	uint32_t cpu = g->platform->cpu_id(g->context);
	struct xg_vcpu *v;
	uint64_t held;

	if (cpu >= g->evtchn.nr_vcpus)
		return false;
	v = &g->evtchn.vcpus[cpu];
	if (!serves(__atomic_load_n(&v->serving, __ATOMIC_RELAXED), port))
		return false;
	held = xg_todo_left(v, xg_group_of(g, port)) & xg_bit(port);
	v->todo &= ~held;
	return held;
}
