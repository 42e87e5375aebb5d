/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event channels: entering and leaving an ABI. */
#include "evtchn_abi.h"

static void set_up_2l(struct xg_guest *g)
{
	struct xg_evtchn *e = &g->evtchn;
	uint32_t groups = e->nr_groups < XG_MAX_2L_GROUPS ? e->nr_groups
							  : XG_MAX_2L_GROUPS;

	xg_evtchn_2l_init(g, g->shared_info.va);
	e->nr_ports = groups * XG_PORTS_PER_GROUP;
}

/* The FIFO ABI is an offer: a Xen without it is no error. */
static int set_up_fifo(struct xg_guest *g, void *pages, uint32_t nr_pages)
{
	int rc = xg_evtchn_fifo_init(g, pages, nr_pages);

	return rc == -XG_ENOSYS || rc == -XG_EOPNOTSUPP ? 0 : rc;
}

static int reset_op(struct xg_guest *g)
{
	struct evtchn_reset op = {.dom = DOMID_SELF};

	return xg_event_op(g, EVTCHNOP_reset, &op);
}

int xg_evtchn_init(struct xg_guest *g, const struct xg_guest_config *config)
{
	struct xg_evtchn *e = &g->evtchn;
	struct shared_info *shared = g->shared_info.va;
	int rc;

	memset(config->port_groups, 0,
	       config->nr_port_groups * sizeof(*config->port_groups));
	memset(config->vcpus, 0, config->nr_vcpus * sizeof(*config->vcpus));
	e->groups = config->port_groups;
	e->nr_groups = config->nr_port_groups;
	e->vcpus = config->vcpus;
	e->nr_vcpus = config->nr_vcpus;
	e->vcpus[0].info = &shared->vcpu_info[0];
	for (uint32_t i = 0; e->nr_vcpus > 1 && i < e->nr_vcpus; i++) {
		e->vcpus[i].ports = config->vcpu_ports + i * e->nr_groups;
		/* All ports are the first vCPU's until they are moved. */
		memset(e->vcpus[i].ports, i ? 0 : 0xff,
		       e->nr_groups * sizeof(uint64_t));
	}
	if (config->reset_events) {
		rc = reset_op(g);
		if (rc && rc != -XG_EAGAIN)
			return rc;
	}
	set_up_2l(g);
	if (!config->nr_fifo_pages)
		return 0;
	return set_up_fifo(g, config->fifo_pages, config->nr_fifo_pages);
}

int xg_evtchn_fini(struct xg_guest *g)
{
	xg_evtchn_end_waits(g);
	/* The pages are Xen's until the domain leaves the FIFO ABI. */
	return g->evtchn.abi == XG_ABI_FIFO ? reset_op(g) : 0;
}

bool xg_evtchn_in_use(const struct xg_guest *g)
{
	for (uint32_t i = 0; i < g->evtchn.nr_groups; i++)
		if (xg_load(&g->evtchn.groups[i].open))
			return true;
	return false;
}

int xg_evtchn_reset(struct xg_guest *g)
{
	struct xg_evtchn *e = &g->evtchn;
	bool fifo = e->abi == XG_ABI_FIFO || e->fifo_pages;
	int reset = reset_op(g);
	int rc = 0;

	if (reset && reset != -XG_EAGAIN)
		return reset;
	memset(e->groups, 0, e->nr_groups * sizeof(*e->groups));
	for (uint32_t i = 0; e->nr_vcpus > 1 && i < e->nr_vcpus; i++)
		memset(e->vcpus[i].ports, i ? 0 : 0xff,
		       e->nr_groups * sizeof(uint64_t));
	set_up_2l(g);
	if (fifo)
		rc = set_up_fifo(g, e->fifo_pages, e->nr_fifo_pages);
	return rc ? rc : reset;
}
