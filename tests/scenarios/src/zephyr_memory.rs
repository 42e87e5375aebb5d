// SPDX-License-Identifier: MIT OR Apache-2.0
//! Zephyr's names for memory, on the current guest.

use core::ffi::{c_int, c_uint, c_ulong};
use core::ptr;

use xen_guest::Gfn;
use xen_guest::ffi::abi;

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{A, Control};
use crate::foreign::refused_early;
use crate::memory::{NOBODY, Pages, SELF, window_gfn};

// As in include/zephyr/xen/memory.h.
unsafe extern "C" {
    fn xendom_add_to_physmap(domid: c_int, idx: c_ulong, space: c_uint, gpfn: u64) -> c_int;
    pub(crate) fn xendom_add_to_physmap_batch(
        domid: c_int,
        foreign_domid: c_int,
        space: c_uint,
        size: c_uint,
        idxs: *mut u64,
        gpfns: *mut u64,
        errs: *mut c_int,
    ) -> c_int;
    fn xendom_remove_from_physmap(domid: c_int, gpfn: u64) -> c_int;
    fn xendom_populate_physmap(
        domid: c_int,
        extent_order: c_uint,
        nr_extents: c_uint,
        mem_flags: c_uint,
        extent_start: *mut u64,
    ) -> c_int;
    fn xendom_acquire_resource(
        domid: u16,
        kind: u16,
        id: u32,
        frame: u64,
        nr_frames: *mut u32,
        frame_list: *mut u64,
    ) -> c_int;
}

const EPERM: i64 = -1;
const ENOENT: i64 = -2;
const ESRCH: i64 = -3;
const E2BIG: i64 = -7;
const EACCES: i64 = -13;
const EBUSY: i64 = -16;
const EINVAL: i64 = -22;

const TABLE: u16 = abi::XENMEM_resource_grant_table as u16;

// SAFETY of all calls below: the guest is set up and current; the frames are
// empty, or nobody uses them.

pub(crate) fn zephyr_memory_names(cx: &mut Cx<'_, '_>) -> Verdict {
    physmap(cx)?;
    populate(cx)?;
    resource(cx)
}

fn physmap(cx: &mut Cx<'_, '_>) -> Verdict {
    let space = abi::XENMAPSPACE_shared_info;
    if !cx.x86("Xen moves what is mapped a second time") {
        let call = format_args!("xendom_add_to_physmap({SELF:#x})");
        let rc = cx.as_current(A, call, |d| {
            // SAFETY: see above.
            unsafe { xendom_add_to_physmap(SELF.into(), 0, space, window_gfn(d, 0)).into() }
        });
        cx.check(rc, EBUSY)?;
    }
    for (domid, want) in [
        (i32::from(Control.raw()), EPERM),
        (i32::from(NOBODY), ESRCH),
        (-1, EINVAL),
        (0x1_0000, EINVAL),
    ] {
        let call = format_args!("xendom_add_to_physmap({domid:#x})");
        let rc = cx.as_current(A, call, |d| {
            // SAFETY: see above.
            unsafe { xendom_add_to_physmap(domid, 0, space, window_gfn(d, 0)).into() }
        });
        cx.check(rc, want)?;
    }
    let pages = Pages::<2>::alloc(cx, A)?;
    let call = format_args!("xendom_add_to_physmap_batch");
    let rc = cx.as_current(Control, call, |d| {
        let mut idxs = [pages.gfn, 0x8000, pages.gfn + 1];
        let mut gpfns = [0, 1, 2].map(|page| window_gfn(d, page));
        let mut errs = [1; 3];
        // SAFETY: see above.
        let rc = unsafe {
            xendom_add_to_physmap_batch(
                SELF.into(),
                A.raw().into(),
                abi::XENMAPSPACE_gmfn_foreign,
                3,
                idxs.as_mut_ptr(),
                gpfns.as_mut_ptr(),
                errs.as_mut_ptr(),
            )
        };
        errs.iter()
            .fold(rc.into(), |sum, &err| sum * 100 + i64::from(err))
    });
    cx.check(rc, -22_002_200)?;
    for (page, want) in [(0, 0), (1, ENOENT), (2, 0), (2, ENOENT)] {
        let call = format_args!("xendom_remove_from_physmap, window page {page}");
        let rc = cx.as_current(Control, call, |d| {
            // SAFETY: see above.
            unsafe { xendom_remove_from_physmap(SELF.into(), window_gfn(d, page)).into() }
        });
        cx.check(rc, want)?;
    }
    pages.free(cx, A);
    Ok(())
}

