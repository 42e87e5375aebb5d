// SPDX-License-Identifier: MIT OR Apache-2.0
//! libsel4vm's names: that each does what it says, and how an access looks
//! through them.

#![cfg(feature = "sim")]

mod common;
mod vm;

use std::ffi::{c_int, c_void};
use std::ptr;

use vm::manager::{HOLE, World, with_manager};
use vm::{Callback, EINVAL, ENOSPC, ERROR, Frames, HANDLED, PAGE, READ, Setup, UNHANDLED, mmio};
use xen_guest::ffi::{self, xg_vm, xg_vm_reservation, xg_vm_vcpu};
use xen_guest::sim::{Access, Frame};

type Fault = ffi::xg_vm_fault_fn;
type Iterator = ffi::xg_vm_iterator_fn;

// As in include/sel4vm.
unsafe extern "C" {
    fn vm_memory_init(vm: *mut xg_vm, config: *const ffi::xg_vm_config) -> c_int;
    fn vm_memory_fini(vm: *mut xg_vm) -> c_int;
    fn vm_memory_caps(vm: *const xg_vm) -> u32;
    fn vm_memory_serve(vm: *mut xg_vm) -> u32;
    fn vm_last_error(vm: *const xg_vm) -> c_int;
    fn vm_reserve_memory_at(
        vm: *mut xg_vm,
        addr: usize,
        size: usize,
        fault_callback: Fault,
        cookie: *mut c_void,
    ) -> *mut xg_vm_reservation;
    fn vm_reserve_anon_memory(
        vm: *mut xg_vm,
        size: usize,
        align: usize,
        fault_callback: Fault,
        cookie: *mut c_void,
        addr: *mut usize,
    ) -> *mut xg_vm_reservation;
    fn vm_memory_make_anon(vm: *mut xg_vm, addr: usize, size: usize) -> c_int;
    fn vm_free_reserved_memory(vm: *mut xg_vm, reservation: *mut xg_vm_reservation) -> c_int;
    fn vm_reservation_at(vm: *mut xg_vm, addr: usize) -> *mut xg_vm_reservation;
    fn vm_get_reservation_memory_region(
        reservation: *mut xg_vm_reservation,
        addr: *mut usize,
        size: *mut usize,
    );
    fn vm_map_reservation(
        vm: *mut xg_vm,
        reservation: *mut xg_vm_reservation,
        map_iterator: Iterator,
        cookie: *mut c_void,
    ) -> c_int;
    fn map_vm_memory_reservation(
        vm: *mut xg_vm,
        reservation: *mut xg_vm_reservation,
        map_iterator: Iterator,
        cookie: *mut c_void,
    ) -> c_int;
    fn vm_map_reservation_frames(
        vm: *mut xg_vm,
        reservation: *mut xg_vm_reservation,
        frames: *mut u64,
        num_frames: usize,
        frame_size_bits: usize,
    ) -> c_int;
    fn vm_memory_handle_fault(
        vm: *mut xg_vm,
        vcpu: *mut xg_vm_vcpu,
        addr: usize,
        size: usize,
    ) -> c_int;
    fn vm_register_unhandled_mem_fault_callback(
        vm: *mut xg_vm,
        fault_handler: Fault,
        cookie: *mut c_void,
    ) -> c_int;
    fn default_error_fault_callback(
        vm: *mut xg_vm,
        vcpu: *mut xg_vm_vcpu,
        fault_addr: usize,
        fault_length: usize,
        cookie: *mut c_void,
    ) -> c_int;
    fn create_allocated_reservation_frame(
        vm: *mut xg_vm,
        addr: usize,
        rights: u32,
        alloc_fault_callback: Fault,
        alloc_fault_cookie: *mut c_void,
    ) -> *mut c_void;
    fn create_device_reservation_frame(
        vm: *mut xg_vm,
        addr: usize,
        rights: u32,
        fault_callback: Fault,
        fault_cookie: *mut c_void,
    ) -> *mut c_void;
    fn map_ut_alloc_reservation_with_base_paddr(
        vm: *mut xg_vm,
        paddr: usize,
        reservation: *mut xg_vm_reservation,
    ) -> c_int;
    fn map_ut_alloc_reservation(vm: *mut xg_vm, reservation: *mut xg_vm_reservation) -> c_int;
    fn map_frame_alloc_reservation(vm: *mut xg_vm, reservation: *mut xg_vm_reservation) -> c_int;
    fn map_maybe_device_reservation(vm: *mut xg_vm, reservation: *mut xg_vm_reservation) -> c_int;
    fn get_vcpu_fault_address(vcpu: *mut xg_vm_vcpu) -> usize;
    fn get_vcpu_fault_ip(vcpu: *mut xg_vm_vcpu) -> usize;
    fn get_vcpu_fault_data(vcpu: *mut xg_vm_vcpu) -> usize;
    fn get_vcpu_fault_data_mask(vcpu: *mut xg_vm_vcpu) -> usize;
    fn get_vcpu_fault_size(vcpu: *mut xg_vm_vcpu) -> usize;
    fn is_vcpu_read_fault(vcpu: *mut xg_vm_vcpu) -> bool;
    fn set_vcpu_fault_data(vcpu: *mut xg_vm_vcpu, data: usize) -> c_int;
    fn emulate_vcpu_fault(vcpu: *mut xg_vm_vcpu, data: usize) -> usize;
    fn advance_vcpu_fault(vcpu: *mut xg_vm_vcpu);
    fn restart_vcpu_fault(vcpu: *mut xg_vm_vcpu);
}

