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
	struct xg_port_slot *slot = xg_port_open(g, port);

	if (!slot)
		return -XG_EINVAL;
	if (late) {
		xg_port_set(slot, XG_PORT_LATE);
		return 0;
	}
	slot->idle = 0;
	return xg_evtchn_change(g, port, XG_PORT_OPEN,
				XG_PORT_LATE | XG_PORT_HELD, 0);
}

int xg_evtchn_release(struct xg_guest *g, uint32_t port)
{
	return xg_evtchn_change(g, port, XG_PORT_OPEN | XG_PORT_HELD,
				XG_PORT_HELD, 0);
}

/* 0, then 1, 2, 4 ... MAX_DELAY_MS. */
static int delay_after(uint32_t idle)
{
	uint32_t doublings = idle - FREE_OF_CHARGE - 1;

	if (idle <= FREE_OF_CHARGE)
		return 0;
	return doublings < 10 ? 1 << doublings : MAX_DELAY_MS;
}

int xg_evtchn_done(struct xg_guest *g, uint32_t port, bool worked)
{
	struct xg_port_slot *slot = xg_port_open(g, port);
	int delay;

	if (!slot || !(xg_port_state(slot) & XG_PORT_HELD))
		return -XG_EINVAL;
	slot->idle = worked ? 0 : slot->idle + 1;
	delay = delay_after(slot->idle);
	return delay ? delay : xg_evtchn_release(g, port);
}
