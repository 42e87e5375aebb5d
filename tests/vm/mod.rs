// SPDX-License-Identifier: MIT OR Apache-2.0
//! Guest memory through the C API, without the `unsafe`: what its tests share.

#![allow(dead_code)]

pub mod manager;

use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::VecDeque;
use std::ffi::{c_int, c_void};
use std::ptr;

use xen_guest::ffi;

pub const EPERM: i32 = -1;
pub const EIO: i32 = -5;
pub const E2BIG: i32 = -7;
pub const EEXIST: i32 = -17;
pub const EBUSY: i32 = -16;
pub const EINVAL: i32 = -22;
pub const ENOSPC: i32 = -28;
pub const EOPNOTSUPP: i32 = -95;

pub const SELF: u16 = 0x7ff0;
pub const PAGE: usize = 4096;

pub const HANDLED: i32 = ffi::XG_FAULT_HANDLED as i32;
pub const UNHANDLED: i32 = ffi::XG_FAULT_UNHANDLED as i32;
pub const RESTART: i32 = ffi::XG_FAULT_RESTART as i32;
pub const IGNORE: i32 = ffi::XG_FAULT_IGNORE as i32;
pub const ERROR: i32 = ffi::XG_FAULT_ERROR as i32;

pub const NOTHING: u64 = ffi::XG_VM_FRAME_NONE as u64;
pub const RAM: u64 = ffi::XG_VM_FRAME_RAM as u64;
pub const PRESENT: u64 = ffi::XG_VM_FRAME_PRESENT as u64;
/// `XG_VM_FRAME_MMIO()`
pub const fn mmio(mfn: u64) -> u64 {
    mfn << 2 | 3
}

pub const READ: u32 = ffi::XG_PROT_READ;
pub const ALL: u32 = ffi::XG_PROT_READ | ffi::XG_PROT_WRITE;

/// Calls the C API for a `Vm`.
macro_rules! call {
    ($function:expr, $($arg:expr),*) => {
        // SAFETY: the vm is set up, and what is passed lives.
        unsafe { $function($($arg),*) }
    };
}

/// What a vm is set up with.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub dom: u16,
    pub own_number: u16,
    pub flags: u32,
    pub slots: usize,
    pub pools: usize,
    /// 0: no traps.
    pub vcpus: usize,
    pub own: Option<ffi::xg_window>,
}

impl Setup {
    pub fn new(dom: u16) -> Self {
        Self {
            dom,
            own_number: SELF,
            flags: 0,
            slots: 16,
            pools: 2,
            vcpus: 0,
            own: None,
        }
    }
}

/// A vm and its storage. Reservations are told by the address of their slot.
pub struct Vm {
    raw: Box<UnsafeCell<ffi::xg_vm>>,
    _slots: Vec<ffi::xg_vm_reservation>,
    _order: Vec<u16>,
    _pools: Vec<ffi::xg_vm_pool>,
    vcpus: Vec<ffi::xg_vm_vcpu>,
    _ports: Vec<u32>,
}

pub type Reservation = *mut ffi::xg_vm_reservation;

/// Any bytes will do before init.
fn storage<T>(count: usize) -> Vec<T> {
    let mut storage = Vec::with_capacity(count);
    // SAFETY: structures of integers and nullable pointers.
    unsafe {
        ptr::write_bytes(storage.as_mut_ptr(), 0, count);
        storage.set_len(count);
    }
    storage
}

impl Vm {
    /// # Panics
    ///
    /// If it can't be set up.
    pub fn new(guest: *mut ffi::xg_guest, setup: Setup) -> Self {
        Self::try_new(guest, setup).expect("the vm can be set up")
    }