fn populate(cx: &mut Cx<'_, '_>) -> Verdict {
    let pages = Pages::<2>::alloc(cx, A)?;
    let own = [pages.gfn, pages.gfn + 1];
    let rc = cx.step(A, format_args!("give 2 pages back"), |d| {
        // SAFETY: nobody uses them.
        match unsafe { d.guest.physmap().decrease(&own.map(Gfn::new), 0) } {
            Ok(()) => 2,
            Err(stopped) => stopped.error.raw().into(),
        }
    });
    cx.check(rc, 2)?;
    for (domid, count, want) in [
        (i32::from(NOBODY), 3, ESRCH),
        (i32::from(Control.raw()), 3, EPERM),
        (0x1_7ff0, 3, EINVAL),
        (i32::from(SELF), 1 << 31, EINVAL),
        (i32::from(SELF), 0, 0),
        (i32::from(SELF), 3, 2),
        (i32::from(SELF), 3, E2BIG),
    ] {
        let call = format_args!("xendom_populate_physmap({domid:#x}, {count})");
        let rc = cx.as_current(A, call, |d| {
            let mut list = [0, 1, 2].map(|page| window_gfn(d, page));
            if want != E2BIG {
                list[..2].copy_from_slice(&own);
            }
            // SAFETY: see above; a list shorter than said is refused.
            unsafe { xendom_populate_physmap(domid, 0, count, 0, list.as_mut_ptr()).into() }
        });
        cx.check(rc, want)?;
    }
    for page in &pages.kept {
        cx.poke(A, page, 2, 22);
        let value = cx.peek(A, page, 2);
        cx.check(value, 22)?;
    }
    pages.free(cx, A);
    Ok(())
}

fn resource(cx: &mut Cx<'_, '_>) -> Verdict {
    // What `frame` and the list are is ignored when the size is asked for.
    for listed in [false, true] {
        let call = format_args!("xendom_acquire_resource, size, {listed}");
        let size = cx.as_current(Control, call, |_| {
            let (mut count, mut unused) = (0, 0);
            let list = if listed { &mut unused } else { ptr::null_mut() };
            // SAFETY: see above.
            match unsafe { xendom_acquire_resource(A.raw(), TABLE, 0, 1 << 40, &mut count, list) } {
                0 => count.into(),
                error => error.into(),
            }
        });
        cx.check(size, 64)?;
    }
    let call = format_args!("xendom_acquire_resource, and remove it");
    let rc = cx.as_current(Control, call, |d| {
        let mut count = 2;
        let mut list = [0, 1].map(|page| window_gfn(d, page));
        // SAFETY: see above.
        unsafe {
            let list = list.as_mut_ptr();
            let rc = xendom_acquire_resource(A.raw(), TABLE, 0, 0, &mut count, list);
            let removed = (0..2).map(|page| {
                let gpfn = window_gfn(d, page);
                xendom_remove_from_physmap(SELF.into(), gpfn)
            });
            i64::from(rc) * 100 + i64::from(removed.sum::<i32>()) * 10 + i64::from(count)
        }
    });
    cx.check(rc, 2)?;
    let plain = if refused_early(cx) { EACCES } else { EPERM };
    for (role, domid, want) in [
        (Control, NOBODY, ESRCH),
        (Control, Control.raw(), EPERM),
        (A, crate::Role::B.raw(), plain),
    ] {
        let call = format_args!("xendom_acquire_resource({domid:#x})");
        let rc = cx.as_current(role, call, |d| {
            let mut count = 1;
            let mut list = [window_gfn(d, 0)];
            // SAFETY: see above.
            unsafe {
                let list = list.as_mut_ptr();
                xendom_acquire_resource(domid, TABLE, 0, 0, &mut count, list).into()
            }
        });
        cx.check(rc, want)?;
    }
    let rc = cx.as_current(Control, format_args!("without a count, a list"), |_| {
        let mut count = 1;
        let null = ptr::null_mut();
        // SAFETY: refused.
        unsafe {
            i64::from(xendom_acquire_resource(
                A.raw(),
                TABLE,
                0,
                0,
                ptr::null_mut(),
                null,
            )) * 100
                + i64::from(xendom_acquire_resource(
                    A.raw(),
                    TABLE,
                    0,
                    0,
                    &mut count,
                    null,
                ))
        }
    });
    cx.check(rc, EINVAL * 100 + EINVAL)
}
