/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, arch-arm.h: what is particular to 32-bit and 64-bit Arm. */

#ifndef __XEN_PUBLIC_ARCH_ARM_H__
#define __XEN_PUBLIC_ARCH_ARM_H__

/** Immediate operand of the `hvc` instruction that enters Xen. */
#define XEN_HYPERCALL_TAG 0XEA1

#if !defined(__ASSEMBLY__) && !defined(__ASSEMBLER__)

/* Eight-byte alignment even where the 32-bit compiler would choose four. */
#define int64_aligned_t	 int64_t __attribute__((__aligned__(8)))
#define uint64_aligned_t uint64_t __attribute__((__aligned__(8)))

/*
 * A handle is a guest virtual address. Inside structures it always takes 64
 * bits, so that 32-bit and 64-bit guests share one layout; as a hypercall
 * argument it takes one register.
 */
#define ___DEFINE_XEN_GUEST_HANDLE(name, type)                                 \
	typedef union {                                                        \
		type *p;                                                       \
		unsigned long q;                                               \
	} __guest_handle_##name;                                               \
	typedef union {                                                        \
		type *p;                                                       \
		uint64_aligned_t q;                                            \
	} __guest_handle_64_##name

#define __DEFINE_XEN_GUEST_HANDLE(name, type)                                  \
	___DEFINE_XEN_GUEST_HANDLE(name, type);                                \
	___DEFINE_XEN_GUEST_HANDLE(const_##name, const type)
#define DEFINE_XEN_GUEST_HANDLE(name) __DEFINE_XEN_GUEST_HANDLE(name, name)
#define __XEN_GUEST_HANDLE(name)      __guest_handle_64_##name
#define XEN_GUEST_HANDLE(name)	      __XEN_GUEST_HANDLE(name)
#define XEN_GUEST_HANDLE_PARAM(name)  __guest_handle_##name

/* The whole word is cleared first: a 32-bit pointer fills only half of it. */
#define set_xen_guest_handle_raw(hnd, val)                                     \
	do {                                                                   \
		__typeof__(&(hnd)) _sxghr_tmp = &(hnd);                        \
		_sxghr_tmp->q = 0;                                             \
		_sxghr_tmp->p = (val);                                         \
	} while (0)
#define set_xen_guest_handle(hnd, val) set_xen_guest_handle_raw(hnd, val)

/** A frame number; 64 bits on either Arm. */
typedef uint64_t xen_pfn_t;
#define PRI_xen_pfn  PRIx64
#define PRIu_xen_pfn PRIu64

/** Xen's machine word; 64 bits on either Arm. */
typedef uint64_t xen_ulong_t;
#define PRI_xen_ulong PRIx64

/** How many vcpu_info slots the shared page itself holds. */
#define XEN_LEGACY_MAX_VCPUS 1

/*
 * Arm adds nothing to either structure. C++ would make an empty structure one
 * byte and thereby move every later member, so there it gets an array of none.
 */
#ifdef __cplusplus
#define XEN_ABI_EMPTY char none[0];
#else
#define XEN_ABI_EMPTY
#endif
/** Per-vCPU data particular to the architecture: none. */
__extension__ struct arch_vcpu_info {
	XEN_ABI_EMPTY
};
typedef struct arch_vcpu_info arch_vcpu_info_t;

/** Per-domain data particular to the architecture: none. */
__extension__ struct arch_shared_info {
	XEN_ABI_EMPTY
};
typedef struct arch_shared_info arch_shared_info_t;
#undef XEN_ABI_EMPTY

/** Address of a callback entry point. */
typedef uint64_t xen_callback_t;

#endif /* C */

#endif /* __XEN_PUBLIC_ARCH_ARM_H__ */
