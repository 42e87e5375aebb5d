/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Handlers, and what holds their events back.
 *
 * One rule ties the shared mask bit to the library's state: it is clear only
 * while the port has a handler and is in neither its group's `masked` nor its
 * `held` set. Xen leaves the bit alone when a port is closed and opened again,
 * so a new port starts masked, and what arrives before bind stays pending for
 * bind to find.
 *
 * A handler is published data first (bind), withdrawn handler first (unbind);
 * evtchn_upcall.c has the wait for a running one.
 */
#include "evtchn_abi.h"

/*
 * Each caller changed a reason before, and all of them are looked at again
 * after, so that of two calls at the same time the last one leaves the bit
 * right. Another round takes another change by somebody else.
 */
int xg_evtchn_settle(struct xg_guest *g, uint32_t port)
{
	bool deliver;
	int rc;

	do {
		deliver = xg_port_delivers(g, port);
		if (deliver) {
			rc = g->evtchn.ops->unmask(g, port);
			if (rc)
				return rc;
		} else {
			g->evtchn.ops->mask(g, port);
		}
	} while (deliver != xg_port_delivers(g, port));
	return 0;
}

/* Take the handler away and wait until it is not running. Leaves the port
 * masked. */
void xg_evtchn_withdraw(struct xg_guest *g, uint32_t port)
{
	struct xg_port_slot *slot = xg_slot_of(g, port);

	/* Before quiesce looks for an upcall that may hold the port. */
	g->evtchn.ops->mask(g, port);
	__atomic_store_n(&slot->handler, (xg_evtchn_handler_t)0,
			 __ATOMIC_SEQ_CST);
	xg_evtchn_quiesce(g, port);
	/* Whoever was to say that the event is over is gone as well. */
	xg_clear_bits(&xg_group_of(g, port)->held, xg_bit(port));
}

int xg_evtchn_install(struct xg_guest *g, uint32_t port,
		      xg_evtchn_handler_t handler, void *data)
{
	struct xg_port_slot *slot = xg_slot_of(g, port);

	__atomic_store_n(&slot->data, data, __ATOMIC_RELAXED);
	/* Release publishes `data`; sequentially consistent because an upcall
	 * that just saw no handler sets mask and pending and looks again, and
	 * we look at those next. */
	__atomic_store_n(&slot->handler, handler, __ATOMIC_SEQ_CST);
	return xg_evtchn_settle(g, port);
}

int xg_evtchn_bind(struct xg_guest *g, uint32_t port,
		   xg_evtchn_handler_t handler, void *data)
{
	struct xg_port_slot *slot;
	xg_evtchn_handler_t old;
	bool adopted = false;
	void *old_data;
	int rc;

	if (!handler || !xg_port_in_table(g, port))
		return -XG_EINVAL;
	if (!xg_port_open(g, port)) {
		rc = xg_evtchn_adopt(g, port);
		if (rc)
			return rc;
		adopted = true;
	}
	slot = xg_slot_of(g, port);
	old = __atomic_load_n(&slot->handler, __ATOMIC_RELAXED);
	old_data = __atomic_load_n(&slot->data, __ATOMIC_RELAXED);
	if (old)
		xg_evtchn_withdraw(g, port);
	rc = xg_evtchn_install(g, port, handler, data);
	if (!rc)
		return 0;
	xg_evtchn_withdraw(g, port);
	if (adopted)
		xg_clear_bits(&xg_group_of(g, port)->open, xg_bit(port));
	else if (old)
		xg_evtchn_install(g, port, old, old_data);
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
	if (!xg_port_open(g, port))
		return -XG_EINVAL;
	xg_set_bits(&xg_group_of(g, port)->masked, xg_bit(port));
	/* Another handler's port, taken by the upcall that runs us: it waits
	 * like what arrives from now on. Before the mask bit, whose clearing
	 * elsewhere then finds it. */
	if (xg_evtchn_forget(g, port))
		g->evtchn.ops->set_pending(g, port);
	g->evtchn.ops->mask(g, port);
	/* Unmasked elsewhere meanwhile: that call may have come too early. */
	return xg_port_held_back(g, port) ? 0 : xg_evtchn_settle(g, port);
}

int xg_evtchn_unmask(struct xg_guest *g, uint32_t port)
{
	struct xg_port_group *group;
	uint64_t masked;
	int rc;

	if (!xg_port_open(g, port))
		return -XG_EINVAL;
	group = xg_group_of(g, port);
	masked = xg_clear_bits(&group->masked, xg_bit(port)) & xg_bit(port);
	rc = xg_evtchn_settle(g, port);
	if (rc)
		xg_set_bits(&group->masked, masked);
	return rc;
}

int xg_evtchn_pending(struct xg_guest *g, uint32_t port)
{
	return xg_port_open(g, port) ? g->evtchn.ops->pending(g, port)
				     : -XG_EINVAL;
}

int xg_evtchn_take_pending(struct xg_guest *g, uint32_t port)
{
	return xg_port_open(g, port) ? g->evtchn.ops->take_pending(g, port)
				     : -XG_EINVAL;
}

int xg_evtchn_take_missed(struct xg_guest *g, uint32_t port)
{
	if (xg_port_open(g, port) && xg_port_bound(g, port))
		return 0;
	return xg_evtchn_take_pending(g, port);
}
