/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Grant references where it is not simple: searching, and new ones. */
#include "gntref.h"

#include "gntv2.h"

static uint32_t words_per_frame(const struct xg_gnttab *t)
{
	return xg_grants_per_frame(t) / XG_WORD_BITS;
}

static uint32_t nr_words(const struct xg_gnttab *t)
{
	/* Acquire: pairs with the release when the table grows. */
	return __atomic_load_n(&t->frames, __ATOMIC_ACQUIRE) *
	       words_per_frame(t);
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

void xg_gntref_add(struct xg_gnttab *t, uint32_t first, uint32_t end)
{
	first *= words_per_frame(t);
	end *= words_per_frame(t);
	for (uint32_t w = first; w < end; w++) {
		uint32_t i = w ? 0 : XG_GRANT_RESERVED;
		uint64_t bits = ~UINT64_C(0) << i, flags = 0;

		for (; i < XG_WORD_BITS; i++) {
			uint32_t gref = w * XG_WORD_BITS + i;

			flags |= xg_gntv2(t) ? xg_gntv2_left(t, gref)
					     : xg_load(&t->entries[gref]);
		}
		/* The flags are the low 16 bits. Not 0: a peer may still use
		 * what earlier firmware granted. Such words are left alone: a
		 * bit for each tells those grants from this guest's. */
		if (flags & 0xffff)
			xg_set_bits(&t->left[w / XG_WORD_BITS], xg_bit(w));
		else
			xg_gntref_free_some(t, w, bits);
	}
}

/* With version 2 it stays `none`. */
static void set_near(struct xg_gnttab *t, uint64_t *word)
{
	if (!xg_gntv2(t))
		__atomic_store_n(&t->near, word, __ATOMIC_RELAXED);
}

int xg_gntref_announce(struct xg_gnttab *t, size_t at)
{
	uint32_t w = (uint32_t)at;
	uint64_t *word = &t->words[w];

	if (is_left(t, w)) {
		__atomic_store_n(word, 0, __ATOMIC_RELAXED);
		return 0;
	}
	xg_set_bits(&t->summary[w / XG_WORD_BITS], xg_bit(w));
	if ((uintptr_t)word <
	    (uintptr_t)__atomic_load_n(&t->near, __ATOMIC_RELAXED))
		set_near(t, word);
	return 0;
}

XG_SLOW void xg_gntref_free_some(struct xg_gnttab *t, uint32_t w, uint64_t bits)
{
	if (bits)
		xg_gntref_free(t, w, bits);
}

XG_SLOW int xg_gntref_give(struct xg_gnttab *t, uint32_t gref)
{
	xg_gntref_free_some(t, gref / XG_WORD_BITS, xg_bit(gref));
	return 0;
}

/* Take a reference, if it is free. */
static XG_SLOW bool take(struct xg_gnttab *t, uint32_t gref)
{
	uint32_t w = gref / XG_WORD_BITS;
	uint64_t *summary = &t->summary[w / XG_WORD_BITS];
	uint64_t word = xg_clear_bits(&t->words[w], xg_bit(gref));

	if (word == xg_bit(gref)) {
		/* It was the word's last. */
		xg_clear_bits(summary, xg_bit(w));
		if (xg_load_seq(&t->words[w]))
			xg_set_bits(summary, xg_bit(w));
	}
	return word & xg_bit(gref);
}

/* The lowest of word `w`, or 0. */
static uint32_t take_from(struct xg_gnttab *t, uint32_t w)
{
	uint64_t word;

	while ((word = word_of(t, w))) {
		uint32_t gref = w * XG_WORD_BITS + xg_first_bit(word);

		if (!take(t, gref))
			continue;
		set_near(t, &t->words[w]);
		return gref;
	}
	return 0;
}

uint32_t xg_gntref_take(struct xg_gnttab *t)
{
	uint32_t words = nr_words(t);
	uint32_t gref = 0;

	for (uint32_t base = 0; base < words && !gref; base += XG_WORD_BITS) {
		uint64_t summary = xg_load(&t->summary[base / XG_WORD_BITS]);

		for (; summary && !gref; summary &= summary - 1)
			gref = take_from(t, base + xg_first_bit(summary));
	}
	/* While somebody is between clearing a summary bit and looking again,
	 * the last free references may be behind it. */
	for (uint32_t w = 0; w < words && !gref; w++)
		gref = take_from(t, w);
	return gref;
}

uint32_t xg_gntref_take_run(struct xg_gnttab *t, uint32_t count)
{
	uint32_t refs = nr_words(t) * XG_WORD_BITS;
	uint32_t first = 0; /* of the free run that goes on to here */

	for (uint32_t here = 0; here < refs; here++) {
		uint32_t n = 0;

		if (!(word_of(t, here / XG_WORD_BITS) & xg_bit(here))) {
			first = here + 1;
			continue;
		}
		if (here + 1 - first < count)
			continue;
		while (n < count && take(t, first + n))
			n++;
		if (n == count)
			return first;
		/* Somebody else took from it meanwhile: it is left alone, and
		 * the search goes on behind it. */
		while (n--)
			xg_gntref_give(t, first + n);
		first = here + 1;
	}
	return 0;
}

uint32_t xg_gnttab_in_use(const struct xg_guest *g)
{
	const struct xg_gnttab *t = &g->gnttab;
	uint32_t words = nr_words(t), used = 0;

	for (uint32_t w = 0; w < words; w++) {
		uint64_t taken = ~xg_load_seq(&t->words[w]);

		if (!w)
			taken &= ~UINT64_C(0) << XG_GRANT_RESERVED;
		if (!is_left(t, w))
			for (; taken; taken &= taken - 1)
				used++;
	}
	return used;
}
