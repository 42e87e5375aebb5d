// SPDX-License-Identifier: MIT OR Apache-2.0
//! The guest-physical memory of a domain, as its control domain or device
//! model arranges it.

use core::cell::UnsafeCell;
use core::ffi::c_void;
use core::fmt;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{self, NonNull};
use core::time::Duration;

use crate::fault::{self, Outcome};
use crate::{DomId, Error, Fault, Guest, Reservation, Result, Rights, Window, ffi};

/// Memory for one [`GuestMemory`]: `SLOTS` reservations, `VCPUS` vCPUs whose
/// accesses can be trapped, `POOLS` ranges for anonymous reservations.
pub struct GuestMemoryStorage<const SLOTS: usize, const VCPUS: usize = 1, const POOLS: usize = 1> {
    vm: MaybeUninit<ffi::xg_vm>,
    slots: [MaybeUninit<ffi::xg_vm_reservation>; SLOTS],
    order: [u16; SLOTS],
    vcpus: [MaybeUninit<ffi::xg_vm_vcpu>; VCPUS],
    ports: [u32; VCPUS],
    pools: [MaybeUninit<ffi::xg_vm_pool>; POOLS],
}

// SAFETY: it holds no data before something is set up in it, which then has
// it exclusively.
unsafe impl<const S: usize, const V: usize, const P: usize> Send for GuestMemoryStorage<S, V, P> {}

impl<const SLOTS: usize, const VCPUS: usize, const POOLS: usize>
    GuestMemoryStorage<SLOTS, VCPUS, POOLS>
{
    /// Empty storage.
    pub const fn new() -> Self {
        Self {
            vm: MaybeUninit::zeroed(),
            slots: [const { MaybeUninit::zeroed() }; SLOTS],
            order: [0; SLOTS],
            vcpus: [const { MaybeUninit::zeroed() }; VCPUS],
            ports: [0; VCPUS],
            pools: [const { MaybeUninit::zeroed() }; POOLS],
        }
    }
}

impl<const S: usize, const V: usize, const P: usize> Default for GuestMemoryStorage<S, V, P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const S: usize, const V: usize, const P: usize> fmt::Debug for GuestMemoryStorage<S, V, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "GuestMemoryStorage({S} reservations, {V} vCPUs, {P} pools)"
        )
    }
}

/// Whose memory, and how it is managed.
#[derive(Clone, Copy, Debug)]
pub struct GuestMemoryConfig {
    dom: DomId,
    own_number: DomId,
    flags: u32,
    own: Option<Window>,
}

impl GuestMemoryConfig {
    /// The memory of domain `dom`.
    pub const fn new(dom: DomId) -> Self {
        Self {
            dom,
            own_number: DomId::SELF,
            flags: 0,
            own: None,
        }
    }

    /// With the caller's own number, which windows on device memory need.
    #[must_use]
    pub const fn with_own_number(self, own_number: DomId) -> Self {
        Self { own_number, ..self }
    }

    /// With mappings made by the first access to them, where accesses can be
    /// trapped.
    #[must_use]
    pub const fn deferred(self) -> Self {
        self.with_flag(ffi::XG_VM_DEFER)
    }

    /// With the domain permitted to have the device memory that is mapped for
    /// it, as long as it is.
    #[must_use]
    pub const fn permitting_mmio(self) -> Self {
        self.with_flag(ffi::XG_VM_PERMIT_MMIO)
    }

    /// With reservations refused whose handler could not be called.
    #[must_use]
    pub const fn requiring_traps(self) -> Self {
        self.with_flag(ffi::XG_VM_REQUIRE_TRAP)
    }

    /// With an access that can't be served being the domain's end.
    #[must_use]
    pub const fn crashing_on_errors(self) -> Self {
        self.with_flag(ffi::XG_VM_CRASH_ON_ERROR)
    }

    /// For one's own memory: where the CPU sees the frames that can be
    /// reserved.
    #[must_use]
    pub const fn with_own_window(self, own: Window) -> Self {
        Self {
            own: Some(own),
            ..self
        }
    }

