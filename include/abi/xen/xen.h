/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, xen.h: hypercall numbers, domain ids and the shared page. */

#ifndef __XEN_PUBLIC_XEN_H__
#define __XEN_PUBLIC_XEN_H__

#include "xen-compat.h"

#if !defined(__ASSEMBLY__) && !defined(__ASSEMBLER__)
#include <stdint.h>
#endif

#if defined(__x86_64__) || defined(__i386__)
#include "arch-x86/xen.h"
#elif defined(__aarch64__) || defined(__arm__)
#include "arch-arm.h"
#else
#error "Xen does not run on this architecture, or not yet here."
#endif

#if !defined(__ASSEMBLY__) && !defined(__ASSEMBLER__)

DEFINE_XEN_GUEST_HANDLE(char);
__DEFINE_XEN_GUEST_HANDLE(uchar, unsigned char);
DEFINE_XEN_GUEST_HANDLE(int);
__DEFINE_XEN_GUEST_HANDLE(uint, unsigned int);
DEFINE_XEN_GUEST_HANDLE(void);
DEFINE_XEN_GUEST_HANDLE(uint64_t);
DEFINE_XEN_GUEST_HANDLE(xen_pfn_t);
DEFINE_XEN_GUEST_HANDLE(xen_ulong_t);
__DEFINE_XEN_GUEST_HANDLE(uint8, uint8_t);
__DEFINE_XEN_GUEST_HANDLE(uint16, uint16_t);
__DEFINE_XEN_GUEST_HANDLE(uint32, uint32_t);
__DEFINE_XEN_GUEST_HANDLE(uint64, uint64_t);

/* Two steps, so that an argument that is a macro is expanded first. */
#define __xen_mk_uint(x)  x##U
#define __xen_mk_ulong(x) x##UL
#ifndef __xen_mk_ullong
#define __xen_mk_ullong(x) x##ULL
#endif
#define xen_mk_uint(x)	 __xen_mk_uint(x)
#define xen_mk_ulong(x)	 __xen_mk_ulong(x)
#define xen_mk_ullong(x) __xen_mk_ullong(x)

#else

/* The assembler knows no suffixes. */
#define xen_mk_uint(x)	 x
#define xen_mk_ulong(x)	 x
#define xen_mk_ullong(x) x

#endif /* C */

/* Hypercall numbers. */
#define __HYPERVISOR_memory_op	      12
#define __HYPERVISOR_multicall	      13
#define __HYPERVISOR_set_timer_op     15
#define __HYPERVISOR_xen_version      17
#define __HYPERVISOR_console_io	      18
#define __HYPERVISOR_grant_table_op   20
#define __HYPERVISOR_vm_assist	      21
#define __HYPERVISOR_vcpu_op	      24
#define __HYPERVISOR_xsm_op	      27
#define __HYPERVISOR_sched_op	      29
#define __HYPERVISOR_callback_op      30
#define __HYPERVISOR_event_channel_op 32
#define __HYPERVISOR_physdev_op	      33
#define __HYPERVISOR_hvm_op	      34
#define __HYPERVISOR_sysctl	      35
#define __HYPERVISOR_domctl	      36
#define __HYPERVISOR_argo_op	      39
#define __HYPERVISOR_dm_op	      41
#define __HYPERVISOR_hypfs_op	      42

/* Virtual interrupts. */
#define VIRQ_TIMER	0
#define VIRQ_DEBUG	1
#define VIRQ_CONSOLE	2
#define VIRQ_DOM_EXC	3
#define VIRQ_TBUF	4
#define VIRQ_DEBUGGER	6
#define VIRQ_XENOPROF	7
#define VIRQ_CON_RING	8
#define VIRQ_PCPU_STATE 9
#define VIRQ_MEM_EVENT	10
#define VIRQ_ARGO	11
#define VIRQ_ENOMEM	12
#define VIRQ_XENPMU	13
#define VIRQ_ARCH_0	16
#define VIRQ_ARCH_1	17
#define VIRQ_ARCH_2	18
#define VIRQ_ARCH_3	19
#define VIRQ_ARCH_4	20
#define VIRQ_ARCH_5	21
#define VIRQ_ARCH_6	22
#define VIRQ_ARCH_7	23
#define NR_VIRQS	24

/* Commands of __HYPERVISOR_console_io. */
#define CONSOLEIO_write 0
#define CONSOLEIO_read	1

