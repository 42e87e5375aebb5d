/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Event channels.
 *
 * A port is a number from 1 to the table's size less one. It is open from
 * the call that returned it (or from xg_evtchn_bind() of a port that somebody
 * else opened for this domain) until xg_evtchn_close(), and bound while it
 * has a handler.
 *
 * Delivery. An open port delivers exactly while it is bound and not masked by
 * xg_evtchn_mask(). What arrives at any other time stays pending in the page
 * shared with Xen, costs no interrupt, and is delivered as one event as soon
 * as the port may deliver again; or it is taken by xg_evtchn_take_pending().
 * Events of one port coalesce: n notifications give 1 to n calls of the
 * handler, the last one after the last notification.
 *
 * Handlers run inside xg_evtchn_upcall(), normally in the event interrupt.
 * They may call everything in this file, for their own port too.
 *
 * Concurrency. Any call may run while an upcall runs on this or another CPU.
 * Calls for different ports may run at the same time on several CPUs. For one
 * port, bind, unbind and close must not overlap one another, and close no
 * other call for the port but those of its own handler; the rest may overlap.
 *
 * Unless said otherwise: 0 on success, -XG_EINVAL for a port that is 0,
 * beyond the table or not open, with nothing changed.
 */
#ifndef XEN_GUEST_EVTCHN_H
#define XEN_GUEST_EVTCHN_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;
struct evtchn_status; /* xen/event_channel.h */
struct vcpu_info;     /* xen/xen.h */

/* Called for an event with the pointer given at bind. */
typedef void (*xg_evtchn_handler_t)(void *data);

#define XG_PORTS_PER_GROUP 64
#define XG_MAX_PORT_GROUPS 64 /* the 2-level ABI has 4096 ports */
#define XG_PORT_GROUPS(ports)                                                  \
	(((ports) + XG_PORTS_PER_GROUP - 1) / XG_PORTS_PER_GROUP)

/* 64 ports: the caller's storage, the library's contents. */
struct xg_port_group {
	uint64_t open;	 /* ports this guest knows to be its own */
	uint64_t masked; /* ports masked by xg_evtchn_mask() */
	struct xg_port_slot {
		xg_evtchn_handler_t handler; /* null: not bound */
		void *data;
	} slots[XG_PORTS_PER_GROUP];
};

/* Event-channel state inside struct xg_guest. */
struct xg_evtchn {
	uint64_t *pending; /* in the shared-info page, written by Xen */
	uint64_t *mask;	   /* in the shared-info page, read by Xen */
	struct vcpu_info *vcpu;
	struct xg_port_group *groups;
	uint32_t nr_ports;
	uint32_t start; /* port after the last one served */
	uint64_t todo;	/* events of the current word not yet served */
	uint32_t
		serving; /* which word the upcall is in, csrc/evtchn_upcall.c */
};

/*
 * Allocate a port in domain `dom` that domain `remote` may bind to. `dom` is
 * DOMID_SELF but for a control domain. Xen does not check that `remote`
 * exists.
 *
 * Returns the port (positive), or
 *   -XG_ENOSPC  no free port, or none within the table's size
 *   -XG_ESRCH   `dom` does not exist
 *   -XG_EPERM   `dom` is another domain and the caller may not; or the
 *               security policy keeps the two apart (Xen's SILO mode)
 */
int xg_evtchn_alloc_unbound(struct xg_guest *g, uint16_t dom, uint16_t remote);

/*
 * Allocate a local port connected to `remote_port` of domain `remote`, and
 * bind `handler` to it, which may be null to bind one later.
 *
 * Xen marks the new local port pending, in case the peer notified before the
 * two were connected: expect one event soon after the handler is bound. The
 * peer gets none from this call.
 *
 * Returns the local port (positive), or
 *   -XG_EINVAL  the remote port is not unbound and waiting for this domain
 *   -XG_ENOSPC  no free port, or none within the table's size
 *   -XG_ESRCH   `remote` does not exist
 *   -XG_EPERM   refused by the security policy
 */
