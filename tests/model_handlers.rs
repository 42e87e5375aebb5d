// SPDX-License-Identifier: MIT OR Apache-2.0
//! Orders of events that are rare by chance, made to happen: calls that meet
//! in the middle of one another, and what earlier firmware leaves behind.

#![cfg(feature = "sim")]

mod common;

use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use common::{CPUS, EINVAL, Hooked, Patience, Raw, SELF, data, elsewhere};
use xen_guest::ffi::{self, abi};
use xen_guest::sim::{Delivery, Domain, DomainConfig, Hypervisor};
use xen_guest::{Guest, GuestStorage, Platform, Protection, Upcall};

unsafe extern "C" fn count(data: *mut c_void) {
    // SAFETY: bound with a counter that outlives the port.
    unsafe { &*data.cast::<AtomicU32>() }.fetch_add(1, SeqCst);
}

/// A port to notify, and the one of the same domain that gets it, bound.
fn pair(raw: Raw, domain: &Domain, calls: &AtomicU32) -> (u32, u32) {
    let from = raw.alloc_unbound(SELF) as u32;
    // SAFETY: the counters outlive the ports.
    let to = unsafe { raw.bind_interdomain(domain.domid().raw(), from, Some(count), data(calls)) };
    assert!(to > 0);
    (from, to as u32)
}

/// Runs `body` with the guest's upcall connected.
fn connected(domain: &Domain, guest: &Guest<'_>, budget: u32, body: impl FnOnce()) {
    // SAFETY: the simulator runs it once at a time.
    let upcall = || unsafe { guest.upcall(budget) } == Upcall::More;
    domain.with_upcall(&upcall, body);
}

struct Neighbour {
    raw: Raw,
    port: AtomicU32,
    calls: AtomicU32,
}

unsafe extern "C" fn mask_neighbour(data: *mut c_void) {
    // SAFETY: bound with a `Neighbour` that outlives the port.
    let neighbour = unsafe { &*data.cast::<Neighbour>() };
    neighbour.calls.fetch_add(1, SeqCst);
    assert_eq!(neighbour.raw.mask(neighbour.port.load(SeqCst)), 0);
}

/// Masked is masked, though the upcall has the event in its hands already.
#[test]
fn a_handler_masks_the_next_port() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let calls = AtomicU32::new(0);
    let first = Neighbour {
        raw,
        port: AtomicU32::new(0),
        calls: AtomicU32::new(0),
    };
    for budget in [1, 64] {
        calls.store(0, SeqCst);
        first.calls.store(0, SeqCst);
        let (from_a, to_a) = pair(raw, &domain, &calls);
        let (from_b, to_b) = pair(raw, &domain, &calls);
        raw.take_pending(to_a);
        raw.take_pending(to_b);
        first.port.store(to_b, SeqCst);
        // SAFETY: `first` outlives the port.
        assert_eq!(unsafe { raw.bind(to_a, mask_neighbour, data(&first)) }, 0);
        assert_eq!((raw.notify(from_b), raw.notify(from_a)), (0, 0));
        connected(&domain, &guest, budget, || {
            xen.deliver_all();
            assert_eq!(first.calls.load(SeqCst), 1);
            assert_eq!(calls.load(SeqCst), 0, "a masked port's handler ran");
            assert_eq!(raw.pending(to_b), 1, "the event is kept");
            assert_eq!(raw.unmask(to_b), 0);
            xen.deliver_all();
            assert_eq!(calls.load(SeqCst), 1);
        });
        for port in [to_a, to_b, from_a, from_b] {
            assert_eq!(raw.close(port), 0);
        }
    }
    guest.finish().unwrap();
    assert!(xen.leaks().is_zero());
}

