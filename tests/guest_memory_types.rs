// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guest memory by the crate's own types.

#![cfg(feature = "sim")]

mod common;

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use common::Storage;
use xen_guest::sim::{Access, Domain, DomainConfig, Frame, Hypervisor};
use xen_guest::{
    Capability, Error, Fault, FrameKind, Gfn, Guest, GuestMemory, GuestMemoryConfig,
    GuestMemoryStorage, MapFrame, Outcome, PAGE_SIZE, Region, Reservation, Rights, Window, ffi,
    region_metadata,
};

const HOLE: usize = 0x8000_0000;
const AT: u64 = HOLE as u64;

struct World<'w> {
    xen: &'w Hypervisor,
    dom0: &'w Domain,
    a: &'w Domain,
    guest: &'w Guest<'w>,
}

fn with_world(body: impl FnOnce(&World<'_>)) {
    let xen = Hypervisor::new();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let a = xen.create_domain(DomainConfig::default().with_vcpus(2));
    let mut metadata = vec![0; region_metadata(64)];
    let window = Window {
        pages: 64,
        ..dom0.extended_region()
    };
    // SAFETY: frames of the domain that nobody else takes.
    let mut regions = [unsafe { Region::new(&window, &mut metadata) }.unwrap()];
    let mut storage = Storage::new();
    let config = common::config(&dom0).with_regions(&mut regions);
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    let guest = unsafe { Guest::new(&mut storage, &dom0, config) }.unwrap();
    let leaks = xen.leaks();
    let raw = guest.as_raw();
    // SAFETY: the guest is set up.
    let rc = unsafe { ffi::xg_domctl_max_mem(raw, a.domid().raw(), 2048 * 4) };
    assert_eq!(rc, 0);
    body(&World {
        xen: &xen,
        dom0: &dom0,
        a: &a,
        guest: &guest,
    });
    assert_eq!(xen.leaks(), leaks);
    assert_eq!(guest.abandoned(), 0);
    guest.finish().unwrap();
}

type Memory = GuestMemoryStorage<16, 2, 1>;

impl World<'_> {
    fn config(&self) -> GuestMemoryConfig {
        GuestMemoryConfig::new(self.a.domid())
            .with_own_number(self.dom0.domid())
            .permitting_mmio()
    }

    fn frame(&self, addr: usize) -> Frame {
        self.a.frame(Gfn::containing(addr as u64))
    }

    fn read(&self, memory: &GuestMemory<'_>, address: u64, size: u32) -> u64 {
        let mut pending = self.a.begin_access(address, size, None);
        while memory.serve() > 0 {}
        match pending.poll() {
            Some(Access::Done(value)) => value,
            other => panic!("{other:?}"),
        }
    }
}

fn refuse(_: &mut Fault<'_>) -> Outcome {
    Outcome::Error
}

#[test]
fn reservations_are_freed_when_dropped() {
    with_world(|w| {
        let handler = refuse;
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        for what in [
            Capability::Ram,
            Capability::Window,
            Capability::Mmio,
            Capability::Trap,
        ] {
            assert_eq!(memory.can(what), Ok(()));
        }
        {
            let first = memory.reserve(HOLE, 2 * PAGE_SIZE, &handler).unwrap();
            assert_eq!((first.addr(), first.size()), (HOLE, 2 * PAGE_SIZE));
            let again = memory.reserve(HOLE + PAGE_SIZE, 1, &handler);
            assert_eq!(again.unwrap_err(), Error::Exists);
            first.map_ram(true).unwrap();
            assert_eq!(first.map_ram(true), Err(Error::Busy));
            assert!(matches!(w.frame(HOLE), Frame::Own(_)));
            assert_eq!(memory.reservations(), 1);
        }
        assert_eq!(memory.reservations(), 0);
        assert_eq!(w.frame(HOLE), Frame::Empty);
        // One is kept, one is freed by name.
        memory.guard(0x4000_0000, 1 << 20).unwrap().keep();
        let named = memory.reserve(HOLE, 1, &handler).unwrap();
        named.free().unwrap();
        memory.add_pool(HOLE, 4 * PAGE_SIZE).unwrap();
        let one = memory.reserve_anon(1, 0, &handler).unwrap();
        let other = memory
            .reserve_anon(PAGE_SIZE, 2 * PAGE_SIZE, &handler)
            .unwrap();
        assert_eq!((one.addr(), other.addr()), (HOLE, HOLE + 2 * PAGE_SIZE));
        drop((one, other));
        assert_eq!(memory.reservations(), 1);
        memory.finish().unwrap();
    });
}

