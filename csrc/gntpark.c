/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Grants that end when their peer lets go.
 *
 * Each place goes FREE -> CLAIMED (somebody fills it) -> PARKED -> CLAIMED
 * (somebody looks at its grant) -> PARKED or FREE. Whoever changes it to
 * CLAIMED has it alone; release on leaving that state and acquire on entering
 * it hand the contents over.
 */
#include "internal.h"

enum { FREE, PARKED, CLAIMED };

static bool claim(struct xg_parked *place, uint32_t from)
{
	return __atomic_compare_exchange_n(&place->state, &from, CLAIMED, false,
					   __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static void leave(struct xg_parked *place, uint32_t state)
{
	__atomic_store_n(&place->state, state, __ATOMIC_RELEASE);
}

int xg_gnttab_park(struct xg_guest *g, uint32_t gref,
		   void (*release)(void *data), void *data)
{
	struct xg_gnttab *t = &g->gnttab;
	struct xg_parked *place = t->parked;
	int rc;

	if (!release)
		return -XG_EINVAL;
	rc = xg_gnttab_end(g, gref);
	if (!rc)
		release(data);
	if (rc != -XG_EBUSY)
		return rc;
	for (uint32_t i = t->nr_parked; i; i--, place++) {
		if (!claim(place, FREE))
			continue;
		place->gref = gref;
		place->release = release;
		place->data = data;
		__atomic_fetch_add(&t->parked_now, 1, __ATOMIC_RELAXED);
		leave(place, PARKED);
		return 1;
	}
	return -XG_ENOSPC;
}

static void look_at(struct xg_guest *g, struct xg_parked *place)
{
	void (*release)(void *data) = place->release;
	void *data = place->data;

	if (xg_gnttab_end(g, place->gref) == -XG_EBUSY) {
		leave(place, PARKED);
		return;
	}
	__atomic_fetch_sub(&g->gnttab.parked_now, 1, __ATOMIC_RELAXED);
	leave(place, FREE);
	release(data);
}

uint32_t xg_gnttab_reap(struct xg_guest *g, uint32_t budget)
{
	struct xg_gnttab *t = &g->gnttab;

	if (budget > t->nr_parked)
		budget = t->nr_parked;
	for (; budget && __atomic_load_n(&t->parked_now, __ATOMIC_RELAXED);
	     budget--) {
		uint32_t next = __atomic_fetch_add(&t->parked_next, 1,
						   __ATOMIC_RELAXED);
		struct xg_parked *place = &t->parked[next % t->nr_parked];

		if (claim(place, PARKED))
			look_at(g, place);
	}
	return __atomic_load_n(&t->parked_now, __ATOMIC_RELAXED);
}