/// Xen gives a number out again before the call that closed it returned.
#[test]
fn a_number_changes_hands_inside_close() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let hooked = Hooked::new(&domain);
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &hooked, &domain);
    let raw = Raw::of(&guest);
    let old = AtomicU32::new(0);
    let (from, to) = pair(raw, &domain, &old);
    raw.take_pending(to);
    assert_eq!(raw.mask(to), 0);
    hooked.set(move |_, op, done| {
        if (op, done) == (abi::EVTCHNOP_close, true) {
            elsewhere(|| {
                assert_eq!(raw.alloc_unbound(SELF), to as i32);
                // SAFETY: the counter is static.
                assert_eq!(unsafe { raw.bind(to, count, data(&CALLS)) }, 0);
            });
        }
    });
    assert_eq!(raw.close(to), 0);
    hooked.clear();
    assert_eq!(raw.pending(to), 0, "it is open");
    // SAFETY: the counter outlives the port.
    let peer = unsafe { raw.bind_interdomain(domain.domid().raw(), to, Some(count), data(&old)) };
    raw.take_pending(peer as u32);
    assert_eq!(raw.notify(peer as u32), 0);
    connected(&domain, &guest, 64, || {
        xen.deliver_all();
    });
    assert_eq!(CALLS.load(SeqCst), 1, "the new owner's handler");
    assert_eq!(old.load(SeqCst), 0);
    for port in [peer as u32, to, from] {
        assert_eq!(raw.close(port), 0);
    }
    guest.finish().unwrap();
}

struct Slow {
    raw: Raw,
    port: AtomicU32,
    calls: AtomicU32,
    running: AtomicBool,
    /// What the handler waits for.
    waited_for: *const Hooked,
}

unsafe extern "C" fn unmask_late(data: *mut c_void) {
    // SAFETY: bound with a `Slow` that outlives the guest, and the platform
    // outlives both.
    let (slow, hooked) = unsafe {
        let slow = &*data.cast::<Slow>();
        (slow, &*slow.waited_for)
    };
    slow.running.store(true, SeqCst);
    if slow.calls.fetch_add(1, SeqCst) == 0 {
        // Until somebody waits for this handler.
        while hooked.relaxed.load(SeqCst) == 0 {
            thread::yield_now();
        }
    } else {
        thread::sleep(Duration::from_millis(100));
    }
    slow.raw.unmask(slow.port.load(SeqCst));
    slow.running.store(false, SeqCst);
}

/// A handler that unmasks its own port while close waits for it does not get
/// the port going again.
#[test]
fn a_handler_unmasks_a_port_that_is_being_closed() {
    for close in [true, false] {
        let xen = Hypervisor::new();
        let domain =
            xen.create_domain(DomainConfig::default().with_delivery(Delivery::Asynchronous));
        let hooked = Hooked::new(&domain);
        let mut storage = common::Storage::new();
        let guest = common::guest(&mut storage, &hooked, &domain);
        let raw = Raw::of(&guest);
        let unused = AtomicU32::new(0);
        let (from, to) = pair(raw, &domain, &unused);
        raw.take_pending(to);
        let slow = Slow {
            raw,
            port: AtomicU32::new(to),
            calls: AtomicU32::new(0),
            running: AtomicBool::new(false),
            waited_for: &hooked,
        };
        connected(&domain, &guest, 64, || {
            // SAFETY: `slow` outlives the port.
            assert_eq!(unsafe { raw.bind(to, unmask_late, data(&slow)) }, 0);
            assert_eq!(raw.notify(from), 0);
            while !slow.running.load(SeqCst) {
                thread::yield_now();
            }
            let other = domain.clone();
            let sent = Arc::new(AtomicBool::new(false));
            let once = sent.clone();
            hooked.set(move |_, op, done| {
                if (op, done) == (abi::EVTCHNOP_close, false) && !once.swap(true, SeqCst) {
                    // The peer notifies; time for the upcall to see it.
                    let mut send = abi::evtchn_send { port: from };
                    let args = [abi::EVTCHNOP_send as usize, &raw mut send as usize, 0, 0, 0];
                    // SAFETY: the structure that the operation takes.
                    let rc = unsafe { other.hypercall(abi::__HYPERVISOR_event_channel_op, args) };
                    assert_eq!(rc, 0);
                    thread::sleep(Duration::from_millis(30));
                }
            });
            if close {
                assert_eq!(raw.close(to), 0);
            } else {
                assert_eq!(raw.unbind(to), 0);
                assert_eq!(raw.notify(from), 0);
            }
            assert!(!slow.running.load(SeqCst), "the handler runs after all");
            hooked.clear();
            xen.deliver_all();
        });
        assert_eq!(slow.calls.load(SeqCst), 1);
        if !close {
            assert!(!raw.delivers(to), "unbound ports cost no interrupt");
            assert_eq!(raw.take_missed(to), 1);
            assert_eq!(raw.close(to), 0);
        }
        assert_eq!(raw.close(from), 0);
        guest.finish().unwrap();
    }
}

