// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grants under load: references taken and freed by several threads, and a
//! peer that maps while they are ended.

#![cfg(feature = "sim")]

mod common;

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use common::{EBUSY, ENOSPC, Random, Raw, map_op, unmap_op};
use xen_guest::sim::{Domain, DomainConfig, Hypervisor};
use xen_guest::{Guest, PAGE_SIZE, ffi};

/// A guest with this version of the table: 1016 references, with either.
fn guest<'s>(storage: &'s mut common::Storage, domain: &'s Domain, v2: bool) -> Guest<'s> {
    let config = common::config(domain);
    let config = if v2 { config.with_grants_v2() } else { config };
    common::guest_with(storage, domain, config)
}

/// No reference is two threads' at a time, and none is lost, in a table that
/// is nearly full and a table that is nearly empty.
#[test]
fn references_belong_to_one() {
    const THREADS: usize = 3;
    const TURNS: usize = 300_000;
    const FULL: usize = 1016 / THREADS + 20;
    for (keep, v2) in [(4, false), (FULL, false), (FULL, true)] {
        let xen = Hypervisor::new().with_grants_v2();
        let domain = xen.create_domain(DomainConfig::default());
        let mut storage = common::Storage::new();
        let guest = guest(&mut storage, &domain, v2);
        let raw = Raw::of(&guest);
        if keep == 4 {
            raw.grow();
        }
        let page = domain.alloc_page().unwrap();
        let gfn = page.gfn().raw();
        let taken: Vec<AtomicBool> = (0..1024).map(|_| AtomicBool::new(false)).collect();
        let full = AtomicU64::new(0);
        let grant = |own: &mut Vec<u32>| match raw.grant(1, gfn, false) {
            ENOSPC => _ = full.fetch_add(1, SeqCst),
            gref => {
                assert!(gref >= 8, "{gref}");
                let before = taken[gref as usize].swap(true, SeqCst);
                assert!(!before, "{gref} has two owners");
                own.push(gref as u32);
            }
        };
        let end = |gref: u32| {
            taken[gref as usize].store(false, SeqCst);
            assert_eq!(raw.end(gref), 0);
        };
        // All have as many as they keep before any of them ends one.
        let mut owns = [const { Vec::new() }; THREADS];
        thread::scope(|scope| {
            for own in &mut owns {
                scope.spawn(|| (0..keep).for_each(|_| grant(own)));
            }
        });
        thread::scope(|scope| {
            for (mut own, seed) in owns.into_iter().zip(1..) {
                scope.spawn(move || {
                    let mut random = Random::new(seed);
                    for _ in 0..TURNS {
                        if own.is_empty() || own.len() < keep && !random.one_in(3) {
                            grant(&mut own);
                        } else {
                            end(own.swap_remove(random.below(own.len())));
                        }
                    }
                    own.into_iter().for_each(end);
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

/// What the interrupt handler works with: the guest, what it has granted, who
/// has each reference, how often it granted, and what went wrong.
static GUEST: AtomicPtr<ffi::xg_guest> = AtomicPtr::new(ptr::null_mut());
static HELD: [AtomicU32; 3] = [const { AtomicU32::new(0) }; 3];
static TAKEN: [AtomicBool; 1024] = [const { AtomicBool::new(false) }; 1024];
static INTERRUPTS: AtomicU64 = AtomicU64::new(0);
static WRONG: AtomicU64 = AtomicU64::new(0);

/// A reference is somebody's now, or not any more.
fn mark(gref: u32, taken: bool) {
    if TAKEN[gref as usize].swap(taken, SeqCst) == taken {
        WRONG.fetch_add(1, SeqCst);
    }
}

fn end(raw: Raw, gref: u32) {
    mark(gref, false);
    if raw.end(gref) != 0 {
        WRONG.fetch_add(1, SeqCst);
    }
}

/// An interrupt: between any two instructions of the thread. It must not
/// panic, nor wait for anything. What one grants the next one ends, so that
/// each leaves the table otherwise than it was.
extern "C" fn interrupt(_: libc::c_int) {
    let raw = Raw(GUEST.load(SeqCst));
    if HELD[0].load(SeqCst) != 0 {
        for held in &HELD {
            end(raw, held.swap(0, SeqCst));
        }
        return;
    }
    let gfns = [1; HELD.len()];
    let mut grefs = [0; HELD.len()];
    // SAFETY: the guest is set up; the frames are nobody's to map.
    let rc = unsafe {
        let (to, count) = (grefs.as_mut_ptr(), grefs.len() as u32);
        ffi::xg_gnttab_grant_batch(raw.0, 1, gfns.as_ptr(), to, count, true)
    };
    if rc == 0 {
        for (held, gref) in HELD.iter().zip(grefs) {
            mark(gref, true);
            held.store(gref, SeqCst);
        }
        INTERRUPTS.fetch_add(1, SeqCst);
    }
}

/// An interrupt grants and ends in the midst of grants and ends, in a table
/// that is nearly empty and in one that is nearly full.
#[test]
fn interrupts_grant_too() {
    // SAFETY: the handler keeps to what it may do; the default comes back.
    let install = |handler: libc::sighandler_t| unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, ptr::null_mut()), 0);
    };
    for (keep, v2) in [(3, false), (1010, false), (1010, true)] {
        let xen = Hypervisor::new().with_grants_v2();
        let domain = xen.create_domain(DomainConfig::default());
        let mut storage = common::Storage::new();
        let guest = guest(&mut storage, &domain, v2);
        let raw = Raw::of(&guest);
        // Growing takes the platform's lock, which holds off the interrupt on
        // a machine; here it is at its end before.
        raw.grow();
        GUEST.store(raw.0, SeqCst);
        INTERRUPTS.store(0, SeqCst);
        install(interrupt as *const () as libc::sighandler_t);
        let stop = AtomicBool::new(false);
        // SAFETY: this thread's own number.
        let target = unsafe { libc::pthread_self() };
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut random = Random::new(keep as u64);
                while !stop.load(SeqCst) {
                    // SAFETY: the thread waits for this one.
                    unsafe { libc::pthread_kill(target, libc::SIGUSR1) };
                    for _ in 0..random.below(2000) {
                        std::hint::spin_loop();
                    }
                }
            });
            let mut random = Random::new(1);
            let mut own: Vec<u32> = Vec::with_capacity(1024);
            let start = Instant::now();
            while INTERRUPTS.load(SeqCst) < 20_000 && start.elapsed() < Duration::from_secs(2) {
                if own.len() < keep && !random.one_in(3) {
                    match raw.grant(1, 1, false) {
                        ENOSPC => {}
                        gref => {
                            mark(gref as u32, true);
                            own.push(gref as u32);
                        }
                    }
                } else if !own.is_empty() {
                    end(raw, own.swap_remove(random.below(own.len())));
                }
            }
            stop.store(true, SeqCst);
            own.into_iter().for_each(|gref| end(raw, gref));
        });
        install(libc::SIG_IGN);
        if HELD[0].load(SeqCst) != 0 {
            interrupt(0);
        }
        let granted = INTERRUPTS.load(SeqCst);
        println!("{granted} batches granted in interrupts");
        assert!(granted > 0, "no interrupts");
        assert_eq!(WRONG.load(SeqCst), 0);
        assert_eq!((raw.grants_in_use(), raw.free_grants()), (0, 1016));
        guest.finish().unwrap();
    }
}

