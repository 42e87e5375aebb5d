/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What the event-channel files share.
 *
 * All of it can run on any CPU at any time, but an ABI's upcall: once at a
 * time for each vCPU.
 */
#ifndef XG_EVTCHN_PORT_H
#define XG_EVTCHN_PORT_H

#include "atomic.h"
#include "hypercall.h"
#include "internal.h"

/* What is called in several places of its own file: a compiler that is asked
 * for small code would put a copy in each. */
#define XG_SHARED __attribute__((noinline))

/* Reasons for which an open port does not deliver. */
#define XG_PORT_STOPPED                                                        \
	(XG_PORT_UNBOUND | XG_PORT_MASKED | XG_PORT_HELD | XG_PORT_MOVING)

static inline bool xg_port_in_table(const struct xg_guest *g, uint32_t port)
{
	return port && port < g->evtchn.nr_ports;
}

static inline struct xg_port_slot *xg_slot_of(const struct xg_guest *g,
					      uint32_t port)
{
	return &g->evtchn.slots[port];
}

static inline uint32_t xg_port_of(const struct xg_guest *g,
				  const struct xg_port_slot *slot)
{
	return (uint32_t)(slot - g->evtchn.slots);
}

static inline uint32_t xg_port_state(const struct xg_port_slot *slot)
{
	return __atomic_load_n(&slot->state, __ATOMIC_SEQ_CST);
}

/* evtchn_port.c: the slot of a port in the table, or of an open one; null if
 * it is not. */
struct xg_port_slot *xg_port_slot(const struct xg_guest *g, uint32_t port);
struct xg_port_slot *xg_port_open(const struct xg_guest *g, uint32_t port);
/* Set or clear bits of the state: as it was before. */
static inline uint32_t xg_port_set(struct xg_port_slot *slot, uint32_t bits)
{
	return __atomic_fetch_or(&slot->state, bits, __ATOMIC_SEQ_CST);
}

static inline uint32_t xg_port_clear(struct xg_port_slot *slot, uint32_t bits)
{
	return __atomic_fetch_and(&slot->state, ~bits, __ATOMIC_SEQ_CST);
}

/* evtchn_port.c: the port's bits in the pages shared with Xen. Setting pending
 * is for a port that is masked next, for unmask to find. */
void xg_port_set_bit(struct xg_guest *g, const struct xg_port_slot *slot,
		     bool mask);
bool xg_port_pending(const struct xg_guest *g, const struct xg_port_slot *slot,
		     bool take);
/* Mask or unmask the port as its state asks for. Unmasking goes through Xen if
 * an event is pending, so that it is delivered. */
int xg_evtchn_settle(struct xg_guest *g, const struct xg_port_slot *slot);

static inline void xg_port_mask(struct xg_guest *g,
				const struct xg_port_slot *slot)
{
	xg_port_set_bit(g, slot, true);
}

static inline void xg_port_set_pending(struct xg_guest *g,
				       const struct xg_port_slot *slot)
{
	xg_port_set_bit(g, slot, false);
}

/* An operation of HYPERVISOR_event_channel_op: with its structure; evtchn.c: or
 * with the two words that it is. */
static inline int xg_event_call(struct xg_guest *g, uint32_t op, void *arg)
{
	return xg_hypercall3(g, __HYPERVISOR_event_channel_op, op,
			     (uintptr_t)arg, 0);
}

int xg_event_op(struct xg_guest *g, uint32_t op, uint32_t first,
		uint32_t second);
/* Have a port open that is open for Xen: 1 if it was not. */
int xg_evtchn_adopt(struct xg_guest *g, uint32_t port);

/* evtchn_handler.c: give the port a handler, and take it away. What is taken
 * away is not running on another vCPU, and the port is masked. */
int xg_evtchn_install(struct xg_guest *g, uint32_t port,
		      xg_evtchn_handler_t handler, void *data);
const struct xg_vcpu *xg_evtchn_withdraw(struct xg_guest *g,
					 struct xg_port_slot *slot);
/* Change the state of a port that has the bits `need`, and settle it. On
 * failure what is cleared is set again. */
int xg_evtchn_change(struct xg_guest *g, uint32_t port, uint32_t need,
		     uint32_t clear, uint32_t set);

/* evtchn_vcpu.c: have `vcpu` serve the port, and no other. */
void xg_evtchn_set_vcpu(struct xg_guest *g, uint32_t port, uint32_t vcpu);

/* evtchn_upcall.c: have the port stopped, for `why`, and return once no upcall
 * on another vCPU is where it was. Leaves the port masked. Returns the vCPU
 * with an upcall beneath the caller, if there is one. */
const struct xg_vcpu *xg_evtchn_stop(struct xg_guest *g,
				     struct xg_port_slot *slot, uint32_t why);
/* The vCPU with that number, and the one that the caller runs on, or null. */
struct xg_vcpu *xg_vcpu(const struct xg_guest *g, uint32_t id);
struct xg_vcpu *xg_this_vcpu(const struct xg_guest *g);
/* evtchn_wait.c: have Xen write when the vCPU begins to run to `area`, or to
 * nowhere. */
int xg_evtchn_use_runstate(struct xg_guest *g, const struct xg_vcpu *v,
			   const uint64_t *area);
/* What a vCPU's `taken` counts in, its number above. */
#define XG_TAKEN_BITS 56

static inline bool xg_upcall_pending(const struct xg_vcpu *v)
{
	return __atomic_load_n(&v->info->evtchn_upcall_pending,
			       __ATOMIC_RELAXED);
}

/* Something is left, and is back where Xen put it: have it looked at again. */
static inline void xg_upcall_again(struct xg_vcpu *v)
{
	__atomic_store_n(&v->info->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
}

/* Events were taken. Relaxed: only this vCPU counts, and nobody else reads a
 * number that means something to him. */
static inline void xg_count_taken(struct xg_vcpu *v)
{
	__atomic_store_n(&v->taken, v->taken + 1, __ATOMIC_RELAXED);
}

static inline void xg_serving_end(struct xg_vcpu *v)
{
	__atomic_store_n(&v->serving, v->serving + 1, __ATOMIC_RELEASE);
}

/* Is a port's handler called, and nothing else? Acquire pairs with bind, which
 * clears XG_PORT_UNBOUND last. */
static inline bool xg_port_plain(const struct xg_port_slot *slot)
{
	return !(__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) &
		 (XG_PORT_STOPPED | XG_PORT_LATE | XG_PORT_STALE |
		  XG_PORT_MOVED));
}

static inline void xg_port_call(const struct xg_port_slot *slot)
{
	slot->handler(slot->data);
}

#endif
