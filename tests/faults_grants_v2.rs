// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grant tables of version 2: set up, grown and given back with one step after
//! the other failing; entries while they are ended; and what earlier firmware
//! left.

#![cfg(feature = "sim")]

mod common;

use std::mem::ManuallyDrop;

use common::{EBUSY, EINVAL, EXDEV, Fault, Raw, SELF, map_op, unmap_op};
use xen_guest::ffi::{self, abi};
use xen_guest::sim::{Domain, DomainConfig, Hook, Hypervisor};
use xen_guest::{Error, Guest, GuestConfig, GuestStorage, PAGE_SIZE};

const EOPNOTSUPP: i32 = -95;
/// With status words in three pages.
const FRAMES: u32 = 20;
const PAGES: u32 = 23;
/// A word for 64 references of a frame's 256.
type Storage = GuestStorage<2, { 4 * FRAMES as usize }>;

fn new() -> (Hypervisor, Domain) {
    let xen = Hypervisor::new().with_grants_v2();
    let domain = xen.create_domain(DomainConfig::default());
    (xen, domain)
}

fn config(domain: &Domain) -> GuestConfig<'static> {
    common::config(domain).with_grants_v2()
}

fn guest<'s>(storage: &'s mut Storage, domain: &'s Domain) -> Guest<'s> {
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    unsafe { Guest::new(storage, domain, config(domain)) }.expect("the guest can be set up")
}

/// How many frames of the window hold something, which is taken out.
fn left(domain: &Domain) -> usize {
    let window = domain.grant_window();
    let remove = |gfn: u64| {
        let mut op = abi::xen_remove_from_physmap {
            domid: SELF,
            gpfn: gfn,
        };
        let cmd = abi::XENMEM_remove_from_physmap as usize;
        let args = [cmd, &raw mut op as usize, 0, 0, 0];
        // SAFETY: the structure that the operation takes; nobody uses the
        // frame.
        unsafe { domain.hypercall(abi::__HYPERVISOR_memory_op, args) }
    };
    let first = window.gfn.raw();
    let shared_info = first + u64::from(window.pages) - 1;
    (first..first + u64::from(PAGES))
        .chain([shared_info])
        .filter(|gfn| remove(*gfn) == 0)
        .count()
}

fn set_version(domain: &Domain, version: u32) -> (isize, u32) {
    let mut op = abi::gnttab_set_version { version };
    let cmd = abi::GNTTABOP_set_version as usize;
    // SAFETY: the structure that the operation takes.
    let rc = unsafe {
        let args = [cmd, &raw mut op as usize, 1, 0, 0];
        domain.hypercall(abi::__HYPERVISOR_grant_table_op, args)
    };
    (rc, op.version)
}

fn version(domain: &Domain) -> u32 {
    let mut op = abi::gnttab_get_version {
        dom: SELF,
        ..Default::default()
    };
    let cmd = abi::GNTTABOP_get_version as usize;
    // SAFETY: the structure that the operation takes.
    let rc = unsafe {
        let args = [cmd, &raw mut op as usize, 1, 0, 0];
        domain.hypercall(abi::__HYPERVISOR_grant_table_op, args)
    };
    assert_eq!(rc, 0);
    op.version
}

fn table(raw: Raw) -> ffi::xg_gnttab {
    // SAFETY: the guest is set up, and at rest.
    unsafe { (*raw.0).gnttab }
}

/// Flags and domain, the two halves of the rest, and the status.
fn entry(raw: Raw, gref: u32) -> ([u64; 2], u16) {
    let table = table(raw);
    // SAFETY: the table and its status words are mapped while the guest is.
    unsafe {
        let entries = table.va.cast::<[u64; 2]>();
        let status = table.va.byte_add(table.max_frames as usize * PAGE_SIZE);
        (
            entries.add(gref as usize).read_volatile(),
            status.cast::<u16>().add(gref as usize).read_volatile(),
        )
    }
}

