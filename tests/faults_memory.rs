// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reservations with one step after the other failing: the counts are exact.

#![cfg(feature = "sim")]

mod common;
mod memory_pair;

use common::{EINVAL, EXDEV, Fault, Raw, SELF};
use memory_pair::{PAGES, TABLE, with_pair};
use xen_guest::ffi::{self, abi};
use xen_guest::sim::{DomainConfig, Frame, Hypervisor};

const E2BIG: i32 = -7;
const ESRCH: i32 = -3;
const EAGAIN: i32 = -11;
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

/// There is room, but no such place: as on Xen, the page is charged and out
/// of reach, so that room runs out.
#[test]
fn memory_for_no_place() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest).0;
    let ram = domain.ram().gfn.raw();
    let mut done = 9;
    // SAFETY: the guest is set up; nobody uses the pages.
    unsafe {
        let rc = ffi::xg_memory_decrease_range(raw, SELF, ram, 2, &mut done);
        assert_eq!((rc, done), (0, 2));
        for (nowhere, want) in [(1 << 40, ENOMEM), (u64::MAX, E2BIG), (ram, E2BIG)] {
            let rc = ffi::xg_memory_populate_range(raw, SELF, nowhere, 1, &mut done);
            assert_eq!((rc, done), (want, 0), "{nowhere:#x}");
        }
    }
    guest.finish().unwrap();
    assert_eq!(xen.leaks().lost_pages, 2);
}

/// More pages than the hypercall counts: asked for in parts, each entry with
/// its own result, and those that Xen did not come to known.
#[test]
fn large_batches() {
    const COUNT: usize = 2 * 65535 + 7;
    with_pair(|pair| {
        let (dom, raw) = (pair.dom(), pair.raw.0);
        let foreign = abi::XENMAPSPACE_gmfn_foreign;
        // Frames that A does not have, but for three: first, on both sides of
        // where the first part ends.
        let mut idxs = vec![1 << 40; COUNT];
        let gfns: Vec<u64> = (0..COUNT as u64)
            .map(|i| pair.window.gfn + i % u64::from(PAGES))
            .collect();
        for (i, at) in [0, 65534, 65535].into_iter().enumerate() {
            idxs[at] = pair.gfn + i as u64;
        }
        let mut errs = vec![99; COUNT];
        let mut add = |dom, space| {
            errs.fill(99);
            // SAFETY: the guest is set up; nobody uses the window.
            let rc = unsafe {
                let (idxs, gfns) = (idxs.as_ptr(), gfns.as_ptr());
                let errs = errs.as_mut_ptr();
                ffi::xg_memory_add_to_physmap_batch(
                    raw,
                    SELF,
                    dom,
                    space,
                    COUNT as u32,
                    idxs,
                    gfns,
                    errs,
                )
            };
            pair.clear_window(PAGES);
            (rc, errs.clone())
        };
        pair.xen.keep_log(256);
        let (rc, all) = add(dom, foreign);
        assert_eq!(rc, EINVAL);
        for (i, err) in all.iter().enumerate() {
            let good = [0, 65534, 65535].contains(&i);
            assert_eq!(*err, if good { 0 } else { EINVAL }, "{i}");
        }
        let sizes: Vec<u16> = pair
            .xen
            .log()
            .iter()
            .filter(|entry| {
                let batch = abi::XENMEM_add_to_physmap_batch as usize;
                entry.op == abi::__HYPERVISOR_memory_op && entry.args[0] == batch
            })
            // Domain, space, size, foreign domain.
            .map(|entry| entry.words[1] as u16)
            .collect();
        assert_eq!(sizes, [65535, 65535, 7]);
        // The second part fails as a whole: the third is not asked for.
        Fault::Hypercall.inject(&pair.dom0, 2);
        let (rc, some) = add(dom, foreign);
        assert_eq!(rc, EINVAL, "the first error of an entry");
        assert_eq!(some[..65535], all[..65535]);
        assert!(some[65535..].iter().all(|err| *err == EAGAIN));
        // Nothing at all: the reason, and no entry without a result.
        Fault::Hypercall.inject(&pair.dom0, 1);
        let (rc, none) = add(dom, foreign);
        assert_eq!(rc, EXDEV);
        assert!(none.iter().all(|err| *err == EAGAIN));
        let (rc, none) = add(dom, 1 << 16);
        assert_eq!(rc, EINVAL);
        assert!(none.iter().all(|err| *err == EAGAIN));
        let (rc, each) = add(77, foreign);
        assert_eq!(rc, ESRCH);
        assert!(each.iter().all(|err| *err == ESRCH));
        // SAFETY: refused, or nothing to do.
        unsafe {
            use std::ptr::{null, null_mut};
            let (i, g, mut e) = (idxs.as_ptr(), gfns.as_ptr(), [7]);
            let add = |i, g, e, count| {
                ffi::xg_memory_add_to_physmap_batch(raw, SELF, dom, foreign, count, i, g, e)
            };
            let bad = [
                add(null(), g, e.as_mut_ptr(), 1),
                add(i, null(), e.as_mut_ptr(), 1),
                add(i, g, null_mut(), 1),
            ];
            assert_eq!(bad, [EINVAL; 3]);
            assert_eq!(add(null(), null(), null_mut(), 0), 0);
            assert_eq!(e, [7]);
        }
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
