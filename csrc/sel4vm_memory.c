/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* libsel4vm's reservations over the core. */
#include "sel4vm/guest_memory.h"

#include "internal.h"

/* For calls that return a pointer. */
static vm_memory_reservation_t *told(vm_t *vm, int rc,
				     vm_memory_reservation_t *reservation)
{
	if (vm)
		vm->last_error = rc;
	return rc ? NULL : reservation;
}

int vm_memory_init(vm_t *vm, const struct xg_vm_config *config)
{
	return xg_vm_init(vm, xg_current(), config);
}

int vm_memory_fini(vm_t *vm)
{
	return xg_vm_fini(vm);
}

uint32_t vm_memory_caps(const vm_t *vm)
{
	return xg_vm_caps(vm);
}

uint32_t vm_memory_serve(vm_t *vm)
{
	return xg_vm_serve(vm);
}

int vm_last_error(const vm_t *vm)
{
	return vm ? vm->last_error : -XG_EINVAL;
}

vm_memory_reservation_t *
vm_reserve_memory_at(vm_t *vm, uintptr_t addr, size_t size,
		     memory_fault_callback_fn fault_callback, void *cookie)
{
	vm_memory_reservation_t *r = NULL;
	int rc = xg_vm_reserve(vm, addr, size, fault_callback, cookie, &r);

	return told(vm, rc, r);
}

vm_memory_reservation_t *
vm_reserve_anon_memory(vm_t *vm, size_t size, size_t align,
		       memory_fault_callback_fn fault_callback, void *cookie,
		       uintptr_t *addr)
{
	vm_memory_reservation_t *r = NULL;
	int rc =
		xg_vm_reserve_anon(vm, size, align, fault_callback, cookie, &r);

	if (!rc && addr)
		*addr = r->addr;
	return told(vm, rc, r);
}

int vm_memory_make_anon(vm_t *vm, uintptr_t addr, size_t size)
{
	return xg_vm_add_pool(vm, addr, size);
}

int vm_free_reserved_memory(vm_t *vm, vm_memory_reservation_t *reservation)
{
	return xg_vm_free(vm, reservation);
}

vm_memory_reservation_t *vm_reservation_at(vm_t *vm, uintptr_t addr)
{
	return xg_vm_find(vm, addr);
}

void vm_get_reservation_memory_region(vm_memory_reservation_t *reservation,
				      uintptr_t *addr, size_t *size)
{
	if (!reservation)
		return;
	if (addr)
		*addr = reservation->addr;
	if (size)
		*size = reservation->size;
}

int vm_map_reservation(vm_t *vm, vm_memory_reservation_t *reservation,
		       memory_map_iterator_fn map_iterator, void *cookie)
{
	return xg_vm_map(vm, reservation, map_iterator, cookie);
}

int map_vm_memory_reservation(vm_t *vm, vm_memory_reservation_t *reservation,
			      memory_map_iterator_fn map_iterator, void *cookie)
{
	return xg_vm_map_now(vm, reservation, map_iterator, cookie);
}

struct frames {
	const seL4_CPtr *frames;
	size_t count;
	size_t size_bits;
	uintptr_t first;
};

static vm_frame_t next_frame(uintptr_t addr, void *cookie)
{
	const struct frames *frames = cookie;
	size_t index = (addr - frames->first) >> frames->size_bits;
	vm_frame_t frame = {
		.frame = XG_VM_FRAME_NONE,
		.rights = seL4_AllRights,
		.vaddr = addr,
		.size_bits = frames->size_bits,
	};

	if (index < frames->count)
		frame.frame = frames->frames[index];
	return frame;
}

int vm_map_reservation_frames(vm_t *vm, vm_memory_reservation_t *reservation,
			      seL4_CPtr *frames, size_t num_frames,
			      size_t frame_size_bits)
{
	struct frames cookie = {
		.frames = frames,
		.count = num_frames,
		.size_bits = frame_size_bits,
	};

	/* Others are refused when the frame is looked at. */
	if (!reservation || !frames || frame_size_bits >= 32)
		return -XG_EINVAL;
	cookie.first = reservation->first;
	return xg_vm_map_now(vm, reservation, next_frame, &cookie);
}

memory_fault_result_t vm_memory_handle_fault(vm_t *vm, vm_vcpu_t *vcpu,
					     uintptr_t addr, size_t size)
{
	return xg_vm_fault(vm, vcpu, addr, size);
}

int vm_register_unhandled_mem_fault_callback(
	vm_t *vm, unhandled_mem_fault_callback_fn fault_handler, void *cookie)
{
	return xg_vm_set_unhandled(vm, fault_handler, cookie);
}

memory_fault_result_t default_error_fault_callback(vm_t *vm, vm_vcpu_t *vcpu,
						   uintptr_t fault_addr,
						   size_t fault_length,
						   void *cookie)
{
	(void)vm;
	(void)vcpu;
	(void)fault_addr;
	(void)fault_length;
	(void)cookie;
	return FAULT_ERROR;
}