/// What serves the domain's loads and what writes the page may be on different
/// threads: a value is read as it was written.
#[test]
fn a_served_page_is_written_by_another_thread() {
    with_world(|w| {
        let handler = refuse;
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let served = memory.create_ram(HOLE, Rights::Read, &handler).unwrap();
        let page = served.memory().unwrap();
        let (stop, written) = (AtomicBool::new(false), AtomicBool::new(false));
        thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(SeqCst) {
                    page.write::<u64>(8, u64::MAX);
                    written.store(true, SeqCst);
                    page.write::<u64>(8, 0);
                }
            });
            while !written.load(SeqCst) {
                thread::yield_now();
            }
            let read = |_| {
                // Byte by byte, as it is not aligned.
                w.read(&memory, AT + 7, 8);
                w.read(&memory, AT + 8, 8)
            };
            let values: Vec<u64> = (0..1000).map(read).collect();
            stop.store(true, SeqCst);
            assert!(values.iter().all(|v| [0, u64::MAX].contains(v)));
        });
    });
}

/// As with statics, which nothing drops: a handler has its own reservation.
#[test]
fn a_handler_frees_what_it_serves() {
    with_world(|w| {
        let mut storage = Memory::new();
        let own = Cell::new(None::<ManuallyDrop<Reservation<'_>>>);
        let user = Cell::new(None::<&GuestMemory<'_>>);
        let next = |fault: &mut Fault<'_>| {
            fault.map_ram(true).unwrap();
            Outcome::Retry
        };
        let handler = |fault: &mut Fault<'_>| {
            let memory = user.get().unwrap();
            drop(own.take().map(ManuallyDrop::into_inner));
            assert_eq!(fault.map_ram(false), Err(Error::NotFound));
            assert_eq!((memory.serve(), memory.reservations()), (0, 0));
            // In a slot of its own: this one's is free once it returns.
            memory.reserve(HOLE, 1, &next).unwrap().keep();
            assert_eq!(fault.addr(), HOLE);
            Outcome::Done(7)
        };
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let memory = ManuallyDrop::new(memory);
        user.set(Some(&memory));
        let made = memory.reserve(HOLE, 1, &handler).unwrap();
        own.set(Some(ManuallyDrop::new(made)));
        assert_eq!(w.read(&memory, AT, 4), 7);
        assert_eq!(memory.reservations(), 1);
        assert_eq!(w.read(&memory, AT, 4), 0);
        assert_eq!(memory.errors(), 0);
        // SAFETY: set up, and not used any more.
        assert_eq!(unsafe { ffi::xg_vm_fini(memory.as_raw()) }, 0);
    });
}

#[test]
fn what_fails_to_be_freed_comes_back() {
    with_world(|w| {
        let handler = refuse;
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let made = memory.reserve(HOLE, 1, &handler).unwrap();
        w.xen.fail_hypercall(w.dom0.domid(), 1, 18);
        let (error, made) = made.free().unwrap_err();
        assert_eq!(error, Error::Unknown(18));
        made.free().unwrap();
        w.xen.fail_hypercall(w.dom0.domid(), 1, 18);
        let (error, memory) = memory.finish().unwrap_err();
        assert_eq!(error, Error::Unknown(18));
        memory.finish().unwrap();
    });
}

#[test]
fn handlers_may_borrow() {
    with_world(|w| {
        let register = Cell::new(0x1111_u64);
        let seen = RefCell::new(Vec::new());
        let device = |fault: &mut Fault<'_>| {
            seen.borrow_mut()
                .push((fault.addr(), fault.size(), fault.vcpu()));
            if let Some(data) = fault.written() {
                register.set(data);
            }
            Outcome::Done(register.get())
        };
        let ignore = |_: &mut Fault<'_>| Outcome::Ignore;
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let made = memory.reserve(HOLE, PAGE_SIZE, &device).unwrap();
        assert_eq!(w.read(&memory, AT + 4, 4), 0x1111);
        let mut pending =
            w.a.run_as_vcpu(1, || w.a.begin_access(AT + 8, 2, Some(0x2222)));
        assert_eq!(memory.serve(), 1);
        assert_eq!(pending.poll(), Some(Access::Done(0)));
        assert_eq!(register.get(), 0x2222);
        assert_eq!(*seen.borrow(), [(HOLE + 4, 4, 0), (HOLE + 8, 2, 1)]);
        assert_eq!(memory.errors(), 0);
        drop(made);
        // As a trait object, and for what nobody handles.
        let dynamic: &dyn Fn(&mut Fault<'_>) -> Outcome = &|_| Outcome::Unhandled;
        let _made = memory.reserve(HOLE, PAGE_SIZE, &dynamic);
        drop(_made);
        memory.set_unhandled(&ignore);
        drop(memory);
    });
}

