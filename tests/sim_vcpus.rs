// SPDX-License-Identifier: MIT OR Apache-2.0
//! Several vCPUs per domain in the simulator: where events go, who waits, and
//! since when.
#![cfg(feature = "sim")]

mod sim_raw;

use std::mem::offset_of;
use std::sync::Mutex;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize};
use std::thread;
use std::time::Duration;

use sim_raw::*;
use xen_guest::Platform;
use xen_guest::ffi::abi::*;
use xen_guest::sim::{Delivery, Domain, DomainConfig, Hypervisor, SimPage};

const ENXIO: isize = -6;

fn domain(vcpus: u32, delivery: Delivery) -> (Hypervisor, Domain) {
    let xen = Hypervisor::new();
    let config = DomainConfig::default().with_vcpus(vcpus);
    let domain = xen.create_domain(config.with_delivery(delivery));
    (xen, domain)
}

fn vcpu_op<T>(d: &Domain, cmd: u32, vcpu: u32, arg: &mut T) -> isize {
    let arg = std::ptr::from_mut(arg) as usize;
    let args = [cmd as usize, vcpu as usize, arg, 0, 0];
    // SAFETY: the argument is the structure that the operation takes.
    unsafe { d.hypercall(__HYPERVISOR_vcpu_op, args) }
}

fn register(d: &Domain, vcpu: u32, gfn: u64, offset: u32) -> isize {
    let mut op = zero::<vcpu_register_vcpu_info>();
    op.mfn = gfn;
    op.offset = offset;
    vcpu_op(d, VCPUOP_register_vcpu_info, vcpu, &mut op)
}

fn bind_vcpu(d: &Domain, port: u32, vcpu: u32) -> isize {
    evtchn(d, EVTCHNOP_bind_vcpu, &mut evtchn_bind_vcpu { port, vcpu })
}

fn poll(d: &Domain, ports: &mut [u32], timeout: u64) -> isize {
    let mut op = zero::<sched_poll>();
    op.ports.p = ports.as_mut_ptr();
    op.nr_ports = ports.len() as u32;
    op.timeout = timeout;
    call(d, __HYPERVISOR_sched_op, SCHEDOP_poll, &mut op)
}

/// A vCPU's structure in a page of its own.
struct Info(SimPage);

impl Info {
    fn new(d: &Domain, vcpu: u32) -> Self {
        let page = d.alloc_page().unwrap();
        page.write(0, 77);
        assert_eq!(register(d, vcpu, page.gfn().raw(), 0), 0);
        Self(page)
    }

    fn selector(&self) -> &AtomicU64 {
        let at = offset_of!(vcpu_info, evtchn_pending_sel);
        // SAFETY: in a page that `self` keeps, shared as atomics only.
        unsafe { AtomicU64::from_ptr(self.0.va().add(at).cast()) }
    }

    fn upcall_pending(&self) -> &AtomicU8 {
        // SAFETY: as for `selector`.
        unsafe { AtomicU8::from_ptr(self.0.va()) }
    }

    fn clear(&self) -> (u64, u8) {
        let flag = self.upcall_pending().swap(0, SeqCst);
        (self.selector().swap(0, SeqCst), flag)
    }
}

#[test]
fn register_vcpu_info_checks_in_order() {
    let (_xen, one) = domain(2, Delivery::Deterministic);
    let page = one.alloc_page().unwrap();
    let gfn = page.gfn().raw();
    let hole = one.extended_region().gfn.raw();
    let size = size_of::<vcpu_info>() as u32;
    assert_eq!(register(&one, 2, gfn, 1), ENOENT);
    // SAFETY: a null argument is what is tested.
    let null = unsafe {
        let cmd = VCPUOP_register_vcpu_info as usize;
        one.hypercall(__HYPERVISOR_vcpu_op, [cmd, 1, 0, 0, 0])
    };
    assert_eq!(null, EFAULT);
    assert_eq!(register(&one, 1, u64::MAX, 0), EINVAL);
    assert_eq!(register(&one, 1, gfn, 4096), EINVAL, "another frame");
    assert_eq!(register(&one, 1, hole, 4096 - size + 8), ENXIO);
    assert_eq!(register(&one, 1, hole, 4), ENXIO);
    assert_eq!(register(&one, 1, hole, 0), EINVAL);
    assert_eq!(register(&one, 1, gfn, 4096 - size), 0);
    assert_eq!(register(&one, 1, gfn, 4), EBUSY);
    // What a domain on Arm has not.
    let mut op = zero::<vcpu_runstate_info>();
    for cmd in [VCPUOP_up, VCPUOP_is_up, VCPUOP_get_runstate_info, 99] {
        assert_eq!(vcpu_op(&one, cmd, 1, &mut op), EINVAL);
        assert_eq!(vcpu_op(&one, cmd, 2, &mut op), ENOENT);
    }
}

