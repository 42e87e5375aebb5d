/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Xen's ABI, grant_table.h: grant entries and grant table operations. */

#ifndef __XEN_PUBLIC_GRANT_TABLE_H__
#define __XEN_PUBLIC_GRANT_TABLE_H__

#include "xen.h"

/** Index of an entry in a domain's grant table. */
typedef uint32_t grant_ref_t;

/** A grant table entry, version 1. */
struct grant_entry_v1 {
	/** GTF_*; Xen sets the reading and writing bits. */
	uint16_t flags;
	/** Who the grant is for. */
	domid_t domid;
	/** The granted frame, or where a transferred frame arrived. */
	uint32_t frame;
};
typedef struct grant_entry_v1 grant_entry_v1_t;

/* The first entries are the toolstack's. */
#define GNTTAB_NR_RESERVED_ENTRIES 8
#define GNTTAB_RESERVED_CONSOLE	   0
#define GNTTAB_RESERVED_XENSTORE   1

/* What an entry is. */
#define GTF_invalid	    (0U << 0)
#define GTF_permit_access   (1U << 0)
#define GTF_accept_transfer (2U << 0)
#define GTF_transitive	    (3U << 0)
#define GTF_type_mask	    (3U << 0)

/* Modifiers of GTF_permit_access and GTF_transitive. */
#define _GTF_readonly (2)
#define GTF_readonly  (1U << _GTF_readonly)
#define _GTF_reading  (3)
#define GTF_reading   (1U << _GTF_reading)
#define _GTF_writing  (4)
#define GTF_writing   (1U << _GTF_writing)
#define _GTF_PWT      (5)
#define GTF_PWT	      (1U << _GTF_PWT)
#define _GTF_PCD      (6)
#define GTF_PCD	      (1U << _GTF_PCD)
#define _GTF_PAT      (7)
#define GTF_PAT	      (1U << _GTF_PAT)
#define _GTF_sub_page (8)
#define GTF_sub_page  (1U << _GTF_sub_page)

/* Progress of GTF_accept_transfer. */
#define _GTF_transfer_committed (2)
#define GTF_transfer_committed	(1U << _GTF_transfer_committed)
#define _GTF_transfer_completed (3)
#define GTF_transfer_completed	(1U << _GTF_transfer_completed)

/** Start of every version 2 entry. */
struct grant_entry_header {
	/** GTF_*, without the reading and writing bits. */
	uint16_t flags;
	/** Who the grant is for. */
	domid_t domid;
};
typedef struct grant_entry_header grant_entry_header_t;

/** A grant table entry, version 2. */
union grant_entry_v2 {
	/** Common to all forms. */
	grant_entry_header_t hdr;
	/** A whole page; also the form of transfers. */
	struct {
		grant_entry_header_t hdr;
		uint32_t pad0;
		uint64_t frame;
	} full_page;
	/** Part of a page, for copies only. */
	struct {
		grant_entry_header_t hdr;
		uint16_t page_off;
		uint16_t length;
		uint64_t frame;
	} sub_page;
	/** What another domain granted to this one, passed on. */
	struct {
		grant_entry_header_t hdr;
		domid_t trans_domid;
		uint16_t pad0;
		grant_ref_t gref;
	} transitive;
	/** Fixes the size. */
	uint32_t __spacer[4];
};
typedef union grant_entry_v2 grant_entry_v2_t;

/** Version 2 keeps the reading and writing bits apart, in these. */
typedef uint16_t grant_status_t;

/* Commands of __HYPERVISOR_grant_table_op. */
#define GNTTABOP_map_grant_ref	   0
#define GNTTABOP_unmap_grant_ref   1
#define GNTTABOP_setup_table	   2
#define GNTTABOP_dump_table	   3
#define GNTTABOP_transfer	   4
#define GNTTABOP_copy		   5
#define GNTTABOP_query_size	   6
#define GNTTABOP_unmap_and_replace 7
#define GNTTABOP_set_version	   8
#define GNTTABOP_get_status_frames 9
#define GNTTABOP_get_version	   10
#define GNTTABOP_swap_grant_ref	   11
#define GNTTABOP_cache_flush	   12

