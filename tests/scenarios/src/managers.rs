// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guest memory: who may manage whose, devices that both sides see, memory
//! that comes with the first access, and libsel4vm's names.

use core::cell::Cell;
use core::ffi::{c_int, c_void};
use core::ptr;

use xen_guest::ffi::{self, abi, xg_vm, xg_vm_reservation};
use xen_guest::{DomId, PAGE_SIZE};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{self, A, B, Control};
use crate::domctls::{about, read};
use crate::guest_memory::{
    ABORTED, ALL, DEVICE, E2BIG, EOPNOTSUPP, Kept, READ, Vm, emulate, limit, with_vm,
};
use crate::memory::{NOBODY, window_gfn};

const EPERM: i64 = -1;
const ESRCH: i64 = -3;
const ENOSPC: i64 = -28;

/// Ranges of one server, as far as they do not touch.
const RANGES: u64 = 256;

// As in include/sel4vm.
#[allow(improper_ctypes)] // Xen's structures of no members on Arm
unsafe extern "C" {
    fn vm_memory_init(vm: *mut xg_vm, config: *const ffi::xg_vm_config) -> c_int;
    fn vm_memory_fini(vm: *mut xg_vm) -> c_int;
    fn vm_last_error(vm: *const xg_vm) -> c_int;
    fn vm_reserve_memory_at(
        vm: *mut xg_vm,
        addr: usize,
        size: usize,
        fault_callback: ffi::xg_vm_fault_fn,
        cookie: *mut c_void,
    ) -> *mut xg_vm_reservation;
    fn vm_free_reserved_memory(vm: *mut xg_vm, reservation: *mut xg_vm_reservation) -> c_int;
    fn vm_reservation_at(vm: *mut xg_vm, addr: usize) -> *mut xg_vm_reservation;
    fn create_allocated_reservation_frame(
        vm: *mut xg_vm,
        addr: usize,
        rights: u32,
        alloc_fault_callback: ffi::xg_vm_fault_fn,
        alloc_fault_cookie: *mut c_void,
    ) -> *mut c_void;
    fn map_ut_alloc_reservation_with_base_paddr(
        vm: *mut xg_vm,
        paddr: usize,
        reservation: *mut xg_vm_reservation,
    ) -> c_int;
    fn map_frame_alloc_reservation(vm: *mut xg_vm, reservation: *mut xg_vm_reservation) -> c_int;
    fn map_maybe_device_reservation(vm: *mut xg_vm, reservation: *mut xg_vm_reservation) -> c_int;
}

fn refusal(vm: &Vm, what: u32) -> i64 {
    // SAFETY: initialised.
    unsafe { ffi::xg_vm_refusal(vm.raw(), what).into() }
}