    const fn with_flag(self, flag: u32) -> Self {
        Self {
            flags: self.flags | flag,
            ..self
        }
    }
}

/// What this Xen may let this domain do with another's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    /// Take RAM for the domain.
    Ram,
    /// See its RAM.
    Window,
    /// Map device memory for it.
    Mmio,
    /// Be asked about its accesses.
    Trap,
}

impl Capability {
    const fn raw(self) -> u32 {
        match self {
            Self::Ram => ffi::XG_VM_RAM,
            Self::Window => ffi::XG_VM_WINDOW,
            Self::Mmio => ffi::XG_VM_MMIO,
            Self::Trap => ffi::XG_VM_TRAP,
        }
    }
}

/// A domain's guest-physical memory: a table of [`Reservation`]s, backed with
/// RAM or device memory, or trapped.
///
/// Handlers are called by [`serve`](Self::serve), on its thread, and may
/// borrow: they live at least as long as the storage is borrowed. Where all of
/// it is static they may use this value, and free the reservation whose handler
/// they are. One that panics aborts the program.
///
/// ```
/// use std::cell::Cell;
/// use xen_guest::{
///     DomId, Error, Fault, Guest, GuestMemory, GuestMemoryConfig, GuestMemoryStorage, Outcome,
/// };
///
/// const DEVICE: usize = 0x0a00_0000;
///
/// /// Emulates a register for a domain, for ever.
/// fn emulate(guest: &Guest<'_>, dom: DomId) -> Result<(), Error> {
///     let register = Cell::new(0);
///     let access = |fault: &mut Fault<'_>| {
///         if let Some(value) = fault.written() {
///             register.set(value);
///         }
///         Outcome::Done(register.get())
///     };
///     let mut storage = GuestMemoryStorage::<16>::new();
///     let config = GuestMemoryConfig::new(dom).requiring_traps();
///     // SAFETY: the memory of another domain.
///     let memory = unsafe { GuestMemory::new(guest, &mut storage, config) }?;
///     let _device = memory.reserve(DEVICE, 4096, &access)?;
///     loop {
///         memory.wait(None)?;
///         while memory.serve() > 0 {}
///     }
/// }
/// ```
///
/// A handler that would be gone before is refused:
///
/// ```compile_fail
/// # use xen_guest::{Fault, Guest, GuestMemory, GuestMemoryConfig, GuestMemoryStorage, Outcome};
/// # fn f(guest: &Guest<'_>, config: GuestMemoryConfig) {
/// let mut storage = GuestMemoryStorage::<16>::new();
/// let memory = unsafe { GuestMemory::new(guest, &mut storage, config) }.unwrap();
/// let handler = |_: &mut Fault<'_>| Outcome::Ignore;
/// memory.reserve(0x1000, 1, &handler).unwrap().keep();
/// # }
/// ```
///
/// Dropping frees everything that was reserved. If Xen or the platform keeps
/// some of it, it is lost, and [`Guest::abandoned`] counts one.
///
/// In thread context, with the calls of one value on one thread.
pub struct GuestMemory<'m> {
    raw: NonNull<ffi::xg_vm>,
    guest: &'m Guest<'m>,
    storage: PhantomData<UnsafeCell<&'m mut u8>>,
}

