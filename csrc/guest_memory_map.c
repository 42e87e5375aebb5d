/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Backing reservations.
 *
 * The iterator is asked about all of a reservation first, and only then Xen
 * for anything: frames of one kind, and device memory in one piece, are
 * described by a kind and a number. So nothing is done in vain, and what is
 * there at any time is the first `pages` of the reservation, which undoing
 * shortens from the end.
 */
#include "guest_memory.h"

/* The largest frame of an iterator: as Xen's largest extent, 1 GiB. */
#define SIZE_BITS_MAX 30u

static int untrap(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	int rc;

	if (!(r->flags & FLAG_TRAPPED))
		return 0;
	rc = xg_ioreq_unmap_range(&vm->ioreq, r->first, r->last);
	/* When the domain dies its server goes before it. */
	if (rc && rc != -XG_ESRCH && rc != -XG_ENOENT)
		return rc;
	r->flags &= (uint8_t)~FLAG_TRAPPED;
	return 0;
}

int xg_vm_trap(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	int rc = xg_vm_need(vm, XG_VM_TRAP);

	if (rc)
		return vm->flags & XG_VM_REQUIRE_TRAP ? rc : 0;
	rc = xg_ioreq_map_range(&vm->ioreq, r->first, r->last);
	if (!rc)
		r->flags |= FLAG_TRAPPED;
	return rc;
}

static int unmap_device(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	uint64_t gfn = frame_of(r->first);
	uint32_t done;
	int rc =
		xg_vm_unmap_device(vm, gfn, r->base, (uint32_t)r->pages, &done);

	r->pages -= done;
	if (rc != -XG_EPERM || !(r->flags & FLAG_PERMITTED))
		return rc;
	/* Another reservation of the same device took the permission with it,
	 * and Xen wants it for unmapping, too. */
	rc = xg_vm_permit_device(vm, r->base, (uint32_t)pages_of(r), true);
	if (rc)
		return rc;
	rc = xg_vm_unmap_device(vm, gfn, r->base, (uint32_t)r->pages, &done);
	r->pages -= done;
	return rc;
}

/* Shorten what is mapped to nothing. */
static int take_pages(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	int rc = 0;

	if (r->backing == BACKING_RAM)
		rc = xg_vm_depopulate(vm, frame_of(r->first), r->pages,
				      &r->pages);
	else if (r->backing == BACKING_MMIO && r->pages)
		rc = unmap_device(vm, r);
	else
		r->pages = 0;
	if (rc || !(r->flags & FLAG_PERMITTED))
		return rc;
	rc = xg_vm_permit_device(vm, r->base, (uint32_t)pages_of(r), false);
	if (!rc)
		r->flags &= (uint8_t)~FLAG_PERMITTED;
	return rc;
}

static int close_window(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	struct xg_guest *g = vm->guest;
	int rc = 0;

	if (!r->window)
		return 0;
	if (r->backing == BACKING_PAGE)
		g->platform->page_free(g->context, r->window, 1);
	else if (r->backing == BACKING_RAM)
		rc = xg_vm_close_ram(vm, r->window, 1);
	else
		rc = xg_vm_close_mmio(vm, r->base, r->window);
	if (!rc || rc == -XG_EIO)
		r->window = NULL;
	return rc;
}

int xg_vm_release(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	int rc = untrap(vm, r);

	if (!rc)
		rc = close_window(vm, r);
	if (!rc)
		rc = take_pages(vm, r);
	if (!rc)
		r->backing = BACKING_NONE;
	return rc;
}

/* What one frame is; 0 for what is none. */
static uint32_t backing_of(uint64_t frame)
{
	if (frame == XG_VM_FRAME_RAM)
		return BACKING_RAM;
	if (frame == XG_VM_FRAME_PRESENT)
		return BACKING_PRESENT;
	return (frame & 3) == 3 ? BACKING_MMIO : BACKING_NONE;
}

/* Is it a frame for `addr`, and all inside? */
static bool frame_valid(const struct xg_vm_reservation *r, uintptr_t addr,
			const struct xg_vm_frame *frame)
{
	uintptr_t rest;

	if (frame->vaddr != addr || frame->size_bits < XG_PAGE_SHIFT ||
	    frame->size_bits > SIZE_BITS_MAX)
		return false;
	rest = ((uintptr_t)1 << frame->size_bits) - 1;
	return !(addr & rest) && r->last - addr >= rest;
}

