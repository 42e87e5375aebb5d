/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * What guest memory asks of Xen: RAM of the domain, windows on it, device
 * memory; and what of it this Xen lets this caller do.
 */
#include "guest_memory.h"

#include <xen/errno.h>

#define BATCH 64u

/* 2 MiB: the largest extents that any domain may ask for. */
#define LARGE_ORDER 9u
#define LARGE_PAGES (1u << LARGE_ORDER)

/* The domain for calls that know no DOMID_SELF; that, if there is none. */
static uint16_t number_of(const struct xg_vm *vm)
{
	return vm->dom == DOMID_SELF ? vm->self : vm->dom;
}

static int probe_ram(struct xg_vm *vm)
{
	uint64_t pages;

	return xg_memory_current_reservation(vm->guest, vm->dom, &pages);
}

/* Xen looks at who asks before it looks for the frame, which no domain has. */
static int ask_for_no_frame(struct xg_vm *vm, void *va)
{
	struct xg_guest *g = vm->guest;
	uint64_t nowhere = UINT64_MAX >> XG_PAGE_SHIFT, gfn;
	int error;
	int rc = g->platform->virt_to_gfn(g->context, va, &gfn);

	if (rc)
		return rc;
	rc = xg_memory_add_to_physmap_batch(g, DOMID_SELF, vm->dom,
					    XENMAPSPACE_gmfn_foreign, 1,
					    &nowhere, &gfn, &error);
	return rc == -XG_EINVAL ? 0 : rc;
}

static int probe_window(struct xg_vm *vm)
{
	void *va;
	int rc;

	if (vm->dom == DOMID_SELF)
		return vm->own.pages && xg_window_valid(&vm->own)
			       ? 0
			       : -XG_EOPNOTSUPP;
	va = xg_region_get_pages(vm->guest, 1);
	if (!va)
		return -XG_EOPNOTSUPP;
	rc = ask_for_no_frame(vm, va);
	xg_region_put_pages(vm->guest, va, 1);
	return rc;
}

static int probe_mmio(struct xg_vm *vm)
{
	uint16_t dom = number_of(vm);
	int rc;

	if (dom == DOMID_SELF)
		return -XG_EOPNOTSUPP;
	rc = xg_domctl_probe_mmio(vm->guest, dom);
	/* No version of domctls that we know. */
	return rc == -XG_EACCES ? -XG_EOPNOTSUPP : rc;
}

static int probe_trap(struct xg_vm *vm, const struct xg_vm_config *config)
{
	struct xg_ioreq_config server = {
		.dom = vm->dom,
		.ports = config->ports,
		.nr_ports = config->nr_vcpus,
		.handler = config->handler,
		.data = config->data,
	};
	int rc;

	if (vm->dom == DOMID_SELF || !config->nr_vcpus)
		return -XG_EOPNOTSUPP;
	rc = xg_ioreq_create(&vm->ioreq, vm->guest, &server);
	if (rc)
		return rc;
	vm->vcpus = config->vcpus;
	vm->nr_vcpus = vm->ioreq.nr_vcpus;
	for (uint32_t i = 0; i < vm->nr_vcpus; i++) {
		struct xg_vm_vcpu vcpu = {.vm = vm, .id = i};

		vm->vcpus[i] = vcpu;
	}
	return 0;
}

int xg_vm_probe(struct xg_vm *vm, const struct xg_vm_config *config)
{
	int32_t *refusals = vm->refusals;

	refusals[XG_VM_RAM] = probe_ram(vm);
	/* Before anything is made that nobody would take back. */
	if (refusals[XG_VM_RAM] == -XG_ESRCH)
		return -XG_ESRCH;
	refusals[XG_VM_WINDOW] = probe_window(vm);
	refusals[XG_VM_MMIO] = probe_mmio(vm);
	refusals[XG_VM_TRAP] = probe_trap(vm, config);
	for (uint32_t i = 0; i < XG_VM_CAP_COUNT; i++)
		if (refusals[i] == -XG_ENOSYS)
			refusals[i] = -XG_EOPNOTSUPP;
	return 0;
}

uint32_t xg_vm_caps(const struct xg_vm *vm)
{
	uint32_t caps = 0;

	for (uint32_t i = 0; vm && i < XG_VM_CAP_COUNT; i++)
		if (!vm->refusals[i])
			caps |= 1u << i;
	return caps;
}

int xg_vm_refusal(const struct xg_vm *vm, uint32_t what)
{
	return vm && what < XG_VM_CAP_COUNT ? vm->refusals[what] : -XG_EINVAL;
}

int xg_vm_need(const struct xg_vm *vm, uint32_t what)
{
	return vm->refusals[what];
}

static int populate(struct xg_vm *vm, uint64_t gfn, uint32_t count,
		    uint32_t order, size_t *done)
{
	uint64_t gfns[BATCH];
	uint32_t some;
	int rc;

	for (uint32_t i = 0; i < count; i++)
		gfns[i] = gfn + ((uint64_t)i << order);
	rc = xg_memory_populate_physmap(vm->guest, vm->dom, order, count, 0,
					gfns, &some);
	*done += (size_t)some << order;
	return rc;
}

