/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Grant references where it is not simple: searching, and new ones. */
#include "gntref.h"

#include "gntv2.h"

/* References in the frames mapped so far. */
static uint32_t nr_refs(const struct xg_gnttab *t, uint32_t *frames)
{
	/* Acquire: pairs with the release when the table grows. */
	*frames = __atomic_load_n(&t->frames, __ATOMIC_ACQUIRE);
	return *frames * xg_grants_per_frame(t);
}

/* Did earlier firmware leave grants in that word? */
static bool is_left(const struct xg_gnttab *t, uint32_t w)
{
	return xg_load(&t->left[w / XG_WORD_BITS]) & xg_bit(w);
}

static uint64_t word_of(const struct xg_gnttab *t, uint32_t w)
{
	/* One that is just being ended there is not to be had. */
	return is_left(t, w) ? 0 : xg_load(&t->words[w]);
}

/* With version 2 `near` stays `none`, and another is in its place. */
static uint64_t **near_of(struct xg_gnttab *t)
{
	return xg_gntv2(t) ? &t->near_v2 : &t->near;
}

static void set_near(struct xg_gnttab *t, uint64_t *word)
{
	__atomic_store_n(near_of(t), word, __ATOMIC_RELAXED);
}

int xg_gntref_announce(struct xg_guest *g, size_t at)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t w = (uint32_t)at;
	uint64_t *word = &t->words[w];

	if (is_left(t, w)) {
		__atomic_store_n(word, 0, __ATOMIC_RELAXED);
		return 0;
	}
	xg_set_bits(&t->summary[w / XG_WORD_BITS], xg_bit(w));
	if ((uintptr_t)word <
	    (uintptr_t)__atomic_load_n(near_of(t), __ATOMIC_RELAXED))
		set_near(t, word);
	return 0;
}

XG_SLOW int xg_gntref_free_some(struct xg_guest *g, uint32_t w, uint64_t bits)
{
	return xg_gntref_free(g, w, bits);
}

/* Take a reference, if it is free. */
static bool take(struct xg_gnttab *t, uint32_t gref)
{
	uint64_t *word = &t->words[gref / XG_WORD_BITS];

	return xg_clear_bits(word, xg_bit(gref)) & xg_bit(gref);
}

XG_SLOW int xg_gntref_give(struct xg_guest *g, uint32_t gref)
{
	return xg_gntref_free_some(g, gref / XG_WORD_BITS, xg_bit(gref));
}

/* Word `w` had no reference: its summary bit goes, unless it has one now. */
static void retire(struct xg_guest *g, uint32_t w)
{
	struct xg_gnttab *t = &g->gnttab;

	xg_clear_bits(&t->summary[w / XG_WORD_BITS], xg_bit(w));
	if (xg_load_seq(&t->words[w]))
		xg_gntref_announce(g, w);
}

/* The lowest `count` free references in a row of [here, end): the first, or
 * 0. */
static XG_SLOW uint32_t take_from(struct xg_guest *g, uint32_t here,
				  uint32_t end, uint32_t count)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t first = here; /* of the free run that goes on to here */

	do {
		uint32_t w = here / XG_WORD_BITS, n = 0;
		uint64_t word = word_of(t, w);

		if (!word)
			retire(g, w);
		word >>= here % XG_WORD_BITS;
		if (!(word & 1)) {
			here = word ? here + xg_first_bit(word)
				    : (w + 1) * XG_WORD_BITS;
			first = here;
			continue;
		}
		here++;
		if (here - first < count)
			continue;
		while (take(t, first + n))
			if (++n == count)
				return first;
		/* Somebody else took from it meanwhile. */
		while (n)
			xg_gntref_give(g, first + --n);
		first -= first % XG_WORD_BITS;
		here = first;
	} while (here < end);
	return 0;
}

/* To the lowest word that has its summary bit: its first reference. Without
 * one it stays where it is: no word of earlier firmware's, where several that
 * are ended at once are there for a moment. */
static uint32_t move_near(struct xg_gnttab *t)
{
	for (uint32_t i = 0; i < sizeof(t->summary) / sizeof(*t->summary);
	     i++) {
		uint64_t summary = xg_load(&t->summary[i]);

		if (summary) {
			uint32_t w = i * XG_WORD_BITS + xg_first_bit(summary);

			set_near(t, &t->words[w]);
			return w * XG_WORD_BITS;
		}
	}
	return 0;
}

int32_t xg_gntref_take(struct xg_guest *g, uint32_t count)
{
	struct xg_gnttab *t = &g->gnttab;
	uint32_t here = 0, gref, frames;

	if (!t->max_frames)
		return -XG_ENOSYS;
	if (count == 1) {
		if (xg_gntref_take_near(t, near_of(t), &gref))
			return (int32_t)gref;
		here = move_near(t);
	}
	do {
		uint32_t refs = nr_refs(t, &frames);

		gref = take_from(g, here, refs, count);
		/* While somebody is between clearing a summary bit and looking
		 * again, the last free references may be behind it. */
		if (!gref)
			gref = take_from(g, 0, refs, count);
		if (gref)
			return (int32_t)gref;
	} while (!xg_gnttab_grow(g, frames));
	return -XG_ENOSPC;
}

uint32_t xg_gnttab_in_use(const struct xg_guest *g)
{
	const struct xg_gnttab *t = &g->gnttab;
	uint32_t frames, w = nr_refs(t, &frames) / XG_WORD_BITS, used = 0;

	while (w--) {
		uint64_t taken = ~xg_load_seq(&t->words[w]);

		if (!w)
			taken &= ~UINT64_C(0) << XG_GRANT_RESERVED;
		if (!is_left(t, w))
			for (; taken; taken &= taken - 1)
				used++;
	}
	return used;
}
