/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, arch-x86/xen.h: what is particular to x86. */

#ifndef __XEN_PUBLIC_ARCH_X86_XEN_H__
#define __XEN_PUBLIC_ARCH_X86_XEN_H__

/* The word size below is the 64-bit guest's. */
#ifndef __x86_64__
#error "On x86 only x86_64 is described."
#endif

/* A handle is a guest virtual address, wrapped so that types do not mix. */
#define ___DEFINE_XEN_GUEST_HANDLE(name, type)                                 \
	typedef struct {                                                       \
		type *p;                                                       \
	} __guest_handle_##name
#define __DEFINE_XEN_GUEST_HANDLE(name, type)                                  \
	___DEFINE_XEN_GUEST_HANDLE(name, type);                                \
	___DEFINE_XEN_GUEST_HANDLE(const_##name, const type)
#define DEFINE_XEN_GUEST_HANDLE(name) __DEFINE_XEN_GUEST_HANDLE(name, name)
#define __XEN_GUEST_HANDLE(name)      __guest_handle_##name
#define XEN_GUEST_HANDLE(name)	      __XEN_GUEST_HANDLE(name)
#define XEN_GUEST_HANDLE_PARAM(name)  XEN_GUEST_HANDLE(name)
#define set_xen_guest_handle_raw(hnd, val)                                     \
	do {                                                                   \
		(hnd).p = (val);                                               \
	} while (0)
#define set_xen_guest_handle(hnd, val) set_xen_guest_handle_raw(hnd, val)

#include "xen-x86_64.h"

/** vcpu_info has a byte that masks the upcall. */
#define XEN_HAVE_PV_UPCALL_MASK 1

/** How many vcpu_info slots the shared page itself holds. */
#define XEN_LEGACY_MAX_VCPUS 32

#if !defined(__ASSEMBLY__) && !defined(__ASSEMBLER__)

/** A frame number. */
typedef unsigned long xen_pfn_t;
#define PRI_xen_pfn  "lx"
#define PRIu_xen_pfn "lu"

/** Xen's machine word. */
typedef unsigned long xen_ulong_t;
#define PRI_xen_ulong "lx"

/** Per-domain data particular to the architecture; for paravirtual guests. */
struct arch_shared_info {
	/** Highest frame number in the translation table. */
	unsigned long max_pfn;
	/** Frame that lists the frames of the translation table's frames. */
	xen_pfn_t pfn_to_mfn_frame_list_list;
	/** Why the last non-maskable interrupt came. */
	unsigned long nmi_reason;
	/** Page-table root of a linear translation table, or 0. */
	unsigned long p2m_cr3;
	/** Virtual address of that table. */
	unsigned long p2m_vaddr;
	/** Counts changes of that table; odd while one is under way. */
	unsigned long p2m_generation;
};
typedef struct arch_shared_info arch_shared_info_t;

#endif /* C */

#endif /* __XEN_PUBLIC_ARCH_X86_XEN_H__ */
