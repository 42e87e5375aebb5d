/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The guest that calls without a guest argument act on. */
#include "xen_guest/guest.h"

#if __STDC_HOSTED__
/* Several domains can live in one process, each with threads of its own. */
static _Thread_local struct xg_guest *current;
#else
static struct xg_guest *current;
#endif

struct xg_guest *xg_current(void)
{
	return current;
}

void xg_set_current(struct xg_guest *g)
{
	current = g;
}
