/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* What the files of guest memory share. */
#ifndef XG_GUEST_MEMORY_INTERNAL_H
#define XG_GUEST_MEMORY_INTERNAL_H

#include "internal.h"
#include "xen_guest/guest_memory.h"

#define RIGHTS_ALL (XG_PROT_READ | XG_PROT_WRITE)

/* xg_vm_reservation.state */
#define STATE_FREE     0u
#define STATE_RESERVED 1u
#define STATE_DEFERRED 2u /* reserved, and the iterator is known */
#define STATE_MAPPING  3u /* the iterator is being asked */
#define STATE_MAPPED   4u /* backed */
#define STATE_DYING    5u /* freed; its callback has yet to return */

/* xg_vm_reservation.kind */
#define KIND_REGULAR 0u
#define KIND_ANON    1u
#define KIND_GUARD   2u

/* xg_vm_reservation.backing: what the domain's frames are, */
#define BACKING_NONE	0u
#define BACKING_RAM	1u
#define BACKING_PRESENT 2u
#define BACKING_MMIO	3u
/* or what reads are served from. */
#define BACKING_PAGE   4u
#define BACKING_DEVICE 5u

/* xg_vm_reservation.flags */
#define FLAG_TRAPPED   1u /* accesses come to the server */
#define FLAG_ZERO      2u /* RAM is to be cleared */
#define FLAG_PERMITTED 4u /* the domain may map it because of us */

/* xg_vm_vcpu.stage */
#define VCPU_IDLE     0u
#define VCPU_CALLING  1u /* somebody decides what it gets */
#define VCPU_ANSWERED 2u /* decided */
#define VCPU_WAITING  3u /* to be decided later */

static inline uintptr_t page_of(uintptr_t addr)
{
	return addr & ~(uintptr_t)(XG_PAGE_SIZE - 1);
}

static inline uint64_t frame_of(uintptr_t addr)
{
	return (uint64_t)addr >> XG_PAGE_SHIFT;
}

static inline size_t pages_of(const struct xg_vm_reservation *r)
{
	return ((r->last - r->first) >> XG_PAGE_SHIFT) + 1;
}

/* Has the domain the frames itself? */
static inline bool xg_vm_is_direct(const struct xg_vm_reservation *r)
{
	return r->state == STATE_MAPPED &&
	       (r->backing == BACKING_RAM || r->backing == BACKING_PRESENT ||
		r->backing == BACKING_MMIO);
}

/* guest_memory.c */
bool xg_vm_owns(const struct xg_vm *vm, const struct xg_vm_reservation *r);
/* Any reservation, guards too. */
struct xg_vm_reservation *xg_vm_lookup(const struct xg_vm *vm, uintptr_t addr);
/* A callback has returned: the slot may be free now. */
void xg_vm_put(struct xg_vm *vm, struct xg_vm_reservation *r);

/* guest_memory_backend.c: what is asked of Xen. */
int xg_vm_probe(struct xg_vm *vm, const struct xg_vm_config *config);
/* 0, or the error for a call that needs what can't be done. */
int xg_vm_need(const struct xg_vm *vm, uint32_t what);
/* RAM for `pages` frames; *done says how many are there, also on failure. */
int xg_vm_populate(struct xg_vm *vm, uint64_t gfn, size_t pages, size_t *done);
/* Give it back, from the last to the first; *left says how many are there
 * still. Frames that the domain gave back itself are no error. */
int xg_vm_depopulate(struct xg_vm *vm, uint64_t gfn, size_t pages,
		     size_t *left);
/* Device memory for the domain: as the calls of domctl.h. A domain that died
 * has none. */
int xg_vm_map_device(struct xg_vm *vm, uint64_t gfn, uint64_t mfn,
		     uint32_t count, uint32_t *done);
int xg_vm_unmap_device(struct xg_vm *vm, uint64_t gfn, uint64_t mfn,
		       uint32_t count, uint32_t *done);
int xg_vm_permit_device(struct xg_vm *vm, uint64_t mfn, uint32_t count,
			bool allow);
/* See RAM of the domain: up to *pages frames, as many as there is room for.
 * After -XG_EIO nothing can be seen, and nothing closed. */
int xg_vm_open_ram(struct xg_vm *vm, uint64_t gfn, uint32_t *pages, void **va);
int xg_vm_close_ram(struct xg_vm *vm, void *va, uint32_t pages);
/* See a page of device memory. */
int xg_vm_open_mmio(struct xg_vm *vm, uint64_t mfn, void **va);
int xg_vm_close_mmio(struct xg_vm *vm, uint64_t mfn, void *va);

/* guest_memory_map.c */
/* Take back all that the reservation has; what fails can be called again. */
int xg_vm_release(struct xg_vm *vm, struct xg_vm_reservation *r);
int xg_vm_trap(struct xg_vm *vm, struct xg_vm_reservation *r);
/* What the iterator that was given with XG_VM_DEFER says. */
int xg_vm_map_deferred(struct xg_vm *vm, struct xg_vm_reservation *r);

/* guest_memory_fault.c: an access ends as XG_FAULT_ERROR. */
void xg_vm_give_up(struct xg_vm *vm);

/* guest_memory_access.c: a read of a page that is for reading. */
int xg_vm_read_page(const struct xg_vm_reservation *r, uintptr_t addr,
		    uint32_t size, uint64_t *data);
/* The vCPU's access, done on the memory that the domain has there. */
int xg_vm_do_access(struct xg_vm *vm, struct xg_vm_vcpu *vcpu);

#endif
