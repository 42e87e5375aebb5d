/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Grant tables: let a peer map a page of this guest, and map a peer's.
 *
 * The peer decides when it lets go of a page. Nothing here ever gives away or
 * reuses a page or a reference that a peer may still reach.
 */
#ifndef XEN_GUEST_GNTTAB_H
#define XEN_GUEST_GNTTAB_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct xg_guest;
struct gnttab_copy;	       /* xen/grant_table.h */
struct gnttab_map_grant_ref;   /* xen/grant_table.h */
struct gnttab_unmap_grant_ref; /* xen/grant_table.h */

#define XG_GRANTS_PER_FRAME    512 /* version 1 entries, 8 bytes each */
#define XG_GRANTS_PER_FRAME_V2 256 /* version 2 entries, 16 bytes each */
#define XG_GRANT_STATUS_FRAMES 8   /* of these have their status in a page */
#define XG_GRANT_RESERVED      8   /* references 0..7 belong to Xen's tools */
#define XG_MAX_GRANT_FRAMES    64 /* that a guest can use; Xen may allow fewer */
/* Words of 64 bits, one bit per reference, for a table of that many pages. */
#define XG_GRANT_WORDS(pages) ((pages)*XG_GRANTS_PER_FRAME / 64)

/* A grant that waits for its peer: the caller's storage, the library's
 * contents. */
struct xg_parked {
	uint32_t state;
	uint32_t gref;
	void (*release)(void *data);
	void *data;
};

/* Grant table inside struct xg_guest: the library's contents. */
struct xg_gnttab {
	uint64_t *entries; /* the table, shared with Xen */
	uint64_t *words;   /* a set bit: that reference is free */
	uint64_t *near;	   /* the word to take one from next, or `none` */
	uint32_t refs;	   /* in `frames`, without the reserved ones */
	uint32_t frames;   /* mapped so far */
	uint32_t max_frames;
	uint64_t none; /* a word without free references */
	/* A set bit: that word of `words` may have a free reference. */
	uint64_t summary[XG_MAX_GRANT_FRAMES * XG_GRANTS_PER_FRAME / 64 / 64];
	/* A set bit: earlier firmware left grants in that word. */
	uint64_t left[XG_MAX_GRANT_FRAMES * XG_GRANTS_PER_FRAME / 64 / 64];
	uint64_t gfn;
	void *va;
	struct xg_parked *parked;
	uint32_t nr_parked;   /* places */
	uint32_t parked_now;  /* of which are taken */
	uint32_t parked_next; /* place to look at next */
	uint32_t quarantined; /* pages that must not be used again */
	uint32_t version;     /* 1 or 2, and with 2 `refs` is 0 */
	uint32_t refs_v2;     /* the same, with version 2 */
	uint64_t *near_v2;    /* and the same; with 2 `near` is `none` */
};

/*
 * Let domain `domid` map frame `gfn` of this guest, read-only or read-write.
 * The frame must be the guest's own RAM. Whole pages only: everything in it
 * becomes readable by the peer. No hypercall; what was written to the page
 * before is visible to a peer that learns of the reference.
 *
 * Returns the reference (8 or more), or
 *   -XG_EINVAL  `domid` is not a domain's number (0 .. 0x7fef)
 *   -XG_ERANGE  `gfn` does not fit the 32 bits of version 1
 *   -XG_ENOSPC  every reference is in use, and the table can't grow
 *   -XG_ENOSYS  no grant table was configured
 * Never waits. Any context, any CPU. When all references of the frames mapped
 * so far are in use the table grows, which takes the platform's lock, makes
 * hypercalls and calls the `map` hook, and `unmap` where that can't be all.
 */
int32_t xg_gnttab_grant(struct xg_guest *g, uint16_t domid, uint64_t gfn,
			bool readonly);

/*
 * The same for `count` frames: all or none. grefs[i] is for gfns[i].
 * Returns 0 or a negative error as above; -XG_EINVAL also for null pointers.
 * No frames are 0, whatever the rest is.
 */
int xg_gnttab_grant_batch(struct xg_guest *g, uint16_t domid,
			  const uint64_t *gfns, uint32_t *grefs, uint32_t count,
			  bool readonly);

/*
 * The same for `count` consecutive frames from `gfn` on, with consecutive
 * references: returns the first. -XG_ENOSPC also where there are not so many
 * free references in a row, -XG_EINVAL for a count of 0.
 */
int32_t xg_gnttab_grant_run(struct xg_guest *g, uint16_t domid, uint64_t gfn,
			    uint32_t count, bool readonly);

