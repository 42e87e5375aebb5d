// SPDX-License-Identifier: MIT OR Apache-2.0
//! Setting a guest up and giving it back, with one step after the other
//! failing.

#![cfg(feature = "sim")]

mod common;

use common::{EIO, EXDEV, Fault, Raw, SELF};
use xen_guest::ffi::{self, abi};
use xen_guest::sim::{Domain, DomainConfig, Hook, Hypervisor};
use xen_guest::{Error, Guest, GuestStorage, Platform, Window};

fn new() -> (Hypervisor, Domain) {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    (xen, domain)
}

/// The grant table's two frames and the shared-info page.
fn windows(domain: &Domain) -> [Window; 3] {
    let table = domain.grant_window();
    let second = Window {
        va: table.va.wrapping_add(4096),
        gfn: xen_guest::Gfn::new(table.gfn.raw() + 1),
        pages: 1,
    };
    [table, second, common::shared_info(domain)]
}

/// Takes a frame out of the physmap, past the library.
fn remove(domain: &Domain, window: &Window) -> isize {
    let mut op = abi::xen_remove_from_physmap {
        domid: SELF,
        gpfn: window.gfn.raw(),
    };
    let args = [
        abi::XENMEM_remove_from_physmap as usize,
        &raw mut op as usize,
        0,
        0,
        0,
    ];
    // SAFETY: the structure that the operation takes; nobody uses the frame.
    unsafe { domain.hypercall(abi::__HYPERVISOR_memory_op, args) }
}

#[test]
fn init() {
    // One of them for the version of the grant table. Firmware for Arm does not
    // ask, since there is no other.
    for (fault, steps) in [(Fault::Hypercall, 4), (Fault::Hook(Hook::Map), 2)] {
        let (xen, domain) = new();
        let mut nth = 0;
        loop {
            nth += 1;
            fault.inject(&domain, nth);
            let mut storage = common::Storage::new();
            // SAFETY: a domain of the test's own.
            let result = unsafe { Guest::new(&mut storage, &domain, common::config(&domain)) };
            let happened = xen.faults_left(domain.domid()) == 0;
            xen.clear_faults(domain.domid());
            match result {
                Ok(guest) => {
                    assert!(!happened, "{fault:?} {nth}: ignored");
                    guest.finish().unwrap();
                    break;
                }
                Err(error) => assert!(
                    error == Error::from_raw(EXDEV) || error == Error::NoMemory,
                    "{fault:?} {nth}: {error}"
                ),
            }
            for window in windows(&domain) {
                assert_eq!(remove(&domain, &window), -2, "{fault:?} {nth}: left mapped");
            }
            // And nothing is in the way.
            let mut storage = common::Storage::new();
            let guest = common::guest(&mut storage, &domain, &domain);
            assert_eq!(Raw::of(&guest).free_grants(), 504);
            guest.finish().unwrap();
        }
        assert_eq!(nth - 1, steps, "{fault:?}");
    }
}

/// A table that can't grow is a full table, and grows when it can.
#[test]
fn growth() {
    for (fault, steps) in [(Fault::Hypercall, 1), (Fault::Hook(Hook::Map), 1)] {
        let (xen, domain) = new();
        let mut storage = common::Storage::new();
        let guest = common::guest(&mut storage, &domain, &domain);
        let raw = Raw::of(&guest);
        let grefs: Vec<i32> = (0..504).map(|_| raw.grant(1, 1, true)).collect();
        for nth in 1..=steps {
            fault.inject(&domain, nth);
            assert_eq!(raw.grant(1, 1, true), common::ENOSPC, "{fault:?} {nth}");
            assert_eq!(xen.faults_left(domain.domid()), 0);
            // The second frame: nothing of it is left.
            assert_eq!(remove(&domain, &windows(&domain)[1]), -2);
        }
        let next = raw.grant(1, 1, true);
        assert_eq!(next, 512, "{fault:?}");
        for gref in grefs.into_iter().chain([next]) {
            assert_eq!(raw.end(gref as u32), 0);
        }
        assert_eq!(raw.free_grants(), 1016);
        guest.finish().unwrap();
    }
}

/// Grants that are written to the list; 0 or an error.
type Call<'a> = &'a dyn Fn(Raw, &mut Vec<u32>) -> i32;