/// A device with one register, as a libsel4vm program writes it.
unsafe extern "C" fn register(
    _vm: *mut xg_vm,
    vcpu: *mut xg_vm_vcpu,
    addr: usize,
    size: usize,
    cookie: *mut c_void,
) -> c_int {
    // SAFETY: a vCPU with an access, and a number.
    unsafe {
        let value = &mut *cookie.cast::<usize>();
        assert_eq!(
            (get_vcpu_fault_address(vcpu), get_vcpu_fault_size(vcpu)),
            (addr, size)
        );
        assert_eq!(get_vcpu_fault_ip(vcpu), 0);
        if is_vcpu_read_fault(vcpu) {
            assert_eq!(set_vcpu_fault_data(vcpu, *value), 0);
        } else {
            *value = emulate_vcpu_fault(vcpu, *value);
        }
        advance_vcpu_fault(vcpu);
    }
    HANDLED
}

#[test]
fn every_name() {
    with_manager(World::default(), |m| {
        // SAFETY: the guest outlives what follows; it is this thread's.
        unsafe { m.guest.make_current() };
        // Its storage is set up by the core's name, then again by this one.
        let vm = m.vm(m.setup());
        assert_eq!(vm.fini(), 0);
        let raw = vm.raw();
        let state = vm.state();
        let mut ports = [0u32; 2];
        let config = ffi::xg_vm_config {
            dom: m.id(),
            self_: 0,
            flags: ffi::XG_VM_PERMIT_MMIO,
            slots: state.slots,
            order: state.order,
            nr_slots: state.nr_slots,
            pools: state.pools,
            nr_pools: state.max_pools,
            vcpus: vm.vcpu(0),
            ports: ports.as_mut_ptr(),
            nr_vcpus: 2,
            handler: None,
            data: ptr::null_mut(),
            own: state.own,
        };
        let mut value = 0x4433_2211usize;
        let cookie: *mut c_void = ptr::from_mut(&mut value).cast();
        // SAFETY: as each of them says.
        unsafe {
            assert_eq!(vm_memory_init(raw, &config), 0);
            assert_eq!(vm_memory_caps(raw), vm.caps());
            let r = vm_reserve_memory_at(raw, HOLE + 8, 2 * PAGE, Some(register), cookie);
            assert!(!r.is_null(), "{}", vm_last_error(raw));
            assert!(vm_reserve_memory_at(raw, HOLE, 1, Some(register), cookie).is_null());
            assert_eq!(vm_last_error(raw), vm::EEXIST);
            let (mut addr, mut size) = (0, 0);
            vm_get_reservation_memory_region(r, &mut addr, &mut size);
            assert_eq!((addr, size), (HOLE + 8, 2 * PAGE));
            vm_get_reservation_memory_region(r, ptr::null_mut(), ptr::null_mut());
            vm_get_reservation_memory_region(ptr::null_mut(), &mut addr, &mut size);
            assert_eq!(vm_reservation_at(raw, HOLE), r);

            // The register in words, halves and bytes.
            let at = HOLE as u64;
            let access = |offset, size, write| {
                let mut pending = m.a.begin_access(at + offset, size, write);
                assert_eq!(vm_memory_serve(raw), 1);
                pending.poll()
            };
            assert_eq!(access(0, 4, None), Some(Access::Done(0x4433_2211)));
            assert_eq!(access(2, 2, None), Some(Access::Done(0x4433)));
            assert_eq!(access(3, 1, None), Some(Access::Done(0x44)));
            assert_eq!(access(1, 1, Some(0x99)), Some(Access::Done(0)));
            assert_eq!(access(2, 2, Some(0xbbaa)), Some(Access::Done(0)));
            assert_eq!(value, 0xbbaa_9911);

            assert_eq!(
                vm_memory_handle_fault(raw, ptr::null_mut(), 0, 4),
                UNHANDLED
            );
            assert_eq!(vm_free_reserved_memory(raw, r), 0);
            assert_eq!(vm_free_reserved_memory(raw, r), EINVAL);

            // Pools.
            assert_eq!(vm_memory_make_anon(raw, HOLE, 4 * PAGE), 0);
            let anon =
                vm_reserve_anon_memory(raw, PAGE, 2 * PAGE, Some(register), cookie, &mut addr);
            assert_eq!((vm_reservation_at(raw, HOLE), addr), (anon, HOLE));
            let other = vm_reserve_anon_memory(raw, 5 * PAGE, 0, Some(register), cookie, &mut addr);
            assert!(other.is_null());
            assert_eq!(vm_last_error(raw), ENOSPC);
            let no_place = ptr::null_mut();
            assert!(
                !vm_reserve_anon_memory(raw, PAGE, 0, Some(register), cookie, no_place).is_null()
            );
            assert_eq!(vm_last_error(raw), 0);

            // Mappings.
            let frames = Frames::new(vm::RAM, 12);
            let frames = ptr::from_ref(&frames).cast_mut().cast::<c_void>();
            let at = HOLE + (1 << 30);
            let fresh = || {
                let r = vm_reserve_memory_at(raw, at, 2 * PAGE, Some(register), cookie);
                assert!(!r.is_null());
                r
            };
            let is_there = |r, rc, there| {
                assert_eq!((rc, m.frame(at) != Frame::Empty), (0, there));
                assert_eq!(vm_free_reserved_memory(raw, r), 0);
                assert_eq!(m.frame(at), Frame::Empty);
            };
            let r = fresh();
            is_there(
                r,
                vm_map_reservation(raw, r, Some(vm::next_frame), frames),
                true,
            );
            let r = fresh();
            is_there(
                r,
                map_vm_memory_reservation(raw, r, Some(vm::next_frame), frames),
                true,
            );
            let r = fresh();
            is_there(r, map_frame_alloc_reservation(raw, r), true);
            let r = fresh();
            is_there(r, map_maybe_device_reservation(raw, r), true);
            let paddr = m.device.frame() as usize * PAGE;
            let r = fresh();
            is_there(
                r,
                map_ut_alloc_reservation_with_base_paddr(raw, paddr + 0x800, r),
                true,
            );
            let r = vm_reserve_memory_at(raw, paddr, PAGE, Some(register), cookie);
            assert_eq!(map_ut_alloc_reservation(raw, r), 0);
            assert_ne!(m.frame(paddr), Frame::Empty);
            assert_eq!(vm_free_reserved_memory(raw, r), 0);
            assert_eq!(map_ut_alloc_reservation(raw, ptr::null_mut()), EINVAL);
            let mut two = [mmio(m.device.frame()), mmio(m.device.frame() + 1)];
            let r = fresh();
            assert_eq!(
                vm_map_reservation_frames(raw, r, two.as_mut_ptr(), 1, 12),
                EINVAL
            );
            assert_eq!(
                vm_map_reservation_frames(raw, r, two.as_mut_ptr(), 2, 64),
                EINVAL
            );
            assert_eq!(
                vm_map_reservation_frames(raw, r, ptr::null_mut(), 2, 12),
                EINVAL
            );
            is_there(
                r,
                vm_map_reservation_frames(raw, r, two.as_mut_ptr(), 2, 12),
                true,
            );

            // Created pages.
            let window = create_allocated_reservation_frame(raw, at, READ, Some(register), cookie);
            assert!(!window.is_null());
            assert!(
                create_allocated_reservation_frame(raw, at, READ, Some(register), cookie).is_null()
            );
            assert_eq!(vm_last_error(raw), vm::EEXIST);
            assert_eq!(vm_free_reserved_memory(raw, vm_reservation_at(raw, at)), 0);
            let window =
                create_device_reservation_frame(raw, paddr, vm::ALL, Some(register), cookie);
            assert!(!window.is_null());
            assert_eq!(
                vm_free_reserved_memory(raw, vm_reservation_at(raw, paddr)),
                0
            );

            // Errors.
            let fault = Some(default_error_fault_callback as _);
            let r = vm_reserve_memory_at(raw, at, PAGE, fault, ptr::null_mut());
            assert_eq!(vm_memory_handle_fault(raw, ptr::null_mut(), at, 4), ERROR);
            assert_eq!(vm_free_reserved_memory(raw, r), 0);
            assert_eq!(
                vm_register_unhandled_mem_fault_callback(raw, fault, cookie),
                0
            );
            assert_eq!(vm_memory_fini(raw), 0);
            // Without a guest.
            ffi::xg_set_current(ptr::null_mut());
            assert_eq!(vm_memory_init(raw, &config), EINVAL);
            assert_eq!(vm_last_error(ptr::null()), EINVAL);
            assert!(vm_reserve_memory_at(ptr::null_mut(), at, 1, Some(register), cookie).is_null());
        }
    });
}

