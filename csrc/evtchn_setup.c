/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event channels: entering and leaving an ABI. */
#include "evtchn_port.h"

/* Every port, and the FIFO ABI. */
static XG_SHARED int close_all(struct xg_guest *g)
{
	return xg_event_op(g, EVTCHNOP_reset, DOMID_SELF, 0);
}

/* Control blocks share a page, each in cache lines of its own. */
#define CONTROL_STRIDE (XG_PAGE_SIZE / XG_FIFO_MAX_VCPUS)

_Static_assert(sizeof(struct evtchn_fifo_control_block) <= CONTROL_STRIDE,
	       "control blocks do not overlap");

static void enter_2l(struct xg_evtchn *e, struct shared_info *shared)
{
	uint64_t *pending = (uint64_t *)shared->evtchn_pending;
	struct vcpu_info *info = &shared->vcpu_info[0];

	_Static_assert(sizeof(shared->evtchn_pending[0]) == sizeof(uint64_t),
		       "the ABI's words are the library's words");
	_Static_assert(sizeof(shared->evtchn_pending) ==
			       XG_MAX_2L_GROUPS * sizeof(uint64_t),
		       "a group is a word");
	_Static_assert(offsetof(struct shared_info, evtchn_mask) ==
			       offsetof(struct shared_info, evtchn_pending) +
				       sizeof(shared->evtchn_pending),
		       "one offset from a pending to its mask bit");

	e->words = NULL;
	e->pending = pending;
	e->nr_ports = (e->nr_groups < XG_MAX_2L_GROUPS ? e->nr_groups
						       : XG_MAX_2L_GROUPS) *
		      XG_WORD_BITS;
	/* The page comes with every port unmasked; ours deliver only while
	 * bound. */
	for (uint32_t w = XG_MAX_2L_GROUPS; w < 2 * XG_MAX_2L_GROUPS; w++)
		__atomic_store_n(&pending[w], ~UINT64_C(0), __ATOMIC_SEQ_CST);
	/* A selector bit that earlier firmware did not take would keep Xen from
	 * announcing that word. The flag first, as in an upcall: what Xen still
	 * adds then makes one upcall that finds nothing. */
	__atomic_store_n(&info->evtchn_upcall_pending, (uint8_t)0,
			 __ATOMIC_SEQ_CST);
	xg_take_word((uint64_t *)&info->evtchn_pending_sel);
}

/* Give Xen a page. Both operations' structures begin with it. */
static int add_page(struct xg_guest *g, uint32_t op, uint32_t page,
		    uint32_t cpu)
{
	struct evtchn_init_control arg;
	int rc = g->platform->virt_to_gfn(
		g->context, g->evtchn.fifo_pages + page * XG_PAGE_SIZE,
		&arg.control_gfn);

	_Static_assert(!offsetof(struct evtchn_init_control, control_gfn) &&
			       !offsetof(struct evtchn_expand_array, array_gfn),
		       "where the page is");
	arg.offset = cpu * CONTROL_STRIDE;
	arg.vcpu = cpu;
	return rc ? rc : xg_event_call(g, op, &arg);
}

/* Xen drops events for a vCPU without queues, and a port may be bound to one
 * that is not up yet: so every vCPU gets its queues at once. */
static int add_queues(struct xg_guest *g)
{
	struct xg_evtchn *e = &g->evtchn;

	for (uint32_t cpu = 0; cpu < e->nr_vcpus; cpu++) {
		struct xg_vcpu *v = &e->vcpus[cpu];
		int rc = add_page(g, EVTCHNOP_init_control, 0, cpu);

		/* There is room for more vCPUs than the domain has. */
		if (cpu && rc == -XG_ENOENT)
			break;
		if (rc)
			return rc;
		v->control = (struct evtchn_fifo_control_block
				      *)(e->fifo_pages + cpu * CONTROL_STRIDE);
	}
	return 0;
}