/** Names one mapping of a grant, to undo it by. */
typedef uint32_t grant_handle_t;

/** GNTTABOP_map_grant_ref. */
struct gnttab_map_grant_ref {
	/** In: where to map it. */
	uint64_t host_addr;
	/** In: GNTMAP_*. */
	uint32_t flags;
	/** In: the grant. */
	grant_ref_t ref;
	/** In: who granted it. */
	domid_t dom;
	/** Out: GNTST_*. */
	int16_t status;
	/** Out: undoes this mapping. */
	grant_handle_t handle;
	/** Out: address for devices. */
	uint64_t dev_bus_addr;
};
typedef struct gnttab_map_grant_ref gnttab_map_grant_ref_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_map_grant_ref_t);

/** GNTTABOP_unmap_grant_ref. */
struct gnttab_unmap_grant_ref {
	/** In: where it is mapped, or 0 to leave that. */
	uint64_t host_addr;
	/** In: address for devices, or 0 to leave that. */
	uint64_t dev_bus_addr;
	/** In: from the map call. */
	grant_handle_t handle;
	/** Out: GNTST_*. */
	int16_t status;
};
typedef struct gnttab_unmap_grant_ref gnttab_unmap_grant_ref_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_unmap_grant_ref_t);

/** GNTTABOP_setup_table: give the table at least so many frames. */
struct gnttab_setup_table {
	/** In: whose table. */
	domid_t dom;
	/** In: how many frames. */
	uint32_t nr_frames;
	/** Out: GNTST_*. */
	int16_t status;
	/** Out: the frames' numbers. */
	XEN_GUEST_HANDLE(xen_pfn_t) frame_list;
};
typedef struct gnttab_setup_table gnttab_setup_table_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_setup_table_t);

/** GNTTABOP_dump_table: print the table to Xen's console. */
struct gnttab_dump_table {
	/** In: whose table. */
	domid_t dom;
	/** Out: GNTST_*. */
	int16_t status;
};
typedef struct gnttab_dump_table gnttab_dump_table_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_dump_table_t);

/** GNTTABOP_transfer: give a frame away. */
struct gnttab_transfer {
	/** In: the frame. */
	xen_pfn_t mfn;
	/** In: who gets it. */
	domid_t domid;
	/** In: the receiver's GTF_accept_transfer entry. */
	grant_ref_t ref;
	/** Out: GNTST_*. */
	int16_t status;
};
typedef struct gnttab_transfer gnttab_transfer_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_transfer_t);

/* gnttab_copy.flags: that end is a grant, not a frame. */
#define _GNTCOPY_source_gref (0)
#define GNTCOPY_source_gref  (1 << _GNTCOPY_source_gref)
#define _GNTCOPY_dest_gref   (1)
#define GNTCOPY_dest_gref    (1 << _GNTCOPY_dest_gref)

/** GNTTABOP_copy: let Xen copy within one page on either side. */
struct gnttab_copy {
	/** In: from where, to where. */
	struct gnttab_copy_ptr {
		/** A grant or a frame, as `flags` says. */
		union {
			grant_ref_t ref;
			xen_pfn_t gmfn;
		} u;
		/** Whose it is. */
		domid_t domid;
		/** Offset in the page. */
		uint16_t offset;
	} source, dest;
	/** In: how many bytes. */
	uint16_t len;
	/** In: GNTCOPY_*. */
	uint16_t flags;
	/** Out: GNTST_*. */
	int16_t status;
};
typedef struct gnttab_copy gnttab_copy_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_copy_t);

/** GNTTABOP_query_size: the table's frames, now and at most. */
struct gnttab_query_size {
	/** In: whose table. */
	domid_t dom;
	/** Out: frames now. */
	uint32_t nr_frames;
	/** Out: frames at most. */
	uint32_t max_nr_frames;
	/** Out: GNTST_*. */
	int16_t status;
};
typedef struct gnttab_query_size gnttab_query_size_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_query_size_t);

