/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, event_channel.h: event channel operations and the FIFO ABI. */

#ifndef __XEN_PUBLIC_EVENT_CHANNEL_H__
#define __XEN_PUBLIC_EVENT_CHANNEL_H__

#include "xen.h"

/* Commands of __HYPERVISOR_event_channel_op. */
#define EVTCHNOP_bind_interdomain 0
#define EVTCHNOP_bind_virq	  1
#define EVTCHNOP_bind_pirq	  2
#define EVTCHNOP_close		  3
#define EVTCHNOP_send		  4
#define EVTCHNOP_status		  5
#define EVTCHNOP_alloc_unbound	  6
#define EVTCHNOP_bind_ipi	  7
#define EVTCHNOP_bind_vcpu	  8
#define EVTCHNOP_unmask		  9
#define EVTCHNOP_reset		  10
#define EVTCHNOP_init_control	  11
#define EVTCHNOP_expand_array	  12
#define EVTCHNOP_set_priority	  13

/** A port: a domain's own number for one end of a channel. */
typedef uint32_t evtchn_port_t;
DEFINE_XEN_GUEST_HANDLE(evtchn_port_t);

/** EVTCHNOP_alloc_unbound: a port that `remote_dom` may bind to. */
struct evtchn_alloc_unbound {
	/** In: owner of the new port, and who may bind. */
	domid_t dom, remote_dom;
	/** Out: the new port. */
	evtchn_port_t port;
};
typedef struct evtchn_alloc_unbound evtchn_alloc_unbound_t;

/** EVTCHNOP_bind_interdomain: connect to another domain's unbound port. */
struct evtchn_bind_interdomain {
	/** In: the other domain. */
	domid_t remote_dom;
	/** In: its port. */
	evtchn_port_t remote_port;
	/** Out: the new local port; it starts pending. */
	evtchn_port_t local_port;
};
typedef struct evtchn_bind_interdomain evtchn_bind_interdomain_t;

/** EVTCHNOP_bind_virq: a port for a virtual interrupt. */
struct evtchn_bind_virq {
	/** In: VIRQ_*. */
	uint32_t virq;
	/** In: the vCPU; 0 for interrupts that are not per vCPU. */
	uint32_t vcpu;
	/** Out: the new port. */
	evtchn_port_t port;
};
typedef struct evtchn_bind_virq evtchn_bind_virq_t;

/** EVTCHNOP_bind_pirq: a port for a physical interrupt. */
struct evtchn_bind_pirq {
	/** In: the interrupt. */
	uint32_t pirq;
#define BIND_PIRQ__WILL_SHARE 1
	/** In: BIND_PIRQ__*. */
	uint32_t flags;
	/** Out: the new port. */
	evtchn_port_t port;
};
typedef struct evtchn_bind_pirq evtchn_bind_pirq_t;

/** EVTCHNOP_bind_ipi: a port by which vCPUs signal each other. */
struct evtchn_bind_ipi {
	/** In: the vCPU that gets the event. */
	uint32_t vcpu;
	/** Out: the new port. */
	evtchn_port_t port;
};
typedef struct evtchn_bind_ipi evtchn_bind_ipi_t;

/** EVTCHNOP_close: give a port back. */
struct evtchn_close {
	/** In: the port. */
	evtchn_port_t port;
};
typedef struct evtchn_close evtchn_close_t;

/** EVTCHNOP_send: set the other end pending. */
struct evtchn_send {
	/** In: the local port. */
	evtchn_port_t port;
};
typedef struct evtchn_send evtchn_send_t;

/** EVTCHNOP_status: what a port is bound to. */
struct evtchn_status {
	/** In: owner of the port. */
	domid_t dom;
	/** In: the port. */
	evtchn_port_t port;
#define EVTCHNSTAT_closed      0
#define EVTCHNSTAT_unbound     1
#define EVTCHNSTAT_interdomain 2
#define EVTCHNSTAT_pirq	       3
#define EVTCHNSTAT_virq	       4
#define EVTCHNSTAT_ipi	       5
	/** Out: EVTCHNSTAT_*. */
	uint32_t status;
	/** Out: the vCPU it notifies. */
	uint32_t vcpu;
	/** Out: depends on `status`. */
	union {
		/** EVTCHNSTAT_unbound. */
		struct {
			/** Who may bind. */
			domid_t dom;
		} unbound;
		/** EVTCHNSTAT_interdomain. */
		struct {
			/** The other domain. */
			domid_t dom;
			/** Its port. */
			evtchn_port_t port;
		} interdomain;
		/** EVTCHNSTAT_pirq. */
		uint32_t pirq;
		/** EVTCHNSTAT_virq. */
		uint32_t virq;
	} u;
};
typedef struct evtchn_status evtchn_status_t;

