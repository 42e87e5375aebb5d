/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Loads and stores on behalf of a vCPU, each of exactly its size.
 *
 * Volatile, as it may be a device's register. Atomic, as it may be memory that
 * the domain or another thread writes meanwhile; nothing is ordered by them.
 */
#include "guest_memory.h"

static bool aligned(uintptr_t addr, uint32_t size)
{
	return !(addr & (size - 1));
}

static uint64_t load(const volatile void *from, uint32_t size)
{
	switch (size) {
	case 1:
		return __atomic_load_n((const volatile uint8_t *)from,
				       __ATOMIC_RELAXED);
	case 2:
		return __atomic_load_n((const volatile uint16_t *)from,
				       __ATOMIC_RELAXED);
	case 4:
		return __atomic_load_n((const volatile uint32_t *)from,
				       __ATOMIC_RELAXED);
	default:
		return __atomic_load_n((const volatile uint64_t *)from,
				       __ATOMIC_RELAXED);
	}
}

static void store(volatile void *to, uint32_t size, uint64_t data)
{
	switch (size) {
	case 1:
		__atomic_store_n((volatile uint8_t *)to, (uint8_t)data,
				 __ATOMIC_RELAXED);
		break;
	case 2:
		__atomic_store_n((volatile uint16_t *)to, (uint16_t)data,
				 __ATOMIC_RELAXED);
		break;
	case 4:
		__atomic_store_n((volatile uint32_t *)to, (uint32_t)data,
				 __ATOMIC_RELAXED);
		break;
	default:
		__atomic_store_n((volatile uint64_t *)to, data,
				 __ATOMIC_RELAXED);
		break;
	}
}

static uint64_t load_bytes(const uint8_t *from, uint32_t size)
{
	uint64_t data = 0;

	for (uint32_t i = 0; i < size; i++)
		data |= load(from + i, 1) << (8 * i);
	return data;
}

static void store_bytes(uint8_t *to, uint32_t size, uint64_t data)
{
	for (uint32_t i = 0; i < size; i++)
		store(to + i, 1, data >> (8 * i));
}

static bool size_valid(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

int xg_vm_read_page(const struct xg_vm_reservation *r, uintptr_t addr,
		    uint32_t size, uint64_t *data)
{
	const uint8_t *from = (const uint8_t *)r->window + (addr - r->first);

	if (!size_valid(size))
		return -XG_EINVAL;
	if (aligned(addr, size))
		*data = load(from, size);
	else if (r->backing == BACKING_PAGE)
		*data = load_bytes(from, size);
	else
		return -XG_EINVAL;
	return 0;
}

/* `size` bytes inside one page, of which `at` is the first. */
static void do_bytes(struct xg_vm_vcpu *vcpu, uint8_t *at, uint32_t size,
		     uint32_t shift)
{
	if (size == vcpu->size && aligned(vcpu->addr, size)) {
		if (vcpu->write)
			store(at, size, vcpu->data);
		else
			vcpu->data = load(at, size);
	} else if (vcpu->write) {
		store_bytes(at, size, vcpu->data >> shift);
	} else {
		vcpu->data |= load_bytes(at, size) << shift;
	}
}

static int do_ram(struct xg_vm *vm, struct xg_vm_vcpu *vcpu)
{
	uintptr_t addr = vcpu->addr;
	uint32_t done = 0;

	if (!vcpu->write)
		vcpu->data = 0;
	/* One page, or the end of one and the start of the next. */
	while (done < vcpu->size) {
		uintptr_t offset = xg_page_offset(addr + done);
		uint32_t size = vcpu->size - done;
		uint32_t one = 1;
		void *va;
		int rc = xg_vm_open_ram(vm, frame_of(addr + done), &one, &va);

		if (rc)
			return rc;
		if (size > XG_PAGE_SIZE - offset)
			size = (uint32_t)(XG_PAGE_SIZE - offset);
		do_bytes(vcpu, (uint8_t *)va + offset, size, 8 * done);
		rc = xg_vm_close_ram(vm, va, 1);
		if (rc)
			return rc;
		done += size;
	}
	return 0;
}

static int do_mmio(struct xg_vm *vm, const struct xg_vm_reservation *r,
		   struct xg_vm_vcpu *vcpu)
{
	uint64_t mfn = r->base + ((vcpu->addr - r->first) >> XG_PAGE_SHIFT);
	void *va;
	int rc;

	if (!aligned(vcpu->addr, vcpu->size))
		return -XG_EINVAL;
	rc = xg_vm_open_mmio(vm, mfn, &va);
	if (rc)
		return rc;
	do_bytes(vcpu, (uint8_t *)va + xg_page_offset(vcpu->addr), vcpu->size,
		 0);
	return xg_vm_close_mmio(vm, mfn, va);
}

/* A page that is seen all the time. */
static int do_seen(const struct xg_vm_reservation *r, struct xg_vm_vcpu *vcpu)
{
	if (r->backing == BACKING_MMIO && !aligned(vcpu->addr, vcpu->size))
		return -XG_EINVAL;
	if (!vcpu->write)
		vcpu->data = 0;
	do_bytes(vcpu, (uint8_t *)r->window + (vcpu->addr - r->first),
		 vcpu->size, 0);
	return 0;
}

int xg_vm_do_access(struct xg_vm *vm, struct xg_vm_vcpu *vcpu)
{
	struct xg_vm_reservation *r = xg_vm_lookup(vm, vcpu->addr);

	if (!r || !xg_vm_is_direct(r) || !size_valid(vcpu->size) ||
	    vcpu->size - 1 > r->last - vcpu->addr)
		return -XG_EINVAL;
	if (r->window)
		return do_seen(r, vcpu);
	return r->backing == BACKING_MMIO ? do_mmio(vm, r, vcpu)
					  : do_ram(vm, vcpu);
}
