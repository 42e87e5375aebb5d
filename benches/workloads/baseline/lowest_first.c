/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Lowest port first. Zephyr's order; with the atomic clear that keeps events
 * of neighbouring ports.
 */
#include "baseline.h"

void baseline_lowest_first(struct baseline *b)
{
	uint64_t words = baseline_take(b);

	while (words) {
		uint32_t w = (uint32_t)__builtin_ctzll(words);
		uint64_t active;

		words &= words - 1;
		while ((active = baseline_active(b, w)) != 0) {
			uint32_t bit = (uint32_t)__builtin_ctzll(active);

			__atomic_fetch_and(&b->pending[w],
					   ~(UINT64_C(1) << bit),
					   __ATOMIC_SEQ_CST);
			baseline_call(b, w * BASELINE_WORD_BITS + bit);
		}
	}
}
