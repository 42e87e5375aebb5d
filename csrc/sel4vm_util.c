/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* libsel4vm's common mappings over the core. */
#include "sel4vm/guest_memory_util.h"

#include "internal.h"

void *create_allocated_reservation_frame(
	vm_t *vm, uintptr_t addr, seL4_CapRights_t rights,
	memory_fault_callback_fn alloc_fault_callback, void *alloc_fault_cookie)
{
	vm_memory_reservation_t *r;
	void *window = NULL;
	int rc = xg_vm_create_ram(vm, addr, rights, alloc_fault_callback,
				  alloc_fault_cookie, &r, &window);

	if (vm)
		vm->last_error = rc;
	return rc ? NULL : window;
}

void *create_device_reservation_frame(vm_t *vm, uintptr_t addr,
				      seL4_CapRights_t rights,
				      memory_fault_callback_fn fault_callback,
				      void *fault_cookie)
{
	vm_memory_reservation_t *r;
	void *window = NULL;
	int rc = xg_vm_create_mmio(vm, addr, rights, fault_callback,
				   fault_cookie, &r, &window);

	if (vm)
		vm->last_error = rc;
	return rc ? NULL : window;
}

int map_ut_alloc_reservation_with_base_paddr(
	vm_t *vm, uintptr_t paddr, vm_memory_reservation_t *reservation)
{
	return xg_vm_map_mmio(vm, reservation, paddr);
}

int map_ut_alloc_reservation(vm_t *vm, vm_memory_reservation_t *reservation)
{
	return reservation ? xg_vm_map_mmio(vm, reservation, reservation->addr)
			   : -XG_EINVAL;
}

int map_frame_alloc_reservation(vm_t *vm, vm_memory_reservation_t *reservation)
{
	return xg_vm_map_ram(vm, reservation, true);
}

int map_maybe_device_reservation(vm_t *vm, vm_memory_reservation_t *reservation)
{
	return xg_vm_map_ram(vm, reservation, false);
}
