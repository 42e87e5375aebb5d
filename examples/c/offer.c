/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include <xen_guest/guest.h>
#define __XEN_INTERFACE_VERSION__ 0x00040e00
#include <xen/xen.h> /* Xen's own, or the one in include/abi */

/* Runs in the event interrupt. */
static void on_event(void *count)
{
	__atomic_add_fetch((uint32_t *)count, 1, __ATOMIC_RELAXED);
}

/* Grant a new page to `peer`, with our port in it. A reference, or an error. */
int32_t offer(struct xg_guest *g, domid_t peer, void **page, uint32_t *events)
{
	int port = xg_evtchn_alloc_unbound(g, DOMID_SELF, peer);
	int32_t gref = port;

	if (gref > 0)
		gref = xg_evtchn_bind(g, (uint32_t)port, on_event, events);
	if (gref == 0)
		gref = xg_gnttab_alloc_and_grant(g, peer, page, false);
	if (gref < 0 && port > 0)
		xg_evtchn_close(g, (uint32_t)port);
	if (gref > 0)
		__atomic_store_n((uint32_t *)*page, (uint32_t)port,
				 __ATOMIC_RELEASE);
	return gref;
}