impl<'m> GuestMemory<'m> {
    /// Set up, without reservations, and find out what can be done.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchDomain`]; [`Error::Invalid`] for storage without
    /// reservations.
    ///
    /// # Safety
    ///
    /// The memory is another domain's; or, if it is this one's own, frames
    /// that are in use are [guarded](Self::guard) before any memory is
    /// mapped, and an own window's addresses are nobody else's.
    pub unsafe fn new<const SLOTS: usize, const VCPUS: usize, const POOLS: usize>(
        guest: &'m Guest<'m>,
        storage: &'m mut GuestMemoryStorage<SLOTS, VCPUS, POOLS>,
        config: GuestMemoryConfig,
    ) -> Result<Self> {
        let own = config.own.map_or(
            ffi::xg_window {
                va: ptr::null_mut(),
                gfn: 0,
                pages: 0,
            },
            |own| ffi::xg_window {
                va: own.va.cast(),
                gfn: own.gfn.raw(),
                pages: own.pages,
            },
        );
        let raw_config = ffi::xg_vm_config {
            dom: config.dom.raw(),
            self_: config.own_number.raw(),
            flags: config.flags,
            slots: storage.slots.as_mut_ptr().cast(),
            order: storage.order.as_mut_ptr(),
            nr_slots: u32::try_from(SLOTS).unwrap_or(u32::MAX),
            pools: storage.pools.as_mut_ptr().cast(),
            nr_pools: u32::try_from(POOLS).unwrap_or(u32::MAX),
            vcpus: storage.vcpus.as_mut_ptr().cast(),
            ports: storage.ports.as_mut_ptr(),
            nr_vcpus: u32::try_from(VCPUS).unwrap_or(u32::MAX),
            // Ports are waited for: a handler could outlive the storage.
            handler: None,
            data: ptr::null_mut(),
            own,
        };
        let raw = NonNull::from_mut(&mut storage.vm).cast();
        // SAFETY: the guest is set up; the storage is exclusively ours for 'm
        // and has the sizes given; the rest is the caller's promise.
        Error::check(unsafe { ffi::xg_vm_init(raw.as_ptr(), guest.as_raw(), &raw_config) })?;
        Ok(Self {
            raw,
            guest,
            storage: PhantomData,
        })
    }

    /// For the C API.
    pub const fn as_raw(&self) -> *mut ffi::xg_vm {
        self.raw.as_ptr()
    }

    pub(crate) const fn guest(&self) -> &'m Guest<'m> {
        self.guest
    }

    /// Whether something can be done.
    ///
    /// # Errors
    ///
    /// Why not: [`Error::NotSupported`] by this Xen or this configuration,
    /// [`Error::NotPermitted`], or what Xen answers.
    pub fn can(&self, what: Capability) -> Result {
        // SAFETY: set up.
        Error::check(unsafe { ffi::xg_vm_refusal(self.as_raw(), what.raw()) })?;
        Ok(())
    }

