/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The well-known way to find free pages, to compare with: one flat bitmap,
 * searched from its start, skipping a word at a time.
 */
#ifndef BASELINE_FIRST_FIT_H
#define BASELINE_FIRST_FIT_H

#include <stdint.h>

struct baseline_first_fit {
	uint64_t *used;
	uint32_t pages;
};

/* The lowest run of `n` free pages, or -1. */
int64_t baseline_first_fit_take(struct baseline_first_fit *b, uint32_t n);

/* 0, or -1 if not all of them are used. */
int baseline_first_fit_give(struct baseline_first_fit *b, uint32_t page,
			    uint32_t n);

#endif
