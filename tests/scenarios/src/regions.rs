// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages of a region: taken, mapped into, given back.

use core::ffi::c_void;

use xen_guest::ffi;
use xen_guest::{EmptyPages, PAGE_SIZE, RegionPages};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{self, A, B};
use crate::ops::{Kept, Mapped, map_op, map_refs, unmap_one};

/// Pages of the only region that harnesses set up.
pub const REGION_PAGES: u32 = 1024;

const EIO: i64 = -5;
const EFAULT: i64 = -14;
const EBUSY: i64 = -16;
const EINVAL: i64 = -22;
const ENOSPC: i64 = -28;

/// The address of a page of the region, or one beyond it.
fn page(d: &Domain<'_>, number: i64) -> *mut c_void {
    // SAFETY: the guest is set up, with a region.
    let start = unsafe { (*(*d.raw()).regions).va };
    start
        .wrapping_offset(number as isize * PAGE_SIZE as isize)
        .cast()
}

fn get(d: &Domain<'_>, n: u32) -> i64 {
    // SAFETY: the guest is set up.
    let va = unsafe { ffi::xg_region_get_pages(d.raw(), n) };
    if va.is_null() {
        return ENOSPC;
    }
    (va.addr().wrapping_sub(page(d, 0).addr()) / PAGE_SIZE) as i64
}

fn put(d: &Domain<'_>, at: *mut c_void, n: u32) -> i64 {
    // SAFETY: the guest is set up; nothing uses the pages.
    unsafe { ffi::xg_region_put_pages(d.raw(), at, n).into() }
}

impl Cx<'_, '_> {
    fn get_pages(&mut self, role: Role, n: u32) -> i64 {
        self.step(role, format_args!("get_pages({n})"), |d| get(d, n))
    }

    fn put_pages(&mut self, role: Role, number: i64, n: u32) -> i64 {
        let call = format_args!("put_pages({number}, {n})");
        self.step(role, call, |d| put(d, page(d, number), n))
    }

    fn map_pages(&mut self, role: Role, number: i64, n: u32) -> i64 {
        self.step(role, format_args!("map({number}, {n})"), |d| {
            // SAFETY: the guest is set up; refused, or not accessed.
            unsafe { ffi::xg_region_map(d.raw(), page(d, number), n, ffi::XG_PROT_READ).into() }
        })
    }

    fn unmap_pages(&mut self, role: Role, number: i64, n: u32) -> i64 {
        self.step(role, format_args!("unmap({number}, {n})"), |d| {
            // SAFETY: the guest is set up; nothing uses the pages.
            unsafe { ffi::xg_region_unmap(d.raw(), page(d, number), n).into() }
        })
    }
}

