// SPDX-License-Identifier: MIT OR Apache-2.0
//! Windows onto other domains with one step after the other failing: every
//! frame is as before, or as the call says.

#![cfg(feature = "sim")]

mod common;
mod memory_pair;

use common::{EINVAL, EIO, EXDEV, Fault, SELF, exhaust};
use memory_pair::{PAGES, TABLE, with_pair};
use xen_guest::ffi::{self, abi};
use xen_guest::sim::{DomainConfig, Frame, Hook, Hypervisor};
use xen_guest::{
    Access, EmptyPages, Error, ForeignMap, Gfn, Guest, PAGE_SIZE, Platform, Resource, Stopped,
};

const ENOMEM: i32 = -12;
const ENOENT: i32 = -2;
const PROTECTIONS: [u32; 2] = [ffi::XG_PROT_READ | ffi::XG_PROT_WRITE, ffi::XG_PROT_READ];

/// Foreign frames and a grant table's: all or none, whatever fails.
#[test]
fn map_all_or_none() {
    with_pair(|pair| {
        // The table grows once and for all.
        let mut left = 9;
        assert_eq!(pair.map_table(PROTECTIONS[1], &mut left), 0);
        assert_eq!((pair.unmap(&mut left), left), (0, 0));
        for table in [false, true] {
            for prot in PROTECTIONS {
                // A batch of foreign frames, or one frame of the table.
                let calls = if table { u64::from(PAGES) } else { 3 };
                for (fault, want) in [(Fault::Hypercall, calls), (Fault::Hook(Hook::Map), 1)] {
                    let steps = exhaust(
                        &pair.dom0,
                        fault,
                        || pair.picture(),
                        || {
                            let mut left = 9;
                            let rc = if table {
                                pair.map_table(prot, &mut left)
                            } else {
                                pair.map(prot, &mut left)
                            };
                            assert_eq!(left, 0);
                            if rc == 0 && !table {
                                for page in 0..PAGES as usize {
                                    let at = pair.window.va.cast::<u8>();
                                    // SAFETY: mapped just now.
                                    let byte = unsafe { at.add(page * PAGE_SIZE).read_volatile() };
                                    assert_eq!(byte, page as u8 + 1);
                                }
                            }
                            rc
                        },
                        |_| {
                            let mut left = 9;
                            assert_eq!((pair.unmap(&mut left), left), (0, 0));
                        },
                    );
                    assert_eq!(steps, want, "{fault:?}");
                }
            }
        }
    });
}

/// The mapping fails, and then one step of taking it back.
#[test]
fn roll_back_fails() {
    with_pair(|pair| {
        for hook in [false, true] {
            for nth in 1.. {
                let before = pair.picture();
                if hook {
                    Fault::Hook(Hook::Map).inject(&pair.dom0, 1);
                } else {
                    // The third chunk's hypercall, and one behind it.
                    Fault::Hypercall.inject(&pair.dom0, 3);
                }
                Fault::Hypercall.inject(&pair.dom0, 3 + nth);
                let mut left = 99;
                let rc = pair.map(PROTECTIONS[0], &mut left);
                let happened = pair.xen.faults_left(pair.dom0.domid()) == 0;
                pair.xen.clear_faults(pair.dom0.domid());
                let mapped = if hook { u64::from(PAGES) } else { 64 };
                if happened {
                    // Taken back from the last to the first.
                    assert_eq!((rc, u64::from(left)), (EIO, mapped - (nth - 1)));
                    assert_eq!(pair.left_in_window(left), 1);
                    pair.clear_window(left);
                } else {
                    assert_eq!((rc, left), (if hook { ENOMEM } else { EXDEV }, 0));
                }
                assert_eq!(pair.picture(), before);
                if !happened {
                    assert_eq!(nth, mapped + 1);
                    break;
                }
            }
        }
    });
}

/// A frame of a resource fails, then taking back what was there by then.
#[test]
fn roll_back_of_a_resource_fails() {
    with_pair(|pair| {
        let mut left = 99;
        assert_eq!(pair.map_table(PROTECTIONS[0], &mut left), 0);
        assert_eq!(pair.unmap(&mut left), 0);
        let before = pair.picture();
        let id = pair.dom0.domid();
        for failing in [2, 32, 33, 66, 70] {
            for back in 1..failing {
                pair.xen.fail_hypercall(id, failing, EXDEV);
                pair.xen.fail_hypercall(id, failing + back, EXDEV);
                assert_eq!(pair.map_table(PROTECTIONS[0], &mut left), EIO);
                assert_eq!(pair.xen.faults_left(id), 0);
                assert_eq!(u64::from(left), failing - back);
                assert_eq!(pair.left_in_window(left), 1);
                pair.clear_window(left);
                assert_eq!(pair.picture(), before);
            }
        }
    });
}

