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
 * They may call everything in this file but xg_evtchn_wait() and
 * xg_evtchn_reset(), for their own port too.
 *
 * Bind in place of another handler, unbind, close and xg_evtchn_bind_vcpu()
 * wait for the upcalls of other vCPUs, never for one beneath the caller; so
 * does bind of a port whose last handler was taken away inside of an upcall. So
 * handlers on two vCPUs that both call one of these at the same time wait for
 * each other without end: with several vCPUs, leave these calls to threads, or
 * to the handlers of one vCPU.
 *
 * An interrupt above an upcall may call what handlers may, but for two things:
 * it does not bind a port that had a handler when the upcall began, and opens
 * none after it closed one. The upcall may be between that handler and its
 * argument, or about to take what is an event of another port by then.
 *
 * ABIs. Xen offers two ways to share ports; xg_guest_init() takes the one
 * that its configuration asks for. Only the FIFO ABI has priorities.
 *
 * vCPUs. A port's events go to one vCPU: the first, unless the port was
 * opened for another or xg_evtchn_bind_vcpu() moved it.
 *
 * Concurrency. Any call may run while an upcall runs on this or another CPU.
 * Calls for different ports may run at the same time on several CPUs. For one
 * port, bind, unbind, bind_vcpu and close must not overlap one another, and
 * close no other call for the port but those of its own handler; the rest may
 * overlap.
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
struct evtchn_fifo_control_block; /* xen/event_channel.h */
struct evtchn_status;		  /* xen/event_channel.h */
struct vcpu_info;		  /* xen/xen.h */

/* Called for an event with the pointer given at bind. */
typedef void (*xg_evtchn_handler_t)(void *data);

#define XG_PORTS_PER_GROUP     64   /* ports of one struct xg_port_group */
#define XG_MAX_2L_GROUPS       64   /* that the 2-level ABI can have */
#define XG_MAX_PORT_GROUPS     2048 /* that the FIFO ABI can have */
#define XG_FIFO_PORTS_PER_PAGE 1024 /* a word for each */
#define XG_FIFO_MAX_PAGES      129  /* for all its ports, the first included */
#define XG_FIFO_MAX_VCPUS      32   /* of one guest with the FIFO ABI */
#define XG_MAX_VCPUS	       128  /* of one guest with the 2-level ABI */
/* Groups for port numbers below `ports`. */
#define XG_PORT_GROUPS(ports)                                                  \
	(((ports) + XG_PORTS_PER_GROUP - 1) / XG_PORTS_PER_GROUP)
/* Pages that the FIFO ABI takes for `ports` ports: the first has the vCPUs'
 * queues, the others a word for each port. */
#define XG_FIFO_PAGES(ports)                                                   \
	(1 + ((ports) + XG_FIFO_PORTS_PER_PAGE - 1) / XG_FIFO_PORTS_PER_PAGE)

/* A port's state. */
#define XG_PORT_OPEN	1u   /* this guest knows it to be its own */
#define XG_PORT_FIXED	2u   /* never closed */
#define XG_PORT_LATE	4u   /* its events are over when somebody says so */
#define XG_PORT_UNBOUND 8u   /* has no handler */
#define XG_PORT_MASKED	16u  /* by xg_evtchn_mask() */
#define XG_PORT_HELD	32u  /* late, with an event that is not over */
#define XG_PORT_MOVING	64u  /* on its way to another vCPU */
#define XG_PORT_STALE	128u /* was closed above an upcall */
#define XG_PORT_MOVED	256u /* a vCPU before may have an event of it */
#define XG_PORT_USED	512u /* an upcall may have read the handler */

/* 64 ports: the caller's storage, the library's contents. */
struct xg_port_group {
	struct xg_port_slot {
		uint32_t state;
		uint32_t idle; /* late events in a row without work */
		xg_evtchn_handler_t handler;
		void *data;
		uint64_t closed; /* stale: what the vCPU's `taken` was then */
	} slots[XG_PORTS_PER_GROUP];
};

