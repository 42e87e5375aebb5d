// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guest memory: finding a reservation and calling it, and how often Xen is
//! asked.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::mem::{self, offset_of};
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use xen_guest::ffi::{self, abi};
use xen_guest::{DomId, Gfn, Guest, GuestStorage, Hypercall, Platform, Protection};

use crate::fake_xen::FakeXen;

const PAGE: usize = 4096;
/// Where the reservations are, with a page between each two.
const FIRST: usize = 0x8000_0000;

/// A domain whose Xen gives all the RAM that it is asked for.
struct Machine {
    xen: FakeXen,
    hypercalls: AtomicU64,
}

fn memory_op(cmd: usize, arg: usize) -> isize {
    match cmd as u32 {
        abi::XENMEM_populate_physmap | abi::XENMEM_decrease_reservation => {
            // SAFETY: the core passes the operation's structure.
            let op: &abi::xen_memory_reservation = unsafe { &*ptr::with_exposed_provenance(arg) };
            op.nr_extents as isize
        }
        _ => 0,
    }
}

// SAFETY: as for `FakeXen`; nobody touches the RAM that is only counted.
unsafe impl Platform for Machine {
    const HYPERCALL: Option<Hypercall<Self>> = Some(|machine, op, args| {
        machine.hypercalls.fetch_add(1, Relaxed);
        match op {
            abi::__HYPERVISOR_memory_op => memory_op(args[0], args[1]),
            _ => {
                let enter = FakeXen::HYPERCALL.expect("it answers them");
                // SAFETY: passed on as they came.
                unsafe { enter(&machine.xen, op, args) }
            }
        }
    });

    fn virt_to_gfn(&self, va: *const u8) -> Option<Gfn> {
        self.xen.virt_to_gfn(va)
    }

    unsafe fn map(&self, _: *mut u8, _: Gfn, _: u32, _: Protection) -> xen_guest::Result {
        Ok(())
    }

    unsafe fn unmap(&self, _: *mut u8, _: u32) -> xen_guest::Result {
        Ok(())
    }

    fn lock(&self) -> usize {
        0
    }

    unsafe fn unlock(&self, _: usize) {}

    fn cpu_id(&self) -> Option<u32> {
        None
    }
}

/// The callback, whose instructions are not the library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn workload_fault(
    _: *mut ffi::xg_vm,
    vcpu: *mut ffi::xg_vm_vcpu,
    _: usize,
    _: usize,
    _: *mut c_void,
) -> c_int {
    if let Some(vcpu) = ptr::NonNull::new(vcpu) {
        // SAFETY: a vCPU with an access.
        unsafe { ffi::xg_vm_answer(vcpu.as_ptr(), 1) };
    }
    ffi::XG_FAULT_HANDLED as c_int
}

/// A table of so many reservations, and a vCPU's page of accesses.
pub struct Rig {
    vm: *mut ffi::xg_vm,
    addrs: Vec<usize>,
    slot: *mut abi::ioreq,
    machine: &'static Machine,
}

fn leaked<T>(count: usize) -> *mut T {
    // SAFETY: integers and pointers, which all may be zero.
    let items = (0..count).map(|_| unsafe { mem::zeroed() });
    Box::leak(items.collect::<Vec<T>>().into_boxed_slice()).as_mut_ptr()
}

