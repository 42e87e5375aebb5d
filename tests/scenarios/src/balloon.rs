// SPDX-License-Identifier: MIT OR Apache-2.0
//! Regions of the domain's own RAM.

use core::ffi::c_void;
use core::ptr;

use xen_guest::{Error, PAGE_SIZE, ffi, region_metadata};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{A, B, Control};
use crate::memory::Pages;
use crate::ops::{Kept, map_op, map_refs, unmap_one};

/// Pages of RAM that [`Memory::balloon`](crate::Memory::balloon) has.
pub const BALLOON_PAGES: u32 = 512;

const ENOSPC: i64 = -28;
const EBUSY: i64 = -16;
const PROT: u32 = ffi::XG_PROT_READ | ffi::XG_PROT_WRITE;

/// `body` in a domain whose only region is where its RAM was; 0 if it returns
/// that and all can be undone.
fn with_balloon(d: &Domain<'_>, body: impl FnOnce(u64) -> i64) -> i64 {
    let mut metadata = [0u64; region_metadata(BALLOON_PAGES)];
    let mut region = ffi::xg_region::default();
    let mut balloon = ffi::xg_balloon::default();
    let ram = d.memory.balloon();
    let at = ffi::xg_window {
        va: ram.va.cast(),
        gfn: ram.gfn.raw(),
        pages: ram.pages,
    };
    let has = || d.guest.physmap().current_reservation().unwrap_or(0);
    let before = has();
    // SAFETY: the guest is set up; nobody uses the RAM, and nobody has a page
    // of the regions before and after. What is here is in use until they are
    // exchanged again.
    let result = unsafe {
        let guest = d.raw();
        let (regions, nr) = ((*guest).regions, (*guest).nr_regions);
        let set = |regions, nr| i64::from(ffi::xg_guest_set_regions(guest, regions, nr));
        let metadata_at = metadata.as_mut_ptr().cast::<c_void>();
        let mut rc: i64 = ffi::xg_balloon_inflate(guest, &mut balloon, &at).into();
        if rc != 0 {
            return 1000 - rc;
        }
        let init = ffi::xg_region_init(&mut region, &at, metadata_at, size_of_val(&metadata));
        rc = set(&raw mut region, 1) - i64::from(init);
        if rc == 0 {
            rc = body(before - has());
        }
        if rc == 0 {
            rc = ffi::xg_region_verify(&region).into();
        }
        if set(regions, nr) != 0 {
            return 2000;
        }
        let deflated = ffi::xg_balloon_deflate(guest, &mut balloon);
        if deflated != 0 {
            return 3000 - i64::from(deflated);
        }
        rc
    };
    if has() != before {
        return 4000;
    }
    // All of it is RAM again.
    for page in 0..ram.pages as usize {
        let word = ram.va.wrapping_add(page * PAGE_SIZE).cast::<u64>();
        // SAFETY: mapped, and nobody else's.
        unsafe {
            word.write_volatile(page as u64);
            if word.read_volatile() != page as u64 {
                return 5000;
            }
        }
    }
    result
}

/// A peer's grant where the domain's RAM was.
pub(crate) fn a_grant_is_mapped_where_ram_was(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut granted: Kept = None;
    let gref = cx.grant(B, &mut granted, A.raw(), false);
    cx.poke(B, &granted, 5, 0xba11);
    let outcome = cx.step(A, format_args!("balloon, map, and undo"), |d| {
        with_balloon(d, |given| {
            if given != u64::from(BALLOON_PAGES) {
                return 10;
            }
            // SAFETY: the guest is set up; the pages are used by this alone.
            unsafe {
                let raw = d.raw();
                if !ffi::xg_region_get_pages(raw, BALLOON_PAGES + 1).is_null() {
                    return 11;
                }
                let va = ffi::xg_region_get_pages(raw, BALLOON_PAGES);
                if va != d.memory.balloon().va.cast() {
                    return 12;
                }
                // Taken: it can't be exchanged.
                if ffi::xg_guest_set_regions(raw, ptr::null_mut(), 0) != EBUSY as i32 {
                    return 13;
                }
                let mut op = map_op(d, B.raw(), gref, 0, false);
                op.host_addr = va.wrapping_byte_add(300 * PAGE_SIZE).addr() as u64;
                let rc = map_refs(d, core::slice::from_mut(&mut op));
                if rc != 0 {
                    return 100 - rc;
                }
                let word = va.wrapping_byte_add(300 * PAGE_SIZE).cast::<u32>().add(5);
                let value = word.read_volatile();
                let mapped = crate::ops::Mapped {
                    va: op.host_addr as usize,
                    handle: op.handle,
                };
                if unmap_one(d, &mapped) != 0 || value != 0xba11 {
                    return 14;
                }
                ffi::xg_region_put_pages(raw, va, BALLOON_PAGES).into()
            }
        })
    });
    cx.check(outcome, 0)?;
    let rc = cx.end(B, gref);
    cx.check(rc, 0)?;
    cx.free(B, &mut granted);
    Ok(())
}

/// Foreign frames in a dom0: its RAM stays reserved for it, and comes back to
/// the same place.
pub(crate) fn foreign_frames_are_mapped_where_ram_was(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<2>::alloc(cx, A)?;
    cx.poke(A, &pages.kept[1], 7, 0xba12);
    let gfn = pages.gfn;
    let outcome = cx.step(Control, format_args!("balloon, look at A, and undo"), |d| {
        with_balloon(d, |_| {
            let mut at = ffi::xg_window::default();
            // SAFETY: the guest is set up; the pages are used by this alone.
            unsafe {
                let raw = d.raw();
                let rc = ffi::xg_foreign_get(raw, A.raw(), gfn, 2, PROT, &mut at);
                if rc != 0 {
                    return 100 - i64::from(rc);
                }
                let value = at.va.cast::<u32>().add(1024 + 7).read_volatile();
                let rc = ffi::xg_foreign_put(raw, &at);
                i64::from(value) - 0xba12 - i64::from(rc)
            }
        })
    });
    cx.check(outcome, 0)?;
    pages.free(cx, A);
    Ok(())
}

/// Without any regions nothing is handed out, and nothing belongs to one.
pub(crate) fn a_guest_without_regions(cx: &mut Cx<'_, '_>) -> Verdict {
    let outcome = cx.step(A, format_args!("calls without regions"), |d| {
        // SAFETY: the guest is set up; nobody has a page of the regions, and
        // they are put back.
        unsafe {
            let guest = d.raw();
            let (regions, nr) = ((*guest).regions, (*guest).nr_regions);
            let start = (*regions).va.cast::<c_void>();
            let mut rc = ffi::xg_guest_set_regions(guest, ptr::null_mut(), 0);
            let mut at = ffi::xg_window::default();
            for (got, want) in [
                (ffi::xg_region_get_window(guest, 1, &mut at), ENOSPC as i32),
                (
                    ffi::xg_region_put_pages(guest, start, 1),
                    Error::Partial.raw(),
                ),
                (
                    ffi::xg_region_map(guest, start, 1, PROT),
                    Error::BadAddress.raw(),
                ),
                (
                    ffi::xg_region_unmap(guest, start, 1),
                    Error::BadAddress.raw(),
                ),
                (ffi::xg_region_contains(guest, start).into(), 0),
            ] {
                rc = rc * 10 + i32::from(got != want);
            }
            i64::from(rc * 10 + ffi::xg_guest_set_regions(guest, regions, nr))
        }
    });
    cx.check(outcome, 0)
}
