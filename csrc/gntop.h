/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Grant operations in batches, each with a status of its own.
 *
 * What the structures of the operations have in common: their size, where the
 * status is, and that the address, if they have one, comes first.
 */
#ifndef XG_GNTOP_H
#define XG_GNTOP_H

#include "internal.h"

struct xg_grant_kind {
	uint8_t sub_op;
	uint8_t size;
	uint8_t status;
	uint8_t key; /* 16 bits that are the same for pages of one run */
};

#define XG_GRANT_KIND(op, type, field)                                         \
	{                                                                      \
		.sub_op = (op), .size = sizeof(struct type),                   \
		.status = offsetof(struct type, status),                       \
		.key = offsetof(struct type, field),                           \
	}

/* `count` operations, without a look at them. */
int xg_grant_op(struct xg_guest *g, uint32_t sub_op, void *ops, uint32_t count);

/* None has been done yet. */
void xg_grant_clear(const struct xg_grant_kind *kind, void *ops,
		    uint32_t count);

/* Have Xen do them; those again whose page is not there yet, as its owner's
 * pager brings it back. 0, or the error of a hypercall; how each operation
 * ended is in its status. */
int xg_grant_do(struct xg_guest *g, const struct xg_grant_kind *kind, void *ops,
		uint32_t count);

/* The error of the first that is not GNTST_okay, or 0. */
int xg_grant_result(const struct xg_grant_kind *kind, const void *ops,
		    uint32_t count);

#endif
