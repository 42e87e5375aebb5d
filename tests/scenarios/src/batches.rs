// SPDX-License-Identifier: MIT OR Apache-2.0
//! Many grants at once, grants that end later, and copies.

use core::ffi::c_void;
use core::ptr;
use core::sync::atomic::{AtomicU32, Ordering};

use xen_guest::ffi::{self, abi};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Role::{A, B};
use crate::grants::version;
use crate::ops::{Kept, Mapped, gfn_of, grant_page};

const EBUSY: i64 = -16;
const EINVAL: i64 = -22;
const ENOSPC: i64 = -28;
const ERANGE: i64 = -34;

const SELF: u16 = 0x7ff0;

/// All or none, lowest references first.
pub(crate) fn batches_of_grants(cx: &mut Cx<'_, '_>) -> Verdict {
    let refs = cx.step(A, format_args!("grant_batch of 100"), |d| {
        let mut grefs = [0; 100];
        let gfns = [0x1234; 100];
        // SAFETY: the guest is set up; the frames are nobody's to map.
        let rc = unsafe {
            ffi::xg_gnttab_grant_batch(
                d.raw(),
                B.raw(),
                gfns.as_ptr(),
                grefs.as_mut_ptr(),
                100,
                true,
            )
        };
        let dense = grefs.iter().zip(8..).all(|(&gref, want)| gref == want);
        i64::from(rc) * 10 + i64::from(dense)
    });
    cx.check(refs, 1)?;
    let ended = cx.step(A, format_args!("end_batch of 102"), |d| {
        // The first and the last were never granted.
        let grefs = core::array::from_fn::<u32, 102, _>(|i| 7 + i as u32);
        let mut errs = [1; 102];
        // SAFETY: the guest is set up.
        let rc =
            unsafe { ffi::xg_gnttab_end_batch(d.raw(), grefs.as_ptr(), errs.as_mut_ptr(), 102) };
        let good = errs.iter().filter(|&&err| err == 0).count() as i64;
        i64::from(rc) * 1000 - good
    });
    cx.check(ended, EINVAL * 1000 - 100)?;
    // One frame that does not fit: none is granted. It does with version 2.
    let refused = cx.step(A, format_args!("grant_batch with a bad frame"), |d| {
        let mut grefs = [0; 3];
        let gfns = [1, 1 << 32, 2];
        // SAFETY: the guest is set up.
        let rc = unsafe {
            ffi::xg_gnttab_grant_batch(
                d.raw(),
                B.raw(),
                gfns.as_ptr(),
                grefs.as_mut_ptr(),
                3,
                false,
            )
        };
        if rc != 0 {
            return rc.into();
        }
        // SAFETY: as above.
        unsafe { ffi::xg_gnttab_end_batch(d.raw(), grefs.as_ptr(), ptr::null_mut(), 3).into() }
    });
    let v2 = version(cx, A) == 2;
    cx.check(refused, if v2 { 0 } else { ERANGE })?;
    // More than there are: none is left over.
    let full = cx.step(A, format_args!("grant_batch of 1017"), |d| {
        let mut grefs = [0; 1017];
        let gfns = [0x1234; 1017];
        // SAFETY: the guest is set up.
        unsafe {
            ffi::xg_gnttab_grant_batch(
                d.raw(),
                B.raw(),
                gfns.as_ptr(),
                grefs.as_mut_ptr(),
                1017,
                false,
            )
            .into()
        }
    });
    cx.check(full, ENOSPC)
}

