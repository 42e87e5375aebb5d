// SPDX-License-Identifier: MIT OR Apache-2.0
//! Calls that meet an upcall, on their own vCPU or another one, at moments
//! that are rare by chance.

#![cfg(feature = "sim")]

mod common;

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use common::{CPUS, Hooked, Patience, Raw, SELF, data};
use xen_guest::ffi::{self, abi};
use xen_guest::sim::{Domain, DomainConfig, Hypervisor};
use xen_guest::{Guest, GuestStorage, PAGE_SIZE, Page, Platform};
use xen_guest_workloads::fake_xen::FakeXen;

unsafe extern "C" fn count(data: *mut c_void) {
    // SAFETY: bound with a counter that outlives the port.
    unsafe { &*data.cast::<AtomicU32>() }.fetch_add(1, SeqCst);
}

fn wait_for(flag: &AtomicBool) {
    let mut patience = Patience::new();
    while !flag.load(SeqCst) {
        assert!(patience.wait(), "it never happens");
    }
}

/// A port whose handler does something to another one.
struct Pair {
    raw: Raw,
    other: AtomicU32,
    act: fn(Raw, u32),
}

unsafe extern "C" fn act(data: *mut c_void) {
    // SAFETY: bound with a `Pair` that outlives the port.
    let pair = unsafe { &*data.cast::<Pair>() };
    (pair.act)(pair.raw, pair.other.load(SeqCst));
}

/// A port to notify, and the one of the same domain that gets it.
fn connect(raw: Raw, domain: &Domain) -> (u32, u32) {
    let from = raw.alloc_unbound(SELF) as u32;
    // SAFETY: no handler.
    let to =
        unsafe { raw.bind_interdomain(domain.domid().raw(), from, None, std::ptr::null_mut()) };
    assert!(to > 0);
    assert_eq!(raw.take_pending(to as u32), 1);
    (from, to as u32)
}

/// Mask and unmask call no hook but the hypercall: so they need not know where
/// they run, nor that they stay there.
#[test]
fn masking_does_not_ask_where_it_runs() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let hooked = Hooked::new(&domain);
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &hooked, &domain);
    let raw = Raw::of(&guest);
    let port = raw.alloc_unbound(SELF) as u32;
    CPUS.set([0, 0].into());
    assert_eq!((raw.mask(port), raw.unmask(port)), (0, 0));
    assert_eq!(CPUS.take(), [0, 0]);
    assert_eq!(raw.close(port), 0);
    guest.finish().unwrap();
}

/// A fixed port is the same channel for its next owner: who closes it in
/// another port's handler leaves the event that the upcall has for it already.
#[test]
fn a_fixed_port_keeps_what_an_upcall_has_for_it() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let calls = AtomicU32::new(0);
    let (from_a, to_a) = connect(raw, &domain);
    let (from_b, to_b) = connect(raw, &domain);
    // SAFETY: the guest is set up.
    assert_eq!(unsafe { ffi::xg_evtchn_adopt_static(raw.0, to_b) }, 0);
    let first = Pair {
        raw,
        other: AtomicU32::new(to_b),
        act: |raw, other| assert_eq!(raw.close(other), 0),
    };
    // SAFETY: both outlive the ports.
    unsafe {
        assert_eq!(raw.bind(to_a, act, data(&first)), 0);
        assert_eq!(raw.bind(to_b, count, data(&calls)), 0);
    }
    assert_eq!((raw.notify(from_a), raw.notify(from_b)), (0, 0));
    // SAFETY: once at a time.
    let upcall = || unsafe { raw.upcall(64) };
    domain.become_vcpu(0, upcall);
    assert_eq!(calls.load(SeqCst), 0, "its handler is gone");
    // SAFETY: the counter outlives the port.
    assert_eq!(unsafe { raw.bind(to_b, count, data(&calls)) }, 0);
    domain.become_vcpu(0, upcall);
    assert_eq!(calls.load(SeqCst), 1, "the next owner's event is lost");
    for port in [to_a, from_a, from_b] {
        assert_eq!(raw.close(port), 0);
    }
    assert_eq!(raw.close(to_b), 0);
    // SAFETY: no other call is under way.
    assert_eq!(unsafe { ffi::xg_evtchn_reset(raw.0) }, 0);
    guest.finish().unwrap();
}

