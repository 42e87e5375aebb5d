/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "hypercall.h"

#include <stdbool.h>

#if XG_NATIVE_HYPERCALL && defined(__x86_64__)

bool xg_hypercall_is_vmmcall;

static bool cpu_is_amd(void)
{
	uint32_t eax = 0, ebx, ecx, edx;

	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "=c"(ecx), "=d"(edx));
	/* "AuthenticAMD" and "HygonGenuine", by their first four letters. */
	return ebx == 0x68747541u || ebx == 0x6f677948u;
}

#endif

intptr_t xg_hypercall_apart(const struct xg_guest *g, uint32_t op, uintptr_t a0,
			    uintptr_t a1, uintptr_t a2)
{
	return xg_hypercall(g, op, a0, a1, a2, 0, 0);
}

int xg_hypercall_setup(const struct xg_guest *g)
{
#if XG_NATIVE_HYPERCALL
#if defined(__x86_64__)
	xg_hypercall_is_vmmcall = cpu_is_amd();
#endif
	(void)g;
	return 0;
#else
	return g->platform->hypercall ? 0 : -XG_ENOSYS;
#endif
}