/// What a domain may do with its own memory, another's and nobody's.
pub(crate) fn who_may_manage(cx: &mut Cx<'_, '_>) -> Verdict {
    let most = cx.tell(A, |d| about(d, abi::XENMEM_maximum_reservation)) as u64;
    let gfn = cx.tell(A, |d| window_gfn(d, 0) as i64) as usize;
    let at = gfn * PAGE_SIZE;
    let kept = Kept::new(ptr::null_mut());
    let itself = DomId::SELF.raw();
    // Where an x86 Xen looks at the frames first, it does not say who may.
    let mmio = match cx.x86("who may map devices is seen when it is done") {
        true => 0,
        false => EPERM,
    };
    // RAM, windows, device memory, traps.
    let whose: [(&str, Role, u16, [i64; 4]); 3] = [
        (
            "another's memory",
            A,
            B.raw(),
            [EPERM, EPERM, mmio, EOPNOTSUPP],
        ),
        (
            "the control domain's",
            A,
            Control.raw(),
            [EPERM, EPERM, mmio, EOPNOTSUPP],
        ),
        ("its own", A, itself, [0, EOPNOTSUPP, mmio, EOPNOTSUPP]),
    ];
    for (what, role, dom, refusals) in whose {
        let vm = Vm::new();
        let rc = cx.step(role, format_args!("manage {what}"), |d| {
            vm.init_for(d, dom, false, 0)
        });
        cx.check(rc, 0)?;
        for (number, want) in (0..).zip(refusals) {
            let call = format_args!("capability {number}");
            let rc = cx.step(role, call, |_| refusal(&vm, number));
            cx.check(rc, want)?;
        }
        let rc = cx.step(role, format_args!("reserve"), |_| vm.reserve(at, 1, &kept));
        cx.check(rc, 0)?;
        let rc = cx.step(role, format_args!("back it"), |_| vm.map_ram(&kept, false));
        cx.check(rc, if dom == itself { E2BIG } else { EPERM })?;
        if dom == itself {
            limit(cx, most + 1)?;
            let rc = cx.step(role, format_args!("back it"), |_| vm.map_ram(&kept, false));
            cx.check(rc, 0)?;
            let value = cx.step(role, format_args!("write and read"), |d| {
                d.memory.access(at as u64, 4, Some(7));
                read(d, at as u64).map_or(ABORTED, |value| value as i64)
            });
            cx.check(value, 7)?;
        }
        let rc = cx.step(role, format_args!("end"), |_| vm.fini());
        cx.check(rc, 0)?;
        if dom == itself {
            limit(cx, most)?;
            cx.sees("nothing", at, ABORTED)?;
        }
    }
    let vm = Vm::new();
    cx.manage(format_args!("manage nobody's"), ESRCH, |d| {
        vm.init_for(d, NOBODY, false, 0)
    })
}

fn create_mmio(vm: &Vm, at: usize, rights: u32, kept: &Kept, window: &Cell<*mut u32>) -> i64 {
    let (mut reservation, mut va) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: initialised; the cookie lives as long as the vm.
    let rc = unsafe {
        ffi::xg_vm_create_mmio(
            vm.raw(),
            at,
            rights,
            Some(emulate),
            vm.cookie(),
            &mut reservation,
            &mut va,
        )
    };
    kept.set(reservation);
    window.set(va.cast());
    rc.into()
}

/// The machine's clock, at its own address in A and in a window here.
pub(crate) fn a_device_that_both_see(cx: &mut Cx<'_, '_>) -> Verdict {
    let clock = cx.tell(Control, |d| d.memory.device_frame() as i64) as usize * PAGE_SIZE;
    let kept = Kept::new(ptr::null_mut());
    let window = Cell::new(ptr::null_mut());
    with_vm(cx, false, 0, |cx, vm| {
        cx.manage(format_args!("a device without permission"), EPERM, |_| {
            create_mmio(vm, clock, ALL, &kept, &window)
        })
    })?;
    with_vm(cx, false, ffi::XG_VM_PERMIT_MMIO, |cx, vm| {
        cx.manage(format_args!("a device that both see"), 0, |_| {
            create_mmio(vm, clock, ALL, &kept, &window)
        })?;
        cx.manage(format_args!("the clock, here"), 0x3110, |_| {
            // SAFETY: the device's window, until it is freed.
            let number = |at| unsafe { window.get().byte_add(at).read_volatile() };
            (i64::from(number(0xfe0)) << 8) | i64::from(number(0xfe4))
        })?;
        cx.sees("the clock", clock + 0xfe0, 0x31)?;
        cx.manage(format_args!("free it"), 0, |_| vm.free(&kept))?;
        cx.sees("nothing", clock + 0xfe0, ABORTED)
    })
}

/// A reads the clock by way of us, and its writes do not come to it.
pub(crate) fn a_device_for_reading(cx: &mut Cx<'_, '_>) -> Verdict {
    let clock = cx.tell(Control, |d| d.memory.device_frame() as i64) as usize * PAGE_SIZE;
    let kept = Kept::new(ptr::null_mut());
    let window = Cell::new(ptr::null_mut());
    with_vm(cx, true, 0, |cx, vm| {
        cx.manage(format_args!("a device for reading"), 0, |_| {
            create_mmio(vm, clock, READ, &kept, &window)
        })?;
        let [value, served] = cx.at_work(
            "read, write, read, read unaligned",
            &mut |d| {
                let at = clock as u64 + 0xfe0;
                let first = read(d, at);
                let wrote = d.memory.access(at, 4, Some(0));
                let second = read(d, at + 4);
                let bytes = d.memory.access(at + 1, 2, None);
                let same = first == Some(0x31) && second == Some(0x10) && wrote == Some(0);
                i64::from(same && bytes == Some(0xffff))
            },
            &mut |d| vm.serve(d, 4),
        );
        cx.check(value, 1)?;
        cx.check(served, 4)?;
        // Not of what: the clock is elsewhere on each machine.
        let calls = cx.step(Control, format_args!("the callback's calls"), |_| {
            vm.seen() >> 32
        });
        cx.check(calls, 1)
    })
}