    pub fn try_new(guest: *mut ffi::xg_guest, setup: Setup) -> Result<Self, i32> {
        let mut slots = storage::<ffi::xg_vm_reservation>(setup.slots);
        let mut order = storage::<u16>(setup.slots);
        let mut pools = storage::<ffi::xg_vm_pool>(setup.pools);
        let mut vcpus = storage::<ffi::xg_vm_vcpu>(setup.vcpus);
        let mut ports = storage::<u32>(setup.vcpus);
        let config = ffi::xg_vm_config {
            dom: setup.dom,
            self_: setup.own_number,
            flags: setup.flags,
            slots: slots.as_mut_ptr(),
            order: order.as_mut_ptr(),
            nr_slots: setup.slots as u32,
            pools: pools.as_mut_ptr(),
            nr_pools: setup.pools as u32,
            vcpus: vcpus.as_mut_ptr(),
            ports: ports.as_mut_ptr(),
            nr_vcpus: setup.vcpus as u32,
            handler: None,
            data: ptr::null_mut(),
            own: setup.own.unwrap_or(ffi::xg_window {
                va: ptr::null_mut(),
                gfn: 0,
                pages: 0,
            }),
        };
        // SAFETY: a structure of integers and nullable pointers.
        let raw = Box::new(UnsafeCell::new(unsafe { std::mem::zeroed() }));
        // SAFETY: the guest is set up; the storage has the sizes given and
        // stays where it is.
        let rc = unsafe { ffi::xg_vm_init(raw.get(), guest, &config) };
        if rc != 0 {
            return Err(rc);
        }
        Ok(Self {
            raw,
            _slots: slots,
            _order: order,
            _pools: pools,
            vcpus,
            _ports: ports,
        })
    }

    pub fn raw(&self) -> *mut ffi::xg_vm {
        self.raw.get()
    }

    /// What it says at the moment.
    pub fn state(&self) -> ffi::xg_vm {
        // SAFETY: set up, and nobody else uses it.
        unsafe { *self.raw() }
    }

    pub fn fini(&self) -> i32 {
        call!(ffi::xg_vm_fini, self.raw())
    }

    pub fn caps(&self) -> u32 {
        call!(ffi::xg_vm_caps, self.raw())
    }

    pub fn refusal(&self, what: u32) -> i32 {
        call!(ffi::xg_vm_refusal, self.raw(), what)
    }

    pub fn count(&self) -> u32 {
        self.state().count
    }

    pub fn errors(&self) -> u64 {
        self.state().errors
    }

    pub fn last_error(&self) -> i32 {
        self.state().last_error
    }

    pub fn verify(&self) {
        assert_eq!(call!(ffi::xg_vm_verify, self.raw()), 0);
    }

    pub fn reserve(
        &self,
        addr: usize,
        size: usize,
        callback: &Callback,
    ) -> Result<Reservation, i32> {
        let mut r = ptr::null_mut();
        let cookie = ptr::from_ref(callback).cast_mut().cast();
        let rc = call!(
            ffi::xg_vm_reserve,
            self.raw(),
            addr,
            size,
            Some(fault),
            cookie,
            &mut r
        );
        if rc == 0 { Ok(r) } else { Err(rc) }
    }

    pub fn guard(&self, addr: usize, size: usize) -> Result<Reservation, i32> {
        let mut r = ptr::null_mut();
        let rc = call!(ffi::xg_vm_guard, self.raw(), addr, size, &mut r);
        if rc == 0 { Ok(r) } else { Err(rc) }
    }

    pub fn add_pool(&self, addr: usize, size: usize) -> i32 {
        call!(ffi::xg_vm_add_pool, self.raw(), addr, size)
    }

    pub fn reserve_anon(
        &self,
        size: usize,
        align: usize,
        callback: &Callback,
    ) -> Result<Reservation, i32> {
        let mut r = ptr::null_mut();
        let cookie = ptr::from_ref(callback).cast_mut().cast();
        let rc = call!(
            ffi::xg_vm_reserve_anon,
            self.raw(),
            size,
            align,
            Some(fault),
            cookie,
            &mut r
        );
        if rc == 0 { Ok(r) } else { Err(rc) }
    }

    pub fn free(&self, r: Reservation) -> i32 {
        call!(ffi::xg_vm_free, self.raw(), r)
    }

    pub fn find(&self, addr: usize) -> Option<Reservation> {
        let r = call!(ffi::xg_vm_find, self.raw(), addr);
        (!r.is_null()).then_some(r)
    }

