/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Reservations of guest-physical memory: for whoever builds the memory of
 * another domain, or of its own.
 *
 * A reservation is a range of guest-physical addresses with a fault callback.
 * It can be backed by memory (Xen's RAM, or a device's registers), at once or
 * with its first access; what is not backed, or only for reading, is trapped:
 * the callback is asked about every access. Reservations do not overlap, and
 * all of a page belongs to one.
 *
 * Xen knows no reservations: this table is all there is. What the domain has
 * beside them (its RAM banks, interrupt controller, grant table) is put into
 * the table by xg_vm_guard(), since Xen would silently replace it.
 *
 * What can be done depends on Xen and on the caller's privilege. It is found
 * out by xg_vm_init() and told by xg_vm_caps(); what can't be done is refused
 * with -XG_EOPNOTSUPP or -XG_EPERM:
 *
 *   XG_VM_CAP_RAM     take RAM from Xen for the domain: itself, its device
 *                     model, a control domain
 *   XG_VM_CAP_WINDOW  see the domain's RAM: with a region (region.h) and as a
 *                     control domain or device model; one's own in the window
 *                     `own`
 *   XG_VM_CAP_MMIO    map device memory for the domain: a control domain
 *   XG_VM_CAP_TRAP    be asked about accesses: ioreq.h. A domain's own aborts
 *                     are for its own handler, which calls xg_vm_fault().
 *
 * Storage is the caller's: slots, pools and vCPUs of struct xg_vm_config stay
 * in place from xg_vm_init() to xg_vm_fini(). Nothing is allocated but pages
 * by the platform's `page_alloc`, where a call says so. A lookup takes at most
 * ceil(log2(n + 1)) comparisons for n reservations, whatever their kind.
 *
 * Concurrency. Calls for one struct xg_vm must not overlap: one thread serves
 * a domain, or the caller has a lock of its own. No lock is held in callbacks,
 * which may make any call but xg_vm_fini(), xg_vm_free() of their own
 * reservation included. Events that say that a vCPU waits may come at any
 * time. Calls make hypercalls and call the platform's `map` and `unmap`: not
 * from interrupts.
 *
 * Results are 0 or a negative error; null pointers and reservations that are
 * not in the table are -XG_EINVAL. A call that fails has changed nothing. The
 * exception is -XG_EIO: Xen or the platform would not undo something; the
 * reservation knows what is left, and xg_vm_free() tries again.
 */
#ifndef XEN_GUEST_GUEST_MEMORY_H
#define XEN_GUEST_GUEST_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest.h"
#include "ioreq.h"

