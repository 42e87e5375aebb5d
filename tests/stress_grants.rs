// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grants under load: references taken and freed by several threads, and a
//! peer that maps while they are ended.

#![cfg(feature = "sim")]

mod common;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;

use common::{EBUSY, ENOSPC, Random, Raw, map_op, unmap_op};
use xen_guest::PAGE_SIZE;
use xen_guest::sim::{DomainConfig, Hypervisor};

/// No reference is two threads' at a time, and none is lost, in a table that
/// is nearly full and a table that is nearly empty.
#[test]
fn references_belong_to_one() {
    const THREADS: usize = 3;
    const TURNS: usize = 300_000;
    for keep in [4, 1016 / THREADS + 20] {
        let xen = Hypervisor::new();
        let domain = xen.create_domain(DomainConfig::default());
        let mut storage = common::Storage::new();
        let guest = common::guest(&mut storage, &domain, &domain);
        let raw = Raw::of(&guest);
        if keep == 4 {
            raw.grow();
        }
        let page = domain.alloc_page().unwrap();
        let gfn = page.gfn().raw();
        let taken: Vec<AtomicBool> = (0..1024).map(|_| AtomicBool::new(false)).collect();
        let full = AtomicU64::new(0);
        thread::scope(|scope| {
            for seed in 0..THREADS {
                let (taken, full) = (&taken, &full);
                scope.spawn(move || {
                    let mut random = Random::new(seed as u64 + 1);
                    let mut own: Vec<u32> = Vec::new();
                    for _ in 0..TURNS {
                        let grow = own.len() < keep && !random.one_in(3);
                        if own.is_empty() || grow {
                            match raw.grant(1, gfn, false) {
                                ENOSPC => _ = full.fetch_add(1, SeqCst),
                                gref => {
                                    assert!(gref >= 8, "{gref}");
                                    let before = taken[gref as usize].swap(true, SeqCst);
                                    assert!(!before, "{gref} has two owners");
                                    own.push(gref as u32);
                                }
                            }
                        } else {
                            let gref = own.swap_remove(random.below(own.len()));
                            taken[gref as usize].store(false, SeqCst);
                            assert_eq!(raw.end(gref), 0);
                        }
                    }
                    for gref in own {
                        taken[gref as usize].store(false, SeqCst);
                        assert_eq!(raw.end(gref), 0);
                    }
                });
            }
        });
        assert_eq!(full.load(SeqCst) > 0, keep > 4);
        assert_eq!((raw.grants_in_use(), raw.free_grants()), (0, 1016));
        // The summary finds all of them, too.
        let all: Vec<i32> = (0..1016).map(|_| raw.grant(1, gfn, true)).collect();
        assert!(all.iter().zip(8..).all(|(gref, want)| *gref == want));
        for gref in all {
            assert_eq!(raw.end(gref as u32), 0);
        }
        drop(page);
        guest.finish().unwrap();
        assert!(xen.leaks().is_zero());
    }
}

const GOOD: u8 = 0x60;
const SECRET: u8 = 0x5e;

/// Once a grant has ended, the peer does not see what the page holds next.
#[test]
fn a_peer_maps_what_is_being_ended() {
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let guest_b = common::guest(&mut storage_b, &b, &b);
    let (raw_a, raw_b) = (Raw::of(&guest_a), Raw::of(&guest_b));
    let pages = b.empty_pages(1).unwrap();
    assert_eq!(b.extended_region().va, pages.va().as_ptr());
    let stop = AtomicBool::new(false);
    let (mut ended, mut busy) = (0u64, 0u64);
    let mapped = thread::scope(|scope| {
        let peer = scope.spawn(|| {
            let va = b.extended_region().va;
            let (mut mapped, mut random) = (0u64, Random::new(1));
            while !stop.load(SeqCst) {
                // Whatever reference it guesses.
                let gref = 8 + random.below(2) as u32;
                let mut op = [map_op(a.domid().raw(), gref, va, random.one_in(2))];
                if raw_b.map(&mut op) != 0 {
                    continue;
                }
                mapped += 1;
                for offset in [0, 1, PAGE_SIZE - 1] {
                    // SAFETY: mapped.
                    let byte = unsafe { va.add(offset).read_volatile() };
                    assert_eq!(byte, GOOD, "the peer saw a page that is not granted");
                }
                assert_eq!(raw_b.unmap(&mut [unmap_op(va, op[0].handle)]), 0);
            }
            mapped
        });
        let page = a.alloc_page().unwrap();
        let fill = |byte| {
            for offset in [0, 1, PAGE_SIZE - 1] {
                page.write(offset, byte);
            }
        };
        let other = a.alloc_page().unwrap();
        for n in 0..100_000 {
            fill(GOOD);
            // Reference 8 or 9, by turns.
            let spare = (n % 2 == 0).then(|| raw_a.grant(99, other.gfn().raw(), true));
            let gref = raw_a.grant(b.domid().raw(), page.gfn().raw(), false) as u32;
            if let Some(spare) = spare {
                assert_eq!(raw_a.end(spare as u32), 0);
            }
            for _ in 0..n % 8 * 40 {
                std::hint::spin_loop();
            }
            loop {
                match raw_a.end(gref) {
                    0 => break,
                    EBUSY => busy += 1,
                    other => panic!("{other}"),
                }
                std::hint::spin_loop();
            }
            ended += 1;
            fill(SECRET);
            if peer.is_finished() {
                break;
            }
        }
        stop.store(true, SeqCst);
        peer.join().unwrap()
    });
    println!("{ended} grants ended, {busy} times busy, {mapped} mapped meanwhile");
    assert!(mapped > 0);
    b.return_empty_pages(pages);
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
}
