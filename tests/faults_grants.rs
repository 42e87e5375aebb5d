// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grant calls with one step after the other failing, and two at a time.

#![cfg(feature = "sim")]

mod common;

use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use common::{EINVAL, EIO, EXDEV, Fault, Picture, Raw, exhaust, map_op, unmap_op};
use xen_guest::ffi::abi::{self, gnttab_map_grant_ref, gnttab_unmap_grant_ref};
use xen_guest::ffi::{XG_EAGAIN_TRIES, XG_NO_HANDLE};
use xen_guest::sim::{Domain, DomainConfig, Hook, Hypervisor, SimPage};
use xen_guest::{
    Access, EmptyPages, Error, Gfn, Grant, Guest, Hypercall, PAGE_SIZE, Page, PageOwner,
    ParkedOwner, Parking, Platform, Protection,
};

const EAGAIN: i32 = -11;
const EFAULT: i32 = -14;
const OKAY: i16 = abi::GNTST_okay as i16;
const GENERAL: i16 = abi::GNTST_general_error as i16;
/// More than the rollback does at once.
const REFS: usize = 20;

#[test]
fn alloc_and_grant() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let mark = ptr::dangling_mut();
    let mut page = mark;
    let call = |domid, page: &mut _| {
        // SAFETY: the guest is set up.
        unsafe { xen_guest::ffi::xg_gnttab_alloc_and_grant(raw.0, domid, page, false) }
    };
    let picture = || Picture::of(&xen, raw);
    let free = |page| {
        // SAFETY: allocated by the call, and the grant has ended.
        unsafe { domain.page_free(page, 1) }
    };
    let before = picture();
    for fault in [Fault::Hook(Hook::PageAlloc), Fault::Hypercall] {
        let granted = std::cell::Cell::new(mark);
        let steps = exhaust(
            &domain,
            fault,
            picture,
            || {
                let mut page = mark;
                let gref = call(1, &mut page);
                assert_eq!(gref < 0, page == mark, "written on success only");
                granted.set(page);
                gref
            },
            |gref| {
                assert_eq!(raw.end(gref as u32), 0);
                free(granted.get().cast());
            },
        );
        // No hypercall in it at all.
        assert_eq!(steps, u64::from(matches!(fault, Fault::Hook(_))));
    }
    // Refused by its arguments, or for want of a reference: the page is back.
    assert_eq!(call(0x7ff0, &mut page), EINVAL);
    // SAFETY: refused.
    let rc = unsafe { xen_guest::ffi::xg_gnttab_alloc_and_grant(raw.0, 1, ptr::null_mut(), false) };
    assert_eq!(rc, EINVAL);
    assert_eq!(picture(), before);
    let grefs: Vec<i32> = (0..1016).map(|_| raw.grant(1, 1, true)).collect();
    let full = picture();
    assert_eq!(call(1, &mut page), common::ENOSPC);
    assert_eq!((page, picture()), (mark, full));
    for gref in grefs {
        assert_eq!(raw.end(gref as u32), 0);
    }
    // Zeroed, even where it was not before.
    let dirty = domain.page_alloc(1);
    // SAFETY: allocated just now.
    unsafe {
        dirty.write_bytes(0xa5, PAGE_SIZE);
        domain.page_free(dirty, 1);
    }
    let gref = call(1, &mut page);
    assert_eq!(page.cast(), dirty);
    // SAFETY: granted to a domain that is not there.
    let bytes = unsafe { std::slice::from_raw_parts(page.cast::<u8>(), PAGE_SIZE) };
    assert!(bytes.iter().all(|byte| *byte == 0));
    assert_eq!(raw.end(gref as u32), 0);
    free(page.cast());
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero());
}

/// A, which grants; B, which maps at `pages`.
struct Pair<'g> {
    xen: Hypervisor,
    b: Domain,
    a: Raw,
    raw: Raw,
    granted: Vec<(u32, SimPage)>,
    dom: u16,
    pages: EmptyPages,
    guests: std::marker::PhantomData<&'g Guest<'g>>,
}

/// How a batch lies in memory.
#[derive(Clone, Copy, Debug)]
enum Shape {
    /// One run of pages.
    Dense,
    /// Gaps every three pages.
    Gaps,
    /// Two protections by turns.
    Mixed,
    /// From the last page down.
    Down,
}

