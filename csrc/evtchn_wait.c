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
#include "evtchn_port.h"

/*
 * The first try is for a vCPU that began to run just now, in nanoseconds.
 * Each is one part in TRY_PARTS later: a sleep that is longer than needed is so
 * by that part of the time that the vCPU had run. TRIES reach beyond a day.
 */
#define FIRST_TRY 10000u
#define TRY_PARTS 16u
#define TRIES	  400

static int poll(struct xg_guest *g, struct sched_poll *op)
{
	return xg_hypercall3(g, __HYPERVISOR_sched_op, SCHEDOP_poll,
			     (uintptr_t)op, 0);
}

/* 1, 0, or -XG_EINVAL if one is not open. */
static __attribute__((noinline)) int
any_pending(struct xg_guest *g, const uint32_t *ports, uint32_t count)
{
	int any = 0;

	for (uint32_t i = 0; i < count; i++) {
		int pending = xg_evtchn_pending(g, ports[i]);

		if (pending < 0)
			return pending;
		any |= pending;
	}
	return any;
}

/* Since when the calling vCPU runs, in nanoseconds of Xen's system time. */
static uint64_t running_since(const struct xg_vcpu *v)
{
	const struct vcpu_runstate_info *info =
		(const struct vcpu_runstate_info *)v->runstate_area;

	/* Written by Xen while this vCPU does not run. */
	return __atomic_load_n(&info->state_entry_time, __ATOMIC_RELAXED);
}

/* Have Xen keep the area of a vCPU up to date, or no more. */
static int use_runstate(struct xg_guest *g, uint32_t cpu, bool on)
{
	struct vcpu_register_runstate_memory_area op = {0};
	struct xg_vcpu *v = &g->evtchn.vcpus[cpu];
	int rc;

	_Static_assert(sizeof(struct vcpu_runstate_info) <=
			       sizeof(v->runstate_area),
		       "the area has room");
	if (v->has_runstate == on)
		return 0;
	if (on)
		op.addr.v = (struct vcpu_runstate_info *)v->runstate_area;
	rc = xg_hypercall3(g, __HYPERVISOR_vcpu_op,
			   VCPUOP_register_runstate_memory_area, cpu,
			   (uintptr_t)&op);
	if (!rc)
		v->has_runstate = on;
	return rc;
}

static void end_waits(struct xg_guest *g)
{
	for (uint32_t cpu = 0; cpu < g->evtchn.nr_vcpus; cpu++)
		use_runstate(g, cpu, false);
}

/* What time it is now. */
static int system_time(struct xg_guest *g, const struct xg_vcpu *v,
		       uint64_t *now)
{
	struct sched_poll nothing = {0};
	uint64_t since = running_since(v);
	uint64_t ran = FIRST_TRY;

	for (int i = 0; i < TRIES; i++) {
		int rc;

		nothing.timeout = since + ran;
		rc = poll(g, &nothing);
		*now = running_since(v);
		if (rc || *now != since)
			return rc;
		ran += ran / TRY_PARTS;
	}
	/* An interrupt is pending all the time, and nobody serves it. */
	return -XG_EAGAIN;
}

/* Sleep until a port is pending, or the time is over that `op` says. */
static int sleep_until(struct xg_guest *g, const struct xg_vcpu *v,
		       const uint32_t *ports, struct sched_poll *op)
{
	for (;;) {
		uint64_t before = running_since(v), now;
		int rc = poll(g, op);

		if (!rc)
			rc = any_pending(g, ports, op->nr_ports);
		if (rc)
			return rc;
		now = running_since(v);
		if (now == before) {
			/* Nothing slept: an interrupt is waiting, and if it
			 * still waits, it is masked. Or the time is over
			 * already, which only another sleep can tell. */
			if (xg_upcall_pending(v))
				return -XG_EAGAIN;
			rc = system_time(g, v, &now);
			if (!rc)
				rc = any_pending(g, ports, op->nr_ports);
			if (rc)
				return rc;
		}
		if (op->timeout && now >= op->timeout)
			return 0;
	}
}

int xg_evtchn_wait(struct xg_guest *g, const uint32_t *ports, uint32_t count,
		   uint64_t timeout)
{
	/* A hosted program's thread acts for the first vCPU. */
	uint32_t cpu = g->platform->cpu_id(g->context);
	struct sched_poll op = {.nr_ports = count};
	const struct xg_vcpu *v;
	uint64_t now;
	int rc;

	if (count && !ports)
		return -XG_EINVAL;
	if (cpu >= g->evtchn.nr_vcpus)
		cpu = 0;
	v = &g->evtchn.vcpus[cpu];
	/* The handle's type has no const: Xen only reads. */
	set_xen_guest_handle(op.ports, (evtchn_port_t *)(uintptr_t)ports);
	rc = any_pending(g, ports, count);
	if (rc || !timeout)
		return rc;
	__atomic_store_n(&g->evtchn.end_waits, end_waits, __ATOMIC_RELAXED);
	rc = use_runstate(g, cpu, true);
	if (!rc && timeout != XG_FOREVER) {
		rc = system_time(g, v, &now);
		if (!rc && now <= UINT64_MAX - timeout)
			op.timeout = now + timeout;
	}
	return rc ? rc : sleep_until(g, v, ports, &op);
}
