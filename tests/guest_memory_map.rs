// SPDX-License-Identifier: MIT OR Apache-2.0
//! Backing reservations: what is there afterwards, what is refused, and what
//! a failure leaves. Values are libsel4vm's but where a deviation (D1, ...:
//! include/sel4vm/guest_memory.h) is named.

#![cfg(feature = "sim")]

mod common;
mod vm;

use common::Fault;
use vm::manager::{HOLE, Manager, World, with_manager};
use vm::{
    ALL, Callback, E2BIG, EBUSY, EINVAL, EOPNOTSUPP, EPERM, ERROR, Frames, HANDLED, PAGE, PRESENT,
    RAM, READ, RESTART, Reservation, SELF, Setup, Vm, mmio,
};
use xen_guest::ffi;
use xen_guest::sim::{Access, DomainConfig, Frame, Policy};

const EACCES: i32 = -13;
const ENOMEM: i32 = -12;
const ENOSYS: i32 = -38;
const DEFER: u32 = ffi::XG_VM_DEFER;
const CAPS: u32 = ffi::XG_VM_CAP_RAM | ffi::XG_VM_CAP_WINDOW | ffi::XG_VM_CAP_MMIO;

fn with_vm(flags: u32, vcpus: usize, body: impl FnOnce(&Manager<'_>, &Vm, &Callback)) {
    with_manager(World::default(), |m| {
        let callback = Callback::returning(HANDLED);
        let vm = m.vm(Setup {
            flags,
            vcpus,
            ..m.setup()
        });
        body(m, &vm, &callback);
        vm.verify();
    });
}

fn state(r: Reservation) -> ffi::xg_vm_reservation {
    // SAFETY: a slot of a vm that is there.
    unsafe { *r }
}

#[test]
fn the_iterator_is_asked_page_by_page() {
    with_vm(0, 0, |m, vm, callback| {
        let before = m.picture(vm, 4);
        let r = vm.reserve(HOLE, 3 * PAGE, callback).unwrap();
        let frames = Frames::new(RAM, 12);
        assert_eq!(vm.map(r, &frames), 0);
        assert_eq!(*frames.asked.borrow(), [HOLE, HOLE + PAGE, HOLE + 2 * PAGE]);
        for page in 0..3 {
            assert!(matches!(m.frame(HOLE + page * PAGE), Frame::Own(_)));
            assert_eq!(
                m.a.access((HOLE + page * PAGE) as u64, 4, Some(7)),
                Access::Done(0)
            );
        }
        assert_eq!(m.frame(HOLE + 3 * PAGE), Frame::Empty);
        // Again: nothing happens.
        let (rc, hypercalls) = m.hypercalls(|| vm.map(r, &frames));
        assert_eq!((rc, hypercalls), (EBUSY, 0));
        assert_eq!(vm.map_ram(r, true), EBUSY);
        assert_eq!(vm.map_mmio(r, 0), EBUSY);
        assert_eq!(frames.asked.borrow().len(), 3);
        // A fault in it is one of rights.
        assert_eq!(vm.fault(HOLE, 4), HANDLED);
        assert_eq!(vm.free(r), 0);
        assert_eq!(m.picture(vm, 4), before);
        let r = vm.reserve(HOLE, 3 * PAGE, callback).unwrap();
        assert_eq!(vm.map(r, &frames), 0);
    });
}

/// D5, and what upstream does not look at: an answer that does not fit leaves
/// nothing, and Xen is not asked for anything.
#[test]
fn answers_that_do_not_fit_are_refused() {
    with_vm(0, 0, |m, vm, callback| {
        let r = vm.reserve(HOLE, 4 * PAGE, callback).unwrap();
        let before = m.picture(vm, 4);
        let refused = |rc: i32, frames: Frames| {
            let (got, hypercalls) = m.hypercalls(|| vm.map_now(r, &frames));
            assert_eq!((got, hypercalls), (rc, 0));
            assert_eq!(m.picture(vm, 4), before);
        };
        for at in 0..4 {
            let frames = Frames::new(RAM, 12);
            frames.fail_at.set(Some(at));
            refused(EINVAL, frames);
        }
        let frames = Frames::new(RAM, 12);
        frames.shift.set(PAGE);
        refused(EINVAL, frames);
        // Beyond the end, unaligned, no size at all.
        for bits in [0, 11, 15, 21, 31, 64, usize::MAX] {
            refused(EINVAL, Frames::new(RAM, bits));
        }
        for rights in [0, READ, 2] {
            let frames = Frames::new(RAM, 12);
            frames.rights.set(rights);
            refused(EOPNOTSUPP, frames);
        }
        // D12: one kind, one piece.
        for others in [
            [RAM, mmio(1)],
            [mmio(7), mmio(9)],
            [mmio(7), mmio(7)],
            [RAM, PRESENT],
        ] {
            let frames = Frames::new(others[0], 12);
            frames.frames.borrow_mut().push_back(others[1]);
            refused(EINVAL, frames);
        }
        refused(EINVAL, Frames::new(8, 12));
        // SAFETY: set up, without an iterator.
        let rc = unsafe { ffi::xg_vm_map_now(vm.raw(), r, None, std::ptr::null_mut()) };
        assert_eq!(rc, EINVAL);
        assert_eq!(vm.map_now(r, &Frames::new(RAM, 12)), 0);
    });
}

#[test]
fn large_frames() {
    with_vm(0, 0, |m, vm, callback| {
        let before = m.picture(vm, 1024);
        let r = vm.reserve(HOLE, 4 << 20, callback).unwrap();
        let frames = Frames::new(RAM, 21);
        let (rc, hypercalls) = m.hypercalls(|| vm.map(r, &frames));
        assert_eq!((rc, hypercalls), (0, 1));
        assert_eq!(*frames.asked.borrow(), [HOLE, HOLE + (2 << 20)]);
        assert_eq!(m.pages(), 1024 + 1024);
        assert_eq!(m.hypercalls(|| vm.free(r)), (0, 1));
        assert_eq!(m.picture(vm, 1024), before);
        let r = vm.reserve(HOLE, 3 << 20, callback).unwrap();
        assert_eq!(vm.map(r, &Frames::new(RAM, 21)), EINVAL);
        assert_eq!(vm.free(r), 0);
        // Where no frame of that size can be.
        let r = vm.reserve(HOLE + PAGE, 4 << 20, callback).unwrap();
        assert_eq!(vm.map(r, &Frames::new(RAM, 21)), EINVAL);
        assert_eq!(vm.free(r), 0);
        assert_eq!(m.picture(vm, 1024), before);
    });
}

/// 512 pages take at most 8 hypercalls, wherever they are.
#[test]
fn ram_comes_in_batches() {
    with_vm(0, 0, |m, vm, callback| {
        for (first, map, free) in [(0, 1, 1), (1, 8, 8), (64, 8, 8), (256, 8, 8)] {
            let before = m.picture(vm, 1024);
            let addr = HOLE + first * PAGE;
            let r = vm.reserve(addr, 512 * PAGE, callback).unwrap();
            let (rc, hypercalls) = m.hypercalls(|| vm.map(r, &Frames::new(RAM, 12)));
            assert_eq!((rc, hypercalls), (0, map), "from page {first} on");
            assert_eq!(m.pages(), 1024 + 512);
            assert_eq!(
                m.hypercalls(|| vm.free(r)),
                (0, free),
                "from page {first} on"
            );
            assert_eq!(m.picture(vm, 1024), before);
        }
    });
}

/// Machine memory in pieces: no extents of 2 MiB.
#[test]
fn ram_comes_page_by_page_where_it_must() {
    with_vm(0, 0, |m, vm, callback| {
        let before = m.picture(vm, 1024);
        let r = vm.reserve(HOLE, 1024 * PAGE, callback).unwrap();
        // As Xen says it: no extent done, and the limit is not the reason.
        m.xen.fail_hypercall(m.dom0.domid(), 1, 0);
        let (rc, hypercalls) = m.hypercalls(|| vm.map(r, &Frames::new(RAM, 12)));
        // The failure, two questions why, 8 batches, one more extent.
        assert_eq!((rc, hypercalls), (0, 12));
        assert_eq!(m.pages(), 1024 + 1024);
        assert_eq!(vm.free(r), 0);
        assert_eq!(m.picture(vm, 1024), before);
    });
}

/// RAM that comes with something in it, as Xen may give it.
#[test]
fn zeroed_means_zeroed() {
    with_vm(0, 0, |m, vm, callback| {
        let dirty = m.a.clone();
        m.hooked.set(move |op, cmd, done| {
            let populated =
                op == ffi::abi::__HYPERVISOR_memory_op && cmd == ffi::abi::XENMEM_populate_physmap;
            for page in 0..if populated && done { 70 } else { 0 } {
                let addr = (HOLE + page * PAGE + 8) as u64;
                dirty.access(addr, 8, Some(0x5a5a));
            }
        });
        let word = |page| m.a.access((HOLE + page * PAGE + 8) as u64, 8, None);
        for zero in [false, true] {
            let r = vm.reserve(HOLE, 70 * PAGE, callback).unwrap();
            assert_eq!(vm.map_ram(r, zero), 0);
            let want = if zero { 0 } else { 0x5a5a };
            for page in 0..70 {
                assert_eq!(word(page), Access::Done(want));
            }
            assert_eq!(vm.free(r), 0);
        }
        m.hooked.clear();
        let dirty = m.a.clone();
        m.hooked.set(move |op, cmd, done| {
            let populated =
                op == ffi::abi::__HYPERVISOR_memory_op && cmd == ffi::abi::XENMEM_populate_physmap;
            if populated && done {
                dirty.access(HOLE as u64 + 8, 8, Some(0x5a5a));
            }
        });
        let (r, window) = vm.create_ram(HOLE, ALL, callback).unwrap();
        // SAFETY: the window is there until the reservation is freed.
        let seen = unsafe { window.add(8).cast::<u64>().read_volatile() };
        assert_eq!((seen, word(0)), (0, Access::Done(0)));
        assert_eq!(vm.free(r), 0);
        m.hooked.clear();
    });
}

#[test]
fn device_memory_at_its_own_address() {
    with_vm(0, 0, |m, vm, callback| {
        let paddr = m.device.frame() as usize * PAGE;
        let r = vm.reserve(paddr, 2 * PAGE, callback).unwrap();
        assert_eq!(vm.map_mmio(r, paddr as u64), EPERM);
        m.permit(m.device.frame(), true);
        assert_eq!(vm.map_mmio(r, paddr as u64), EPERM);
        m.permit(m.device.frame() + 1, true);
        assert_eq!(vm.map_mmio(r, paddr as u64), 0);
        m.device.write(0x1004, 77);
        assert_eq!(
            m.a.access((paddr + 0x1004) as u64, 4, None),
            Access::Done(77)
        );
        assert_eq!(vm.free(r), 0);
        assert_eq!(m.frame(paddr), Frame::Empty);
        m.permit(m.device.frame(), false);
        m.permit(m.device.frame() + 1, false);
    });
}

/// Another address, and a base inside of a page.
#[test]
fn device_memory_elsewhere() {
    with_vm(ffi::XG_VM_PERMIT_MMIO, 0, |m, vm, callback| {
        let paddr = m.device.frame() * 4096;
        let before = m.picture(vm, 4);
        for base in [paddr, paddr + 0x800] {
            let r = vm.reserve(HOLE, 2 * PAGE, callback).unwrap();
            assert_eq!(vm.map_mmio(r, base), 0);
            assert_eq!(state(r).base, m.device.frame());
            m.device.write(0x10, 0xabcd);
            assert_eq!(
                m.a.access(HOLE as u64 + 0x10, 4, None),
                Access::Done(0xabcd)
            );
            m.a.access(HOLE as u64 + 0x1ffc, 4, Some(5));
            assert_eq!(m.device.read(0x1ffc), 5);
            assert_eq!(vm.free(r), 0);
            assert_eq!(m.picture(vm, 4), before);
        }
        // The permission went with it.
        let plain = m.vm(Setup {
            vcpus: 0,
            ..m.setup()
        });
        let r = plain.reserve(HOLE, PAGE, callback).unwrap();
        assert_eq!(plain.map_mmio(r, paddr), EPERM);
        // By an iterator, too.
        let r = vm.reserve(HOLE, 2 * PAGE, callback).unwrap();
        assert_eq!(vm.map(r, &Frames::new(mmio(m.device.frame()), 12)), 0);
        assert_eq!(
            m.a.access(HOLE as u64 + 0x10, 4, None),
            Access::Done(0xabcd)
        );
        // Frames of nobody's.
        let r = vm.reserve(HOLE + 2 * PAGE, 3 * PAGE, callback).unwrap();
        assert_eq!(vm.map_mmio(r, u64::MAX - 0xfff), EINVAL);
        assert_eq!(vm.map_mmio(r, paddr), EPERM);
        assert_eq!(vm.map_mmio(r, 0), EPERM);
    });
}

/// 64 frames a call; all of them, or none.
#[test]
fn device_memory_in_batches() {
    with_manager(World::default(), |m| {
        let device = m.xen.create_device(130);
        let callback = Callback::returning(HANDLED);
        let vm = m.vm(Setup {
            flags: ffi::XG_VM_PERMIT_MMIO,
            vcpus: 0,
            ..m.setup()
        });
        let before = m.picture(&vm, 130);
        let r = vm.reserve(HOLE, 130 * PAGE, &callback).unwrap();
        // The permission, and 64, 64, 2.
        let (rc, hypercalls) = m.hypercalls(|| vm.map_mmio(r, device.frame() * 4096));
        assert_eq!((rc, hypercalls), (0, 4));
        assert_eq!(m.hypercalls(|| vm.free(r)), (0, 4));
        assert_eq!(m.picture(&vm, 130), before);
    });
}

/// One takes the permission with it that the other needs to go.
#[test]
fn device_memory_at_two_places() {
    with_vm(ffi::XG_VM_PERMIT_MMIO, 0, |m, vm, callback| {
        let before = m.picture(vm, 4);
        let both = [HOLE, HOLE + 2 * PAGE].map(|at| {
            let r = vm.reserve(at, PAGE, callback).unwrap();
            assert_eq!(vm.map_mmio(r, m.device.frame() * 4096), 0);
            r
        });
        for r in both {
            assert_eq!(vm.free(r), 0);
        }
        assert_eq!(m.picture(vm, 4), before);
    });
}

/// Xen leaves what it did, and calls what is missing a table.
#[test]
fn no_memory_for_tables() {
    let world = World {
        // For the RAM's GiB, and for the HOLE's first 2 MiB.
        a: World::default().a.with_physmap_tables(2),
        ..World::default()
    };
    with_manager(world, |m| {
        let callback = Callback::returning(HANDLED);
        let device = m.xen.create_device(40);
        let vm = m.vm(Setup {
            flags: ffi::XG_VM_PERMIT_MMIO,
            vcpus: 0,
            ..m.setup()
        });
        let first = HOLE.next_multiple_of(512 * PAGE) - 30 * PAGE;
        let r = vm.reserve(first, 40 * PAGE, &callback).unwrap();
        // Also where taking back what Xen did needs a second try.
        for fails in [false, true] {
            if fails {
                Fault::Hypercall.inject(&m.dom0, 3);
            }
            assert_eq!(vm.map_mmio(r, device.frame() * 4096), ENOMEM);
            assert_eq!(m.xen.faults_left(m.dom0.domid()), 0);
            for page in 0..40 {
                assert_eq!(m.frame(first + page * PAGE), Frame::Empty, "{page}");
            }
        }
        assert_eq!(vm.free(r), 0);
        let r = vm.reserve(first, 30 * PAGE, &callback).unwrap();
        assert_eq!(vm.map_mmio(r, device.frame() * 4096), 0);
    });
}

#[test]
fn over_the_limit() {
    with_vm(0, 0, |m, vm, callback| {
        m.allow(1024 + 40);
        let r = vm.reserve(HOLE, 41 * PAGE, callback).unwrap();
        let before = m.picture(vm, 41);
        assert_eq!(vm.map_ram(r, false), E2BIG);
        assert_eq!(m.picture(vm, 41), before);
        let large = vm.reserve(HOLE + (2 << 20), 512 * PAGE, callback).unwrap();
        assert_eq!(vm.map_ram(large, false), E2BIG);
        assert_eq!(vm.free(large), 0);
        let created = vm.create_ram(HOLE + (1 << 20), ALL, callback).unwrap();
        assert_eq!(vm.free(created.0), 0);
        m.allow(1024 + 41);
        assert_eq!(vm.map_ram(r, false), 0);
        assert_eq!(
            vm.create_ram(HOLE + (1 << 20), ALL, callback).map(|_| ()),
            Err(E2BIG)
        );
    });
}

/// What the domain gave back itself is no error, whatever the size of the
/// extents.
#[test]
fn holes_are_freed_over() {
    with_vm(0, 0, |m, vm, callback| {
        for (first, pages) in [(0, 1024), (3, 200)] {
            let before = m.picture(vm, 1100);
            let r = vm
                .reserve(HOLE + first * PAGE, pages * PAGE, callback)
                .unwrap();
            assert_eq!(vm.map_ram(r, false), 0);
            for page in [first, first + 1, first + 77, first + pages - 1] {
                give_back(m, HOLE + page * PAGE);
            }
            assert_eq!(vm.free(r), 0);
            assert_eq!(m.picture(vm, 1100), before);
        }
    });
}

/// A gives a page back.
fn give_back(m: &Manager<'_>, addr: usize) {
    change(m, ffi::abi::XENMEM_decrease_reservation, addr);
}

/// A takes a page from Xen.
fn take(m: &Manager<'_>, addr: usize) {
    change(m, ffi::abi::XENMEM_populate_physmap, addr);
}

fn change(m: &Manager<'_>, cmd: u32, addr: usize) {
    let gfn = (addr / PAGE) as u64;
    let mut op = ffi::abi::xen_memory_reservation {
        nr_extents: 1,
        domid: SELF,
        // SAFETY: integers and pointers.
        ..unsafe { std::mem::zeroed() }
    };
    op.extent_start.p = std::ptr::from_ref(&gfn).cast_mut();
    let args = [cmd as usize, std::ptr::from_mut(&mut op) as usize, 0, 0, 0];
    // SAFETY: one extent.
    let done = unsafe { m.a.hypercall(ffi::abi::__HYPERVISOR_memory_op, args) };
    assert_eq!(done, 1);
}

/// The domain puts RAM of its own over device memory: that stays.
#[test]
fn device_memory_that_is_gone() {
    with_vm(ffi::XG_VM_PERMIT_MMIO, 0, |m, vm, callback| {
        let device = m.xen.create_device(130);
        let r = vm.reserve(HOLE, 130 * PAGE, callback).unwrap();
        assert_eq!(vm.map_mmio(r, device.frame() * 4096), 0);
        m.overwrites.set(true);
        for page in [0, 70, 129] {
            take(m, HOLE + page * PAGE);
        }
        assert_eq!(vm.free(r), 0);
        for page in 0..130 {
            let there = matches!(m.frame(HOLE + page * PAGE), Frame::Own(_));
            assert_eq!(there, [0, 70, 129].contains(&page));
        }
        for page in [0, 70, 129] {
            give_back(m, HOLE + page * PAGE);
        }
    });
}

/// Of a domain that nobody holds on to nothing is left.
#[test]
fn the_domain_is_gone() {
    with_vm(0, 0, |m, vm, callback| {
        let r = vm.reserve(HOLE, 600 * PAGE, callback).unwrap();
        assert_eq!(vm.map_ram(r, false), 0);
        m.a.destroy();
        assert!(!m.a.exists());
        assert_eq!(vm.free(r), 0);
    });
}

/// Failures do not use the region up.
#[test]
fn windows_that_fail_take_no_pages() {
    with_vm(0, 0, |m, vm, callback| {
        for _ in 0..2 * vm::manager::REGION {
            // RAM, and then the window.
            m.xen.fail_hypercall(m.dom0.domid(), 2, common::EXDEV);
            let made = vm.create_ram(HOLE, ALL, callback);
            assert_eq!(made.map(|_| ()), Err(common::EXDEV));
        }
        vm.create_ram(HOLE, ALL, callback).unwrap();
    });
}

/// What is there already is left alone, before and after.
#[test]
fn frames_that_are_present_stay() {
    with_vm(0, 0, |m, vm, callback| {
        let ram = m.a.ram().gfn.raw() as usize * PAGE;
        let r = vm.reserve(ram, 2 * PAGE, callback).unwrap();
        let frame = m.frame(ram);
        assert_eq!(
            m.hypercalls(|| vm.map(r, &Frames::new(PRESENT, 12))),
            (0, 0)
        );
        assert_eq!(m.hypercalls(|| vm.free(r)), (0, 0));
        assert_eq!(m.frame(ram), frame);
    });
}

/// The first access maps all of it, the second is for the callback.
#[test]
fn deferred_mapping() {
    with_vm(DEFER, 2, |m, vm, callback| {
        let r = vm.reserve(HOLE, 3 * PAGE, callback).unwrap();
        let frames = Frames::new(RAM, 12);
        assert_eq!(m.hypercalls(|| vm.map(r, &frames)), (0, 0));
        assert_eq!(vm.map(r, &frames), EBUSY);
        assert!(frames.asked.borrow().is_empty());
        // B5: a failure is tried again.
        m.allow(1024 + 2);
        assert_eq!(vm.fault(HOLE + 2 * PAGE, 4), ERROR);
        assert_eq!(vm.last_error(), E2BIG);
        assert_eq!(m.frame(HOLE), Frame::Empty);
        assert_eq!(vm.fault(HOLE, 4), ERROR);
        m.allow(1024 + 3);
        frames.asked.borrow_mut().clear();
        assert_eq!(vm.fault(HOLE + 2 * PAGE, 4), RESTART);
        assert_eq!(*frames.asked.borrow(), [HOLE, HOLE + PAGE, HOLE + 2 * PAGE]);
        assert_eq!(m.pages(), 1024 + 3);
        assert!(callback.take().is_empty());
        assert_eq!(vm.fault(HOLE + 2 * PAGE, 4), HANDLED);
        assert_eq!(callback.take().len(), 1);
        assert_eq!(vm.free(r), 0);
        // Freed before it was mapped; mapped now although others are deferred.
        let r = vm.reserve(HOLE, 3 * PAGE, callback).unwrap();
        assert_eq!(vm.map(r, &frames), 0);
        assert_eq!(vm.free(r), 0);
        let r = vm.reserve(HOLE, 3 * PAGE, callback).unwrap();
        assert_eq!(vm.map_now(r, &frames), 0);
        assert_eq!(m.pages(), 1024 + 3);
        assert_eq!(vm.free(r), 0);
        // The library's own mappings.
        for (zero, device) in [(true, false), (false, false), (false, true)] {
            let r = vm.reserve(HOLE, 2 * PAGE, callback).unwrap();
            if device {
                m.permit(m.device.frame(), true);
                m.permit(m.device.frame() + 1, true);
                assert_eq!(vm.map_mmio(r, m.device.frame() * 4096), 0);
            } else {
                assert_eq!(vm.map_ram(r, zero), 0);
            }
            assert_eq!(m.frame(HOLE), Frame::Empty);
            assert_eq!(vm.fault(HOLE + PAGE, 1), RESTART);
            assert_ne!(m.frame(HOLE), Frame::Empty);
            assert_eq!(vm.free(r), 0);
        }
        // An iterator that has nothing, and then has.
        let r = vm.reserve(HOLE, PAGE, callback).unwrap();
        let frames = Frames::new(RAM, 12);
        frames.fail_at.set(Some(0));
        assert_eq!(vm.map(r, &frames), 0);
        assert_eq!((vm.fault(HOLE, 4), vm.last_error()), (ERROR, EINVAL));
        assert_eq!((vm.fault(HOLE, 4), vm.last_error()), (RESTART, 0));
    });
}

/// Where no access can come nothing is deferred to one.
#[test]
fn nothing_is_deferred_in_vain() {
    with_vm(DEFER, 0, |_, vm, callback| {
        let r = vm.reserve(HOLE, PAGE, callback).unwrap();
        assert_eq!(vm.map(r, &Frames::new(RAM, 12)), EOPNOTSUPP);
        assert_eq!(vm.map_ram(r, false), EOPNOTSUPP);
        assert_eq!(vm.map_now(r, &Frames::new(RAM, 12)), 0);
    });
}

/// An iterator that touches the reservation it is asked about.
#[test]
fn iterators_can_not_free_what_they_map() {
    with_vm(0, 0, |_, vm, callback| {
        struct Cookie {
            vm: *mut ffi::xg_vm,
            asked: usize,
        }
        unsafe extern "C" fn iterator(
            addr: usize,
            cookie: *mut std::ffi::c_void,
        ) -> ffi::xg_vm_frame {
            // SAFETY: the test's cookie; the vm is there.
            unsafe {
                let cookie = &mut *cookie.cast::<Cookie>();
                cookie.asked += 1;
                let r = ffi::xg_vm_find(cookie.vm, addr);
                assert_eq!(ffi::xg_vm_free(cookie.vm, r), EBUSY);
                assert_eq!(ffi::xg_vm_fini(cookie.vm), EBUSY);
                assert_eq!(ffi::xg_vm_map_ram(cookie.vm, r, false), EBUSY);
                assert_eq!(
                    ffi::xg_vm_fault(cookie.vm, std::ptr::null_mut(), addr, 1),
                    ERROR
                );
                let mut other = std::ptr::null_mut();
                assert_eq!(
                    ffi::xg_vm_guard(cookie.vm, addr + (1 << 30), 1, &mut other),
                    0
                );
            }
            ffi::xg_vm_frame {
                frame: RAM,
                rights: ALL,
                vaddr: addr,
                size_bits: 12,
            }
        }
        let r = vm.reserve(HOLE, 2 * PAGE, callback).unwrap();
        let mut cookie = Cookie {
            vm: vm.raw(),
            asked: 0,
        };
        // SAFETY: the vm is there, and the cookie the iterator's.
        let rc = unsafe {
            ffi::xg_vm_map_now(
                vm.raw(),
                r,
                Some(iterator),
                std::ptr::from_mut(&mut cookie).cast(),
            )
        };
        assert_eq!((rc, cookie.asked, vm.count()), (0, 2, 3));
    });
}

/// Both sides see one page.
#[test]
fn created_ram_is_shared() {
    with_vm(0, 0, |m, vm, callback| {
        let before = m.picture(vm, 2);
        let (r, window) = vm.create_ram(HOLE, ALL, callback).unwrap();
        assert_eq!(m.a.access(HOLE as u64 + 8, 8, None), Access::Done(0));
        // SAFETY: the window is there until the reservation is freed.
        unsafe { window.add(8).write_volatile(0x42) };
        assert_eq!(m.a.access(HOLE as u64 + 8, 8, None), Access::Done(0x42));
        m.a.access(HOLE as u64 + 0xfff, 1, Some(9));
        // SAFETY: as above.
        assert_eq!(unsafe { window.add(0xfff).read_volatile() }, 9);
        // D8: it can be found, and freed.
        assert_eq!(vm.find(HOLE), Some(r));
        assert_eq!(vm.free(r), 0);
        assert_eq!(m.picture(vm, 2), before);
    });
}

#[test]
fn created_device_memory_is_shared() {
    with_manager(World::default(), |m| {
        let callback = Callback::returning(HANDLED);
        let vm = m.vm(Setup {
            flags: ffi::XG_VM_PERMIT_MMIO,
            vcpus: 0,
            ..m.setup()
        });
        let addr = m.device.frame() as usize * PAGE;
        let before = m.picture(&vm, 2);
        let (r, window) = vm.create_mmio(addr, ALL, &callback).unwrap();
        m.device.write(0x20, 0x1234);
        assert_eq!(
            m.a.access(addr as u64 + 0x20, 4, None),
            Access::Done(0x1234)
        );
        // SAFETY: the window is there until the reservation is freed.
        let seen = unsafe { window.add(0x20).cast::<u32>().read_volatile() };
        assert_eq!(seen, 0x1234);
        assert_eq!(vm.free(r), 0);
        assert_eq!(m.picture(&vm, 2), before);
        // Nobody's: nothing is left.
        assert_eq!(vm.create_mmio(HOLE, ALL, &callback).map(|_| ()), Err(EPERM));
        assert_eq!(m.picture(&vm, 2), before);
        // Without a number of its own it can't be seen.
        let blind = m.vm(Setup {
            own_number: SELF,
            vcpus: 0,
            ..m.setup()
        });
        assert_eq!(
            blind.create_mmio(addr, ALL, &callback).map(|_| ()),
            Err(EOPNOTSUPP)
        );
    });
}

/// What can be done, and the errors of what can't.
#[test]
fn caps_by_caller() {
    let plain = DomainConfig::default();
    let all = CAPS | ffi::XG_VM_CAP_TRAP;
    let refusals = |vm: &Vm| {
        [
            ffi::XG_VM_RAM,
            ffi::XG_VM_WINDOW,
            ffi::XG_VM_MMIO,
            ffi::XG_VM_TRAP,
        ]
        .map(|what| vm.refusal(what))
    };
    // A control domain.
    with_manager(World::default(), |m| {
        assert_eq!(m.vm(m.setup()).caps(), all);
        let without = m.vm(Setup {
            vcpus: 0,
            ..m.setup()
        });
        assert_eq!(without.caps(), CAPS);
        assert_eq!(refusals(&without), [0, 0, 0, EOPNOTSUPP]);
        assert_eq!(without.refusal(9), EINVAL);
        // Not a place for each vCPU.
        let few = m.vm(Setup {
            vcpus: 1,
            ..m.setup()
        });
        assert_eq!(refusals(&few), [0, 0, 0, vm::ENOSPC]);
        // Nobody.
        let nobody = Setup {
            dom: 77,
            ..m.setup()
        };
        assert_eq!(Vm::try_new(m.guest.as_raw(), nobody).err(), Some(-3));
    });
    // Without a region nothing can be seen.
    let world = World {
        region: 0,
        ..World::default()
    };
    with_manager(world, |m| {
        let vm = m.vm(m.setup());
        assert_eq!(refusals(&vm), [0, EOPNOTSUPP, 0, vm::ENOSPC]);
        let callback = Callback::returning(HANDLED);
        let r = vm.reserve(HOLE, PAGE, &callback).unwrap();
        assert_eq!(vm.map_ram(r, true), EOPNOTSUPP);
        assert_eq!(vm.map_ram(r, false), 0);
        assert_eq!(
            vm.create_ram(HOLE + PAGE, ALL, &callback).map(|_| ()),
            Err(EOPNOTSUPP)
        );
        assert_eq!(
            vm.create_ram(HOLE + PAGE, READ, &callback).map(|_| ()),
            Err(vm::ENOSPC)
        );
    });
    // A plain domain and another one.
    for policy in [Policy::Open, Policy::Silo] {
        let world = World {
            manager: plain.clone(),
            policy,
            ..World::default()
        };
        with_manager(world, |m| {
            let vm = m.vm(m.setup());
            assert_eq!(refusals(&vm), [EPERM; 4]);
            assert_eq!(vm.caps(), 0);
            let callback = Callback::returning(HANDLED);
            let r = vm.reserve(HOLE, PAGE, &callback).unwrap();
            assert_eq!(vm.map_ram(r, false), EPERM);
            assert_eq!(vm.map_mmio(r, 0), EPERM);
            assert_eq!(vm.map(r, &Frames::new(RAM, 12)), EPERM);
            assert_eq!(vm.map(r, &Frames::new(mmio(1), 12)), EPERM);
            assert_eq!(
                vm.create_ram(HOLE + PAGE, ALL, &callback).map(|_| ()),
                Err(EPERM)
            );
            assert_eq!(
                vm.create_ram(HOLE + PAGE, 0, &callback).map(|_| ()),
                Err(EPERM)
            );
            assert_eq!(
                vm.create_mmio(HOLE + PAGE, READ, &callback).map(|_| ()),
                Err(EPERM)
            );
            assert_eq!(vm.count(), 1);
        });
    }
    // A reservation that must be able to call back.
    with_vm(ffi::XG_VM_REQUIRE_TRAP, 0, |_, vm, callback| {
        assert_eq!(vm.reserve(HOLE, PAGE, callback), Err(EOPNOTSUPP));
        vm.guard(HOLE, PAGE).unwrap();
    });
}

/// A Xen without device models or domctls, or with a version of those
/// that is not known here.
#[test]
fn caps_by_xen() {
    // The questions for RAM, windows, device memory and vCPUs, in this order.
    for (nth, errno, want) in [
        (1, EPERM, [EPERM, 0, 0, 0]),
        (2, EPERM, [0, EPERM, 0, 0]),
        (3, ENOSYS, [0, 0, EOPNOTSUPP, 0]),
        (3, EACCES, [0, 0, EOPNOTSUPP, 0]),
        (4, ENOSYS, [0, 0, 0, EOPNOTSUPP]),
        (4, EPERM, [0, 0, 0, EPERM]),
    ] {
        with_manager(World::default(), |m| {
            m.xen.fail_hypercall(m.dom0.domid(), nth, errno);
            let vm = m.vm(m.setup());
            for (what, want) in want.into_iter().enumerate() {
                assert_eq!(vm.refusal(what as u32), want, "call {nth}, {errno}");
            }
        });
    }
}