const SHAPES: [Shape; 4] = [Shape::Dense, Shape::Gaps, Shape::Mixed, Shape::Down];

impl Pair<'_> {
    fn va(&self, page: usize) -> *mut u8 {
        self.pages.va().as_ptr().wrapping_add(page * PAGE_SIZE)
    }

    fn ops(&self, shape: Shape) -> Vec<gnttab_map_grant_ref> {
        (0..REFS)
            .map(|i| {
                let (page, readonly) = match shape {
                    Shape::Dense => (i, false),
                    Shape::Gaps => (i + i / 3, true),
                    Shape::Mixed => (i, i % 2 == 0),
                    Shape::Down => (REFS - 1 - i, false),
                };
                map_op(self.dom, self.granted[i].0, self.va(page), readonly)
            })
            .collect()
    }

    fn map(&self, shape: Shape) -> Vec<gnttab_map_grant_ref> {
        let mut ops = self.ops(shape);
        assert_eq!(self.raw.map(&mut ops), 0, "{shape:?}");
        for (op, (_, page)) in ops.iter().zip(&self.granted) {
            // SAFETY: mapped just now.
            let byte = unsafe { (op.host_addr as *mut u8).add(9).read_volatile() };
            assert_eq!(byte, page.read(9));
        }
        ops
    }

    fn unmap(&self, mapped: &[gnttab_map_grant_ref]) {
        let mut ops: Vec<_> = mapped.iter().map(undo).collect();
        assert_eq!(self.raw.unmap(&mut ops), 0);
    }

    fn picture(&self) -> (Picture, Picture) {
        (
            Picture::of(&self.xen, self.a),
            Picture::of(&self.xen, self.raw),
        )
    }

    /// Past the library: Xen's side of it only.
    fn unmap_in_xen(&self, op: &gnttab_map_grant_ref) {
        let mut op = undo(op);
        let va = op.host_addr as *const u8;
        op.host_addr = self.b.virt_to_gfn(va).unwrap().raw() << 12;
        let args = [
            abi::GNTTABOP_unmap_grant_ref as usize,
            &raw mut op as usize,
            1,
            0,
            0,
        ];
        // SAFETY: the structure that the operation takes.
        let rc = unsafe { self.b.hypercall(abi::__HYPERVISOR_grant_table_op, args) };
        assert_eq!((rc, op.status), (0, OKAY));
    }

    /// Past the library: the CPU's side of it only.
    fn unmap_in_cpu(&self, va: u64) {
        // SAFETY: mapped, and not used.
        unsafe { self.b.unmap(va as *mut u8, 1) }.unwrap();
    }
}

fn undo(op: &gnttab_map_grant_ref) -> gnttab_unmap_grant_ref {
    unmap_op(op.host_addr as *mut u8, op.handle)
}

