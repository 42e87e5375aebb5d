/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* The handler that all are measured with. */
#include "baseline.h"

void workload_count(void *data)
{
	++*(uint64_t *)data;
}