/// Mask wins over a bind, and over an unmask, that began before it.
#[test]
fn mask_inside_bind_and_unmask() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let hooked = Hooked::new(&domain);
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &hooked, &domain);
    let raw = Raw::of(&guest);
    let calls = AtomicU32::new(0);
    connected(&domain, &guest, 64, || {
        let (from, to) = pair(raw, &domain, &calls);
        for bind in [true, false] {
            xen.deliver_all();
            calls.store(0, SeqCst);
            assert_eq!(raw.mask(to), 0);
            assert_eq!(raw.notify(from), 0);
            if bind {
                assert_eq!(raw.unbind(to), 0);
                assert_eq!(raw.unmask(to), 0);
            }
            let once = AtomicBool::new(false);
            hooked.set(move |_, op, done| {
                // An event waits: Xen is asked to unmask.
                if (op, done) == (abi::EVTCHNOP_unmask, false) && !once.swap(true, SeqCst) {
                    elsewhere(|| assert_eq!(raw.mask(to), 0));
                }
            });
            if bind {
                // SAFETY: the counter outlives the port.
                assert_eq!(unsafe { raw.bind(to, count, data(&calls)) }, 0);
            } else {
                assert_eq!(raw.unmask(to), 0);
            }
            hooked.clear();
            xen.deliver_all();
            assert_eq!(raw.notify(from), 0);
            xen.deliver_all();
            assert_eq!(calls.load(SeqCst), 0, "bind {bind}: masked, and called");
            assert!(!raw.delivers(to), "bind {bind}");
            assert_eq!(raw.unmask(to), 0);
            xen.deliver_all();
            assert_eq!(calls.load(SeqCst), 1);
        }
        assert_eq!((raw.close(to), raw.close(from)), (0, 0));
    });
    guest.finish().unwrap();
}

/// A wait whose time is over before Xen is asked to sleep until then: Xen does
/// not sleep until a moment that is past.
#[test]
fn a_wait_ends_though_nothing_slept() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let hooked = Hooked::new(&domain);
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &hooked, &domain);
    let raw = Raw::of(&guest);
    let port = raw.alloc_unbound(SELF) as u32;
    hooked.set(|op, _, done| {
        if op == abi::__HYPERVISOR_sched_op && !done {
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert_eq!(raw.wait(&[port], 1_000_000), 0);
    hooked.clear();
    assert_eq!(raw.close(port), 0);
    guest.finish().unwrap();
}

/// Masks and unmasks of one port by two threads leave it one or the other,
/// and the next call counts.
#[test]
fn mask_and_unmask_at_once() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let calls = AtomicU32::new(0);
    let (from, to) = pair(raw, &domain, &calls);
    raw.take_pending(to);
    let turn = AtomicU64::new(0);
    let mut torn = 0;
    const TURNS: u64 = 20_000;
    let soft_masked = || {
        // SAFETY: the guest is set up and at rest.
        let state = unsafe { (*(*raw.0).evtchn.slots.add(to as usize)).state };
        state & ffi::XG_PORT_MASKED != 0
    };
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            for n in 1..=TURNS {
                let mut patience = Patience::new();
                while turn.load(SeqCst) < 2 * n - 1 {
                    patience.wait();
                }
                assert_eq!(raw.mask(to), 0);
                turn.fetch_add(1, SeqCst);
            }
        });
        for n in 1..=TURNS {
            turn.fetch_add(1, SeqCst);
            assert_eq!(raw.unmask(to), 0);
            let mut patience = Patience::new();
            while turn.load(SeqCst) < 2 * n {
                patience.wait();
            }
            torn += u64::from(soft_masked() == raw.delivers(to));
        }
        other.join().unwrap();
    });
    assert_eq!(torn, 0, "Xen's mask bit differs from what was asked for");
    assert_eq!((raw.close(to), raw.close(from)), (0, 0));
    guest.finish().unwrap();
}

