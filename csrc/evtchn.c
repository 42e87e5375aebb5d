/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event channels: opening and closing ports, and what Xen knows of them. */
#include "evtchn_abi.h"

int xg_event_op(struct xg_guest *g, uint32_t op, void *arg)
{
	return xg_hypercall2(g, __HYPERVISOR_event_channel_op, op, arg);
}

static int close_op(struct xg_guest *g, uint32_t port)
{
	struct evtchn_close op = {.port = port};

	return xg_event_op(g, EVTCHNOP_close, &op);
}

/* A port of ours that Xen has just opened for `vcpu`: into the table, or back
 * to Xen. */
static int enter(struct xg_guest *g, uint32_t port, uint32_t vcpu)
{
	if (!xg_port_in_table(g, port)) {
		close_op(g, port);
		return -XG_ENOSPC;
	}
	xg_evtchn_set_vcpu(g, port, vcpu);
	xg_group_of(g, port)->idle[port % XG_WORD_BITS] = 0;
	xg_set_bits(&xg_group_of(g, port)->open, xg_bit(port));
	return (int)port;
}

int xg_evtchn_alloc_unbound(struct xg_guest *g, uint16_t dom, uint16_t remote)
{
	struct evtchn_alloc_unbound op = {.dom = dom, .remote_dom = remote};
	int rc = xg_event_op(g, EVTCHNOP_alloc_unbound, &op);

	if (rc)
		return rc;
	return dom == DOMID_SELF ? enter(g, op.port, 0) : (int)op.port;
}

int xg_evtchn_bind_interdomain(struct xg_guest *g, uint16_t remote,
			       uint32_t remote_port,
			       xg_evtchn_handler_t handler, void *data)
{
	struct evtchn_bind_interdomain op = {
		.remote_dom = remote,
		.remote_port = remote_port,
	};
	int rc = xg_event_op(g, EVTCHNOP_bind_interdomain, &op);
	int port;

	if (rc)
		return rc;
	port = enter(g, op.local_port, 0);
	if (port < 0 || !handler)
		return port;
	rc = xg_evtchn_install(g, (uint32_t)port, handler, data);
	if (rc) {
		xg_evtchn_close(g, (uint32_t)port);
		return rc;
	}
	return port;
}

int xg_evtchn_bind_virq(struct xg_guest *g, uint32_t virq, uint32_t vcpu)
{
	struct evtchn_bind_virq op = {.virq = virq, .vcpu = vcpu};
	int rc = xg_event_op(g, EVTCHNOP_bind_virq, &op);

	return rc ? rc : enter(g, op.port, vcpu);
}

int xg_evtchn_bind_ipi(struct xg_guest *g, uint32_t vcpu)
{
	struct evtchn_bind_ipi op = {.vcpu = vcpu};
	int rc = xg_event_op(g, EVTCHNOP_bind_ipi, &op);

	return rc ? rc : enter(g, op.port, vcpu);
}

int xg_evtchn_adopt(struct xg_guest *g, uint32_t port)
{
	struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
	int rc = xg_evtchn_status(g, &status);

	if (rc)
		return rc;
	if (status.status == EVTCHNSTAT_closed)
		return -XG_EINVAL;
	xg_evtchn_set_vcpu(g, port, status.vcpu);
	xg_set_bits(&xg_group_of(g, port)->open, xg_bit(port));
	return 0;
}

int xg_evtchn_adopt_static(struct xg_guest *g, uint32_t port)
{
	int rc = 0;

	if (!xg_port_in_table(g, port))
		return -XG_EINVAL;
	if (!xg_port_open(g, port))
		rc = xg_evtchn_adopt(g, port);
	if (!rc)
		xg_set_bits(&xg_group_of(g, port)->fixed, xg_bit(port));
	return rc;
}

/* What is in a port's group about it. */
struct port_bits {
	uint64_t masked, late;
};

static struct port_bits clear_port(struct xg_port_group *group, uint64_t bit)
{
	struct port_bits old = {
		.masked = xg_clear_bits(&group->masked, bit) & bit,
		.late = xg_clear_bits(&group->late, bit) & bit,
	};

	xg_clear_bits(&group->open, bit);
	return old;
}

static void restore_port(struct xg_port_group *group, uint64_t bit,
			 const struct port_bits *old)
{
	xg_set_bits(&group->open, bit);
	xg_set_bits(&group->masked, old->masked);
	xg_set_bits(&group->late, old->late);
}

int xg_evtchn_close(struct xg_guest *g, uint32_t port)
{
	struct xg_port_group *group;
	struct xg_port_slot *slot;
	xg_evtchn_handler_t handler;
	struct port_bits old;
	uint64_t fixed, held;
	int rc;

	if (!xg_port_in_table(g, port))
		return -XG_EINVAL;
	group = xg_group_of(g, port);
	fixed = xg_load(&group->fixed) & xg_bit(port);
	/* Opened by somebody else and never bound, or not open: Xen knows. */
	if (!xg_port_open(g, port))
		return fixed ? -XG_EINVAL : close_op(g, port);
	slot = xg_slot_of(g, port);
	handler = __atomic_load_n(&slot->handler, __ATOMIC_RELAXED);
	held = xg_load(&group->held) & xg_bit(port);
	xg_evtchn_withdraw(g, port);
	/* The handler that this waited for may have unmasked its port. Without
	 * a handler nobody does. */
	xg_evtchn_withdraw(g, port);
	/* From the hypercall on the number may be another thread's, with
	 * handler and mask of its own: nothing of it is touched after. */
	old = clear_port(group, xg_bit(port));
	rc = fixed ? 0 : close_op(g, port);
	if (!rc) {
		xg_evtchn_forget(g, port);
		return 0;
	}
	restore_port(group, xg_bit(port), &old);
	xg_set_bits(&group->held, held);
	if (handler)
		xg_evtchn_install(
			g, port, handler,
			__atomic_load_n(&slot->data, __ATOMIC_RELAXED));
	return rc;
}

int xg_evtchn_notify(struct xg_guest *g, uint32_t port)
{
	struct evtchn_send op = {.port = port};

	if (!xg_port_in_table(g, port))
		return -XG_EINVAL;
	/* In line: there is nothing else here. */
	return xg_hypercall2(g, __HYPERVISOR_event_channel_op, EVTCHNOP_send,
			     &op);
}

int xg_evtchn_status(struct xg_guest *g, struct evtchn_status *status)
{
	if (!status)
		return -XG_EINVAL;
	return xg_event_op(g, EVTCHNOP_status, status);
}

int xg_evtchn_set_priority(struct xg_guest *g, uint32_t port, uint32_t priority)
{
	struct evtchn_set_priority op = {.port = port, .priority = priority};

	if (!xg_port_in_table(g, port))
		return -XG_EINVAL;
	return xg_event_op(g, EVTCHNOP_set_priority, &op);
}