/** EVTCHNOP_bind_vcpu: let a port notify another vCPU. */
struct evtchn_bind_vcpu {
	/** In: the port. */
	evtchn_port_t port;
	/** In: the vCPU. */
	uint32_t vcpu;
};
typedef struct evtchn_bind_vcpu evtchn_bind_vcpu_t;

/** EVTCHNOP_unmask: unmask, and deliver what came meanwhile. */
struct evtchn_unmask {
	/** In: the port. */
	evtchn_port_t port;
};
typedef struct evtchn_unmask evtchn_unmask_t;

/** EVTCHNOP_reset: close every port and leave the FIFO ABI. */
struct evtchn_reset {
	/** In: the domain. */
	domid_t dom;
};
typedef struct evtchn_reset evtchn_reset_t;

/** EVTCHNOP_init_control: enter the FIFO ABI for one vCPU. */
struct evtchn_init_control {
	/** In: frame of the vCPU's control block. */
	uint64_t control_gfn;
	/** In: its offset in the frame. */
	uint32_t offset;
	/** In: the vCPU. */
	uint32_t vcpu;
	/** Out: how wide the link field of an event word is. */
	uint8_t link_bits;
	/** Must be zero. */
	uint8_t _pad[7];
};
typedef struct evtchn_init_control evtchn_init_control_t;

/** EVTCHNOP_expand_array: one more page of event words. */
struct evtchn_expand_array {
	/** In: the page's frame. */
	uint64_t array_gfn;
};
typedef struct evtchn_expand_array evtchn_expand_array_t;

/** EVTCHNOP_set_priority: which FIFO queue a port goes to. */
struct evtchn_set_priority {
	/** In: the port. */
	evtchn_port_t port;
	/** In: EVTCHN_FIFO_PRIORITY_MAX to EVTCHN_FIFO_PRIORITY_MIN. */
	uint32_t priority;
};
typedef struct evtchn_set_priority evtchn_set_priority_t;

/** Argument of the first, superseded form of the hypercall. */
struct evtchn_op {
	/** EVTCHNOP_*. */
	uint32_t cmd;
	/** Its argument. */
	union {
		evtchn_alloc_unbound_t alloc_unbound;
		evtchn_bind_interdomain_t bind_interdomain;
		evtchn_bind_virq_t bind_virq;
		evtchn_bind_pirq_t bind_pirq;
		evtchn_bind_ipi_t bind_ipi;
		evtchn_close_t close;
		evtchn_send_t send;
		evtchn_status_t status;
		evtchn_bind_vcpu_t bind_vcpu;
		evtchn_unmask_t unmask;
	} u;
};
typedef struct evtchn_op evtchn_op_t;
DEFINE_XEN_GUEST_HANDLE(evtchn_op_t);

/** Ports of the 2-level ABI: a word of bits for each bit of a word. */
#define EVTCHN_2L_NR_CHANNELS (sizeof(xen_ulong_t) * sizeof(xen_ulong_t) * 64)

/* FIFO queues; a lower number is served first. */
#define EVTCHN_FIFO_PRIORITY_MAX     0
#define EVTCHN_FIFO_PRIORITY_DEFAULT 7
#define EVTCHN_FIFO_PRIORITY_MIN     15
#define EVTCHN_FIFO_MAX_QUEUES	     (EVTCHN_FIFO_PRIORITY_MIN + 1)

/** A port's state in the FIFO ABI. */
typedef uint32_t event_word_t;

/* Bit numbers in an event word; the low bits link to the next port. */
#define EVTCHN_FIFO_PENDING   31
#define EVTCHN_FIFO_MASKED    30
#define EVTCHN_FIFO_LINKED    29
#define EVTCHN_FIFO_BUSY      28
#define EVTCHN_FIFO_LINK_BITS 17
#define EVTCHN_FIFO_LINK_MASK ((1 << EVTCHN_FIFO_LINK_BITS) - 1)

/** Ports of the FIFO ABI. */
#define EVTCHN_FIFO_NR_CHANNELS (1 << EVTCHN_FIFO_LINK_BITS)

/** One vCPU's FIFO queues. */
struct evtchn_fifo_control_block {
	/** One bit per queue that has events. */
	uint32_t ready;
	/** Unused. */
	uint32_t _rsvd;
	/** First port of each queue. */
	uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
};
typedef struct evtchn_fifo_control_block evtchn_fifo_control_block_t;

#endif /* __XEN_PUBLIC_EVENT_CHANNEL_H__ */
