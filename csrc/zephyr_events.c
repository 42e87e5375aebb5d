/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Zephyr's event-channel calls over the core. */
#include "internal.h" /* first: the core's own headers of Xen */

#include "zephyr/xen/events.h"

int evtchn_status(evtchn_status_t *status)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_status(g, status) : -XG_EINVAL;
}

int evtchn_close(evtchn_port_t port)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_close(g, port) : -XG_EINVAL;
}

int evtchn_set_priority(evtchn_port_t port, uint32_t priority)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_set_priority(g, port, priority) : -XG_EINVAL;
}

int notify_evtchn(evtchn_port_t port)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_notify(g, port) : -XG_EINVAL;
}

int alloc_unbound_event_channel(domid_t remote_dom)
{
	return alloc_unbound_event_channel_dom0(DOMID_SELF, remote_dom);
}

int alloc_unbound_event_channel_dom0(domid_t dom, domid_t remote_dom)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_alloc_unbound(g, dom, remote_dom) : -XG_EINVAL;
}

int bind_interdomain_event_channel(domid_t remote_dom,
				   evtchn_port_t remote_port, evtchn_cb_t cb,
				   void *data)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_bind_interdomain(g, remote_dom, remote_port, cb,
					      data)
		 : -XG_EINVAL;
}

int bind_event_channel(evtchn_port_t port, evtchn_cb_t cb, void *data)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_bind(g, port, cb, data) : -XG_EINVAL;
}

int unbind_event_channel(evtchn_port_t port)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_unbind(g, port) : -XG_EINVAL;
}

int get_missed_events(evtchn_port_t port)
{
	struct xg_guest *g = xg_current();

	return g && xg_evtchn_take_missed(g, port) > 0;
}

int mask_event_channel(evtchn_port_t port)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_mask(g, port) : -XG_EINVAL;
}

int unmask_event_channel(evtchn_port_t port)
{
	struct xg_guest *g = xg_current();

	return g ? xg_evtchn_unmask(g, port) : -XG_EINVAL;
}

void clear_event_channel(evtchn_port_t port)
{
	struct xg_guest *g = xg_current();

	if (g)
		xg_evtchn_take_pending(g, port);
}

int xen_events_init(void)
{
	struct xg_guest *g = xg_current();

	return g && g->evtchn.pending ? 0 : -XG_EINVAL;
}