/// Two steps of taking back fail: the others are done nevertheless, and the
/// later frame's number is the answer. For a range of foreign frames, a range
/// of a resource's and a list of these.
#[test]
fn two_frames_stay() {
    with_pair(|pair| {
        let gfns: Vec<u64> = (0..u64::from(PAGES)).map(|i| pair.window.gfn + i).collect();
        let mut left = 99;
        assert_eq!(pair.map_table(PROTECTIONS[0], &mut left), 0);
        assert_eq!(pair.unmap(&mut left), 0);
        let before = pair.picture();
        let id = pair.dom0.domid();
        for way in 0..3 {
            // The hypercall that fails, and how many frames are there by then.
            let (failing, filled) = if way == 0 { (3, 64) } else { (41, 40) };
            for one in [1, 2, 7, 8, 9, 31, 32, 33] {
                for other in [one + 1, one + 2, 8, 32, 33, filled] {
                    if other <= one {
                        continue;
                    }
                    for nth in [failing, failing + one, failing + other] {
                        pair.xen.fail_hypercall(id, nth, EXDEV);
                    }
                    let rc = match way {
                        0 => pair.map(PROTECTIONS[0], &mut left),
                        1 => pair.map_table(PROTECTIONS[0], &mut left),
                        _ => pair.acquire(&gfns, &mut left),
                    };
                    assert_eq!(pair.xen.faults_left(id), 0);
                    assert_eq!((rc, u64::from(left)), (EIO, filled - one + 1));
                    assert_eq!(pair.left_in_window(left), 2);
                    let lower = (filled - other) as usize;
                    assert_ne!(pair.window_frames()[lower], Frame::Empty);
                    pair.clear_window(left);
                    assert_eq!(pair.picture(), before);
                }
            }
        }
    });
}

/// Ranges that wrap and no frames at all are refused without asking Xen; of a
/// list each frame is Xen's business.
#[test]
fn impossible_frames() {
    with_pair(|pair| {
        let before = pair.picture();
        let calls = pair.xen.hypercalls(pair.dom0.domid());
        let (raw, dom, gfn) = (pair.raw.0, pair.dom(), pair.window.gfn);
        let list = [u64::MAX, gfn];
        let mut lefts = [99; 5];
        // SAFETY: the guest is set up; refused, or nothing to do.
        let rcs = unsafe {
            let [a, b, c, d, e] = &mut lefts;
            [
                ffi::xg_foreign_add_range(raw, dom, u64::MAX, 2, gfn, a),
                ffi::xg_foreign_add_range(raw, dom, pair.gfn, 2, u64::MAX, b),
                ffi::xg_memory_acquire_resource(raw, dom, TABLE, 0, u64::MAX, 2, list.as_ptr(), c),
                ffi::xg_memory_acquire_resource(raw, dom, TABLE, 0, 0, 0, list.as_ptr(), d),
                ffi::xg_foreign_add_range(raw, dom, u64::MAX, 0, u64::MAX, e),
            ]
        };
        assert_eq!(rcs, [EINVAL, EINVAL, EINVAL, EINVAL, 0]);
        assert_eq!(lefts, [0; 5]);
        assert_eq!(pair.xen.hypercalls(pair.dom0.domid()), calls);
        let mut left = 99;
        assert_eq!((pair.acquire(&list, &mut left), left), (EINVAL, 0));
        assert_eq!(pair.xen.hypercalls(pair.dom0.domid()), calls + 1);
        assert_eq!(pair.picture(), before);
    });
}

/// One of A's frames is missing, and a hypercall fails as well.
#[test]
fn map_over_a_hole() {
    with_pair(|pair| {
        for hole in [0, 1, 31, 32, 50, 64, 69] {
            assert_eq!(pair.change(false, pair.gfn + hole, 1), (0, 1));
            let before = pair.picture();
            for nth in 1.. {
                Fault::Hypercall.inject(&pair.dom0, nth);
                let mut left = 99;
                let rc = pair.map(PROTECTIONS[0], &mut left);
                let happened = pair.xen.faults_left(pair.dom0.domid()) == 0;
                pair.xen.clear_faults(pair.dom0.domid());
                match rc {
                    EINVAL => assert!(!happened && left == 0),
                    EXDEV => assert!(happened && left == 0 && nth <= hole / 32 + 1),
                    EIO => {
                        assert!(happened && nth > hole / 32 + 1);
                        assert_eq!(pair.left_in_window(left), 1);
                        pair.clear_window(left);
                    }
                    other => panic!("{other}"),
                }
                assert_eq!(pair.picture(), before, "hole {hole}, number {nth}");
                if !happened {
                    break;
                }
            }
            assert_eq!(pair.change(true, pair.gfn + hole, 1), (0, 1));
        }
    });
}