static bool is_large(uint64_t gfn, size_t pages)
{
	return !(gfn % LARGE_PAGES) && pages >= LARGE_PAGES;
}

int xg_vm_populate(struct xg_vm *vm, uint64_t gfn, size_t pages, size_t *done)
{
	/* Up to here there is no extent so large. */
	size_t scattered = 0;

	for (*done = 0; *done < pages;) {
		size_t left = pages - *done;
		uint64_t from = gfn + *done;
		uint32_t batch, beyond;
		int rc;

		if (*done >= scattered && is_large(from, left)) {
			left /= LARGE_PAGES;
			batch = left < BATCH ? (uint32_t)left : BATCH;
			rc = populate(vm, from, batch, LARGE_ORDER, done);
			if (rc == -XG_ENOMEM)
				scattered = *done + LARGE_PAGES;
			else if (rc)
				return rc;
			continue;
		}
		/* Up to where a large one begins, if there is room for it. */
		beyond = LARGE_PAGES - (uint32_t)(from % LARGE_PAGES);
		if (left >= beyond + LARGE_PAGES)
			left = beyond;
		batch = left < BATCH ? (uint32_t)left : BATCH;
		rc = populate(vm, from, batch, 0, done);
		if (rc)
			return rc;
	}
	return 0;
}

static int depopulate(struct xg_vm *vm, uint64_t end, uint32_t count,
		      uint32_t order, size_t *left)
{
	uint64_t gfns[BATCH];
	uint32_t some;
	int rc;

	for (uint32_t i = 0; i < count; i++)
		gfns[i] = end - ((uint64_t)(i + 1) << order);
	rc = xg_memory_decrease_reservation(vm->guest, vm->dom, order, count, 0,
					    gfns, &some);
	*left -= (size_t)some << order;
	return rc;
}

int xg_vm_depopulate(struct xg_vm *vm, uint64_t gfn, size_t pages, size_t *left)
{
	/* Down to here there are holes. */
	size_t scattered = SIZE_MAX;

	for (*left = pages; *left;) {
		uint64_t end = gfn + *left;
		size_t some = *left;
		int rc;

		if (*left <= scattered && !(end % LARGE_PAGES) &&
		    *left >= LARGE_PAGES) {
			some /= LARGE_PAGES;
			rc = depopulate(vm, end,
					some < BATCH ? (uint32_t)some : BATCH,
					LARGE_ORDER, left);
			if (rc == -XG_EINVAL)
				scattered = *left - LARGE_PAGES;
		} else {
			/* Down to where a large one ends, if there is one. */
			uint32_t beyond = (uint32_t)(end % LARGE_PAGES);

			if (!beyond)
				beyond = LARGE_PAGES;
			if (some >= beyond + LARGE_PAGES)
				some = beyond;
			rc = depopulate(vm, end,
					some < BATCH ? (uint32_t)some : BATCH,
					0, left);
			/* The domain itself gave this one back. */
			if (rc == -XG_EINVAL)
				--*left;
		}
		if (rc == -XG_ESRCH)
			*left = 0;
		else if (rc && rc != -XG_EINVAL)
			return rc;
	}
	return 0;
}

int xg_vm_map_device(struct xg_vm *vm, uint64_t gfn, uint64_t mfn,
		     uint32_t count, uint32_t *done)
{
	return xg_domctl_map_mmio(vm->guest, number_of(vm), gfn, mfn, count,
				  done);
}

/* Page by page: the domain put memory of its own over some of them, which is
 * there to stay. */
static int unmap_what_is_left(struct xg_vm *vm, uint64_t gfn, uint64_t mfn,
			      uint32_t count, uint32_t *done)
{
	for (; *done < count; ++*done) {
		uint32_t last = count - *done - 1, one;
		int rc = xg_domctl_unmap_mmio(vm->guest, number_of(vm),
					      gfn + last, mfn + last, 1, &one);

		if (rc && rc != -XEN_EILSEQ)
			return rc;
	}
	return 0;
}

int xg_vm_unmap_device(struct xg_vm *vm, uint64_t gfn, uint64_t mfn,
		       uint32_t count, uint32_t *done)
{
	int rc = xg_domctl_unmap_mmio(vm->guest, number_of(vm), gfn, mfn, count,
				      done);

	if (rc == -XEN_EILSEQ)
		rc = unmap_what_is_left(vm, gfn, mfn, count, done);
	if (rc != -XG_ESRCH)
		return rc;
	*done = count;
	return 0;
}

int xg_vm_permit_device(struct xg_vm *vm, uint64_t mfn, uint32_t count,
			bool allow)
{
	int rc = xg_domctl_iomem_permission(vm->guest, number_of(vm), mfn,
					    count, allow);

	return rc == -XG_ESRCH && !allow ? 0 : rc;
}

/* The frames of a page of a region. */
static int window_at(struct xg_vm *vm, void *va, uint32_t pages,
		     struct xg_window *at)
{
	struct xg_guest *g = vm->guest;

