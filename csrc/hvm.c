/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A domain's parameters. */
#include "xen_guest/hvm.h"

#include "hypercall.h"
#include "internal.h"

#include <xen/hvm/hvm_op.h>

static int param(struct xg_guest *g, uint16_t dom, uint32_t index,
		 uint64_t *value, uint32_t sub_op)
{
	struct xen_hvm_param op = {.domid = dom, .index = index};
	int rc;

	if (!value)
		return -XG_EINVAL;
	op.value = *value;
	rc = xg_hypercall2(g, __HYPERVISOR_hvm_op, sub_op, &op);
	if (!rc)
		*value = op.value;
	return rc;
}

int xg_hvm_get_param(struct xg_guest *g, uint16_t dom, uint32_t index,
		     uint64_t *value)
{
	return param(g, dom, index, value, HVMOP_get_param);
}

int xg_hvm_set_param(struct xg_guest *g, uint16_t dom, uint32_t index,
		     uint64_t value)
{
	return param(g, dom, index, &value, HVMOP_set_param);
}
