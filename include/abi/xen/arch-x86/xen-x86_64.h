/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, arch-x86/xen-x86_64.h: what is particular to 64-bit x86. */

#ifndef __XEN_PUBLIC_ARCH_X86_XEN_X86_64_H__
#define __XEN_PUBLIC_ARCH_X86_XEN_X86_64_H__

#if !defined(__ASSEMBLY__) && !defined(__ASSEMBLER__)

/** Per-vCPU data particular to the architecture. */
struct arch_vcpu_info {
	/** Faulting address, for paravirtual guests. */
	unsigned long cr2;
	/** Fills vcpu_info up to 64 bytes. */
	unsigned long pad;
};
typedef struct arch_vcpu_info arch_vcpu_info_t;

/** Address of a callback entry point. */
typedef unsigned long xen_callback_t;

#endif /* C */

#endif /* __XEN_PUBLIC_ARCH_X86_XEN_X86_64_H__ */