#[test]
fn a_registered_structure_begins_with_everything_pending() {
    let (_xen, one) = domain(2, Delivery::Deterministic);
    let shared = map_shared_info(&one);
    let info = Info::new(&one, 1);
    assert_eq!(info.clear(), (u64::MAX, 1));
    // vCPU 0's moves from the shared page.
    assert_eq!(bind_ipi(&one, 0), 1);
    assert_eq!(send(&one, 1), 0);
    assert_eq!(shared.summary(), (1 << 1, 1, 1));
    let first = Info::new(&one, 0);
    assert_eq!(first.clear(), (u64::MAX, 1));
    shared.pending(0).store(0, SeqCst);
    shared.selector().store(0, SeqCst);
    assert_eq!(send(&one, 1), 0);
    assert_eq!(first.clear(), (1, 1));
    assert_eq!(shared.selector().load(SeqCst), 0);
}

#[test]
fn events_go_to_the_vcpu_they_are_bound_to() {
    let (xen, one) = domain(3, Delivery::Deterministic);
    let two = xen.create_domain(DomainConfig::default());
    let shared = map_shared_info(&one);
    // Before there is a structure, only the pending bit tells.
    assert_eq!(bind_ipi(&one, 1), 1);
    assert_eq!(send(&one, 1), 0);
    assert_eq!(shared.summary(), (1 << 1, 0, 0));
    shared.pending(0).store(0, SeqCst);
    let (second, third) = (Info::new(&one, 1), Info::new(&one, 2));
    second.clear();
    third.clear();
    assert_eq!(send(&one, 1), 0);
    assert_eq!((second.clear(), third.clear()), ((1, 1), (0, 0)));
    assert_eq!(shared.selector().load(SeqCst), 0);

    assert_eq!(alloc_unbound(&one, SELF, 2), 2);
    assert_eq!(bind_interdomain(&two, 1, 2), 1);
    assert_eq!(status(&one, SELF, 2).unwrap().vcpu, 0);
    assert_eq!(bind_vcpu(&one, 2, 3), ENOENT);
    assert_eq!(bind_vcpu(&one, 2, 2), 0);
    assert_eq!(status(&one, SELF, 2).unwrap().vcpu, 2);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(third.clear(), (1, 1));
    // What is pending already does not follow.
    assert_eq!(bind_vcpu(&one, 2, 1), 0);
    assert_eq!(send(&two, 1), 0);
    assert_eq!((second.clear(), third.clear()), ((0, 0), (0, 0)));
    shared.mask(0).store(1 << 2, SeqCst);
    assert_eq!(unmask(&one, 2), 0);
    assert_eq!((second.clear(), third.clear()), ((1, 1), (0, 0)));
    // A closed port forgets.
    assert_eq!(close(&one, 2), 0);
    assert_eq!(alloc_unbound(&one, SELF, 2), 2);
    assert_eq!(status(&one, SELF, 2).unwrap().vcpu, 0);
}

#[test]
fn virtual_interrupts_per_vcpu_and_for_all() {
    let (_xen, one) = domain(2, Delivery::Deterministic);
    let shared = map_shared_info(&one);
    let second = Info::new(&one, 1);
    second.clear();
    assert_eq!(bind_virq(&one, VIRQ_CONSOLE, 1), EINVAL);
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 2), ENOENT);
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 0), 1);
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 1), 2);
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 1), EEXIST);
    assert_eq!(bind_virq(&one, VIRQ_ARGO, 0), 3);
    assert_eq!(bind_vcpu(&one, 2, 0), EINVAL);
    assert_eq!(bind_vcpu(&one, 3, 1), 0);
    assert!(one.raise_virq_on(VIRQ_TIMER, 1));
    assert_eq!(shared.summary(), (1 << 2, 0, 0));
    assert_eq!(second.clear(), (1, 1));
    assert!(one.raise_virq(VIRQ_TIMER));
    assert_eq!(shared.take(), [1, 2]);
    assert!(one.raise_virq(VIRQ_ARGO));
    assert_eq!(second.clear(), (1, 1));
    assert_eq!(close(&one, 3), 0);
    assert!(!one.raise_virq(VIRQ_ARGO));
    assert_eq!(close(&one, 2), 0);
    assert!(!one.raise_virq_on(VIRQ_TIMER, 1));
    assert!(!one.raise_virq_on(VIRQ_TIMER, 7));
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 1), 2);
}