fn with_pair(body: impl FnOnce(&Pair<'_>)) {
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let guest_b = common::guest(&mut storage_b, &b, &b);
    let raw_a = Raw::of(&guest_a);
    let mut granted = Vec::new();
    for i in 0..REFS {
        let page = a.alloc_page().unwrap();
        page.write(9, i as u8 + 1);
        let gref = raw_a.grant(b.domid().raw(), page.gfn().raw(), false);
        granted.push((gref as u32, page));
    }
    let pair = Pair {
        xen: xen.clone(),
        b: b.clone(),
        a: raw_a,
        raw: Raw::of(&guest_b),
        granted,
        dom: a.domid().raw(),
        pages: b.empty_pages(2 * REFS as u32).unwrap(),
        guests: std::marker::PhantomData,
    };
    body(&pair);
    for (gref, _) in &pair.granted {
        assert_eq!(raw_a.end(*gref), 0, "a mapping was left");
    }
    b.return_empty_pages(pair.pages);
    drop(pair.granted);
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// All or none, whatever fails.
#[test]
fn map() {
    with_pair(|pair| {
        for shape in SHAPES {
            let faults = [
                (Fault::Hypercall, None),
                (Fault::Hook(Hook::Map), None),
                (Fault::Map(abi::GNTST_general_error), Some(REFS)),
                (Fault::Map(abi::GNTST_bad_page), Some(REFS)),
                (Fault::Map(abi::GNTST_no_space), Some(REFS)),
                (Fault::Map(77), Some(REFS)),
                (Fault::Map(-500), Some(REFS)),
            ];
            for (fault, steps) in faults {
                let ops = std::cell::RefCell::new(Vec::new());
                let happened = exhaust(
                    &pair.b,
                    fault,
                    || pair.picture(),
                    || {
                        let mut batch = pair.ops(shape);
                        let wanted = batch.clone();
                        let rc = pair.raw.map(&mut batch);
                        for (op, wanted) in batch.iter().zip(wanted) {
                            assert_eq!(op.host_addr, wanted.host_addr);
                            assert_eq!(op.handle == XG_NO_HANDLE, rc != 0, "{rc}");
                        }
                        if matches!(fault, Fault::Map(_)) && rc != 0 {
                            let failed = |op: &&gnttab_map_grant_ref| op.status != OKAY;
                            assert_eq!(batch.iter().filter(failed).count(), 1);
                        }
                        ops.replace(batch);
                        rc
                    },
                    |_| pair.unmap(&ops.borrow()),
                );
                if let Some(steps) = steps {
                    assert_eq!(happened, steps as u64, "{shape:?} {fault:?}");
                }
                assert!(happened > 0);
            }
        }
    });
}

/// Tried again, but not for ever.
#[test]
fn map_what_is_not_there_yet() {
    with_pair(|pair| {
        let before = pair.picture();
        for times in [1, 2, XG_EAGAIN_TRIES, XG_EAGAIN_TRIES + 1] {
            for at in [1, 9, REFS as u32] {
                // The batch's own, and then the tries, which are counted on.
                Fault::Map(abi::GNTST_eagain).inject(&pair.b, at.into());
                for retry in 1..times {
                    let nth = REFS as u32 + retry;
                    Fault::Map(abi::GNTST_eagain).inject(&pair.b, nth.into());
                }
                let mut ops = pair.ops(Shape::Dense);
                let rc = pair.raw.map(&mut ops);
                assert_eq!(pair.xen.faults_left(pair.b.domid()), 0);
                if times <= XG_EAGAIN_TRIES {
                    assert_eq!(rc, 0, "{times} at {at}");
                    pair.unmap(&ops);
                } else {
                    assert_eq!(rc, EAGAIN);
                    assert_eq!(ops[at as usize - 1].status, abi::GNTST_eagain as i16);
                }
                assert_eq!(pair.picture(), before);
            }
        }
        // The hypercall of the second try fails.
        Fault::Map(abi::GNTST_eagain).inject(&pair.b, 3);
        Fault::Hypercall.inject(&pair.b, 2);
        let mut ops = pair.ops(Shape::Dense);
        assert_eq!(pair.raw.map(&mut ops), -EXDEV.abs());
        assert_eq!(pair.picture(), before);
    });
}

/// Rolling back fails as well: those ops keep their handles, and no others
/// are mapped.
#[test]
fn map_and_roll_back() {
    with_pair(|pair| {
        let before = pair.picture();
        for at in [2, 12, REFS as u64] {
            for back in 1.. {
                Fault::Map(abi::GNTST_bad_page).inject(&pair.b, at);
                Fault::Unmap(abi::GNTST_general_error).inject(&pair.b, back);
                let mut ops = pair.ops(Shape::Gaps);
                let rc = pair.raw.map(&mut ops);
                let happened = pair.xen.faults_left(pair.b.domid()) == 0;
                pair.xen.clear_faults(pair.b.domid());
                let kept: Vec<_> = ops.iter().filter(|op| op.handle != XG_NO_HANDLE).collect();
                assert_eq!(kept.len(), usize::from(happened));
                assert_eq!(rc, if happened { EIO } else { EINVAL });
                assert_eq!(pair.xen.leaks().mappings, kept.len());
                for op in kept {
                    pair.unmap_in_xen(op);
                }
                assert_eq!(pair.picture(), before);
                if !happened {
                    assert_eq!(back, REFS as u64);
                    break;
                }
            }
        }
        // A hypercall of the rollback fails: a whole batch of it stays.
        Fault::Map(abi::GNTST_bad_page).inject(&pair.b, 1);
        Fault::Hypercall.inject(&pair.b, 2);
        let mut ops = pair.ops(Shape::Dense);
        assert_eq!(pair.raw.map(&mut ops), EIO);
        let kept: Vec<_> = ops.iter().filter(|op| op.handle != XG_NO_HANDLE).collect();
        assert_eq!(pair.xen.leaks().mappings, kept.len());
        assert!(!kept.is_empty() && kept.len() < REFS);
        for op in kept {
            pair.unmap_in_xen(op);
        }
        assert_eq!(pair.picture(), before);
    });
}

/// The platform maps some runs, not all, and then does not unmap one page:
/// that op keeps its handle, and can be unmapped later.
#[test]
fn map_and_unmap_hooks_fail() {
    with_pair(|pair| {
        let before = pair.picture();
        let runs = REFS.div_ceil(3) as u64;
        for run in 2..=runs {
            for back in 1..=3 * (run - 1) {
                Fault::Hook(Hook::Map).inject(&pair.b, run);
                Fault::Hook(Hook::Unmap).inject(&pair.b, back);
                let mut ops = pair.ops(Shape::Gaps);
                assert_eq!(pair.raw.map(&mut ops), EIO, "map {run}, unmap {back}");
                assert_eq!(pair.xen.faults_left(pair.b.domid()), 0);
                ops.retain(|op| op.handle != XG_NO_HANDLE);
                assert_eq!((ops.len(), pair.xen.leaks().mappings), (1, 1));
                assert_eq!(ops[0].status, OKAY);
                pair.unmap(&ops);
                assert_eq!(pair.picture(), before);
            }
        }
    });
}

/// Refused before anything happens.
#[test]
fn map_bad_addresses() {
    with_pair(|pair| {
        let before = pair.picture();
        let calls = pair.xen.hypercalls(pair.b.domid());
        let good = pair.va(0) as u64;
        for bad in [
            0,
            8,
            good + 1,
            good + 4095,
            0x1000,
            u64::MAX,
            u64::MAX << 12,
        ] {
            for at in [0, 7, REFS - 1] {
                let mut ops = pair.ops(Shape::Dense);
                ops[at].host_addr = bad;
                assert_eq!(pair.raw.map(&mut ops), EFAULT, "{bad:#x}");
                let untouched =
                    |op: &gnttab_map_grant_ref| op.handle == XG_NO_HANDLE && op.status == GENERAL;
                assert!(ops.iter().all(untouched));
            }
        }
        // SAFETY: refused, or nothing to do.
        let rcs = unsafe {
            [
                xen_guest::ffi::xg_gnttab_map(pair.raw.0, ptr::null_mut(), 1),
                xen_guest::ffi::xg_gnttab_unmap(pair.raw.0, ptr::null_mut(), 1),
                xen_guest::ffi::xg_gnttab_map(pair.raw.0, ptr::null_mut(), 0),
                xen_guest::ffi::xg_gnttab_unmap(pair.raw.0, ptr::null_mut(), 0),
            ]
        };
        assert_eq!(rcs, [EINVAL, EINVAL, 0, 0]);
        assert_eq!(pair.xen.hypercalls(pair.b.domid()), calls);
        assert_eq!(pair.picture(), before);
    });
}

/// What fails stays mapped and usable, what does not is gone, and the
/// statuses say which.
#[test]
fn unmap() {
    with_pair(|pair| {
        let before = pair.picture();
        for shape in SHAPES {
            let faults = [
                Fault::Hypercall,
                Fault::Unmap(abi::GNTST_general_error),
                Fault::Unmap(abi::GNTST_bad_handle),
                Fault::Unmap(5),
            ];
            for fault in faults {
                for nth in 1.. {
                    let mapped = pair.map(shape);
                    fault.inject(&pair.b, nth);
                    let mut ops: Vec<_> = mapped.iter().map(undo).collect();
                    let rc = pair.raw.unmap(&mut ops);
                    let happened = pair.xen.faults_left(pair.b.domid()) == 0;
                    pair.xen.clear_faults(pair.b.domid());
                    assert_eq!(rc != 0, happened, "{fault:?} {nth}");
                    let left: Vec<_> = mapped
                        .iter()
                        .zip(&ops)
                        .filter(|(_, op)| op.status != OKAY)
                        .map(|(op, _)| *op)
                        .collect();
                    assert_eq!(pair.xen.leaks().mappings, left.len());
                    assert_eq!(left.is_empty(), !happened);
                    for op in &left {
                        // SAFETY: still mapped.
                        let byte = unsafe { (op.host_addr as *mut u8).add(9).read_volatile() };
                        assert_ne!(byte, 0);
                    }
                    pair.unmap(&left);
                    assert_eq!(pair.picture(), before);
                    if !happened {
                        break;
                    }
                }
            }
        }
    });
}

/// The platform keeps a run of pages: they are named, the rest is gone, and a
/// refusal by Xen does not hide it.
#[test]
fn unmap_hook_fails() {
    with_pair(|pair| {
        let before = pair.picture();
        let runs = REFS.div_ceil(3) as u64;
        for refused in [false, true] {
            for run in 1..=runs {
                let mapped = pair.map(Shape::Gaps);
                Fault::Hook(Hook::Unmap).inject(&pair.b, run);
                // Of another run.
                let other = if run == 1 { REFS as u64 } else { 1 };
                if refused {
                    Fault::Unmap(abi::GNTST_general_error).inject(&pair.b, other);
                }
                let mut ops: Vec<_> = mapped.iter().map(undo).collect();
                assert_eq!(pair.raw.unmap(&mut ops), EIO);
                assert_eq!(pair.xen.faults_left(pair.b.domid()), 0);
                let visible = ops
                    .iter()
                    .filter(|op| op.status == abi::GNTST_bad_virt_addr as i16);
                let first = (run as usize - 1) * 3;
                let addresses: Vec<u64> = visible.map(|op| op.host_addr).collect();
                let end = REFS.min(first + 3);
                let wanted: Vec<u64> = mapped[first..end].iter().map(|op| op.host_addr).collect();
                assert_eq!(addresses, wanted);
                for va in addresses {
                    pair.unmap_in_cpu(va);
                }
                if refused {
                    let other = other as usize - 1;
                    assert_eq!(ops[other].status, GENERAL);
                    pair.unmap(&mapped[other..=other]);
                }
                assert_eq!(pair.picture(), before);
            }
        }
    });
}

/// Handles that are none, or not any more, among good ones.
#[test]
fn unmap_bad_handles() {
    with_pair(|pair| {
        let before = pair.picture();
        for bad in [XG_NO_HANDLE, 255, 100_000_000] {
            let mapped = pair.map(Shape::Dense);
            let mut ops: Vec<_> = mapped.iter().map(undo).collect();
            ops[4].handle = bad;
            assert_eq!(pair.raw.unmap(&mut ops), EINVAL);
            assert_eq!(ops[4].status, abi::GNTST_bad_handle as i16);
            assert_eq!(pair.xen.leaks().mappings, 1);
            // Twice: nothing is left of any of them but one.
            assert_eq!(pair.raw.unmap(&mut [undo(&mapped[0])]), EINVAL);
            assert_eq!(pair.raw.unmap(&mut [unmap_op(ptr::null_mut(), 0)]), EFAULT);
            pair.unmap(&mapped[4..5]);
            assert_eq!(pair.picture(), before);
        }
    });
}

/// A page that counts how often it is dropped.
#[derive(Debug)]
struct Counted(SimPage, Arc<AtomicU32>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_add(1, SeqCst);
    }
}

// SAFETY: the page is the simulator's, which hands it out once.
unsafe impl PageOwner for Counted {
    fn page(&self) -> ptr::NonNull<Page> {
        self.0.page()
    }
}

// SAFETY: the box that `into_raw` took apart.
unsafe impl ParkedOwner for Counted {
    fn into_raw(self) -> *mut () {
        Box::into_raw(Box::new(self)).cast()
    }

    unsafe fn from_raw(raw: *mut ()) -> Self {
        // SAFETY: from `into_raw`, once.
        *unsafe { Box::from_raw(raw.cast()) }
    }
}

/// Ended, parked, or refused for want of a place: a page is dropped once, and
/// not before its peer has let go. On another thread, if reaped there.
#[test]
fn parked_pages_are_dropped_once() {
    park_with(false);
    park_with(true);
}

fn park_with(v2: bool) {
    let xen = Hypervisor::new().with_grants_v2();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let mut places = [Parking::new()];
    let mut config = common::config(&a).with_parking(&mut places);
    if v2 {
        config = config.with_grants_v2();
    }
    let guest_a = common::guest_with(&mut storage_a, &a, config);
    let guest_b = common::guest(&mut storage_b, &b, &b);
    let raw_b = Raw::of(&guest_b);
    let dropped = Arc::new(AtomicU32::new(0));
    let grant = || {
        let page = Counted(a.alloc_page().unwrap(), dropped.clone());
        Grant::new(&guest_a, b.domid(), page, Access::ReadWrite).unwrap()
    };
    let pages = b.empty_pages(2).unwrap();
    let va = |i: usize| pages.va().as_ptr().wrapping_add(i * PAGE_SIZE);
    let map = |grant: &Grant<'_, Counted>, i| {
        let mut op = [map_op(a.domid().raw(), grant.gref().raw(), va(i), false)];
        assert_eq!(raw_b.map(&mut op), 0);
        [unmap_op(va(i), op[0].handle)]
    };
    grant().park().unwrap();
    assert_eq!(dropped.load(SeqCst), 1);
    let (one, other) = (grant(), grant());
    let (mut first, mut second) = (map(&one, 0), map(&other, 1));
    one.park().unwrap();
    let refused = other.park().unwrap_err();
    assert_eq!(refused.error, Error::NoSpace);
    let other = refused.grant;
    assert_eq!((guest_a.reap_grants(5), dropped.load(SeqCst)), (1, 1));
    assert_eq!(other.memory().len(), PAGE_SIZE);
    assert_eq!(raw_b.unmap(&mut first), 0);
    assert_eq!(common::elsewhere(|| guest_a.reap_grants(5)), 0);
    assert_eq!(dropped.load(SeqCst), 2);
    other.park().unwrap();
    assert_eq!((guest_a.reap_grants(0), dropped.load(SeqCst)), (1, 2));
    assert_eq!(raw_b.unmap(&mut second), 0);
    assert_eq!((guest_a.reap_grants(1), dropped.load(SeqCst)), (0, 3));
    assert_eq!((guest_a.reap_grants(1), guest_a.abandoned()), (0, 0));
    b.return_empty_pages(pages);
    assert_eq!(xen.leaks().grants, 0);
    assert_eq!(xen.leaks().pages, 0);
}

