/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The types of Zephyr's and libsel4vm's calls, as their documentation has them:
 * a program written for these compiles without a cast. Nothing to run.
 */
#include <sel4vm/guest_memory.h>
#include <sel4vm/guest_memory_util.h>
#include <sel4vm/guest_vcpu_fault.h>
#include <zephyr/xen/events.h>
#include <zephyr/xen/gnttab.h>
#include <zephyr/xen/memory.h>
#include <zephyr/xen/regions.h>

/* The function is there, returns this and takes that. */
#define HAS(result, name, ...)                                                 \
	_Static_assert(                                                        \
		_Generic(&(name), result(*)(__VA_ARGS__) : 1, default : 0),    \
		#name)

HAS(int, evtchn_status, evtchn_status_t *);
HAS(int, evtchn_close, evtchn_port_t);
HAS(int, evtchn_set_priority, evtchn_port_t, uint32_t);
HAS(int, notify_evtchn, evtchn_port_t);
HAS(int, alloc_unbound_event_channel, domid_t);
HAS(int, alloc_unbound_event_channel_dom0, domid_t, domid_t);
HAS(int, bind_interdomain_event_channel, domid_t, evtchn_port_t, evtchn_cb_t,
    void *);
HAS(int, bind_event_channel, evtchn_port_t, evtchn_cb_t, void *);
HAS(int, unbind_event_channel, evtchn_port_t);
HAS(int, get_missed_events, evtchn_port_t);
HAS(int, mask_event_channel, evtchn_port_t);
HAS(int, unmask_event_channel, evtchn_port_t);
HAS(void, clear_event_channel, evtchn_port_t);
HAS(int, xen_events_init, void);

HAS(grant_ref_t, gnttab_grant_access, domid_t, unsigned long, bool);
HAS(int, gnttab_end_access, grant_ref_t);
HAS(int32_t, gnttab_alloc_and_grant, void **, bool);
HAS(void *, gnttab_get_pages, unsigned int);
HAS(int, gnttab_put_pages, void *, unsigned int);
HAS(int, gnttab_map_refs, struct gnttab_map_grant_ref *, unsigned int);
HAS(int, gnttab_unmap_refs, struct gnttab_unmap_grant_ref *, unsigned int);
HAS(const char *, gnttabop_error, int16_t);

HAS(int, xendom_add_to_physmap, int, unsigned long, unsigned int, xen_pfn_t);
HAS(int, xendom_add_to_physmap_batch, int, int, unsigned int, unsigned int,
    xen_ulong_t *, xen_pfn_t *, int *);
HAS(int, xendom_remove_from_physmap, int, xen_pfn_t);
HAS(int, xendom_populate_physmap, int, unsigned int, unsigned int, unsigned int,
    xen_pfn_t *);
HAS(int, xendom_acquire_resource, domid_t, uint16_t, uint32_t, uint64_t,
    uint32_t *, xen_pfn_t *);

HAS(bool, xen_region_is_addr_extreg, void *);
HAS(void *, xen_region_get_pages, size_t);
HAS(int, xen_region_put_pages, void *, size_t);
HAS(int, xen_region_map, void *, size_t);
HAS(int, xen_region_unmap, void *, size_t);

HAS(vm_memory_reservation_t *, vm_reserve_memory_at, vm_t *, uintptr_t, size_t,
    memory_fault_callback_fn, void *);
HAS(vm_memory_reservation_t *, vm_reserve_anon_memory, vm_t *, size_t, size_t,
    memory_fault_callback_fn, void *, uintptr_t *);
HAS(int, vm_memory_make_anon, vm_t *, uintptr_t, size_t);
HAS(int, vm_free_reserved_memory, vm_t *, vm_memory_reservation_t *);
HAS(int, vm_map_reservation, vm_t *, vm_memory_reservation_t *,
    memory_map_iterator_fn, void *);
HAS(int, map_vm_memory_reservation, vm_t *, vm_memory_reservation_t *,
    memory_map_iterator_fn, void *);
HAS(int, vm_map_reservation_frames, vm_t *, vm_memory_reservation_t *,
    seL4_CPtr *, size_t, size_t);
HAS(void, vm_get_reservation_memory_region, vm_memory_reservation_t *,
    uintptr_t *, size_t *);
HAS(int, vm_register_unhandled_mem_fault_callback, vm_t *,
    unhandled_mem_fault_callback_fn, void *);
HAS(memory_fault_result_t, default_error_fault_callback, vm_t *, vm_vcpu_t *,
    uintptr_t, size_t, void *);

HAS(void *, create_allocated_reservation_frame, vm_t *, uintptr_t,
    seL4_CapRights_t, memory_fault_callback_fn, void *);
HAS(void *, create_device_reservation_frame, vm_t *, uintptr_t,
    seL4_CapRights_t, memory_fault_callback_fn, void *);
HAS(int, map_ut_alloc_reservation_with_base_paddr, vm_t *, uintptr_t,
    vm_memory_reservation_t *);
HAS(int, map_ut_alloc_reservation, vm_t *, vm_memory_reservation_t *);
HAS(int, map_frame_alloc_reservation, vm_t *, vm_memory_reservation_t *);
HAS(int, map_maybe_device_reservation, vm_t *, vm_memory_reservation_t *);

HAS(seL4_Word, get_vcpu_fault_address, vm_vcpu_t *);
HAS(seL4_Word, get_vcpu_fault_ip, vm_vcpu_t *);
HAS(seL4_Word, get_vcpu_fault_data, vm_vcpu_t *);
HAS(seL4_Word, get_vcpu_fault_data_mask, vm_vcpu_t *);
HAS(size_t, get_vcpu_fault_size, vm_vcpu_t *);
HAS(bool, is_vcpu_read_fault, vm_vcpu_t *);
HAS(int, set_vcpu_fault_data, vm_vcpu_t *, seL4_Word);
HAS(seL4_Word, emulate_vcpu_fault, vm_vcpu_t *, seL4_Word);
HAS(void, advance_vcpu_fault, vm_vcpu_t *);
HAS(void, restart_vcpu_fault, vm_vcpu_t *);
