// SPDX-License-Identifier: MIT OR Apache-2.0
//! Accesses that a domain makes to reservations, and what it sees of them.

#![cfg(feature = "sim")]

mod common;
mod vm;

use std::cell::Cell;
use std::ptr;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::thread;

use common::EBUSY;
use vm::manager::{HOLE, Manager, World, with_manager};
use vm::{
    ALL, Call, Callback, EINVAL, ENOSPC, ERROR, Frames, HANDLED, IGNORE, PAGE, RAM, READ, RESTART,
    SELF, Setup, UNHANDLED, Vm, answer,
};
use xen_guest::Platform;
use xen_guest::ffi::{self, abi};
use xen_guest::sim::{Access, PendingAccess};

const ONES: u64 = u64::MAX;
const AT: u64 = HOLE as u64;

fn with_vm(flags: u32, body: impl FnOnce(&Manager<'_>, &Vm)) {
    with_manager(World::default(), |m| {
        let vm = m.vm(Setup {
            flags: flags | ffi::XG_VM_PERMIT_MMIO,
            ..m.setup()
        });
        body(m, &vm);
        vm.verify();
    });
}

/// How an access ended, if it did; invalidations, which follow it where memory
/// went before, are acknowledged.
fn end(vm: &Vm, pending: &mut PendingAccess) -> Option<Access> {
    loop {
        let end = pending.poll();
        if end.is_some() || vm.serve() == 0 {
            return end;
        }
    }
}

/// A's vCPU 0 accesses, and the manager serves once.
fn access(m: &Manager<'_>, vm: &Vm, address: u64, size: u32, write: Option<u64>) -> Option<Access> {
    let mut pending = m.a.begin_access(address, size, write);
    assert_eq!(vm.serve(), 1);
    assert_eq!(vm.serve(), 0);
    end(vm, &mut pending)
}

fn read(m: &Manager<'_>, vm: &Vm, address: u64, size: u32) -> u64 {
    match access(m, vm, address, size, None) {
        Some(Access::Done(value)) => value,
        other => panic!("a read of {address:#x}: {other:?}"),
    }
}

fn write(m: &Manager<'_>, vm: &Vm, address: u64, size: u32, data: u64) {
    let end = access(m, vm, address, size, Some(data));
    assert_eq!(end, Some(Access::Done(0)), "a write to {address:#x}");
}

/// What `size` bytes of `value` are.
fn low(value: u64, size: u32) -> u64 {
    value & u64::MAX >> (64 - 8 * size)
}

#[test]
fn callbacks_see_accesses_and_answer_them() {
    with_vm(0, |m, vm| {
        let callback = Callback::answering(0x8877_6655_4433_2211);
        vm.reserve(HOLE, 2 * PAGE, &callback).unwrap();
        for size in [1, 2, 4, 8] {
            // Aligned, unaligned, over the middle, up to the last byte.
            for offset in [0, 3, 0xffe, 0xffc, 0x2000 - u64::from(size)] {
                let value = read(m, vm, AT + offset, size);
                assert_eq!(value, low(0x8877_6655_4433_2211, size));
                write(m, vm, AT + offset, size, 0x1122_3344_5566_7788);
                let data = low(0x1122_3344_5566_7788, size);
                let call = |write| Call {
                    addr: HOLE + offset as usize,
                    size: size as usize,
                    write: Some(write),
                };
                let calls = callback.take();
                assert_eq!(calls.len(), 2);
                assert_eq!(
                    (calls[0].addr, calls[0].size),
                    (HOLE + offset as usize, size as usize)
                );
                assert!(!calls[0].write.unwrap().0);
                assert_eq!(calls[1], call((true, data)));
            }
        }
        // Not all inside: Xen does not ask.
        assert_eq!(m.a.access(AT + 0x1fff, 2, None), Access::Abort);
        assert_eq!(m.a.access(AT - 1, 1, None), Access::Abort);
        assert_eq!(vm.serve(), 0);
        assert_eq!(vm.errors(), 0);
    });
}

/// Reads of a page for reading are served, writes are for the callback.
#[test]
fn a_page_for_reading() {
    with_vm(0, |m, vm| {
        let callback = Callback::answering(0xdead);
        let before = m.picture(vm, 2);
        // The next page has something in it.
        let page = m.dom0.page_alloc(1);
        // SAFETY: a page of the test's own.
        unsafe {
            page.add(8).cast::<u64>().write_volatile(0x5a5a);
            m.dom0.page_free(page, 1);
        }
        let (r, window) = vm.create_ram(HOLE, READ, &callback).unwrap();
        assert_eq!(window, page);
        assert_eq!(read(m, vm, AT + 8, 8), 0);
        // SAFETY: the window is there until the reservation is freed.
        unsafe {
            window
                .add(8)
                .cast::<u64>()
                .write_volatile(0x0123_4567_89ab_cdef)
        };
        for size in [1, 2, 4, 8] {
            for offset in 8..16 {
                let value = read(m, vm, AT + offset, size);
                assert_eq!(
                    value,
                    low(0x0123_4567_89ab_cdef >> (8 * (offset - 8)), size)
                );
            }
        }
        assert!(callback.take().is_empty());
        write(m, vm, AT + 0xffc, 4, 0x55);
        assert_eq!(
            callback.take(),
            [Call {
                addr: HOLE + 0xffc,
                size: 4,
                write: Some((true, 0x55))
            }]
        );
        // What was written is the callback's affair.
        assert_eq!(read(m, vm, AT + 0xffc, 4), 0);
        assert_eq!(vm.free(r), 0);
        assert_eq!(m.a.access(AT, 4, None), Access::Abort);
        assert_eq!(m.picture(vm, 2), before);
        // Without rights, both.
        let (r, _) = vm.create_ram(HOLE, 0, &callback).unwrap();
        assert_eq!(read(m, vm, AT, 4), 0xdead);
        write(m, vm, AT, 4, 1);
        assert_eq!(callback.take().len(), 2);
        assert_eq!(vm.free(r), 0);
    });
}

/// An access told by xg_vm_fault() is as large as that says.
#[test]
fn the_size_that_is_told_counts() {
    with_vm(0, |_, vm| {
        let callback = Callback::returning(ERROR);
        let (r, window) = vm.create_ram(HOLE, READ, &callback).unwrap();
        // SAFETY: the window is there until the reservation is freed; a vCPU
        // of the test's own.
        unsafe {
            window.add(0xff8).cast::<u64>().write_volatile(ONES);
            let mut vcpu = std::mem::zeroed();
            for (size, want) in [(1, 0xff), (4, 0xffff_ffff)] {
                let addr = HOLE + 0xff8;
                ffi::xg_vm_begin(vm.raw(), &mut vcpu, addr, 8, false, 0);
                let result = ffi::xg_vm_fault(vm.raw(), &mut vcpu, addr, size);
                assert_eq!((result, vcpu.data), (HANDLED, want));
            }
        }
        assert_eq!(vm.free(r), 0);
    });
}

#[test]
fn device_memory_for_reading() {
    with_vm(0, |m, vm| {
        let callback = Callback::answering(7);
        let addr = m.device.frame() as usize * PAGE;
        let (r, window) = vm.create_mmio(addr, READ, &callback).unwrap();
        m.device.write(0xfe0, 0x31);
        assert_eq!(read(m, vm, addr as u64 + 0xfe0, 4), 0x31);
        // SAFETY: the window is there until the reservation is freed.
        let seen = unsafe { window.add(0xfe0).cast::<u32>().read_volatile() };
        assert_eq!(seen, 0x31);
        write(m, vm, addr as u64 + 0xfe0, 4, 9);
        assert_eq!(m.device.read(0xfe0), 0x31);
        assert_eq!(callback.take().len(), 1);
        // Registers are not read in pieces.
        assert_eq!(read(m, vm, addr as u64 + 0xfe1, 4), low(ONES, 4));
        assert_eq!(vm.errors(), 1);
        assert!(callback.take().is_empty());
        assert_eq!(vm.free(r), 0);
    });
}

/// Each code, of a reservation's callback and of the one for unhandled
/// accesses, for reads and for writes.
#[test]
fn every_result() {
    for code in [HANDLED, UNHANDLED, RESTART, IGNORE, ERROR, 17] {
        for by_unhandled in [false, true] {
            for data in [None, Some(5)] {
                with_vm(0, |m, vm| {
                    let inner = Callback::returning(if by_unhandled { UNHANDLED } else { code });
                    let outer = Callback::returning(code);
                    vm.reserve(HOLE, PAGE, &inner).unwrap();
                    if by_unhandled {
                        vm.set_unhandled(Some(&outer));
                    }
                    let mut pending = m.a.begin_access(AT, 4, data);
                    assert_eq!(vm.serve(), 1);
                    let ended = end(vm, &mut pending);
                    let ones = Some(Access::Done(if data.is_some() { 0 } else { low(ONES, 4) }));
                    let (want, errors) = match code {
                        // Nobody has said what it reads.
                        HANDLED => (None, 0),
                        IGNORE => (ones, 0),
                        // There is no memory; nobody else is asked.
                        _ => (ones, 1),
                    };
                    assert_eq!(
                        (ended, vm.errors()),
                        (want, errors),
                        "{code} {by_unhandled}"
                    );
                    assert_eq!(inner.take().len(), 1);
                    assert_eq!(outer.take().len(), usize::from(by_unhandled));
                    if code == HANDLED {
                        assert_eq!(answer(vm.vcpu(0), 3), 0);
                        assert_eq!(answer(vm.vcpu(0), 3), EINVAL);
                        let want = if data.is_some() { 0 } else { 3 };
                        assert_eq!(end(vm, &mut pending), Some(Access::Done(want)));
                    }
                });
            }
        }
    }
    // Nobody for unhandled ones any more.
    with_vm(0, |m, vm| {
        let inner = Callback::returning(UNHANDLED);
        let outer = Callback::answering(1);
        vm.reserve(HOLE, PAGE, &inner).unwrap();
        vm.set_unhandled(Some(&outer));
        assert_eq!(read(m, vm, AT, 1), 1);
        vm.set_unhandled(None);
        assert_eq!(read(m, vm, AT, 1), 0xff);
        assert_eq!(vm.errors(), 1);
    });
}

#[test]
fn errors_can_be_the_domains_end() {
    with_vm(ffi::XG_VM_CRASH_ON_ERROR, |m, vm| {
        m.may_leave_waiting.set(true);
        let callback = Callback::returning(ERROR);
        vm.reserve(HOLE, PAGE, &callback).unwrap();
        assert_eq!(access(m, vm, AT, 4, None), Some(Access::Dead));
        assert_eq!(m.a.shutdown_reason(), Some(abi::SHUTDOWN_crash));
    });
}

/// An answer that comes later; the reservation may be gone by then.
#[test]
fn answers_may_come_later() {
    with_vm(0, |m, vm| {
        for freed in [false, true] {
            let callback = Callback::returning(HANDLED);
            let r = vm.reserve(HOLE, PAGE, &callback).unwrap();
            let mut first = m.a.begin_access(AT, 4, None);
            let mut second = m.a.run_as_vcpu(1, || m.a.begin_access(AT + 4, 4, None));
            assert_eq!(vm.serve(), 2);
            assert_eq!(vm.serve(), 0);
            assert_eq!((end(vm, &mut first), end(vm, &mut second)), (None, None));
            if freed {
                assert_eq!(vm.free(r), 0);
            }
            assert_eq!(answer(vm.vcpu(1), 0x22), 0);
            assert_eq!(
                (end(vm, &mut first), end(vm, &mut second)),
                (None, Some(Access::Done(0x22)))
            );
            assert_eq!(answer(vm.vcpu(0), 0x11), 0);
            assert_eq!(end(vm, &mut first), Some(Access::Done(0x11)));
            if !freed {
                assert_eq!(vm.free(r), 0);
            }
        }
        assert_eq!(answer(ptr::null_mut(), 0), EINVAL);
    });
}

/// Memory comes with the first access, and the access is done on it.
#[test]
fn deferred_memory_comes_with_an_access() {
    with_vm(ffi::XG_VM_DEFER, |m, vm| {
        let callback = Callback::returning(ERROR);
        for data in [None, Some(0x1122_3344_5566_7788)] {
            // Inside of a page, unaligned, and over two.
            for (offset, size) in [(8, 8), (9, 4), (0xffe, 4), (0xffd, 8)] {
                let r = vm.reserve(HOLE, 2 * PAGE, &callback).unwrap();
                assert_eq!(vm.map_ram(r, true), 0);
                // Both vCPUs at once: the second finds memory.
                let mut first = m.a.begin_access(AT + offset, size, data);
                let mut second =
                    m.a.run_as_vcpu(1, || m.a.begin_access(AT + 0x100, 1, Some(9)));
                assert_eq!(vm.serve(), 2);
                assert_eq!(end(vm, &mut first), Some(Access::Done(0)));
                assert_eq!(end(vm, &mut second), Some(Access::Done(0)));
                let there = m.a.access(AT + offset, size, None);
                assert_eq!(there, Access::Done(low(data.unwrap_or(0), size)));
                assert_eq!(m.a.access(AT + 0x100, 1, None), Access::Done(9));
                assert_eq!(vm.free(r), 0);
            }
        }
        // A device's register.
        let r = vm.reserve(HOLE, PAGE, &callback).unwrap();
        assert_eq!(vm.map_mmio(r, m.device.frame() * 4096), 0);
        m.device.write(0x40, 0x77);
        assert_eq!(read(m, vm, AT + 0x40, 4), 0x77);
        assert_eq!(vm.free(r), 0);
        assert!(callback.take().is_empty());
        assert_eq!(vm.errors(), 0);
        // No memory is to be had.
        m.allow(1024);
        let r = vm.reserve(HOLE, PAGE, &callback).unwrap();
        assert_eq!(vm.map_ram(r, true), 0);
        assert_eq!(read(m, vm, AT, 4), low(ONES, 4));
        assert_eq!((vm.errors(), vm.last_error()), (1, vm::E2BIG));
        m.allow(1025);
        assert_eq!(read(m, vm, AT, 4), 0);
    });
}

/// A callback that makes memory, or takes its own reservation away.
#[test]
fn callbacks_map_and_free() {
    with_vm(0, |m, vm| {
        // SAFETY: the vm is there.
        let on_demand = Callback::new(|raw, _, call| unsafe {
            let own = ffi::xg_vm_find(raw, call.addr);
            assert_eq!(ffi::xg_vm_fini(raw), EBUSY);
            assert_eq!(ffi::xg_vm_map_ram(raw, own, true), 0);
            RESTART
        });
        let r = vm.reserve(HOLE, PAGE, &on_demand).unwrap();
        write(m, vm, AT + 4, 4, 0xabcd);
        assert_eq!(m.a.access(AT + 4, 4, None), Access::Done(0xabcd));
        assert_eq!(vm.free(r), 0);
        // The same, told by xg_vm_retry().
        // SAFETY: the vm is there.
        let retrying = Callback::new(|raw, vcpu, call| unsafe {
            let own = ffi::xg_vm_find(raw, call.addr);
            assert_eq!(ffi::xg_vm_retry(vcpu), EINVAL);
            assert_eq!(ffi::xg_vm_map_ram(raw, own, true), 0);
            assert_eq!(ffi::xg_vm_retry(vcpu), 0);
            assert_eq!(ffi::xg_vm_retry(vcpu), EINVAL);
            HANDLED
        });
        let r = vm.reserve(HOLE, PAGE, &retrying).unwrap();
        write(m, vm, AT + 4, 4, 0x1234);
        assert_eq!(m.a.access(AT + 4, 4, None), Access::Done(0x1234));
        assert_eq!(vm.free(r), 0);
        // SAFETY: the vm is there.
        let leaving = Callback::new(|raw, vcpu, call| unsafe {
            let own = ffi::xg_vm_find(raw, call.addr);
            assert_eq!(ffi::xg_vm_free(raw, own), 0);
            assert_eq!(ffi::xg_vm_answer(vcpu, 5), 0);
            HANDLED
        });
        vm.reserve(HOLE, PAGE, &leaving).unwrap();
        assert_eq!(read(m, vm, AT, 4), 5);
        assert_eq!(m.a.access(AT, 4, None), Access::Abort);
        // Memory is there for an access that waits since before.
        let waiting = Callback::returning(HANDLED);
        let r = vm.reserve(HOLE, PAGE, &waiting).unwrap();
        let mut pending = m.a.begin_access(AT, 4, Some(6));
        assert_eq!(vm.serve(), 1);
        assert_eq!(vm.map_ram(r, true), 0);
        // SAFETY: a vCPU of a vm that is there.
        assert_eq!(unsafe { ffi::xg_vm_retry(vm.vcpu(0)) }, 0);
        assert_eq!(end(vm, &mut pending), Some(Access::Done(0)));
        assert_eq!(m.a.access(AT, 4, None), Access::Done(6));
        assert_eq!(vm.errors(), 0);
    });
}

/// Freed while a vCPU waits, taken or not: it goes on.
#[test]
fn freed_under_a_waiting_vcpu() {
    with_vm(0, |m, vm| {
        let callback = Callback::answering(1);
        let r = vm.reserve(HOLE, PAGE, &callback).unwrap();
        let mut pending = m.a.begin_access(AT, 4, None);
        assert_eq!(vm.free(r), 0);
        assert_eq!(pending.poll(), None);
        assert_eq!(vm.serve(), 1);
        assert_eq!(end(vm, &mut pending), Some(Access::Done(low(ONES, 4))));
        assert_eq!(vm.errors(), 1);
        assert!(callback.take().is_empty());
    });
}

/// The end of everything lets nobody hang.
#[test]
fn the_end_answers_who_waits() {
    with_manager(World::default(), |m| {
        let callback = Callback::returning(HANDLED);
        let vm = m.vm(m.setup());
        vm.reserve(HOLE, PAGE, &callback).unwrap();
        let mut taken = m.a.begin_access(AT, 4, None);
        assert_eq!(vm.serve(), 1);
        let mut not_taken = m.a.run_as_vcpu(1, || m.a.begin_access(AT, 4, None));
        m.may_leave_waiting.set(true);
        assert_eq!(vm.fini(), 0);
        // They have not run since they were answered.
        assert_eq!(taken.poll(), Some(Access::Done(0)));
        assert_eq!(not_taken.poll(), Some(Access::Done(0)));
        assert_eq!(answer(vm.vcpu(0), 3), EINVAL);
        assert_eq!((vm.fini(), vm.serve()), (0, 0));
    });
}

/// The domain dies: what it had is gone, and the rest can be given back.
#[test]
fn the_domain_dies() {
    for waiting in [false, true] {
        with_manager(World::default(), |m| {
            let callback = Callback::returning(HANDLED);
            let vm = m.vm(Setup {
                flags: ffi::XG_VM_PERMIT_MMIO,
                ..m.setup()
            });
            vm.reserve(HOLE, PAGE, &callback).unwrap();
            let r = vm.reserve(HOLE + (2 << 20), 600 * PAGE, &callback).unwrap();
            assert_eq!(vm.map_ram(r, false), 0);
            vm.create_ram(HOLE + (1 << 20), ALL, &callback).unwrap();
            vm.create_ram(HOLE + (1 << 20) + PAGE, READ, &callback)
                .unwrap();
            vm.create_mmio(m.device.frame() as usize * PAGE, ALL, &callback)
                .unwrap();
            let pending = waiting.then(|| m.a.begin_access(AT, 4, None));
            if waiting {
                assert_eq!(vm.serve(), 1);
            }
            m.a.destroy();
            if let Some(mut pending) = pending {
                assert_eq!(end(&vm, &mut pending), Some(Access::Dead));
                answer(vm.vcpu(0), 1);
            }
            assert_eq!(vm.serve(), 0);
            assert_eq!(vm.free(r), 0);
            assert_eq!(vm.fini(), 0);
            let leaks = m.xen.leaks();
            assert_eq!(
                leaks.foreign_mappings + leaks.pinned_frames + leaks.ports,
                0
            );
            assert!(!m.a.exists());
        });
    }
}

/// A page of the domain goes: its vCPU waits until that is acknowledged.
#[test]
fn invalidations_are_acknowledged() {
    with_vm(0, |m, vm| {
        let callback = Callback::answering(3);
        vm.reserve(HOLE, PAGE, &callback).unwrap();
        let (r, window) = vm.create_ram(HOLE + PAGE, ALL, &callback).unwrap();
        let gfn = ((HOLE + PAGE) / PAGE) as u64;
        // SAFETY: integers and pointers.
        let mut op: abi::xen_memory_reservation = unsafe { std::mem::zeroed() };
        op.nr_extents = 1;
        op.domid = SELF;
        op.extent_start.p = ptr::from_ref(&gfn).cast_mut();
        let args = [
            abi::XENMEM_decrease_reservation as usize,
            ptr::from_mut(&mut op) as usize,
            0,
            0,
            0,
        ];
        let served = AtomicU64::new(0);
        let stop = AtomicBool::new(false);
        let raw = vm.raw() as usize;
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    // SAFETY: the vm is there, and served by nobody else.
                    let count = unsafe { ffi::xg_vm_serve(raw as *mut _) };
                    served.fetch_add(count.into(), SeqCst);
                    thread::yield_now();
                }
            });
            // SAFETY: one extent.
            let done = unsafe { m.a.hypercall(abi::__HYPERVISOR_memory_op, args) };
            assert_eq!(done, 1);
            assert_eq!(m.a.access(AT, 4, None), Access::Done(3));
            stop.store(true, SeqCst);
        });
        assert!(served.load(SeqCst) >= 2, "an invalidation, and the access");
        assert_eq!(callback.take().len(), 1);
        // The window's page is still ours to touch, until it is freed.
        // SAFETY: the window is there until the reservation is freed.
        unsafe { window.write_volatile(1) };
        assert_eq!(vm.free(r), 0);
    });
}