/// A read that is told to start anew once there is memory.
#[test]
fn restart() {
    with_manager(World::default(), |m| {
        let vm = m.vm(Setup { ..m.setup() });
        let callback = Callback::new(|raw, vcpu, call| {
            // SAFETY: the vm is there, and its vCPU waits.
            unsafe {
                let r = vm_reservation_at(raw, call.addr);
                assert_eq!(map_frame_alloc_reservation(raw, r), 0);
                restart_vcpu_fault(vcpu);
            }
            HANDLED
        });
        vm.reserve(HOLE, PAGE, &callback).unwrap();
        let mut pending = m.a.begin_access(HOLE as u64, 4, Some(3));
        assert_eq!(vm.serve(), 1);
        assert_eq!(pending.poll(), Some(Access::Done(0)));
        assert_eq!(m.a.access(HOLE as u64, 4, None), Access::Done(3));
    });
}

/// There is none to start anew on, and no result that could say so: an error,
/// at once or later.
#[test]
fn restart_without_memory() {
    for later in [false, true] {
        with_manager(World::default(), |m| {
            let vm = m.vm(Setup { ..m.setup() });
            let callback = Callback::new(move |_, vcpu, _| {
                if !later {
                    // SAFETY: the vCPU waits.
                    unsafe { restart_vcpu_fault(vcpu) };
                }
                HANDLED
            });
            vm.reserve(HOLE, PAGE, &callback).unwrap();
            let mut pending = m.a.begin_access(HOLE as u64, 4, None);
            assert_eq!(vm.serve(), 1);
            if later {
                assert_eq!(pending.poll(), None);
                // SAFETY: the vm is there.
                unsafe { restart_vcpu_fault(vm.vcpu(0)) };
            }
            assert_eq!(pending.poll(), Some(Access::Done(0xffff_ffff)));
            assert_eq!((vm.errors(), vm.last_error()), (1, EINVAL));
            // It does not wait any more.
            // SAFETY: as above.
            unsafe { restart_vcpu_fault(vm.vcpu(0)) };
            assert_eq!(vm.errors(), 1);
        });
    }
}

