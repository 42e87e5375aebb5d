/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, sched.h: yielding, waiting and shutting down. */

#ifndef __XEN_PUBLIC_SCHED_H__
#define __XEN_PUBLIC_SCHED_H__

#include "event_channel.h"

/* Commands of __HYPERVISOR_sched_op. */
#define SCHEDOP_yield		0
#define SCHEDOP_block		1
#define SCHEDOP_shutdown	2
#define SCHEDOP_poll		3
#define SCHEDOP_remote_shutdown 4
#define SCHEDOP_shutdown_code	5
#define SCHEDOP_watchdog	6
#define SCHEDOP_pin_override	7

/** SCHEDOP_shutdown, SCHEDOP_shutdown_code. */
struct sched_shutdown {
	/** SHUTDOWN_*. */
	unsigned int reason;
};
typedef struct sched_shutdown sched_shutdown_t;
DEFINE_XEN_GUEST_HANDLE(sched_shutdown_t);

/** SCHEDOP_poll: sleep until one of some ports is pending. */
struct sched_poll {
	/** The ports. */
	XEN_GUEST_HANDLE(evtchn_port_t) ports;
	/** How many. */
	unsigned int nr_ports;
	/** System time at which to give up, or 0 for never. */
	uint64_t timeout;
};
typedef struct sched_poll sched_poll_t;
DEFINE_XEN_GUEST_HANDLE(sched_poll_t);

/** SCHEDOP_remote_shutdown. */
struct sched_remote_shutdown {
	/** Which domain. */
	domid_t domain_id;
	/** SHUTDOWN_*. */
	unsigned int reason;
};
typedef struct sched_remote_shutdown sched_remote_shutdown_t;
DEFINE_XEN_GUEST_HANDLE(sched_remote_shutdown_t);

/** SCHEDOP_watchdog. */
struct sched_watchdog {
	/** Which watchdog; 0 makes a new one. */
	uint32_t id;
	/** Seconds; 0 stops it. */
	uint32_t timeout;
};
typedef struct sched_watchdog sched_watchdog_t;
DEFINE_XEN_GUEST_HANDLE(sched_watchdog_t);

/** SCHEDOP_pin_override. */
struct sched_pin_override {
	/** Physical CPU to stay on; negative ends it. */
	int32_t pcpu;
};
typedef struct sched_pin_override sched_pin_override_t;
DEFINE_XEN_GUEST_HANDLE(sched_pin_override_t);

/* Why a domain shuts down. */
#define SHUTDOWN_poweroff   0
#define SHUTDOWN_reboot	    1
#define SHUTDOWN_suspend    2
#define SHUTDOWN_crash	    3
#define SHUTDOWN_watchdog   4
#define SHUTDOWN_soft_reset 5
#define SHUTDOWN_MAX	    5

#endif /* __XEN_PUBLIC_SCHED_H__ */
