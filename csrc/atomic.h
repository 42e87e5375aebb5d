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

/* Of a word that is not 0. */
static inline uint32_t xg_first_bit(uint64_t word)
{
	return (uint32_t)__builtin_ctzll(word);
}

/* Not in the usual way, which clang takes for a count of the bits. */
static inline bool xg_one_bit(uint64_t word)
{
	return (word ^ (word - 1)) > word - 1;
}

/* Without the instruction, which not every target has. */
static inline uint32_t xg_count_bits(uint64_t word)
{
	word -= word >> 1 & UINT64_C(0x5555555555555555);
	word = (word & UINT64_C(0x3333333333333333)) +
	       (word >> 2 & UINT64_C(0x3333333333333333));
	word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)(word * UINT64_C(0x0101010101010101) >> 56);
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

/* Whether the word was *old, and is `new` now; if not, *old is what it is. */
static inline bool xg_swap_word(uint64_t *word, uint64_t *old, uint64_t new)
{
	return __atomic_compare_exchange_n(word, old, new, false,
					   __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* Make the word `new` if it is `old`; what it was. Where that is all that is
 * asked, compilers make less of it than of the above. */
static inline uint32_t xg_swap32(uint32_t *word, uint32_t old, uint32_t new)
{
	__atomic_compare_exchange_n(word, &old, new, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	return old;
}

/*
 * A sequentially consistent store with a sequentially consistent
 * read-modify-write right behind it. On x86 that one is a barrier for stores
 * before it too, and the store needs none of its own.
 */
#if defined(__x86_64__)
#define XG_STORE_BEFORE_RMW(place, value)                                      \
	do {                                                                   \
		__atomic_store_n((place), (value), __ATOMIC_RELEASE);          \
		__atomic_signal_fence(__ATOMIC_SEQ_CST);                       \
	} while (0)
#else
#define XG_STORE_BEFORE_RMW(place, value)                                      \
	__atomic_store_n((place), (value), __ATOMIC_SEQ_CST)
#endif

/* Orders every access before it against every access after it, loads after
 * stores included. */
static inline void xg_fence(void)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

#endif