#[test]
fn unmap() {
    with_pair(|pair| {
        let before = pair.picture();
        for nth in 1..=u64::from(PAGES) {
            let mut left = 99;
            assert_eq!(pair.map(PROTECTIONS[0], &mut left), 0);
            let mapped = pair.picture();
            // The CPU's part fails: nothing has changed.
            Fault::Hook(Hook::Unmap).inject(&pair.dom0, 1);
            assert_eq!((pair.unmap(&mut left), left), (ENOMEM, PAGES));
            assert_eq!(pair.picture(), mapped);
            // SAFETY: still mapped.
            assert_eq!(unsafe { pair.window.va.cast::<u8>().read_volatile() }, 1);
            Fault::Hypercall.inject(&pair.dom0, nth);
            assert_eq!(pair.unmap(&mut left), EIO);
            assert_eq!(u64::from(left), u64::from(PAGES) - nth + 1);
            assert_eq!(pair.left_in_window(left), 1);
            pair.clear_window(left);
            assert_eq!(pair.picture(), before);
        }
    });
}

/// A frame of the list can't be, wherever it is in the list, and a hypercall
/// fails as well.
#[test]
fn acquire() {
    with_pair(|pair| {
        let good: Vec<u64> = (0..40).map(|page| pair.window.gfn + page).collect();
        let mut left = 99;
        assert_eq!((pair.acquire(&good, &mut left), left), (0, 0));
        pair.clear_window(PAGES);
        let before = pair.picture();
        for bad in [0, 1, 2, 30, 31, 32, 33, 39] {
            let mut gfns = good.clone();
            gfns[bad] = 1 << 50;
            for nth in 1.. {
                Fault::Hypercall.inject(&pair.dom0, nth);
                let rc = pair.acquire(&gfns, &mut left);
                let happened = pair.xen.faults_left(pair.dom0.domid()) == 0;
                pair.xen.clear_faults(pair.dom0.domid());
                if rc == EIO {
                    assert!(happened);
                    if left > 0 {
                        assert_eq!(pair.left_in_window(left), 1);
                        pair.clear_window(left);
                    }
                } else {
                    assert_eq!((rc, left), (if happened { EXDEV } else { EINVAL }, 0));
                }
                assert_eq!(pair.picture(), before, "{bad} bad, number {nth}: {rc}");
                if !happened {
                    break;
                }
            }
        }
    });
}

#[test]
fn remove_range() {
    with_pair(|pair| {
        let before = pair.picture();
        for nth in 1..=u64::from(PAGES) + 1 {
            let (mut left, mut done) = (99, 99);
            // SAFETY: the guest is set up; the window is empty, then nobody
            // uses it.
            let rc = unsafe {
                let (raw, gfn) = (pair.raw.0, pair.window.gfn);
                let rc =
                    ffi::xg_foreign_add_range(raw, pair.dom(), pair.gfn, PAGES, gfn, &mut left);
                assert_eq!((rc, left), (0, 0));
                Fault::Hypercall.inject(&pair.dom0, nth);
                ffi::xg_memory_remove_range(raw, SELF, gfn, PAGES, &mut done)
            };
            pair.xen.clear_faults(pair.dom0.domid());
            let want = u64::from(PAGES).min(nth - 1);
            assert_eq!(u64::from(done), want);
            assert_eq!(rc, if done == PAGES { 0 } else { EXDEV });
            let frames = pair.window_frames();
            let (gone, rest) = frames.split_at(done as usize);
            assert!(gone.iter().all(|frame| *frame == Frame::Empty));
            assert!(rest.iter().all(|frame| matches!(frame, Frame::Foreign(_))));
            pair.clear_window(PAGES);
            assert_eq!(pair.picture(), before);
        }
        let mut done = 99;
        // SAFETY: refused, or nothing there.
        let rc = unsafe {
            let raw = pair.raw.0;
            ffi::xg_memory_remove_range(raw, SELF, pair.window.gfn, 1, &mut done)
        };
        assert_eq!((rc, done), (ENOENT, 0));
    });
}