pub(crate) fn pages_are_taken_and_given_back(cx: &mut Cx<'_, '_>) -> Verdict {
    let one = cx.get_pages(A, 1);
    cx.check(one, 0)?;
    let five = cx.get_pages(A, 5);
    let two = cx.get_pages(A, 1);
    cx.check(two, 1)?;
    let results = [
        // Not all of it, more than it, not its start, nothing.
        (cx.put_pages(A, five, 4), EINVAL),
        (cx.put_pages(A, five, 6), EINVAL),
        (cx.put_pages(A, five + 1, 4), EINVAL),
        (cx.put_pages(A, five, 0), EINVAL),
        (cx.put_pages(A, one, 2), EINVAL),
        // Never taken, beyond the region.
        (cx.put_pages(A, 700, 1), EINVAL),
        (cx.put_pages(A, i64::from(REGION_PAGES), 1), EIO),
        (cx.put_pages(A, -1, 1), EIO),
        (cx.put_pages(A, five, 5), 0),
        (cx.put_pages(A, five, 5), EINVAL),
        (cx.put_pages(A, one, 1), 0),
        (cx.put_pages(A, one, 1), EINVAL),
        (cx.put_pages(A, two, 1), 0),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    let none = cx.get_pages(A, 0);
    cx.check(none, ENOSPC)?;
    let unaligned = cx.step(A, format_args!("put_pages of byte 8"), |d| {
        put(d, page(d, 0).wrapping_byte_add(8), 1)
    });
    cx.check(unaligned, EINVAL)
}

/// Full, fragmented, and whole again.
pub(crate) fn a_region_is_used_up(cx: &mut Cx<'_, '_>) -> Verdict {
    let all = cx.get_pages(A, REGION_PAGES);
    cx.check(all, 0)?;
    for n in [1, 2, REGION_PAGES, REGION_PAGES + 1, u32::MAX] {
        let none = cx.get_pages(A, n);
        cx.check(none, ENOSPC)?;
    }
    let given = cx.put_pages(A, all, REGION_PAGES);
    cx.check(given, 0)?;
    let taken = cx.step(A, format_args!("get single pages"), |d| {
        let mut taken = 0;
        while get(d, 1) >= 0 {
            taken += 1;
        }
        taken
    });
    cx.check(taken, REGION_PAGES.into())?;
    let given = cx.step(A, format_args!("put every other page"), |d| {
        (0..i64::from(REGION_PAGES))
            .step_by(2)
            .map(|number| put(d, page(d, number), 1))
            .sum()
    });
    cx.check(given, 0)?;
    let two = cx.get_pages(A, 2);
    cx.check(two, ENOSPC)?;
    let given = cx.step(A, format_args!("put the others"), |d| {
        (1..i64::from(REGION_PAGES))
            .step_by(2)
            .map(|number| put(d, page(d, number), 1))
            .sum()
    });
    cx.check(given, 0)?;
    let all = cx.get_pages(A, REGION_PAGES);
    cx.check(all, 0)?;
    let given = cx.put_pages(A, all, REGION_PAGES);
    cx.check(given, 0)?;
    let sound = cx.step(A, format_args!("verify"), |d| {
        // SAFETY: the guest is set up, with a region, which nothing uses now.
        unsafe { ffi::xg_region_verify((*d.raw()).regions).into() }
    });
    cx.check(sound, 0)
}

/// What is mapped is known, page by page.
pub(crate) fn a_region_knows_what_is_mapped(cx: &mut Cx<'_, '_>) -> Verdict {
    let at = cx.get_pages(A, 4);
    let results = [
        (cx.map_pages(A, at, 2), 0),
        // Mapped already, in part; not allocated; beyond; nothing.
        (cx.map_pages(A, at + 1, 2), EBUSY),
        (cx.map_pages(A, at + 3, 2), EFAULT),
        (cx.map_pages(A, i64::from(REGION_PAGES) - 1, 2), EFAULT),
        (cx.map_pages(A, -1, 1), EFAULT),
        (cx.map_pages(A, at + 2, 0), EFAULT),
        (cx.unmap_pages(A, at, 3), EINVAL),
        (cx.unmap_pages(A, at + 2, 1), EINVAL),
        (cx.put_pages(A, at, 4), EBUSY),
        (cx.unmap_pages(A, at, 1), 0),
        (cx.put_pages(A, at, 4), EBUSY),
        (cx.unmap_pages(A, at + 1, 1), 0),
        (cx.put_pages(A, at, 4), 0),
        (cx.map_pages(A, at, 1), EFAULT),
        (cx.unmap_pages(A, at, 1), EFAULT),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    Ok(())
}

/// A peer's grant in a region: the pages can't be given back before.
pub(crate) fn a_grant_is_mapped_into_a_region(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut granted: Kept = None;
    let mut mapped = Mapped::default();
    let gref = cx.grant(A, &mut granted, B.raw(), false);
    cx.poke(A, &granted, 9, 0x9e91);
    let at = cx.get_pages(B, 3);
    let rc = cx.step(B, format_args!("map the grant at page {at}"), |d| {
        let mut op = map_op(d, A.raw(), gref, 0, false);
        op.host_addr = page(d, at + 1).addr() as u64;
        let rc = map_refs(d, core::slice::from_mut(&mut op));
        mapped = Mapped {
            va: op.host_addr as usize,
            handle: op.handle,
        };
        rc
    });
    cx.check(rc, 0)?;
    let value = cx.peek_mapped(B, &mapped, 9);
    cx.check(value, 0x9e91)?;
    let busy = cx.put_pages(B, at, 3);
    cx.check(busy, EBUSY)?;
    // A second one at the same place is refused, and undone in Xen.
    let rc = cx.step(B, format_args!("map it there again"), |d| {
        let mut op = map_op(d, A.raw(), gref, 0, true);
        op.host_addr = page(d, 900).addr() as u64;
        map_refs(d, core::slice::from_mut(&mut op))
    });
    cx.check(rc, EFAULT)?;
    let rc = cx.step(B, format_args!("unmap"), |d| unmap_one(d, &mapped));
    cx.check(rc, 0)?;
    let rc = cx.put_pages(B, at, 3);
    cx.check(rc, 0)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut granted);
    Ok(())
}

/// The owning type gives back by itself.
pub(crate) fn region_pages_own_themselves(cx: &mut Cx<'_, '_>) -> Verdict {
    let outcome = cx.step(A, format_args!("RegionPages"), |d| {
        let (Ok(one), Ok(many)) = (
            RegionPages::take(d.guest, 1),
            RegionPages::take(d.guest, 100),
        ) else {
            return -1;
        };
        let empty: EmptyPages = many.into_empty();
        let Ok(many) = RegionPages::from_empty(d.guest, empty) else {
            return -2;
        };
        let full = RegionPages::take(d.guest, REGION_PAGES).is_err();
        drop((one, many));
        let all = RegionPages::take(d.guest, REGION_PAGES).is_ok();
        i64::from(full) * 10 + i64::from(all) + i64::from(d.guest.abandoned())
    });
    cx.check(outcome, 11)
}
