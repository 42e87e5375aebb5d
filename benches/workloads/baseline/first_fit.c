/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* First fit in a flat bitmap: run by run. */
#include "first_fit.h"

/* The first page from `page` on, up to `end`, whose bit is clear in
 * `used ^ flip`. */
static uint32_t find(const struct baseline_first_fit *b, uint64_t flip,
		     uint32_t page, uint32_t end)
{
	while (page < end) {
		uint64_t clear = ~(b->used[page / 64] ^ flip) >> (page % 64);

		if (clear) {
			page += (uint32_t)__builtin_ctzll(clear);
			break;
		}
		page += 64 - page % 64;
	}
	return page < end ? page : end;
}

/* The bits of [page, page + n) that are in the word of `page`, and in *n how
 * many more there are. */
static uint64_t bits(uint32_t page, uint32_t *n)
{
	uint32_t some = 64 - page % 64;

	if (some > *n)
		some = *n;
	*n -= some;
	return ~UINT64_C(0) >> (64 - some) << (page % 64);
}

int64_t baseline_first_fit_take(struct baseline_first_fit *b, uint32_t n)
{
	uint32_t first = 0, end;

	for (;; first = end) {
		first = find(b, 0, first, b->pages);
		if (n > b->pages - first)
			return -1;
		end = find(b, ~UINT64_C(0), first, first + n);
		if (end - first == n)
			break;
	}
	for (uint32_t page = first; n; page = (page / 64 + 1) * 64)
		b->used[page / 64] |= bits(page, &n);
	return first;
}

int baseline_first_fit_give(struct baseline_first_fit *b, uint32_t page,
			    uint32_t n)
{
	if (page >= b->pages || n > b->pages - page ||
	    find(b, 0, page, page + n) != page + n)
		return -1;
	for (; n; page = (page / 64 + 1) * 64)
		b->used[page / 64] &= ~bits(page, &n);
	return 0;
}