fn memory_op<T>(domain: &Domain, op: u32, mut arg: T) {
    let args = [op as usize, &raw mut arg as usize, 0, 0, 0];
    // SAFETY: the structure that the operation takes.
    let rc = unsafe { domain.hypercall(abi::__HYPERVISOR_memory_op, args) };
    assert_eq!(rc, 0);
}

/// As earlier firmware: page `idx` of `space` is at `window` while `work` runs.
fn earlier(
    domain: &Domain,
    (space, idx): (u32, u64),
    window: &xen_guest::Window,
    work: impl FnOnce(*mut u64),
) {
    let (domid, gpfn) = (SELF, window.gfn.raw());
    memory_op(
        domain,
        abi::XENMEM_add_to_physmap,
        abi::xen_add_to_physmap {
            domid,
            size: 0,
            space,
            idx,
            gpfn,
        },
    );
    // SAFETY: a window of the domain that nothing else uses now.
    unsafe {
        domain
            .map(window.va, window.gfn, 1, Protection { write: true })
            .unwrap();
    }
    work(window.va.cast());
    // SAFETY: as above.
    unsafe { domain.unmap(window.va, 1).unwrap() };
    memory_op(
        domain,
        abi::XENMEM_remove_from_physmap,
        abi::xen_remove_from_physmap { domid, gpfn },
    );
}

/// A selector bit that earlier firmware left set, with nobody to look at it,
/// would keep Xen from ever announcing that word again.
#[test]
fn events_earlier_firmware_did_not_take() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let at = common::shared_info(&domain);
    earlier(&domain, (abi::XENMAPSPACE_shared_info, 0), &at, |page| {
        // SAFETY: the shared-info page is mapped; nobody else is there.
        unsafe {
            let selector = std::mem::offset_of!(abi::vcpu_info, evtchn_pending_sel);
            page.byte_add(selector).write_volatile(u64::MAX);
        }
    });
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let calls = AtomicU32::new(0);
    connected(&domain, &guest, 64, || {
        let (from, to) = pair(raw, &domain, &calls);
        xen.deliver_all();
        assert_eq!(calls.load(SeqCst), 1, "Xen's first event");
        assert_eq!(raw.notify(from), 0);
        xen.deliver_all();
        assert_eq!(calls.load(SeqCst), 2);
        assert_eq!((raw.close(to), raw.close(from)), (0, 0));
    });
    guest.finish().unwrap();
}

/// References that earlier firmware granted may be in use still: they and the
/// 64 that each is of are left alone. They can be ended, and are not this
/// guest's before or after.
#[test]
fn grants_earlier_firmware_did_not_end() {
    const LEFT: [u32; 3] = [8, 10, 500];
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let page = domain.alloc_page().unwrap();
    let window = domain.grant_window();
    let entry = u64::from(abi::GTF_permit_access) | 7 << 16 | page.gfn().raw() << 32;
    let space = (abi::XENMAPSPACE_grant_table, 0);
    earlier(&domain, space, &window, |table| {
        for gref in LEFT {
            // SAFETY: the table's first page is mapped.
            unsafe { table.add(gref as usize).write_volatile(entry) };
        }
        // SAFETY: as above. Ended: what is left of it means nothing.
        unsafe { table.add(9).write_volatile(entry & !0xffff) };
    });
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let own = domain.alloc_page().unwrap();
    let mut grefs = Vec::new();
    loop {
        match raw.grant(7, own.gfn().raw(), false) {
            common::ENOSPC => break,
            gref => grefs.push(gref as u32),
        }
    }
    let ours = |gref: &u32| LEFT.iter().all(|left| left / 64 != gref / 64);
    let all: Vec<u32> = (8..1024).filter(ours).collect();
    let mut sorted = grefs.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, all);
    // Nor is one looked for there first: those that are just being ended are
    // no references to take.
    assert_eq!(raw.grant(7, own.gfn().raw(), false), common::ENOSPC);
    for left in LEFT {
        // SAFETY: the guest is set up; nobody changes it now.
        unsafe {
            let table = &raw const (*raw.0).gnttab;
            assert_ne!((*table).near, (*table).words.add(left as usize / 64));
        }
    }
    let used = |of: &[u32]| assert_eq!(raw.grants_in_use() as usize, of.len());
    used(&grefs);
    assert_eq!(raw.end(grefs.pop().unwrap()), 0);
    for gref in LEFT {
        assert_eq!((raw.end(gref), raw.end(gref)), (0, EINVAL));
        used(&grefs);
    }
    assert_eq!(raw.end(9), EINVAL);
    grefs.push(raw.grant(7, own.gfn().raw(), false) as u32);
    assert_eq!(raw.grant(7, own.gfn().raw(), false), common::ENOSPC);
    used(&grefs);
    for gref in grefs {
        assert_eq!(raw.end(gref), 0);
    }
    used(&[]);
    guest.finish().unwrap();
}

