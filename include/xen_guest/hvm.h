/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The parameters that Xen and the toolstack keep for each domain: where the
 * console and XenStore are, how events interrupt.
 */
#ifndef XEN_GUEST_HVM_H
#define XEN_GUEST_HVM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;

/*
 * Read parameter `index` (HVM_PARAM_*, xen/hvm/params.h) of `dom`, which is
 * DOMID_SELF (0x7ff0) but for a control domain. 0 where nobody set it. Any
 * context. Written on success only.
 *
 *   -XG_EINVAL  no such parameter on this architecture, a null pointer
 *   -XG_EPERM   not the caller's domain, or not for the domain itself to see
 *   -XG_ESRCH   no such domain
 */
int xg_hvm_get_param(struct xg_guest *g, uint16_t dom, uint32_t index,
		     uint64_t *value);

/*
 * Set it. On Arm a domain may set none of its own. The same errors.
 */
int xg_hvm_set_param(struct xg_guest *g, uint16_t dom, uint32_t index,
		     uint64_t value);

#ifdef __cplusplus
}
#endif

#endif