/// The lanes of a word, by libsel4vm's formula.
#[test]
fn lanes() {
    let words = [
        0,
        usize::MAX,
        0x0123_4567_89ab_cdef,
        0xfedc_ba98_7654_3210,
        0x8000_0000_0000_0001,
    ];
    for size in [0u32, 1, 2, 4, 8] {
        for offset in 0..8 {
            for write in [false, true] {
                for data in words {
                    for old in words {
                        let shift = (offset & 3) * 8;
                        let bytes = match size {
                            8 => usize::MAX,
                            _ => (1 << (8 * size)) - 1,
                        };
                        let mask = bytes << shift;
                        let want = if write {
                            (old & !mask) | (data << shift & mask)
                        } else {
                            (old & !(mask >> shift)) | (data & mask) >> shift
                        };
                        // SAFETY: a vCPU of the test's own.
                        unsafe {
                            let mut vcpu = xg_vm_vcpu {
                                addr: 0x1000 + offset,
                                size,
                                write,
                                ..std::mem::zeroed()
                            };
                            assert_eq!(set_vcpu_fault_data(&mut vcpu, data), 0);
                            assert_eq!(get_vcpu_fault_data_mask(&mut vcpu), mask);
                            assert_eq!(
                                emulate_vcpu_fault(&mut vcpu, old),
                                want,
                                "{size} bytes at {offset}, write {write}"
                            );
                            let seen = get_vcpu_fault_data(&mut vcpu);
                            assert_eq!(seen, if write { data } else { data & mask });
                        }
                    }
                }
            }
        }
    }
}
