/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Event channels under Zephyr's names, for the guest that xg_current() is.
 *
 * Every call is a thin form of one in xen_guest/evtchn.h, whose contract
 * holds: results, context, concurrency. Without a current guest calls return
 * -XG_EINVAL. Where this differs from Zephyr's own implementation:
 *
 *   bind        delivers what arrived before, and needs no unmask; a handler
 *               already there is replaced safely. Returns errors.
 *   unmask      delivers what arrived while masked.
 *   close       also unbinds; the port's next owner inherits nothing.
 *   unbind      the callback is not running when it returns (but see there).
 *   arguments   are checked in every build.
 */
#ifndef ZEPHYR_XEN_EVENTS_H
#define ZEPHYR_XEN_EVENTS_H

#include <stdint.h>

/* What Zephyr's own header brings, where Zephyr is. */
#if __has_include(<zephyr/kernel.h>)
#include <zephyr/kernel.h>
#endif
#if __has_include(<zephyr/xen/public/event_channel.h>)
#include <zephyr/xen/public/event_channel.h>
#else
#ifndef __XEN_INTERFACE_VERSION__
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#endif
#include <xen/event_channel.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Called from the event interrupt with the pointer given at bind. */
typedef void (*evtchn_cb_t)(void *priv);

/* xg_evtchn_status(): the caller fills dom and port. */
int evtchn_status(evtchn_status_t *status);
/* xg_evtchn_close() */
int evtchn_close(evtchn_port_t port);
/* xg_evtchn_set_priority(); -XG_ENOSYS with the 2-level ABI. */
int evtchn_set_priority(evtchn_port_t port, uint32_t priority);
/* xg_evtchn_notify() */
int notify_evtchn(evtchn_port_t port);

/* xg_evtchn_alloc_unbound(): the local port, or a negative error. */
int alloc_unbound_event_channel(domid_t remote_dom);
int alloc_unbound_event_channel_dom0(domid_t dom, domid_t remote_dom);
/* xg_evtchn_bind_interdomain(): the local port, or a negative error. Expect
 * one callback soon after: Xen marks the new port pending. */
int bind_interdomain_event_channel(domid_t remote_dom,
				   evtchn_port_t remote_port, evtchn_cb_t cb,
				   void *data);

/* xg_evtchn_bind() */
int bind_event_channel(evtchn_port_t port, evtchn_cb_t cb, void *data);
/* xg_evtchn_unbind(): events that arrive from now on are kept, for
 * get_missed_events() or the next bind, whichever comes first. */
int unbind_event_channel(evtchn_port_t port);
/* 1 if an event arrived while no callback was bound, and forgets it; 0
 * otherwise, and for a port that has a callback. */
int get_missed_events(evtchn_port_t port);

/* xg_evtchn_mask(), xg_evtchn_unmask() */
int mask_event_channel(evtchn_port_t port);
int unmask_event_channel(evtchn_port_t port);
/* Forget a pending event. */
void clear_event_channel(evtchn_port_t port);

/*
 * 0 when xg_guest_init() has set a current guest up, else -XG_EINVAL. May be
 * called again: callbacks stay. Connecting the event interrupt to
 * xg_evtchn_upcall() is the platform's part.
 */
int xen_events_init(void);

#ifdef __cplusplus
}
#endif

#endif