/// Xen has room for 256 ranges that do not touch.
#[test]
fn ranges_run_out() {
    with_manager(World::default(), |m| {
        let callback = Callback::answering(1);
        let vm = m.vm(Setup {
            slots: 600,
            ..m.setup()
        });
        for i in 0..256 {
            vm.reserve(HOLE + 2 * i * PAGE, PAGE, &callback).unwrap();
        }
        let before = m.picture(&vm, 4);
        assert_eq!(vm.reserve(HOLE + 512 * PAGE, PAGE, &callback), Err(ENOSPC));
        assert_eq!(
            vm.create_ram(HOLE + 512 * PAGE, READ, &callback)
                .map(|_| ()),
            Err(ENOSPC)
        );
        assert_eq!(m.picture(&vm, 4), before);
        // One that fills a gap makes of two one.
        vm.reserve(HOLE + PAGE, PAGE, &callback).unwrap();
        vm.reserve(HOLE + 512 * PAGE, PAGE, &callback).unwrap();
        assert_eq!(read(m, &vm, AT + 512 * 4096, 4), 1);
        // Taking that one out again needs a range more.
        let between = vm.find(HOLE + PAGE).unwrap();
        assert_eq!(vm.free(between), ENOSPC);
        let last = vm.find(HOLE + 512 * PAGE).unwrap();
        assert_eq!(vm.free(last), 0);
        assert_eq!(vm.free(between), 0);
        // An access over two that touch.
        vm.reserve(HOLE + PAGE, PAGE, &callback).unwrap();
        let mut pending = m.a.begin_access(AT + 0xffe, 4, None);
        assert_eq!(vm.serve(), 1);
        // D3
        assert_eq!(end(&vm, &mut pending), Some(Access::Done(low(ONES, 4))));
        assert_eq!(vm.errors(), 1);
    });
}