/// Each status has its own text and error, and any other number one for all.
#[test]
fn statuses_in_words() {
    use std::ffi::CStr;
    const WORDS: [(&str, i32); 14] = [
        ("okay", 0),
        ("general error", -22),
        ("bad domain", -3),
        ("bad reference", -22),
        ("bad handle", -22),
        ("bad address", -22),
        ("bad device address", -22),
        ("IOMMU full", -28),
        ("not permitted", -1),
        ("bad page", -22),
        ("bad copy", -22),
        ("address too large", -34),
        ("try again", -11),
        ("no space", -28),
    ];
    for status in i16::MIN..=i16::MAX {
        let known = usize::try_from(-i32::from(status)).ok();
        let wanted = known.and_then(|index| WORDS.get(index));
        let &(text, error) = wanted.unwrap_or(&("unknown", EINVAL));
        // SAFETY: any number is taken; the text is there for ever.
        let got = unsafe { CStr::from_ptr(xen_guest::ffi::xg_gnttab_error(status)) };
        assert_eq!(got.to_str(), Ok(text), "{status}");
        // SAFETY: any number is taken.
        let got = unsafe { xen_guest::ffi::xg_gnttab_errno(status) };
        assert_eq!(got, error, "{status}");
    }
    assert_eq!(WORDS[abi::GNTST_no_space.unsigned_abs() as usize].1, -28);
    assert_eq!(WORDS[abi::GNTST_eagain.unsigned_abs() as usize].1, EAGAIN);
}

