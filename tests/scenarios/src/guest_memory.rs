// SPDX-License-Identifier: MIT OR Apache-2.0
//! The control domain manages memory of A: RAM, device memory, and pages that
//! it emulates.
//!
//! What needs traps ends early on a Xen without device models.

use core::cell::{Cell, UnsafeCell};
use core::ffi::{c_int, c_void};
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use xen_guest::PAGE_SIZE;
use xen_guest::ffi::{self, abi};

use crate::Verdict;
use crate::cx::{Concurrent, Cx};
use crate::domain::Domain;
use crate::domain::Role::{A, Control};
use crate::domctls::{about, read, there};
use crate::memory::window_gfn;

pub(crate) const E2BIG: i64 = -7;
const EEXIST: i64 = -17;
pub(crate) const EOPNOTSUPP: i64 = -95;

/// Where A has nothing, as in `emulation`.
pub(crate) const DEVICE: usize = 0x3000_0000;
/// Instead of what is read, where the access is aborted.
pub(crate) const ABORTED: i64 = -0xab;
const ALL_ONES: i64 = 0xffff_ffff;
/// How long to look for a vCPU that waits, in nanoseconds.
const PATIENCE: u64 = 4_000_000_000;

pub(crate) const READ: u32 = ffi::XG_PROT_READ;
pub(crate) const ALL: u32 = ffi::XG_PROT_READ | ffi::XG_PROT_WRITE;
const HANDLED: c_int = ffi::XG_FAULT_HANDLED as c_int;

/// A vm of the control domain, for A, with its storage. The others have one,
/// too, and never touch it.
pub(crate) struct Vm {
    vm: UnsafeCell<ffi::xg_vm>,
    slots: UnsafeCell<[ffi::xg_vm_reservation; 8]>,
    order: UnsafeCell<[u16; 8]>,
    vcpus: UnsafeCell<[ffi::xg_vm_vcpu; 1]>,
    ports: UnsafeCell<[u32; 1]>,
    pub(crate) registers: Registers,
}

// SAFETY: steps of the control domain use it, one after the other.
unsafe impl Sync for Vm {}

/// What the callback of a trapped page remembers.
#[derive(Default)]
pub(crate) struct Registers {
    pub(crate) calls: AtomicU64,
    /// Addresses, sizes and data of all accesses, in order.
    pub(crate) digest: AtomicU64,
    /// What the callback returns.
    pub(crate) result: AtomicU64,
}

/// A reservation between steps, null at first.
pub(crate) type Kept = Cell<*mut ffi::xg_vm_reservation>;

impl Vm {
    pub(crate) fn new() -> Self {
        // SAFETY: structures of integers and pointers, which the library fills.
        unsafe { core::mem::zeroed() }
    }

    pub(crate) fn raw(&self) -> *mut ffi::xg_vm {
        self.vm.get()
    }

    pub(crate) fn init(&self, d: &Domain<'_>, traps: bool, flags: u32) -> i64 {
        self.init_for(d, A.raw(), traps, flags)
    }

    /// Of domain `dom`, for the domain whose step it is.
    pub(crate) fn init_for(&self, d: &Domain<'_>, dom: u16, traps: bool, flags: u32) -> i64 {
        let config = self.config(d, dom, traps, flags);
        // SAFETY: the guest is set up; the storage stays.
        unsafe { ffi::xg_vm_init(self.raw(), d.raw(), &config).into() }
    }

    pub(crate) fn config(
        &self,
        d: &Domain<'_>,
        dom: u16,
        traps: bool,
        flags: u32,
    ) -> ffi::xg_vm_config {
        ffi::xg_vm_config {
            dom,
            self_: d.role.raw(),
            flags,
            slots: self.slots.get().cast(),
            order: self.order.get().cast(),
            nr_slots: 8,
            pools: core::ptr::null_mut(),
            nr_pools: 0,
            vcpus: self.vcpus.get().cast(),
            ports: self.ports.get().cast(),
            nr_vcpus: traps.into(),
            handler: None,
            data: core::ptr::null_mut(),
            own: ffi::xg_window::default(),
        }
    }

    pub(crate) fn fini(&self) -> i64 {
        // SAFETY: initialised.
        unsafe { ffi::xg_vm_fini(self.raw()).into() }
    }

    fn caps(&self) -> i64 {
        // SAFETY: initialised.
        unsafe { ffi::xg_vm_caps(self.raw()).into() }
    }

    pub(crate) fn cookie(&self) -> *mut c_void {
        (&raw const self.registers).cast_mut().cast()
    }