/* Ask about all of it: what kind of frames, and which. */
static int ask_all(const struct xg_vm_reservation *r,
		   xg_vm_iterator_fn iterator, void *cookie, uint32_t *backing,
		   uint64_t *base)
{
	uintptr_t addr = r->first;

	for (;;) {
		struct xg_vm_frame frame = iterator(addr, cookie);
		uint64_t page = (addr - r->first) >> XG_PAGE_SHIFT;
		uint32_t kind = backing_of(frame.frame);

		if (kind == BACKING_NONE || !frame_valid(r, addr, &frame))
			return -XG_EINVAL;
		if (frame.rights != RIGHTS_ALL)
			return -XG_EOPNOTSUPP;
		if (addr == r->first) {
			*backing = kind;
			*base = kind == BACKING_MMIO ? frame.frame >> 2 : 0;
		} else if (kind != *backing ||
			   (kind == BACKING_MMIO &&
			    frame.frame >> 2 != *base + page)) {
			return -XG_EINVAL;
		}
		addr += (uintptr_t)1 << frame.size_bits;
		/* 0 behind the last address of all. */
		if (addr - 1 == r->last)
			return 0;
	}
}

/* An iterator is a callback: it may make any call but xg_vm_fini(). */
static int ask(struct xg_vm *vm, struct xg_vm_reservation *r,
	       xg_vm_iterator_fn iterator, void *cookie, uint32_t *backing,
	       uint64_t *base)
{
	int rc;

	r->state = STATE_MAPPING;
	vm->calls++;
	rc = ask_all(r, iterator, cookie, backing, base);
	vm->calls--;
	r->state = STATE_RESERVED;
	return rc;
}

/* Clear the RAM that is there. */
static int zero(struct xg_vm *vm, const struct xg_vm_reservation *r)
{
	for (size_t done = 0; done < r->pages;) {
		size_t left = r->pages - done;
		uint32_t pages = left < 32 ? (uint32_t)left : 32;
		void *va;
		int rc = xg_vm_open_ram(vm, frame_of(r->first) + done, &pages,
					&va);

		if (rc)
			return rc;
		memset(va, 0, (size_t)pages << XG_PAGE_SHIFT);
		rc = xg_vm_close_ram(vm, va, pages);
		if (rc)
			return rc;
		done += pages;
	}
	return 0;
}

static int bring_ram(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	int rc = xg_vm_need(vm, XG_VM_RAM);

	if (!rc && (r->flags & FLAG_ZERO))
		rc = xg_vm_need(vm, XG_VM_WINDOW);
	if (!rc)
		rc = xg_vm_populate(vm, frame_of(r->first), pages_of(r),
				    &r->pages);
	if (!rc && (r->flags & FLAG_ZERO))
		rc = zero(vm, r);
	return rc;
}

static int bring_device(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	uint32_t done = 0;
	int rc = xg_vm_need(vm, XG_VM_MMIO);

	if (!rc && pages_of(r) > UINT32_MAX)
		rc = -XG_EINVAL;
	if (!rc && (vm->flags & XG_VM_PERMIT_MMIO)) {
		rc = xg_vm_permit_device(vm, r->base, (uint32_t)pages_of(r),
					 true);
		if (!rc)
			r->flags |= FLAG_PERMITTED;
	}
	if (!rc)
		rc = xg_vm_map_device(vm, frame_of(r->first), r->base,
				      (uint32_t)pages_of(r), &done);
	r->pages = done;
	return rc;
}

/*
 * Bring what `backing` and `base` say. The range is taken from the server
 * last: until then accesses come to us and wait. On failure the reservation
 * is as before, or -XG_EIO.
 */
static int back(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	int rc = 0;

	r->state = STATE_MAPPING;
	if (r->backing == BACKING_RAM)
		rc = bring_ram(vm, r);
	else if (r->backing == BACKING_MMIO)
		rc = bring_device(vm, r);
	else
		r->pages = pages_of(r);
	if (!rc)
		rc = untrap(vm, r);
	if (!rc) {
		r->state = STATE_MAPPED;
		return 0;
	}
	/* What stays is for xg_vm_free() to try again. */
	if (take_pages(vm, r)) {
		r->state = STATE_MAPPED;
		return -XG_EIO;
	}
	r->state = STATE_RESERVED;
	r->backing = BACKING_NONE;
	r->base = 0;
	r->flags &= (uint8_t)~FLAG_ZERO;
	return rc;
}