/// RAM that comes with A's first access, which is done on it.
pub(crate) fn memory_on_demand(cx: &mut Cx<'_, '_>) -> Verdict {
    let most = cx.tell(A, |d| about(d, abi::XENMEM_maximum_reservation)) as u64;
    let gfn = cx.tell(A, |d| window_gfn(d, 0) as i64) as usize;
    let at = gfn * PAGE_SIZE;
    let kept = Kept::new(ptr::null_mut());
    with_vm(cx, true, ffi::XG_VM_DEFER, |cx, vm| {
        cx.manage(format_args!("reserve 2 pages"), 0, |_| {
            vm.reserve(at, 2, &kept)
        })?;
        cx.manage(format_args!("back them, later"), 0, |_| {
            vm.map_ram(&kept, true)
        })?;
        // There is none to be had yet.
        let [value, served] = cx.at_work(
            "read",
            &mut |d| read(d, at as u64).map_or(ABORTED, |value| value as i64),
            &mut |d| vm.serve(d, 1),
        );
        cx.check(value, 0xffff_ffff)?;
        cx.check(served, 1)?;
        limit(cx, most + 2)?;
        let [value, served] = cx.at_work(
            "write, and read",
            &mut |d| {
                let wrote = d.memory.access(at as u64 + 0x18, 8, Some(0x1234_5678_9abc));
                let there = d.memory.access(at as u64 + 0x18, 8, None);
                let zero = d.memory.access(at as u64 + 0x1ff8, 8, None);
                let good = there == Some(0x1234_5678_9abc) && zero == Some(0);
                i64::from(wrote == Some(0) && good)
            },
            &mut |d| vm.serve(d, 1),
        );
        cx.check(value, 1)?;
        cx.check(served, 1)?;
        let calls = cx.step(Control, format_args!("the callback's calls"), |_| {
            vm.seen() >> 32
        });
        cx.check(calls, 0)
    })?;
    limit(cx, most)
}

/// Xen has room for so many trapped ranges, and they can all be given back.
pub(crate) fn trapped_ranges_run_out(cx: &mut Cx<'_, '_>) -> Verdict {
    let range = |index: u64| DEVICE as u64 + 0x2000 * index;
    with_vm(cx, true, 0, |cx, vm| {
        // SAFETY: initialised.
        let server = |vm: &Vm| unsafe { &raw mut (*vm.raw()).ioreq };
        cx.manage(format_args!("trap ranges"), ENOSPC, |_| {
            let map = |index| {
                let first = range(index);
                // SAFETY: a server.
                unsafe { ffi::xg_ioreq_map_range(server(vm), first, first + 0xfff) }
            };
            match (0..RANGES).map(map).find(|rc| *rc != 0) {
                Some(rc) => rc.into(),
                None => map(RANGES).into(),
            }
        })?;
        cx.manage(format_args!("trap them no more"), 0, |_| {
            let unmap = |index| {
                let first = range(index);
                // SAFETY: a server.
                i64::from(unsafe { ffi::xg_ioreq_unmap_range(server(vm), first, first + 0xfff) })
            };
            (0..RANGES).map(unmap).sum()
        })
    })
}

