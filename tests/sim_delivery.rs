// SPDX-License-Identifier: MIT OR Apache-2.0
//! When and where the simulator runs upcalls.
#![cfg(feature = "sim")]

mod sim_raw;

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use sim_raw::*;
use xen_guest::Platform;
use xen_guest::sim::{Delivery, Domain, DomainConfig, Hypervisor};

/// Two connected domains: port 1 of each.
fn pair(delivery: Delivery) -> (Hypervisor, Domain, Domain) {
    let xen = Hypervisor::new();
    let config = DomainConfig::default().with_delivery(delivery);
    let one = xen.create_domain(config.clone());
    let two = xen.create_domain(config);
    assert_eq!(alloc_unbound(&one, SELF, 2), 1);
    assert_eq!(bind_interdomain(&two, 1, 1), 1);
    assert_eq!(map_shared_info(&two).take(), [1]);
    (xen, one, two)
}

#[test]
fn deterministic_upcalls_run_at_exits_and_explicit_points() {
    let (xen, one, two) = pair(Delivery::Deterministic);
    let info = map_shared_info(&one);
    let seen = Mutex::new(Vec::new());
    let upcall = || {
        assert_eq!(one.cpu_id(), Some(0));
        assert_eq!(two.cpu_id(), None);
        seen.lock().unwrap().push(info.take());
        false
    };
    one.with_upcall(&upcall, || {
        assert_eq!(one.cpu_id(), None);
        assert_eq!(send(&two, 1), 0);
        assert!(seen.lock().unwrap().is_empty(), "not at another's exit");
        assert_eq!(one.deliver(), 1);
        assert_eq!(one.deliver(), 0);
        assert_eq!(send(&two, 1), 0);
        assert_eq!(unmask(&one, 1), 0);
        assert_eq!(seen.lock().unwrap().len(), 2, "at its own exit");
        assert_eq!(send(&two, 1), 0);
        let held = one.lock();
        assert_eq!(unmask(&one, 1), 0);
        assert_eq!(xen.deliver_all(), 0);
        assert_eq!(seen.lock().unwrap().len(), 2, "interrupts are off");
        // SAFETY: locked above.
        unsafe { one.unlock(held) };
        assert_eq!(seen.lock().unwrap().len(), 3, "and on again");
        assert_eq!(send(&two, 1), 0);
        assert_eq!(xen.deliver_all(), 1);
    });
    assert_eq!(send(&two, 1), 0);
    assert_eq!(xen.deliver_all(), 0, "disconnected");
    assert_eq!(*seen.lock().unwrap(), vec![vec![1]; 4]);
}

#[test]
fn an_upcall_is_not_nested_and_can_ask_for_more() {
    let (_xen, one, two) = pair(Delivery::Deterministic);
    let info = map_shared_info(&one);
    let (depth, calls) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let upcall = || {
        assert_eq!(depth.fetch_add(1, SeqCst), 0);
        let call = calls.fetch_add(1, SeqCst);
        if call == 0 {
            assert_eq!(info.take(), [1]);
            // Its own interrupt, at the exit of its own hypercalls.
            assert_eq!(send(&two, 1), 0);
            assert_eq!(unmask(&one, 1), 0);
        } else if call == 1 {
            assert_eq!(info.take(), [1]);
        }
        depth.fetch_sub(1, SeqCst);
        call == 1
    };
    one.with_upcall(&upcall, || {
        assert_eq!(send(&two, 1), 0);
        assert_eq!(one.deliver(), 3);
    });
}

#[test]
fn two_domains_play_ping_pong() {
    let (xen, one, two) = pair(Delivery::Deterministic);
    let counts: [AtomicUsize; 2] = Default::default();
    let side = |domain: &Domain, own: usize| {
        let info = map_shared_info_again(domain);
        let domain = domain.clone();
        let counts = &counts;
        move || {
            assert_eq!(info.take(), [1]);
            if counts[own].fetch_add(1, SeqCst) < 9 {
                assert_eq!(send(&domain, 1), 0);
            }
            false
        }
    };
    let (left, right) = (side(&one, 0), side(&two, 1));
    one.with_upcall(&left, || {
        two.with_upcall(&right, || {
            assert_eq!(send(&two, 1), 0);
            assert_eq!(xen.deliver_all(), 19);
        });
    });
    assert_eq!(counts[0].load(SeqCst), 10);
    assert_eq!(counts[1].load(SeqCst), 9);
}

