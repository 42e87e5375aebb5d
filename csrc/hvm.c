/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* A domain's parameters. */
#include "xen_guest/hvm.h"

#include "hypercall.h"
#include "internal.h"

#include <xen/hvm/hvm_op.h>

int xg_hvm_get_param(struct xg_guest *g, uint16_t dom, uint32_t index,
		     uint64_t *value)
{
	struct xen_hvm_param op = {.domid = dom, .index = index};
	int rc;

	if (!value)
		return -XG_EINVAL;
	rc = xg_hypercall3(g, __HYPERVISOR_hvm_op, HVMOP_get_param,
			   (uintptr_t)&op, 0);
	if (!rc)
		*value = op.value;
	return rc;
}

int xg_hvm_set_param(struct xg_guest *g, uint16_t dom, uint32_t index,
		     uint64_t value)
{
	struct xen_hvm_param op = {
		.domid = dom,
		.index = index,
		.value = value,
	};

	return xg_hypercall3(g, __HYPERVISOR_hvm_op, HVMOP_set_param,
			     (uintptr_t)&op, 0);
}