/// A copy that Xen does not come to: every op says so, and nothing is copied
/// twice or claimed to be.
#[test]
fn copy() {
    with_pair(|pair| {
        let mine = pair.b.alloc_page().unwrap();
        mine.write(0, 0xee);
        mine.write(3, 0);
        let before = pair.picture();
        let mut ops: Vec<_> = (0..REFS)
            .map(|i| {
                let mut op = abi::gnttab_copy {
                    len: 1,
                    flags: abi::GNTCOPY_source_gref as u16,
                    status: OKAY,
                    ..Default::default()
                };
                op.source.u.ref_ = pair.granted[i].0;
                op.source.domid = pair.dom;
                op.source.offset = 9;
                op.dest.u.gmfn = mine.gfn().raw();
                op.dest.domid = common::SELF;
                op.dest.offset = i as u16;
                op
            })
            .collect();
        // SAFETY: the guest is set up; the page is its own.
        let copy = |ops: &mut [abi::gnttab_copy]| unsafe {
            let (at, count) = (ops.as_mut_ptr().cast(), ops.len() as u32);
            xen_guest::ffi::xg_gnttab_copy(pair.raw.0, at, count)
        };
        Fault::Hypercall.inject(&pair.b, 1);
        assert_eq!(copy(&mut ops), EXDEV);
        assert!(ops.iter().all(|op| op.status == GENERAL));
        assert_eq!(mine.read(0), 0xee);
        // One bad op: the others are done.
        ops[3].source.u.ref_ = 400;
        assert_eq!(copy(&mut ops), EINVAL);
        for (i, op) in ops.iter().enumerate() {
            assert_eq!(op.status == OKAY, i != 3, "{i}");
            let byte = if i == 3 { 0 } else { i as u8 + 1 };
            assert_eq!(mine.read(i), byte, "{i}");
        }
        assert_eq!(pair.picture(), before);
        // SAFETY: refused, or nothing to do.
        let rcs = unsafe {
            [1, 0].map(|n| xen_guest::ffi::xg_gnttab_copy(pair.raw.0, ptr::null_mut(), n))
        };
        assert_eq!(rcs, [EINVAL, 0]);
    });
}

