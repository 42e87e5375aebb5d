// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guest memory with one step after the other failing: a call that fails has
//! changed nothing, and succeeds when it is repeated.

#![cfg(feature = "sim")]

mod common;
mod vm;

use std::cell::{Cell, RefCell};

use common::{EXDEV, Fault, exhaust};
use vm::manager::{HOLE, Manager, World, with_manager};
use vm::{ALL, Callback, EIO, Frames, HANDLED, PAGE, RAM, READ, Setup, Vm, mmio};
use xen_guest::ffi;
use xen_guest::sim::{Access, Hook};

const FAULTS: [Fault; 4] = [
    Fault::Hypercall,
    Fault::Hook(Hook::Map),
    Fault::Hook(Hook::Unmap),
    Fault::Hook(Hook::PageAlloc),
];

fn with_vm(flags: u32, body: impl FnOnce(&Manager<'_>, &Vm, &Callback)) {
    with_manager(World::default(), |m| {
        let callback = Callback::returning(HANDLED);
        let vm = m.vm(Setup {
            flags: flags | ffi::XG_VM_PERMIT_MMIO,
            ..m.setup()
        });
        body(m, &vm, &callback);
        vm.verify();
    });
}

/// Frees a reservation: what fails is called again.
fn free(vm: &Vm, r: vm::Reservation) {
    assert_eq!(vm.free(r), 0);
}

/// Every fault of each kind; how many there were.
fn every<T>(
    m: &Manager<'_>,
    vm: &Vm,
    mut call: impl FnMut() -> Result<T, i32>,
    mut undo: impl FnMut(T),
) -> [u64; 4] {
    FAULTS.map(|fault| {
        let made = RefCell::new(None);
        exhaust(
            &m.dom0,
            fault,
            || {
                vm.verify();
                m.picture(vm, 4)
            },
            || match call() {
                Ok(what) => {
                    *made.borrow_mut() = Some(what);
                    0
                }
                Err(rc) => rc,
            },
            |_| undo(made.take().unwrap()),
        )
    })
}

/// Backs a reservation in all the ways that `map` is given one, and frees it.
fn every_map(
    m: &Manager<'_>,
    vm: &Vm,
    callback: &Callback,
    pages: usize,
    map: &dyn Fn(vm::Reservation) -> i32,
) -> [u64; 4] {
    let r = Cell::new(vm.reserve(HOLE, pages * PAGE, callback).unwrap());
    let steps = every(
        m,
        vm,
        || match map(r.get()) {
            0 => Ok(()),
            rc => Err(rc),
        },
        |()| {
            free(vm, r.get());
            r.set(vm.reserve(HOLE, pages * PAGE, callback).unwrap());
        },
    );
    free(vm, r.get());
    steps
}

#[test]
fn reservations() {
    with_vm(0, |m, vm, callback| {
        let steps = every(
            m,
            vm,
            || vm.reserve(HOLE, 2 * PAGE, callback),
            |r| free(vm, r),
        );
        // The trap.
        assert_eq!(steps, [1, 0, 0, 0]);
        let steps = every(m, vm, || vm.guard(HOLE, 2 * PAGE), |r| free(vm, r));
        assert_eq!(steps, [0; 4]);
        // The pool does not move for a failure.
        assert_eq!(vm.add_pool(HOLE, 4 * PAGE), 0);
        let before = m.picture(vm, 4);
        Fault::Hypercall.inject(&m.dom0, 1);
        assert_eq!(vm.reserve_anon(PAGE, 0, callback), Err(EXDEV));
        assert_eq!(m.picture(vm, 4), before);
        let r = vm.reserve_anon(PAGE, 0, callback).unwrap();
        assert_eq!(vm.find(HOLE), Some(r));
    });
}

#[test]
fn mappings() {
    with_vm(0, |m, vm, callback| {
        let device = m.xen.create_device(70);
        let by_iterator = |frame| move |r| vm.map(r, &Frames::new(frame, 12));
        let ram = by_iterator(RAM);
        let registers = by_iterator(mmio(device.frame()));
        // Xen's RAM, and the trap's end.
        assert_eq!(every_map(m, vm, callback, 4, &ram), [2, 0, 0, 0]);
        assert_eq!(every_map(m, vm, callback, 130, &ram), [4, 0, 0, 0]);
        assert_eq!(every_map(m, vm, callback, 512, &ram), [2, 0, 0, 0]);
        // To clear it: a window of four pages there and back.
        let zeroed = |r| vm.map_ram(r, true);
        assert_eq!(every_map(m, vm, callback, 4, &zeroed), [7, 1, 1, 0]);
        // The permission, a batch or two, the trap's end.
        assert_eq!(every_map(m, vm, callback, 70, &registers), [4, 0, 0, 0]);
        let mapped = |r| vm.map_mmio(r, device.frame() * 4096);
        assert_eq!(every_map(m, vm, callback, 4, &mapped), [3, 0, 0, 0]);
    });
}

#[test]
fn created_pages() {
    with_vm(0, |m, vm, callback| {
        let device = m.device.frame() as usize * PAGE;
        for (rights, ram, registers) in [
            // The trap, RAM, the trap's end, the window; a permission more.
            (ALL, [4, 1, 0, 0], [5, 1, 0, 0]),
            // The trap, a page; the trap, the window.
            (READ, [1, 0, 0, 1], [2, 1, 0, 0]),
            (0, [1, 0, 0, 1], [2, 1, 0, 0]),
        ] {
            let steps = every(
                m,
                vm,
                || vm.create_ram(HOLE, rights, callback),
                |r| free(vm, r.0),
            );
            assert_eq!(steps, ram, "rights {rights}");
            let create = || vm.create_mmio(device, rights, callback);
            let steps = every(m, vm, create, |r| free(vm, r.0));
            assert_eq!(steps, registers, "rights {rights}");
        }
    });
}

/// Freeing goes on where it stopped, whatever the reservation brought.
#[test]
fn freeing() {
    with_vm(0, |m, vm, callback| {
        let device = m.xen.create_device(130);
        type Make<'a> = &'a dyn Fn() -> vm::Reservation;
        let makes: [(Make<'_>, u64); 7] = [
            (&|| vm.reserve(HOLE, 3 * PAGE, callback).unwrap(), 1),
            (
                &|| {
                    let r = vm.reserve(HOLE, 1100 * PAGE, callback).unwrap();
                    assert_eq!(vm.map_ram(r, false), 0);
                    r
                },
                // 76 pages in two batches, and two extents.
                3,
            ),
            (
                &|| {
                    let r = vm.reserve(HOLE, 130 * PAGE, callback).unwrap();
                    assert_eq!(vm.map_mmio(r, device.frame() * 4096), 0);
                    r
                },
                // Three batches, and the permission.
                4,
            ),
            (&|| vm.create_ram(HOLE, ALL, callback).unwrap().0, 2),
            (&|| vm.create_ram(HOLE, READ, callback).unwrap().0, 1),
            (
                &|| {
                    vm.create_mmio(device.frame() as usize * PAGE, ALL, callback)
                        .unwrap()
                        .0
                },
                3,
            ),
            (
                &|| {
                    vm.create_mmio(device.frame() as usize * PAGE, 0, callback)
                        .unwrap()
                        .0
                },
                2,
            ),
        ];
        for (make, want) in makes {
            let before = m.picture(vm, 4);
            for fault in [Fault::Hypercall, Fault::Hook(Hook::Unmap)] {
                let mut steps = 0;
                for nth in 1.. {
                    let r = make();
                    fault.inject(&m.dom0, nth);
                    let rc = vm.free(r);
                    let happened = m.xen.faults_left(m.dom0.domid()) == 0;
                    m.xen.clear_faults(m.dom0.domid());
                    vm.verify();
                    assert!(happened || rc == 0, "{fault:?} {nth}: {rc}");
                    if rc != 0 {
                        assert_eq!(vm.free(r), 0);
                    }
                    steps += u64::from(happened);
                    if !happened {
                        break;
                    }
                    assert_eq!(m.picture(vm, 4), before);
                }
                if let Fault::Hypercall = fault {
                    assert_eq!(steps, want);
                }
            }
        }
    });
}

/// What was done can't be undone either: the reservation knows, and is freed
/// later.
#[test]
fn undoing_fails() {
    with_vm(0, |m, vm, callback| {
        let before = m.picture(vm, 130);
        for pages in [4, 130] {
            let r = vm.reserve(HOLE, pages * PAGE, callback).unwrap();
            let (_, all) = m.hypercalls(|| vm.map(r, &Frames::new(RAM, 12)));
            free(vm, r);
            // The last step, which is the trap's end, and then the first of
            // those that take pages back.
            let r = vm.reserve(HOLE, pages * PAGE, callback).unwrap();
            Fault::Hypercall.inject(&m.dom0, all);
            Fault::Hypercall.inject(&m.dom0, all + 1);
            assert_eq!(vm.map(r, &Frames::new(RAM, 12)), EIO);
            assert_eq!(m.xen.faults_left(m.dom0.domid()), 0);
            assert_eq!(m.pages(), 1024 + pages as u64);
            assert_eq!(vm.map(r, &Frames::new(RAM, 12)), vm::EBUSY);
            vm.verify();
            free(vm, r);
            assert_eq!(m.picture(vm, 130), before);
        }
        // A created page can't be made, nor its reservation be freed.
        Fault::Hook(Hook::PageAlloc).inject(&m.dom0, 1);
        Fault::Hypercall.inject(&m.dom0, 2);
        assert_eq!(vm.create_ram(HOLE, READ, callback).map(|_| ()), Err(EIO));
        let r = vm.find(HOLE).unwrap();
        free(vm, r);
        assert_eq!(m.picture(vm, 130), before);
    });
}

/// A page that can't be made, nor its reservation be freed: reads of it have
/// nothing to be served from.
#[test]
fn reads_of_a_page_that_is_not_there() {
    with_vm(0, |m, vm, _| {
        let callback = Callback::answering(7);
        // Nobody's device memory; and the trap's end is the third call.
        Fault::Hypercall.inject(&m.dom0, 3);
        assert_eq!(vm.create_mmio(HOLE, READ, &callback).map(|_| ()), Err(EIO));
        assert_eq!(m.xen.faults_left(m.dom0.domid()), 0);
        let mut pending = m.a.begin_access(HOLE as u64 + 8, 4, None);
        assert_eq!(vm.serve(), 1);
        assert_eq!(pending.poll(), Some(Access::Done(7)));
        free(vm, vm.find(HOLE).unwrap());
    });
}

/// A domain that goes while it is looked for leaves nothing.
#[test]
fn no_domain_to_set_up_for() {
    with_manager(World::default(), |m| {
        let leaks = m.xen.leaks();
        let gone = -(ffi::XG_ESRCH as i32);
        m.xen.fail_hypercall(m.dom0.domid(), 1, gone);
        let refused = Vm::try_new(m.guest.as_raw(), m.setup());
        assert_eq!(refused.err(), Some(gone));
        assert_eq!(m.xen.leaks(), leaks);
    });
}

/// Setting up and giving back: a step that fails is a thing that can't be
/// done, or an error; nothing is left.
#[test]
fn set_up_and_give_back() {
    with_manager(World::default(), |m| {
        let leaks = m.xen.leaks();
        for fault in FAULTS {
            for nth in 1.. {
                fault.inject(&m.dom0, nth);
                let vm = m.vm(m.setup());
                let happened = m.xen.faults_left(m.dom0.domid()) == 0;
                m.xen.clear_faults(m.dom0.domid());
                let refused = (0..4).filter(|&what| vm.refusal(what) != 0).count();
                assert_eq!(refused, usize::from(happened), "{fault:?} {nth}");
                assert_eq!(vm.fini(), 0);
                assert_eq!(m.xen.leaks(), leaks, "{fault:?} {nth}");
                if !happened {
                    break;
                }
            }
        }
        let callback = Callback::returning(HANDLED);
        for nth in 1.. {
            let vm = m.vm(m.setup());
            vm.create_ram(HOLE, ALL, &callback).unwrap();
            vm.create_ram(HOLE + PAGE, READ, &callback).unwrap();
            Fault::Hypercall.inject(&m.dom0, nth);
            let rc = vm.fini();
            let happened = m.xen.faults_left(m.dom0.domid()) == 0;
            m.xen.clear_faults(m.dom0.domid());
            assert!(happened || rc == 0);
            assert_eq!(vm.fini(), 0, "{nth}");
            assert_eq!(m.xen.leaks(), leaks, "{nth}");
            if !happened {
                break;
            }
        }
    });
}