#[test]
fn every_outcome() {
    with_world(|w| {
        let outcome = Cell::new(Outcome::Ignore);
        let handler = |_: &mut Fault<'_>| outcome.get();
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let _made = memory.reserve(HOLE, PAGE_SIZE, &handler).unwrap();
        for (set, read, errors) in [
            (Outcome::Done(7), 7, 0),
            (Outcome::Ignore, 0xff, 0),
            (Outcome::Error, 0xff, 1),
            (Outcome::Unhandled, 0xff, 2),
            // There is no memory.
            (Outcome::Retry, 0xff, 3),
        ] {
            outcome.set(set);
            assert_eq!(w.read(&memory, AT, 1), read);
            assert_eq!(memory.errors(), errors);
        }
        outcome.set(Outcome::Later);
        let mut pending = w.a.begin_access(AT, 1, None);
        assert_eq!(memory.serve(), 1);
        assert_eq!(pending.poll(), None);
        assert_eq!(memory.answer(1, 0), Err(Error::Invalid));
        assert_eq!(memory.answer(2, 0), Err(Error::Invalid));
        assert_eq!(memory.retry(0), Err(Error::Invalid));
        assert_eq!(memory.answer(0, 0x5a), Ok(()));
        assert_eq!(pending.poll(), Some(Access::Done(0x5a)));
    });
}

#[test]
fn memory_on_demand() {
    with_world(|w| {
        let handler = |fault: &mut Fault<'_>| match fault.map_ram(true) {
            Ok(()) => Outcome::Retry,
            Err(_) => Outcome::Error,
        };
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let _made = memory.reserve(HOLE, 4 * PAGE_SIZE, &handler).unwrap();
        let mut pending = w.a.begin_access(AT + 8, 8, Some(9));
        assert_eq!(memory.serve(), 1);
        assert_eq!(pending.poll(), Some(Access::Done(0)));
        assert_eq!(w.a.access(AT + 8, 8, None), Access::Done(9));
        assert_eq!(w.a.access(AT + 0x3ff8, 8, None), Access::Done(0));
    });
}

#[test]
fn pages_that_both_see() {
    with_world(|w| {
        let writes = Cell::new(0);
        let handler = |fault: &mut Fault<'_>| {
            writes.set(writes.get() + usize::from(fault.written().is_some()));
            Outcome::Done(0)
        };
        let device = w.xen.create_device(1);
        let registers = device.frame() as usize * PAGE_SIZE;
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let shared = memory
            .create_ram(HOLE, Rights::ReadWrite, &handler)
            .unwrap();
        shared.memory().unwrap().write::<u32>(8, 77);
        assert_eq!(w.a.access(AT + 8, 4, None), Access::Done(77));
        let served = memory
            .create_ram(HOLE + PAGE_SIZE, Rights::Read, &handler)
            .unwrap();
        served.memory().unwrap().write::<u32>(8, 78);
        assert_eq!(w.read(&memory, AT + 0x1008, 4), 78);
        let mut pending = w.a.begin_access(AT + 0x1008, 4, Some(1));
        assert_eq!(memory.serve(), 1);
        assert!(pending.poll().is_some());
        assert_eq!(writes.get(), 1);
        // SAFETY: the simulated device touches nothing.
        let seen = unsafe { memory.create_mmio(registers, Rights::ReadWrite, &handler) }.unwrap();
        device.write(0x10, 5);
        assert_eq!(seen.memory().unwrap().read::<u32>(0x10), 5);
        assert_eq!(
            w.a.access(registers as u64 + 0x10, 4, None),
            Access::Done(5)
        );
        drop(seen);
        // SAFETY: as above.
        let hidden = unsafe { memory.create_mmio(registers, Rights::None, &handler) }.unwrap();
        assert_eq!(w.read(&memory, registers as u64 + 0x10, 4), 0);
        assert!(
            memory
                .reserve(0x1000, 1, &handler)
                .unwrap()
                .memory()
                .is_none()
        );
        drop((shared, served, hidden));
    });
}

#[test]
fn frames_by_a_closure() {
    with_world(|w| {
        let handler = refuse;
        let device = w.xen.create_device(3);
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let made = memory.reserve(HOLE, 3 * PAGE_SIZE, &handler).unwrap();
        let mut asked = Vec::new();
        let page = |kind| MapFrame {
            kind,
            size_bits: 12,
        };
        // SAFETY: the simulated device touches nothing.
        let rc = unsafe {
            made.map(|addr| {
                asked.push(addr);
                (asked.len() < 3).then_some(page(FrameKind::Ram))
            })
        };
        assert_eq!((rc, asked.len()), (Err(Error::Invalid), 3));
        // SAFETY: as above.
        unsafe {
            made.map(|addr| {
                let index = (addr - HOLE) / PAGE_SIZE;
                Some(page(FrameKind::Mmio(device.frame() + index as u64)))
            })
        }
        .unwrap();
        device.write(0x2004, 6);
        assert_eq!(w.a.access(AT + 0x2004, 4, None), Access::Done(6));
        drop(made);
        let made = memory.reserve(HOLE, PAGE_SIZE, &handler).unwrap();
        // SAFETY: as above.
        unsafe { made.map_mmio(device.frame() * 4096 + 0x1000) }.unwrap();
        device.write(0x1004, 8);
        assert_eq!(w.a.access(AT + 4, 4, None), Access::Done(8));
        drop(made);
        let made = memory.reserve(0x4000_0000, PAGE_SIZE, &handler).unwrap();
        // SAFETY: nothing is mapped.
        unsafe { made.map(|_| Some(page(FrameKind::Present))) }.unwrap();
        drop(made);
        assert!(matches!(w.frame(0x4000_0000), Frame::Own(_)));
    });
}