type TwoVcpus = GuestStorage<2, 16, 2>;

/// A handler that is a closure, and its argument.
fn closure<F: Fn()>(body: &F) -> (common::Handler, *mut c_void) {
    unsafe extern "C" fn run<F: Fn()>(data: *mut c_void) {
        // SAFETY: bound with a closure that outlives the port.
        (unsafe { &*data.cast::<F>() })();
    }
    (run::<F>, data(body))
}

/// Has an upcall on vCPU 0 meet events of two ports; the handler of the first
/// one does `act` to the other one, whose handler counts its calls. Then the
/// other one's number goes to vCPU 1.
fn with_an_event_taken(
    act: impl Fn(&Domain, Raw, u32, &AtomicU32),
    after: impl Fn(&AtomicU32, &dyn Fn()),
) {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default().with_vcpus(2));
    // Xen shares a part of it.
    let pages = size_of::<TwoVcpus>().div_ceil(PAGE_SIZE) as u32;
    let storage = NonNull::new(domain.page_alloc(pages)).unwrap().cast();
    // SAFETY: pages of this guest alone, which live as long as the domain; nobody
    // else uses the windows.
    let guest = unsafe {
        storage.write(TwoVcpus::new());
        Guest::new(&mut *storage.as_ptr(), &domain, common::config(&domain)).unwrap()
    };
    let raw = Raw::of(&guest);
    // SAFETY: the guest is set up.
    assert_eq!(unsafe { ffi::xg_vcpu_online(raw.0, 1) }, 0);
    let calls = AtomicU32::new(0);
    let (from_a, to_a) = connect(raw, &domain);
    let (from_b, to_b) = connect(raw, &domain);
    let first = || act(&domain, raw, to_b, &calls);
    let (handler, argument) = closure(&first);
    // SAFETY: both outlive the ports.
    unsafe {
        assert_eq!(raw.bind(to_a, handler, argument), 0);
        assert_eq!(raw.bind(to_b, count, data(&calls)), 0);
    }
    assert_eq!((raw.notify(from_a), raw.notify(from_b)), (0, 0));
    // SAFETY: once at a time on each vCPU.
    let upcall = || unsafe { raw.upcall(64) };
    domain.become_vcpu(0, upcall);
    after(&calls, &|| {
        domain.become_vcpu(1, upcall);
    });
    for port in [to_a, from_a, to_b, from_b] {
        assert_eq!(raw.close(port), 0);
    }
    guest.finish().unwrap();
}

/// A handler closes another one's port, of which the upcall has an event, and
/// opens it again for another vCPU, which gets an event of it at once.
#[test]
fn a_closed_ports_event_is_nobodys_on_other_vcpus_either() {
    with_an_event_taken(
        |domain, raw, port, calls| {
            assert_eq!(raw.close(port), 0);
            // SAFETY: the guest is set up; the counter outlives the port.
            unsafe {
                assert_eq!(ffi::xg_evtchn_bind_ipi(raw.0, 1), port as i32);
                assert_eq!(raw.bind(port, count, data(calls)), 0);
            }
            assert_eq!(raw.notify(port), 0);
            common::elsewhere(|| {
                // SAFETY: no other upcall runs on this vCPU.
                domain.become_vcpu(1, || unsafe { raw.upcall(64) });
            });
            assert_eq!(calls.load(SeqCst), 1);
        },
        |calls, _| assert_eq!(calls.load(SeqCst), 1, "called for an event before its own"),
    );
}