#[test]
fn init() {
    for (fault, steps) in [(Fault::Hypercall, 5), (Fault::Hook(Hook::Map), 3)] {
        let (xen, domain) = new();
        for nth in 1.. {
            fault.inject(&domain, nth);
            let mut storage = Storage::new();
            // SAFETY: a domain of the test's own.
            let result = unsafe { Guest::new(&mut storage, &domain, config(&domain)) };
            let happened = xen.faults_left(domain.domid()) == 0;
            xen.clear_faults(domain.domid());
            if !happened {
                assert_eq!(nth - 1, steps, "{fault:?}");
                let guest = result.unwrap();
                let table = table(Raw::of(&guest));
                assert_eq!((table.frames, table.max_frames), (1, FRAMES));
                guest.finish().unwrap();
                break;
            }
            let error = result.err();
            assert!(
                error == Some(Error::from_raw(EXDEV)) || error == Some(Error::NoMemory),
                "{fault:?} {nth}: {error:?}"
            );
            assert_eq!(left(&domain), 0, "{fault:?} {nth}");
            assert_eq!(version(&domain), 1, "{fault:?} {nth}");
            // And nothing is in the way of either version.
            for v2 in [false, true] {
                let mut storage = common::Storage::new();
                let config = if v2 {
                    config(&domain)
                } else {
                    common::config(&domain)
                };
                let guest = common::guest_with(&mut storage, &domain, config);
                let references = if v2 { 256 } else { 512 };
                assert_eq!(Raw::of(&guest).free_grants(), references - 8);
                guest.finish().unwrap();
                assert_eq!(version(&domain), 1);
            }
        }
        assert!(xen.leaks().is_zero());
        assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
    }
}

/// A Xen without it says so, and nothing is set up; nor is it with a version
/// that there is not, or in a window with no room for the status.
#[test]
fn refused() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = Storage::new();
    // SAFETY: a domain of the test's own.
    let result = unsafe { Guest::new(&mut storage, &domain, config(&domain)) };
    assert_eq!(result.err(), Some(Error::NotImplemented));
    assert_eq!(left(&domain), 0);

    let (_xen, domain) = new();
    // Words for one frame, and for none.
    let mut storage = GuestStorage::<2, 4>::new();
    // SAFETY: a domain of the test's own.
    let guest = unsafe { Guest::new(&mut storage, &domain, config(&domain)) }.unwrap();
    assert_eq!(table(Raw::of(&guest)).max_frames, 1);
    guest.finish().unwrap();
    let mut storage = GuestStorage::<2, 3>::new();
    // SAFETY: a domain of the test's own.
    let guest = unsafe { Guest::new(&mut storage, &domain, config(&domain)) }.unwrap();
    assert_eq!(Raw::of(&guest).grant(1, 1, true), -38, "no table");
    guest.finish().unwrap();
    let one = xen_guest::Window {
        pages: 1,
        ..domain.grant_window()
    };
    let mut storage = Storage::new();
    let config = GuestConfig::new(common::shared_info(&domain))
        .with_grant_table(one)
        .with_grants_v2();
    // SAFETY: a domain of the test's own.
    let result = unsafe { Guest::new(&mut storage, &domain, config) };
    assert_eq!(result.err(), Some(Error::NoSpace));
    assert_eq!(left(&domain), 0);
}

/// All the frames that Xen allows, with room to spare: as many as by default,
/// and fewer than a page has the status of.
#[test]
fn the_largest_table() {
    for frames in [64, 12] {
        fill_table(frames);
    }
}

fn fill_table(frames: u32) {
    let xen = Hypervisor::new().with_grants_v2();
    let domain = xen.create_domain(DomainConfig::default().with_max_grant_frames(frames));
    let mut storage = Box::new(GuestStorage::<2, 512>::new());
    // SAFETY: a domain of the test's own.
    let guest = unsafe { Guest::new(&mut storage, &domain, config(&domain)) }.unwrap();
    let raw = Raw::of(&guest);
    let grefs: Vec<i32> = std::iter::repeat_with(|| raw.grant(1, 1, true))
        .take_while(|gref| *gref > 0)
        .collect();
    assert!(grefs.iter().copied().eq(8..frames as i32 * 256));
    assert_eq!(xen.leaks().grants, grefs.len());
    for gref in grefs {
        assert_eq!(raw.end(gref as u32), 0);
    }
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero());
}