/// A batch or run that needs several frames, one step after the other
/// failing: every reference is free again, nothing beyond the table is left in
/// the physmap, not even where taking it out failed too once, and the next try
/// succeeds.
#[test]
fn growth_by_several_frames() {
    const FRAMES: u64 = 8;
    let gfns = [1; 1500];
    // SAFETY: the guests are set up; the frames are nobody's to map.
    let batch = |raw: Raw, grefs: &mut Vec<u32>| unsafe {
        grefs.resize(gfns.len(), 0);
        let (count, to) = (gfns.len() as u32, grefs.as_mut_ptr());
        ffi::xg_gnttab_grant_batch(raw.0, 1, gfns.as_ptr(), to, count, true)
    };
    // SAFETY: as above.
    let run = |raw: Raw, grefs: &mut Vec<u32>| unsafe {
        let first = ffi::xg_gnttab_grant_run(raw.0, 1, 1, 1100, true);
        grefs.extend((first.max(0) as u32..).take(1100));
        first.min(0)
    };
    let calls: [Call<'_>; 2] = [&batch, &run];
    let faults = [
        (&[Fault::Hypercall][..], 3),
        (&[Fault::Hook(Hook::Map)], 2),
        // And taking back what is there already.
        (&[Fault::Hypercall, Fault::Hypercall], 3),
    ];
    for (call, (faults, steps)) in calls.iter().flat_map(|call| faults.map(|f| (call, f))) {
        for nth in 1..=steps {
            let (xen, domain) = new();
            let mut storage = GuestStorage::<2, { 8 * FRAMES as usize }>::new();
            // SAFETY: a domain of the test's own.
            let guest =
                unsafe { Guest::new(&mut storage, &domain, common::config(&domain)) }.unwrap();
            let raw = Raw::of(&guest);
            for (i, fault) in faults.iter().enumerate() {
                fault.inject(&domain, nth + i as u64);
            }
            let mut grefs = Vec::new();
            assert_eq!(call(raw, &mut grefs), common::ENOSPC, "{faults:?} {nth}");
            xen.clear_faults(domain.domid());
            // SAFETY: the guest is set up, and at rest.
            let frames = u64::from(unsafe { (*raw.0).gnttab.frames });
            assert_eq!(raw.grants_in_use(), 0);
            assert_eq!(u64::from(raw.free_grants()), frames * 512 - 8);
            for frame in frames..FRAMES {
                let window = Window {
                    gfn: xen_guest::Gfn::new(domain.grant_window().gfn.raw() + frame),
                    ..domain.grant_window()
                };
                if faults.len() == 1 {
                    assert_eq!(remove(&domain, &window), -2, "{faults:?} {nth}");
                }
            }
            grefs.clear();
            assert_eq!(call(raw, &mut grefs), 0, "{faults:?} {nth}");
            assert!(grefs.iter().copied().eq((8..).take(grefs.len())));
            for gref in grefs {
                assert_eq!(raw.end(gref), 0);
            }
            assert_eq!(raw.free_grants(), 2040);
            guest.finish().unwrap();
            assert!(xen.leaks().is_zero());
            assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
        }
    }
}

/// Without a table there are no grants, and nothing to end, park or reap.
#[test]
fn no_grant_table() {
    let (xen, domain) = new();
    let mut storage = common::Storage::new();
    let config = xen_guest::GuestConfig::new(common::shared_info(&domain));
    // SAFETY: a domain of the test's own.
    let guest = unsafe { Guest::new(&mut storage, &domain, config) }.unwrap();
    let raw = Raw::of(&guest);
    const ENOSYS: i32 = -38;
    assert_eq!(raw.grant(1, 1, true), ENOSYS);
    let page = domain.alloc_page().unwrap();
    let refused = xen_guest::Grant::new(
        &guest,
        xen_guest::DomId::new(1),
        page,
        xen_guest::Access::ReadOnly,
    );
    assert_eq!(refused.unwrap_err().error, Error::NotImplemented);
    let (gfn, mut gref, mut va) = (1, 0, std::ptr::null_mut());
    // SAFETY: the guest is set up.
    unsafe {
        let one = &raw mut gref;
        let batch = ffi::xg_gnttab_grant_batch(raw.0, 1, &gfn, one, 1, true);
        let run = ffi::xg_gnttab_grant_run(raw.0, 1, 1, 1, true);
        let alloc = ffi::xg_gnttab_alloc_and_grant(raw.0, 1, &mut va, true);
        assert_eq!((batch, run, alloc), (ENOSYS, ENOSYS, ENOSYS));
    }
    for gref in [0, 8, 512, u32::MAX] {
        assert_eq!(raw.end(gref), common::EINVAL);
    }
    assert_eq!(guest.reap_grants(u32::MAX), 0);
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero());
}

