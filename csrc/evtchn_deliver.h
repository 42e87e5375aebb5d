/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What an upcall does with an event that it has taken: call the port's handler,
 * mostly.
 *
 * A stopped port is masked, so the upcall meets one only when the call that
 * stops it is not over, or one that began before goes on. It masks the port
 * and puts the event back, where bind or unmask finds it.
 *
 * For evtchn_upcall.c alone.
 */
#ifndef XG_EVTCHN_DELIVER_H
#define XG_EVTCHN_DELIVER_H

#include "evtchn_port.h"

/*
 * Pending is set first, then the mask bit, then the state is read again; bind
 * and unmask change that first, then clear the mask bit, then read pending. So
 * if they clear the bit after we set it, they see the event, and if they did
 * before, we see their change and have the event announced.
 */
static XG_SHARED void put_back(struct xg_guest *g,
			       const struct xg_port_slot *slot)
{
	if (xg_port_state(slot) & (XG_PORT_OPEN | XG_PORT_FIXED))
		xg_port_set_pending(g, slot);
	xg_evtchn_settle(g, slot);
}

/* A port that is held already is masked, but for an unmask under way that began
 * before the hold. What came through then waits like the rest. */
static XG_SLOW void call_special(struct xg_guest *g, struct xg_vcpu *v,
				 struct xg_port_slot *slot)
{
	uint32_t state = xg_port_state(slot), port = xg_port_of(g, slot);

	if ((state & XG_PORT_STALE) && slot->closed == v->taken)
		return;
	if (!v->ports)
		/* Else another vCPU's upcall may get to it yet. */
		xg_port_clear(slot, XG_PORT_STALE);
	else if (!(xg_load(&v->ports[port / XG_WORD_BITS]) & xg_bit(port)))
		goto back; /* it was moved: Xen announces it where it belongs */
	if (state & XG_PORT_STOPPED)
		goto back;
	/* Hold a late event's port back; in one step with a look whether it
	 * still is late, as who turns that off clears both in one: so no hold
	 * is left that nobody ends. */
	if (state & XG_PORT_LATE)
		xg_evtchn_change(g, port, XG_PORT_LATE, 0, XG_PORT_HELD);
	xg_port_call(slot);
	return;
back:
	put_back(g, slot);
}

static inline void deliver(struct xg_guest *g, struct xg_vcpu *v,
			   struct xg_port_slot *slot)
{
	if (xg_port_plain(slot))
		xg_port_call(slot);
	else
		call_special(g, v, slot);
}

#endif