/// A domain whose virtual addresses are not in the order of its frames: blocks
/// of pages from `start` on have changed places, two and two.
struct Swapped {
    domain: Domain,
    start: usize,
    /// The calls of `map` and `unmap`: which page, and how many.
    calls: Mutex<Vec<(usize, u32)>>,
}

/// Pages in a block of these.
const BLOCK: usize = 4;

impl Swapped {
    /// Where the domain itself has what it is told to be at `va`.
    fn own(&self, va: *const u8) -> *mut u8 {
        let offset = va.addr().wrapping_sub(self.start);
        let swapped = offset ^ (BLOCK * PAGE_SIZE);
        let moved = offset < 4 * BLOCK * PAGE_SIZE;
        va.wrapping_add(if moved {
            swapped.wrapping_sub(offset)
        } else {
            0
        })
        .cast_mut()
    }

    fn called(&self, va: *mut u8, pages: u32) {
        let page = va.addr().wrapping_sub(self.start) / PAGE_SIZE;
        self.calls.lock().unwrap().push((page, pages));
    }
}

// SAFETY: the domain's own platform; its pages are reached at `own`.
unsafe impl Platform for Swapped {
    const HYPERCALL: Option<Hypercall<Self>> = Some(|swapped, op, args| {
        // SAFETY: as the hook's caller promises.
        unsafe { swapped.domain.hypercall(op, args) }
    });

    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        self.domain.virt_to_gfn(self.own(va))
    }

    unsafe fn map(&self, va: *mut u8, gfn: Gfn, pages: u32, prot: Protection) -> xen_guest::Result {
        self.called(va, pages);
        // SAFETY: as the hook's caller promises.
        unsafe { self.domain.map(self.own(va), gfn, pages, prot) }
    }

    unsafe fn unmap(&self, va: *mut u8, pages: u32) -> xen_guest::Result {
        self.called(va, pages);
        // SAFETY: as the hook's caller promises.
        unsafe { self.domain.unmap(self.own(va), pages) }
    }

    fn lock(&self) -> usize {
        self.domain.lock()
    }

    unsafe fn unlock(&self, state: usize) {
        // SAFETY: as the hook's caller promises.
        unsafe { self.domain.unlock(state) }
    }

    fn cpu_id(&self) -> Option<u32> {
        self.domain.cpu_id()
    }
}