/// A refusal to unmap keeps nothing else from being given back.
#[test]
fn fini() {
    for (fault, steps) in [(Fault::Hypercall, 3), (Fault::Hook(Hook::Unmap), 2)] {
        let mut nth = 0;
        loop {
            nth += 1;
            let (xen, domain) = new();
            let mut storage = common::Storage::new();
            let guest = common::guest(&mut storage, &domain, &domain);
            Raw::of(&guest).grow();
            fault.inject(&domain, nth);
            let result = guest.finish();
            let happened = xen.faults_left(domain.domid()) == 0;
            xen.clear_faults(domain.domid());
            if !happened {
                assert!(result.is_ok());
                break;
            }
            match result {
                Err((Error::Partial, None)) => {}
                other => panic!("{fault:?} {nth}: {other:?}"),
            }
            let left = windows(&domain)
                .iter()
                .filter(|window| remove(&domain, window) == 0)
                .count();
            let kept = usize::from(matches!(fault, Fault::Hypercall));
            assert_eq!(left, kept, "{fault:?} {nth}");
        }
        assert_eq!(nth - 1, steps, "{fault:?}");
    }
}

/// In use: refused, and nothing changed.
#[test]
fn fini_while_in_use() {
    let (xen, domain) = new();
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let port = raw.alloc_unbound(SELF) as u32;
    let Err((Error::Busy, Some(guest))) = guest.finish() else {
        panic!("a port is open");
    };
    assert_eq!(raw.close(port), 0);
    let page = domain.alloc_page().unwrap();
    let gref = raw.grant(3, page.gfn().raw(), true) as u32;
    let calls = xen.hypercalls(domain.domid());
    let Err((Error::Busy, Some(guest))) = guest.finish() else {
        panic!("a grant is open");
    };
    assert_eq!(xen.hypercalls(domain.domid()), calls);
    assert_eq!(raw.end(gref), 0);
    guest.finish().unwrap();
    drop(page);
    assert!(xen.leaks().is_zero());
}

/// What init refuses by its arguments alone asks Xen nothing.
#[test]
fn bad_configurations() {
    let (xen, domain) = new();
    let table = domain.grant_window();
    let calls = xen.hypercalls(domain.domid());
    let shared = common::shared_info(&domain);
    let bad_windows = [
        Window {
            va: std::ptr::null_mut(),
            ..shared
        },
        Window {
            va: shared.va.wrapping_add(8),
            ..shared
        },
        Window { pages: 0, ..shared },
        Window {
            gfn: xen_guest::Gfn::new(u64::MAX),
            ..shared
        },
        Window {
            gfn: table.gfn,
            ..shared
        },
        Window {
            va: table.va.wrapping_add(4096),
            ..shared
        },
    ];
    for shared_info in bad_windows {
        let config = xen_guest::GuestConfig::new(shared_info).with_grant_table(table);
        let mut storage = common::Storage::new();
        // SAFETY: refused before any window is used.
        let result = unsafe { Guest::new(&mut storage, &domain, config) };
        assert_eq!(result.err(), Some(Error::Invalid), "{shared_info:?}");
    }
    assert_eq!(xen.hypercalls(domain.domid()), calls);
}

/// A hook that fails with a number that is none does not pass for success.
#[test]
fn errors_without_a_number() {
    for number in [0, -5, i32::MIN, i32::MAX] {
        let (_xen, domain) = new();
        let hooked = common::Hooked::new(&domain);
        *hooked.refuse.lock().unwrap() = Some(Error::Unknown(number));
        let mut storage = common::Storage::new();
        // SAFETY: a domain of the test's own.
        let result = unsafe { Guest::new(&mut storage, &hooked, common::config(&domain)) };
        assert!(result.is_err(), "{number}");
        assert!(hooked.refuse.lock().unwrap().is_none());
        assert!(domain.cpu_id().is_none());
    }
    assert_eq!(EIO, Error::Partial.raw());
}