/// They can be ended as soon as the table has them, by another thread than the
/// one that the table grows for: neither is their word used then.
#[test]
fn grants_of_earlier_firmware_end_while_the_table_grows() {
    const FRAMES: u32 = 16;
    const LEFT: u32 = 2 * FRAMES * 512 - 24;
    for _ in 0..40 {
        let xen = Hypervisor::new();
        let domain = xen.create_domain(DomainConfig::default());
        let window = domain.grant_window();
        let space = (abi::XENMAPSPACE_grant_table, u64::from(LEFT / 512));
        earlier(&domain, space, &window, |table| {
            let entry = u64::from(abi::GTF_permit_access) | 7 << 16 | 1 << 32;
            // SAFETY: that page of the table is mapped.
            unsafe { table.add(LEFT as usize % 512).write_volatile(entry) };
        });
        let mut storage = GuestStorage::<2, { FRAMES as usize * 2 * 8 }>::new();
        // SAFETY: a domain of the test's own, whose windows nobody else uses.
        let guest = unsafe { Guest::new(&mut storage, &domain, common::config(&domain)) }.unwrap();
        let raw = Raw::of(&guest);
        let mut grefs: Vec<i32> = (8..FRAMES * 512).map(|_| raw.grant(1, 1, true)).collect();
        let looking = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                loop {
                    let rc = raw.end(LEFT);
                    looking.store(true, SeqCst);
                    if rc != EINVAL {
                        break assert_eq!(rc, 0);
                    }
                }
            });
            while !looking.load(SeqCst) {
                thread::yield_now();
            }
            // The first of those frames.
            grefs.push(raw.grant(1, 1, true));
        });
        assert_eq!(grefs.last(), Some(&(FRAMES as i32 * 512)));
        assert_eq!(raw.grants_in_use() as usize, grefs.len());
        for gref in grefs {
            assert_eq!(raw.end(gref as u32), 0);
        }
        assert_eq!(raw.free_grants(), 2 * FRAMES * 512 - 8 - 64);
        guest.finish().unwrap();
    }
}

struct Later {
    raw: Raw,
    port: AtomicU32,
    calls: AtomicU32,
}

unsafe extern "C" fn end_lateness(data: *mut c_void) {
    // SAFETY: bound with a `Later` that outlives the port.
    let later = unsafe { &*data.cast::<Later>() };
    later.calls.fetch_add(1, SeqCst);
    let port = later.port.load(SeqCst);
    assert_eq!(later.raw.set_late(port, false), 0);
}

