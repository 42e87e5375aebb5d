// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory calls with one step after the other failing: every frame is as
//! before, or as the call says.

#![cfg(feature = "sim")]

mod common;

use common::{EINVAL, EIO, EXDEV, Fault, Raw, SELF, exhaust};
use xen_guest::ffi::{self, abi, xg_window};
use xen_guest::sim::{Domain, DomainConfig, Frame, Hook, Hypervisor, Leaks};
use xen_guest::{
    Access, EmptyPages, Error, ForeignMap, Gfn, Guest, PAGE_SIZE, Platform, Resource, Stopped,
};

const E2BIG: i32 = -7;
const ENOMEM: i32 = -12;
const ENOENT: i32 = -2;
/// More than two chunks of the core.
const PAGES: u32 = 70;
const ORDINARY: [u32; 2] = [ffi::XG_PROT_READ | ffi::XG_PROT_WRITE, ffi::XG_PROT_READ];
const TABLE: u16 = abi::XENMEM_resource_grant_table as u16;

/// The control domain with an empty window; A, with pages in a row.
struct Pair {
    xen: Hypervisor,
    dom0: Domain,
    a: Domain,
    /// Of the control domain.
    raw: Raw,
    /// Of A.
    raw_a: Raw,
    window: xg_window,
    /// First frame of A's pages.
    gfn: u64,
}

#[derive(Debug, PartialEq)]
struct Picture {
    leaks: Leaks,
    window: Vec<Frame>,
    pages: Vec<Frame>,
}

impl Pair {
    fn dom(&self) -> u16 {
        self.a.domid().raw()
    }

    fn window_frames(&self) -> Vec<Frame> {
        let gfns = self.window.gfn..self.window.gfn + u64::from(PAGES);
        gfns.map(|gfn| self.dom0.frame(Gfn::new(gfn))).collect()
    }

    fn page_frames(&self) -> Vec<Frame> {
        let gfns = self.gfn..self.gfn + u64::from(PAGES);
        gfns.map(|gfn| self.a.frame(Gfn::new(gfn))).collect()
    }

    fn picture(&self) -> Picture {
        Picture {
            leaks: self.xen.leaks(),
            window: self.window_frames(),
            pages: self.page_frames(),
        }
    }

    fn map(&self, prot: u32, left: &mut u32) -> i32 {
        // SAFETY: the guest is set up; the window is empty.
        unsafe { ffi::xg_foreign_map(self.raw.0, self.dom(), self.gfn, &self.window, prot, left) }
    }

    fn map_table(&self, prot: u32, left: &mut u32) -> i32 {
        // SAFETY: the guest is set up; the window is empty.
        unsafe {
            ffi::xg_resource_map(
                self.raw.0,
                self.dom(),
                TABLE,
                0,
                0,
                &self.window,
                prot,
                left,
            )
        }
    }

    fn unmap(&self, left: &mut u32) -> i32 {
        // SAFETY: the guest is set up; nobody uses the window.
        unsafe { ffi::xg_foreign_unmap(self.raw.0, &self.window, left) }
    }

    fn acquire(&self, gfns: &[u64], left: &mut u32) -> i32 {
        let count = gfns.len() as u32;
        // SAFETY: the guest is set up; the frames are empty.
        unsafe {
            let raw = self.raw.0;
            ffi::xg_memory_acquire_resource(
                raw,
                self.dom(),
                TABLE,
                0,
                0,
                count,
                gfns.as_ptr(),
                left,
            )
        }
    }

    /// Past the library: make the window's first `pages` frames empty.
    fn clear_window(&self, pages: u32) {
        for page in 0..u64::from(pages) {
            let gfn = self.window.gfn + page;
            if self.dom0.frame(Gfn::new(gfn)) != Frame::Empty {
                // SAFETY: the guest is set up; nobody uses the window.
                let rc = unsafe { ffi::xg_memory_remove_from_physmap(self.raw.0, SELF, gfn) };
                assert_eq!(rc, 0);
            }
        }
    }

    /// How many of the window's frames are filled; none is at or beyond
    /// `left`, and one is just before it.
    fn left_in_window(&self, left: u32) -> usize {
        let frames = self.window_frames();
        let (before, behind) = frames.split_at(left as usize);
        assert!(behind.iter().all(|frame| *frame == Frame::Empty), "{left}");
        assert_ne!(before.last(), Some(&Frame::Empty), "{left}");
        before
            .iter()
            .filter(|frame| **frame != Frame::Empty)
            .count()
    }