/// Guards do not trap; what has memory does not either.
#[test]
fn only_what_has_no_memory_is_trapped() {
    with_vm(0, |m, vm| {
        let callback = Callback::answering(1);
        vm.guard(HOLE, PAGE).unwrap();
        assert_eq!(m.a.access(AT, 4, None), Access::Abort);
        let r = vm.reserve(HOLE + PAGE, PAGE, &callback).unwrap();
        assert_eq!(m.xen.leaks().io_ranges, 1);
        assert_eq!(vm.map(r, &Frames::new(RAM, 12)), 0);
        assert_eq!(m.xen.leaks().io_ranges, 0);
        assert_eq!(m.a.access(AT + 4096, 4, None), Access::Done(0));
    });
}

/// Two vCPUs access without pause while reservations come and go. Nobody
/// hangs, and every answer is one of those that there were.
#[test]
fn a_storm() {
    with_vm(0, |m, vm| {
        let count = Rc::new(Cell::new(0u64));
        let counted = count.clone();
        let callback = Callback::new(move |_, vcpu, _| {
            counted.set(counted.get() + 1);
            assert_eq!(answer(vcpu, 0x77), 0);
            HANDLED
        });
        let (done, running) = (AtomicU64::new(0), AtomicU64::new(2));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for vcpu in 0..2 {
                let (a, stop, done, running) = (&m.a, &stop, &done, &running);
                scope.spawn(move || {
                    a.run_as_vcpu(vcpu, || {
                        while !stop.load(SeqCst) {
                            match a.access(AT + 8 * u64::from(vcpu), 4, None) {
                                Access::Done(0x77 | 0xffff_ffff | 0) | Access::Abort => {}
                                other => panic!("{other:?}"),
                            }
                            done.fetch_add(1, SeqCst);
                        }
                    });
                    running.fetch_sub(1, SeqCst);
                });
            }
            let mut rounds = 0;
            while done.load(SeqCst) < 3000 || rounds < 60 {
                let r = vm.reserve(HOLE, PAGE, &callback).unwrap();
                let until = count.get() + 20;
                while count.get() < until {
                    vm.serve();
                }
                if rounds % 3 == 0 {
                    assert_eq!(vm.map_ram(r, true), 0);
                    vm.serve();
                }
                assert_eq!(vm.free(r), 0);
                vm.serve();
                callback.take();
                rounds += 1;
            }
            stop.store(true, SeqCst);
            while running.load(SeqCst) > 0 {
                vm.serve();
                thread::yield_now();
            }
        });
        assert!(count.get() > 1000);
    });
}