/// A batch that needs several frames, and pages for their status: with one
/// step after the other failing all references are free again, nothing beyond
/// the table is left, and the next try succeeds.
#[test]
fn growth() {
    const COUNT: usize = FRAMES as usize * 256 - 8;
    let gfns = vec![1; COUNT];
    // 1 -> 2 -> 4 -> 8 -> 16 -> 20 frames, with the second page of status words
    // at 16 and the third at 20.
    for (fault, steps) in [(Fault::Hypercall, 19 + 2), (Fault::Hook(Hook::Map), 5 + 2)] {
        for nth in 1..=steps + 1 {
            let (xen, domain) = new();
            let mut storage = Storage::new();
            let guest = guest(&mut storage, &domain);
            let raw = Raw::of(&guest);
            let mut grefs = vec![0; COUNT];
            let mut batch = || {
                let to = grefs.as_mut_ptr();
                // SAFETY: the guest is set up; the frames are nobody's to map.
                unsafe {
                    ffi::xg_gnttab_grant_batch(raw.0, 1, gfns.as_ptr(), to, COUNT as u32, true)
                }
            };
            fault.inject(&domain, nth);
            if nth <= steps {
                assert_eq!(batch(), common::ENOSPC, "{fault:?} {nth}");
                assert_eq!(xen.faults_left(domain.domid()), 0);
                let frames = table(raw).frames;
                assert_eq!(raw.grants_in_use(), 0);
                assert_eq!(raw.free_grants(), frames * 256 - 8);
                assert_eq!(batch(), 0, "{fault:?} {nth}");
            } else {
                assert_eq!(batch(), 0, "{fault:?} {nth}");
                assert_eq!(xen.faults_left(domain.domid()), 1, "{fault:?}");
                xen.clear_faults(domain.domid());
            }
            assert!(grefs.iter().copied().eq((8..).take(COUNT)));
            assert_eq!(xen.leaks().grants, COUNT);
            assert_eq!(raw.grant(1, 1, true), common::ENOSPC);
            for gref in grefs {
                assert_eq!(raw.end(gref), 0);
                assert_eq!(raw.end(gref), EINVAL);
            }
            guest.finish().unwrap();
            assert_eq!(left(&domain), 0);
            assert!(xen.leaks().is_zero());
            assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
        }
    }
}

/// A refusal keeps nothing else from being given back.
#[test]
fn fini() {
    // All 20 frames, their status, the version, and shared info.
    let calls = u64::from(PAGES) + 2;
    for (fault, steps) in [(Fault::Hypercall, calls), (Fault::Hook(Hook::Unmap), 3)] {
        for nth in 1..=steps {
            let (xen, domain) = new();
            let mut storage = Storage::new();
            let guest = guest(&mut storage, &domain);
            Raw::of(&guest).grow();
            fault.inject(&domain, nth);
            // Whatever the version is, nothing of this guest's is kept by it.
            let same = matches!(fault, Fault::Hypercall) && nth == calls - 1;
            match guest.finish() {
                Ok(()) if same => {}
                Err((Error::Partial, None)) if !same => {}
                other => panic!("{fault:?} {nth}: {other:?}"),
            }
            assert_eq!(xen.faults_left(domain.domid()), 0);
            assert_eq!(version(&domain), 1 + u32::from(same));
            // Frames with status words go with the version.
            let frames = u64::from(FRAMES);
            let gone = (frames + 1..calls).contains(&nth);
            let kept = usize::from(matches!(fault, Fault::Hypercall) && !gone);
            assert_eq!(left(&domain), kept, "{fault:?} {nth}");
        }
    }
}

/// Whatever end says, the entry is either what it was or gone; and Xen changes
/// no version while one is in use.
#[test]
fn entries() {
    let (xen, a) = new();
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (Storage::new(), Storage::new());
    let guest_a = guest(&mut storage_a, &a);
    let guest_b = guest(&mut storage_b, &b);
    let (raw_a, raw_b) = (Raw::of(&guest_a), Raw::of(&guest_b));
    let pages = b.empty_pages(1).unwrap();
    let va = pages.va().as_ptr();
    let page = a.alloc_page().unwrap();
    let (gfn, peer) = (page.gfn().raw(), b.domid().raw());
    for readonly in [false, true] {
        let gref = raw_a.grant(peer, gfn, readonly) as u32;
        let flags = abi::GTF_permit_access | if readonly { abi::GTF_readonly } else { 0 };
        let body = [u64::from(peer) << 16 | u64::from(flags), gfn];
        assert_eq!(entry(raw_a, gref), (body, 0));
        let mut op = [map_op(a.domid().raw(), gref, va, readonly)];
        assert_eq!(raw_b.map(&mut op), 0);
        let status = if readonly { 8 } else { 0x18 };
        assert_eq!(entry(raw_a, gref), (body, status));
        assert_eq!(raw_a.end(gref), EBUSY);
        assert_eq!(entry(raw_a, gref), (body, status));
        assert_eq!(set_version(&a, 1), (EBUSY as isize, 2));
        assert_eq!(raw_b.unmap(&mut [unmap_op(va, op[0].handle)]), 0);
        assert_eq!(entry(raw_a, gref), (body, 0));
        assert_eq!(raw_a.end(gref), 0);
        assert_eq!(entry(raw_a, gref).0[0] as u16, 0);
        assert_eq!(raw_a.end(gref), EINVAL);
    }
    // Part of a page, and a frame that version 1 has no room for.
    // SAFETY: the guest is set up; the page is its own.
    let part = unsafe { ffi::xg_gnttab_grant_sub_page(raw_a.0, peer, gfn, 0xabc, 0x123, true) };
    let flags = abi::GTF_permit_access | abi::GTF_readonly | abi::GTF_sub_page;
    let first = 0x123_0abc << 32 | u64::from(peer) << 16 | u64::from(flags);
    assert_eq!(entry(raw_a, part as u32), ([first, gfn], 0));
    let far = raw_a.grant(peer, u64::MAX, false);
    let first = u64::from(peer) << 16 | u64::from(abi::GTF_permit_access);
    assert_eq!(entry(raw_a, far as u32), ([first, u64::MAX], 0));
    for gref in [part, far] {
        assert_eq!(raw_a.end(gref as u32), 0);
    }
    for bad in [0, 7, 8, 255, 256, u32::MAX] {
        assert_eq!(raw_a.end(bad), EINVAL);
    }
    b.return_empty_pages(pages);
    drop(page);
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    assert!(xen.leaks().is_zero());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
}

