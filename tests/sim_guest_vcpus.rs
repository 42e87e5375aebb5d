// SPDX-License-Identifier: MIT OR Apache-2.0
//! The library as a guest with several vCPUs, on the simulator.
#![cfg(feature = "sim")]

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use xen_guest::sim::{Delivery, Domain, DomainConfig, Hypervisor};
use xen_guest::{
    EventChannel, EventsAbi, Gfn, Guest, GuestConfig, GuestStorage, PAGE_SIZE, Platform, Upcall,
    Window,
};

const VCPUS: u32 = 4;
type Storage = GuestStorage<2, 0, { VCPUS as usize }>;
const STORAGE_PAGES: usize = size_of::<Storage>().div_ceil(PAGE_SIZE);
/// The vCPUs' queues, and the words of 1024 ports.
const FIFO_PAGES: usize = 2;

/// In the domain's own memory, parts of which Xen shares. Only vCPU 0 is up.
fn guest_on_one(domain: &Domain, abi: EventsAbi) -> Guest<'_> {
    let storage = NonNull::new(domain.page_alloc(STORAGE_PAGES as u32)).unwrap();
    let storage = storage.cast::<Storage>();
    let window = domain.grant_window();
    let last = u64::from(window.pages) - 1;
    let mut config = GuestConfig::new(Window {
        va: window.va.wrapping_add(last as usize * PAGE_SIZE),
        gfn: Gfn::new(window.gfn.raw() + last),
        pages: 1,
    });
    if abi == EventsAbi::Fifo {
        let pages = NonNull::new(domain.page_alloc(FIFO_PAGES as u32)).unwrap();
        // SAFETY: allocated for this guest alone.
        config = unsafe { config.with_fifo_pages(pages.cast(), FIFO_PAGES) };
    }
    // SAFETY: pages of this guest alone, which live as long as the domain;
    // nobody else uses the windows.
    let guest = unsafe {
        storage.write(Storage::new());
        Guest::new(&mut *storage.as_ptr(), domain, config).expect("the guest can be set up")
    };
    assert_eq!(guest.events_abi(), abi);
    guest
}

/// With all its vCPUs up.
fn guest(domain: &Domain, abi: EventsAbi) -> Guest<'_> {
    let guest = guest_on_one(domain, abi);
    for vcpu in 1..domain.vcpus() {
        guest.vcpu_online(vcpu).expect("a vCPU comes up");
    }
    guest
}

const BOTH: [(Delivery, EventsAbi); 4] = [
    (Delivery::Deterministic, EventsAbi::TwoLevel),
    (Delivery::Deterministic, EventsAbi::Fifo),
    (Delivery::Asynchronous, EventsAbi::TwoLevel),
    (Delivery::Asynchronous, EventsAbi::Fifo),
];

/// Runs `body` with a domain of four vCPUs, with the upcall connected, and
/// another domain.
fn run(body: impl Fn(&Guest<'_>, &Domain, &Guest<'_>, &Domain)) {
    for (delivery, abi) in BOTH {
        let xen = Hypervisor::new();
        let config = DomainConfig::default().with_delivery(delivery);
        let one = xen.create_domain(config.clone().with_vcpus(VCPUS));
        let two = xen.create_domain(config);
        let (left, right) = (guest(&one, abi), guest(&two, abi));
        // SAFETY: once at a time per vCPU, which `cpu_id` names.
        let upcall = || unsafe { left.upcall(64) } == Upcall::More;
        one.with_upcall(&upcall, || body(&left, &one, &right, &two));
        left.finish().expect("nothing is open");
        right.finish().expect("nothing is open");
        assert_eq!(xen.leaks().ports, 0);
    }
}

#[test]
fn events_are_served_on_their_vcpus() {
    run(|guest, domain, _, _| {
        let xen = domain.hypervisor();
        let seen: [AtomicUsize; VCPUS as usize] = Default::default();
        let handler = || {
            let vcpu = domain.cpu_id().unwrap();
            seen[vcpu as usize].fetch_add(1, SeqCst);
        };
        for vcpu in 0..VCPUS {
            let mut ipi = EventChannel::bind_ipi(guest, vcpu).unwrap();
            ipi.with_handler(&handler, |ipi| {
                ipi.notify().unwrap();
                xen.deliver_all();
            })
            .unwrap();
            assert_eq!(seen[vcpu as usize].swap(0, SeqCst), 1);
        }
        assert!(seen.iter().all(|seen| seen.load(SeqCst) == 0));
    });
}

#[test]
fn a_pending_event_moves_with_its_port() {
    run(|guest, domain, peer, other| {
        let xen = domain.hypervisor();
        let mut port = EventChannel::alloc_unbound(guest, other.domid()).unwrap();
        let far = EventChannel::bind_interdomain(peer, domain.domid(), port.port()).unwrap();
        let seen: [AtomicUsize; VCPUS as usize] = Default::default();
        for vcpu in (0..VCPUS).rev() {
            far.notify().unwrap();
            port.bind_vcpu(vcpu).unwrap();
            let handler = || {
                let vcpu = domain.cpu_id().unwrap();
                seen[vcpu as usize].fetch_add(1, SeqCst);
            };
            port.with_handler(&handler, |_| xen.deliver_all()).unwrap();
            assert_eq!(seen[vcpu as usize].load(SeqCst), 1, "vCPU {vcpu}");
        }
        far.close().unwrap();
        port.close().unwrap();
    });
}

