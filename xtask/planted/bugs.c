/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* One mistake of each kind that the sanitizers are to find. Compiled as the
 * core is for the sanitizer run; never part of anything else. */
#include <limits.h>
#include <stdlib.h>

int planted(int kind);

/* Volatile, or the compiler would see through everything. */
static volatile int one = 1;

int planted(int kind)
{
	volatile char *bytes = malloc(8);
	int result = 0;

	if (!bytes)
		return -1;
	switch (kind) {
	case 1: /* beyond the end */
		result = bytes[8 * one];
		break;
	case 2: /* signed overflow */
		result = INT_MAX + one;
		break;
	case 3: /* never freed */
		bytes = NULL;
		return 0;
	}
	free((void *)bytes);
	return result == 0x5a5a;
}
