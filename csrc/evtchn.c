/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event channels: opening and closing ports, and what Xen knows of them. */
#include "evtchn_port.h"

/*
 * Xen's structures for these operations are made of 32-bit words, the first
 * two of which go in: a port, or a domain, alone in its word or with another
 * one above. The operations that open a port answer with it in the word behind
 * those that they use. So two functions do for all of them.
 */
#define SAME_PLACE(type, field, word)                                          \
	_Static_assert(offsetof(struct type, field) ==                         \
			       (word) * sizeof(uint32_t),                      \
		       "where the field is")
SAME_PLACE(evtchn_close, port, 0);
SAME_PLACE(evtchn_unmask, port, 0);
SAME_PLACE(evtchn_reset, dom, 0);
SAME_PLACE(evtchn_set_priority, port, 0);
SAME_PLACE(evtchn_set_priority, priority, 1);
SAME_PLACE(evtchn_bind_vcpu, port, 0);
SAME_PLACE(evtchn_bind_vcpu, vcpu, 1);
SAME_PLACE(evtchn_alloc_unbound, dom, 0);
SAME_PLACE(evtchn_alloc_unbound, port, 1);
SAME_PLACE(evtchn_bind_interdomain, remote_dom, 0);
SAME_PLACE(evtchn_bind_interdomain, remote_port, 1);
SAME_PLACE(evtchn_bind_interdomain, local_port, 2);
SAME_PLACE(evtchn_bind_virq, virq, 0);
SAME_PLACE(evtchn_bind_virq, vcpu, 1);
SAME_PLACE(evtchn_bind_virq, port, 2);
SAME_PLACE(evtchn_bind_ipi, vcpu, 0);
SAME_PLACE(evtchn_bind_ipi, port, 1);

XG_SHARED int xg_event_op(struct xg_guest *g, uint32_t op, uint32_t first,
			  uint32_t second)
{
	uint32_t words[] = {first, second};

	return xg_event_call(g, op, words);
}

/* A port that is open for Xen, with its events going to `vcpu`. */
static XG_SHARED void enter(struct xg_guest *g, uint32_t port, uint32_t vcpu)
{
	struct xg_port_slot *slot = xg_slot_of(g, port);

	slot->idle = 0;
	xg_port_set(slot, XG_PORT_OPEN);
	xg_evtchn_set_vcpu(g, port, vcpu);
}

/* Have Xen open a port, and tell which in words[at]. One of ours, for `vcpu`,
 * goes into the table, or back to Xen. */
static int open_op(struct xg_guest *g, uint32_t op, uint32_t first,
		   uint32_t second, uint32_t at, uint32_t vcpu)
{
	uint32_t words[] = {first, second, 0};
	int rc = xg_event_call(g, op, words);
	uint32_t port = words[at];

	if (rc)
		return rc;
	if (vcpu == XG_CPU_NONE)
		return (int)port;
	if (!xg_port_in_table(g, port)) {
		xg_event_op(g, EVTCHNOP_close, port, 0);
		return -XG_ENOSPC;
	}
	enter(g, port, vcpu);
	return (int)port;
}

int xg_evtchn_alloc_unbound(struct xg_guest *g, uint16_t dom, uint16_t remote)
{
	return open_op(g, EVTCHNOP_alloc_unbound, dom | (uint32_t)remote << 16,
		       0, 1, dom == DOMID_SELF ? 0 : XG_CPU_NONE);
}

int xg_evtchn_bind_interdomain(struct xg_guest *g, uint16_t remote,
			       uint32_t remote_port,
			       xg_evtchn_handler_t handler, void *data)
{
	int port = open_op(g, EVTCHNOP_bind_interdomain, remote, remote_port, 2,
			   0);
	int rc;

	if (port < 0 || !handler)
		return port;
	rc = xg_evtchn_bind(g, (uint32_t)port, handler, data);
	if (!rc)
		return port;
	xg_evtchn_close(g, (uint32_t)port);
	return rc;
}

int xg_evtchn_bind_virq(struct xg_guest *g, uint32_t virq, uint32_t vcpu)
{
	return open_op(g, EVTCHNOP_bind_virq, virq, vcpu, 2, vcpu);
}