/// A port that is not late any more is not held for an event that the upcall
/// had taken before: nobody would say that it is done.
#[test]
fn lateness_ends_inside_an_upcall() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let calls = AtomicU32::new(0);
    let first = Later {
        raw,
        port: AtomicU32::new(0),
        calls: AtomicU32::new(0),
    };
    let (from_a, to_a) = pair(raw, &domain, &calls);
    let (from_b, to_b) = pair(raw, &domain, &calls);
    raw.take_pending(to_a);
    raw.take_pending(to_b);
    first.port.store(to_b, SeqCst);
    // SAFETY: `first` outlives the port.
    assert_eq!(unsafe { raw.bind(to_a, end_lateness, data(&first)) }, 0);
    assert_eq!(raw.set_late(to_b, true), 0);
    assert_eq!((raw.notify(from_b), raw.notify(from_a)), (0, 0));
    connected(&domain, &guest, 64, || {
        xen.deliver_all();
        assert_eq!(first.calls.load(SeqCst), 1);
        assert_eq!(calls.load(SeqCst), 1);
        for n in 2..4 {
            assert_eq!(raw.notify(from_b), 0);
            xen.deliver_all();
            assert_eq!(calls.load(SeqCst), n, "held, though not late");
        }
    });
    for port in [to_a, to_b, from_a, from_b] {
        assert_eq!(raw.close(port), 0);
    }
    guest.finish().unwrap();
}

struct Gate {
    entered: AtomicBool,
    open: AtomicBool,
}

unsafe extern "C" fn stay(data: *mut c_void) {
    // SAFETY: bound with a gate that outlives the port.
    let gate = unsafe { &*data.cast::<Gate>() };
    gate.entered.store(true, SeqCst);
    wait_for(&gate.open);
}

fn wait_for(flag: &AtomicBool) {
    let mut patience = Patience::new();
    while !flag.load(SeqCst) {
        assert!(patience.wait(), "it never happens");
    }
}

/// A thread asks where it runs, and is moved to another CPU. On the first one
/// an upcall then begins that has an event of the next owner of the port.
#[test]
fn a_thread_leaves_its_cpu_inside_close() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    static GATE: Gate = Gate {
        entered: AtomicBool::new(false),
        open: AtomicBool::new(false),
    };
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default().with_vcpus(2));
    let hooked = Hooked::new(&domain);
    let mut storage = GuestStorage::<2, 16, 2>::new();
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    let guest = unsafe { Guest::new(&mut storage, &hooked, common::config(&domain)) }.unwrap();
    let raw = Raw::of(&guest);
    let (from_a, to_a) = pair(raw, &domain, &CALLS);
    // SAFETY: the gate lives for ever.
    assert_eq!(unsafe { raw.bind(to_a, stay, data(&GATE)) }, 0);
    let from_b = raw.alloc_unbound(SELF) as u32;
    let port = raw.alloc_unbound(SELF) as u32;
    assert!(to_a < port);
    let upcall = Arc::new(Mutex::new(None));
    let running = upcall.clone();
    let elsewhere = domain.clone();
    hooked.set(move |op, sub_op, done| {
        if (op, sub_op, done)
            != (
                abi::__HYPERVISOR_event_channel_op,
                abi::EVTCHNOP_close,
                true,
            )
        {
            return;
        }
        let domid = elsewhere.domid().raw();
        // SAFETY: the counter lives for ever.
        let again = unsafe { raw.bind_interdomain(domid, from_b, Some(count), data(&CALLS)) };
        assert_eq!(again as u32, port, "the number has a new owner");
        let vcpu = elsewhere.clone();
        *running.lock().unwrap() = Some(thread::spawn(move || {
            // SAFETY: once.
            vcpu.become_vcpu(0, || unsafe { raw.upcall(64) })
        }));
        wait_for(&GATE.entered);
    });
    CPUS.set([1, 0].into());
    assert_eq!(raw.close(port), 0);
    assert_eq!(
        CPUS.take(),
        [],
        "close asks where it runs for each of its two waits"
    );
    hooked.clear();
    GATE.open.store(true, SeqCst);
    let upcall = upcall.lock().unwrap().take().unwrap();
    assert!(!upcall.join().unwrap());
    assert_eq!(CALLS.load(SeqCst), 1, "the new owner's event is lost");
    for port in [to_a, from_a, port, from_b] {
        assert_eq!(raw.close(port), 0);
    }
    guest.finish().unwrap();
}
