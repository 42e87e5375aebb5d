/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Event channels: opening and closing ports, handlers, masks.
 *
 * One rule ties the shared mask bit to the library's state: it is clear only
 * while the port has a handler and is not in its group's `masked` set. Xen
 * leaves the bit alone when a port is closed and opened again, so a new port
 * starts masked, and what arrives before bind stays pending for bind to find.
 *
 * A handler is published data first (bind), withdrawn handler first (unbind);
 * evtchn_upcall.c has the reader's side and the wait for a running handler.
 */
#include "atomic.h"
#include "hypercall.h"
#include "internal.h"

static struct xg_port_group *group_of(const struct xg_guest *g, uint32_t port)
{
	return &g->evtchn.groups[port / XG_WORD_BITS];
}

static struct xg_port_slot *slot_of(const struct xg_guest *g, uint32_t port)
{
	return &group_of(g, port)->slots[port % XG_WORD_BITS];
}

static bool port_in_table(const struct xg_guest *g, uint32_t port)
{
	return port && port < g->evtchn.nr_ports;
}

static bool port_open(const struct xg_guest *g, uint32_t port)
{
	return port_in_table(g, port) &&
	       (xg_load(&group_of(g, port)->open) & xg_bit(port));
}

static bool port_masked(const struct xg_guest *g, uint32_t port)
{
	return xg_load_seq(&group_of(g, port)->masked) & xg_bit(port);
}

static bool port_bound(const struct xg_guest *g, uint32_t port)
{
	return __atomic_load_n(&slot_of(g, port)->handler, __ATOMIC_SEQ_CST);
}

static int event_op(struct xg_guest *g, uint32_t op, void *arg)
{
	return xg_hypercall2(g, __HYPERVISOR_event_channel_op, op, arg);
}

int xg_evtchn_init(struct xg_guest *g, struct xg_port_group *groups,
		   uint32_t nr_groups)
{
	memset(groups, 0, nr_groups * sizeof(*groups));
	g->evtchn.groups = groups;
	g->evtchn.nr_ports = nr_groups * XG_PORTS_PER_GROUP;
	xg_evtchn_2l_init(g, g->shared_info.va);
	return 0;
}

bool xg_evtchn_in_use(const struct xg_guest *g)
{
	uint32_t nr_groups = g->evtchn.nr_ports / XG_PORTS_PER_GROUP;

	for (uint32_t i = 0; i < nr_groups; i++)
		if (xg_load(&g->evtchn.groups[i].open))
			return true;
	return false;
}

static int close_op(struct xg_guest *g, uint32_t port)
{
	struct evtchn_close op = {.port = port};

	return event_op(g, EVTCHNOP_close, &op);
}

/* A port of ours that Xen has just opened: into the table, or back to Xen. */
static int enter(struct xg_guest *g, uint32_t port)
{
	if (!port_in_table(g, port)) {
		close_op(g, port);
		return -XG_ENOSPC;
	}
	xg_set_bits(&group_of(g, port)->open, xg_bit(port));
	return (int)port;
}

int xg_evtchn_alloc_unbound(struct xg_guest *g, uint16_t dom, uint16_t remote)
{
	struct evtchn_alloc_unbound op = {.dom = dom, .remote_dom = remote};
	int rc = event_op(g, EVTCHNOP_alloc_unbound, &op);

	if (rc)
		return rc;
	return dom == DOMID_SELF ? enter(g, op.port) : (int)op.port;
}

/*
 * Bring the shared mask bit in line with handler and `masked`. Each caller
 * changed one of these before and looks at them again after, so that of two
 * calls at the same time the last one leaves the bit right. Another round
 * takes another change by somebody else.
 */
int xg_evtchn_settle(struct xg_guest *g, uint32_t port)
{
	bool deliver;
	int rc;

	do {
		deliver = port_bound(g, port) && !port_masked(g, port);
		if (deliver) {
			rc = xg_evtchn_2l_unmask(g, port);
			if (rc)
				return rc;
		} else {
			xg_evtchn_2l_mask(g, port);
		}
	} while (deliver != (port_bound(g, port) && !port_masked(g, port)));
	return 0;
}

/* Take the handler away and wait until it is not running. Leaves the port
 * masked. */
static void withdraw(struct xg_guest *g, uint32_t port)
{
	struct xg_port_slot *slot = slot_of(g, port);

	/* Before quiesce looks for an upcall that may hold the port. */
	xg_evtchn_2l_mask(g, port);
	__atomic_store_n(&slot->handler, (xg_evtchn_handler_t)0,
			 __ATOMIC_SEQ_CST);
	xg_evtchn_quiesce(g, port);
}

static int install(struct xg_guest *g, uint32_t port,
		   xg_evtchn_handler_t handler, void *data)
{
	struct xg_port_slot *slot = slot_of(g, port);

	__atomic_store_n(&slot->data, data, __ATOMIC_RELAXED);
	/* Release publishes `data`; sequentially consistent because an upcall
	 * that just saw no handler sets mask and pending and looks again, and
	 * we look at those next. */
	__atomic_store_n(&slot->handler, handler, __ATOMIC_SEQ_CST);
	return xg_evtchn_settle(g, port);
}

int xg_evtchn_bind_interdomain(struct xg_guest *g, uint16_t remote,
			       uint32_t remote_port,
			       xg_evtchn_handler_t handler, void *data)
{
	struct evtchn_bind_interdomain op = {
		.remote_dom = remote,
		.remote_port = remote_port,
	};
	int rc = event_op(g, EVTCHNOP_bind_interdomain, &op);
	int port;

	if (rc)
		return rc;
	port = enter(g, op.local_port);
	if (port < 0 || !handler)
		return port;
	rc = install(g, (uint32_t)port, handler, data);
	if (rc) {
		xg_evtchn_close(g, (uint32_t)port);
		return rc;
	}
	return port;
}

