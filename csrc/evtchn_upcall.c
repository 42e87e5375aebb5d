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
 * wait for; close and mask take what that upcall still holds for the port out
 * of what comes next.
 *
 * A stopped port is masked, so the upcall meets one only when the call that
 * stops it is not over, or one that began before goes on. It masks the port
 * and puts the event back, where bind or unmask finds it.
 */
#include "evtchn_port.h"

__attribute__((noinline)) struct xg_vcpu *xg_this_vcpu(struct xg_guest *g)
{
	uint32_t cpu = g->platform->cpu_id(g->context);

	return cpu < g->evtchn.nr_vcpus ? &g->evtchn.vcpus[cpu] : NULL;
}

/*
 * Pending is set first, then the mask bit, then the state is read again; bind
 * and unmask change that first, then clear the mask bit, then read pending. So
 * if they clear the bit after we set it, they see the event, and if they did
 * before, we see their change and have the event announced.
 */
void xg_evtchn_put_back(struct xg_guest *g, uint32_t port)
{
	if (xg_port_state(xg_slot_of(g, port)) & XG_PORT_OPEN)
		xg_port_set_pending(g, port);
	xg_evtchn_settle(g, port);
}

/*
 * Hold a late event's port back. XG_PORT_LATE is read in the same step that
 * sets XG_PORT_HELD, and who turns late ends off clears both in one: so no hold
 * is left that nobody ends. Who ends a hold clears it before the mask bit, and
 * settle reads it after it set the mask bit: so no mask bit is left without a
 * hold.
 */
static void hold(struct xg_guest *g, struct xg_port_slot *slot, uint32_t port)
{
	if (!(xg_port_set(slot, XG_PORT_HELD) & XG_PORT_LATE))
		xg_port_clear(slot, XG_PORT_HELD);
	xg_evtchn_settle(g, port);
}

/* A port that is held already is masked, but for an unmask under way that began
 * before the hold. What came through then waits like the rest. */
void xg_evtchn_call_special(struct xg_guest *g, struct xg_vcpu *v,
			    struct xg_port_slot *slot)
{
	uint32_t port = (uint32_t)(slot - g->evtchn.slots);
	uint32_t state = xg_port_state(slot);

	if ((state & XG_PORT_STALE) && !(v->todo & xg_bit(port))) {
		xg_port_clear(slot, XG_PORT_STALE);
		return;
	}
	if (state & XG_PORT_STOPPED) {
		xg_evtchn_put_back(g, port);
		return;
	}
	if (state & XG_PORT_LATE)
		hold(g, slot, port);
	xg_port_call(slot);
}

void xg_evtchn_quiesce(struct xg_guest *g)
{
	const struct xg_vcpu *here = xg_this_vcpu(g);
	const struct xg_vcpu *end = g->evtchn.vcpus + g->evtchn.nr_vcpus;

	for (const struct xg_vcpu *v = g->evtchn.vcpus; v != end; v++) {
		/* After the caller's store of the mask bit: top of the file. */
		uint32_t seen = __atomic_load_n(&v->serving, __ATOMIC_SEQ_CST);

		while ((seen & 1) && v != here &&
		       __atomic_load_n(&v->serving, __ATOMIC_ACQUIRE) == seen)
			g->platform->relax(g->context);
	}
}

bool xg_evtchn_forget(struct xg_guest *g, uint32_t port)
{
	struct xg_vcpu *v = xg_this_vcpu(g);
	struct xg_port_slot *slot = xg_slot_of(g, port);

	if (!v || slot < v->next || slot >= v->end || !(v->todo & xg_bit(port)))
		return false;
	v->todo &= ~xg_bit(port);
	xg_port_set(slot, XG_PORT_STALE);
	return true;
}