    fn change(&self, populate: bool, gfn: u64, count: u32) -> (i32, u32) {
        let mut done = 99;
        let raw = self.raw_a.0;
        // SAFETY: the guest is set up; the pages are the test's.
        let rc = unsafe {
            if populate {
                ffi::xg_memory_populate_range(raw, SELF, gfn, count, &mut done)
            } else {
                ffi::xg_memory_decrease_range(raw, SELF, gfn, count, &mut done)
            }
        };
        (rc, done)
    }

    fn change_list(&self, populate: bool, gfns: &[u64]) -> (i32, u32) {
        let mut done = 99;
        let (raw, count, list) = (self.raw_a.0, gfns.len() as u32, gfns.as_ptr());
        // SAFETY: the guest is set up; the pages are the test's.
        let rc = unsafe {
            if populate {
                ffi::xg_memory_populate_physmap(raw, SELF, 0, count, 0, list, &mut done)
            } else {
                ffi::xg_memory_decrease_reservation(raw, SELF, 0, count, 0, list, &mut done)
            }
        };
        (rc, done)
    }

    /// Lets A's `nth` hypercall fail during `call`; whether it happened.
    fn fail_a<R>(&self, nth: u64, call: impl FnOnce() -> R) -> (R, bool) {
        Fault::Hypercall.inject(&self.a, nth);
        let result = call();
        let happened = self.xen.faults_left(self.a.domid()) == 0;
        self.xen.clear_faults(self.a.domid());
        (result, happened)
    }
}

fn with_pair(body: impl FnOnce(&Pair)) {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let a = xen.create_domain(DomainConfig::default().with_max_grant_frames(128));
    let (mut storage, mut storage_a) = (common::Storage::new(), common::Storage::new());
    let guest = common::guest(&mut storage, &dom0, &dom0);
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let pages = a.page_alloc(PAGES);
    for page in 0..PAGES as usize {
        // SAFETY: allocated just now.
        unsafe { pages.add(page * PAGE_SIZE).write_volatile(page as u8 + 1) };
    }
    let empty = dom0.empty_pages(PAGES).unwrap();
    let va = empty.va().as_ptr();
    let pair = Pair {
        xen: xen.clone(),
        dom0: dom0.clone(),
        a: a.clone(),
        raw: Raw::of(&guest),
        raw_a: Raw::of(&guest_a),
        window: xg_window {
            va: va.cast(),
            gfn: dom0.virt_to_gfn(va).unwrap().raw(),
            pages: PAGES,
        },
        gfn: a.virt_to_gfn(pages).unwrap().raw(),
    };
    let before = pair.picture();
    body(&pair);
    assert_eq!(pair.picture().leaks, before.leaks);
    drop(pair);
    dom0.return_empty_pages(empty);
    // SAFETY: allocated above; nobody has it mapped.
    unsafe { a.page_free(pages, PAGES) };
    guest.finish().unwrap();
    guest_a.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// Foreign frames and a grant table's: all or none, whatever fails.
#[test]
fn map_all_or_none() {
    with_pair(|pair| {
        // The table grows once and for all.
        let mut left = 9;
        assert_eq!(pair.map_table(ORDINARY[1], &mut left), 0);
        assert_eq!((pair.unmap(&mut left), left), (0, 0));
        for table in [false, true] {
            for prot in ORDINARY {
                for (fault, want) in [(Fault::Hypercall, 3), (Fault::Hook(Hook::Map), 1)] {
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
                let rc = pair.map(ORDINARY[0], &mut left);
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

/// A chunk of a resource fails, then one of its frames, then taking back what
/// was there by then.
#[test]
fn roll_back_of_a_resource_fails() {
    with_pair(|pair| {
        let mut left = 99;
        assert_eq!(pair.map_table(ORDINARY[0], &mut left), 0);
        assert_eq!(pair.unmap(&mut left), 0);
        let before = pair.picture();
        let id = pair.dom0.domid();
        // The third chunk; a look at its first frame; three frames of it.
        for (back, want) in [(1, 67), (3, 65), (4, 64), (67, 1)] {
            pair.xen.fail_hypercall(id, 3, EIO);
            pair.xen.fail_hypercall(id, 8, EXDEV);
            pair.xen.fail_hypercall(id, 8 + back, EXDEV);
            assert_eq!(pair.map_table(ORDINARY[0], &mut left), EIO);
            assert_eq!((left, pair.xen.faults_left(id)), (want, 0));
            assert_eq!(pair.left_in_window(left), 1);
            pair.clear_window(left);
            assert_eq!(pair.picture(), before);
        }
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
                let rc = pair.map(ORDINARY[0], &mut left);
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
            assert_eq!(pair.map(ORDINARY[0], &mut left), 0);
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