    /// Reserve all pages of `size` bytes from `addr` on. Accesses go to
    /// `handler`, if they can be trapped, until memory is mapped.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if a page is reserved or a pool's,
    /// [`Error::NoSpace`] if the table is full or Xen has no room for another
    /// trapped range, [`Error::Invalid`] for no bytes or a range that wraps.
    pub fn reserve<H>(&self, addr: usize, size: usize, handler: &'m H) -> Result<Reservation<'_>>
    where
        H: Fn(&mut Fault<'_>) -> Outcome,
    {
        let (hook, cookie) = fault::hook(handler);
        let mut made = ptr::null_mut();
        // SAFETY: set up; the handler lives for 'm, until when all is freed.
        Error::check(unsafe {
            ffi::xg_vm_reserve(self.as_raw(), addr, size, Some(hook), cookie, &mut made)
        })?;
        // SAFETY: made just now.
        Ok(unsafe { Reservation::from_raw(self, made) })
    }

    /// Reserve `size` bytes somewhere in a pool, at a multiple of `align`: a
    /// power of two, or 0 for a page.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve); [`Error::NoSpace`] also if no pool has
    /// so much together.
    pub fn reserve_anon<H>(
        &self,
        size: usize,
        align: usize,
        handler: &'m H,
    ) -> Result<Reservation<'_>>
    where
        H: Fn(&mut Fault<'_>) -> Outcome,
    {
        let (hook, cookie) = fault::hook(handler);
        let mut made = ptr::null_mut();
        // SAFETY: as in `reserve`.
        Error::check(unsafe {
            ffi::xg_vm_reserve_anon(self.as_raw(), size, align, Some(hook), cookie, &mut made)
        })?;
        // SAFETY: made just now.
        Ok(unsafe { Reservation::from_raw(self, made) })
    }

    /// Reserve what the domain has anyway, so that nothing is put over it.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve).
    pub fn guard(&self, addr: usize, size: usize) -> Result<Reservation<'_>> {
        let mut made = ptr::null_mut();
        // SAFETY: set up.
        Error::check(unsafe { ffi::xg_vm_guard(self.as_raw(), addr, size, &mut made) })?;
        // SAFETY: made just now.
        Ok(unsafe { Reservation::from_raw(self, made) })
    }

    /// Have a range serve [`reserve_anon`](Self::reserve_anon), for good.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`], [`Error::NoSpace`] if the storage has no place for
    /// another, [`Error::Invalid`].
    pub fn add_pool(&self, addr: usize, size: usize) -> Result {
        // SAFETY: set up.
        Error::check(unsafe { ffi::xg_vm_add_pool(self.as_raw(), addr, size) })?;
        Ok(())
    }

    /// Reserve the page at `addr` and back it with zeroed RAM that this guest
    /// sees too. The domain's `rights` say what it can do without `handler`
    /// being asked.
    ///
    /// # Errors
    ///
    /// As [`reserve`](Self::reserve), and what [`can`](Self::can) says:
    /// RAM and a window for all rights, else traps. [`Error::TooBig`] if the
    /// domain has all it may have, [`Error::NoMemory`]; [`Error::Invalid`]
    /// for an address inside of a page.
    pub fn create_ram<H>(
        &self,
        addr: usize,
        rights: Rights,
        handler: &'m H,
    ) -> Result<Reservation<'_>>
    where
        H: Fn(&mut Fault<'_>) -> Outcome,
    {
        // SAFETY: RAM is nobody else's.
        unsafe { self.create(ffi::xg_vm_create_ram, addr, rights, handler) }
    }

    /// The same with the device memory of that address.
    ///
    /// # Errors
    ///
    /// As [`create_ram`](Self::create_ram), with device memory in place of
    /// RAM. [`Error::NotSupported`] without the guest's
    /// [own number](GuestMemoryConfig::with_own_number).
    ///
    /// # Safety
    ///
    /// Whatever the domain, or this guest through the window, does with the
    /// device, it does not touch memory of this guest's.
    pub unsafe fn create_mmio<H>(
        &self,
        addr: usize,
        rights: Rights,
        handler: &'m H,
    ) -> Result<Reservation<'_>>
    where
        H: Fn(&mut Fault<'_>) -> Outcome,
    {
        // SAFETY: the device is the caller's promise.
        unsafe { self.create(ffi::xg_vm_create_mmio, addr, rights, handler) }
    }

    /// # Safety
    ///
    /// What `create` puts there can be given to the domain.
    unsafe fn create<H>(
        &self,
        create: Create,
        addr: usize,
        rights: Rights,
        handler: &'m H,
    ) -> Result<Reservation<'_>>
    where
        H: Fn(&mut Fault<'_>) -> Outcome,
    {
        let (hook, cookie) = fault::hook(handler);
        let (mut made, mut window) = (ptr::null_mut(), ptr::null_mut());
        let (raw, rights) = (self.as_raw(), rights.raw());
        let (to, seen) = (&mut made, &mut window);
        // SAFETY: as in `reserve`; the rest is the caller's promise.
        Error::check(unsafe { create(raw, addr, rights, Some(hook), cookie, to, seen) })?;
        // SAFETY: made just now.
        Ok(unsafe { Reservation::from_raw(self, made) })
    }

    /// Whom to ask about accesses that nobody has, or whose handler says
    /// [`Outcome::Unhandled`].
    pub fn set_unhandled<H>(&self, handler: &'m H)
    where
        H: Fn(&mut Fault<'_>) -> Outcome,
    {
        let (hook, cookie) = fault::hook(handler);
        // SAFETY: set up; the handler lives for 'm.
        unsafe { ffi::xg_vm_set_unhandled(self.as_raw(), Some(hook), cookie) };
    }

    /// Serve the accesses that vCPUs wait with, one of each: call handlers
    /// and answer. How many there were; call again until there are none.
    ///
    /// From a handler it serves the other vCPUs.
    pub fn serve(&self) -> u32 {
        // SAFETY: set up, and used on this thread only.
        unsafe { ffi::xg_vm_serve(self.as_raw()) }
    }

    /// Sleep until a vCPU waits, or the time is over. Returns whether one may
    /// wait: [`serve`](Self::serve) then.
    ///
    /// With a limit it takes many hypercalls to find out what time it is, more
    /// than all of an access does.
    ///
    /// # Errors
    ///
    /// As [`Guest::wait`]; [`Error::NotSupported`] without traps.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.can(Capability::Trap)?;
        let timeout = timeout.map_or(u64::MAX, |t| t.as_nanos().try_into().unwrap_or(u64::MAX));
        let guest = self.guest.as_raw();
        // SAFETY: set up, with so many ports, all of them open.
        let rc = unsafe {
            let server = &(*self.as_raw()).ioreq;
            let rc = ffi::xg_evtchn_wait(guest, server.ports, server.nr_vcpus, timeout);
            // Taken before looking: what comes later is pending again.
            for vcpu in 0..server.nr_vcpus as usize {
                ffi::xg_evtchn_take_pending(guest, *server.ports.add(vcpu));
            }
            rc
        };
        Ok(Error::check(rc)? != 0)
    }

    /// Answer the access of `vcpu` whose handler said [`Outcome::Later`]: a
    /// load reads `data`.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it does not wait.
    pub fn answer(&self, vcpu: u32, data: u64) -> Result {
        let vcpu = self.waiting(vcpu)?;
        // SAFETY: a vCPU of this one.
        Error::check(unsafe { ffi::xg_vm_answer(vcpu, data) })?;
        Ok(())
    }

    /// Have that access done on the memory that is there by now.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if it does not wait, or there is none; what keeps
    /// the memory from being seen.
    pub fn retry(&self, vcpu: u32) -> Result {
        let vcpu = self.waiting(vcpu)?;
        // SAFETY: a vCPU of this one.
        Error::check(unsafe { ffi::xg_vm_retry(vcpu) })?;
        Ok(())
    }

    fn waiting(&self, vcpu: u32) -> Result<*mut ffi::xg_vm_vcpu> {
        // SAFETY: set up; so many vCPUs are there.
        unsafe {
            let vm = self.as_raw();
            if vcpu < (*vm).nr_vcpus {
                Ok((*vm).vcpus.add(vcpu as usize))
            } else {
                Err(Error::Invalid)
            }
        }
    }

    /// How many accesses could not be served.
    pub fn errors(&self) -> u64 {
        // SAFETY: set up, and used on this thread only.
        unsafe { (*self.as_raw()).errors }
    }

    /// How many reservations there are, guards too.
    pub fn reservations(&self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.as_raw()).count }
    }

    /// Give everything back. Dropping does the same, but can't tell.
    ///
    /// # Errors
    ///
    /// With the memory, to try again: what Xen or the platform answers.
    pub fn finish(self) -> Result<(), (Error, Self)> {
        // SAFETY: set up; nothing borrows it any more.
        match Error::check(unsafe { ffi::xg_vm_fini(self.as_raw()) }) {
            Ok(_) => {
                core::mem::forget(self);
                Ok(())
            }
            Err(error) => Err((error, self)),
        }
    }
}

impl Drop for GuestMemory<'_> {
    fn drop(&mut self) {
        // SAFETY: set up; nothing borrows it any more.
        if unsafe { ffi::xg_vm_fini(self.as_raw()) } != 0 {
            self.guest.abandon();
        }
    }
}

impl fmt::Debug for GuestMemory<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuestMemory({} reservations)", self.reservations())
    }
}

/// For raw C callbacks.
pub(crate) type Hook = unsafe extern "C" fn(
    *mut ffi::xg_vm,
    *mut ffi::xg_vm_vcpu,
    usize,
    usize,
    *mut c_void,
) -> core::ffi::c_int;

/// Of the C calls that make a page.
type Create = unsafe extern "C" fn(
    *mut ffi::xg_vm,
    usize,
    u32,
    ffi::xg_vm_fault_fn,
    *mut c_void,
    *mut *mut ffi::xg_vm_reservation,
    *mut *mut c_void,
) -> core::ffi::c_int;