const GOOD: u8 = 0x60;
const SECRET: u8 = 0x5e;

/// Once a grant has ended, the peer does not see what the page holds next.
#[test]
fn a_peer_maps_what_is_being_ended() {
    map_what_is_being_ended(false);
}

#[test]
fn a_peer_maps_what_is_being_ended_in_version_2() {
    map_what_is_being_ended(true);
}

/// Says so when it goes, in a panic too.
struct Stopped<'a>(&'a AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

fn map_what_is_being_ended(v2: bool) {
    let xen = Hypervisor::new().with_grants_v2();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let guest_a = guest(&mut storage_a, &a, v2);
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
        // How often it was busy.
        let end = |gref| {
            let mut busy = 0;
            loop {
                match raw_a.end(gref) {
                    0 => return busy,
                    EBUSY => busy += 1,
                    other => panic!("{other}"),
                }
                std::hint::spin_loop();
            }
        };
        // However this ends, the peer does.
        let stopped = Stopped(&stop);
        let other = a.alloc_page().unwrap();
        for n in 0..100_000 {
            fill(GOOD);
            // Reference 8 or 9, by turns.
            let spare = (n % 2 == 0).then(|| raw_a.grant(99, other.gfn().raw(), true));
            let gref = raw_a.grant(b.domid().raw(), page.gfn().raw(), false) as u32;
            if let Some(spare) = spare {
                // Nobody may map it; but with version 2 it is busy for as long
                // as it takes the peer to find out that what was there before
                // is gone.
                end(spare as u32);
            }
            for _ in 0..n % 8 * 40 {
                std::hint::spin_loop();
            }
            busy += end(gref);
            ended += 1;
            fill(SECRET);
            if peer.is_finished() {
                break;
            }
        }
        drop(stopped);
        peer.join().unwrap()
    });
    println!("{ended} grants ended, {busy} times busy, {mapped} mapped meanwhile");
    assert!(mapped > 0);
    b.return_empty_pages(pages);
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
}

/// As often as a busy peer would have it done: every reference comes back, and
/// what one grant left does not show in the next.
#[test]
fn a_million_grants() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let calls = xen.hypercalls(domain.domid());
    for n in 0..1_000_000_u64 {
        let gref = raw.grant((n % 7) as u16, n, n % 3 == 0);
        assert_eq!((gref, raw.end(8)), (8, 0));
    }
    assert_eq!(xen.hypercalls(domain.domid()), calls);
    assert_eq!((raw.grants_in_use(), raw.free_grants()), (0, 504));
    guest.finish().unwrap();
}