/* One vCPU: the caller's storage, the library's contents. */
struct xg_vcpu {
	uint32_t serving; /* odd in a visit, evtchn_upcall.c */
	uint32_t budget;  /* handlers that the upcall may call */
	struct xg_guest *guest;
	struct vcpu_info *info; /* null: not online */
	struct evtchn_fifo_control_block *control;
	uint64_t *ports; /* the ports that are its; null: all */
	uint64_t taken;	 /* counts what upcalls take; as no other vCPU does */
	uint64_t passed; /* 2-level: the ports that are not to be next ... */
	uint32_t first;	 /* ... of this word, which is */
	uint16_t id;	 /* as Xen counts */
	uint16_t has_runstate;
	/* Shared with Xen for all vCPUs but the first, whose part is in the
	 * shared-info page. Must not cross a page. */
	uint64_t info_area[8] __attribute__((aligned(64)));
	/* Shared with Xen once a thread of the vCPU has waited: the same. */
	uint64_t runstate_area[8] __attribute__((aligned(64)));
};

/* Event channels inside struct xg_guest: the library's contents. */
struct xg_evtchn {
	struct xg_vcpu *only; /* 2-level with one vCPU: that one */
	uint64_t *pending; /* 2-level: in the shared-info page, masks behind */
	uint32_t *words;   /* FIFO: a word for each port; 2-level: null */
	struct xg_port_slot *slots;
	struct xg_vcpu *vcpus;
	uint8_t *fifo_pages;
	uint32_t nr_fifo_pages;
	uint32_t nr_groups;
	uint32_t nr_ports;
	uint32_t nr_vcpus;
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
 * called again (called from inside the handler, or from an interrupt above the
 * upcall that calls it: once the handler returns).
 * May wait for an upcall on another CPU to finish the handlers that it is
 * about to call, this port's or another's. The port stays open.
 */
int xg_evtchn_unbind(struct xg_guest *g, uint32_t port);

/*
 * Open a port for a virtual interrupt of Xen (VIRQ_*, xen/xen.h). Interrupts
 * that every vCPU has go to `vcpu`; the others have vcpu 0.
 *
 * Returns the port (positive), or
 *   -XG_EINVAL  no such interrupt, or it is not per vCPU and `vcpu` is not 0
 *   -XG_ENOENT  no such vCPU
 *   -XG_EEXIST  bound already
 *   -XG_EBUSY   another domain handles it
 *   -XG_ENOSPC, -XG_EPERM
 */
int xg_evtchn_bind_virq(struct xg_guest *g, uint32_t virq, uint32_t vcpu);

/*
 * Open a port by which this guest's vCPUs signal `vcpu`: notify raises it
 * there. Returns the port (positive), -XG_ENOENT for a vCPU that does not
 * exist, or -XG_ENOSPC.
 */
int xg_evtchn_bind_ipi(struct xg_guest *g, uint32_t vcpu);

/*
 * Take over a port that Xen connected at boot, as the device tree says. It
 * is open from now on, and closing it only unbinds: Xen could not give it
 * again. It can be adopted or bound again, with what it has pending; only
 * xg_evtchn_reset() closes it.
 * -XG_EINVAL also if Xen says that it is not in use.
 */
int xg_evtchn_adopt_static(struct xg_guest *g, uint32_t port);

/*
 * Send the port's events to `vcpu` from now on, the pending one too. Not for
 * IPIs and interrupts that every vCPU has: -XG_EINVAL. -XG_ENOENT for a vCPU
 * that does not exist or is not online. In the FIFO ABI a pending event
 * that is queued already follows when the vCPU before gets to it.
 */
int xg_evtchn_bind_vcpu(struct xg_guest *g, uint32_t port, uint32_t vcpu);

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
 * is running when its port is masked elsewhere finishes. An event that an
 * upcall has taken and not come to yet is pending again once it does.
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
 * Set the order in which the port is served: 0 first, 15 last, 7 at first.
 * Holds for events from now on. -XG_EINVAL also for other priorities;
 * -XG_ENOSYS with the 2-level ABI, which has none. A new port starts at 7.
 * Whether the port is open is for Xen to say.
 */
int xg_evtchn_set_priority(struct xg_guest *g, uint32_t port,
			   uint32_t priority);

/*
 * Close every port, those too that were opened behind the library's back, and
 * set the ABI up anew. Every handler is gone when this returns; priorities,
 * late ends and the vCPUs of ports are forgotten.
 *
 * -XG_EBUSY if Xen is at it already (nothing is changed), -XG_EAGAIN if ports
 * of Xen's own cannot be closed: all others are. In the FIFO ABI also what
 * setting up anew may answer, and then only this call works.
 * No upcall or other call for this guest's events may run meanwhile.
 */
int xg_evtchn_reset(struct xg_guest *g);

/*
 * Late end of event. While on, a port that called its handler is held back
 * until xg_evtchn_done(): a peer that signals without pause costs one
 * interrupt per piece of work done, not one per signal. Turning it off ends a
 * hold.
 */
int xg_evtchn_set_late(struct xg_guest *g, uint32_t port, bool late);

/*
 * End of a late event. `worked` says whether there was anything to do.
 *
 * Returns 0: the port delivers again; or a number of milliseconds (1 to 1000)
 * that it should be held back, because the peer keeps signalling for nothing:
 * call xg_evtchn_release() after that time. The number doubles with every
 * event without work and starts anew after one with. -XG_EINVAL also if no
 * event is held.
 */
int xg_evtchn_done(struct xg_guest *g, uint32_t port, bool worked);

/* Let a held port deliver again, whatever it was held for. */
int xg_evtchn_release(struct xg_guest *g, uint32_t port);

/*
 * Sleep until one of `count` ports (at most 128) has an event pending or
 * `timeout` nanoseconds are over; XG_FOREVER: no limit, 0: only look. The
 * events are not taken. Meant for ports without a handler or masked ones: an
 * event that is delivered to a handler is not pending any more.
 *
 * Interrupts are served meanwhile if they are enabled. To know what time it
 * is, a wait with a limit first sleeps for a moment, unless a port is pending
 * before: up to a sixteenth of the time that the vCPU had run since it slept
 * last. The limit counts from there.
 *
 * Returns 1, or 0 after the time, or
 *   -XG_EINVAL  more than 128 ports, or one that is not open
 *   -XG_EAGAIN  an interrupt was pending each of some hundred times that this
 *               tried to sleep: it is masked, or there is a storm of them
 * Thread context on a vCPU of the guest that is up. The thread stays on it
 * until this returns.
 */
int xg_evtchn_wait(struct xg_guest *g, const uint32_t *ports, uint32_t count,
		   uint64_t timeout);

/* No limit to xg_evtchn_wait(). */
#define XG_FOREVER UINT64_MAX

/*
 * Bring another vCPU's events up: register its part of the shared state with
 * Xen. Once per vCPU, before its event interrupt is enabled: on the vCPU
 * itself, or on another one while it is not started yet (later Xen before 4.20
 * refuses: -XG_EINVAL). vCPU 0 is up from xg_guest_init() on. Ports may be
 * bound to a vCPU before; their events wait.
 *
 * A vCPU that is turned off and started again is still up, but its interrupt
 * may be lost: it calls xg_evtchn_upcall() once itself.
 *
 * -XG_ENOENT beyond the configured or existing vCPUs, -XG_EBUSY if it is up.
 * Expect one empty upcall soon after.
 */
int xg_vcpu_online(struct xg_guest *g, uint32_t vcpu);

/*
 * Serve what is pending: the body of the event interrupt's handler. Serves
 * the vCPU that it runs on. Calls at most `budget` handlers (at least 1).
 * 2-level: each port at most once before every other pending port had its
 * turn. FIFO: in order of priority, and of arrival within one.
 *
 * Returns 0 when everything was served, or 1 when the budget was used up and
 * events may be left: nothing is lost, they are pending again and the next
 * call goes on after the last port served. On Arm that call is the caller's to
 * make: Xen raises the interrupt when it sets upcall_pending, which is set
 * already, so without that call no event comes any more.
 *
 * The vCPU's interrupt context; never nested.
 */
int xg_evtchn_upcall(struct xg_guest *g, uint32_t budget);

#ifdef __cplusplus
}
#endif

#endif
