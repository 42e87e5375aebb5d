/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What a control domain does to others: how much memory they may have, which
 * device memory they see, whether they run.
 *
 * Domctls are no stable part of Xen's ABI: each call names a version, and Xen
 * knows its own only. The version is found out with the first call and kept;
 * XG_DOMCTL_OLDEST to XG_DOMCTL_NEWEST are known (Xen 4.16 to 4.22), in which
 * these operations are the same.
 *
 * `dom` is a domain's number, DOMID_SELF is none. All calls can be made in any
 * context and on several CPUs at once; nothing is allocated, no lock taken.
 *
 * Errors of all of them:
 *   -XG_EPERM   not a control domain, nor the domain's device model
 *   -XG_ESRCH   no such domain
 *   -XG_EACCES  a version that is not known here; or refused by a security
 *               policy of Xen's own (FLASK)
 *   -XG_ENOSYS  a Xen without domctls
 */
#ifndef XEN_GUEST_DOMCTL_H
#define XEN_GUEST_DOMCTL_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;

/* The versions of Xen's interface that are tried. */
#define XG_DOMCTL_OLDEST 0x14u
#define XG_DOMCTL_NEWEST 0x18u

/*
 * Let the domain have up to `kib` KiB of memory. What it has already it keeps,
 * should that be more.
 */
int xg_domctl_max_mem(struct xg_guest *g, uint16_t dom, uint64_t kib);

/*
 * Let the domain map `count` frames of device memory from machine frame `mfn`
 * on, or do not let it any more. What it has mapped stays.
 *
 *   -XG_EINVAL  no frames, or a range that wraps
 *   -XG_EPERM   also if the caller itself may not map them
 */
int xg_domctl_iomem_permission(struct xg_guest *g, uint16_t dom, uint64_t mfn,
			       uint32_t count, bool allow);

/*
 * Make `count` frames of device memory from machine frame `mfn` on appear in
 * the domain's physmap from `gfn` on, as device memory. What is at those
 * frames is lost. Both the caller and the domain need the permission. Xen
 * takes 64 frames at a time: larger counts are split.
 *
 * *done says how many are there: all if 0 is returned. After an error it says
 * how many to take back: some of the last 64 may be none.
 *
 *   -XG_EINVAL  no frames, a range that wraps or that no physmap can hold
 *   -XG_EPERM   also without the permission of both
 *   -XG_ENOMEM  no memory for the domain's physmap
 */
int xg_domctl_map_mmio(struct xg_guest *g, uint16_t dom, uint64_t gfn,
		       uint64_t mfn, uint32_t count, uint32_t *done);

/*
 * Take them back, from the last to the first. *done says how many of the last
 * are gone: all if 0 is returned.
 */
int xg_domctl_unmap_mmio(struct xg_guest *g, uint16_t dom, uint64_t gfn,
			 uint64_t mfn, uint32_t count, uint32_t *done);

/*
 * May the caller map device memory for the domain? 0, or why not. Nothing is
 * changed; whether a particular frame is permitted only mapping it will tell.
 */
int xg_domctl_probe_mmio(struct xg_guest *g, uint16_t dom);

/*
 * Stop the domain's vCPUs, and let them go on. Pauses are counted: each needs
 * its own end. -XG_EINVAL also for the caller's own domain.
 */
int xg_domctl_pause(struct xg_guest *g, uint16_t dom);
int xg_domctl_unpause(struct xg_guest *g, uint16_t dom);

#ifdef __cplusplus
}
#endif

#endif