#[test]
fn no_part_of_a_page_with_version_1() {
    let (xen, domain) = new();
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    // SAFETY: the guest is set up.
    let part = |guest: &Guest<'_>, domid| unsafe {
        ffi::xg_gnttab_grant_sub_page(guest.as_raw(), domid, 1, 0, 16, true)
    };
    assert_eq!(part(&guest, 1), EOPNOTSUPP);
    assert_eq!(part(&guest, SELF), EOPNOTSUPP);
    guest.finish().unwrap();
    // Nor without a table.
    let mut storage = common::Storage::new();
    let config = GuestConfig::new(common::shared_info(&domain));
    let guest = common::guest_with(&mut storage, &domain, config);
    assert_eq!(part(&guest, 1), EOPNOTSUPP);
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero());
}

/// What earlier firmware granted and did not end can be ended, and neither it
/// nor its neighbours are used; nor what a peer still uses though it is
/// granted no more.
#[test]
fn grants_earlier_firmware_did_not_end() {
    let (xen, a) = new();
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (Storage::new(), Storage::new());
    let guest_b = guest(&mut storage_b, &b);
    let raw_b = Raw::of(&guest_b);
    let pages = b.empty_pages(1).unwrap();
    let va = pages.va().as_ptr();
    let page = a.alloc_page().unwrap();

    let earlier = ManuallyDrop::new(guest(&mut storage_a, &a));
    let raw = Raw::of(&earlier);
    for gref in 8..=130 {
        assert_eq!(raw.grant(b.domid().raw(), page.gfn().raw(), true), gref);
    }
    let mut op = [map_op(a.domid().raw(), 100, va, true)];
    assert_eq!(raw_b.map(&mut op), 0);
    for gref in 8..=130 {
        let wanted = if gref == 100 { EBUSY } else { 0 };
        if gref != 130 {
            assert_eq!(raw.end(gref), wanted);
        }
    }
    // Its flags are gone, as an earlier firmware may have it that does not
    // look at the status.
    // SAFETY: an entry of the table, which is mapped.
    unsafe {
        table(raw)
            .va
            .cast::<[u64; 2]>()
            .add(100)
            .write_volatile([0, 0])
    };
    assert_eq!(left(&a), 3);

    let mut storage = Storage::new();
    let guest = guest(&mut storage, &a);
    let raw = Raw::of(&guest);
    assert_eq!(raw.grants_in_use(), 0);
    // Words 1 and 2 are left alone.
    assert_eq!(raw.free_grants(), 256 - 8 - 2 * 64);
    let grefs: Vec<i32> = (0..256 - 8 - 2 * 64)
        .map(|_| raw.grant(7, 1, true))
        .collect();
    assert!(grefs.iter().all(|gref| !(64..192).contains(gref)));
    assert_eq!(raw.end(130), 0, "earlier firmware's");
    assert_eq!(raw.end(100), EINVAL);
    assert_eq!(raw_b.unmap(&mut [unmap_op(va, op[0].handle)]), 0);
    for gref in grefs {
        assert_eq!(raw.end(gref as u32), 0);
    }
    guest.finish().unwrap();
    b.return_empty_pages(pages);
    guest_b.finish().unwrap();
    drop(page);
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}
