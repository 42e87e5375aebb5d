/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What differs between the two event-channel ABIs.
 *
 * All of it can run on any CPU at any time, but `upcall`: once at a time for
 * each vCPU, in its upcall.
 */
#ifndef XG_EVTCHN_ABI_H
#define XG_EVTCHN_ABI_H

#include "atomic.h"
#include "hypercall.h"
#include "internal.h"

struct xg_evtchn_ops {
	void (*mask)(struct xg_guest *g, uint32_t port);
	/* Through Xen if an event is pending, so that it is delivered. */
	int (*unmask)(struct xg_guest *g, uint32_t port);
	bool (*pending)(const struct xg_guest *g, uint32_t port);
	bool (*take_pending)(struct xg_guest *g, uint32_t port);
	/* Of a port that is masked next, for unmask to find. */
	void (*set_pending)(struct xg_guest *g, uint32_t port);
	/* xg_evtchn_upcall() for this vCPU. */
	int (*upcall)(struct xg_guest *g, struct xg_vcpu *v, uint32_t budget);
};

extern const struct xg_evtchn_ops xg_evtchn_2l_ops;
extern const struct xg_evtchn_ops xg_evtchn_fifo_ops;

static inline struct xg_port_group *xg_group_of(const struct xg_guest *g,
						uint32_t port)
{
	return &g->evtchn.groups[port / XG_WORD_BITS];
}

static inline struct xg_port_slot *xg_slot_of(const struct xg_guest *g,
					      uint32_t port)
{
	return &xg_group_of(g, port)->slots[port % XG_WORD_BITS];
}

static inline bool xg_port_in_table(const struct xg_guest *g, uint32_t port)
{
	return port && port < g->evtchn.nr_ports;
}

static inline bool xg_port_open(const struct xg_guest *g, uint32_t port)
{
	return xg_port_in_table(g, port) &&
	       (xg_load(&xg_group_of(g, port)->open) & xg_bit(port));
}

/* Reasons for which a port with a handler does not deliver. */
static inline bool xg_port_held_back(const struct xg_guest *g, uint32_t port)
{
	const struct xg_port_group *group = xg_group_of(g, port);

	return (xg_load_seq(&group->masked) | xg_load_seq(&group->held) |
		xg_load_seq(&group->moving)) &
	       xg_bit(port);
}

static inline bool xg_port_bound(const struct xg_guest *g, uint32_t port)
{
	return __atomic_load_n(&xg_slot_of(g, port)->handler, __ATOMIC_SEQ_CST);
}

static inline bool xg_port_delivers(const struct xg_guest *g, uint32_t port)
{
	return xg_port_bound(g, port) && !xg_port_held_back(g, port);
}

/* evtchn.c: an operation of HYPERVISOR_event_channel_op. */
int xg_event_op(struct xg_guest *g, uint32_t op, void *arg);

/* evtchn_handler.c: give the port a handler, and take it away. */
int xg_evtchn_install(struct xg_guest *g, uint32_t port,
		      xg_evtchn_handler_t handler, void *data);
void xg_evtchn_withdraw(struct xg_guest *g, uint32_t port);
/* Mask or unmask the port as its handler and what holds it back ask for. */
int xg_evtchn_settle(struct xg_guest *g, uint32_t port);

/* evtchn_late.c: a late event goes to its handler, unless one is held. */
bool xg_evtchn_hold(struct xg_guest *g, uint32_t port);

/* evtchn_wait.c: have Xen forget what waits with a limit registered. */
void xg_evtchn_end_waits(struct xg_guest *g);

/* evtchn.c: is the port, which the table does not have, open for Xen? */
int xg_evtchn_adopt(struct xg_guest *g, uint32_t port);

/* evtchn_upcall.c: an event that is not for now, and one whose port has no
 * handler. */
void xg_evtchn_put_back(struct xg_guest *g, uint32_t port);
void xg_evtchn_undelivered(struct xg_guest *g, uint32_t port);

static inline bool xg_upcall_pending(const struct xg_vcpu *v)
{
	return __atomic_load_n(&v->info->evtchn_upcall_pending,
			       __ATOMIC_RELAXED);
}

/* The budget is used up. What is left is back where Xen put it; this makes
 * somebody look. Returns what the upcall does. */
static inline int xg_upcall_again(struct xg_vcpu *v)
{
	__atomic_store_n(&v->info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
	return 1;
}

/*
 * `serving`: the group that the upcall is in (0: none), and the number of the
 * visit. Set before a port's mask is read, and to no group when the handlers
 * are done: evtchn_upcall.c says what for. The 2-level ABI visits all groups
 * at once.
 */
#define XG_SERVING_GROUP 0xfffu
#define XG_SERVING_ALL	 0xfffu
#define XG_SERVING_VISIT 0x1000u

static inline uint32_t xg_serving_next(const struct xg_vcpu *v)
{
	return (v->serving & ~XG_SERVING_GROUP) + XG_SERVING_VISIT;
}

/* Release: who sees the visit over sees the handlers' effects. */
static inline void xg_serving_end(struct xg_vcpu *v)
{
	__atomic_store_n(&v->serving, v->serving & ~XG_SERVING_GROUP,
			 __ATOMIC_RELEASE);
}

/* Of the events in `todo` those not served yet; none if it is about another
 * group. */
static inline uint64_t xg_todo_left(const struct xg_vcpu *v,
				    const struct xg_port_group *group)
{
	uintptr_t served = ((uintptr_t)v->next - (uintptr_t)group->slots) /
			   sizeof(*group->slots);

	return served < XG_WORD_BITS ? v->todo >> served << served : 0;
}

#endif