    pub fn find_cost(&self, addr: usize) -> u32 {
        call!(ffi::xg_vm_find_cost, self.raw(), addr)
    }

    pub fn fault(&self, addr: usize, size: usize) -> i32 {
        call!(ffi::xg_vm_fault, self.raw(), ptr::null_mut(), addr, size)
    }

    pub fn map(&self, r: Reservation, frames: &Frames) -> i32 {
        let cookie = ptr::from_ref(frames).cast_mut().cast();
        call!(ffi::xg_vm_map, self.raw(), r, Some(next_frame), cookie)
    }

    pub fn map_now(&self, r: Reservation, frames: &Frames) -> i32 {
        let cookie = ptr::from_ref(frames).cast_mut().cast();
        call!(ffi::xg_vm_map_now, self.raw(), r, Some(next_frame), cookie)
    }

    pub fn map_ram(&self, r: Reservation, zero: bool) -> i32 {
        call!(ffi::xg_vm_map_ram, self.raw(), r, zero)
    }

    pub fn map_mmio(&self, r: Reservation, paddr: u64) -> i32 {
        call!(ffi::xg_vm_map_mmio, self.raw(), r, paddr)
    }

    pub fn create_ram(
        &self,
        addr: usize,
        rights: u32,
        callback: &Callback,
    ) -> Result<(Reservation, *mut u8), i32> {
        self.create(ffi::xg_vm_create_ram, addr, rights, callback)
    }

    pub fn create_mmio(
        &self,
        addr: usize,
        rights: u32,
        callback: &Callback,
    ) -> Result<(Reservation, *mut u8), i32> {
        self.create(ffi::xg_vm_create_mmio, addr, rights, callback)
    }

    #[allow(clippy::type_complexity)]
    fn create(
        &self,
        create: unsafe extern "C" fn(
            *mut ffi::xg_vm,
            usize,
            u32,
            ffi::xg_vm_fault_fn,
            *mut c_void,
            *mut *mut ffi::xg_vm_reservation,
            *mut *mut c_void,
        ) -> c_int,
        addr: usize,
        rights: u32,
        callback: &Callback,
    ) -> Result<(Reservation, *mut u8), i32> {
        let (mut r, mut window) = (ptr::null_mut(), ptr::null_mut());
        let cookie = ptr::from_ref(callback).cast_mut().cast();
        let rc = call!(
            create,
            self.raw(),
            addr,
            rights,
            Some(fault),
            cookie,
            &mut r,
            &mut window
        );
        if rc == 0 {
            Ok((r, window.cast()))
        } else {
            Err(rc)
        }
    }

    pub fn set_unhandled(&self, callback: Option<&Callback>) {
        let cookie = callback.map_or(ptr::null_mut(), |c| ptr::from_ref(c).cast_mut().cast());
        let hook: ffi::xg_vm_fault_fn = callback.map(|_| fault as _);
        assert_eq!(call!(ffi::xg_vm_set_unhandled, self.raw(), hook, cookie), 0);
    }

    pub fn serve(&self) -> u32 {
        call!(ffi::xg_vm_serve, self.raw())
    }

    pub fn vcpu(&self, id: usize) -> *mut ffi::xg_vm_vcpu {
        self.vcpus.as_ptr().cast_mut().wrapping_add(id)
    }

    /// Everything that a failed call must leave as it was: the reservations in
    /// use, byte for byte, and the pools.
    pub fn picture(&self) -> Vec<String> {
        let vm = self.state();
        // SAFETY: as many numbers, each of a slot; and the pools in use.
        let (order, pools) = unsafe {
            (
                std::slice::from_raw_parts(vm.order, vm.count as usize),
                std::slice::from_raw_parts(vm.pools, vm.nr_pools as usize),
            )
        };
        let slots = order.iter().map(|&slot| {
            // SAFETY: a slot in use.
            let mut slot = unsafe { *vm.slots.add(slot.into()) };
            slot.times = 0;
            format!("{slot:?}")
        });
        slots
            .chain(pools.iter().map(|pool| format!("{pool:?}")))
            .collect()
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        let rc = self.fini();
        assert!(rc == 0 || std::thread::panicking(), "{rc}");
    }
}