    pub(crate) fn reserve(&self, address: usize, pages: usize, kept: &Kept) -> i64 {
        let mut reservation = core::ptr::null_mut();
        // SAFETY: initialised; the cookie lives as long as the vm.
        let rc = unsafe {
            ffi::xg_vm_reserve(
                self.raw(),
                address,
                pages * PAGE_SIZE,
                Some(emulate),
                self.cookie(),
                &mut reservation,
            )
        };
        kept.set(reservation);
        rc.into()
    }

    pub(crate) fn free(&self, kept: &Kept) -> i64 {
        // SAFETY: initialised; the library checks what it is given.
        unsafe { ffi::xg_vm_free(self.raw(), kept.get()).into() }
    }

    pub(crate) fn map_ram(&self, kept: &Kept, zero: bool) -> i64 {
        // SAFETY: as above.
        unsafe { ffi::xg_vm_map_ram(self.raw(), kept.get(), zero).into() }
    }

    pub(crate) fn map_mmio(&self, kept: &Kept, address: u64) -> i64 {
        // SAFETY: as above.
        unsafe { ffi::xg_vm_map_mmio(self.raw(), kept.get(), address).into() }
    }

    /// A page with a window of ours, at which it is returned.
    fn create(&self, address: usize, rights: u32, kept: &Kept, window: &Cell<*mut u32>) -> i64 {
        let mut reservation = core::ptr::null_mut();
        let mut va = core::ptr::null_mut();
        // SAFETY: initialised; the cookie lives as long as the vm.
        let rc = unsafe {
            ffi::xg_vm_create_ram(
                self.raw(),
                address,
                rights,
                Some(emulate),
                self.cookie(),
                &mut reservation,
                &mut va,
            )
        };
        kept.set(reservation);
        window.set(va.cast());
        rc.into()
    }

    /// Serves `count` accesses; how many came.
    pub(crate) fn serve(&self, d: &Domain<'_>, count: u32) -> i64 {
        let deadline = d.memory.now() + PATIENCE;
        let mut served = 0;
        while served < count && d.memory.now() < deadline {
            // SAFETY: initialised.
            match unsafe { ffi::xg_vm_serve(self.raw()) } {
                0 => d.memory.pause(),
                some => served += some,
            }
        }
        served.into()
    }

    /// What the callback saw since it was asked last.
    pub(crate) fn seen(&self) -> i64 {
        let calls = self.registers.calls.swap(0, Ordering::Relaxed) as i64;
        let digest = self.registers.digest.swap(0, Ordering::Relaxed) as i64;
        calls << 32 | digest & 0x7fff_ffff
    }
}

/// Registers that read as their own address, the low byte inverted.
pub(crate) unsafe extern "C" fn emulate(
    _vm: *mut ffi::xg_vm,
    vcpu: *mut ffi::xg_vm_vcpu,
    address: usize,
    size: usize,
    cookie: *mut c_void,
) -> c_int {
    // SAFETY: reserved with these.
    let registers = unsafe { &*cookie.cast::<Registers>() };
    // SAFETY: the access that is under way.
    let access = unsafe { &*vcpu };
    let mut digest = registers.digest.load(Ordering::Relaxed);
    let data = if access.write {
        access.data & (u64::MAX >> (64 - 8 * size))
    } else {
        0
    };
    for number in [address as u64, size as u64, access.write.into(), data] {
        let next = (digest ^ number).wrapping_mul(0x0100_0000_01b3);
        digest = next ^ next >> 29;
    }
    registers.digest.store(digest, Ordering::Relaxed);
    registers.calls.fetch_add(1, Ordering::Relaxed);
    match registers.result.load(Ordering::Relaxed) as c_int {
        HANDLED => {
            // SAFETY: as above; the answer is for this access.
            unsafe { ffi::xg_vm_answer(vcpu, address as u64 ^ 0xff) }
        }
        result => result,
    }
}