/// The names do what the calls beneath them do.
pub(crate) fn libsel4vm_names(cx: &mut Cx<'_, '_>) -> Verdict {
    let most = cx.tell(A, |d| about(d, abi::XENMEM_maximum_reservation)) as u64;
    let gfn = cx.tell(A, |d| window_gfn(d, 0) as i64) as usize;
    let clock = cx.tell(Control, |d| d.memory.device_frame() as i64) as usize * PAGE_SIZE;
    let at = gfn * PAGE_SIZE;
    let vm = Vm::new();
    let hook: ffi::xg_vm_fault_fn = Some(emulate);
    limit(cx, most + 3)?;
    let rc = cx.as_current(Control, format_args!("vm_memory_init"), |d| {
        let config = vm.config(d, A.raw(), false, ffi::XG_VM_PERMIT_MMIO);
        // SAFETY: the guest is current; the storage stays.
        unsafe { vm_memory_init(vm.raw(), &config).into() }
    });
    cx.check(rc, 0)?;
    let verdict = names(cx, &vm, hook, [at, clock]);
    cx.manage(format_args!("vm_memory_fini"), 0, |_| {
        // SAFETY: initialised.
        unsafe { vm_memory_fini(vm.raw()).into() }
    })?;
    cx.sees("nothing", at, ABORTED)?;
    limit(cx, most)?;
    verdict
}

fn names(
    cx: &mut Cx<'_, '_>,
    vm: &Vm,
    hook: ffi::xg_vm_fault_fn,
    [at, clock]: [usize; 2],
) -> Verdict {
    let (two, device) = (at + PAGE_SIZE, at + 3 * PAGE_SIZE);
    cx.manage(
        format_args!("create_allocated_reservation_frame"),
        0,
        |_| {
            // SAFETY: initialised; the window is there until the page is freed.
            unsafe {
                let window =
                    create_allocated_reservation_frame(vm.raw(), at, ALL, hook, vm.cookie());
                if window.is_null() {
                    return vm_last_error(vm.raw()).into();
                }
                window.cast::<u32>().add(1).write_volatile(0x5e14);
            }
            0
        },
    )?;
    cx.sees("what was written there", at + 4, 0x5e14)?;
    let call = format_args!("create_allocated_reservation_frame for reading");
    cx.manage(call, EOPNOTSUPP, |_| {
        // SAFETY: initialised.
        unsafe {
            let window = create_allocated_reservation_frame(vm.raw(), two, READ, hook, vm.cookie());
            assert!(window.is_null());
            vm_last_error(vm.raw()).into()
        }
    })?;
    type Map = unsafe extern "C" fn(*mut xg_vm, *mut xg_vm_reservation) -> c_int;
    let maps: [(&str, Map); 2] = [
        ("map_frame_alloc_reservation", map_frame_alloc_reservation),
        ("map_maybe_device_reservation", map_maybe_device_reservation),
    ];
    for (name, map) in maps {
        cx.manage(format_args!("{name}"), 0, |_| {
            // SAFETY: initialised.
            unsafe {
                let raw = vm.raw();
                let r = vm_reserve_memory_at(raw, two, 2 * PAGE_SIZE, hook, vm.cookie());
                map(raw, r).into()
            }
        })?;
        let wrote = cx.step(A, format_args!("write and read"), |d: &Domain<'_>| {
            d.memory.access(two as u64 + 0x1000, 4, Some(0x77));
            read(d, two as u64 + 0x1000).map_or(ABORTED, |value| value as i64)
        });
        cx.check(wrote, 0x77)?;
        cx.manage(format_args!("vm_free_reserved_memory"), 0, |_| {
            // SAFETY: initialised.
            unsafe { vm_free_reserved_memory(vm.raw(), vm_reservation_at(vm.raw(), two)).into() }
        })?;
        cx.sees("nothing", two + PAGE_SIZE, ABORTED)?;
    }
    let call = format_args!("map_ut_alloc_reservation_with_base_paddr");
    cx.manage(call, 0, |_| {
        // SAFETY: initialised.
        unsafe {
            let raw = vm.raw();
            let r = vm_reserve_memory_at(raw, device, PAGE_SIZE, hook, vm.cookie());
            map_ut_alloc_reservation_with_base_paddr(raw, clock + 0x800, r).into()
        }
    })?;
    cx.sees("the clock", device + 0xfe0, 0x31)
}
