/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Entering Xen.
 *
 * Freestanding builds for aarch64 and x86_64 have the instruction built in; a
 * platform's `hypercall` hook goes before it. Hosted builds have the hook
 * only. A hypercall is a full barrier: Xen's entry and exit order everything
 * before it against everything after it on this CPU.
 */
#ifndef XG_HYPERCALL_H
#define XG_HYPERCALL_H

#include <stdint.h>

#include "internal.h"
#include "xen_guest/guest.h"

#if !__STDC_HOSTED__ && (defined(__aarch64__) || defined(__x86_64__))
#define XG_NATIVE_HYPERCALL 1
#else
#define XG_NATIVE_HYPERCALL 0
#endif

#if XG_NATIVE_HYPERCALL && defined(__aarch64__)

/* Operation in x16, arguments and result from x0 on, immediate 0xEA1. Xen may
 * overwrite x16 and every argument register, and reads and writes the memory
 * that the arguments point to. */
static inline intptr_t xg_hypercall_native(uint32_t op, uintptr_t a0,
					   uintptr_t a1, uintptr_t a2,
					   uintptr_t a3, uintptr_t a4)
{
	register uintptr_t x0 __asm__("x0") = a0;
	register uintptr_t x1 __asm__("x1") = a1;
	register uintptr_t x2 __asm__("x2") = a2;
	register uintptr_t x3 __asm__("x3") = a3;
	register uintptr_t x4 __asm__("x4") = a4;
	register uintptr_t x16 __asm__("x16") = op;

	__asm__ volatile("hvc #0xEA1"
			 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3), "+r"(x4),
			   "+r"(x16)
			 :
			 : "memory", "cc");
	return (intptr_t)x0;
}

#elif XG_NATIVE_HYPERCALL && defined(__x86_64__)

/* Operation and result in rax, arguments in rdi, rsi, rdx, r10, r8. Intel and
 * AMD spell the instruction differently, see xg_hypercall_setup(). */
extern bool xg_hypercall_is_vmmcall;

static inline intptr_t xg_hypercall_native(uint32_t op, uintptr_t a0,
					   uintptr_t a1, uintptr_t a2,
					   uintptr_t a3, uintptr_t a4)
{
	uintptr_t rax = op;
	register uintptr_t r10 __asm__("r10") = a3;
	register uintptr_t r8 __asm__("r8") = a4;

	if (xg_hypercall_is_vmmcall)
		__asm__ volatile("vmmcall"
				 : "+a"(rax), "+D"(a0), "+S"(a1), "+d"(a2),
				   "+r"(r10), "+r"(r8)
				 :
				 : "memory", "cc", "rcx", "r11");
	else
		__asm__ volatile("vmcall"
				 : "+a"(rax), "+D"(a0), "+S"(a1), "+d"(a2),
				   "+r"(r10), "+r"(r8)
				 :
				 : "memory", "cc", "rcx", "r11");
	return (intptr_t)rax;
}

#endif

static inline intptr_t xg_hypercall(const struct xg_guest *g, uint32_t op,
				    uintptr_t a0, uintptr_t a1, uintptr_t a2,
				    uintptr_t a3, uintptr_t a4)
{
#if XG_NATIVE_HYPERCALL
	if (!g->platform->hypercall)
		return xg_hypercall_native(op, a0, a1, a2, a3, a4);
#endif
	return g->platform->hypercall(g->context, op, a0, a1, a2, a3, a4);
}

/* Out of line, for those that are not fast anyway; and for those whose result
 * fits. */
intptr_t xg_hypercall_apart(const struct xg_guest *g, uint32_t op, uintptr_t a0,
			    uintptr_t a1, uintptr_t a2);

static inline int xg_hypercall3(const struct xg_guest *g, uint32_t op,
				uintptr_t a0, uintptr_t a1, uintptr_t a2)
{
	return (int)xg_hypercall_apart(g, op, a0, a1, a2);
}

/* The common shape: a sub-operation and its argument structure. */
static inline int xg_hypercall2(const struct xg_guest *g, uint32_t op,
				uint32_t sub_op, void *arg)
{
	return (int)xg_hypercall(g, op, sub_op, (uintptr_t)arg, 0, 0, 0);
}

/* Once, before the first hypercall: -XG_ENOSYS where the platform has no hook
 * and this build no instruction. */
int xg_hypercall_setup(const struct xg_guest *g);

#endif
