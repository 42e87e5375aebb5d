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

/*
 * Each caller changed the state before, and it is looked at again after, so
 * that of two calls at the same time the last one leaves the bit right. Another
 * round takes another change by somebody else. Masked first: what is pending
 * is announced only by an unmask that finds the port masked.
 */
__attribute__((noinline)) int xg_evtchn_settle(struct xg_guest *g,
					       uint32_t port)
{
	const struct xg_port_slot *slot = xg_slot_of(g, port);
	uint32_t seen;

	do {
		xg_port_mask(g, port);
		seen = xg_port_state(slot) & XG_PORT_STOPPED;
		if (!seen) {
			int rc = xg_port_unmask(g, port);

			if (rc)
				return rc;
		}
	} while ((xg_port_state(slot) ^ seen) & XG_PORT_STOPPED);
	return 0;
}

/* Take the handler away and wait until it is not running. Leaves the port
 * masked. */
__attribute__((noinline)) void xg_evtchn_withdraw(struct xg_guest *g,
						  uint32_t port)
{
	struct xg_port_slot *slot = xg_slot_of(g, port);

	xg_port_set(slot, XG_PORT_UNBOUND);
	/* Before quiesce looks for an upcall that may hold the port. */
	xg_port_mask(g, port);
	xg_evtchn_quiesce(g);
	/* Whoever was to say that the event is over is gone as well. */
	xg_port_clear(slot, XG_PORT_HELD);
}

__attribute__((noinline)) int xg_evtchn_change(struct xg_guest *g,
					       uint32_t port, uint32_t need,
					       uint32_t clear, uint32_t set)
{
	struct xg_port_slot *slot = xg_port_slot(g, port);
	uint32_t old, new;
	int rc;

	if (!slot)
		return -XG_EINVAL;
	old = xg_port_state(slot);
	do {
		if (~old & need)
			return -XG_EINVAL;
		new = (old & ~clear) | set;
	} while (!__atomic_compare_exchange_n(&slot->state, &old, new, false,
					      __ATOMIC_SEQ_CST,
					      __ATOMIC_SEQ_CST));
	/* Another handler's port, taken by the upcall that runs us: it waits
	 * like what arrives from now on. Before the mask bit, whose clearing
	 * elsewhere then finds it. */
	if (set && xg_evtchn_forget(g, port))
		xg_port_set_pending(g, port);
	else if (new == old)
		return 0; /* whoever made it so settles it */
	rc = xg_evtchn_settle(g, port);
	if (rc)
		xg_port_set(slot, old & clear);
	return rc;
}

__attribute__((noinline)) int xg_evtchn_install(struct xg_guest *g,
						uint32_t port,
						xg_evtchn_handler_t handler,
						void *data)
{
	struct xg_port_slot *slot = xg_slot_of(g, port);

	slot->handler = handler;
	slot->data = data;
	/* Publishes both; sequentially consistent because an upcall that just
	 * saw no handler sets pending and mask and looks again, and we look at
	 * those next. */
	return xg_evtchn_change(g, port, XG_PORT_OPEN, XG_PORT_UNBOUND, 0);
}

int xg_evtchn_bind(struct xg_guest *g, uint32_t port,
		   xg_evtchn_handler_t handler, void *data)
{
	struct xg_port_slot *slot = xg_port_slot(g, port), old;
	int rc;

	if (!handler || !slot)
		return -XG_EINVAL;
	old.state = xg_port_state(slot);
	if (!(old.state & XG_PORT_OPEN)) {
		rc = xg_evtchn_adopt(g, port);
		if (rc)
			return rc;
	} else if (!(old.state & XG_PORT_UNBOUND)) {
		xg_evtchn_withdraw(g, port);
	}
	old.handler = slot->handler;
	old.data = slot->data;
	rc = xg_evtchn_install(g, port, handler, data);
	if (!rc)
		return 0;
	xg_evtchn_withdraw(g, port);
	if (!(old.state & XG_PORT_OPEN))
		xg_port_clear(slot, XG_PORT_OPEN);
	else if (!(old.state & XG_PORT_UNBOUND))
		xg_evtchn_install(g, port, old.handler, old.data);
	return rc;
}

int xg_evtchn_unbind(struct xg_guest *g, uint32_t port)
{
	if (!xg_port_open(g, port))
		return -XG_EINVAL;
	xg_evtchn_withdraw(g, port);
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
	return take ? xg_port_take_pending(g, port) : xg_port_pending(g, port);
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