/// A server sleeps until there is something to do.
#[test]
fn waiting_for_accesses() {
    with_world(|w| {
        let handler = |fault: &mut Fault<'_>| Outcome::Done(fault.addr() as u64);
        let mut storage = Memory::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, w.config()) }.unwrap();
        let made = memory.reserve(HOLE, PAGE_SIZE, &handler).unwrap();
        // The events that Xen sends when the ports are bound.
        while memory.wait(Some(Duration::ZERO)).unwrap() {
            assert_eq!(memory.serve(), 0);
        }
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            let (a, done) = (w.a, &done);
            scope.spawn(move || {
                for round in 0..100 {
                    let addr = AT + 8 * round;
                    assert_eq!(a.access(addr, 8, None), Access::Done(addr));
                }
                done.store(true, SeqCst);
            });
            while !done.load(SeqCst) {
                memory.wait(Some(Duration::from_millis(20))).unwrap();
                while memory.serve() > 0 {}
            }
        });
        drop(made);
    });
}

/// Mapped by the first access, and by nothing before.
#[test]
fn deferred() {
    with_world(|w| {
        let handler = refuse;
        let mut storage = Memory::new();
        let config = w.config().deferred().requiring_traps();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, config) }.unwrap();
        let made = memory.reserve(HOLE, PAGE_SIZE, &handler).unwrap();
        made.map_ram(true).unwrap();
        assert_eq!(w.frame(HOLE), Frame::Empty);
        assert_eq!(w.read(&memory, AT, 4), 0);
        assert!(matches!(w.frame(HOLE), Frame::Own(_)));
        drop(made);
        memory.finish().unwrap();
        // Without places for vCPUs there are no traps.
        let mut storage = GuestMemoryStorage::<4, 0, 0>::new();
        // SAFETY: another domain's.
        let memory = unsafe { GuestMemory::new(w.guest, &mut storage, config) }.unwrap();
        assert_eq!(memory.can(Capability::Trap), Err(Error::NotSupported));
        let refused = memory.reserve(HOLE, 1, &handler);
        assert_eq!(refused.unwrap_err(), Error::NotSupported);
        assert_eq!(memory.wait(None), Err(Error::NotSupported));
        assert_eq!(memory.serve(), 0);
        drop(memory);
        let mut storage = GuestMemoryStorage::<0, 0, 0>::new();
        // SAFETY: another domain's.
        let none = unsafe { GuestMemory::new(w.guest, &mut storage, config) };
        assert_eq!(none.unwrap_err(), Error::Invalid);
    });
}

/// A domain's own memory, in frames that it gave back before.
#[test]
fn own_memory() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let ram = domain.ram();
    let page = domain.alloc_page().unwrap();
    // SAFETY: a page of the test's own.
    unsafe { guest.physmap().decrease(&[page.gfn()], 0) }.unwrap();
    let handler = refuse;
    let mut storage = Memory::new();
    let config = GuestMemoryConfig::new(xen_guest::DomId::SELF).with_own_window(ram);
    // SAFETY: nothing is mapped but the frame that is empty.
    let memory = unsafe { GuestMemory::new(&guest, &mut storage, config) }.unwrap();
    assert_eq!(memory.can(Capability::Window), Ok(()));
    assert_eq!(memory.can(Capability::Trap), Err(Error::NotSupported));
    let addr = page.gfn().raw() as usize * PAGE_SIZE;
    let made = memory
        .create_ram(addr, Rights::ReadWrite, &handler)
        .unwrap();
    let shared = made.memory().unwrap();
    assert_eq!(shared.read::<u64>(0), 0);
    shared.write::<u64>(0, 3);
    assert_eq!(shared.read::<u64>(0), 3);
    let refused = memory.create_ram(addr + PAGE_SIZE, Rights::Read, &handler);
    assert_eq!(refused.unwrap_err(), Error::NotSupported);
    drop(made);
    assert_eq!(domain.frame(page.gfn()), Frame::Empty);
    memory.finish().unwrap();
    // SAFETY: an empty frame.
    unsafe { guest.physmap().populate(&[page.gfn()], 0) }.unwrap();
}
