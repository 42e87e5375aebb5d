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
	return t->frames * XG_GRANTS_PER_FRAME / XG_WORD_BITS;
}

void xg_gntref_init(struct xg_gnttab *t)
{
	uint32_t refs = t->frames * XG_GRANTS_PER_FRAME;

	memset(t->summary, 0, sizeof(t->summary));
	memset(t->words, 0, nr_words(t) * sizeof(*t->words));
	for (uint32_t gref = XG_GRANT_RESERVED; gref < refs; gref++) {
		uint32_t w = gref / XG_WORD_BITS;

		/* Granted by earlier firmware: a peer may still use it. The
		 * flags are the entry's low 16 bits. */
		if (xg_load(&t->entries[gref]) & 0xffff)
			continue;
		t->words[w] |= xg_bit(gref);
		t->summary[w / XG_WORD_BITS] |= xg_bit(w);
	}
}

/* The lowest free reference of word `w`, or 0 if somebody took the last. */
static uint32_t take_from(struct xg_gnttab *t, uint32_t w)
{
	uint64_t *summary = &t->summary[w / XG_WORD_BITS];
	uint64_t word = xg_load(&t->words[w]);

	while (word) {
		uint64_t rest = word & (word - 1);

		if (!__atomic_compare_exchange_n(&t->words[w], &word, rest,
						 false, __ATOMIC_SEQ_CST,
						 __ATOMIC_RELAXED))
			continue;
		if (!rest) {
			xg_clear_bits(summary, xg_bit(w));
			if (xg_load_seq(&t->words[w]))
				xg_set_bits(summary, xg_bit(w));
		}
		return w * XG_WORD_BITS + (uint32_t)__builtin_ctzll(word);
	}
	return 0;
}

/* While somebody is between clearing a summary bit and looking again, the
 * last free references may be behind it. */
static uint32_t alloc_without_summary(struct xg_gnttab *t)
{
	uint32_t words = nr_words(t);
	uint32_t gref = 0;

	for (uint32_t w = 0; w < words && !gref; w++)
		gref = take_from(t, w);
	return gref;
}

uint32_t xg_gntref_alloc(struct xg_gnttab *t)
{
	uint32_t words = nr_words(t);

	for (uint32_t base = 0; base < words; base += XG_WORD_BITS) {
		uint64_t summary = xg_load(&t->summary[base / XG_WORD_BITS]);

		while (summary) {
			uint32_t w = base + (uint32_t)__builtin_ctzll(summary);
			uint32_t gref = take_from(t, w);

			if (gref)
				return gref;
			summary &= summary - 1;
		}
	}
	return alloc_without_summary(t);
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