int xg_evtchn_bind_interdomain(struct xg_guest *g, uint16_t remote,
			       uint32_t remote_port,
			       xg_evtchn_handler_t handler, void *data);

/*
 * Make `handler` the one that gets the port's events, in place of an earlier
 * one, which is not running any more when this returns (unless this is called
 * from inside it). A port opened by somebody else, such as a control domain,
 * becomes open here; Xen is asked whether it is in use.
 *
 * -XG_EINVAL also for a null handler and a port that Xen says is closed.
 */
int xg_evtchn_bind(struct xg_guest *g, uint32_t port,
		   xg_evtchn_handler_t handler, void *data);

/*
 * Take the handler away. When this returns it is not running and will not be
 * called again (called from inside the handler: once the handler returns).
 * May wait for a handler that runs on another CPU. The port stays open.
 */
int xg_evtchn_unbind(struct xg_guest *g, uint32_t port);

/*
 * Close the port: unbind, then give the number back to Xen, which may hand it
 * out again at once. The peer's end, if any, becomes unbound and can be bound
 * to again by this domain only; the peer is not told. If Xen refuses, the port
 * is as it was. A port within the table that somebody else opened and that
 * was never bound here is closed too.
 */
int xg_evtchn_close(struct xg_guest *g, uint32_t port);

/*
 * Signal the other end. The hypercall is a full barrier: what was written
 * before is visible to the peer's handler. A port whose peer is gone or not
 * there yet accepts and forgets. -XG_EINVAL is Xen's answer for a closed port.
 */
int xg_evtchn_notify(struct xg_guest *g, uint32_t port);

/*
 * Hold the port's events back, or let them through. Unmasking delivers what
 * arrived meanwhile. Both can be repeated; they do not nest. A handler that
 * is running when its port is masked elsewhere finishes.
 */
int xg_evtchn_mask(struct xg_guest *g, uint32_t port);
int xg_evtchn_unmask(struct xg_guest *g, uint32_t port);

/* Whether an event waits to be delivered: 1 or 0, or -XG_EINVAL. */
int xg_evtchn_pending(struct xg_guest *g, uint32_t port);

/* The same, and the event is taken: its handler won't be called for it. */
int xg_evtchn_take_pending(struct xg_guest *g, uint32_t port);

/* The same, but only while the port has no handler; 0 if it has one. */
int xg_evtchn_take_missed(struct xg_guest *g, uint32_t port);

/*
 * Ask Xen about a port of this or (control domain) another domain: the caller
 * fills `dom` and `port`, Xen the rest. -XG_ESRCH no such domain, -XG_EINVAL
 * no such port, -XG_EPERM another domain's. A closed port is no error: its
 * status is EVTCHNSTAT_closed. Any port number; the table's size is no limit.
 */
int xg_evtchn_status(struct xg_guest *g, struct evtchn_status *status);

/*
 * Set the order in which Xen offers the port: 0 first, 15 last. The 2-level
 * ABI has no priorities: Xen answers -XG_ENOSYS. Whether the port is open is
 * for Xen to say.
 */
int xg_evtchn_set_priority(struct xg_guest *g, uint32_t port,
			   uint32_t priority);

/*
 * Serve what is pending: the body of the event interrupt's handler. Calls at
 * most `budget` handlers (at least 1), each port at most once before every
 * other pending port had its turn.
 *
 * Returns 0 when everything was served, or 1 when the budget was used up and
 * events may be left: nothing is lost, they are pending again and the next
 * call goes on after the last port served. On Arm the interrupt line follows
 * only at the next entry into Xen, so the caller calls again itself, or makes
 * any hypercall before it returns from the interrupt.
 *
 * The vCPU's interrupt context; never nested, never on two CPUs at a time.
 */
int xg_evtchn_upcall(struct xg_guest *g, uint32_t budget);

#ifdef __cplusplus
}
#endif

#endif