/// One call of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    pub addr: usize,
    pub size: usize,
    /// Whether it writes what; none without a vCPU.
    pub write: Option<(bool, u64)>,
}

/// What a callback does beside noting the call.
pub type Action = dyn Fn(*mut ffi::xg_vm, *mut ffi::xg_vm_vcpu, Call) -> i32;

/// A fault callback that notes its calls.
pub struct Callback {
    pub calls: RefCell<Vec<Call>>,
    action: Box<Action>,
}

impl Callback {
    pub fn returning(result: i32) -> Self {
        Self::new(move |_, _, _| result)
    }

    pub fn new(
        action: impl Fn(*mut ffi::xg_vm, *mut ffi::xg_vm_vcpu, Call) -> i32 + 'static,
    ) -> Self {
        Self {
            calls: RefCell::new(Vec::new()),
            action: Box::new(action),
        }
    }

    /// That answers every access with this.
    pub fn answering(data: u64) -> Self {
        Self::new(move |_, vcpu, _| {
            assert_eq!(answer(vcpu, data), 0);
            HANDLED
        })
    }

    /// The calls since the last time.
    pub fn take(&self) -> Vec<Call> {
        self.calls.take()
    }
}

pub fn answer(vcpu: *mut ffi::xg_vm_vcpu, data: u64) -> i32 {
    // SAFETY: null, or a vCPU of a vm that is there.
    unsafe { ffi::xg_vm_answer(vcpu, data) }
}

unsafe extern "C" fn fault(
    vm: *mut ffi::xg_vm,
    vcpu: *mut ffi::xg_vm_vcpu,
    addr: usize,
    size: usize,
    cookie: *mut c_void,
) -> c_int {
    // SAFETY: the `Callback` given, which the test keeps.
    let callback = unsafe { &*cookie.cast::<Callback>() };
    // SAFETY: null, or a vCPU of the vm's.
    let write = unsafe { vcpu.as_ref() }.map(|vcpu| (vcpu.write, vcpu.data));
    let call = Call { addr, size, write };
    callback.calls.borrow_mut().push(call);
    (callback.action)(vm, vcpu, call)
}

/// What an iterator answers.
pub struct Frames {
    /// Addresses it was asked about.
    pub asked: RefCell<Vec<usize>>,
    /// Frames of its first answers; the last goes on, and counts if it is
    /// device memory.
    pub frames: RefCell<VecDeque<u64>>,
    pub size_bits: Cell<usize>,
    pub rights: Cell<u32>,
    /// Added to the address of its answers.
    pub shift: Cell<usize>,
    /// Fails at this call.
    pub fail_at: Cell<Option<usize>>,
}

impl Frames {
    pub fn new(frame: u64, size_bits: usize) -> Self {
        Self {
            asked: RefCell::new(Vec::new()),
            frames: RefCell::new(VecDeque::from([frame])),
            size_bits: Cell::new(size_bits),
            rights: Cell::new(ALL),
            shift: Cell::new(0),
            fail_at: Cell::new(None),
        }
    }
}

/// The iterator of a `Frames`.
///
/// # Safety
///
/// `cookie` is one.
pub unsafe extern "C" fn next_frame(addr: usize, cookie: *mut c_void) -> ffi::xg_vm_frame {
    // SAFETY: the `Frames` given, which the test keeps.
    let frames = unsafe { &*cookie.cast::<Frames>() };
    let index = frames.asked.borrow().len();
    frames.asked.borrow_mut().push(addr);
    let mut queue = frames.frames.borrow_mut();
    let frame = queue[0];
    if queue.len() > 1 {
        queue.pop_front();
    } else if frame & 3 == 3 {
        queue[0] += 4 << (frames.size_bits.get() - 12);
    }
    let failed = frames.fail_at.get() == Some(index);
    ffi::xg_vm_frame {
        frame: if failed { NOTHING } else { frame },
        rights: frames.rights.get(),
        vaddr: addr + frames.shift.get(),
        size_bits: frames.size_bits.get(),
    }
}
