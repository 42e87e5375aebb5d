/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event channels: which vCPU gets a port's events. */
#include "evtchn_port.h"

_Static_assert(sizeof(struct vcpu_info) <=
		       sizeof(((struct xg_vcpu *)0)->info_area),
	       "a vCPU's part of the shared state has room");

XG_SHARED void xg_evtchn_set_vcpu(struct xg_guest *g, uint32_t port,
				  uint32_t vcpu)
{
	struct xg_vcpu *v = g->evtchn.vcpus;
	const struct xg_vcpu *end = v + g->evtchn.nr_vcpus;

	if (!v->ports)
		return;
	do {
		uint64_t *word = &v->ports[port / XG_WORD_BITS];

		if (v->id == vcpu)
			xg_set_bits(word, xg_bit(port));
		else
			xg_clear_bits(word, xg_bit(port));
	} while (++v != end);
}

int xg_evtchn_bind_vcpu(struct xg_guest *g, uint32_t port, uint32_t vcpu)
{
	struct xg_port_slot *slot = xg_port_open(g, port);
	const struct xg_vcpu *v = xg_vcpu(g, vcpu), *beneath;
	int rc, settled;

	if (!slot)
		return -XG_EINVAL;
	if (!v || !v->info)
		return -XG_ENOENT;
	/* Xen does not announce a pending event again on the new vCPU, but
	 * does when it unmasks: so the port is masked meanwhile. The state has
	 * everybody else leave it so: an upcall that meets the port before it
	 * is entered as its own must not have it announced to itself again. */
	beneath = xg_evtchn_stop(g, slot, XG_PORT_MOVING | XG_PORT_MOVED);
	rc = xg_event_op(g, EVTCHNOP_bind_vcpu, port, vcpu);
	if (!rc)
		xg_evtchn_set_vcpu(g, port, vcpu);
	/* An upcall beneath may have an event of the port, and so may a queue
	 * of the vCPU before. */
	xg_port_clear(slot, beneath || g->evtchn.words
				    ? XG_PORT_MOVING
				    : XG_PORT_MOVING | XG_PORT_MOVED);
	/* Masks it again: through an unmask elsewhere, begun before, the new
	 * vCPU may have been told of an event and have left it, as one of
	 * another vCPU. */
	settled = xg_evtchn_settle(g, slot);
	return rc ? rc : settled;
}

/* Tell Xen where the vCPU's part of the shared state is. */
static int register_info(struct xg_guest *g, struct xg_vcpu *v)
{
	struct vcpu_register_vcpu_info op = {
		.offset = (uint32_t)xg_page_offset((uintptr_t)v->info_area),
	};
	uint64_t gfn;
	int rc = g->platform->virt_to_gfn(g->context, v->info_area, &gfn);

	if (rc)
		return rc;
	op.mfn = gfn;
	return xg_hypercall3(g, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info,
			     v->id, (uintptr_t)&op);
}

int xg_vcpu_online(struct xg_guest *g, uint32_t vcpu)
{
	struct xg_vcpu *v = xg_vcpu(g, vcpu);
	int rc;

	if (!v)
		return -XG_ENOENT;
	if (v->info)
		return -XG_EBUSY;
	rc = register_info(g, v);
	if (rc)
		return rc;
	/* Release: whoever sees the vCPU online sees its queues. */
	__atomic_store_n(&v->info, (struct vcpu_info *)v->info_area,
			 __ATOMIC_RELEASE);
	return 0;
}
