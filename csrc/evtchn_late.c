/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Late end of event: a port stays masked from the call of its handler until
 * the work is done. XG_PORT_HELD is set for that time.
 */
#include "evtchn_port.h"

/* The first event without work is everyday: a peer may signal twice for work
 * that one look found. */
#define FREE_OF_CHARGE 1
#define MAX_DELAY_MS   1000

int xg_evtchn_set_late(struct xg_guest *g, uint32_t port, bool late)
{
	return xg_evtchn_change(g, port, XG_PORT_OPEN,
				late ? 0 : XG_PORT_LATE | XG_PORT_HELD,
				late ? XG_PORT_LATE : 0);
}

int xg_evtchn_release(struct xg_guest *g, uint32_t port)
{
	return xg_evtchn_change(g, port, XG_PORT_OPEN | XG_PORT_HELD,
				XG_PORT_HELD, 0);
}

int xg_evtchn_done(struct xg_guest *g, uint32_t port, bool worked)
{
	struct xg_port_slot *slot = xg_port_slot(g, port);
	uint32_t idle;

	if (!slot || !(xg_port_state(slot) & XG_PORT_HELD))
		return -XG_EINVAL;
	idle = slot->idle + 1;
	if (worked)
		idle = 0;
	slot->idle = idle;
	if (idle <= FREE_OF_CHARGE)
		return xg_evtchn_release(g, port);
	/* 1, 2, 4 ... */
	idle -= FREE_OF_CHARGE + 1;
	return idle < 10 ? 1 << idle : MAX_DELAY_MS;
}
