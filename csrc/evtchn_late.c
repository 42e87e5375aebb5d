/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Late end of event: a port stays masked from the call of its handler until
 * the work is done. The port is in its group's `held` set for that time.
 */
#include "evtchn_abi.h"

/* The first event without work is everyday: a peer may signal twice for work
 * that one look found. */
#define FREE_OF_CHARGE 1
#define MAX_DELAY_MS   1000

static uint8_t *idle_count(struct xg_guest *g, uint32_t port)
{
	return &xg_group_of(g, port)->idle[port % XG_WORD_BITS];
}

int xg_evtchn_set_late(struct xg_guest *g, uint32_t port, bool late)
{
	struct xg_port_group *group;
	int rc;

	if (!xg_port_open(g, port))
		return -XG_EINVAL;
	group = xg_group_of(g, port);
	if (late) {
		xg_set_bits(&group->late, xg_bit(port));
		return 0;
	}
	/* Before `held` is read: xg_evtchn_hold(). */
	xg_clear_bits(&group->late, xg_bit(port));
	*idle_count(g, port) = 0;
	if (!(xg_load_seq(&group->held) & xg_bit(port)))
		return 0;
	rc = xg_evtchn_release(g, port);
	/* The upcall, or somebody's done, was there first. */
	return rc == -XG_EINVAL ? 0 : rc;
}

/*
 * `held` is set, then the mask bit, then `late` and `held` are read again.
 * xg_evtchn_set_late() clears `late` before it reads `held`, and who ends a
 * hold clears `held` before the mask bit. So of two at the same time one sees
 * the other: no hold is left that nobody ends, and no mask bit without one.
 *
 * A port that is held already is masked, but for an unmask under way that
 * began before the hold. What came through then waits like the rest.
 */
bool xg_evtchn_hold(struct xg_guest *g, uint32_t port)
{
	struct xg_port_group *group = xg_group_of(g, port);

	if (xg_set_bits(&group->held, xg_bit(port)) & xg_bit(port)) {
		xg_evtchn_put_back(g, port);
		return false;
	}
	g->evtchn.ops->mask(g, port);
	if (!(xg_load_seq(&group->late) & xg_bit(port)))
		xg_clear_bits(&group->held, xg_bit(port));
	if (!(xg_load_seq(&group->held) & xg_bit(port)))
		xg_evtchn_settle(g, port);
	return true;
}

int xg_evtchn_release(struct xg_guest *g, uint32_t port)
{
	struct xg_port_group *group;
	int rc;

	if (!xg_port_open(g, port))
		return -XG_EINVAL;
	group = xg_group_of(g, port);
	if (!(xg_clear_bits(&group->held, xg_bit(port)) & xg_bit(port)))
		return -XG_EINVAL;
	rc = xg_evtchn_settle(g, port);
	if (rc)
		xg_set_bits(&group->held, xg_bit(port));
	return rc;
}

/* 0, then 1, 2, 4 ... MAX_DELAY_MS. */
static int delay_after(uint8_t idle)
{
	uint32_t doublings = idle - FREE_OF_CHARGE - 1u;

	if (idle <= FREE_OF_CHARGE)
		return 0;
	return doublings < 10 ? 1 << doublings : MAX_DELAY_MS;
}

int xg_evtchn_done(struct xg_guest *g, uint32_t port, bool worked)
{
	uint8_t *idle;
	int delay;

	if (!xg_port_open(g, port) ||
	    !(xg_load(&xg_group_of(g, port)->held) & xg_bit(port)))
		return -XG_EINVAL;
	idle = idle_count(g, port);
	if (worked)
		*idle = 0;
	else if (*idle < UINT8_MAX)
		++*idle;
	delay = delay_after(*idle);
	return delay ? delay : xg_evtchn_release(g, port);
}