/// A handler moves another one's port, of which the upcall has an event. That
/// moves as well.
#[test]
fn an_event_that_an_upcall_has_moves_with_its_port() {
    with_an_event_taken(
        // SAFETY: the guest is set up.
        |_, raw, port, _| assert_eq!(unsafe { ffi::xg_evtchn_bind_vcpu(raw.0, port, 1) }, 0),
        |calls, upcall| {
            assert_eq!(calls.load(SeqCst), 0, "called on the vCPU before");
            upcall();
            assert_eq!(calls.load(SeqCst), 1);
        },
    );
}

/// A handler is taken away inside of an upcall, above which nobody can wait. Who
/// binds another one elsewhere does: the upcall may be between the first one
/// and its argument.
#[test]
fn bind_waits_for_an_upcall_above_which_the_port_was_unbound() {
    static UNBOUND: AtomicBool = AtomicBool::new(false);
    static OPEN: AtomicBool = AtomicBool::new(false);
    static BOUND: AtomicBool = AtomicBool::new(false);
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default().with_vcpus(2));
    let hooked = Hooked::new(&domain);
    let mut storage = GuestStorage::<2, 16, 2>::new();
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    let guest = unsafe { Guest::new(&mut storage, &hooked, common::config(&domain)) }.unwrap();
    let raw = Raw::of(&guest);
    let calls = AtomicU32::new(0);
    let (from_a, to_a) = connect(raw, &domain);
    let (from_b, to_b) = connect(raw, &domain);
    let first = Pair {
        raw,
        other: AtomicU32::new(to_b),
        act: |raw, other| {
            assert_eq!(raw.unbind(other), 0);
            UNBOUND.store(true, SeqCst);
            wait_for(&OPEN);
            assert!(!BOUND.load(SeqCst), "a handler was replaced meanwhile");
        },
    };
    // SAFETY: both outlive the ports.
    unsafe {
        assert_eq!(raw.bind(to_a, act, data(&first)), 0);
        assert_eq!(raw.bind(to_b, count, data(&calls)), 0);
    }
    assert_eq!(raw.notify(from_a), 0);
    thread::scope(|threads| {
        threads.spawn(|| {
            // SAFETY: once at a time.
            domain.become_vcpu(0, || unsafe { raw.upcall(64) })
        });
        threads.spawn(|| {
            wait_for(&UNBOUND);
            domain.become_vcpu(1, || {
                // SAFETY: the counter outlives the port.
                assert_eq!(unsafe { raw.bind(to_b, count, data(&calls)) }, 0);
            });
            BOUND.store(true, SeqCst);
        });
        wait_for(&UNBOUND);
        // Time to go wrong in.
        thread::sleep(Duration::from_millis(20));
        OPEN.store(true, SeqCst);
    });
    assert_eq!(raw.notify(from_b), 0);
    domain.become_vcpu(0, || {
        // SAFETY: once at a time.
        unsafe { raw.upcall(64) };
    });
    assert_eq!(calls.load(SeqCst), 1);
    for port in [to_a, from_a, to_b, from_b] {
        assert_eq!(raw.close(port), 0);
    }
    guest.finish().unwrap();
}

/// Xen raises the flag for an interrupt that the CPU takes a moment later, just
/// before a poll and just behind it. A wait goes on, unless that is so each
/// time.
#[test]
fn a_wait_outlasts_interrupts() {
    static POLLS: AtomicU32 = AtomicU32::new(0);
    const EAGAIN: i32 = -11;
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let hooked = Hooked::new(&domain);
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &hooked, &domain);
    let raw = Raw::of(&guest);
    let port = raw.alloc_unbound(SELF) as u32;
    // SAFETY: the guest is set up; the flag is Xen's to write.
    let flag = unsafe {
        let info = (*(*raw.0).evtchn.vcpus).info;
        AtomicU8::from_ptr(info.cast())
    };
    // SAFETY: the simulator runs it once at a time.
    let upcall = || unsafe { raw.upcall(64) };
    for (every, result) in [(3, 0), (1, EAGAIN)] {
        hooked.set(move |op, _, done| {
            let poll = POLLS.fetch_add(u32::from(done), SeqCst);
            if op == abi::__HYPERVISOR_sched_op && poll.is_multiple_of(every) {
                flag.store(1, SeqCst);
            }
        });
        domain.with_upcall(&upcall, || {
            assert_eq!(raw.wait(&[port], 20_000_000), result);
        });
    }
    hooked.clear();
    assert_eq!(raw.close(port), 0);
    guest.finish().unwrap();
}