/// Three vCPUs with an inter-processor interrupt each: port n + 1.
fn with_ipis(delivery: Delivery) -> (Hypervisor, Domain, SharedInfo, Vec<Info>) {
    let (xen, one) = domain(3, delivery);
    let shared = map_shared_info(&one);
    let infos = (1..3).map(|vcpu| Info::new(&one, vcpu)).collect();
    for vcpu in 0..3 {
        assert_eq!(bind_ipi(&one, vcpu), vcpu as isize + 1);
    }
    (xen, one, shared, infos)
}

/// An upcall that takes its vCPU's events and counts calls per vCPU.
fn serve(one: &Domain, shared: SharedInfo, infos: &[Info], seen: &[AtomicUsize; 3]) {
    let vcpu = one.cpu_id().unwrap() as usize;
    match vcpu {
        0 => {
            shared.upcall_pending().store(0, SeqCst);
            shared.selector().store(0, SeqCst);
        }
        _ => _ = infos[vcpu - 1].clear(),
    }
    let bit = 1 << (vcpu + 1);
    if shared.pending(0).fetch_and(!bit, SeqCst) & bit != 0 {
        seen[vcpu].fetch_add(1, SeqCst);
    }
}

fn count(seen: &[AtomicUsize; 3]) -> [usize; 3] {
    seen.each_ref().map(|seen| seen.load(SeqCst))
}

#[test]
fn deterministic_upcalls_run_at_their_vcpus_exits() {
    let (xen, one, shared, infos) = with_ipis(Delivery::Deterministic);
    let seen = Default::default();
    let upcall = || {
        serve(&one, shared, &infos, &seen);
        // No upcall in another one's.
        let before = count(&seen);
        assert_eq!(one.deliver(), 0);
        assert_eq!(count(&seen), before);
        false
    };
    one.with_upcall(&upcall, || {
        assert_eq!(one.deliver(), 0);
        for port in 1..=3 {
            assert_eq!(send(&one, port), 0);
        }
        assert_eq!(count(&seen), [1, 0, 0], "this thread is vCPU 0");
        one.run_as_vcpu(2, || {
            assert_eq!(one.cpu_id(), None);
            assert_eq!(unmask(&one, 1), 0);
        });
        assert_eq!(count(&seen), [1, 0, 1]);
        assert_eq!(xen.deliver_all(), 1);
        assert_eq!(count(&seen), [1, 1, 1]);
        // The lock holds off the vCPU that took it, and this thread.
        let held = one.lock();
        for port in 1..=3 {
            assert_eq!(send(&one, port), 0);
        }
        assert_eq!(one.deliver(), 0);
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(one.deliver(), 2));
        });
        assert_eq!(count(&seen), [1, 2, 2]);
        // SAFETY: locked above.
        unsafe { one.unlock(held) };
        assert_eq!(count(&seen), [2, 2, 2]);
    });
}

#[test]
fn a_thread_can_be_all_of_a_vcpu() {
    for delivery in [Delivery::Deterministic, Delivery::Asynchronous] {
        let (xen, one, shared, infos) = with_ipis(delivery);
        let seen = Default::default();
        let here = Mutex::new(thread::current().id());
        let upcall = || {
            if one.cpu_id() == Some(1) {
                assert_eq!(thread::current().id(), *here.lock().unwrap());
            }
            serve(&one, shared, &infos, &seen);
            false
        };
        one.become_vcpu(1, || {
            one.with_upcall(&upcall, || {
                one.deliver();
                assert_eq!(one.cpu_id(), Some(1));
                for round in 1..=100 {
                    assert_eq!(send(&one, 2), 0);
                    assert_eq!(seen[1].load(SeqCst), round, "at its exit");
                }
                thread::scope(|scope| {
                    let other = scope.spawn(|| {
                        assert_eq!(one.cpu_id(), None);
                        assert_eq!(send(&one, 2), 0);
                        one.deliver();
                        xen.deliver_all();
                    });
                    other.join().unwrap();
                });
                assert_eq!(seen[1].load(SeqCst), 100, "by nobody else");
                assert_eq!(xen.deliver_all(), 1);
                assert_eq!(seen[1].load(SeqCst), 101);
            });
        });
        assert_eq!(one.cpu_id(), None);
    }
}

