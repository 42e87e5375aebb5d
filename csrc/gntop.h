/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Grant operations in batches, each with a status of its own.
 *
 * What the structures of the operations have in common: their size, where the
 * status is, and that the address, if they have one, comes first.
 */
#ifndef XG_GNTOP_H
#define XG_GNTOP_H

#include "hypercall.h"
#include "internal.h"

#define XG_GRANT_KIND(sub_op, type)                                            \
	((sub_op) | (uint32_t)sizeof(struct type) << 8 |                       \
	 (uint32_t)offsetof(struct type, status) << 16)

static inline size_t xg_grant_op_size(uint32_t kind)
{
	return kind >> 8 & 0xff;
}

static inline int16_t *xg_grant_status(uint32_t kind, const void *op)
{
	return (int16_t *)((uintptr_t)op + (kind >> 16));
}

/* `count` operations, without a look at them. */
static inline int xg_grant_op(struct xg_guest *g, uint32_t sub_op, void *ops,
			      uint32_t count)
{
	return xg_hypercall3(g, __HYPERVISOR_grant_table_op, sub_op,
			     (uintptr_t)ops, count);
}

/* Have Xen do them; those again whose page is not there yet, as its owner's
 * pager brings it back. How each ended is in its status, GNTST_general_error
 * where Xen did not come to it. 0, or the first error: a hypercall's or a
 * status's. -XG_EINVAL for a null pointer, unless there are none. */
int xg_grant_do(struct xg_guest *g, uint32_t kind, void *ops, uint32_t count);

#endif
