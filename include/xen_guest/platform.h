/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What the library asks of the firmware beneath it.
 *
 * The hooks are called with the context pointer given to xg_guest_init().
 * None may call back into the library for the same guest. Hot paths (upcall,
 * notify, mask, unmask, grant, end) call no hook but `hypercall`.
 *
 * A page is XG_PAGE_SIZE bytes whatever the CPU's page size is: Xen counts
 * guest frames (GFNs) in units of 4 KiB.
 */
#ifndef XEN_GUEST_PLATFORM_H
#define XEN_GUEST_PLATFORM_H

#include <stdint.h>

#define XG_PAGE_SHIFT 12   /* from an address to its frame's number */
#define XG_PAGE_SIZE  4096 /* bytes */

/* Protection of a mapping in the CPU's own page tables. */
#define XG_PROT_READ  1u /* always there */
#define XG_PROT_WRITE 2u /* writes as well */

/* What `cpu_id` returns where no upcall of this guest can be running beneath
 * the caller: a thread of a hosted program, say. */
#define XG_CPU_NONE 0xffffffffu

/* A range of empty frames (no RAM, no mapping) and the addresses at which the
 * platform's `map` hook is to make them visible. */
struct xg_window {
	void *va;	/* page aligned */
	uint64_t gfn;	/* first frame */
	uint32_t pages; /* how many frames */
};

/* The hooks: filled in by the firmware, in place for as long as the guest. */
struct xg_platform {
	/*
	 * Enter Xen: operation number `op` of xen/xen.h with up to five
	 * arguments; returns Xen's result. May be null on bare metal, where
	 * the library has the instruction built in; hosted builds need it.
	 * Any context, interrupts as they are.
	 */
	intptr_t (*hypercall)(void *context, uint32_t op, uintptr_t a0,
			      uintptr_t a1, uintptr_t a2, uintptr_t a3,
			      uintptr_t a4);

	/*
	 * Write the guest frame that backs the page holding `va` to *gfn.
	 * Must also answer for addresses inside windows handed to the library
	 * that are not mapped at the moment. Returns 0, or -XG_EFAULT for an
	 * address that has no frame.
	 */
	int (*virt_to_gfn)(void *context, const void *va, uint64_t *gfn);

	/*
	 * Make `pages` frames from `gfn` on accessible at `va` (page aligned)
	 * with protection `prot`, as Normal Write-Back Inner-Shareable memory
	 * (Xen's requirement for all shared pages). One call per run of
	 * frames, so one TLB maintenance sequence per run. Returns 0 or a
	 * negative error with nothing mapped. Mapping what is mapped already
	 * with the same frames and protection must succeed.
	 */
	int (*map)(void *context, void *va, uint64_t gfn, uint32_t pages,
		   uint32_t prot);

	/*
	 * Undo `map`. After it returns no CPU can reach the frames through
	 * `va`. Returns 0 or a negative error with the mapping as it was.
	 *
	 * Both are called for RAM too, by xg_gnttab_get_pages() and after.
	 */
	int (*unmap)(void *context, void *va, uint32_t pages);

	/*
	 * Allocate, or free, `pages` contiguous page-aligned pages of the
	 * guest's own RAM. Only used by calls that say so. Null from
	 * page_alloc: out of memory. Both may be null if no such call is made.
	 */
	void *(*page_alloc)(void *context, uint32_t pages);
	void (*page_free)(void *context, void *va, uint32_t pages);

	/*
	 * A lock that also keeps this guest's upcall off the calling CPU.
	 * `lock` returns a value that the matching `unlock` gets back. Held
	 * for a bounded, short time.
	 */
	uintptr_t (*lock)(void *context);
	void (*unlock)(void *context, uintptr_t state);

	/*
	 * The number of the vCPU that the caller runs on, as Xen counts them,
	 * or XG_CPU_NONE.
	 */
	uint32_t (*cpu_id)(void *context);

	/* Called while waiting for another CPU: `yield`, `wfe`, or nothing. */
	void (*relax)(void *context);
};

#endif
