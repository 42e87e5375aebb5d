// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages to map grants into, without a region: RAM that goes to Xen and comes
//! back, with one step after the other failing. And the pages of a region that
//! Xen does not let go of.

#![cfg(feature = "sim")]

mod common;

use std::cell::Cell;
use std::ffi::c_void;
use std::ptr;

use common::{EBUSY, EINVAL, EIO, Fault, Picture, Raw, SELF, exhaust, map_op, unmap_op};
use xen_guest::ffi::{self, XG_NO_HANDLE, abi};
use xen_guest::sim::{Domain, DomainConfig, Hook, Hypervisor};
use xen_guest::{PAGE_SIZE, Platform, Region, Window, region_metadata};

const E2BIG: i32 = -7;
const EFAULT: i32 = -14;
/// Whose list is not on the stack.
const PAGES: u32 = 40;

fn get(raw: Raw, n: u32) -> *mut c_void {
    // SAFETY: the guest is set up.
    unsafe { ffi::xg_gnttab_get_pages(raw.0, n) }
}

fn put(raw: Raw, va: *mut c_void, n: u32) -> i32 {
    // SAFETY: the guest is set up; nothing uses the pages.
    unsafe { ffi::xg_gnttab_put_pages(raw.0, va, n) }
}

fn quarantined(raw: Raw) -> u32 {
    // SAFETY: the guest is set up.
    unsafe { ffi::xg_gnttab_quarantined(raw.0) }
}

/// The domain's RAM, in pages.
fn ram(raw: Raw) -> u64 {
    let mut pages = 0;
    // SAFETY: the guest is set up.
    let rc = unsafe { ffi::xg_memory_current_reservation(raw.0, SELF, &mut pages) };
    assert_eq!(rc, 0);
    pages
}

/// Frames [gfn, gfn + count) are filled or emptied behind the library's back.
fn change(raw: Raw, fill: bool, gfn: u64, count: u32) {
    let mut done = 0;
    // SAFETY: the guest is set up; nothing uses the frames.
    let rc = unsafe {
        if fill {
            ffi::xg_memory_populate_range(raw.0, SELF, gfn, count, &mut done)
        } else {
            ffi::xg_memory_decrease_range(raw.0, SELF, gfn, count, &mut done)
        }
    };
    assert_eq!((rc, done), (0, count));
}