/*
 * Let domain `domid` have Xen copy from `length` bytes of frame `gfn`, from
 * `page_off` bytes into it on, and to them unless `readonly`. It can't map
 * them, nor reach any other byte of the frame (xg_gnttab_copy()). Otherwise
 * like xg_gnttab_grant(), xg_gnttab_end() and all, and the reference is one of
 * the same. Version 2 of the table only.
 *
 * Returns as xg_gnttab_grant(), but
 *   -XG_EOPNOTSUPP  before all others: there is no table of version 2
 *   -XG_EINVAL      also for 0 bytes, or more than there are up to the end of
 *                   the page
 */
int32_t xg_gnttab_grant_sub_page(struct xg_guest *g, uint16_t domid,
				 uint64_t gfn, uint16_t page_off,
				 uint16_t length, bool readonly);

/*
 * End a grant. One atomic step decides between the first two results, so a
 * peer that maps at the same moment makes this fail, never succeed wrongly:
 *   0           revoked: no peer has it mapped or can map it, the reference
 *               is free
 *   -XG_EBUSY   a peer has the page mapped, or a copy is under way; the grant
 *               is as it was and the page still belongs to it. (With version 2
 *               of the table a peer that begins just then may be refused, too;
 *               it can try again. And for a moment this may be about a peer
 *               that had the reference before, and is about to find out.)
 *   -XG_EINVAL  not granted: reserved, out of range, or ended before
 * Any context, any CPU.
 */
int xg_gnttab_end(struct xg_guest *g, uint32_t gref);

/*
 * End `count` grants, each by itself. errs[i], if errs is not null, is what
 * xg_gnttab_end() returns for grefs[i]; the result is the first of them that
 * is not 0.
 */
int xg_gnttab_end_batch(struct xg_guest *g, const uint32_t *grefs, int *errs,
			uint32_t count);

/*
 * How many references are granted, or about to be. Those that earlier firmware
 * granted and left don't count; they can be ended, and neither they nor their
 * up to 63 neighbours are used again before the next xg_guest_init(). Time
 * proportional to the table's size. Any context, any CPU.
 */
uint32_t xg_gnttab_in_use(const struct xg_guest *g);

/*
 * End a grant, now or later. A grant that is in use is parked: from then on it
 * and `data` are the library's, until xg_gnttab_reap() finds that the peer has
 * let go, ends it and calls release(data), which may free the page.
 *
 *   0           ended; release(data) has been called
 *   1           parked
 *   -XG_EINVAL  not granted, or a null `release`
 *   -XG_ENOSPC  every place for parked grants is taken: the grant is as it was
 * Any context, any CPU, as far as `release` allows.
 */
int xg_gnttab_park(struct xg_guest *g, uint32_t gref,
		   void (*release)(void *data), void *data);

/*
 * Look at up to `budget` places for parked grants, going on where the last
 * call stopped, and end those whose peer has let go. Returns how many are
 * still parked. Any context, any CPU, as far as their `release` allows.
 */
uint32_t xg_gnttab_reap(struct xg_guest *g, uint32_t budget);

/* Xen's table of domain `dom`: frames it has, and may have. 0, -XG_ESRCH,
 * -XG_EPERM; -XG_EINVAL for null pointers. */
int xg_gnttab_query_size(struct xg_guest *g, uint16_t dom, uint32_t *frames,
			 uint32_t *max_frames);

/*
 * The version of the entries in domain `dom`'s table: 1 or 2, or -XG_ESRCH,
 * -XG_EPERM. This guest's is what xg_guest_init() was asked for: -XG_EBUSY from
 * there where earlier firmware used the other and peers still use its grants.
 * Arm's Xen has no version 2, which is -XG_ENOSYS there.
 */
int xg_gnttab_version(struct xg_guest *g, uint16_t dom);

/*
 * Have Xen copy between frames and granted pages: `count` ops of
 * xen/grant_table.h, in one hypercall. Of each the caller fills source and
 * dest (a reference and its domain, with the flag for it; or a frame of this
 * guest and DOMID_SELF), their offsets, and len: at most to the end of either
 * page. No mapping is made, so for small data this is the cheaper way.
 *
 * Returns 0: every op is GNTST_okay; otherwise the error of the first that is
 * not, as for xg_gnttab_map(). Each op has its own status, and those that are
 * okay are done. A page that is being swapped in is tried again, up to
 * XG_EAGAIN_TRIES times.
 */
int xg_gnttab_copy(struct xg_guest *g, struct gnttab_copy *ops, uint32_t count);

/*
 * Allocate a page with the platform's page_alloc, zero it, and grant it.
 * *page is written on success only; the caller frees it with the platform's
 * page_free once xg_gnttab_end() returned 0.
 * Returns as xg_gnttab_grant(), -XG_ENOMEM, -XG_EINVAL for a null pointer or
 * where the platform has no page allocator.
 */
int32_t xg_gnttab_alloc_and_grant(struct xg_guest *g, uint16_t domid,
				  void **page, bool readonly);