static int mappable(const struct xg_vm *vm, const struct xg_vm_reservation *r)
{
	if (!vm || !xg_vm_owns(vm, r) || r->kind == KIND_GUARD)
		return -XG_EINVAL;
	return r->state == STATE_RESERVED ? 0 : -XG_EBUSY;
}

/* Can an access come that maps what is deferred? One's own aborts are for
 * one's own handler. */
static int deferrable(const struct xg_vm *vm, const struct xg_vm_reservation *r)
{
	if (vm->dom == DOMID_SELF || (r->flags & FLAG_TRAPPED))
		return 0;
	return xg_vm_need(vm, XG_VM_TRAP);
}

int xg_vm_map_now(struct xg_vm *vm, struct xg_vm_reservation *r,
		  xg_vm_iterator_fn iterator, void *cookie)
{
	uint32_t backing = BACKING_NONE;
	uint64_t base = 0;
	int rc = mappable(vm, r);

	if (rc || !iterator)
		return rc ? rc : -XG_EINVAL;
	rc = ask(vm, r, iterator, cookie, &backing, &base);
	if (rc)
		return rc;
	r->backing = (uint8_t)backing;
	r->base = base;
	return back(vm, r);
}

int xg_vm_map(struct xg_vm *vm, struct xg_vm_reservation *r,
	      xg_vm_iterator_fn iterator, void *cookie)
{
	int rc;

	if (!vm || !(vm->flags & XG_VM_DEFER))
		return xg_vm_map_now(vm, r, iterator, cookie);
	rc = mappable(vm, r);
	if (!rc && !iterator)
		rc = -XG_EINVAL;
	if (!rc)
		rc = deferrable(vm, r);
	if (rc)
		return rc;
	r->iterator = iterator;
	r->iterator_cookie = cookie;
	r->state = STATE_DEFERRED;
	return 0;
}

/* Without an iterator: the reservation itself says what. */
static int map_known(struct xg_vm *vm, struct xg_vm_reservation *r,
		     uint32_t backing, uint64_t base, uint32_t flags)
{
	bool defer = vm->flags & XG_VM_DEFER;
	int rc = defer ? deferrable(vm, r) : 0;

	if (rc)
		return rc;
	r->backing = (uint8_t)backing;
	r->base = base;
	r->flags |= (uint8_t)flags;
	if (!defer)
		return back(vm, r);
	r->iterator = NULL;
	r->state = STATE_DEFERRED;
	return 0;
}

int xg_vm_map_ram(struct xg_vm *vm, struct xg_vm_reservation *r, bool zero)
{
	int rc = mappable(vm, r);

	/* What can't be done is said now, also of what is done later. */
	if (!rc)
		rc = xg_vm_need(vm, XG_VM_RAM);
	if (!rc && zero)
		rc = xg_vm_need(vm, XG_VM_WINDOW);
	return rc ? rc
		  : map_known(vm, r, BACKING_RAM, 0, zero ? FLAG_ZERO : 0u);
}

int xg_vm_map_mmio(struct xg_vm *vm, struct xg_vm_reservation *r,
		   uint64_t paddr)
{
	int rc = mappable(vm, r);

	if (!rc)
		rc = xg_vm_need(vm, XG_VM_MMIO);
	if (rc)
		return rc;
	if (pages_of(r) > UINT32_MAX ||
	    (r->last - r->first) > UINT64_MAX - (paddr | (XG_PAGE_SIZE - 1)))
		return -XG_EINVAL;
	return map_known(vm, r, BACKING_MMIO, paddr >> XG_PAGE_SHIFT, 0);
}

int xg_vm_map_deferred(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	/* As it was, should it fail: the next access tries again. */
	uint8_t known = r->backing, flags = r->flags;
	uint32_t backing = known;
	uint64_t base = r->base, first = base;
	int rc = 0;

	if (r->iterator)
		rc = ask(vm, r, r->iterator, r->iterator_cookie, &backing,
			 &base);
	if (!rc) {
		r->backing = (uint8_t)backing;
		r->base = base;
		rc = back(vm, r);
	}
	if (rc && rc != -XG_EIO) {
		r->state = STATE_DEFERRED;
		r->backing = known;
		r->base = first;
		r->flags = flags;
	}
	return rc;
}

