/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Two well-known ways to serve 2-level events, to compare with: the scan and
 * the call of the handlers, and nothing of what the rest of a library needs.
 * Both are as lean as their protocol allows.
 */
#ifndef BASELINE_H
#define BASELINE_H

#include <stdint.h>

#define BASELINE_WORD_BITS 64u
#define BASELINE_WORDS	   64u

struct baseline_slot {
	void (*handler)(void *data); /* never null */
	void *data;
};

struct baseline {
	uint8_t *upcall_pending;
	uint64_t *selector;
	uint64_t *pending;
	const uint64_t *mask;
	const struct baseline_slot *slots; /* of every port */
	uint32_t next_word;		   /* rotating: where to go on */
	uint32_t next_bit;
};

/* Every event by itself, from the lowest port on, looking at the word again
 * after each. */
void baseline_lowest_first(struct baseline *b);

/* Each word once per pass, going on behind the last port served, every event
 * tested and cleared by itself. */
void baseline_rotating(struct baseline *b);

/* The handler that all are measured with: one more in *data, a uint64_t. */
void workload_count(void *data);

/*
 * The selector, after the flag is cleared. The exchange is what keeps the two
 * in order on x86; elsewhere the store has to be in the order of sequentially
 * consistent accesses too.
 */
static inline uint64_t baseline_take(const struct baseline *b)
{
#if defined(__x86_64__)
	__atomic_store_n(b->upcall_pending, 0, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
#else
	__atomic_store_n(b->upcall_pending, 0, __ATOMIC_SEQ_CST);
#endif
	return __atomic_exchange_n(b->selector, 0, __ATOMIC_SEQ_CST);
}

static inline uint64_t baseline_active(const struct baseline *b, uint32_t w)
{
	return __atomic_load_n(&b->pending[w], __ATOMIC_RELAXED) &
	       ~__atomic_load_n(&b->mask[w], __ATOMIC_RELAXED);
}

static inline void baseline_call(const struct baseline *b, uint32_t port)
{
	const struct baseline_slot *slot = &b->slots[port];

	slot->handler(slot->data);
}

#endif