/// The same through owners: what can't be taken back is counted, once.
#[test]
fn owners() {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let a = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &dom0, &dom0);
    let page = a.alloc_page().unwrap();
    page.write(3, 33);
    let map = |guest: &Guest<'_>, pages: EmptyPages| -> Result<u8, (Error, Option<EmptyPages>)> {
        match ForeignMap::new(guest, a.domid(), page.gfn(), Access::ReadOnly, pages) {
            Ok(map) => Ok(map.memory().read(3)),
            Err(refused) => Err((refused.error, refused.pages)),
        }
    };
    let mut pages = dom0.empty_pages(1).unwrap();
    let before = xen.leaks();
    for fault in [Fault::Hypercall, Fault::Hook(Hook::Map)] {
        fault.inject(&dom0, 1);
        let (error, back) = map(&guest, pages).unwrap_err();
        let want = [Error::Unknown(18), Error::NoMemory];
        assert!(want.contains(&error), "{error}");
        pages = back.unwrap();
        assert_eq!(xen.leaks(), before);
    }
    assert_eq!(guest.abandoned(), 0);
    // Refused, the mapping stays; then it goes.
    let gfn = page.gfn();
    let mapped = ForeignMap::new(&guest, a.domid(), gfn, Access::ReadWrite, pages).unwrap();
    Fault::Hook(Hook::Unmap).inject(&dom0, 1);
    let (error, mapped) = mapped.unmap().unwrap_err();
    assert_eq!(error, Error::NoMemory);
    let mapped = mapped.unwrap();
    mapped.memory().write::<u8>(4, 44);
    assert_eq!(page.read(4), 44);
    dom0.return_empty_pages(mapped.unmap().unwrap());
    let mut abandoned = 0;
    let mut lost = Vec::new();
    let mut fresh = || {
        let pages = dom0.empty_pages(1).unwrap();
        lost.push(dom0.virt_to_gfn(pages.va().as_ptr()).unwrap());
        pages
    };
    // Xen keeps it: while it is undone, unmapped, or dropped.
    Fault::Hook(Hook::Map).inject(&dom0, 1);
    Fault::Hypercall.inject(&dom0, 2);
    let (error, back) = map(&guest, fresh()).unwrap_err();
    assert!(error == Error::Partial && back.is_none());
    abandoned += 1;
    assert_eq!(guest.abandoned(), abandoned);
    let mapped = ForeignMap::new(&guest, a.domid(), gfn, Access::ReadWrite, fresh()).unwrap();
    Fault::Hypercall.inject(&dom0, 1);
    let (error, mapped) = mapped.unmap().unwrap_err();
    assert!(error == Error::Partial && mapped.is_none());
    abandoned += 1;
    assert_eq!(guest.abandoned(), abandoned);
    Fault::Hypercall.inject(&dom0, 2);
    assert_eq!(map(&guest, fresh()).unwrap(), 33);
    abandoned += 1;
    assert_eq!(guest.abandoned(), abandoned);
    assert_eq!(xen.leaks().foreign_mappings, 3);
    // SAFETY: nobody uses what is there.
    unsafe {
        for gfn in lost {
            guest.physmap().remove(gfn, 1).unwrap();
        }
        let hole = Gfn::new(dom0.extended_region().gfn.raw());
        let stopped = guest.physmap().remove(hole, 1).unwrap_err();
        assert_eq!((stopped.done, stopped.error), (0, Error::NotFound));
    }
    // Another domain's memory, counted exactly.
    let physmap = guest.physmap_of(a.domid());
    let hole = Gfn::new(a.extended_region().gfn.raw());
    // SAFETY: A does not run.
    unsafe {
        let stopped = physmap.decrease(&[gfn, hole], 0).unwrap_err();
        let error = Error::Invalid;
        assert_eq!(stopped, Stopped { done: 1, error });
        let stopped = physmap.populate(&[gfn, hole], 0).unwrap_err();
        let error = Error::TooBig;
        assert_eq!(stopped, Stopped { done: 1, error });
        assert_eq!(
            stopped.to_string(),
            "over the domain's limit (-7) after 1 done"
        );
    }
    assert_eq!(physmap.current_reservation(), physmap.maximum_reservation());
    assert!(physmap.maximum_gfn().unwrap() >= gfn);
    assert_eq!(physmap.hvm_param(abi::HVM_PARAM_STORE_PFN), Ok(0));
    assert_eq!(Resource::GrantTable.size(&guest, a.domid()), Ok(64));
    assert_eq!(
        Resource::GrantStatus.size(&guest, a.domid()),
        Err(Error::Invalid)
    );
}