/// Where addresses and frames are not equally far apart, there is a hypercall
/// and a call of the hook for each part that is; all or none, as ever.
#[test]
fn several_distances() {
    const ALL: usize = 4 * BLOCK;
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let pages = b.empty_pages(REFS as u32).unwrap();
    let swapped = Swapped {
        domain: b.clone(),
        start: pages.va().as_ptr().addr(),
        calls: Mutex::new(Vec::new()),
    };
    let guest_b = common::guest(&mut storage_b, &swapped, &b);
    let (raw_a, raw) = (Raw::of(&guest_a), Raw::of(&guest_b));
    let page = a.alloc_page().unwrap();
    let grefs: Vec<u32> = (0..ALL)
        .map(|_| raw_a.grant(b.domid().raw(), page.gfn().raw(), false) as u32)
        .collect();
    let va = |i: usize| pages.va().as_ptr().wrapping_add(i * PAGE_SIZE);
    let ops = || -> Vec<_> {
        let op = |(i, gref): (usize, &u32)| map_op(a.domid().raw(), *gref, va(i), false);
        grefs.iter().enumerate().map(op).collect()
    };
    let addresses = |ops: &[gnttab_map_grant_ref]| {
        let addresses: Vec<_> = ops.iter().map(|op| op.host_addr as usize).collect();
        assert_eq!(
            addresses,
            (0..ALL).map(|i| va(i).addr()).collect::<Vec<_>>()
        );
    };
    let hypercalls = |work: &mut dyn FnMut() -> i32, want| {
        let before = xen.hypercalls(b.domid());
        assert_eq!(work(), want);
        xen.hypercalls(b.domid()) - before
    };
    let blocks: Vec<_> = (0..4).map(|i| (i * BLOCK, BLOCK as u32)).collect();
    let calls = || std::mem::take(&mut *swapped.calls.lock().unwrap());
    calls();
    let mut mapped = ops();
    assert_eq!(hypercalls(&mut || raw.map(&mut mapped), 0), 4);
    addresses(&mapped);
    assert_eq!(calls(), blocks);
    page.write(9, 77);
    for i in 0..ALL {
        // SAFETY: mapped just now.
        assert_eq!(unsafe { swapped.own(va(i)).add(9).read_volatile() }, 77);
    }
    // An address that there is not is no reason to keep the others.
    let mut back: Vec<_> = mapped.iter().map(undo).collect();
    back[BLOCK].host_addr += 8;
    assert_eq!(hypercalls(&mut || raw.unmap(&mut back), EFAULT), 4);
    let kept: Vec<_> = (0..ALL).filter(|i| back[*i].status != OKAY).collect();
    assert_eq!((kept, back[BLOCK].status), (vec![BLOCK], GENERAL));
    assert_eq!(xen.leaks().mappings, 1);
    assert_eq!(raw.unmap(&mut [undo(&mapped[BLOCK])]), 0);
    calls();
    // One fails in Xen, in any part: what was mapped before is not any more.
    for nth in 1..=ALL {
        Fault::Map(abi::GNTST_bad_page).inject(&b, nth as u64);
        let mut refused = ops();
        assert_eq!(raw.map(&mut refused), EINVAL);
        addresses(&refused);
        assert!(refused.iter().all(|op| op.handle == XG_NO_HANDLE));
        assert_eq!(refused[nth - 1].status, abi::GNTST_bad_page as i16);
        assert_eq!(xen.leaks().mappings, 0);
        // Pages were visible up to that part, and went one by one.
        let visible = (nth - 1) / BLOCK;
        let mut all = blocks[..visible].to_vec();
        all.extend((0..visible * BLOCK).map(|i| (i, 1)));
        assert_eq!(calls(), all);
    }
    b.return_empty_pages(pages);
    for gref in grefs {
        assert_eq!(raw_a.end(gref), 0);
    }
    drop(page);
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
}
