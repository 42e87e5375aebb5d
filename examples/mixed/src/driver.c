/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Written for Zephyr's calls, as it would be there. */
#include "driver.h"

#include <zephyr/xen/events.h>
#include <zephyr/xen/gnttab.h>

/* In the event interrupt. */
static void on_ring(void *data)
{
	struct driver *d = data;

	__atomic_fetch_add(&d->rings, 1, __ATOMIC_RELAXED);
}

int driver_start(struct driver *d, uint16_t peer, void *page, unsigned long gfn)
{
	int rc;

	d->rings = 0;
	d->port = alloc_unbound_event_channel(peer);
	if (d->port < 0)
		return d->port;
	rc = bind_event_channel((evtchn_port_t)d->port, on_ring, d);
	if (!rc) {
		d->gref = (int32_t)gnttab_grant_access(peer, gfn, false);
		rc = d->gref < 0 ? d->gref : 0;
	}
	if (rc) {
		evtchn_close((evtchn_port_t)d->port);
		return rc;
	}
	/* What is before it in the page is there when the peer sees it. */
	__atomic_store_n((uint32_t *)page, (uint32_t)d->port, __ATOMIC_RELEASE);
	return 0;
}

int driver_stop(struct driver *d)
{
	int rc = gnttab_end_access((grant_ref_t)d->gref);

	return rc ? rc : evtchn_close((evtchn_port_t)d->port);
}
