// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reservations with one step after the other failing: the counts are exact.

#![cfg(feature = "sim")]

mod common;
mod memory_pair;

use common::{EINVAL, EXDEV, SELF};
use memory_pair::{PAGES, TABLE, with_pair};
use xen_guest::ffi::{self, abi};
use xen_guest::sim::Frame;

const E2BIG: i32 = -7;
const ENOMEM: i32 = -12;

/// In the midst of a range the hypercall fails: the count is exact, and one
/// can go on from there.
#[test]
fn give_back_and_take() {
    with_pair(|pair| {
        let all = pair.page_frames();
        for populate in [false, true] {
            for nth in 1.. {
                if populate {
                    assert_eq!(pair.change(false, pair.gfn, PAGES), (0, PAGES));
                }
                let call = || pair.change(populate, pair.gfn, PAGES);
                let ((rc, done), happened) = pair.fail_a(nth, call);
                let frames = pair.page_frames();
                let (changed, rest) = frames.split_at(done as usize);
                assert!(changed.iter().all(|f| (*f != Frame::Empty) == populate));
                assert!(rest.iter().all(|f| (*f == Frame::Empty) == populate));
                if happened {
                    assert_eq!((rc, u64::from(done)), (EXDEV, 32 * (nth - 1)));
                    let next = pair.gfn + u64::from(done);
                    let rest = PAGES - done;
                    assert_eq!(pair.change(populate, next, rest), (0, rest));
                } else {
                    assert_eq!((rc, done, nth), (0, PAGES, 4));
                }
                if !populate {
                    assert_eq!(pair.change(true, pair.gfn, PAGES), (0, PAGES));
                }
                assert_eq!(pair.page_frames().len(), all.len());
                if !happened {
                    break;
                }
            }
        }
    });
}

/// Asking for the reason fails: the count is right nevertheless.
#[test]
fn reasons_fail() {
    with_pair(|pair| {
        let hole = pair.a.extended_region().gfn.raw();
        for room in [0, 3] {
            for nth in 1.. {
                assert_eq!(pair.change(false, pair.gfn, room), (0, room));
                let mut gfns: Vec<u64> = (0..room).map(|i| pair.gfn + u64::from(i)).collect();
                gfns.push(hole);
                let ((rc, done), happened) = pair.fail_a(nth, || pair.change_list(true, &gfns));
                let came = if nth == 1 && happened { 0 } else { room };
                assert_eq!(done, came, "{nth}");
                let answered = u64::from(room > 0) + 1;
                // The limit alone is not needed for an answer.
                let want = match nth {
                    _ if !happened => E2BIG,
                    _ if nth == answered + 2 => ENOMEM,
                    _ => EXDEV,
                };
                assert_eq!(rc, want, "{nth}");
                let next = pair.gfn + u64::from(done);
                assert_eq!(pair.change(true, next, room - done), (0, room - done));
                if !happened {
                    assert_eq!(nth, answered + 3);
                    break;
                }
            }
        }
        // A bad frame anywhere in a list.
        for bad in 0..5 {
            let mut gfns: Vec<u64> = (0..5).map(|i| pair.gfn + i).collect();
            gfns[bad] = hole;
            let done = bad as u32;
            assert_eq!(pair.change_list(false, &gfns), (EINVAL, done));
            assert_eq!(pair.change(true, pair.gfn, done), (0, done));
        }
    });
}

/// More extents than Xen counts: asked for in parts it accepts.
#[test]
fn too_many_extents() {
    with_pair(|pair| {
        pair.xen.keep_log(16);
        let mut done = 99;
        let raw = pair.raw_a.0;
        // SAFETY: the guest is set up.
        let rc =
            unsafe { ffi::xg_memory_increase_reservation(raw, SELF, 0, u32::MAX, 0, &mut done) };
        assert_eq!((rc, done), (E2BIG, 0));
        let increase = abi::XENMEM_increase_reservation as usize;
        let counts: Vec<u32> = pair
            .xen
            .log()
            .iter()
            .filter(|entry| entry.op == abi::__HYPERVISOR_memory_op && entry.args[0] == increase)
            // After the list's address.
            .map(|entry| entry.words[2])
            .collect();
        assert_eq!(counts, [(1 << 26) - 1]);
    });
}

/// What is written on success only, and null pointers.
#[test]
fn numbers() {
    type Ask = unsafe extern "C" fn(*mut ffi::xg_guest, u16, *mut u64) -> i32;
    let asks: [Ask; 3] = [
        ffi::xg_memory_current_reservation,
        ffi::xg_memory_maximum_reservation,
        ffi::xg_memory_maximum_gpfn,
    ];
    with_pair(|pair| {
        let raw = pair.raw_a.0;
        let null = std::ptr::null_mut();
        let mut value = 77;
        for ask in asks {
            // SAFETY: the guest is set up.
            let call = || unsafe { ask(raw, SELF, &mut value) };
            assert_eq!(pair.fail_a(1, call), (EXDEV, true));
            // SAFETY: refused.
            assert_eq!(unsafe { ask(raw, SELF, null) }, EINVAL);
        }
        // SAFETY: the guest is set up.
        let call = || unsafe { ffi::xg_hvm_get_param(raw, SELF, 0, &mut value) };
        assert_eq!(pair.fail_a(1, call), (EXDEV, true));
        assert_eq!(value, 77);
        let none = std::ptr::null_mut();
        let list = [pair.gfn];
        let mut n = 0;
        // SAFETY: refused.
        let rcs = unsafe {
            [
                ffi::xg_hvm_get_param(raw, SELF, 0, null),
                ffi::xg_memory_populate_physmap(raw, SELF, 0, 1, 0, list.as_ptr(), none),
                ffi::xg_memory_populate_physmap(raw, SELF, 0, 1, 0, std::ptr::null(), &mut n),
                ffi::xg_memory_decrease_reservation(raw, SELF, 0, 1, 0, list.as_ptr(), none),
                ffi::xg_memory_decrease_reservation(raw, SELF, 0, 1, 0, std::ptr::null(), &mut n),
                ffi::xg_memory_increase_reservation(raw, SELF, 0, 1, 0, none),
                ffi::xg_memory_populate_range(raw, SELF, 0, 1, none),
                ffi::xg_memory_decrease_range(raw, SELF, u64::MAX, 2, &mut n),
                ffi::xg_memory_remove_range(raw, SELF, 0, 1, none),
                ffi::xg_memory_resource_size(raw, 0, TABLE, 0, none),
                ffi::xg_memory_acquire_resource(raw, 0, TABLE, 0, 0, 1, list.as_ptr(), none),
                ffi::xg_memory_acquire_resource(raw, 0, TABLE, 0, 0, 1, std::ptr::null(), &mut n),
                ffi::xg_foreign_add_range(raw, 0, 0, 1, 0, none),
                ffi::xg_foreign_map(raw, 0, 0, &pair.window, 1, none),
                ffi::xg_foreign_map(raw, 0, 0, std::ptr::null(), 1, &mut n),
                ffi::xg_resource_map(raw, 0, TABLE, 0, 0, &pair.window, 1, none),
                ffi::xg_resource_map(raw, 0, TABLE, 0, 0, std::ptr::null(), 1, &mut n),
                ffi::xg_foreign_unmap(raw, &pair.window, none),
                ffi::xg_foreign_unmap(raw, std::ptr::null(), &mut n),
            ]
        };
        assert_eq!(rcs, [EINVAL; 19]);
    });
}