static int enter_fifo(struct xg_guest *g)
{
	struct xg_evtchn *e = &g->evtchn;
	uint32_t *words = (uint32_t *)(e->fifo_pages + XG_PAGE_SIZE);
	uint32_t ports = (e->nr_fifo_pages - 1) * XG_FIFO_PORTS_PER_PAGE;
	int rc;

	memset(e->fifo_pages, 0, XG_PAGE_SIZE);
	/* Before Xen gets the pages: whatever is pending already would be
	 * queued with them. */
	for (uint32_t i = 0; i < ports; i++)
		words[i] = UINT32_C(1) << EVTCHN_FIFO_MASKED;
	if (ports > e->nr_groups * XG_PORTS_PER_GROUP)
		ports = e->nr_groups * XG_PORTS_PER_GROUP;
	rc = add_queues(g);
	for (uint32_t i = 1; !rc && i < e->nr_fifo_pages; i++)
		rc = add_page(g, EVTCHNOP_expand_array, i, 0);
	if (!rc) {
		e->only = NULL;
		e->words = words;
		e->nr_ports = ports;
	} else if (e->vcpus[0].control) {
		/* Back to two levels; nothing is open yet. Without even the
		 * first vCPU's queues there is nothing to take back. */
		close_all(g);
	}
	return rc;
}

/* No port is open. */
static int start(struct xg_guest *g)
{
	struct xg_evtchn *e = &g->evtchn;
	struct xg_port_slot *slot = e->slots;
	const struct xg_port_slot *end =
		slot + e->nr_groups * XG_PORTS_PER_GROUP;
	int rc;

	do
		slot->state = XG_PORT_UNBOUND;
	while (++slot != end);
	e->only = e->vcpus;
	if (e->nr_vcpus > 1) {
		size_t size = e->nr_groups * sizeof(uint64_t);

		e->only = NULL;
		/* All ports are the first's until they are moved. */
		memset(e->vcpus->ports, 0, e->nr_vcpus * size);
		memset(e->vcpus->ports, 0xff, size);
	}
	enter_2l(e, g->shared_info.va);
	if (!e->nr_fifo_pages)
		return 0;
	/* The FIFO ABI is an offer: a Xen without it is no error. */
	rc = enter_fifo(g);
	return rc == -XG_ENOSYS || rc == -XG_EOPNOTSUPP ? 0 : rc;
}

int xg_evtchn_init(struct xg_guest *g, const struct xg_guest_config *config)
{
	struct xg_evtchn *e = &g->evtchn;
	struct shared_info *shared = g->shared_info.va;
	int rc;

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
		struct xg_vcpu *v = &e->vcpus[i];

		v->guest = g;
		v->id = (uint16_t)i;
		v->taken = (uint64_t)i << XG_TAKEN_BITS;
		if (e->nr_vcpus > 1)
			v->ports = config->vcpu_ports + i * e->nr_groups;
	}
	if (!config->reset_events)
		return start(g);
	rc = xg_evtchn_reset(g);
	/* Ports of Xen's own stay. */
	return rc == -XG_EAGAIN ? 0 : rc;
}

int xg_evtchn_fini(struct xg_guest *g)
{
	const struct xg_vcpu *v = g->evtchn.vcpus;
	const struct xg_vcpu *end = v + g->evtchn.nr_vcpus;

	do
		if (v->has_runstate)
			xg_evtchn_use_runstate(g, v, NULL);
	while (++v != end);
	/* The pages are Xen's until the domain leaves the FIFO ABI. */
	return g->evtchn.words ? close_all(g) : 0;
}

bool xg_evtchn_in_use(const struct xg_guest *g)
{
	const struct xg_port_slot *slot = g->evtchn.slots;
	const struct xg_port_slot *end = slot + g->evtchn.nr_ports;

	/* The first one, of no port, never is. */
	while (slot != end)
		if (xg_port_state(slot++) & XG_PORT_OPEN)
			return true;
	return false;
}

int xg_evtchn_reset(struct xg_guest *g)
{
	int reset = close_all(g);
	int rc;

	if (reset && reset != -XG_EAGAIN)
		return reset;
	rc = start(g);
	return rc ? rc : reset;
}
