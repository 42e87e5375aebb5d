/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The free grant references: a bitmap with a summary above it.
 *
 * A set bit in `words` is a free reference. A set bit in `summary` says that
 * its word may have a free reference; a clear one is never wrong for long:
 * who finds a word without references clears the summary bit and looks at the
 * word again, and who gives a word its first one sets the word's bit first and
 * the summary bit second, so one of the two leaves it set.
 *
 * `near` is the lowest word with a reference, unless somebody is just changing
 * that. As long as it has two and more, one is taken from there and nothing
 * else is looked at. The lowest free reference goes first: the entries in use
 * stay dense, and the order is the same in every run.
 *
 * No locks: any context, any CPU.
 */
#ifndef XG_GNTREF_H
#define XG_GNTREF_H

#include "atomic.h"
#include "internal.h"

/* The first reference of a word: its distance in bits. */
static inline uint32_t xg_gntref_first(const struct xg_gnttab *t,
				       const uint64_t *word)
{
	uintptr_t bytes = (uintptr_t)word - (uintptr_t)t->words;

	return (uint32_t)bytes * 8;
}

/* One reference of that word where it is simple; otherwise ask
 * xg_gntref_take(). */
static inline bool xg_gntref_take_near(struct xg_gnttab *t,
				       uint64_t *const *hint, uint32_t *gref)
{
	uint64_t *near = __atomic_load_n(hint, __ATOMIC_RELAXED);
	uint64_t word = xg_load(near);
	uint64_t rest = word & (word - 1);

	/* Acquire: the entry is as whoever freed the reference left it. */
	if (!rest ||
	    !__atomic_compare_exchange_n(near, &word, rest, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	*gref = xg_gntref_first(t, near) + xg_first_bit(word);
	return true;
}

/* The same for `count` in a row, 1 to 63. */
static inline bool xg_gntref_take_row(struct xg_gnttab *t, size_t count,
				      uint32_t *gref)
{
	uint64_t *near = __atomic_load_n(&t->near, __ATOMIC_RELAXED);
	uint64_t word = xg_load(near);
	uint64_t row = (UINT64_C(1) << count) - 1, rest;
	uint32_t first;

	if (!word)
		return false;
	first = xg_first_bit(word);
	if (row & ~(word >> first))
		return false;
	rest = word - (row << first);
	if (!__atomic_compare_exchange_n(near, &word, rest, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	*gref = xg_gntref_first(t, near) + first;
	return true;
}

/* The lowest `count` in a row: the first, or -XG_ENOSPC, -XG_ENOSYS. */
int32_t xg_gntref_take(struct xg_guest *g, uint32_t count);

/* Word `w` had no reference, and has now. Returns 0. */
int xg_gntref_announce(struct xg_guest *g, size_t w);

/* References of word `w` that are the caller's: by an addition, which many
 * CPUs do in one step that also tells what was there, and which is the same
 * since none of the bits is set. Returns 0, for callers that end with it. */
static inline int xg_gntref_free(struct xg_guest *g, size_t w, uint64_t bits)
{
	if (!__atomic_fetch_add(&g->gnttab.words[w], bits, __ATOMIC_SEQ_CST))
		return xg_gntref_announce(g, w);
	return 0;
}

/* The same, apart. And for one reference. */
int xg_gntref_free_some(struct xg_guest *g, uint32_t w, uint64_t bits);
int xg_gntref_give(struct xg_guest *g, uint32_t gref);

#endif
