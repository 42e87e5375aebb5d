/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Event channels: which vCPU gets a port's events. */
#include "evtchn_port.h"

_Static_assert(sizeof(struct vcpu_info) <=
		       sizeof(((struct xg_vcpu *)0)->info_area),
	       "a vCPU's part of the shared state has room");

__attribute__((noinline)) void xg_evtchn_set_vcpu(struct xg_guest *g,
						  uint32_t port, uint32_t vcpu)
{
	struct xg_evtchn *e = &g->evtchn;

	if (e->nr_vcpus == 1)
		return;
	for (uint32_t i = 0; i < e->nr_vcpus; i++) {
		uint64_t *word = &e->vcpus[i].ports[port / XG_WORD_BITS];

		if (i == vcpu)
			xg_set_bits(word, xg_bit(port));
		else
			xg_clear_bits(word, xg_bit(port));
	}
}

int xg_evtchn_bind_vcpu(struct xg_guest *g, uint32_t port, uint32_t vcpu)
{
	struct xg_port_slot *slot = xg_port_open(g, port);
	int rc, settled;

	if (!slot)
		return -XG_EINVAL;
	if (vcpu >= g->evtchn.nr_vcpus || !g->evtchn.vcpus[vcpu].info)
		return -XG_ENOENT;
	/* Xen does not announce a pending event again on the new vCPU, but
	 * does when it unmasks: so the port is masked meanwhile. The state has
	 * everybody else leave it so: an upcall that meets the port before it
	 * is entered as its own must not have it announced to itself again. */
	xg_port_set(slot, XG_PORT_MOVING);
	xg_port_mask(g, port);
	xg_evtchn_quiesce(g);
	rc = xg_event_op(g, EVTCHNOP_bind_vcpu, port, vcpu);
	if (!rc)
		xg_evtchn_set_vcpu(g, port, vcpu);
	xg_port_clear(slot, XG_PORT_MOVING);
	/* Masks it again: through an unmask elsewhere, begun before, the new
	 * vCPU may have been told of an event and have left it, as one of
	 * another vCPU. */
	settled = xg_evtchn_settle(g, port);
	return rc ? rc : settled;
}

/* Tell Xen where the vCPU's part of the shared state is. */
static int register_info(struct xg_guest *g, uint32_t vcpu)
{
	struct xg_vcpu *v = &g->evtchn.vcpus[vcpu];
	struct vcpu_register_vcpu_info op = {
		.offset = (uint32_t)xg_page_offset((uintptr_t)v->info_area),
	};
	uint64_t gfn;
	int rc = g->platform->virt_to_gfn(g->context, v->info_area, &gfn);

	if (rc)
		return rc;
	op.mfn = gfn;
	return xg_hypercall3(g, __HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info,
			     vcpu, (uintptr_t)&op);
}

int xg_vcpu_online(struct xg_guest *g, uint32_t vcpu)
{
	struct xg_evtchn *e = &g->evtchn;
	struct xg_vcpu *v;
	int rc;

	if (vcpu >= e->nr_vcpus)
		return -XG_ENOENT;
	v = &e->vcpus[vcpu];
	if (v->info)
		return -XG_EBUSY;
	/* Every vCPU that Xen knows got its queues at init. */
	if (e->abi == XG_ABI_FIFO && !v->control)
		return -XG_ENOENT;
	rc = register_info(g, vcpu);
	if (rc)
		return rc;
	/* Release: whoever sees the vCPU online sees its queues. */
	__atomic_store_n(&v->info, (struct vcpu_info *)v->info_area,
			 __ATOMIC_RELEASE);
	return 0;
}