impl<'w> Cx<'_, 'w> {
    /// A step of the control domain that is to give `want`.
    pub(crate) fn manage(
        &mut self,
        call: fmt::Arguments<'_>,
        want: i64,
        op: impl FnOnce(&Domain<'w>) -> i64,
    ) -> Verdict {
        let rc = self.step(Control, call, op);
        self.check(rc, want)
    }

    /// What A reads of 4 bytes.
    pub(crate) fn sees(&mut self, what: &str, address: usize, want: i64) -> Verdict {
        let value = self.step(A, format_args!("read {what}"), |d| {
            there(d, address as u64, 4).map_or(ABORTED, |value| value as i64)
        });
        self.check(value, want)
    }

    /// A does something that somebody has to serve, and the control domain
    /// does that.
    pub(crate) fn at_work(
        &mut self,
        what: &str,
        guest: &mut (dyn FnMut(&Domain<'w>) -> i64 + Send),
        manager: &mut (dyn FnMut(&Domain<'w>) -> i64 + Send),
    ) -> [i64; 2] {
        let steps = [
            Concurrent { role: A, op: guest },
            Concurrent {
                role: Control,
                op: manager,
            },
        ];
        self.at_once(format_args!("{what}"), steps)
    }
}

/// With a vm for A, which goes at the end however that came; not if it can't
/// trap and has to.
pub(crate) fn with_vm<'w>(
    cx: &mut Cx<'_, 'w>,
    traps: bool,
    flags: u32,
    scenario: impl FnOnce(&mut Cx<'_, 'w>, &Vm) -> Verdict,
) -> Verdict {
    let vm = Vm::new();
    cx.manage(format_args!("set up"), 0, |d| vm.init(d, traps, flags))?;
    let caps = cx.step(Control, format_args!("what it can do"), |_| vm.caps());
    let basic = ffi::XG_VM_CAP_RAM | ffi::XG_VM_CAP_WINDOW | ffi::XG_VM_CAP_MMIO;
    let trapping = caps == i64::from(basic | ffi::XG_VM_CAP_TRAP);
    let verdict = if traps && !trapping {
        cx.note("this Xen has no device models");
        refused_traps(cx, &vm)
    } else {
        cx.check(caps | i64::from(ffi::XG_VM_CAP_TRAP), 15)
            .and_then(|()| scenario(cx, &vm))
    };
    let left = cx.manage(format_args!("give everything back"), 0, |_| vm.fini());
    verdict.and(left)
}

/// What needs traps, where there are none.
fn refused_traps(cx: &mut Cx<'_, '_>, vm: &Vm) -> Verdict {
    let kept = Kept::new(core::ptr::null_mut());
    let window = Cell::new(core::ptr::null_mut());
    for rights in [0, READ] {
        let call = format_args!("a page with rights {rights}");
        cx.manage(call, EOPNOTSUPP, |_| {
            vm.create(DEVICE, rights, &kept, &window)
        })?;
    }
    cx.manage(format_args!("a reservation is booked"), 0, |_| {
        vm.reserve(DEVICE, 1, &kept)
    })?;
    cx.sees("what is only booked", DEVICE, ABORTED)
}

pub(crate) fn limit(cx: &mut Cx<'_, '_>, pages: u64) -> Verdict {
    let kib = pages * PAGE_SIZE as u64 / 1024;
    cx.manage(format_args!("set A's limit"), 0, |d| {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_domctl_max_mem(d.raw(), A.raw(), kib).into() }
    })
}

/// RAM for A: a page that the control domain sees, too, and two that it does
/// not.
pub(crate) fn memory_for_another(cx: &mut Cx<'_, '_>) -> Verdict {
    let most = cx.tell(A, |d| about(d, abi::XENMEM_maximum_reservation)) as u64;
    let gfn = cx.tell(A, |d| window_gfn(d, 0) as i64) as usize;
    let at = gfn * PAGE_SIZE;
    let two = at + PAGE_SIZE;
    let nothing = || Kept::new(core::ptr::null_mut());
    let (page, pages, other) = (nothing(), nothing(), nothing());
    let window = Cell::new(core::ptr::null_mut());
    with_vm(cx, false, 0, |cx, vm| {
        cx.manage(format_args!("a page, over the limit"), E2BIG, |_| {
            vm.create(at, ALL, &page, &window)
        })?;
        cx.sees("nothing", at, ABORTED)?;
        limit(cx, most + 3)?;
        cx.manage(format_args!("a page"), 0, |_| {
            vm.create(at, ALL, &page, &window)
        })?;
        cx.sees("zero", at + 0xffc, 0)?;
        let wrote = cx.step(A, format_args!("write"), |d| {
            let written = d.memory.access(at as u64 + 8, 4, Some(0x1234));
            i64::from(written.is_some())
        });
        cx.check(wrote, 1)?;
        cx.manage(format_args!("see it"), 0x1234, |_| {
            // SAFETY: the page's window, until it is freed.
            unsafe {
                window.get().add(3).write_volatile(0x5678);
                window.get().add(2).read_volatile().into()
            }
        })?;
        cx.sees("what was written here", at + 12, 0x5678)?;

        cx.manage(format_args!("reserve 2 pages"), 0, |_| {
            vm.reserve(two, 2, &pages)
        })?;
        cx.manage(format_args!("reserve one of them"), EEXIST, |_| {
            vm.reserve(two + PAGE_SIZE, 1, &other)
        })?;
        cx.manage(format_args!("back them"), 0, |_| vm.map_ram(&pages, true))?;
        cx.sees("zero", two + 0x1ffc, 0)?;
        cx.manage(format_args!("reserve 1 more"), 0, |_| {
            vm.reserve(two + 2 * PAGE_SIZE, 1, &other)
        })?;
        cx.manage(format_args!("back it, over the limit"), E2BIG, |_| {
            vm.map_ram(&other, false)
        })?;
        cx.manage(format_args!("free 2 pages"), 0, |_| vm.free(&pages))?;
        cx.sees("nothing", two, ABORTED)?;
        cx.manage(format_args!("back the other"), 0, |_| {
            vm.map_ram(&other, false)
        })
    })?;
    cx.sees("nothing", at, ABORTED)?;
    cx.sees("nothing", two + 2 * PAGE_SIZE, ABORTED)?;
    limit(cx, most)
}

/// The machine's clock, at its own and at another address.
pub(crate) fn devices_for_another(cx: &mut Cx<'_, '_>) -> Verdict {
    let gfn = cx.tell(A, |d| window_gfn(d, 3) as i64) as usize;
    let clock = cx.tell(Control, |d| d.memory.device_frame() as i64) as usize * PAGE_SIZE;
    let other = gfn * PAGE_SIZE;
    let kept = [(); 2].map(|()| Kept::new(core::ptr::null_mut()));
    with_vm(cx, false, ffi::XG_VM_PERMIT_MMIO, |cx, vm| {
        for (kept, at) in kept.iter().zip([clock, other]) {
            cx.manage(format_args!("reserve a page"), 0, |_| {
                vm.reserve(at, 1, kept)
            })?;
            cx.sees("nothing", at + 0xfe0, ABORTED)?;
            cx.manage(format_args!("put the clock there"), 0, |_| {
                vm.map_mmio(kept, clock as u64)
            })?;
            cx.sees("the clock", at + 0xfe0, 0x31)?;
            cx.sees("the clock", at + 0xfe4, 0x10)?;
        }
        cx.manage(format_args!("free the first"), 0, |_| vm.free(&kept[0]))?;
        cx.sees("nothing", clock + 0xfe0, ABORTED)?;
        cx.sees("the clock", other + 0xfe0, 0x31)
    })?;
    cx.sees("nothing", other + 0xfe0, ABORTED)
}

/// Each access of A's goes to a callback, with each of its results.
pub(crate) fn emulated_registers(cx: &mut Cx<'_, '_>) -> Verdict {
    let kept = Kept::new(core::ptr::null_mut());
    with_vm(cx, true, 0, |cx, vm| {
        cx.manage(format_args!("reserve a page"), 0, |_| {
            vm.reserve(DEVICE, 1, &kept)
        })?;
        let results = [
            ("handled", ffi::XG_FAULT_HANDLED, 0x3000_00eb),
            ("ignored", ffi::XG_FAULT_IGNORE, ALL_ONES),
            ("unhandled", ffi::XG_FAULT_UNHANDLED, ALL_ONES),
            ("failed", ffi::XG_FAULT_ERROR, ALL_ONES),
        ];
        for (what, result, want) in results {
            vm.registers.result.store(result.into(), Ordering::Relaxed);
            let [value, served] = cx.at_work(
                what,
                &mut |d| {
                    let wrote = d.memory.access(DEVICE as u64, 2, Some(0xffff_1234));
                    let value = read(d, DEVICE as u64 + 0x14);
                    match (wrote, value) {
                        (Some(_), Some(value)) => value as i64,
                        _ => ABORTED,
                    }
                },
                &mut |d| vm.serve(d, 2),
            );
            cx.check(value, want)?;
            cx.check(served, 2)?;
            let seen = cx.step(Control, format_args!("what was asked"), |_| vm.seen());
            cx.check(seen >> 32, 2)?;
        }
        vm.registers.result.store(0, Ordering::Relaxed);
        cx.manage(format_args!("free it"), 0, |_| vm.free(&kept))?;
        cx.sees("nothing", DEVICE, ABORTED)
    })?;
    cx.sees("nothing", DEVICE, ABORTED)
}

/// A page that A reads and does not write: writes go to the callback.
pub(crate) fn a_page_for_reading(cx: &mut Cx<'_, '_>) -> Verdict {
    let kept = Kept::new(core::ptr::null_mut());
    let window = Cell::new(core::ptr::null_mut());
    with_vm(cx, true, 0, |cx, vm| {
        cx.manage(format_args!("a page for reading"), 0, |_| {
            vm.create(DEVICE, READ, &kept, &window)
        })?;
        cx.manage(format_args!("write here"), 0, |_| {
            // SAFETY: a page of ours until the reservation is freed.
            unsafe { window.get().add(5).write_volatile(0x9abc_def0) };
            0
        })?;
        let values = cx.at_work(
            "read, write, read",
            &mut |d| {
                let at = DEVICE as u64 + 20;
                let first = d.memory.access(at, 4, None);
                let half = d.memory.access(at + 2, 2, None);
                let wrote = d.memory.access(at, 4, Some(1));
                let again = read(d, at);
                let same = first == Some(0x9abc_def0) && again == first;
                i64::from(same && half == Some(0x9abc) && wrote == Some(0))
            },
            &mut |d| vm.serve(d, 4),
        );
        cx.check(values[0], 1)?;
        cx.check(values[1], 4)?;
        let seen = cx.step(Control, format_args!("the callback's calls"), |_| vm.seen());
        cx.check(seen >> 32, 1)
    })
}

/// The control domain frees a page while A reads it as fast as it can.
pub(crate) fn freed_while_in_use(cx: &mut Cx<'_, '_>) -> Verdict {
    const ACCESSES: i64 = 300;
    const SERVED: u32 = 100;
    let kept = Kept::new(core::ptr::null_mut());
    with_vm(cx, true, 0, |cx, vm| {
        cx.manage(format_args!("reserve a page"), 0, |_| {
            vm.reserve(DEVICE, 1, &kept)
        })?;
        let reservation = Held(kept.get());
        let counts = cx.at_work(
            "read and free",
            &mut |d| {
                let mut counts = [0; 3];
                for index in 0..ACCESSES {
                    let at = DEVICE as u64 + index as u64 * 4;
                    let kind = match there(d, at, 4) {
                        None => 0,
                        Some(value) if value == at ^ 0xff => 1,
                        Some(_) => 2,
                    };
                    counts[kind] += 1;
                }
                let [aborted, answered, ones] = counts;
                // At most one was under way when the page went.
                let all = aborted + answered + ones == ACCESSES && ones <= 1;
                if all { answered } else { -1 }
            },
            &mut |d| {
                let served = vm.serve(d, SERVED);
                let held = &reservation;
                let rc = vm.free(&Kept::new(held.0));
                // One more may wait.
                for _ in 0..100 {
                    // SAFETY: initialised.
                    unsafe { ffi::xg_vm_serve(vm.raw()) };
                    d.memory.pause();
                }
                served * 1000 + rc
            },
        );
        cx.check(counts[0], SERVED.into())?;
        cx.check(counts[1], i64::from(SERVED) * 1000)?;
        cx.sees("nothing", DEVICE, ABORTED)
    })
}

/// RAM that goes while A runs: A waits until the emulator has heard of it.
pub(crate) fn memory_taken_while_in_use(cx: &mut Cx<'_, '_>) -> Verdict {
    let most = cx.tell(A, |d| about(d, abi::XENMEM_maximum_reservation)) as u64;
    let gfn = cx.tell(A, |d| window_gfn(d, 0) as i64) as usize;
    let at = gfn * PAGE_SIZE;
    let kept = Kept::new(core::ptr::null_mut());
    with_vm(cx, true, 0, |cx, vm| {
        limit(cx, most + 1)?;
        cx.manage(format_args!("reserve a page"), 0, |_| {
            vm.reserve(at, 1, &kept)
        })?;
        cx.manage(format_args!("back it"), 0, |_| vm.map_ram(&kept, true))?;
        cx.sees("zero", at, 0)?;
        let reservation = Held(kept.get());
        let results = cx.at_work(
            "read and free",
            &mut |d| {
                while there(d, at as u64, 4).is_some() {
                    d.memory.pause();
                }
                // Any hypercall is held up now.
                about(d, abi::XENMEM_current_reservation).min(1)
            },
            &mut |d| {
                let held = &reservation;
                let rc = vm.free(&Kept::new(held.0));
                vm.serve(d, 1) * 1000 + rc
            },
        );
        cx.check(results[0], 1)?;
        cx.check(results[1], 1000)?;
        cx.sees("nothing", at, ABORTED)
    })?;
    limit(cx, most)
}

/// A reservation for a step of another thread.
struct Held(*mut ffi::xg_vm_reservation);

// SAFETY: the control domain's, whatever thread that is.
unsafe impl Sync for Held {}
// SAFETY: as above.
unsafe impl Send for Held {}
