// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages that a peer writes while this guest reads them.
#![cfg(feature = "sim")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use xen_guest::sim::{Domain, DomainConfig, Hypervisor};
use xen_guest::{Access, Grant, GrantMapping, Guest, PAGE_SIZE, SharedMemory};

mod common;

/// Run `body` with a page that the first domain granted to the second: as the
/// one sees it, and the other.
fn with_shared_page(access: Access, body: impl FnOnce(SharedMemory<'_>, SharedMemory<'_>)) {
    let xen = Hypervisor::new();
    let a = xen.create_domain(DomainConfig::default());
    let b = xen.create_domain(DomainConfig::default());
    let (mut storage_a, mut storage_b) = (common::Storage::new(), common::Storage::new());
    let guest_a = common::guest(&mut storage_a, &a, &a);
    let guest_b = common::guest(&mut storage_b, &b, &b);
    share(&guest_a, &a, &guest_b, &b, access, body);
    guest_a.finish().unwrap();
    guest_b.finish().unwrap();
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
}

fn share<'g>(
    guest_a: &'g Guest<'g>,
    a: &Domain,
    guest_b: &'g Guest<'g>,
    b: &Domain,
    access: Access,
    body: impl FnOnce(SharedMemory<'_>, SharedMemory<'_>),
) {
    let page = a.alloc_page().unwrap();
    let grant = Grant::new(guest_a, b.domid(), page, access).unwrap();
    let empty = b.empty_pages(1).unwrap();
    let mapping = GrantMapping::new(guest_b, a.domid(), grant.gref(), access, empty).unwrap();
    body(grant.memory(), mapping.memory());
    b.return_empty_pages(mapping.unmap().unwrap());
    drop(grant.end().unwrap());
}

/// Each value is read in one access: all of one write, or all of another.
#[test]
fn values_are_not_torn() {
    with_shared_page(Access::ReadWrite, |ours, peers| {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut value = 0_u64;
                while !stop.load(SeqCst) {
                    peers.write(64, value);
                    value = !value;
                }
            });
            let (mut zeros, mut ones, mut torn) = (0, 0, 0);
            let mut reads = 0;
            // And until both were seen, however the threads are scheduled.
            while reads < 100_000 || zeros == 0 || ones == 0 {
                match ours.read::<u64>(64) {
                    0 => zeros += 1,
                    u64::MAX => ones += 1,
                    _ => torn += 1,
                }
                reads += 1;
                if reads % 1024 == 0 {
                    thread::yield_now();
                }
            }
            stop.store(true, SeqCst);
            assert_eq!(torn, 0, "half of one and half of another");
        });
    });
}

/// What was written before a value that announces it is seen after it.
#[test]
fn announced_values_are_there() {
    with_shared_page(Access::ReadWrite, |ours, peers| {
        const ROUNDS: u32 = 20_000;
        thread::scope(|scope| {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    peers.write(128, round);
                    peers.write_release(0, round);
                    while peers.read_acquire::<u32>(4) != round {
                        thread::yield_now();
                    }
                }
            });
            for round in 1..=ROUNDS {
                while ours.read_acquire::<u32>(0) != round {
                    thread::yield_now();
                }
                assert_eq!(ours.read::<u32>(128), round);
                ours.write_release(4, round);
            }
        });
    });
}

/// An offset from a peer can't lead outside of the page.
#[test]
fn what_is_outside_is_refused() {
    with_shared_page(Access::ReadOnly, |ours, peers| {
        let refused = |what: &dyn Fn()| catch_unwind(AssertUnwindSafe(what)).is_err();
        assert_eq!(ours.len(), PAGE_SIZE);
        ours.write::<u64>(PAGE_SIZE - 8, 7);
        assert_eq!(peers.read::<u64>(PAGE_SIZE - 8), 7);
        for offset in [PAGE_SIZE, PAGE_SIZE - 4, 4, usize::MAX, usize::MAX - 7] {
            assert!(refused(&|| _ = peers.read::<u64>(offset)), "{offset}");
            assert!(refused(&|| ours.write::<u64>(offset, 0)), "{offset}");
        }
        let mut bytes = [0; 2];
        peers.read_bytes(PAGE_SIZE - 2, &mut bytes);
        assert!(
            catch_unwind(AssertUnwindSafe(
                || peers.read_bytes(PAGE_SIZE - 1, &mut bytes)
            ))
            .is_err()
        );
        assert!(refused(&|| peers.write::<u8>(0, 1)), "mapped for reading");
    });
}