impl Rig {
    /// `anonymous`: from a pool.
    pub fn new(reservations: usize, anonymous: bool) -> Self {
        let machine: &'static Machine = Box::leak(Box::new(Machine {
            xen: FakeXen::new(),
            hypercalls: AtomicU64::new(0),
        }));
        let storage = Box::leak(Box::new(GuestStorage::<1, 8>::new()));
        // SAFETY: a machine of its own, for good.
        let guest = unsafe { Guest::new(storage, machine, machine.xen.config()) };
        let guest: &'static Guest<'static> =
            Box::leak(Box::new(guest.expect("the guest can be set up")));
        let slots = reservations + 1;
        let config = ffi::xg_vm_config {
            dom: DomId::SELF.raw(),
            self_: DomId::SELF.raw(),
            flags: 0,
            slots: leaked(slots),
            order: leaked(slots),
            nr_slots: slots as u32,
            pools: leaked(1),
            nr_pools: 1,
            vcpus: ptr::null_mut(),
            ports: ptr::null_mut(),
            nr_vcpus: 0,
            handler: None,
            data: ptr::null_mut(),
            own: ffi::xg_window {
                va: ptr::null_mut(),
                gfn: 0,
                pages: 0,
            },
        };
        let vm = leaked::<ffi::xg_vm>(1);
        let slot = leaked::<abi::ioreq>(1);
        // SAFETY: storage of the sizes given, for good.
        unsafe {
            assert_eq!(ffi::xg_vm_init(vm, guest.as_raw(), &config), 0);
            // A server whose page is ours, and whose events nobody gets.
            (*vm).vcpus = leaked(1);
            (*(*vm).vcpus).vm = vm;
            (*vm).nr_vcpus = 1;
            (*vm).ioreq.page = slot.cast();
            (*vm).ioreq.ports = leaked(1);
            (*vm).ioreq.nr_vcpus = 1;
        }
        let mut rig = Self {
            vm,
            addrs: Vec::new(),
            slot,
            machine,
        };
        rig.fill(reservations, anonymous);
        rig
    }

    fn fill(&mut self, reservations: usize, anonymous: bool) {
        let mut made = ptr::null_mut();
        let hook: ffi::xg_vm_fault_fn = Some(workload_fault);
        let nothing = ptr::null_mut();
        // SAFETY: set up; the callback needs no cookie.
        unsafe {
            if anonymous {
                let rc = ffi::xg_vm_add_pool(self.vm, FIRST, reservations * PAGE);
                assert_eq!(rc, 0);
            }
            for i in 0..reservations {
                let rc = if anonymous {
                    ffi::xg_vm_reserve_anon(self.vm, PAGE, 0, hook, nothing, &mut made)
                } else {
                    let addr = FIRST + 2 * i * PAGE;
                    ffi::xg_vm_reserve(self.vm, addr, PAGE, hook, nothing, &mut made)
                };
                assert_eq!(rc, 0);
                self.addrs.push((*made).addr);
            }
        }
    }

    /// An access to every reservation, as one's own abort handler passes it
    /// on.
    pub fn faults(&self) {
        for &addr in &self.addrs {
            // SAFETY: set up; without a vCPU.
            let result = unsafe { ffi::xg_vm_fault(self.vm, ptr::null_mut(), black_box(addr), 4) };
            assert_eq!(result, ffi::XG_FAULT_HANDLED as c_int);
        }
    }

    /// An access to every reservation, as Xen hands it over, and its answer.
    pub fn serve(&self) {
        for &addr in &self.addrs {
            // SAFETY: the slot is Xen's between two calls.
            unsafe {
                let slot = self.slot;
                (&raw mut (*slot).addr).write_volatile(addr as u64);
                (&raw mut (*slot).count).write_volatile(1);
                (&raw mut (*slot).size).write_volatile(4);
                (&raw mut (*slot).type_).write_volatile(abi::IOREQ_TYPE_COPY as u8);
                let flags = offset_of!(abi::ioreq, type_) - 1;
                let flags = slot.cast::<u8>().add(flags);
                flags.write_volatile(abi::STATE_IOREQ_READY as u8);
                assert_eq!(ffi::xg_vm_serve(self.vm), 1);
                assert_eq!(flags.read_volatile(), abi::STATE_IORESP_READY as u8);
            }
        }
    }

    /// The most comparisons that finding an address takes.
    pub fn most_comparisons(&self) -> u32 {
        let addrs = self.addrs.iter().flat_map(|&addr| [addr, addr + PAGE]);
        // SAFETY: set up.
        let costs = addrs.map(|addr| unsafe { ffi::xg_vm_find_cost(self.vm, addr) });
        costs.max().unwrap_or(0)
    }

    /// Hypercalls that it takes to map `pages` pages of RAM, from page
    /// `offset` of 2 MiB on, and to free them.
    pub fn hypercalls(&self, pages: usize, offset: usize) -> (u64, u64) {
        let mut made = ptr::null_mut();
        let count = |call: &mut dyn FnMut() -> c_int| {
            let before = self.machine.hypercalls.load(Relaxed);
            assert_eq!(call(), 0);
            self.machine.hypercalls.load(Relaxed) - before
        };
        // SAFETY: set up; nobody touches the memory.
        unsafe {
            let addr = (1 << 40) + offset * PAGE;
            let hook: ffi::xg_vm_fault_fn = Some(workload_fault);
            let nothing = ptr::null_mut();
            let rc = ffi::xg_vm_reserve(self.vm, addr, pages * PAGE, hook, nothing, &mut made);
            assert_eq!(rc, 0);
            (
                count(&mut || ffi::xg_vm_map_ram(self.vm, made, false)),
                count(&mut || ffi::xg_vm_free(self.vm, made)),
            )
        }
    }
}

impl std::fmt::Debug for Rig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rig({} reservations)", self.addrs.len())
    }
}