#[test]
fn asynchronous_vcpus_have_a_thread_each() {
    let (xen, one, shared, infos) = with_ipis(Delivery::Asynchronous);
    let seen: [AtomicUsize; 3] = Default::default();
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let upcall = || {
        most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
        serve(&one, shared, &infos, &seen);
        // Until all three are in their upcalls at once.
        let start = xen.uptime();
        while most.load(SeqCst) < 3 && xen.uptime() < start + Duration::from_secs(10) {
            thread::yield_now();
        }
        inside.fetch_sub(1, SeqCst);
        false
    };
    one.with_upcall(&upcall, || {
        for port in 1..=3 {
            assert_eq!(send(&one, port), 0);
        }
        xen.deliver_all();
        assert_eq!(count(&seen), [1, 1, 1]);
        assert_eq!(most.load(SeqCst), 3);
        for _ in 0..1000 {
            for port in 1..=3 {
                assert_eq!(send(&one, port), 0);
            }
        }
        xen.deliver_all();
        assert_eq!(shared.pending(0).load(SeqCst), 0);
    });
}

/// Where Xen writes a vCPU's runstate.
struct Runstate(SimPage);

impl Runstate {
    fn new(d: &Domain, vcpu: u32) -> Self {
        let area = Self(d.alloc_page().unwrap());
        let mut op = zero::<vcpu_register_runstate_memory_area>();
        op.addr.v = area.0.va().cast();
        let cmd = VCPUOP_register_runstate_memory_area;
        assert_eq!(vcpu_op(d, cmd, vcpu, &mut op), 0);
        area
    }

    fn state(&self) -> u32 {
        // SAFETY: in a page that `self` keeps, shared as atomics only.
        unsafe { AtomicU32::from_ptr(self.0.va().cast()) }.load(SeqCst)
    }

    fn word(&self, at: usize) -> u64 {
        // SAFETY: as for `state`.
        unsafe { AtomicU64::from_ptr(self.0.va().add(at).cast()) }.load(SeqCst)
    }

    fn entry(&self) -> u64 {
        self.word(offset_of!(vcpu_runstate_info, state_entry_time))
    }

    fn time(&self, state: u32) -> u64 {
        self.word(offset_of!(vcpu_runstate_info, time) + 8 * state as usize)
    }
}

#[test]
fn a_vcpu_that_waits_is_blocked_meanwhile() {
    let (xen, one) = domain(2, Delivery::Deterministic);
    let now = || xen.uptime().as_nanos() as u64;
    let area = Runstate::new(&one, 0);
    let other = Runstate::new(&one, 1);
    let start = area.entry();
    assert!(start <= now());
    assert_eq!(area.state(), RUNSTATE_running);
    // A time that is over: the vCPU is awake before it is replaced.
    assert_eq!(poll(&one, &mut [], 1), 0);
    assert_eq!(area.entry(), start);
    let until = now() + 20_000_000;
    assert_eq!(poll(&one, &mut [], until), 0);
    assert!((until..=now()).contains(&area.entry()));
    assert_eq!(area.state(), RUNSTATE_running);
    assert!(area.time(RUNSTATE_blocked) > 10_000_000);
    assert_eq!(other.time(RUNSTATE_blocked), 0);
    assert_eq!(other.entry(), start);
    // Seen from another thread while it waits; woken by an event.
    assert_eq!(bind_ipi(&one, 0), 1);
    thread::scope(|scope| {
        scope.spawn(|| {
            one.run_as_vcpu(1, || {
                while area.state() != RUNSTATE_blocked {
                    thread::yield_now();
                }
                assert_eq!(send(&one, 1), 0);
            });
        });
        assert_eq!(poll(&one, &mut [1], 0), 0);
    });
    assert_eq!(area.state(), RUNSTATE_running);
    let last = area.entry();
    assert!(last >= until);
    // Pending already: no wait at all.
    assert_eq!(poll(&one, &mut [1], 0), 0);
    assert_eq!(area.entry(), last);
    // Nowhere, which is where nothing is written.
    let mut op = zero::<vcpu_register_runstate_memory_area>();
    let cmd = VCPUOP_register_runstate_memory_area;
    assert_eq!(vcpu_op(&one, cmd, 0, &mut op), 0);
    assert_eq!(poll(&one, &mut [], now() + 1_000_000), 0);
    assert_eq!(area.entry(), last);
}