/* Commands and features of __HYPERVISOR_vm_assist. */
#define VMASST_CMD_enable		 0
#define VMASST_CMD_disable		 1
#define VMASST_TYPE_runstate_update_flag 5

/* Domain ids that name something other than one ordinary domain. */
#define DOMID_FIRST_RESERVED xen_mk_uint(0x7FF0)
#define DOMID_SELF	     xen_mk_uint(0x7FF0)
#define DOMID_IO	     xen_mk_uint(0x7FF1)
#define DOMID_XEN	     xen_mk_uint(0x7FF2)
#define DOMID_COW	     xen_mk_uint(0x7FF3)
#define DOMID_INVALID	     xen_mk_uint(0x7FF4)
#define DOMID_IDLE	     xen_mk_uint(0x7FFF)
#define DOMID_MASK	     xen_mk_uint(0x7FFF)

#if !defined(__ASSEMBLY__) && !defined(__ASSEMBLER__)

/** A domain's number; ordinary ones are below DOMID_FIRST_RESERVED. */
typedef uint16_t domid_t;

/** One call of a __HYPERVISOR_multicall batch. */
struct multicall_entry {
	/** Hypercall number in, its result out. */
	xen_ulong_t op, result;
	/** Arguments of the call. */
	xen_ulong_t args[6];
};
typedef struct multicall_entry multicall_entry_t;
DEFINE_XEN_GUEST_HANDLE(multicall_entry_t);

/** How to turn a time stamp counter into nanoseconds since boot. */
struct vcpu_time_info {
	/** Odd while Xen writes; read it before and after the rest. */
	uint32_t version;
	/** Unused. */
	uint32_t pad0;
	/** Counter value at the last update. */
	uint64_t tsc_timestamp;
	/** Nanoseconds since boot at the last update. */
	uint64_t system_time;
	/** Nanoseconds per shifted tick, as a 32-bit fraction. */
	uint32_t tsc_to_system_mul;
	/** Shift of the tick count before the multiplication. */
	int8_t tsc_shift;
	/** XEN_PVCLOCK_*. */
	uint8_t flags;
	/** Unused. */
	uint8_t pad1[2];
};
typedef struct vcpu_time_info vcpu_time_info_t;

/* vcpu_time_info.flags */
#define XEN_PVCLOCK_TSC_STABLE_BIT (1 << 0)
#define XEN_PVCLOCK_GUEST_STOPPED  (1 << 1)

/** What one vCPU shares with Xen. */
struct vcpu_info {
	/** Set by Xen when it delivers; cleared by the guest before a scan. */
	uint8_t evtchn_upcall_pending;
#ifdef XEN_HAVE_PV_UPCALL_MASK
	/** Non-zero: no upcall for now. Paravirtual guests only. */
	uint8_t evtchn_upcall_mask;
#else
	/** Unused. */
	uint8_t pad0;
#endif
	/** One bit per word of shared_info.evtchn_pending that needs a look. */
	xen_ulong_t evtchn_pending_sel;
	/** What the architecture adds. */
	struct arch_vcpu_info arch;
	/** Clock parameters. */
	vcpu_time_info_t time;
};
typedef struct vcpu_info vcpu_info_t;

/** What the domain shares with Xen. */
struct shared_info {
	/** Slots of the first vCPUs; the others register their own. */
	struct vcpu_info vcpu_info[XEN_LEGACY_MAX_VCPUS];
	/** 2-level event channels: one pending bit per port. */
	xen_ulong_t evtchn_pending[sizeof(xen_ulong_t) * 8];
	/** 2-level event channels: one mask bit per port. */
	xen_ulong_t evtchn_mask[sizeof(xen_ulong_t) * 8];
	/** Odd while Xen writes the wall clock. */
	uint32_t wc_version;
	/** Wall-clock time at boot: seconds, low half. */
	uint32_t wc_sec;
	/** Wall-clock time at boot: nanoseconds. */
	uint32_t wc_nsec;
	/** Wall-clock time at boot: seconds, high half. */
	uint32_t wc_sec_hi;
#define xen_wc_sec_hi wc_sec_hi
	/** What the architecture adds. */
	struct arch_shared_info arch;
};
typedef struct shared_info shared_info_t;

/** A domain's UUID. */
typedef uint8_t xen_domain_handle_t[16];

#endif /* C */

#endif /* __XEN_PUBLIC_XEN_H__ */