	at->va = va;
	at->pages = pages;
	return g->platform->virt_to_gfn(g->context, va, &at->gfn);
}

static void *own_address(const struct xg_vm *vm, uint64_t gfn, uint32_t *pages)
{
	const struct xg_window *own = &vm->own;
	uint64_t page = gfn - own->gfn;

	if (gfn < own->gfn || page >= own->pages)
		return NULL;
	if (*pages > own->pages - page)
		*pages = (uint32_t)(own->pages - page);
	return (uint8_t *)own->va + ((size_t)page << XG_PAGE_SHIFT);
}

static int open_own(struct xg_vm *vm, uint64_t gfn, uint32_t *pages, void **va)
{
	struct xg_guest *g = vm->guest;

	*va = own_address(vm, gfn, pages);
	if (!*va)
		return -XG_EFAULT;
	return g->platform->map(g->context, *va, gfn, *pages, RIGHTS_ALL);
}

int xg_vm_open_ram(struct xg_vm *vm, uint64_t gfn, uint32_t *pages, void **va)
{
	struct xg_window at = {0};
	int rc = xg_vm_need(vm, XG_VM_WINDOW);

	if (rc)
		return rc;
	if (vm->dom == DOMID_SELF)
		return open_own(vm, gfn, pages, va);
	while ((rc = xg_foreign_get(vm->guest, vm->dom, gfn, *pages, RIGHTS_ALL,
				    &at)) == -XG_ENOSPC &&
	       *pages > 1)
		*pages /= 2;
	*va = at.va;
	return rc;
}

/* Xen kept some of a window's frames, which nobody can reach any more. Once
 * more: what stays now is lost for good. */
static int empty_again(struct xg_vm *vm, const struct xg_window *at)
{
	for (uint32_t i = 0; i < at->pages; i++) {
		int rc = xg_memory_remove_from_physmap(vm->guest, DOMID_SELF,
						       at->gfn + i);

		if (rc && rc != -XG_ENOENT)
			return -XG_EIO;
	}
	return 0;
}

static int close_ram(struct xg_vm *vm, void *va, uint32_t pages)
{
	struct xg_guest *g = vm->guest;
	struct xg_window at;
	uint32_t left;
	int rc;

	if (vm->dom == DOMID_SELF)
		return g->platform->unmap(g->context, va, pages);
	rc = window_at(vm, va, pages, &at);
	if (!rc)
		rc = xg_foreign_unmap(g, &at, &left);
	if (rc == -XG_EIO)
		rc = empty_again(vm, &at);
	return rc ? rc : xg_region_put_pages(g, va, pages);
}

int xg_vm_close_ram(struct xg_vm *vm, void *va, uint32_t pages)
{
	int rc = close_ram(vm, va, pages);

	/* Also twice: most callers have no place to remember a window. */
	return rc && rc != -XG_EIO ? close_ram(vm, va, pages) : rc;
}

/* A frame of ours with device memory, empty again. Twice, as above. */
static int empty_device(struct xg_vm *vm, uint64_t gfn, uint64_t mfn)
{
	uint32_t done;

	if (!xg_domctl_unmap_mmio(vm->guest, vm->self, gfn, mfn, 1, &done) ||
	    !xg_domctl_unmap_mmio(vm->guest, vm->self, gfn, mfn, 1, &done))
		return 0;
	return -XG_EIO;
}

/* The CPU's part of a window on device memory. Xen's makes it device memory,
 * whatever the CPU's says. */
static int make_visible(struct xg_vm *vm, void *va, uint64_t gfn, uint64_t mfn)
{
	int rc = xg_region_map(vm->guest, va, 1, RIGHTS_ALL);

	if (rc && empty_device(vm, gfn, mfn))
		return -XG_EIO;
	return rc;
}

int xg_vm_open_mmio(struct xg_vm *vm, uint64_t mfn, void **va)
{
	struct xg_guest *g = vm->guest;
	struct xg_window at;
	uint32_t done;
	int rc;

	if (vm->self == DOMID_SELF)
		return -XG_EOPNOTSUPP;
	rc = xg_region_get_window(g, 1, &at);
	if (rc)
		return rc;
	*va = at.va;
	rc = xg_domctl_map_mmio(g, vm->self, at.gfn, mfn, 1, &done);
	if (!rc)
		rc = make_visible(vm, *va, at.gfn, mfn);
	if (rc && rc != -XG_EIO)
		xg_region_put_pages(g, *va, 1);
	return rc;
}

static int close_mmio(struct xg_vm *vm, uint64_t mfn, void *va)
{
	struct xg_guest *g = vm->guest;
	struct xg_window at;
	int rc = window_at(vm, va, 1, &at);

	if (!rc)
		rc = xg_region_unmap(g, va, 1);
	if (!rc)
		rc = empty_device(vm, at.gfn, mfn);
	return rc ? rc : xg_region_put_pages(g, va, 1);
}

int xg_vm_close_mmio(struct xg_vm *vm, uint64_t mfn, void *va)
{
	int rc = close_mmio(vm, mfn, va);

	return rc && rc != -XG_EIO ? close_mmio(vm, mfn, va) : rc;
}
