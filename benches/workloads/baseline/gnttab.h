/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The well-known way to keep grant references, to compare with: a free list
 * through an array, under a lock that keeps interrupts off. Here that is a
 * spin lock by compare-and-swap, and the entries are all there is to it: no
 * growth, no checks of what the caller passes.
 */
#ifndef BASELINE_GNTTAB_H
#define BASELINE_GNTTAB_H

#include <stdbool.h>
#include <stdint.h>

struct baseline_gnttab {
	uint64_t *entries; /* version 1 */
	uint32_t *next;	   /* of each free reference */
	uint32_t free;	   /* the first, or 0 */
	uint32_t nr_free;
	uint32_t lock;
};

/* The reference, or 0. */
uint32_t baseline_grant(struct baseline_gnttab *t, uint16_t domid, uint64_t gfn,
			bool readonly);

/* 0, or -1: in use. */
int baseline_end(struct baseline_gnttab *t, uint32_t gref);

/* The same for several, whose references are taken, and given back, in one
 * hold of the lock. */
int baseline_grant_batch(struct baseline_gnttab *t, uint16_t domid,
			 const uint64_t *gfns, uint32_t *grefs, uint32_t count,
			 bool readonly);
int baseline_end_batch(struct baseline_gnttab *t, const uint32_t *grefs,
		       uint32_t count);

#endif
