/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Linux's order: a snapshot of each word, from behind the last port served
 * round to it again, so that the first word has two turns. An event that is
 * gone when its turn comes is somebody else's.
 */
#include "baseline.h"

static void serve(struct baseline *b, uint32_t w, uint64_t active)
{
	while (active) {
		uint32_t bit = (uint32_t)__builtin_ctzll(active);
		uint64_t this = UINT64_C(1) << bit;

		active &= active - 1;
		b->next_word = w;
		b->next_bit = bit + 1;
		if (__atomic_fetch_and(&b->pending[w], ~this,
				       __ATOMIC_SEQ_CST) &
		    this)
			baseline_call(b, w * BASELINE_WORD_BITS + bit);
	}
}

static uint64_t rotate(uint64_t words, uint32_t by)
{
	return words >> by | words << (-by & 63);
}

static void pass(struct baseline *b)
{
	uint32_t first = b->next_word, bit = b->next_bit;
	uint64_t words, upper, lower = 0;

	if (bit == BASELINE_WORD_BITS) {
		first = (first + 1) % BASELINE_WORDS;
		bit = 0;
	}
	upper = ~UINT64_C(0) << bit;
	words = rotate(baseline_take(b), first);
	if (words & 1) {
		lower = ~upper;
		serve(b, first, baseline_active(b, first) & upper);
		words &= words - 1;
	}
	while (words) {
		uint32_t w = (first + (uint32_t)__builtin_ctzll(words)) %
			     BASELINE_WORDS;

		words &= words - 1;
		serve(b, w, baseline_active(b, w));
	}
	if (lower)
		serve(b, first, baseline_active(b, first) & lower);
}

void baseline_rotating(struct baseline *b)
{
	do {
		pass(b);
	} while (__atomic_load_n(b->upcall_pending, __ATOMIC_RELAXED));
}
