/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event channels: entering and leaving an ABI. */
#include "evtchn_port.h"

/* No port is open. */
static int start(struct xg_guest *g)
{
	struct xg_evtchn *e = &g->evtchn;
	const struct xg_port_slot *end =
		e->slots + e->nr_groups * XG_PORTS_PER_GROUP;
	int rc;

	for (struct xg_port_slot *slot = e->slots; slot != end; slot++)
		*slot = (struct xg_port_slot){.state = XG_PORT_UNBOUND};
	/* All ports are the first vCPU's until they are moved. */
	if (e->nr_vcpus > 1) {
		size_t size = e->nr_groups * sizeof(uint64_t);

		memset(e->vcpus->ports, 0, e->nr_vcpus * size);
		memset(e->vcpus->ports, 0xff, size);
	}
	xg_evtchn_2l_init(g, g->shared_info.va);
	if (!e->nr_fifo_pages)
		return 0;
	/* The FIFO ABI is an offer: a Xen without it is no error. */
	rc = xg_evtchn_fifo_init(g);
	return rc == -XG_ENOSYS || rc == -XG_EOPNOTSUPP ? 0 : rc;
}

int xg_evtchn_init(struct xg_guest *g, const struct xg_guest_config *config)
{
	struct xg_evtchn *e = &g->evtchn;
	struct shared_info *shared = g->shared_info.va;

	memset(config->vcpus, 0, config->nr_vcpus * sizeof(*config->vcpus));
	_Static_assert(sizeof(struct xg_port_group) ==
			       XG_PORTS_PER_GROUP * sizeof(*e->slots),
		       "groups in a row are slots in a row");
	e->slots = (struct xg_port_slot *)config->port_groups;
	e->nr_groups = config->nr_port_groups;
	e->vcpus = config->vcpus;
	e->nr_vcpus = config->nr_vcpus;
	e->fifo_pages = config->fifo_pages;
	e->nr_fifo_pages = config->nr_fifo_pages;
	e->vcpus[0].info = &shared->vcpu_info[0];
	for (uint32_t i = 0; i < e->nr_vcpus; i++) {
		e->vcpus[i].guest = g;
		if (e->nr_vcpus > 1)
			e->vcpus[i].ports =
				config->vcpu_ports + i * e->nr_groups;
	}
	if (config->reset_events) {
		int rc = xg_event_op(g, EVTCHNOP_reset, DOMID_SELF, 0);

		if (rc && rc != -XG_EAGAIN)
			return rc;
	}
	return start(g);
}

int xg_evtchn_fini(struct xg_guest *g)
{
	if (g->evtchn.end_waits)
		g->evtchn.end_waits(g);
	/* The pages are Xen's until the domain leaves the FIFO ABI. */
	return g->evtchn.abi == XG_ABI_FIFO
		       ? xg_event_op(g, EVTCHNOP_reset, DOMID_SELF, 0)
		       : 0;
}

bool xg_evtchn_in_use(const struct xg_guest *g)
{
	for (uint32_t port = 1; port < g->evtchn.nr_ports; port++)
		if (xg_port_state(xg_slot_of(g, port)) & XG_PORT_OPEN)
			return true;
	return false;
}

int xg_evtchn_reset(struct xg_guest *g)
{
	int reset = xg_event_op(g, EVTCHNOP_reset, DOMID_SELF, 0);
	int rc;

	if (reset && reset != -XG_EAGAIN)
		return reset;
	rc = start(g);
	return rc ? rc : reset;
}
