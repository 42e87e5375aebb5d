/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, vcpu.h: what a vCPU registers with Xen. */

#ifndef __XEN_PUBLIC_VCPU_H__
#define __XEN_PUBLIC_VCPU_H__

#include "xen.h"

/* Commands of __HYPERVISOR_vcpu_op. */
#define VCPUOP_initialise		      0
#define VCPUOP_up			      1
#define VCPUOP_down			      2
#define VCPUOP_is_up			      3
#define VCPUOP_get_runstate_info	      4
#define VCPUOP_register_runstate_memory_area  5
#define VCPUOP_set_periodic_timer	      6
#define VCPUOP_stop_periodic_timer	      7
#define VCPUOP_set_singleshot_timer	      8
#define VCPUOP_stop_singleshot_timer	      9
#define VCPUOP_register_vcpu_info	      10
#define VCPUOP_send_nmi			      11
#define VCPUOP_get_physid		      12
#define VCPUOP_register_vcpu_time_memory_area 13

/* vcpu_runstate_info.state, and the index into its times. */
#define RUNSTATE_running  0
#define RUNSTATE_runnable 1
#define RUNSTATE_blocked  2
#define RUNSTATE_offline  3

/** Set in state_entry_time while Xen writes, if the guest asked for it. */
#define XEN_RUNSTATE_UPDATE (1ULL << 63)

/** VCPUOP_get_runstate_info: where a vCPU's time went. */
struct vcpu_runstate_info {
	/** RUNSTATE_*. */
	int state;
	/** System time at which that state began. */
	uint64_t state_entry_time;
	/** Nanoseconds spent in each state. */
	uint64_t time[4];
};
typedef struct vcpu_runstate_info vcpu_runstate_info_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_runstate_info_t);

/** VCPUOP_register_runstate_memory_area: keep a copy of it up to date. */
struct vcpu_register_runstate_memory_area {
	/** Where. */
	union {
		XEN_GUEST_HANDLE(vcpu_runstate_info_t) h;
		struct vcpu_runstate_info *v;
		uint64_t p;
	} addr;
};
typedef struct vcpu_register_runstate_memory_area
	vcpu_register_runstate_memory_area_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_register_runstate_memory_area_t);

/** VCPUOP_set_singleshot_timer: one VIRQ_TIMER. */
struct vcpu_set_singleshot_timer {
	/** System time at which it is due. */
	uint64_t timeout_abs_ns;
	/** VCPU_SSHOTTMR_*. */
	uint32_t flags;
};
typedef struct vcpu_set_singleshot_timer vcpu_set_singleshot_timer_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_set_singleshot_timer_t);

/* Refuse a time that has passed. */
#define _VCPU_SSHOTTMR_future (0)
#define VCPU_SSHOTTMR_future  (1U << _VCPU_SSHOTTMR_future)

/** VCPUOP_register_vcpu_info: move vcpu_info to the guest's own memory. */
struct vcpu_register_vcpu_info {
	/** Frame. */
	uint64_t mfn;
	/** Offset in the frame. */
	uint32_t offset;
	/** Unused. */
	uint32_t rsvd;
};
typedef struct vcpu_register_vcpu_info vcpu_register_vcpu_info_t;
DEFINE_XEN_GUEST_HANDLE(vcpu_register_vcpu_info_t);

#endif /* __XEN_PUBLIC_VCPU_H__ */
