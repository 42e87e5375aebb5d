/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Guest memory under libsel4vm's names: reservations, their mapping, and what
 * becomes of faults.
 *
 * Every call is a thin form of one in xen_guest/guest_memory.h, whose contract
 * holds. Calls that return a pointer return null on failure, and
 * vm_last_error() then says why; the others a negative error instead of -1.
 *
 * Where this differs from libsel4vm, and why:
 *
 *  D1  A size of 0 and a range that wraps are refused: such a reservation
 *      would never match an access.
 *  D2  All of a page belongs to the reservation that has a byte of it, for
 *      lookups too: Xen maps pages, and the rest of the last one is there.
 *  D3  An access beyond the end of a reservation is FAULT_ERROR, for regular
 *      and anonymous ones alike: the callback would be asked about bytes that
 *      are not its own.
 *  D4  Anonymous reservations can be freed, and gaps are used again once the
 *      end of the pool is reached. An alignment is a power of two, or 0 for a
 *      page, and never leads out of the pool.
 *  D5  A mapping that fails is taken back as a whole, and a deferred one is
 *      tried again with the next access.
 *  D6  A base that is not page aligned covers all pages that are touched.
 *  D7  Freeing gives RAM back to Xen.
 *  D8  Reservations that create_*() make are found by vm_reservation_at(), and
 *      so can be freed.
 *  D9  FAULT_IGNORE of a read lets the vCPU see all bits set: Xen can't leave
 *      its register alone.
 *  D10 Failures are negative error numbers (xen_guest/errno.h).
 *  D11 create_*() want an address that is page aligned: they make one page.
 *  D12 All frames of a reservation are of one kind, and device memory is one
 *      piece: so nothing has to be remembered for each page.
 *  D13 FAULT_RESTART lets the library do the access on the memory that is
 *      there: Xen can't have a vCPU try again.
 *  D14 A vm_t is set up with the caller's storage, and for xg_current().
 *  D15 restart_vcpu_fault() without memory ends the access as FAULT_ERROR does:
 *      again, Xen can't have a vCPU try again.
 *  D16 A vm_frame_t names its frame in `frame`, which is no capability, and
 *      rights other than both are refused: a mapping that is for reading only
 *x */
#ifndef SEL4VM_GUEST_MEMORY_H
#define SEL4VM_GUEST_MEMORY_H

#include "guest_vm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* xg_vm_init() for xg_current(); -XG_EINVAL if there is none. */
int vm_memory_init(vm_t *vm, const struct xg_vm_config *config);
/* xg_vm_fini() */
int vm_memory_fini(vm_t *vm);
/* xg_vm_caps() */
uint32_t vm_memory_caps(const vm_t *vm);
/* xg_vm_serve() */
uint32_t vm_memory_serve(vm_t *vm);
/* Why the last call returned null or FAULT_ERROR, or could not restart an
 * access; 0 if it did not. */
int vm_last_error(const vm_t *vm);

/* xg_vm_reserve() */
vm_memory_reservation_t *
vm_reserve_memory_at(vm_t *vm, uintptr_t addr, size_t size,
		     memory_fault_callback_fn fault_callback, void *cookie);
/* xg_vm_reserve_anon(); *addr, unless null, says where. */
vm_memory_reservation_t *
vm_reserve_anon_memory(vm_t *vm, size_t size, size_t align,
		       memory_fault_callback_fn fault_callback, void *cookie,
		       uintptr_t *addr);
/* xg_vm_add_pool() */
int vm_memory_make_anon(vm_t *vm, uintptr_t addr, size_t size);
/* xg_vm_free() */
int vm_free_reserved_memory(vm_t *vm, vm_memory_reservation_t *reservation);
/* xg_vm_find() */
vm_memory_reservation_t *vm_reservation_at(vm_t *vm, uintptr_t addr);
/* The range that was asked for. */
void vm_get_reservation_memory_region(vm_memory_reservation_t *reservation,
				      uintptr_t *addr, size_t *size);

/* xg_vm_map() */
int vm_map_reservation(vm_t *vm, vm_memory_reservation_t *reservation,
		       memory_map_iterator_fn map_iterator, void *cookie);
/* xg_vm_map_now() */
int map_vm_memory_reservation(vm_t *vm, vm_memory_reservation_t *reservation,
			      memory_map_iterator_fn map_iterator,
			      void *cookie);
/* xg_vm_map_now() with frames[], each of 2 to the power of frame_size_bits
 * bytes. -XG_EINVAL if they are fewer than the reservation takes. */
int vm_map_reservation_frames(vm_t *vm, vm_memory_reservation_t *reservation,
			      seL4_CPtr *frames, size_t num_frames,
			      size_t frame_size_bits);

/* xg_vm_fault() */
memory_fault_result_t vm_memory_handle_fault(vm_t *vm, vm_vcpu_t *vcpu,
					     uintptr_t addr, size_t size);
/* xg_vm_set_unhandled() */
int vm_register_unhandled_mem_fault_callback(
	vm_t *vm, unhandled_mem_fault_callback_fn fault_handler, void *cookie);
/* A callback for what nobody is to access: FAULT_ERROR. */
memory_fault_result_t default_error_fault_callback(vm_t *vm, vm_vcpu_t *vcpu,
						   uintptr_t fault_addr,
						   size_t fault_length,
						   void *cookie);

#ifdef __cplusplus
}
#endif

#endif
