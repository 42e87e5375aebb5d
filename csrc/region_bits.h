/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Runs of set bits in words, without a loop over bits. */
#ifndef XG_REGION_BITS_H
#define XG_REGION_BITS_H

#include <stdint.h>

/* The bits at which `n` (1 to 64) set bits in a row begin. */
static inline uint64_t xg_runs_of(uint64_t word, uint32_t n)
{
	uint32_t have = 1;

	for (; have * 2 <= n; have *= 2)
		word &= word >> have;
	return n > have ? word & word >> (n - have) : word;
}

/* Length of the longest run of set bits. */
static inline uint32_t xg_longest_run(uint64_t word)
{
	uint64_t of[6]; /* where runs of 1, 2, 4 ... begin */
	uint32_t length = 1;
	int k = 0;

	if (!word || !~word)
		return word ? 64 : 0;
	of[0] = word;
	for (; k < 5; k++) {
		of[k + 1] = of[k] & of[k] >> (1u << k);
		if (!of[k + 1])
			break;
	}
	length = 1u << k;
	word = of[k];
	while (k--) {
		uint64_t longer = word & of[k] >> length;

		if (longer) {
			word = longer;
			length += 1u << k;
		}
	}
	return length;
}

/* Set bits at the low end, and at the high end. */
static inline uint32_t xg_run_at_start(uint64_t word)
{
	return ~word ? (uint32_t)__builtin_ctzll(~word) : 64;
}

static inline uint32_t xg_run_at_end(uint64_t word)
{
	return ~word ? (uint32_t)__builtin_clzll(~word) : 64;
}

/* Bits [first, first + n) of a word; n is 1 to 64 - first. */
static inline uint64_t xg_bit_range(uint32_t first, uint32_t n)
{
	return ~UINT64_C(0) >> (64 - n) << first;
}

#endif