/* A port that somebody else opened for this domain. */
static int adopt(struct xg_guest *g, uint32_t port)
{
	struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
	int rc = xg_evtchn_status(g, &status);

	if (rc)
		return rc;
	if (status.status == EVTCHNSTAT_closed)
		return -XG_EINVAL;
	xg_set_bits(&group_of(g, port)->open, xg_bit(port));
	return 0;
}

int xg_evtchn_bind(struct xg_guest *g, uint32_t port,
		   xg_evtchn_handler_t handler, void *data)
{
	struct xg_port_slot *slot;
	xg_evtchn_handler_t old;
	void *old_data;
	bool adopted = false;
	int rc;

	if (!handler || !port_in_table(g, port))
		return -XG_EINVAL;
	if (!port_open(g, port)) {
		rc = adopt(g, port);
		if (rc)
			return rc;
		adopted = true;
	}
	slot = slot_of(g, port);
	old = __atomic_load_n(&slot->handler, __ATOMIC_RELAXED);
	old_data = __atomic_load_n(&slot->data, __ATOMIC_RELAXED);
	if (old)
		withdraw(g, port);
	rc = install(g, port, handler, data);
	if (!rc)
		return 0;
	withdraw(g, port);
	if (adopted)
		xg_clear_bits(&group_of(g, port)->open, xg_bit(port));
	else if (old)
		install(g, port, old, old_data);
	return rc;
}

int xg_evtchn_unbind(struct xg_guest *g, uint32_t port)
{
	if (!port_open(g, port))
		return -XG_EINVAL;
	withdraw(g, port);
	return 0;
}

int xg_evtchn_close(struct xg_guest *g, uint32_t port)
{
	struct xg_port_group *group;
	struct xg_port_slot *slot;
	xg_evtchn_handler_t handler;
	uint64_t masked;
	int rc;

	if (!port_in_table(g, port))
		return -XG_EINVAL;
	/* Opened by somebody else and never bound, or not open: Xen knows. */
	if (!port_open(g, port))
		return close_op(g, port);
	group = group_of(g, port);
	slot = slot_of(g, port);
	handler = __atomic_load_n(&slot->handler, __ATOMIC_RELAXED);
	withdraw(g, port);
	/* The handler that this waited for may have unmasked its port. Without
	 * a handler nobody does. */
	withdraw(g, port);
	/* From the hypercall on the number may be another thread's, with
	 * handler and mask of its own: nothing of it is touched after. */
	masked = xg_clear_bits(&group->masked, xg_bit(port)) & xg_bit(port);
	xg_clear_bits(&group->open, xg_bit(port));
	rc = close_op(g, port);
	if (!rc) {
		xg_evtchn_forget(g, port);
		return 0;
	}
	xg_set_bits(&group->open, xg_bit(port));
	xg_set_bits(&group->masked, masked);
	if (handler)
		install(g, port, handler,
			__atomic_load_n(&slot->data, __ATOMIC_RELAXED));
	return rc;
}

int xg_evtchn_notify(struct xg_guest *g, uint32_t port)
{
	struct evtchn_send op = {.port = port};

	if (!port_in_table(g, port))
		return -XG_EINVAL;
	return event_op(g, EVTCHNOP_send, &op);
}

int xg_evtchn_mask(struct xg_guest *g, uint32_t port)
{
	if (!port_open(g, port))
		return -XG_EINVAL;
	xg_set_bits(&group_of(g, port)->masked, xg_bit(port));
	xg_evtchn_2l_mask(g, port);
	/* Unmasked elsewhere meanwhile: that call may have come too early. */
	return port_masked(g, port) ? 0 : xg_evtchn_settle(g, port);
}

int xg_evtchn_unmask(struct xg_guest *g, uint32_t port)
{
	struct xg_port_group *group;
	uint64_t masked;
	int rc;

	if (!port_open(g, port))
		return -XG_EINVAL;
	group = group_of(g, port);
	masked = xg_clear_bits(&group->masked, xg_bit(port)) & xg_bit(port);
	rc = xg_evtchn_settle(g, port);
	if (rc)
		xg_set_bits(&group->masked, masked);
	return rc;
}

int xg_evtchn_pending(struct xg_guest *g, uint32_t port)
{
	return port_open(g, port) ? xg_evtchn_2l_pending(g, port) : -XG_EINVAL;
}

int xg_evtchn_take_pending(struct xg_guest *g, uint32_t port)
{
	return port_open(g, port) ? xg_evtchn_2l_take_pending(g, port)
				  : -XG_EINVAL;
}

int xg_evtchn_take_missed(struct xg_guest *g, uint32_t port)
{
	if (port_open(g, port) && port_bound(g, port))
		return 0;
	return xg_evtchn_take_pending(g, port);
}

int xg_evtchn_status(struct xg_guest *g, struct evtchn_status *status)
{
	if (!status)
		return -XG_EINVAL;
	return event_op(g, EVTCHNOP_status, status);
}

int xg_evtchn_set_priority(struct xg_guest *g, uint32_t port, uint32_t priority)
{
	struct evtchn_set_priority op = {.port = port, .priority = priority};

	if (!port_in_table(g, port))
		return -XG_EINVAL;
	return event_op(g, EVTCHNOP_set_priority, &op);
}