/// Who is woken by what: each vCPU for itself, and as Xen does, too often
/// rather than too seldom.
#[test]
fn waits_end_for_their_own_vcpu() {
    let (xen, one) = domain(3, Delivery::Deterministic);
    let info = Info::new(&one, 1);
    info.clear();
    let _third = Info::new(&one, 2);
    let shared = map_shared_info(&one);
    for vcpu in 0..3 {
        assert_eq!(bind_ipi(&one, vcpu), vcpu as isize + 1);
    }
    let soon = || xen.uptime().as_nanos() as u64 + 20_000_000;
    let over = AtomicBool::new(false);
    let area = Runstate::new(&one, 1);
    let wait = |ports: &mut [u32], events: &[u32], timeout: u64| {
        shared.pending(0).store(0, SeqCst);
        info.clear();
        over.store(false, SeqCst);
        thread::scope(|scope| {
            scope.spawn(|| {
                while area.state() != RUNSTATE_blocked && !over.load(SeqCst) {
                    thread::yield_now();
                }
                for port in events {
                    assert_eq!(send(&one, *port), 0);
                }
            });
            one.run_as_vcpu(1, || assert_eq!(poll(&one, ports, timeout), 0));
            over.store(true, SeqCst);
        });
        xen.uptime().as_nanos() as u64
    };
    // Masked ports wake as well as others.
    shared.mask(0).store(u64::MAX, SeqCst);
    wait(&mut [2], &[2], 0);
    assert_eq!(info.clear(), (0, 0));
    // With one port listed no other one does.
    let until = soon();
    assert!(wait(&mut [2], &[3], until) >= until);
    // With several or none, any port of the domain does.
    wait(&mut [2, 1], &[3], 0);
    wait(&mut [], &[3], 0);
    // Its own upcall does; another vCPU's does not.
    shared.mask(0).store(0, SeqCst);
    wait(&mut [1], &[2], 0);
    assert_eq!(info.clear(), (1, 1));
    let until = soon();
    assert!(wait(&mut [1], &[3], until) >= until);
}

#[test]
fn block_waits_for_the_upcall() {
    let (xen, one) = domain(2, Delivery::Deterministic);
    let info = Info::new(&one, 1);
    assert_eq!(bind_ipi(&one, 1), 1);
    let area = Runstate::new(&one, 1);
    let block = || {
        let mut nothing = 0u64;
        one.run_as_vcpu(1, || {
            call(&one, __HYPERVISOR_sched_op, SCHEDOP_block, &mut nothing)
        })
    };
    let upcall = || {
        info.clear();
        false
    };
    thread::scope(|scope| {
        // An interrupt that is not enabled ends nothing.
        scope.spawn(|| {
            while area.state() != RUNSTATE_blocked {
                thread::yield_now();
            }
            info.clear();
            assert_eq!(send(&one, 1), 0);
        });
        assert_eq!(block(), 0);
    });
    one.become_vcpu(1, || {
        let before = area.entry();
        let held = one.lock();
        one.with_upcall(&upcall, || {
            assert_eq!(block(), 0, "due, wherever interrupts are");
            assert_eq!(area.entry(), before);
            // SAFETY: locked above.
            unsafe { one.unlock(held) };
        });
    });
    map_shared_info(&one).pending(0).store(0, SeqCst);
    info.clear();
    thread::scope(|scope| {
        scope.spawn(|| {
            while area.state() != RUNSTATE_blocked {
                thread::yield_now();
            }
            assert_eq!(send(&one, 1), 0);
        });
        assert_eq!(block(), 0);
    });
    assert_eq!(info.clear(), (1, 1));
    // A dying domain's vCPUs stop waiting.
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(10));
            one.destroy();
        });
        block();
    });
    drop(info);
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

#[test]
fn hypercalls_are_logged_with_their_vcpu() {
    let (xen, one) = domain(2, Delivery::Deterministic);
    xen.keep_log(10);
    assert_eq!(bind_ipi(&one, 1), 1);
    one.run_as_vcpu(1, || assert_eq!(send(&one, 1), 0));
    let log = xen.log();
    assert_eq!((log[0].vcpu, log[1].vcpu), (0, 1));
    assert!(log[1].to_string().starts_with("d1v1 event_channel_op send"));
}