int xg_evtchn_bind_ipi(struct xg_guest *g, uint32_t vcpu)
{
	return open_op(g, EVTCHNOP_bind_ipi, vcpu, 0, 1, vcpu);
}

int xg_evtchn_adopt(struct xg_guest *g, uint32_t port)
{
	struct evtchn_status status;
	const struct xg_port_slot *slot = xg_port_slot(g, port);
	int rc;

	if (!slot)
		return -XG_EINVAL;
	if (xg_port_state(slot) & XG_PORT_OPEN)
		return 0;
	status.dom = DOMID_SELF;
	status.port = port;
	rc = xg_evtchn_status(g, &status);
	if (rc)
		return rc;
	if (status.status == EVTCHNSTAT_closed)
		return -XG_EINVAL;
	enter(g, port, status.vcpu);
	return 1;
}

int xg_evtchn_adopt_static(struct xg_guest *g, uint32_t port)
{
	int rc = xg_evtchn_adopt(g, port);

	return rc < 0 ? rc : xg_evtchn_change(g, port, 0, 0, XG_PORT_FIXED);
}

int xg_evtchn_close(struct xg_guest *g, uint32_t port)
{
	struct xg_port_slot *slot = xg_port_slot(g, port);
	const struct xg_vcpu *beneath;
	uint32_t before, old, new;
	int rc;

	if (!slot)
		return -XG_EINVAL;
	before = xg_port_state(slot);
	old = before & XG_PORT_FIXED;
	if (before & XG_PORT_OPEN) {
		xg_evtchn_withdraw(g, slot);
		/* The handler that this waited for may have bound its port to
		 * another. Without a handler nobody does, nor changes the
		 * state. */
		beneath = xg_evtchn_withdraw(g, slot);
		old = xg_port_state(slot);
		new = old &(XG_PORT_UNBOUND | XG_PORT_FIXED | XG_PORT_USED |
			    XG_PORT_MOVED);
		/* What an upcall beneath the caller still has for the port is
		 * not the next owner's. */
		if (beneath && !(old & XG_PORT_FIXED)) {
			slot->closed = __atomic_load_n(&beneath->taken,
						       __ATOMIC_RELAXED);
			new |= XG_PORT_STALE;
		}
		/* From the hypercall on the number may be another thread's,
		 * with handler, state and events of its own: nothing of it is
		 * touched after. */
		__atomic_store_n(&slot->state, new, __ATOMIC_SEQ_CST);
	}
	/* Xen knows, too, of what was opened by somebody else and never bound
	 * here. */
	if (old & XG_PORT_FIXED)
		return old & XG_PORT_OPEN ? 0 : -XG_EINVAL;
	rc = xg_event_op(g, EVTCHNOP_close, port, 0);
	if (rc && (old & XG_PORT_OPEN)) {
		/* The handler is in its place still, and nobody else uses the
		 * port. */
		old &= ~(XG_PORT_UNBOUND | XG_PORT_STALE);
		old |= before & (XG_PORT_UNBOUND | XG_PORT_HELD | XG_PORT_USED);
		__atomic_store_n(&slot->state, old, __ATOMIC_SEQ_CST);
		xg_evtchn_settle(g, slot);
	}
	return rc;
}

int xg_evtchn_notify(struct xg_guest *g, uint32_t port)
{
	struct evtchn_send op = {.port = port};

	if (!xg_port_in_table(g, port))
		return -XG_EINVAL;
	/* As directly as it goes: this is what peers wait for. */
	return xg_hypercall3(g, __HYPERVISOR_event_channel_op, EVTCHNOP_send,
			     (uintptr_t)&op, 0);
}

int xg_evtchn_status(struct xg_guest *g, struct evtchn_status *status)
{
	if (!status)
		return -XG_EINVAL;
	return xg_event_call(g, EVTCHNOP_status, status);
}

int xg_evtchn_set_priority(struct xg_guest *g, uint32_t port, uint32_t priority)
{
	if (!xg_port_in_table(g, port))
		return -XG_EINVAL;
	return xg_event_op(g, EVTCHNOP_set_priority, port, priority);
}
