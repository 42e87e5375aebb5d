// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several threads out of references at once: the table grows beneath grants
//! that begin and end, one by one, in batches and in runs; and parked grants
//! are released once, whoever finds them.

#![cfg(feature = "sim")]

mod common;

use std::collections::BTreeSet;
use std::ffi::c_void;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::thread;

use common::{EBUSY, ENOSPC, Hooked, Random, Raw, elsewhere, map_op, unmap_op};
use xen_guest::ffi::{self, abi};
use xen_guest::sim::{Domain, DomainConfig, Hypervisor};
use xen_guest::{Guest, GuestStorage, PAGE_SIZE, Parking, Platform, Window};

const THREADS: usize = 4;
const FRAMES: usize = 64;
const REFS: usize = FRAMES * 512;
type Storage = GuestStorage<2, { FRAMES * 8 }>;

/// A guest whose table may have `frames` frames.
fn guest<'s, P: Platform>(
    storage: &'s mut Storage,
    platform: &'s P,
    domain: &Domain,
    frames: usize,
) -> Guest<'s> {
    let config =
        xen_guest::GuestConfig::new(common::shared_info(domain)).with_grant_table(Window {
            pages: frames as u32,
            ..domain.grant_window()
        });
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    unsafe { Guest::new(storage, platform, config) }.unwrap()
}

/// The same with version 2: as many frames, and those with their status.
fn guest_v2<'s>(storage: &'s mut Storage, domain: &'s Domain, frames: usize) -> Guest<'s> {
    let config = xen_guest::GuestConfig::new(common::shared_info(domain))
        .with_grant_table(Window {
            pages: (frames + frames.div_ceil(8)) as u32,
            ..domain.grant_window()
        })
        .with_grants_v2();
    // SAFETY: as above.
    unsafe { Guest::new(storage, domain, config) }.unwrap()
}

fn batch(raw: Raw, grefs: &mut [u32]) -> i32 {
    let gfns = vec![1; grefs.len()];
    let count = grefs.len() as u32;
    // SAFETY: the guest is set up; the frame is nobody's to map.
    unsafe { ffi::xg_gnttab_grant_batch(raw.0, 1, gfns.as_ptr(), grefs.as_mut_ptr(), count, true) }
}

fn run(raw: Raw, count: u32) -> i32 {
    // SAFETY: the guest is set up; the frames are nobody's to map.
    unsafe { ffi::xg_gnttab_grant_run(raw.0, 1, 1, count, true) }
}

fn frames(raw: Raw) -> u32 {
    // SAFETY: the guest is set up; the field is only looked at.
    unsafe { (&raw const (*raw.0).gnttab.frames).read_volatile() }
}

/// Every reference is free, and found in its turn.
fn all_free(raw: Raw, frames: usize) {
    all_of_free(raw, frames * 512 - 8);
}

fn all_of_free(raw: Raw, all: usize) {
    assert_eq!((raw.grants_in_use(), raw.free_grants()), (0, all as u32));
    let grefs: Vec<i32> = (0..all).map(|_| raw.grant(1, 1, true)).collect();
    assert!(grefs.iter().zip(8..).all(|(gref, want)| *gref == want));
    assert_eq!(raw.grant(1, 1, true), ENOSPC);
    for gref in grefs {
        assert_eq!(raw.end(gref as u32), 0);
    }
}

