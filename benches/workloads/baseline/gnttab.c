/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Grant references in a list, as Linux and Mini-OS keep them. */
#include "gnttab.h"

#define PERMIT_ACCESS 1u
#define READONLY      4u
#define IN_USE	      0x18u /* a peer reads or writes */

static void lock(struct baseline_gnttab *t)
{
	uint32_t open = 0;

	while (!__atomic_compare_exchange_n(&t->lock, &open, 1, false,
					    __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED)) {
		/* Only looking until it is open: the line stays shared. */
		while (__atomic_load_n(&t->lock, __ATOMIC_RELAXED)) {
#if defined(__x86_64__)
			__builtin_ia32_pause();
#endif
		}
		open = 0;
	}
}

static void unlock(struct baseline_gnttab *t)
{
	__atomic_store_n(&t->lock, 0, __ATOMIC_RELEASE);
}

/* In one store, as the library does; theirs are three with a barrier. */
static void publish(struct baseline_gnttab *t, uint32_t gref, uint16_t domid,
		    uint64_t gfn, bool readonly)
{
	uint64_t flags = PERMIT_ACCESS | (readonly ? READONLY : 0);

	__atomic_store_n(&t->entries[gref],
			 flags | (uint64_t)domid << 16 | gfn << 32,
			 __ATOMIC_RELEASE);
}

static int revoke(struct baseline_gnttab *t, uint32_t gref)
{
	typedef uint16_t __attribute__((may_alias)) flags_t;
	flags_t *flags = (flags_t *)&t->entries[gref];
	uint16_t old = __atomic_load_n(flags, __ATOMIC_RELAXED);

	do {
		if (old & IN_USE)
			return -1;
	} while (!__atomic_compare_exchange_n(
		flags, &old, 0, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

uint32_t baseline_grant(struct baseline_gnttab *t, uint16_t domid, uint64_t gfn,
			bool readonly)
{
	uint32_t gref;

	lock(t);
	gref = t->free;
	if (gref) {
		t->free = t->next[gref];
		t->nr_free--;
	}
	unlock(t);
	if (gref)
		publish(t, gref, domid, gfn, readonly);
	return gref;
}

int baseline_end(struct baseline_gnttab *t, uint32_t gref)
{
	if (revoke(t, gref))
		return -1;
	lock(t);
	t->next[gref] = t->free;
	t->free = gref;
	t->nr_free++;
	unlock(t);
	return 0;
}

int baseline_grant_batch(struct baseline_gnttab *t, uint16_t domid,
			 const uint64_t *gfns, uint32_t *grefs, uint32_t count,
			 bool readonly)
{
	lock(t);
	if (t->nr_free < count) {
		unlock(t);
		return -1;
	}
	for (uint32_t i = 0; i < count; i++) {
		grefs[i] = t->free;
		t->free = t->next[t->free];
	}
	t->nr_free -= count;
	unlock(t);
	for (uint32_t i = 0; i < count; i++)
		publish(t, grefs[i], domid, gfns[i], readonly);
	return 0;
}

int baseline_end_batch(struct baseline_gnttab *t, const uint32_t *grefs,
		       uint32_t count)
{
	int rc = 0;

	for (uint32_t i = 0; i < count; i++)
		rc |= revoke(t, grefs[i]);
	/* Nobody has them mapped here: not worth a second list. */
	if (rc)
		return rc;
	lock(t);
	for (uint32_t i = 0; i < count; i++) {
		t->next[grefs[i]] = t->free;
		t->free = grefs[i];
	}
	t->nr_free += count;
	unlock(t);
	return 0;
}
