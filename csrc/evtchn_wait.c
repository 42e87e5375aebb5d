/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Sleeping in Xen until a port is pending.
 *
 * Xen takes the time limit as its own system time, which an Arm guest can't
 * read. But Xen writes the time at which a vCPU last began to run into memory
 * that the vCPU registers. A sleep until a moment that is past does not sleep;
 * so trying later and later moments finds the first that is not, and waking up
 * from that sleep tells what time it is.
 */
#include "evtchn_abi.h"

/*
 * The first try is for a vCPU that began to run just now, in nanoseconds.
 * Each is one part in TRY_PARTS later: a sleep that is longer than needed is so
 * by that part of the time that the vCPU had run. TRIES reach beyond a day.
 */
#define FIRST_TRY 10000u
#define TRY_PARTS 16u
#define TRIES	  400

static int poll(struct xg_guest *g, const uint32_t *ports, uint32_t count,
		uint64_t deadline)
{
	struct sched_poll op = {.nr_ports = count, .timeout = deadline};

	/* The handle's type has no const: Xen only reads. */
	set_xen_guest_handle(op.ports, (evtchn_port_t *)(uintptr_t)ports);
	return xg_hypercall2(g, __HYPERVISOR_sched_op, SCHEDOP_poll, &op);
}

static bool any_pending(struct xg_guest *g, const uint32_t *ports,
			uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (g->evtchn.ops->pending(g, ports[i]))
			return true;
	return false;
}

/* Since when the calling vCPU runs, in nanoseconds of Xen's system time. */
static uint64_t running_since(const struct xg_vcpu *v)
{
	const struct vcpu_runstate_info *info =
		(const struct vcpu_runstate_info *)v->runstate_area;

	/* Written by Xen while this vCPU does not run. */
	return __atomic_load_n(&info->state_entry_time, __ATOMIC_RELAXED);
}

/* Have Xen keep `area` up to date; null: nothing more. */
static int register_area(struct xg_guest *g, uint32_t cpu,
			 struct vcpu_runstate_info *area)
{
	struct vcpu_register_runstate_memory_area op = {0};

	op.addr.v = area;
	return (int)xg_hypercall(g, __HYPERVISOR_vcpu_op,
				 VCPUOP_register_runstate_memory_area, cpu,
				 (uintptr_t)&op, 0, 0);
}

static int register_runstate(struct xg_guest *g, struct xg_vcpu *v,
			     uint32_t cpu)
{
	int rc;

	_Static_assert(sizeof(struct vcpu_runstate_info) <=
			       sizeof(v->runstate_area),
		       "the area has room");
	if (v->has_runstate)
		return 0;
	rc = register_area(g, cpu,
			   (struct vcpu_runstate_info *)v->runstate_area);
	if (!rc)
		v->has_runstate = 1;
	return rc;
}

void xg_evtchn_end_waits(struct xg_guest *g)
{
	for (uint32_t cpu = 0; cpu < g->evtchn.nr_vcpus; cpu++) {
		struct xg_vcpu *v = &g->evtchn.vcpus[cpu];

		if (v->has_runstate && !register_area(g, cpu, NULL))
			v->has_runstate = 0;
	}
}

static int system_time(struct xg_guest *g, struct xg_vcpu *v, uint64_t *now)
{
	uint64_t since = running_since(v);
	uint64_t ran = FIRST_TRY;

	for (int i = 0; i < TRIES; i++) {
		int rc = poll(g, NULL, 0, since + ran);

		if (rc)
			return rc;
		*now = running_since(v);
		if (*now != since)
			return 0;
		ran += ran / TRY_PARTS;
	}
	/* An interrupt is pending all the time, and nobody serves it. */
	return -XG_EAGAIN;
}

static int sleep_until(struct xg_guest *g, struct xg_vcpu *v,
		       const uint32_t *ports, uint32_t count, uint64_t deadline)
{
	for (;;) {
		uint64_t before = running_since(v);
		int rc = poll(g, ports, count, deadline);

		if (rc)
			return rc;
		if (any_pending(g, ports, count))
			return 1;
		if (deadline && running_since(v) >= deadline)
			return 0;
		/* Nothing slept: an interrupt is waiting, and if it still
		 * waits, it is masked. */
		if (running_since(v) == before && v->has_runstate &&
		    __atomic_load_n(&v->info->evtchn_upcall_pending,
				    __ATOMIC_RELAXED))
			return -XG_EAGAIN;
	}
}

int xg_evtchn_wait(struct xg_guest *g, const uint32_t *ports, uint32_t count,
		   uint64_t timeout)
{
	uint32_t cpu = g->platform->cpu_id(g->context);
	uint64_t deadline = 0;
	struct xg_vcpu *v;
	int rc;

	if (count && !ports)
		return -XG_EINVAL;
	for (uint32_t i = 0; i < count; i++)
		if (!xg_port_open(g, ports[i]))
			return -XG_EINVAL;
	if (any_pending(g, ports, count))
		return 1;
	if (!timeout)
		return 0;
	/* A hosted program's thread acts for the first vCPU. */
	v = &g->evtchn.vcpus[cpu < g->evtchn.nr_vcpus ? cpu : 0];
	rc = register_runstate(g, v, (uint32_t)(v - g->evtchn.vcpus));
	if (!rc && timeout != XG_FOREVER) {
		rc = system_time(g, v, &deadline);
		deadline = deadline > UINT64_MAX - timeout ? 0
							   : deadline + timeout;
	}
	return rc ? rc : sleep_until(g, v, ports, count, deadline);
}
