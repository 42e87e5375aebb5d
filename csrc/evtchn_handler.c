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

int xg_evtchn_resume(struct xg_guest *g, uint32_t port)
{
	if (!xg_port_bound(g, port) || xg_port_held_back(g, port))
		return 0;
	return g->evtchn.ops->unmask(g, port);
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
}

int xg_evtchn_install(struct xg_guest *g, uint32_t port,
		      xg_evtchn_handler_t handler, void *data)
{
	struct xg_port_slot *slot = xg_slot_of(g, port);
	int rc;

	__atomic_store_n(&slot->data, data, __ATOMIC_RELAXED);
	/* Release publishes `data`; sequentially consistent because an upcall
	 * that just saw no handler sets mask and pending and looks again, and
	 * we look at those next. */
	__atomic_store_n(&slot->handler, handler, __ATOMIC_SEQ_CST);
	rc = xg_evtchn_resume(g, port);
	if (rc)
		xg_evtchn_withdraw(g, port);
	return rc;
}

int xg_evtchn_bind(struct xg_guest *g, uint32_t port,
		   xg_evtchn_handler_t handler, void *data)
{
	bool adopted = false;
	int rc;

	if (!handler || !xg_port_in_table(g, port))
		return -XG_EINVAL;
	if (!xg_port_open(g, port)) {
		rc = xg_evtchn_adopt(g, port);
		if (rc)
			return rc;
		adopted = true;
	}
	if (xg_port_bound(g, port))
		xg_evtchn_withdraw(g, port);
	rc = xg_evtchn_install(g, port, handler, data);
	if (rc && adopted)
		xg_clear_bits(&xg_group_of(g, port)->open, xg_bit(port));
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
	g->evtchn.ops->mask(g, port);
	return 0;
}

int xg_evtchn_unmask(struct xg_guest *g, uint32_t port)
{
	struct xg_port_group *group;
	int rc;

	if (!xg_port_open(g, port))
		return -XG_EINVAL;
	group = xg_group_of(g, port);
	xg_clear_bits(&group->masked, xg_bit(port));
	rc = xg_evtchn_resume(g, port);
	if (rc)
		xg_set_bits(&group->masked, xg_bit(port));
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
