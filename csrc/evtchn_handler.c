/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Handlers, and what holds their events back.
 *
 * One rule ties the shared mask bit to a port's state: it is clear only while
 * none of XG_PORT_STOPPED is set. Xen leaves the bit alone when a port is
 * closed and opened again, so a new port starts masked, and what arrives
 * before bind stays pending for bind to find.
 *
 * A handler is in place before XG_PORT_UNBOUND is cleared (bind), and stays
 * there after it is set (unbind); evtchn_upcall.c has the wait for a running
 * one.
 */
#include "evtchn_port.h"

XG_SHARED const struct xg_vcpu *xg_evtchn_withdraw(struct xg_guest *g,
						   struct xg_port_slot *slot)
{
	const struct xg_vcpu *beneath =
		xg_evtchn_stop(g, slot, XG_PORT_UNBOUND);

	/* Whoever was to say that the event is over is gone as well. */
	xg_port_clear(slot, XG_PORT_HELD | (beneath ? 0 : XG_PORT_USED));
	return beneath;
}

XG_SHARED int xg_evtchn_change(struct xg_guest *g, uint32_t port, uint32_t need,
			       uint32_t clear, uint32_t set)
{
	struct xg_port_slot *slot = xg_port_slot(g, port);
	uint32_t old, new;
	int rc;

	if (!slot)
		return -XG_EINVAL;
	do {
		old = xg_port_state(slot);
		if (~old & need)
			return -XG_EINVAL;
		new = (old & ~clear) | set;
	} while (xg_swap32(&slot->state, old, new) != old);
	/* Who made it so settles it. */
	if (!((old ^ new) & XG_PORT_STOPPED))
		return 0;
	rc = xg_evtchn_settle(g, slot);
	if (rc)
		xg_port_set(slot, old & clear);
	return rc;
}

XG_SHARED int xg_evtchn_install(struct xg_guest *g, uint32_t port,
				xg_evtchn_handler_t handler, void *data)
{
	struct xg_port_slot *slot = xg_slot_of(g, port);

	slot->handler = handler;
	slot->data = data;
	/* Publishes both; sequentially consistent because an upcall that just
	 * saw no handler sets pending and mask and looks again, and we look at
	 * those next. */
	return xg_evtchn_change(g, port, XG_PORT_OPEN, XG_PORT_UNBOUND,
				XG_PORT_USED);
}

int xg_evtchn_bind(struct xg_guest *g, uint32_t port,
		   xg_evtchn_handler_t handler, void *data)
{
	struct xg_port_slot *slot, old;
	int opened, rc;

	if (!handler)
		return -XG_EINVAL;
	opened = xg_evtchn_adopt(g, port);
	if (opened < 0)
		return opened;
	slot = xg_slot_of(g, port);
	old.state = xg_port_state(slot);
	/* Bound; or what was could not be waited for inside of an upcall, which
	 * may be between the handler and its argument. */
	if (old.state & XG_PORT_USED)
		xg_evtchn_withdraw(g, slot);
	old.handler = slot->handler;
	old.data = slot->data;
	rc = xg_evtchn_install(g, port, handler, data);
	if (!rc)
		return 0;
	xg_evtchn_withdraw(g, slot);
	if (opened)
		xg_port_clear(slot, XG_PORT_OPEN);
	else if (!(old.state & XG_PORT_UNBOUND))
		xg_evtchn_install(g, port, old.handler, old.data);
	return rc;
}

int xg_evtchn_unbind(struct xg_guest *g, uint32_t port)
{
	struct xg_port_slot *slot = xg_port_open(g, port);

	if (!slot)
		return -XG_EINVAL;
	xg_evtchn_withdraw(g, slot);
	return 0;
}

int xg_evtchn_mask(struct xg_guest *g, uint32_t port)
{
	return xg_evtchn_change(g, port, XG_PORT_OPEN, 0, XG_PORT_MASKED);
}

int xg_evtchn_unmask(struct xg_guest *g, uint32_t port)
{
	return xg_evtchn_change(g, port, XG_PORT_OPEN, XG_PORT_MASKED, 0);
}

/* Is an event pending, of a port in one of `states`? Perhaps take it. */
static int look(struct xg_guest *g, uint32_t port, uint32_t states, bool take)
{
	const struct xg_port_slot *slot = xg_port_open(g, port);

	if (!slot)
		return -XG_EINVAL;
	if (!(xg_port_state(slot) & states))
		return 0;
	return xg_port_pending(g, slot, take);
}

int xg_evtchn_pending(struct xg_guest *g, uint32_t port)
{
	return look(g, port, XG_PORT_OPEN, false);
}

int xg_evtchn_take_pending(struct xg_guest *g, uint32_t port)
{
	return look(g, port, XG_PORT_OPEN, true);
}

int xg_evtchn_take_missed(struct xg_guest *g, uint32_t port)
{
	return look(g, port, XG_PORT_UNBOUND, true);
}
