/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * One guest: the library's state for the domain that the caller runs in.
 *
 * Nothing is allocated: the caller provides `struct xg_guest`, the tables
 * that struct xg_guest_config points to, and the address ranges for the pages
 * that Xen shares. All of it must stay in place from xg_guest_init() to
 * xg_guest_fini(). Fields are the library's; they are visible only so that
 * storage can be declared.
 */
#ifndef XEN_GUEST_GUEST_H
#define XEN_GUEST_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "domctl.h"
#include "balloon.h"
#include "errno.h"
#include "evtchn.h"
#include "foreign.h"
#include "gnttab.h"
#include "hvm.h"
#include "memory.h"
#include "platform.h"
#include "region.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What xg_guest_init() is given; read there and not kept. */
struct xg_guest_config {
	const struct xg_platform *platform; /* the hooks, platform.h */
	void *context;			    /* first argument of every hook */

	/* Where Xen's shared-info page goes: one page. */
	struct xg_window shared_info;

	/* Handler table: ports 1 .. 64 * nr_port_groups - 1 can be used. At
	 * most XG_MAX_2L_GROUPS count for the 2-level ABI, XG_MAX_PORT_GROUPS
	 * and the words below for the FIFO ABI. */
	struct xg_port_group *port_groups;
	uint32_t nr_port_groups;

	/* One for each vCPU that gets events. */
	struct xg_vcpu *vcpus;
	uint32_t nr_vcpus; /* 1 to XG_MAX_VCPUS */
	/* Which ports are whose: nr_vcpus * nr_port_groups words. Not needed
	 * for one vCPU. */
	uint64_t *vcpu_ports;

	/* Close the event channels that earlier firmware in this domain left
	 * open. Ports that the toolstack opened go too. */
	bool reset_events;

	/* Ask for the FIFO ABI: page-aligned RAM, XG_FIFO_PAGES(ports) pages,
	 * which are Xen's until xg_guest_fini(). 0 pages, or a Xen that does
	 * not have it: the 2-level ABI. At most XG_FIFO_MAX_VCPUS vCPUs. */
	void *fifo_pages;
	uint32_t nr_fifo_pages;

	/* Where the grant table goes, XG_GRANTS_PER_FRAME references a page.
	 * `pages` 0: no grant table, grants answer -XG_ENOSYS. The table
	 * starts with one frame and grows to this, or Xen's limit if that is
	 * lower. */
	struct xg_window gnttab;
	/* The version of its entries: 1, or 0 for that, or 2 where Xen has it,
	 * which is on x86: for xg_gnttab_grant_sub_page(). Version 2 has
	 * XG_GRANTS_PER_FRAME_V2 references a page, and for each
	 * XG_GRANT_STATUS_FRAMES pages, or fewer, it takes one more of the
	 * window: two at least, 72 at most. Otherwise everything is as with
	 * version 1, where granting and ending are faster. */
	uint32_t gnttab_version;
	/* One word per 64 references of the window: XG_GRANT_WORDS(pages), or
	 * with version 2 half of that. */
	uint64_t *gnttab_words;
	/* Places for grants that xg_gnttab_park() can't end at once. May be
	 * 0. */
	struct xg_parked *parked;
	uint32_t nr_parked;

	/* Where foreign pages can be mapped, each set up by
	 * xg_region_init(). 0: none, or xg_guest_set_regions() later. */
	struct xg_region *regions;
	uint32_t nr_regions;
};

/* One guest: the caller's storage, the library's contents. */
struct xg_guest {
	const struct xg_platform *platform;
	void *context;
	struct xg_window shared_info;
	struct xg_evtchn evtchn;
	struct xg_gnttab gnttab;
	struct xg_region *regions;
	uint32_t nr_regions;
	uint32_t domctl_version; /* the last that Xen knew; 0: none yet */
};

/*
 * Set up: map the shared-info page, mask every event channel, map the grant
 * table's first frame. The caller then connects Xen's event interrupt to
 * xg_evtchn_upcall() and enables it.
 *
 * Returns 0, or
 *   -XG_EINVAL  a null or misaligned pointer, a size out of range, a window
 *               that overlaps another
 *   -XG_EBUSY   earlier firmware left shared info or grant frames mapped
 *               elsewhere (Xen 4.17 and newer on Arm refuse a second place)
 *   -XG_ENOSPC  there is no room for a frame of the grant table
 *   -XG_ENOSYS  Xen does not have that version of it
 *   other negative numbers from the `map` hook or from Xen.
 * On failure nothing stays mapped. Not reentrant; before interrupts.
 */
int xg_guest_init(struct xg_guest *g, const struct xg_guest_config *config);

/*
 * Give back what xg_guest_init() set up: the grant table and the shared-info
 * page leave the physmap, the FIFO pages are the guest's again. The event
 * interrupt must be disabled before. What Xen shares of vCPUs other than the
 * first can't be taken back: their struct xg_vcpu must stay. After an
 * xg_evtchn_wait() Xen writes 48 bytes to virtual address 0, if there is
 * memory: it has no other way to be told where a vCPU's times are not wanted
 * any more (VCPUOP_register_runstate_memory_area). A grant table of version 2
 * is one of version 1 again, unless peers still use grants of earlier firmware.
 *
 * Returns 0; -XG_EBUSY while a grant or an event channel is open (nothing is
 * changed); -XG_EIO if Xen or the platform kept a page (the rest is undone;
 * windows and FIFO pages must not be used for anything else).
 */
int xg_guest_fini(struct xg_guest *g);

/*
 * Have the guest use these regions from now on, and not those that it had:
 * where they are made of its own RAM (balloon.h), which takes a guest. 0: none.
 *
 * Returns 0, or with nothing changed
 *   -XG_EINVAL  a null pointer, a region that is not set up, or overlaps
 *               another or what Xen shares with the guest
 *   -XG_EBUSY   a page of the regions that it had is taken
 * Not while any other call about regions, or into their pages, is under way.
 */
int xg_guest_set_regions(struct xg_guest *g, struct xg_region *regions,
			 uint32_t nr_regions);

/*
 * The guest that the Zephyr- and libsel4vm-named calls act on: one for the
 * whole image on bare metal, one per thread in hosted builds. Null until set.
 * The library does not set it by itself.
 */
struct xg_guest *xg_current(void);
void xg_set_current(struct xg_guest *g);

#ifdef __cplusplus
}
#endif

#endif