/// Another thread of the vCPU waits, too, while one waits: each has its own time.
#[test]
fn a_wait_ends_though_another_one_ended_before() {
    static POLLS: AtomicU32 = AtomicU32::new(0);
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let hooked = Hooked::new(&domain);
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &hooked, &domain);
    let raw = Raw::of(&guest);
    let (from, to) = connect(raw, &domain);
    let begin = Instant::now();
    hooked.set(move |op, _, done| {
        if op != abi::__HYPERVISOR_sched_op || done {
            return;
        }
        // An interrupt has the other thread go on, from its beginning to its
        // end.
        if POLLS.fetch_add(1, SeqCst) == 0 {
            assert_eq!(raw.wait(&[to], 1_000_000), 0);
        } else if begin.elapsed() > Duration::from_secs(2) {
            raw.notify(from);
        }
    });
    assert_eq!(raw.wait(&[to], 5_000_000), 0, "it sleeps on and on");
    hooked.clear();
    for port in [to, from] {
        assert_eq!(raw.close(port), 0);
    }
    guest.finish().unwrap();
}

/// More ports than Xen looks at are refused, whatever else is asked for.
#[test]
fn a_wait_is_for_128_ports() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = common::Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let raw = Raw::of(&guest);
    let port = raw.alloc_unbound(SELF) as u32;
    for timeout in [0, 1] {
        assert_eq!(raw.wait(&[port; 129], timeout), common::EINVAL);
        assert_eq!(raw.wait(&[port; 128], timeout), 0);
    }
    assert_eq!(raw.close(port), 0);
    guest.finish().unwrap();
}

/// There are 16 queues: whatever else is said to be ready is none.
#[test]
fn only_queues_are_served() {
    let xen = FakeXen::new();
    let calls = AtomicU32::new(0);
    let mut pages = [const { Page::new() }; 5];
    let mut storage = Box::new(GuestStorage::<64, 0>::new());
    let config = xen.config().with_fifo_events(&mut pages);
    // SAFETY: the pages are this guest's own; hypercalls are answered for
    // them.
    let guest = unsafe { Guest::new(&mut storage, &xen, config) }.unwrap();
    let raw = Raw::of(&guest);
    let port = raw.alloc_unbound(0) as u32;
    // SAFETY: the counter outlives the port.
    assert_eq!(unsafe { raw.bind(port, count, data(&calls)) }, 0);
    assert!(xen.raise(port));
    // SAFETY: the guest is set up; the control block is at the beginning of
    // its pages, and is touched by atomics only.
    let (ready, behind_heads) = unsafe {
        let control = (*raw.0).evtchn.fifo_pages.cast::<u32>();
        (
            AtomicU32::from_ptr(control),
            AtomicU32::from_ptr(control.add(2 + abi::EVTCHN_FIFO_MAX_QUEUES as usize)),
        )
    };
    let queue = ready.swap(1 << abi::EVTCHN_FIFO_MAX_QUEUES, SeqCst);
    behind_heads.store(port, SeqCst);
    // SAFETY: once at a time.
    assert!(!unsafe { raw.upcall(64) });
    assert_eq!(calls.load(SeqCst), 0, "what is no queue was served");
    behind_heads.store(0, SeqCst);
    ready.store(queue, SeqCst);
    // SAFETY: once at a time.
    assert!(!unsafe { raw.upcall(64) });
    assert_eq!(calls.load(SeqCst), 1);
    assert_eq!(raw.close(port), 0);
    guest.finish().unwrap();
}
