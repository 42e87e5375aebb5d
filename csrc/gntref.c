/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The free grant references: a bitmap with a summary above it.
 *
 * A set bit in `words` is a free reference. A set bit in `summary` says that
 * its word may have a free reference; a clear one is never wrong for long:
 * who takes a word's last reference clears the summary bit and looks at the
 * word again, and who frees sets the word's bit first and the summary bit
 * second, so one of the two leaves it set. Both are sequentially consistent.
 *
 * The lowest free reference goes first: the entries in use stay dense, and
 * the order is the same in every run. No locks: any context, any CPU.
 */
#include "atomic.h"
#include "internal.h"

static uint32_t nr_words(const struct xg_gnttab *t)
{
	return xg_gnttab_refs(t) / XG_WORD_BITS;
}

void xg_gntref_add(struct xg_gnttab *t, uint32_t first, uint32_t end)
{
	uint32_t words = XG_GRANTS_PER_FRAME / XG_WORD_BITS;

	for (uint32_t w = first * words; w < end * words; w++) {
		uint64_t bits = 0;

		for (uint32_t i = 0; i < XG_WORD_BITS; i++) {
			uint64_t entry =
				xg_load(&t->entries[w * XG_WORD_BITS + i]);

			/* The flags are the low 16 bits. Not 0: granted by
			 * earlier firmware, and a peer may still use it. */
			if (!(entry & 0xffff))
				bits |= xg_bit(i);
		}
		if (!w)
			bits &= ~(xg_bit(XG_GRANT_RESERVED) - 1);
		__atomic_store_n(&t->words[w], bits, __ATOMIC_RELAXED);
	}
}

void xg_gntref_announce(struct xg_gnttab *t, uint32_t first, uint32_t end)
{
	uint32_t words = XG_GRANTS_PER_FRAME / XG_WORD_BITS;

	for (uint32_t w = first * words; w < end * words; w++)
		if (xg_load(&t->words[w]))
			xg_set_bits(&t->summary[w / XG_WORD_BITS], xg_bit(w));
}

/* A word's last references were taken. */
static void summarise(struct xg_gnttab *t, uint32_t w)
{
	uint64_t *summary = &t->summary[w / XG_WORD_BITS];

	xg_clear_bits(summary, xg_bit(w));
	if (xg_load_seq(&t->words[w]))
		xg_set_bits(summary, xg_bit(w));
}

/* Take `bits` of a word, if all of them are free. */
static bool take_exactly(struct xg_gnttab *t, uint32_t w, uint64_t bits)
{
	uint64_t word = xg_load(&t->words[w]);

	do {
		if (bits & ~word)
			return false;
	} while (!__atomic_compare_exchange_n(&t->words[w], &word, word & ~bits,
					      false, __ATOMIC_SEQ_CST,
					      __ATOMIC_RELAXED));
	if (word == bits)
		summarise(t, w);
	return true;
}

/* The lowest `most` free references of word `w`, or all it has. */
static bool take_from(struct xg_gnttab *t, uint32_t w, uint32_t most,
		      struct xg_refs *refs)
{
	uint64_t word = xg_load(&t->words[w]);

	while (word) {
		uint64_t rest = word & (word - 1);

		for (uint32_t n = 1; n < most && rest; n++)
			rest &= rest - 1;
		if (!__atomic_compare_exchange_n(&t->words[w], &word, rest,
						 false, __ATOMIC_SEQ_CST,
						 __ATOMIC_RELAXED))
			continue;
		if (!rest)
			summarise(t, w);
		refs->base = w * XG_WORD_BITS;
		refs->bits = word & ~rest;
		return true;
	}
	return false;
}

/* While somebody is between clearing a summary bit and looking again, the
 * last free references may be behind it. */
static bool take_without_summary(struct xg_gnttab *t, uint32_t most,
				 struct xg_refs *refs)
{
	uint32_t words = nr_words(t);

	for (uint32_t w = 0; w < words; w++)
		if (take_from(t, w, most, refs))
			return true;
	return false;
}

bool xg_gntref_take(struct xg_gnttab *t, uint32_t most, struct xg_refs *refs)
{
	uint32_t words = nr_words(t);

	for (uint32_t base = 0; base < words; base += XG_WORD_BITS) {
		uint64_t summary = xg_load(&t->summary[base / XG_WORD_BITS]);

		for (; summary; summary &= summary - 1) {
			uint32_t w = base + xg_first_bit(summary);

			if (take_from(t, w, most, refs))
				return true;
		}
	}
	return take_without_summary(t, most, refs);
}

/* The bits of word `w` in [first, end). */
static uint64_t bits_in(uint32_t w, uint32_t first, uint32_t end)
{
	uint32_t from = w * XG_WORD_BITS;
	uint64_t bits = ~UINT64_C(0);

	if (first > from)
		bits <<= first - from;
	if (end < from + XG_WORD_BITS)
		bits &= ~(~UINT64_C(0) << (end - from));
	return bits;
}

/* All of [first, end), or none. */
static bool take_range(struct xg_gnttab *t, uint32_t first, uint32_t end)
{
	uint32_t w = first / XG_WORD_BITS;

	for (; w * XG_WORD_BITS < end; w++) {
		if (take_exactly(t, w, bits_in(w, first, end)))
			continue;
		while (w-- > first / XG_WORD_BITS)
			for (uint64_t bits = bits_in(w, first, end); bits;
			     bits &= bits - 1)
				xg_gntref_free(t, w * XG_WORD_BITS +
							  xg_first_bit(bits));
		return false;
	}
	return true;
}

uint32_t xg_gntref_take_run(struct xg_gnttab *t, uint32_t count)
{
	uint32_t words = nr_words(t);
	uint32_t first = 0; /* of the free run that goes on to here */

	/* A run that somebody else takes from meanwhile is left alone: the
	 * search goes on behind it. */
	for (uint32_t w = 0; w < words; w++) {
		uint64_t word = xg_load(&t->words[w]);

		for (uint32_t i = 0; i < XG_WORD_BITS; i++) {
			uint32_t here = w * XG_WORD_BITS + i;

			if (!(word & xg_bit(i))) {
				first = here + 1;
				continue;
			}
			if (here + 1 - first < count)
				continue;
			if (take_range(t, first, first + count))
				return first;
			first = here + 1;
		}
	}
	return 0;
}

void xg_gntref_free(struct xg_gnttab *t, uint32_t gref)
{
	uint32_t w = gref / XG_WORD_BITS;

	xg_set_bits(&t->words[w], xg_bit(gref));
	if (!(xg_load_seq(&t->summary[w / XG_WORD_BITS]) & xg_bit(w)))
		xg_set_bits(&t->summary[w / XG_WORD_BITS], xg_bit(w));
}

bool xg_gntref_is_free(const struct xg_gnttab *t, uint32_t gref)
{
	return xg_load(&t->words[gref / XG_WORD_BITS]) & xg_bit(gref);
}
