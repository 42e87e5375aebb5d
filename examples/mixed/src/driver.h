/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef DRIVER_H
#define DRIVER_H

#include <stdint.h>

/* One offer to one peer: the caller's storage. */
struct driver {
	int32_t port;
	int32_t gref;
	uint32_t rings; /* how often the peer rang */
};

/* Offer `page`, whose frame is `gfn`, to domain `peer`, with a port in its
 * first word. 0, or a negative error with nothing left open. */
int driver_start(struct driver *d, uint16_t peer, void *page,
		 unsigned long gfn);

/* 0, or a negative error: the peer still has the page. */
int driver_stop(struct driver *d);

#endif
