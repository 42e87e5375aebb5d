/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The upcall, and how a handler is taken away under it.
 *
 * Each vCPU's `serving` counts: it is odd in a visit, which is about one port,
 * in the FIFO ABI, or all that the selector led to, in the 2-level ABI. The
 * upcall begins a visit before it reads a port's mask; unbind and close set the
 * mask before they read `serving` (all sequentially consistent). So either the
 * upcall sees the port masked and leaves it alone, or unbind sees the visit and
 * waits until it is over. Above an upcall on the same vCPU there is nobody to
 * wait for. What that one has taken for the port and not got to yet it puts
 * back when it does; or, once the port was closed, it drops it: `taken` counts
 * what is taken, and close leaves in the slot where the count was. No two vCPUs
 * count the same, and none counts so far that it begins anew: so a thread that
 * is moved to another CPU meanwhile leaves a number that means nothing.
 *
 * A stopped port is masked, so the upcall meets one only when the call that
 * stops it is not over, or one that began before goes on. It masks the port
 * and puts the event back, where bind or unmask finds it.
 */
#include "evtchn_port.h"

XG_SHARED struct xg_vcpu *xg_vcpu(const struct xg_guest *g, uint32_t id)
{
	return id < g->evtchn.nr_vcpus ? &g->evtchn.vcpus[id] : NULL;
}

XG_SHARED struct xg_vcpu *xg_this_vcpu(const struct xg_guest *g)
{
	return xg_vcpu(g, g->platform->cpu_id(g->context));
}

bool xg_evtchn_stop(struct xg_guest *g, struct xg_port_slot *slot, uint32_t why)
{
	const struct xg_vcpu *v, *end, *here;
	bool nobody = true;

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
			nobody = false;
		else
			while (__atomic_load_n(&v->serving, __ATOMIC_ACQUIRE) ==
			       seen)
				g->platform->relax(g->context);
	} while (++v != end);
	return nobody;
}

/*
 * Pending is set first, then the mask bit, then the state is read again; bind
 * and unmask change that first, then clear the mask bit, then read pending. So
 * if they clear the bit after we set it, they see the event, and if they did
 * before, we see their change and have the event announced.
 */
XG_SHARED void xg_evtchn_put_back(struct xg_guest *g,
				  const struct xg_port_slot *slot)
{
	if (xg_port_state(slot) & (XG_PORT_OPEN | XG_PORT_FIXED))
		xg_port_set_pending(g, slot);
	xg_evtchn_settle(g, slot);
}

/* A port that is held already is masked, but for an unmask under way that began
 * before the hold. What came through then waits like the rest. */
void xg_evtchn_call_special(struct xg_guest *g, struct xg_vcpu *v,
			    struct xg_port_slot *slot)
{
	uint32_t state = xg_port_clear(slot, XG_PORT_STALE);

	if ((state & XG_PORT_STALE) && slot->closed == v->taken)
		return;
	if (state & XG_PORT_STOPPED) {
		xg_evtchn_put_back(g, slot);
		return;
	}
	/* Hold a late event's port back; in one step with a look whether it
	 * still is late, as who turns that off clears both in one: so no hold
	 * is left that nobody ends. */
	if (state & XG_PORT_LATE)
		xg_evtchn_change(g, xg_port_of(g, slot), XG_PORT_LATE, 0,
				 XG_PORT_HELD);
	xg_port_call(slot);
}