/// A domain whose interrupts are taken by hand, and another one.
fn by_hand(body: impl Fn(&Domain, &Domain, EventsAbi)) {
    for abi in [EventsAbi::TwoLevel, EventsAbi::Fifo] {
        let xen = Hypervisor::new();
        let config = DomainConfig::default();
        let one = xen.create_domain(config.clone().with_vcpus(VCPUS));
        body(&one, &xen.create_domain(config), abi);
        assert_eq!(xen.leaks().ports, 0);
    }
}

fn upcall(guest: &Guest<'_>, domain: &Domain, vcpu: u32) {
    // SAFETY: one thread does everything, and this does not nest.
    let left = domain.become_vcpu(vcpu, || unsafe { guest.upcall(64) });
    assert_eq!(left, Upcall::Drained);
}

#[test]
fn an_event_waits_for_a_vcpu_that_is_not_up() {
    by_hand(|domain, _, abi| {
        let guest = guest_on_one(domain, abi);
        let seen = AtomicUsize::new(0);
        let mut ipi = EventChannel::bind_ipi(&guest, 1).unwrap();
        let handler = || {
            assert_eq!(domain.cpu_id(), Some(1));
            seen.fetch_add(1, SeqCst);
        };
        ipi.with_handler(&handler, |ipi| {
            ipi.notify().unwrap();
            guest.vcpu_online(1).unwrap();
            upcall(&guest, domain, 1);
        })
        .unwrap();
        assert_eq!(seen.load(SeqCst), 1);
    });
}

#[test]
fn what_is_queued_elsewhere_moves_with_its_port() {
    static SEEN: AtomicUsize = AtomicUsize::new(0);
    by_hand(|domain, other, abi| {
        let (guest, peer) = (guest(domain, abi), guest(other, abi));
        let mut port = EventChannel::alloc_unbound(&guest, other.domid()).unwrap();
        let far = EventChannel::bind_interdomain(&peer, domain.domid(), port.port()).unwrap();
        port.bind_vcpu(1).unwrap();
        SEEN.store(0, SeqCst);
        port.bind(&|| _ = SEEN.fetch_add(1, SeqCst)).unwrap();
        far.notify().unwrap();
        port.bind_vcpu(2).unwrap();
        upcall(&guest, domain, 1);
        assert_eq!(SEEN.load(SeqCst), 0);
        upcall(&guest, domain, 2);
        assert_eq!(SEEN.load(SeqCst), 1);
    });
}

#[test]
fn nothing_is_lost_while_a_port_moves() {
    const EVENTS: usize = 5000;
    run(|guest, domain, peer, other| {
        let xen = domain.hypervisor();
        let mut port = EventChannel::alloc_unbound(guest, other.domid()).unwrap();
        let far = EventChannel::bind_interdomain(peer, domain.domid(), port.port()).unwrap();
        let (sent, seen) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let handler = || _ = seen.fetch_max(sent.load(SeqCst), SeqCst);
        let leaked: &'static (dyn Fn() + Sync) = {
            let handler: &(dyn Fn() + Sync) = &handler;
            // SAFETY: unbound below, before the borrows end.
            unsafe { std::mem::transmute(handler) }
        };
        let call: &'static _ = Box::leak(Box::new(leaked));
        port.bind(call).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..EVENTS {
                    sent.fetch_add(1, SeqCst);
                    far.notify().unwrap();
                }
            });
            // Every vCPU also exists as a thread that enters Xen.
            for vcpu in 0..VCPUS {
                let sent = &sent;
                scope.spawn(move || {
                    domain.run_as_vcpu(vcpu, || {
                        while sent.load(SeqCst) < EVENTS {
                            domain.deliver();
                            thread::yield_now();
                        }
                    });
                });
            }
            let mut vcpu = 0;
            while sent.load(SeqCst) < EVENTS {
                vcpu = (vcpu + 1) % VCPUS;
                port.bind_vcpu(vcpu).unwrap();
            }
        });
        xen.deliver_all();
        assert_eq!(seen.load(SeqCst), EVENTS);
        port.unbind().unwrap();
        far.close().unwrap();
        port.close().unwrap();
    });
}

#[test]
fn every_vcpu_can_wait() {
    const LIMIT: Duration = Duration::from_millis(5);
    run(|guest, domain, _, _| {
        let xen = domain.hypervisor();
        thread::scope(|scope| {
            for vcpu in 0..VCPUS {
                scope.spawn(move || {
                    domain.become_vcpu(vcpu, || {
                        let ipi = EventChannel::bind_ipi(guest, vcpu).unwrap();
                        let start = xen.uptime();
                        assert_eq!(guest.wait(&[&ipi], Some(LIMIT)), Ok(false));
                        assert!(xen.uptime() - start >= LIMIT);
                        thread::scope(|scope| {
                            scope.spawn(|| {
                                thread::sleep(LIMIT);
                                ipi.notify().unwrap();
                            });
                            assert_eq!(guest.wait(&[&ipi], None), Ok(true));
                        });
                        assert_eq!(ipi.take_pending(), Ok(true));
                        ipi.close().unwrap();
                    });
                });
            }
        });
    });
}