/// Consecutive references, where there are so many in a row.
pub(crate) fn runs_of_grants(cx: &mut Cx<'_, '_>) -> Verdict {
    let run = |cx: &mut Cx<'_, '_>, count: u32| {
        cx.step(A, format_args!("grant_run of {count}"), |d| {
            // SAFETY: the guest is set up; the frames are nobody's to map.
            unsafe { ffi::xg_gnttab_grant_run(d.raw(), B.raw(), 0x1000, count, true).into() }
        })
    };
    let first = run(cx, 3);
    cx.check(first, 8)?;
    let second = run(cx, 100);
    cx.check(second, 11)?;
    for gref in [8, 10] {
        let rc = cx.end(A, gref);
        cx.check(rc, 0)?;
    }
    let single = run(cx, 1);
    cx.check(single, 8)?;
    let third = run(cx, 2);
    cx.check(third, 111)?;
    // Frames that version 1 has no room for.
    let far = if version(cx, A) == 2 { ENOSPC } else { ERANGE };
    let results = [
        (run(cx, 0), EINVAL),
        (run(cx, 1017), ENOSPC),
        (run(cx, u32::MAX), far),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    let ended = cx.step(A, format_args!("end all"), |d| {
        // SAFETY: the guest is set up.
        (8..113)
            .filter(|&gref| unsafe { ffi::xg_gnttab_end(d.raw(), gref) } == 0)
            .count() as i64
    });
    cx.check(ended, 104)
}

/// Pages that came back.
static RELEASED: AtomicU32 = AtomicU32::new(0);

unsafe extern "C" fn release(_data: *mut c_void) {
    RELEASED.fetch_add(1, Ordering::Relaxed);
}

impl Cx<'_, '_> {
    fn park(&mut self, gref: i64) -> i64 {
        self.step(A, format_args!("park({gref})"), |d| {
            // SAFETY: the guest is set up; `release` takes anything.
            unsafe {
                ffi::xg_gnttab_park(d.raw(), gref as u32, Some(release), ptr::null_mut()).into()
            }
        })
    }

    /// What is still parked, and how many were released, times 10.
    fn reap(&mut self, budget: u32) -> i64 {
        self.step(A, format_args!("reap({budget})"), |d| {
            // SAFETY: the guest is set up.
            let parked = unsafe { ffi::xg_gnttab_reap(d.raw(), budget) };
            i64::from(RELEASED.load(Ordering::Relaxed)) * 10 + i64::from(parked)
        })
    }
}

/// A grant that is in use ends when the peer lets go, and not before.
pub(crate) fn grants_that_end_later(cx: &mut Cx<'_, '_>) -> Verdict {
    cx.step(A, format_args!("nothing released"), |_| {
        RELEASED.store(0, Ordering::Relaxed);
        0
    });
    let mut page: Kept = None;
    let mut mapped = [Mapped::default(); 2];
    let grefs = [0, 1].map(|_| cx.grant(A, &mut page, B.raw(), false));
    for (i, gref) in grefs.into_iter().enumerate() {
        let rc = cx.map(B, A.raw(), gref, i, false, &mut mapped[i]);
        cx.check(rc, 0)?;
        let parked = cx.park(gref);
        cx.check(parked, 1)?;
    }
    // The harness has two places. A third has to wait with its owner.
    let third = cx.grant(A, &mut page, B.raw(), false);
    let mut held = Mapped::default();
    let rc = cx.map(B, A.raw(), third, 2, true, &mut held);
    cx.check(rc, 0)?;
    let full = cx.park(third);
    cx.check(full, ENOSPC)?;
    let busy = cx.end(A, third);
    cx.check(busy, EBUSY)?;
    let parked = cx.reap(10);
    cx.check(parked, 2)?;
    let rc = cx.unmap(B, &mapped[1]);
    cx.check(rc, 0)?;
    let parked = cx.reap(10);
    cx.check(parked, 11)?;
    // Its place is free again.
    let later = cx.park(third);
    cx.check(later, 1)?;
    for mapped in [&mapped[0], &held] {
        let rc = cx.unmap(B, mapped);
        cx.check(rc, 0)?;
    }
    // One look at a time.
    let parked = cx.reap(1);
    cx.check(parked, 21)?;
    let parked = cx.reap(1);
    cx.check(parked, 30)?;
    // Not in use: at once. Not granted: an error.
    let gref = cx.grant(A, &mut page, B.raw(), false);
    let ended = cx.park(gref);
    cx.check(ended, 0)?;
    let parked = cx.reap(10);
    cx.check(parked, 40)?;
    let refused = cx.park(gref);
    cx.check(refused, EINVAL)?;
    cx.free(A, &mut page);
    Ok(())
}

/// From a granted page, and to one, without mapping it.
pub(crate) fn copies(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut theirs: Kept = None;
    let mut ours: Kept = None;
    let gref = cx.grant(A, &mut theirs, B.raw(), false);
    let readonly = cx.grant(A, &mut theirs, B.raw(), true);
    cx.poke(A, &theirs, 4, 0xc0_ffee);
    let rc = cx.step(B, format_args!("a page of our own"), |d| {
        ours = d.memory.alloc_page();
        i64::from(ours.is_some())
    });
    cx.check(rc, 1)?;
    // Words 4 of theirs to 9 of ours, and back to 20 of theirs.
    let copy = |cx: &mut Cx<'_, '_>, from: i64, to: i64, offset: u16, len: u16| {
        let call = format_args!("copy from {from} to {to}, {len} bytes at {offset}");
        cx.step(B, call, |d| {
            let Some(page) = ours else { return -1 };
            let mut op = abi::gnttab_copy {
                len,
                ..Default::default()
            };
            op.source.offset = offset;
            op.dest.offset = if to > 0 { 80 } else { 36 };
            for (gref, flag, end) in [
                (from, abi::GNTCOPY_source_gref, &mut op.source),
                (to, abi::GNTCOPY_dest_gref, &mut op.dest),
            ] {
                if gref > 0 {
                    end.u.ref_ = gref as u32;
                    end.domid = A.raw();
                    op.flags |= flag as u16;
                } else {
                    end.u.gmfn = gfn_of(d, page.as_ptr().cast());
                    end.domid = SELF;
                }
            }
            // SAFETY: the guest is set up; the page is our own.
            let rc = unsafe { ffi::xg_gnttab_copy(d.raw(), (&raw mut op).cast(), 1) };
            i64::from(rc) * 100 - i64::from(op.status.unsigned_abs())
        })
    };
    let rc = copy(cx, gref, 0, 16, 4);
    cx.check(rc, 0)?;
    let value = cx.peek(B, &ours, 9);
    cx.check(value, 0xc0_ffee)?;
    let rc = copy(cx, 0, gref, 36, 4);
    cx.check(rc, 0)?;
    let value = cx.peek(A, &theirs, 20);
    cx.check(value, 0xc0_ffee)?;
    let results = [
        // To what may only be read, from what was never granted, across the
        // end of the page.
        (copy(cx, 0, readonly, 36, 4), EINVAL * 100 - 1),
        (copy(cx, 500, 0, 16, 4), EINVAL * 100 - 1),
        (copy(cx, gref, 0, 4094, 4), EINVAL * 100 - 10),
        // Nothing. From where nothing may be copied it depends on the version.
        (copy(cx, gref, 0, 4096, 0), 0),
    ];
    for (result, want) in results {
        cx.check(result, want)?;
    }
    for gref in [gref, readonly] {
        let rc = cx.end(A, gref);
        cx.check(rc, 0)?;
    }
    cx.free(A, &mut theirs);
    cx.free(B, &mut ours);
    let nothing = cx.step(B, format_args!("copy nothing"), |d| {
        // SAFETY: the guest is set up; no ops.
        unsafe { ffi::xg_gnttab_copy(d.raw(), ptr::null_mut(), 0).into() }
    });
    cx.check(nothing, 0)?;
    let one = cx.step(A, format_args!("grant and end"), |d| {
        // SAFETY: the guest is set up.
        d.memory.alloc_page().map_or(-1, |page| unsafe {
            let gref = grant_page(d, page, B.raw(), false);
            let rc = ffi::xg_gnttab_end(d.raw(), gref as u32);
            d.memory.free_page(page);
            rc.into()
        })
    });
    cx.check(one, 0)
}