/// For a domain that may have its page mapped already.
fn map_shared_info_again(domain: &Domain) -> SharedInfo {
    let window = domain.grant_window();
    let at = page(window, window.pages - 1);
    remove_from_physmap(domain, SELF, at.gfn.raw());
    map_shared_info(domain)
}

#[test]
#[should_panic(expected = "endless interrupt")]
fn an_upcall_that_does_not_clear_its_flag_is_endless() {
    let (_xen, one, two) = pair(Delivery::Deterministic);
    assert_eq!(send(&two, 1), 0);
    one.with_upcall(&|| false, || ());
}

#[test]
fn asynchronous_upcalls_run_on_a_thread_of_their_own() {
    let (xen, one, two) = pair(Delivery::Asynchronous);
    let info = map_shared_info(&one);
    let main = thread::current().id();
    let count = Arc::new(AtomicUsize::new(0));
    let (counter, own) = (count.clone(), one.clone());
    one.set_upcall(move || {
        assert_ne!(thread::current().id(), main);
        assert_eq!(own.cpu_id(), Some(0));
        counter.fetch_add(info.take().len(), SeqCst);
        false
    });
    for round in 1..=100 {
        assert_eq!(send(&two, 1), 0);
        xen.deliver_all();
        assert_eq!(count.load(SeqCst), round);
    }
    let held = one.lock();
    assert_eq!(send(&two, 1), 0);
    thread::sleep(Duration::from_millis(20));
    assert_eq!(count.load(SeqCst), 100, "interrupts are off");
    // SAFETY: locked above.
    unsafe { one.unlock(held) };
    xen.deliver_all();
    assert_eq!(count.load(SeqCst), 101);
    one.clear_upcall();
    assert_eq!(send(&two, 1), 0);
    assert_eq!(count.load(SeqCst), 101);
    one.destroy();
    assert_eq!(Arc::strong_count(&count), 1, "the closure is gone");
}

#[test]
fn storms_from_several_threads_lose_nothing() {
    let xen = Hypervisor::new();
    let config = DomainConfig::default().with_delivery(Delivery::Asynchronous);
    let one = xen.create_domain(config.clone());
    let peers: Vec<Domain> = (0..3).map(|_| xen.create_domain(config.clone())).collect();
    for (peer, port) in peers.iter().zip(1..) {
        assert_eq!(alloc_unbound(&one, SELF, peer.domid().raw()), port);
        assert_eq!(bind_interdomain(peer, 1, port as u32), 1);
    }
    let info = map_shared_info(&one);
    let sent: [AtomicUsize; 4] = Default::default();
    let seen: [AtomicUsize; 4] = Default::default();
    let upcall = || {
        for port in info.take() {
            let last = sent[port as usize].load(SeqCst);
            seen[port as usize].fetch_max(last, SeqCst);
        }
        false
    };
    one.with_upcall(&upcall, || {
        thread::scope(|scope| {
            for (peer, port) in peers.iter().zip(1..) {
                let sent: &AtomicUsize = &sent[port];
                scope.spawn(move || {
                    for _ in 0..2000 {
                        sent.fetch_add(1, SeqCst);
                        assert_eq!(send(peer, 1), 0);
                    }
                });
            }
        });
        xen.deliver_all();
    });
    // The last event of each came after its last message.
    assert!(seen[1..].iter().all(|seen| seen.load(SeqCst) == 2000));
}

#[test]
fn dropping_the_last_handle_ends_the_domain() {
    let (xen, one, two) = pair(Delivery::Asynchronous);
    two.set_upcall(|| false);
    drop(one);
    assert_eq!(xen.leaks().ports, 1, "the peer's end");
    drop(two);
    assert!(xen.leaks().is_zero());
}