/** GNTTABOP_unmap_and_replace: unmap, and put another mapping there. */
struct gnttab_unmap_and_replace {
	/** In: where it is mapped. */
	uint64_t host_addr;
	/** In: the mapping that moves there. */
	uint64_t new_addr;
	/** In: from the map call. */
	grant_handle_t handle;
	/** Out: GNTST_*. */
	int16_t status;
};
typedef struct gnttab_unmap_and_replace gnttab_unmap_and_replace_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_unmap_and_replace_t);

/** GNTTABOP_set_version: choose the entry format. */
struct gnttab_set_version {
	/** In: 1 or 2. Out: the version in use. */
	uint32_t version;
};
typedef struct gnttab_set_version gnttab_set_version_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_set_version_t);

/** GNTTABOP_get_status_frames: where version 2 keeps its status words. */
struct gnttab_get_status_frames {
	/** In: how many frames. */
	uint32_t nr_frames;
	/** In: whose table. */
	domid_t dom;
	/** Out: GNTST_*. */
	int16_t status;
	/** Out: the frames' numbers. */
	XEN_GUEST_HANDLE(uint64_t) frame_list;
};
typedef struct gnttab_get_status_frames gnttab_get_status_frames_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_get_status_frames_t);

/** GNTTABOP_get_version: the entry format in use. */
struct gnttab_get_version {
	/** In: whose table. */
	domid_t dom;
	/** Unused. */
	uint16_t pad;
	/** Out: 1 or 2. */
	uint32_t version;
};
typedef struct gnttab_get_version gnttab_get_version_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_get_version_t);

/** GNTTABOP_swap_grant_ref: exchange two entries. */
struct gnttab_swap_grant_ref {
	/** In: the one. */
	grant_ref_t ref_a;
	/** In: the other. */
	grant_ref_t ref_b;
	/** Out: GNTST_*. */
	int16_t status;
};
typedef struct gnttab_swap_grant_ref gnttab_swap_grant_ref_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_swap_grant_ref_t);

/** GNTTABOP_cache_flush: data cache maintenance on a granted page. */
struct gnttab_cache_flush {
	/** In: the page, by device address or by grant. */
	union {
		uint64_t dev_bus_addr;
		grant_ref_t ref;
	} a;
	/** In: where in the page. */
	uint16_t offset;
	/** In: how many bytes. */
	uint16_t length;
#define GNTTAB_CACHE_CLEAN	 (1u << 0)
#define GNTTAB_CACHE_INVAL	 (1u << 1)
#define GNTTAB_CACHE_SOURCE_GREF (1u << 31)
	/** In: GNTTAB_CACHE_*. */
	uint32_t op;
};
typedef struct gnttab_cache_flush gnttab_cache_flush_t;
DEFINE_XEN_GUEST_HANDLE(gnttab_cache_flush_t);

/* gnttab_map_grant_ref.flags */
#define _GNTMAP_device_map	(0)
#define GNTMAP_device_map	(1 << _GNTMAP_device_map)
#define _GNTMAP_host_map	(1)
#define GNTMAP_host_map		(1 << _GNTMAP_host_map)
#define _GNTMAP_readonly	(2)
#define GNTMAP_readonly		(1 << _GNTMAP_readonly)
#define _GNTMAP_application_map (3)
#define GNTMAP_application_map	(1 << _GNTMAP_application_map)
#define _GNTMAP_contains_pte	(4)
#define GNTMAP_contains_pte	(1 << _GNTMAP_contains_pte)
#define _GNTMAP_guest_avail0	(16)
#define GNTMAP_guest_avail_mask ((uint32_t)~0 << _GNTMAP_guest_avail0)

/* Status of one operation; zero is success. */
#define GNTST_okay		(0)
#define GNTST_general_error	(-1)
#define GNTST_bad_domain	(-2)
#define GNTST_bad_gntref	(-3)
#define GNTST_bad_handle	(-4)
#define GNTST_bad_virt_addr	(-5)
#define GNTST_bad_dev_addr	(-6)
#define GNTST_no_device_space	(-7)
#define GNTST_permission_denied (-8)
#define GNTST_bad_page		(-9)
#define GNTST_bad_copy_arg	(-10)
#define GNTST_address_too_big	(-11)
#define GNTST_eagain		(-12)
#define GNTST_no_space		(-13)

#endif /* __XEN_PUBLIC_GRANT_TABLE_H__ */