/* A page of our own, from which reads are served. */
static int take_page(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	struct xg_guest *g = vm->guest;

	if (!g->platform->page_alloc || !g->platform->page_free)
		return -XG_ENOMEM;
	r->window = g->platform->page_alloc(g->context, 1);
	if (!r->window)
		return -XG_ENOMEM;
	memset(r->window, 0, XG_PAGE_SIZE);
	r->backing = BACKING_PAGE;
	return 0;
}

static int open_page(struct xg_vm *vm, struct xg_vm_reservation *r)
{
	uint32_t one = 1;
	void *va;
	int rc;

	if (r->backing == BACKING_RAM)
		rc = xg_vm_open_ram(vm, frame_of(r->first), &one, &va);
	else
		rc = xg_vm_open_mmio(vm, r->base, &va);
	if (rc)
		return rc;
	r->window = va;
	if (r->backing == BACKING_RAM)
		memset(va, 0, XG_PAGE_SIZE);
	return 0;
}

static int create_direct(struct xg_vm *vm, struct xg_vm_reservation *r,
			 uint32_t backing, uint64_t mfn)
{
	int rc;

	r->backing = (uint8_t)backing;
	r->base = mfn;
	rc = back(vm, r);
	return rc ? rc : open_page(vm, r);
}

static int create_trapped(struct xg_vm *vm, struct xg_vm_reservation *r,
			  uint32_t backing, uint64_t mfn)
{
	int rc;

	if (backing == BACKING_RAM) {
		rc = take_page(vm, r);
	} else {
		r->backing = BACKING_DEVICE;
		r->base = mfn;
		rc = open_page(vm, r);
	}
	if (!rc)
		r->state = STATE_MAPPED;
	return rc;
}

/* What a created page needs beyond the reservation. */
static int creatable(const struct xg_vm *vm, uint32_t rights, uint32_t backing)
{
	bool direct = rights == RIGHTS_ALL;
	int rc = 0;

	if (!direct)
		rc = xg_vm_need(vm, XG_VM_TRAP);
	if (!rc && direct)
		rc = xg_vm_need(vm, backing == BACKING_RAM ? XG_VM_RAM
							   : XG_VM_MMIO);
	if (!rc && direct && backing == BACKING_RAM)
		rc = xg_vm_need(vm, XG_VM_WINDOW);
	if (!rc && backing == BACKING_MMIO && vm->self == DOMID_SELF)
		rc = -XG_EOPNOTSUPP;
	return rc;
}

static int create(struct xg_vm *vm, uintptr_t addr, uint32_t rights,
		  xg_vm_fault_fn fault, void *cookie,
		  struct xg_vm_reservation **reservation, void **window,
		  uint32_t backing)
{
	struct xg_vm_reservation *r;
	int rc;

	if (!vm || !reservation || !window || xg_page_offset(addr) ||
	    (rights != RIGHTS_ALL && rights != XG_PROT_READ && rights))
		return -XG_EINVAL;
	rc = creatable(vm, rights, backing);
	if (rc)
		return rc;
	rc = xg_vm_reserve(vm, addr, XG_PAGE_SIZE, fault, cookie, &r);
	if (rc)
		return rc;
	r->rights = (uint8_t)rights;
	rc = rights == RIGHTS_ALL
		     ? create_direct(vm, r, backing, frame_of(addr))
		     : create_trapped(vm, r, backing, frame_of(addr));
	if (rc)
		return xg_vm_free(vm, r) ? -XG_EIO : rc;
	*reservation = r;
	*window = r->window;
	return 0;
}

int xg_vm_create_ram(struct xg_vm *vm, uintptr_t addr, uint32_t rights,
		     xg_vm_fault_fn fault, void *cookie,
		     struct xg_vm_reservation **reservation, void **window)
{
	return create(vm, addr, rights, fault, cookie, reservation, window,
		      BACKING_RAM);
}

int xg_vm_create_mmio(struct xg_vm *vm, uintptr_t addr, uint32_t rights,
		      xg_vm_fault_fn fault, void *cookie,
		      struct xg_vm_reservation **reservation, void **window)
{
	return create(vm, addr, rights, fault, cookie, reservation, window,
		      BACKING_MMIO);
}