/*
 * Take `n` empty pages in a row to map grants into, or give them back.
 *
 * Where the guest has regions the pages are theirs: xg_region_get_pages(),
 * xg_region_put_pages(). Otherwise they are RAM of the platform's page_alloc,
 * whose frames must be in a row, given back to Xen and taken from it again in
 * one hypercall each; with more than 32 of them, one more page for each 512
 * stays RAM, for the list of the frames. What they held is lost. The platform's
 * `unmap` and `map` are called for them; where RAM can't be taken out of the
 * page tables by pages these do nothing and return 0, and using a page that is
 * empty is an abort.
 *
 * get: the address, or null with nothing changed.
 * put: exactly what get returned, with no grant mapped there. 0, or as
 * xg_region_put_pages(), and without regions
 *   -XG_EINVAL   0 pages, a null or misaligned address
 *   -XG_E2BIG, -XG_ENOMEM, or what the platform answers: Xen or it did not
 *                have them back; the pages are empty as before, and the call
 *                can be made again
 *   -XG_EIO      nor could that be undone: the pages must not be used again
 * Neither allocates anything else. Context as the hooks'.
 */
void *xg_gnttab_get_pages(struct xg_guest *g, uint32_t n);
int xg_gnttab_put_pages(struct xg_guest *g, void *va, uint32_t n);

/*
 * How many pages must not be used again: Xen or the platform did not undo
 * their mapping, or what xg_gnttab_get_pages() and _put_pages() began. Those
 * that a region has stay taken. Any context.
 */
uint32_t xg_gnttab_quarantined(const struct xg_guest *g);

/*
 * Map `count` references of other domains, all or none.
 *
 * Of each op the caller fills: host_addr, the address of an empty page (in a
 * window handed out by the platform; the platform's virt_to_gfn gives its
 * frame); flags, GNTMAP_host_map with or without GNTMAP_readonly; ref; dom.
 * A frame that holds RAM or another mapping must not be given: Xen replaces
 * it silently.
 *
 * One hypercall for the batch (where virtual and physical addresses differ,
 * one per stretch of ops with the same difference), one `map` hook call per
 * run of consecutive pages of equal protection. An op that answers GNTST_eagain
 * (the page is being swapped in) is tried again, up to XG_EAGAIN_TRIES times.
 *
 * Returns 0: every op is GNTST_okay and has its handle. Otherwise nothing
 * stays mapped, each op's status is its own (GNTST_okay where that op had
 * been fine, GNTST_general_error where Xen did not come to it), its handle is
 * XG_NO_HANDLE, and the result is for the first that failed:
 *   -XG_EINVAL  GNTST_bad_gntref, _general_error (not granted to this domain,
 *               or a write to a read-only grant) and other bad arguments
 *   -XG_ESRCH   GNTST_bad_domain
 *   -XG_EPERM   GNTST_permission_denied
 *   -XG_EAGAIN  GNTST_eagain
 *   -XG_ENOSPC  GNTST_no_space, _no_device_space
 *   -XG_EFAULT  an address outside any window or not page aligned, or of a
 *               region's page that is not taken
 *   -XG_EBUSY   a region's page that is mapped already
 *   -XG_EIO     rolling back failed for an op: it keeps its handle, and its
 *               page must not be used again
 * Thread context: may be long for a large batch.
 */
int xg_gnttab_map(struct xg_guest *g, struct gnttab_map_grant_ref *ops,
		  uint32_t count);

#define XG_EAGAIN_TRIES 16 /* of an operation whose page is not there */
#define XG_NO_HANDLE	0xffffffffu /* of an op that is not mapped */

/*
 * Unmap `count` mappings: the caller fills host_addr and handle; dev_bus_addr
 * is ignored. Xen first, then the CPU's page tables, so a mapping that Xen
 * would not undo stays usable. Each by itself, in as many hypercalls as for
 * xg_gnttab_map().
 *
 * Returns 0, or the error of the first op that failed; every op has its own
 * status, and those with GNTST_okay are gone.
 *   -XG_EINVAL  GNTST_bad_handle (never mapped, or unmapped before) and other
 *               bad arguments
 *   -XG_EFAULT  an address that is in no window or not page aligned
 *   -XG_EIO     before all others: Xen unmapped an op but the platform's
 *               `unmap` failed; its status is GNTST_bad_virt_addr, and its
 *               page must not be used again
 */
int xg_gnttab_unmap(struct xg_guest *g, struct gnttab_unmap_grant_ref *ops,
		    uint32_t count);

/* What a GNTST_* status means, in words; any number is accepted. */
const char *xg_gnttab_error(int16_t status);

/* The negative error for a GNTST_* status; 0 for GNTST_okay. */
int xg_gnttab_errno(int16_t status);

#ifdef __cplusplus
}
#endif

#endif
