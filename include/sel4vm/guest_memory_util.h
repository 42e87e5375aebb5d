/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Common mappings of guest memory under libsel4vm's names. Every call is a
 * thin form of one in xen_guest/guest_memory.h; guest_memory.h here says how
 * errors are told and where this differs from libsel4vm.
 */
#ifndef SEL4VM_GUEST_MEMORY_UTIL_H
#define SEL4VM_GUEST_MEMORY_UTIL_H

#include "guest_memory.h"

#ifdef __cplusplus
extern "C" {
#endif

/* xg_vm_create_ram(): zeroed memory. Returns where it can be seen, or null. */
void *create_allocated_reservation_frame(
	vm_t *vm, uintptr_t addr, seL4_CapRights_t rights,
	memory_fault_callback_fn alloc_fault_callback,
	void *alloc_fault_cookie);
/* xg_vm_create_mmio(): the device memory of the same address. */
void *create_device_reservation_frame(vm_t *vm, uintptr_t addr,
				      seL4_CapRights_t rights,
				      memory_fault_callback_fn fault_callback,
				      void *fault_cookie);
/* xg_vm_map_mmio() from the page of paddr on. */
int map_ut_alloc_reservation_with_base_paddr(
	vm_t *vm, uintptr_t paddr, vm_memory_reservation_t *reservation);
/* xg_vm_map_mmio(): device memory at its own address. */
int map_ut_alloc_reservation(vm_t *vm, vm_memory_reservation_t *reservation);
/* xg_vm_map_ram(), zeroed. */
int map_frame_alloc_reservation(vm_t *vm, vm_memory_reservation_t *reservation);
/* xg_vm_map_ram(), as it comes. */
int map_maybe_device_reservation(vm_t *vm,
				 vm_memory_reservation_t *reservation);

#ifdef __cplusplus
}
#endif

#endif
