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

/* So many at a time are all that Xen looks at. */
#define MAX_PORTS 128u

/* 1, 0, or -XG_EINVAL if one is not open. */
static XG_SHARED int any_pending(struct xg_guest *g, const uint32_t *ports,
				 uint32_t count)
{
	int any = 0;

	while (count--) {
		int pending = xg_evtchn_pending(g, *ports++);

		if (pending < 0)
			return pending;
		any |= pending;
	}
	return any;
}

int xg_evtchn_use_runstate(struct xg_guest *g, const struct xg_vcpu *v,
			   const uint64_t *area)
{
	struct vcpu_register_runstate_memory_area op;

	op.addr.v = (struct vcpu_runstate_info *)(uintptr_t)area;
	return xg_hypercall3(g, __HYPERVISOR_vcpu_op,
			     VCPUOP_register_runstate_memory_area, v->id,
			     (uintptr_t)&op);
}

/* Since when the calling vCPU runs, in nanoseconds of Xen's system time. */
static uint64_t running_since(const struct xg_vcpu *v)
{
	const struct vcpu_runstate_info *info =
		(const struct vcpu_runstate_info *)v->runstate_area;

	_Static_assert(sizeof(*info) <= sizeof(v->runstate_area),
		       "the area has room");
	/* Written by Xen while this vCPU does not run. */
	return __atomic_load_n(&info->state_entry_time, __ATOMIC_RELAXED);
}

/*
 * Sleep until a port is pending, or `timeout` is over. After a sleep it is
 * known what time it is, and the next one ends with the timeout. Where that did
 * not sleep an interrupt was waiting, or the time is over already; another
 * sleep can tell.
 */
static inline int sleep(struct xg_guest *g, const struct xg_vcpu *v,
			struct sched_poll *op, const uint32_t *ports,
			uint64_t timeout)
{
	uint64_t since = running_since(v), ran = FIRST_TRY, end = 0;
	int tries = TRIES;

	if (timeout != XG_FOREVER)
		op->timeout = since + ran;
	do {
		int rc = xg_hypercall3(g, __HYPERVISOR_sched_op, SCHEDOP_poll,
				       (uintptr_t)op, 0);
		uint64_t now = running_since(v);

		if (!rc)
			rc = any_pending(g, ports, op->nr_ports);
		if (rc)
			return rc;
		if (now == since) {
			ran += ran / TRY_PARTS;
			op->timeout = since + ran;
			continue;
		}
		if (!end && now <= UINT64_MAX - timeout)
			end = now + timeout;
		if (end && now >= end)
			return 0;
		op->timeout = end;
		since = now;
		ran = FIRST_TRY;
		tries = TRIES;
	} while (--tries);
	/* An interrupt is pending all the time, and nobody serves it. */
	return -XG_EAGAIN;
}

int xg_evtchn_wait(struct xg_guest *g, const uint32_t *ports, uint32_t count,
		   uint64_t timeout)
{
	struct xg_vcpu *v = xg_this_vcpu(g);
	struct sched_poll op = {.nr_ports = count};
	int rc;

	if (count > MAX_PORTS || (count && !ports))
		return -XG_EINVAL;
	rc = any_pending(g, ports, count);
	if (rc || !timeout)
		return rc;
	/* A hosted program's thread acts for the first vCPU. */
	if (!v)
		v = g->evtchn.vcpus;
	/* The handle's type has no const: Xen only reads. */
	set_xen_guest_handle(op.ports, (evtchn_port_t *)(uintptr_t)ports);
	/* Xen's until the guest is given back. Where it is can be said again.
	 */
	v->has_runstate = true;
	rc = xg_evtchn_use_runstate(g, v, v->runstate_area);
	return rc ? rc : sleep(g, v, &op, ports, timeout);
}
