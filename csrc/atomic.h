/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Atomic access to words shared with Xen, a peer or another CPU.
 *
 * Xen's headers declare these words as plain integers, so the C11 _Atomic
 * types don't apply; GCC and clang give the same C11 operations on plain
 * objects as builtins. Bit operations name their order in the function name:
 * every use says there what it pairs with.
 */
#ifndef XG_ATOMIC_H
#define XG_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#define XG_WORD_BITS 64u

static inline uint64_t xg_bit(uint32_t n)
{
	return UINT64_C(1) << (n % XG_WORD_BITS);
}

static inline uint64_t xg_load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline uint64_t xg_load_seq(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* All of these return the word's value before. */

static inline uint64_t xg_set_bits(uint64_t *word, uint64_t bits)
{
	return __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static inline uint64_t xg_clear_bits(uint64_t *word, uint64_t bits)
{
	return __atomic_fetch_and(word, ~bits, __ATOMIC_SEQ_CST);
}

static inline uint64_t xg_take_word(uint64_t *word)
{
	return __atomic_exchange_n(word, 0, __ATOMIC_SEQ_CST);
}

/* Orders every access before it against every access after it, loads after
 * stores included. */
static inline void xg_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