/// A grant can be ended as soon as it is there, by its thread and by others,
/// while the frame that it is in is still being added.
#[test]
fn grants_end_while_the_table_grows() {
    for round in 0..18 {
        let xen = Hypervisor::new().with_grants_v2();
        let domain = xen.create_domain(DomainConfig::default());
        let mut storage = Storage::new();
        let v2 = round % 3 == 0;
        let (guest, refs) = if v2 {
            (guest_v2(&mut storage, &domain, FRAMES), REFS / 2)
        } else {
            (guest(&mut storage, &domain, &domain, FRAMES), REFS)
        };
        let raw = Raw::of(&guest);
        let taken: Vec<AtomicBool> = (0..REFS).map(|_| AtomicBool::new(false)).collect();
        let start = Barrier::new(THREADS);
        thread::scope(|scope| {
            for seed in 0..THREADS {
                let (taken, start) = (&taken, &start);
                scope.spawn(move || {
                    let mut random = Random::new(seed as u64 + 1);
                    let mut own = Vec::new();
                    start.wait();
                    loop {
                        let gref = raw.grant(1, 1, true);
                        if gref == ENOSPC {
                            break;
                        }
                        assert!(gref >= 8, "{gref}");
                        let gref = gref as usize;
                        assert!(!taken[gref].swap(true, SeqCst), "{gref} has two owners");
                        // The newest ones: in the newest frame.
                        if random.one_in(4) {
                            taken[gref].store(false, SeqCst);
                            assert_eq!(raw.end(gref as u32), 0, "{gref}");
                        } else {
                            own.push(gref as u32);
                        }
                    }
                    for gref in own {
                        taken[gref as usize].store(false, SeqCst);
                        assert_eq!(raw.end(gref), 0);
                    }
                });
            }
        });
        assert_eq!(frames(raw), FRAMES as u32);
        all_of_free(raw, refs - 8);
        guest.finish().unwrap();
    }
}

/// Who finds a new frame first can use it like any other, even if whoever adds
/// it is not through yet.
#[test]
fn new_references_are_usable_at_once() {
    for _ in 0..8 {
        let xen = Hypervisor::new();
        let domain = xen.create_domain(DomainConfig::default());
        let mut storage = Storage::new();
        let guest = guest(&mut storage, &domain, &domain, FRAMES);
        let raw = Raw::of(&guest);
        let mut grefs = Vec::new();
        while (frames(raw) as usize) < FRAMES {
            let old = frames(raw) as usize;
            while grefs.len() < old * 512 - 8 {
                grefs.push(raw.grant(1, 1, true));
            }
            let next = thread::scope(|scope| {
                scope.spawn(move || {
                    // From the first sign of it on.
                    // SAFETY: the guest is set up; only looked at.
                    let summary = |word: usize| unsafe {
                        AtomicU64::from_ptr(&raw mut (*raw.0).gnttab.summary[word]).load(SeqCst)
                    };
                    while summary(old / 8) >> (old % 8 * 8) == 0 {
                        std::hint::spin_loop();
                    }
                    for _ in 0..100 {
                        let gref = raw.grant(1, 1, true);
                        assert_eq!(raw.end(gref as u32), 0, "{gref}, with {old} frames before");
                    }
                });
                raw.grant(1, 1, true)
            });
            grefs.push(next);
            assert_eq!(frames(raw) as usize, old * 2);
        }
        for gref in grefs {
            assert_eq!(raw.end(gref as u32), 0);
        }
        guest.finish().unwrap();
    }
}

