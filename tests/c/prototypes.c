/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * The types of Zephyr's calls, as its documentation has them: a program written
 * for these compiles without a cast. Nothing to run.
 */
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