fn with_guest(body: impl FnOnce(&Hypervisor, &Domain, Raw)) {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    body(&xen, &domain, Raw::of(&guest));
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

#[test]
fn one_hypercall_for_any_number() {
    with_guest(|xen, domain, raw| {
        let before = (Picture::of(xen, raw), ram(raw));
        // Those that the list takes stay RAM.
        for pages in [1, 32, 33, 512, 513] {
            let start = xen.hypercalls(domain.domid());
            let va = get(raw, pages);
            assert!(!va.is_null());
            assert_eq!(xen.hypercalls(domain.domid()) - start, 1);
            assert_eq!(ram(raw), before.1 - u64::from(pages));
            let start = xen.hypercalls(domain.domid());
            assert_eq!(put(raw, va, pages), 0);
            assert_eq!(xen.hypercalls(domain.domid()) - start, 1);
            assert_eq!((Picture::of(xen, raw), ram(raw)), before);
        }
    });
}

#[test]
fn refused_arguments() {
    with_guest(|xen, _, raw| {
        let before = Picture::of(xen, raw);
        assert!(get(raw, 0).is_null());
        assert!(get(raw, 1 << 30).is_null());
        let va = get(raw, 2);
        assert_eq!(put(raw, va, 0), EINVAL);
        assert_eq!(put(raw, va.wrapping_byte_add(8), 1), EINVAL);
        assert_eq!(put(raw, ptr::null_mut(), 1), EINVAL);
        let nowhere = ptr::without_provenance_mut(0x1000);
        assert_eq!(put(raw, nowhere, 1), EFAULT);
        assert_eq!(put(raw, va, 2), 0);
        assert_eq!((Picture::of(xen, raw), quarantined(raw)), (before, 0));
    });
}

/// Whatever fails, the pages are all RAM or all empty.
#[test]
fn each_step_fails() {
    with_guest(|xen, domain, raw| {
        let picture = || (Picture::of(xen, raw), ram(raw), quarantined(raw));
        let faults = [
            (Fault::Hypercall, 1),
            (Fault::Hook(Hook::PageAlloc), 1),
            (Fault::Hook(Hook::Unmap), 1),
            (Fault::Hook(Hook::Map), 0),
        ];
        for (fault, steps) in faults {
            let va = Cell::new(ptr::null_mut());
            let call = || {
                va.set(get(raw, PAGES));
                if va.get().is_null() { -1 } else { 0 }
            };
            let undo = |_| assert_eq!(put(raw, va.get(), PAGES), 0);
            assert_eq!(exhaust(domain, fault, picture, call, undo), steps);
        }
        let va = Cell::new(get(raw, PAGES));
        let faults = [
            (Fault::Hypercall, 1),
            (Fault::Hook(Hook::Map), 1),
            (Fault::Hook(Hook::Unmap), 0),
        ];
        for (fault, steps) in faults {
            let call = || put(raw, va.get(), PAGES);
            let undo = |_| va.set(get(raw, PAGES));
            assert_eq!(exhaust(domain, fault, picture, call, undo), steps);
        }
        assert_eq!(put(raw, va.get(), PAGES), 0);
    });
}

/// Xen has no RAM to give: nothing is half done, and it works once there is.
#[test]
fn the_memory_went_elsewhere() {
    with_guest(|xen, domain, raw| {
        let before = (Picture::of(xen, raw), ram(raw));
        let va = get(raw, PAGES);
        let empty = (Picture::of(xen, raw), ram(raw));
        let hole = domain.extended_region().gfn.raw();
        for taken in [1, 7, PAGES] {
            change(raw, true, hole, taken);
            assert_eq!(put(raw, va, PAGES), E2BIG);
            change(raw, false, hole, taken);
            assert_eq!((Picture::of(xen, raw), ram(raw)), empty);
        }
        assert_eq!(put(raw, va, PAGES), 0);
        assert_eq!((Picture::of(xen, raw), ram(raw)), before);
    });
}

/// Undoing fails too: the pages are counted, and nobody gets them.
#[test]
fn what_cannot_be_undone_is_quarantined() {
    with_guest(|_, domain, raw| {
        // With the list's page.
        const ALL: u32 = PAGES + 1;
        let all = ram(raw);
        let start = domain.page_alloc(ALL);
        // SAFETY: allocated just now.
        unsafe { domain.page_free(start, ALL) };
        let gfn = domain.virt_to_gfn(start).unwrap().raw();
        // Xen stops at a frame that is not there, is asked for the reason, and
        // then does not give back what it has.
        change(raw, false, gfn + 32, 1);
        Fault::Hypercall.inject(domain, 4);
        assert!(get(raw, PAGES).is_null());
        assert_eq!((quarantined(raw), ram(raw)), (ALL, all - 33));
        change(raw, true, gfn, 33);
        // The page tables' turn.
        Fault::Hypercall.inject(domain, 1);
        Fault::Hook(Hook::Map).inject(domain, 1);
        assert!(get(raw, PAGES).is_null());
        assert_eq!((quarantined(raw), ram(raw)), (2 * ALL, all));
        // The same when they come back, and there is not RAM enough.
        let va = get(raw, PAGES);
        assert!(va.addr() > start.addr(), "not the quarantined ones");
        let hole = domain.extended_region().gfn.raw();
        change(raw, true, hole, 8);
        Fault::Hypercall.inject(domain, 5);
        assert_eq!(put(raw, va, PAGES), EIO);
        assert_eq!((quarantined(raw), ram(raw)), (3 * ALL, all));
        let last = domain.virt_to_gfn(va.cast()).unwrap().raw();
        change(raw, false, hole, 8);
        change(raw, true, last + 32, PAGES - 32);
        assert_eq!(ram(raw), all);
        // What the test broke, it mends.
        let second = start.wrapping_add(ALL as usize * PAGE_SIZE);
        for va in [start, second, va.cast()] {
            let gfn = domain.virt_to_gfn(va).unwrap();
            let prot = xen_guest::Protection { write: true };
            // SAFETY: RAM that nobody uses.
            unsafe {
                domain.map(va, gfn, PAGES, prot).unwrap();
                domain.page_free(va, ALL);
            }
        }
    });
}

/// A grant is mapped into such a page.
#[test]
fn a_peers_page_is_mapped_in_the_place_of_ram() {
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let guest_b = common::guest(&mut storage_b, &b, &b);
    let (raw_a, raw_b) = (Raw::of(&guest_a), Raw::of(&guest_b));
    let page = a.alloc_page().unwrap();
    let gref = raw_a.grant(b.domid().raw(), page.gfn().raw(), false);
    let va = get(raw_b, 3);
    let middle: *mut u8 = va.cast::<u8>().wrapping_add(PAGE_SIZE);
    for readonly in [false, true] {
        let mut ops = [map_op(a.domid().raw(), gref as u32, middle, readonly)];
        assert_eq!(raw_b.map(&mut ops), 0);
        page.write(9, 77 + u8::from(readonly));
        // SAFETY: mapped.
        assert_eq!(unsafe { middle.add(9).read_volatile() }, page.read(9));
        assert_eq!(raw_b.unmap(&mut [unmap_op(middle, ops[0].handle)]), 0);
    }
    assert_eq!(put(raw_b, va, 3), 0);
    // RAM again, to be written to.
    let again = b.page_alloc(3);
    // SAFETY: allocated just now.
    unsafe {
        again.write_bytes(1, 3 * PAGE_SIZE);
        b.page_free(again, 3);
    }
    assert_eq!(raw_a.end(gref as u32), 0);
    drop(page);
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

/// Rolling back fails: the region keeps the page that Xen still maps, though
/// the CPU never saw it.
#[test]
fn a_region_keeps_what_xen_maps() {
    const COUNT: usize = 4;
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let window = Window {
        pages: 64,
        ..b.extended_region()
    };
    let mut metadata = vec![0; region_metadata(window.pages)];
    // SAFETY: the domain's empty frames, which nobody else uses.
    let mut regions = [unsafe { Region::new(&window, &mut metadata) }.unwrap()];
    let config = common::config(&b).with_regions(&mut regions);
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    let guest_b = unsafe { xen_guest::Guest::new(&mut storage_b, &b, config) }.unwrap();
    let (raw_a, raw_b) = (Raw::of(&guest_a), Raw::of(&guest_b));
    let page = a.alloc_page().unwrap();
    let gref = raw_a.grant(b.domid().raw(), page.gfn().raw(), false) as u32;
    for back in 1..COUNT as u64 {
        let va = get(raw_b, COUNT as u32);
        let at = |i: usize| va.cast::<u8>().wrapping_add(i * PAGE_SIZE);
        Fault::Map(abi::GNTST_bad_page).inject(&b, COUNT as u64);
        Fault::Unmap(abi::GNTST_general_error).inject(&b, back);
        let mut ops: Vec<_> = (0..COUNT)
            .map(|i| map_op(a.domid().raw(), gref, at(i), false))
            .collect();
        assert_eq!(raw_b.map(&mut ops), EIO);
        assert_eq!(xen.faults_left(b.domid()), 0);
        assert_eq!(
            (quarantined(raw_b), put(raw_b, va, COUNT as u32)),
            (back as u32, EBUSY)
        );
        let kept = ops.iter().position(|op| op.handle != XG_NO_HANDLE).unwrap();
        assert_eq!(kept as u64, back - 1);
        // Nor is anything mapped over it.
        let mut again = [map_op(a.domid().raw(), gref, at(kept), false)];
        assert_eq!(raw_b.map(&mut again), EBUSY);
        assert_eq!(xen.leaks().mappings, back as usize);
    }
    assert_eq!(raw_a.end(gref), EBUSY);
    b.destroy();
    assert_eq!(raw_a.end(gref), 0);
    drop(page);
    guest_a.finish().unwrap();
    drop(guest_b);
}