/// Every thread takes what it gets: each reference goes to one, none to
/// nobody, and no thread is told that there are none before they are gone.
#[test]
fn the_last_reference_is_handed_out() {
    for frames in [1, 2, 3, 9, FRAMES] {
        let xen = Hypervisor::new();
        let domain = xen.create_domain(DomainConfig::default());
        let mut storage = Storage::new();
        let guest = guest(&mut storage, &domain, &domain, frames);
        let raw = Raw::of(&guest);
        let start = Barrier::new(THREADS);
        let all: Vec<u32> = thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|i| {
                    let start = &start;
                    scope.spawn(move || {
                        let mut own = Vec::new();
                        start.wait();
                        // Those that take several end with single ones.
                        let mut some = [0; 7];
                        while i == 0 && batch(raw, &mut some) == 0 {
                            own.extend(some);
                        }
                        let runs = || (i == 1).then(|| run(raw, 5)).filter(|rc| *rc > 0);
                        while let Some(first) = runs() {
                            own.extend(first as u32..first as u32 + 5);
                        }
                        loop {
                            let gref = raw.grant(1, 1, true);
                            if gref == ENOSPC {
                                break own;
                            }
                            own.push(gref as u32);
                        }
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        let set: BTreeSet<u32> = all.iter().copied().collect();
        assert_eq!(set.len(), all.len(), "handed out twice");
        assert!(set.iter().copied().eq(8..frames as u32 * 512));
        for gref in all {
            assert_eq!(raw.end(gref), 0);
        }
        all_free(raw, frames);
        guest.finish().unwrap();
    }
}

/// Batches and runs that fail half-way, beside single grants: what they had
/// is given back.
#[test]
fn batches_and_runs_share_the_table() {
    const TURNS: usize = 6_000;
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = Storage::new();
    let guest = guest(&mut storage, &domain, &domain, 2);
    let raw = Raw::of(&guest);
    let taken: Vec<AtomicBool> = (0..1024).map(|_| AtomicBool::new(false)).collect();
    let full: Vec<AtomicU64> = (0..3).map(|_| AtomicU64::new(0)).collect();
    thread::scope(|scope| {
        for seed in 0..THREADS {
            let (taken, full) = (&taken, &full);
            scope.spawn(move || {
                let mut random = Random::new(seed as u64 + 77);
                let mut own: Vec<Vec<u32>> = Vec::new();
                let give = |grefs: Vec<u32>| {
                    for gref in grefs {
                        taken[gref as usize].store(false, SeqCst);
                        assert_eq!(raw.end(gref), 0);
                    }
                };
                for _ in 0..TURNS {
                    if own.len() > 3 || random.one_in(3) {
                        if !own.is_empty() {
                            give(own.swap_remove(random.below(own.len())));
                        }
                        continue;
                    }
                    let count = 1 + random.below(200);
                    let kind = random.below(3);
                    let mut grefs = vec![0; count];
                    let rc = match kind {
                        0 => {
                            let gref = raw.grant(1, 1, true);
                            grefs = vec![gref as u32];
                            gref.min(0)
                        }
                        1 => batch(raw, &mut grefs),
                        _ => {
                            let first = run(raw, count as u32);
                            grefs = (first..).map(|gref| gref as u32).take(count).collect();
                            first.min(0)
                        }
                    };
                    if rc != 0 {
                        assert_eq!(rc, ENOSPC);
                        full[kind].fetch_add(1, SeqCst);
                        continue;
                    }
                    for gref in &grefs {
                        assert!((8..1024).contains(gref), "{gref}");
                        let before = taken[*gref as usize].swap(true, SeqCst);
                        assert!(!before, "{gref} has two owners");
                    }
                    own.push(grefs);
                }
                own.into_iter().for_each(give);
            });
        }
    });
    assert!(full[1..].iter().all(|count| count.load(SeqCst) > 0));
    all_free(raw, 2);
    guest.finish().unwrap();
}

/// Whoever does not need a new frame does not wait for one: while one thread
/// is in Xen to add it, others end grants and make new ones.
#[test]
fn growth_holds_nobody_up() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let hooked = Hooked::new(&domain);
    let mut storage = Storage::new();
    let guest = guest(&mut storage, &hooked, &domain, 4);
    let raw = Raw::of(&guest);
    let mut grefs: Vec<i32> = (8..512).map(|_| raw.grant(1, 1, true)).collect();
    let calls = std::sync::Arc::new(AtomicU32::new(0));
    let seen = calls.clone();
    hooked.set(move |op, _, _| {
        assert_eq!(op, abi::__HYPERVISOR_memory_op);
        seen.fetch_add(1, SeqCst);
        elsewhere(|| {
            assert_eq!(raw.end(100), 0);
            assert_eq!(raw.grant(2, 2, false), 100);
            assert_eq!(raw.end(100), 0);
            assert_eq!(run(raw, 1), 100);
        });
    });
    grefs.push(raw.grant(1, 1, true));
    hooked.clear();
    assert_eq!((calls.load(SeqCst), grefs.last()), (2, Some(&512)));
    for gref in grefs {
        assert_eq!(raw.end(gref as u32), 0);
    }
    guest.finish().unwrap();
}

/// A page that was parked: how often it came back.
static RELEASED: [AtomicU32; 64] = [const { AtomicU32::new(0) }; 64];

unsafe extern "C" fn release(data: *mut c_void) {
    RELEASED[data.addr()].fetch_add(1, SeqCst);
}

fn park(raw: Raw, gref: u32, number: usize) -> i32 {
    let data = std::ptr::without_provenance_mut(number);
    // SAFETY: the guest is set up; `release` takes it.
    unsafe { ffi::xg_gnttab_park(raw.0, gref, Some(release), data) }
}

fn reap(raw: Raw, budget: u32) -> u32 {
    // SAFETY: the guest is set up.
    unsafe { ffi::xg_gnttab_reap(raw.0, budget) }
}

/// Two threads park and two reap, while the peer lets go: each page comes
/// back once, and only when the peer has let go.
#[test]
fn parked_grants_are_released_once() {
    const TURNS: usize = 40;
    const PLACES: usize = 20;
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (Storage::new(), common::Storage::new());
    let mut places = [const { Parking::new() }; PLACES];
    let config = common::config(&a).with_parking(&mut places);
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    let guest_a = unsafe { Guest::new(&mut storage_a, &a, config) }.unwrap();
    let guest_b = common::guest(&mut storage_b, &b, &b);
    let (raw_a, raw_b) = (Raw::of(&guest_a), Raw::of(&guest_b));
    let page = a.alloc_page().unwrap();
    let pages = b.empty_pages(RELEASED.len() as u32).unwrap();
    let at = |i: usize| pages.va().as_ptr().wrapping_add(i * PAGE_SIZE);
    let (full, early) = (AtomicU64::new(0), AtomicU64::new(0));
    for turn in 0..TURNS {
        for released in &RELEASED {
            released.store(0, SeqCst);
        }
        let grefs: Vec<u32> = RELEASED
            .iter()
            .map(|_| raw_a.grant(b.domid().raw(), page.gfn().raw(), false) as u32)
            .collect();
        let mut ops: Vec<_> = (0..grefs.len())
            .map(|i| map_op(a.domid().raw(), grefs[i], at(i), i % 2 == 0))
            .collect();
        assert_eq!(raw_b.map(&mut ops), 0);
        let ops = &ops;
        let parkers = AtomicU32::new(2);
        thread::scope(|scope| {
            for half in 0..2 {
                let (grefs, parkers, full, early) = (&grefs, &parkers, &full, &early);
                scope.spawn(move || {
                    for i in (half..grefs.len()).step_by(2) {
                        loop {
                            match park(raw_a, grefs[i], i) {
                                0 => _ = early.fetch_add(1, SeqCst),
                                1 => {}
                                ENOSPC => {
                                    full.fetch_add(1, SeqCst);
                                    thread::yield_now();
                                    continue;
                                }
                                other => panic!("{other}"),
                            }
                            break;
                        }
                    }
                    parkers.fetch_sub(1, SeqCst);
                });
            }
            for budget in [1, 7] {
                let parkers = &parkers;
                scope.spawn(move || {
                    while parkers.load(SeqCst) > 0 || reap(raw_a, budget) > 0 {
                        assert!(reap(raw_a, budget) <= PLACES as u32);
                    }
                });
            }
            // The peer lets go, in another order.
            let mut random = Random::new(turn as u64 + 1);
            let mut left: Vec<usize> = (0..ops.len()).collect();
            while !left.is_empty() {
                let i = left.swap_remove(random.below(left.len()));
                assert_eq!(RELEASED[i].load(SeqCst), 0, "released while mapped");
                let op = &ops[i];
                assert_eq!(raw_b.unmap(&mut [unmap_op(at(i), op.handle)]), 0);
            }
        });
        for released in &RELEASED {
            assert_eq!(released.load(SeqCst), 1);
        }
        assert_eq!(raw_a.grants_in_use(), 0);
    }
    assert!(full.load(SeqCst) > 0, "never full: {EBUSY}");
    raw_a.grow();
    b.return_empty_pages(pages);
    drop(page);
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
}