#ifdef __cplusplus
extern "C" {
#endif

struct xg_vm;
struct xg_vm_vcpu;
struct xg_vm_reservation;

/* What became of a fault: results of callbacks and of xg_vm_fault(). */
#define XG_FAULT_HANDLED 0 /* served, or will be: see xg_vm_answer() */
#define XG_FAULT_UNHANDLED                                                     \
	1		   /* nobody's: for the callback of unhandled ones     \
			    */
#define XG_FAULT_RESTART 2 /* memory is there now: do the access again */
#define XG_FAULT_IGNORE	 3 /* go on: reads see all bits set */
#define XG_FAULT_ERROR	 4 /* it can't be served */

/*
 * An access to a reservation: `size` bytes from `addr` on, 0 bytes for an
 * instruction fetch. `vcpu` says what it is; null if xg_vm_fault() was given
 * none.
 */
typedef int (*xg_vm_fault_fn)(struct xg_vm *vm, struct xg_vm_vcpu *vcpu,
			      uintptr_t addr, size_t size, void *cookie);

/* What to put at an address: */
#define XG_VM_FRAME_NONE      UINT64_C(0) /* nothing: the mapping fails */
#define XG_VM_FRAME_RAM	      UINT64_C(1) /* RAM taken from Xen */
#define XG_VM_FRAME_PRESENT   UINT64_C(2) /* what is there already; stays */
#define XG_VM_FRAME_MMIO(mfn) ((uint64_t)(mfn) << 2 | 3) /* device memory */

/* The answer of an iterator. */
struct xg_vm_frame {
	uint64_t frame;	  /* XG_VM_FRAME_* */
	uint32_t rights;  /* XG_PROT_*: both of them, but see XG_VM_CAP_TRAP */
	uintptr_t vaddr;  /* the address it was asked about */
	size_t size_bits; /* its size: 12, or more for several pages at once */
};

/* Asked for the frame at `addr`, from a reservation's first page on. */
typedef struct xg_vm_frame (*xg_vm_iterator_fn)(uintptr_t addr, void *cookie);

/* One reservation: the caller's storage, the library's contents. */
struct xg_vm_reservation {
	uintptr_t addr; /* as asked for */
	size_t size;
	uintptr_t first; /* the first byte of its first page, */
	uintptr_t last;	 /* and the last of its last */
	xg_vm_fault_fn fault;
	void *cookie;
	xg_vm_iterator_fn iterator; /* while mapping is deferred */
	void *iterator_cookie;
	void *window;	 /* where we see it; null: nowhere */
	uint64_t base;	 /* machine frame of device memory */
	size_t pages;	 /* mapped, from the first on */
	uint32_t in_use; /* calls of its callback under way */
	uint16_t next;	 /* free slot after this one */
	uint8_t state;	 /* csrc/guest_memory.h */
	uint8_t kind;	 /* of reservation */
	uint8_t backing; /* kind of frames */
	uint8_t rights;	 /* of the domain; XG_PROT_* */
	uint8_t flags;	 /* csrc/guest_memory.h */
	uint32_t times;	 /* that the slot was freed */
};

/* A range for xg_vm_reserve_anon(): the library's contents. */
struct xg_vm_pool {
	uintptr_t first;
	uintptr_t last;
	uintptr_t next; /* nothing from here on was given out, */
	bool full;	/* and nothing is left from there on */
};

/* A vCPU of the domain and its access: the library's contents, which
 * callbacks may read. */
struct xg_vm_vcpu {
	struct xg_vm *vm;
	uint32_t id;
	uint32_t size;	/* bytes; 0 for an instruction fetch */
	uintptr_t addr; /* guest-physical */
	uint64_t data;	/* written; or the answer, in the low bytes */
	bool write;
	uint8_t stage; /* csrc/guest_memory.h */
};

#define XG_VM_MAX_RESERVATIONS 65534 /* of one struct xg_vm */

/* Flags of struct xg_vm_config. */
#define XG_VM_DEFER 1u /* map with the first access */
#define XG_VM_PERMIT_MMIO                                                      \
	2u /* let the domain map the device memory that is                     \
	    * mapped for it, as long as it is */
#define XG_VM_REQUIRE_TRAP   4u /* no reservation whose callback can't come */
#define XG_VM_CRASH_ON_ERROR 8u /* XG_FAULT_ERROR is the domain's end */

/* What xg_vm_init() is given; read there and not kept, but for the storage. */
struct xg_vm_config {
	uint16_t dom; /* whose memory; DOMID_SELF: one's own */
	/* One's own number, needed to see device memory; DOMID_SELF if it is
	 * not known. */
	uint16_t self;
	uint32_t flags;
	struct xg_vm_reservation *slots;
	uint16_t *order;	  /* as many as slots */
	uint32_t nr_slots;	  /* at most XG_VM_MAX_RESERVATIONS */
	struct xg_vm_pool *pools; /* may be none */
	uint32_t nr_pools;	  /* places for pools */
	/* One for each vCPU of the domain, and as many ports. None: nothing
	 * will be trapped. */
	struct xg_vm_vcpu *vcpus;
	uint32_t *ports;
	uint32_t nr_vcpus;
	/* Says that a vCPU waits: as in struct xg_ioreq_config. */
	xg_evtchn_handler_t handler;
	void *data;
	/* One's own memory only: where the CPU sees frames that are reserved.
	 * pages 0: nowhere. */
	struct xg_window own;
};

/* Number of what can be done, and bit of xg_vm_caps(). */
#define XG_VM_RAM	 0u
#define XG_VM_WINDOW	 1u
#define XG_VM_MMIO	 2u
#define XG_VM_TRAP	 3u
#define XG_VM_CAP_COUNT	 4u
#define XG_VM_CAP_RAM	 (1u << XG_VM_RAM)
#define XG_VM_CAP_WINDOW (1u << XG_VM_WINDOW)
#define XG_VM_CAP_MMIO	 (1u << XG_VM_MMIO)
#define XG_VM_CAP_TRAP	 (1u << XG_VM_TRAP)

/* A domain's memory: the caller's storage, the library's contents. */
struct xg_vm {
	struct xg_guest *guest;
	struct xg_vm_reservation *slots;
	uint16_t *order; /* slots in use, by address */
	struct xg_vm_pool *pools;
	struct xg_vm_vcpu *vcpus;
	xg_vm_fault_fn unhandled;
	void *unhandled_cookie;
	struct xg_ioreq ioreq;
	struct xg_window own;
	uint64_t errors; /* faults that ended as XG_FAULT_ERROR */
	int32_t refusals[XG_VM_CAP_COUNT]; /* why something can't be done */
	int32_t last_error;		   /* of a call that returned none */
	uint32_t flags;
	uint32_t nr_slots;
	uint32_t nr_pools; /* in use */
	uint32_t max_pools;
	uint32_t nr_vcpus;
	uint32_t count; /* reservations */
	uint32_t calls; /* callbacks under way */
	uint16_t free;	/* first free slot */
	uint16_t dom;
	uint16_t self;
};

/*
 * Set up, without reservations, and find out what can be done. That something
 * can't is no failure.
 *
 *   -XG_EINVAL  a count out of range, a missing table
 *   -XG_ESRCH   no such domain
 */
int xg_vm_init(struct xg_vm *vm, struct xg_guest *g,
	       const struct xg_vm_config *config);

/*
 * Free every reservation and end the server. The first error, if something is
 * left; then it can be called again. -XG_EBUSY from a callback, an iterator
 * included.
 */
int xg_vm_fini(struct xg_vm *vm);

/* What can be done: XG_VM_CAP_*. */
uint32_t xg_vm_caps(const struct xg_vm *vm);

/* Why `what` (XG_VM_RAM ... XG_VM_TRAP) can't be done; 0 if it can:
 * -XG_EPERM, -XG_EOPNOTSUPP, or what Xen answered. */
int xg_vm_refusal(const struct xg_vm *vm, uint32_t what);

/*
 * Reserve all pages of the range. If traps can be had, accesses go to `fault`
 * from now on; if not, this is book-keeping (see XG_VM_REQUIRE_TRAP).
 *
 *   -XG_EINVAL  no callback, size 0, a range that wraps
 *   -XG_EEXIST  a page of it is reserved, or in a pool
 *   -XG_ENOSPC  no slot; or no room in Xen for another trapped range (256 that
 *               do not touch)
 */
int xg_vm_reserve(struct xg_vm *vm, uintptr_t addr, size_t size,
		  xg_vm_fault_fn fault, void *cookie,
		  struct xg_vm_reservation **reservation);

/*
 * Reserve what the domain has without us, so that nothing is put over it.
 * Accesses that come are unhandled. Errors as above.
 */
int xg_vm_guard(struct xg_vm *vm, uintptr_t addr, size_t size,
		struct xg_vm_reservation **reservation);

/*
 * Have the range serve xg_vm_reserve_anon(). For good.
 *   -XG_EINVAL, -XG_EEXIST  as above
 *   -XG_ENOSPC  no place for a pool
 */
int xg_vm_add_pool(struct xg_vm *vm, uintptr_t addr, size_t size);

/*
 * Reserve `size` bytes somewhere in a pool: behind what was given out last;
 * where that is too little, in the first gap. `align` is a power of two, 0 or
 * anything below a page for a page.
 *
 *   -XG_EINVAL  as above, or an alignment that is no power of two
 *   -XG_ENOSPC  also if no pool has so much together
 */
int xg_vm_reserve_anon(struct xg_vm *vm, size_t size, size_t align,
		       xg_vm_fault_fn fault, void *cookie,
		       struct xg_vm_reservation **reservation);

/*
 * Free a reservation of any kind, and give back what it brought: RAM to Xen,
 * device memory and windows unmapped. Time and hypercalls grow with its pages.
 * From its own callback too: nothing of it is used after the callback returns.
 *
 * RAM that the domain gave back itself, or device memory that it put RAM over,
 * is no error. What fails keeps what is not given back yet, and can be called
 * again.
 *
 *   -XG_EBUSY   it is being mapped
 *   -XG_ENOSPC  its neighbours are trapped too, and without it there would be
 *               more trapped ranges than Xen has room for: free one of them
 */
int xg_vm_free(struct xg_vm *vm, struct xg_vm_reservation *reservation);

/* The reservation that has the byte at `addr`; null: none, or one that
 * xg_vm_guard() made. */
struct xg_vm_reservation *xg_vm_find(struct xg_vm *vm, uintptr_t addr);

/* How many comparisons that takes; for tests. */
uint32_t xg_vm_find_cost(struct xg_vm *vm, uintptr_t addr);

/*
 * Check that everything the table knows is consistent: 0, or the number of
 * the check that failed. Time proportional to the slots; for tests.
 */
int xg_vm_verify(struct xg_vm *vm);

/*
 * Back a reservation with the frames that `iterator` names, one after the
 * other from its first page on. All or nothing, in batches of 64 frames; RAM
 * in larger extents where their size and place allow. All frames of a
 * reservation are of one kind, and device memory is one piece.
 *
 * With XG_VM_DEFER only the iterator and its cookie are kept, and asked when
 * the first access comes; xg_vm_map_now() never defers.
 *
 *   -XG_EBUSY   mapped already, or being mapped
 *   -XG_EINVAL  an answer of the iterator: nothing; another address; a size
 *               that does not fit; another kind of frame than before
 *   -XG_EOPNOTSUPP, -XG_EPERM  not with this Xen or this privilege; rights
 *               other than both, which need a trap for each access
 *   -XG_E2BIG   the domain has all the RAM it may have
 *   -XG_ENOMEM  Xen is out of memory
 */
int xg_vm_map(struct xg_vm *vm, struct xg_vm_reservation *reservation,
	      xg_vm_iterator_fn iterator, void *cookie);
int xg_vm_map_now(struct xg_vm *vm, struct xg_vm_reservation *reservation,
		  xg_vm_iterator_fn iterator, void *cookie);

/*
 * Back it with RAM. `zero`: cleared, which needs XG_VM_CAP_WINDOW; otherwise
 * it may hold what another domain that still lives left there. Xen clears
 * nothing, and so a domain that runs meanwhile may see that for a moment: pause
 * it (xg_domctl_pause()) if it must not. One that runs with its caches off does
 * not see it cleared.
 */
int xg_vm_map_ram(struct xg_vm *vm, struct xg_vm_reservation *reservation,
		  bool zero);

/*
 * Back it with device memory: its first page shows the one that has `paddr`.
 * -XG_EINVAL also for a range that wraps.
 */
int xg_vm_map_mmio(struct xg_vm *vm, struct xg_vm_reservation *reservation,
		   uint64_t paddr);

/*
 * Reserve one page at `addr`, which is page aligned, back it with zeroed RAM,
 * or with the device memory of the same address, and see it at *window until
 * the reservation is freed. `rights` are the domain's (XG_PROT_*):
 *
 *   both   it has the page; the callback is never called. It may see what was
 *          there before it is cleared, as with xg_vm_map_ram()
 *   read   it reads what is in the window, and writes go to the callback
 *   none   all accesses go to the callback
 *
 * The last two need XG_VM_CAP_TRAP. There the domain has no memory: each read
 * is served by the library, device memory by an access of the same size.
 * RAM then is a page of the platform's `page_alloc`.
 *
 *   -XG_EINVAL  an address that is not page aligned, writing without reading
 *   -XG_ENOMEM  also: no page
 *   -XG_ENOSPC  also: no page in a region
 * and everything above.
 */
int xg_vm_create_ram(struct xg_vm *vm, uintptr_t addr, uint32_t rights,
		     xg_vm_fault_fn fault, void *cookie,
		     struct xg_vm_reservation **reservation, void **window);
int xg_vm_create_mmio(struct xg_vm *vm, uintptr_t addr, uint32_t rights,
		      xg_vm_fault_fn fault, void *cookie,
		      struct xg_vm_reservation **reservation, void **window);

/*
 * An access: find the reservation, map it if that was deferred, serve a read
 * of a page that is for reading, or call back. `size` 0 counts as one byte.
 *
 * For an access of one's own, xg_vm_begin() fills a vCPU of the caller's
 * before, and its `data` is what was read after XG_FAULT_HANDLED.
 *
 *   XG_FAULT_UNHANDLED  no reservation, or a guard
 *   XG_FAULT_ERROR      more than one reservation has of it; or it could not
 *                       be mapped now (it is tried again with the next access)
 *   XG_FAULT_RESTART    it is mapped now
 *   otherwise           what the callback returns
 */
int xg_vm_fault(struct xg_vm *vm, struct xg_vm_vcpu *vcpu, uintptr_t addr,
		size_t size);
void xg_vm_begin(struct xg_vm *vm, struct xg_vm_vcpu *vcpu, uintptr_t addr,
		 size_t size, bool write, uint64_t data);

/* Who is asked about accesses that nobody has; null: nobody, as at first. */
int xg_vm_set_unhandled(struct xg_vm *vm, xg_vm_fault_fn fault, void *cookie);

/*
 * Say what a vCPU's access reads (ignored for writes): it goes on. Inside of
 * the callback, which then returns XG_FAULT_HANDLED; or any time after it did
 * without this, in any context that excludes other calls for the vm.
 * -XG_EINVAL if the vCPU does not wait for it.
 */
int xg_vm_answer(struct xg_vm_vcpu *vcpu, uint64_t data);

/*
 * Let the vCPU's access be done on the memory that is there by now, and the
 * vCPU go on: where xg_vm_answer() can be called. -XG_EINVAL if there is none
 * that it could be done on, or what kept it from being seen; the vCPU waits
 * as before.
 */
int xg_vm_retry(struct xg_vm_vcpu *vcpu);

/*
 * Serve the accesses that vCPUs wait with, at most one of each: as
 * xg_vm_fault(), then the callback for unhandled ones, then the answer:
 *
 *   HANDLED    what xg_vm_answer() said; or nothing until it says
 *   IGNORE     all bits set
 *   RESTART    the access, done by the library on the memory that is there
 *   UNHANDLED, ERROR  all bits set, after counting it in `errors`; the
 *              domain's end with XG_VM_CRASH_ON_ERROR
 *
 * The number of accesses taken: more may have come if it is not 0. 0 without
 * XG_VM_CAP_TRAP.
 */
uint32_t xg_vm_serve(struct xg_vm *vm);

#ifdef __cplusplus
}
#endif

#endif
