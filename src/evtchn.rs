// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event channels.

use core::ffi::c_void;
use core::fmt;
use core::mem;
use core::ptr;
use core::time::Duration;

use crate::{DomId, Error, Guest, Port, Result, Signal, ffi};

/// An open event-channel port of this guest.
///
/// Events come to a handler, given to [`bind`](Self::bind), in interrupt
/// context; or they are taken with [`take_pending`](Self::take_pending).
/// What arrives while there is no handler, or while the port is masked, is
/// kept and delivered later, as one event. Dropping closes the port.
///
/// Methods with `&self` may be called on any CPU and in handlers, of this
/// channel or others. Binding, unbinding and dropping may wait until a handler
/// that runs on another vCPU is done, so not with a lock held that it takes.
///
/// ```
/// use core::sync::atomic::{AtomicBool, Ordering};
/// use xen_guest::{DomId, EventChannel, Guest, Port, Result};
///
/// static WORK: AtomicBool = AtomicBool::new(false);
///
/// /// Connect to a port that `peer` opened for us, and tell it.
/// fn connect<'g>(guest: &'g Guest<'g>, peer: DomId, port: Port) -> Result<EventChannel<'g>> {
///     let mut channel = EventChannel::bind_interdomain(guest, peer, port)?;
///     // Called once at once: Xen raises a port when it is connected.
///     channel.bind(&|| WORK.store(true, Ordering::Release))?;
///     channel.notify()?;
///     Ok(channel)
/// }
/// ```
pub struct EventChannel<'g> {
    guest: &'g Guest<'g>,
    port: Port,
}

/// # Safety
///
/// `data` is the `&H` given at bind, and still there.
unsafe extern "C" fn call<H: Fn() + Sync>(data: *mut c_void) {
    // SAFETY: as the caller promises.
    let handler = unsafe { &*data.cast::<H>() };
    handler();
}

impl<'g> EventChannel<'g> {
    /// Open a port that domain `remote` may connect to. It must be told the
    /// number by other means.
    ///
    /// # Errors
    ///
    /// [`Error::NoSpace`] if no port within the table is free,
    /// [`Error::NotPermitted`] where Xen keeps the two domains apart.
    pub fn alloc_unbound(guest: &'g Guest<'g>, remote: DomId) -> Result<Self> {
        // SAFETY: the guest is set up.
        let port = unsafe {
            ffi::xg_evtchn_alloc_unbound(guest.as_raw(), DomId::SELF.raw(), remote.raw())
        };
        Self::opened(guest, port)
    }

    /// Connect to `port` of domain `remote`, which it had opened for this
    /// domain.
    ///
    /// Xen marks the new local port pending, in case the peer signalled
    /// before: expect one event once a handler is bound.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if that port is not waiting for this domain,
    /// [`Error::NoSuchDomain`], [`Error::NoSpace`], [`Error::NotPermitted`].
    pub fn bind_interdomain(guest: &'g Guest<'g>, remote: DomId, port: Port) -> Result<Self> {
        // SAFETY: the guest is set up; without a handler there is no data.
        let port = unsafe {
            ffi::xg_evtchn_bind_interdomain(
                guest.as_raw(),
                remote.raw(),
                port.raw(),
                None,
                ptr::null_mut(),
            )
        };
        Self::opened(guest, port)
    }

    /// Open a port for a virtual interrupt of Xen (`VIRQ_*`). One that every
    /// vCPU has goes to `vcpu`; the others have vCPU 0.
    ///
    /// # Errors
    ///
    /// [`Error::Exists`] if it is bound, [`Error::Busy`] if another domain
    /// handles it, [`Error::Invalid`], [`Error::NotFound`],
    /// [`Error::NotPermitted`], [`Error::NoSpace`].
    pub fn bind_virq(guest: &'g Guest<'g>, virq: u32, vcpu: u32) -> Result<Self> {
        // SAFETY: the guest is set up.
        let port = unsafe { ffi::xg_evtchn_bind_virq(guest.as_raw(), virq, vcpu) };
        Self::opened(guest, port)
    }

    /// Open a port by which the guest's vCPUs signal `vcpu`.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such vCPU, [`Error::NoSpace`].
    pub fn bind_ipi(guest: &'g Guest<'g>, vcpu: u32) -> Result<Self> {
        // SAFETY: the guest is set up.
        let port = unsafe { ffi::xg_evtchn_bind_ipi(guest.as_raw(), vcpu) };
        Self::opened(guest, port)
    }

    /// Take over a port that Xen connected at boot, as the device tree says.
    /// Dropping it unbinds but does not close: Xen could not give it again.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if Xen says that it is not in use.
    ///
    /// # Safety
    ///
    /// No other `EventChannel` or C code of this guest uses the port.
    pub unsafe fn adopt_static(guest: &'g Guest<'g>, port: Port) -> Result<Self> {
        // SAFETY: the guest is set up.
        Error::check(unsafe { ffi::xg_evtchn_adopt_static(guest.as_raw(), port.raw()) })?;
        Ok(Self { guest, port })
    }

    /// Take over a port that somebody else opened for this domain.
    ///
    /// # Safety
    ///
    /// No other `EventChannel` or C code of this guest uses the port.
    pub const unsafe fn from_raw(guest: &'g Guest<'g>, port: Port) -> Self {
        Self { guest, port }
    }

    /// Give the port up without closing it.
    pub const fn into_raw(self) -> Port {
        let port = self.port;
        mem::forget(self);
        port
    }

    fn opened(guest: &'g Guest<'g>, result: i32) -> Result<Self> {
        let port = Port::new(Error::check(result)?).ok_or(Error::OutOfRange)?;
        Ok(Self { guest, port })
    }

    /// The port's number, for the peer.
    pub const fn port(&self) -> Port {
        self.port
    }

    /// Have `handler` called for every event from now on, in place of an
    /// earlier one. Events that came before are delivered at once. The
    /// handler runs in interrupt context and may use the whole crate; if it
    /// panics the program aborts.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if Xen says that the port is not open.
    pub fn bind<H: Fn() + Sync>(&mut self, handler: &'static H) -> Result {
        // SAFETY: it lives for ever, and `&mut` keeps others away.
        unsafe { self.bind_raw(handler) }
    }

    /// Have events raise `signal`: see [`Signal::attach`].
    pub(crate) fn bind_signal(&mut self, signal: &'static Signal) -> Result {
        unsafe extern "C" fn raise(data: *mut c_void) {
            // SAFETY: bound below with a signal that lives for ever.
            unsafe { &*data.cast::<Signal>() }.raise();
        }
        // SAFETY: the guest is set up; `raise` gets the signal back from the
        // pointer; `&mut` keeps others away.
        Error::check(unsafe {
            ffi::xg_evtchn_bind(
                self.guest.as_raw(),
                self.port.raw(),
                Some(raise),
                ptr::from_ref(signal).cast::<c_void>().cast_mut(),
            )
        })?;
        Ok(())
    }

    /// Have `handler` called for events while `body` runs, and not any more
    /// afterwards: so it may borrow. An earlier handler is gone.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if Xen says that the port is not open; `body` did
    /// not run then.
    pub fn with_handler<H: Fn() + Sync, R>(
        &mut self,
        handler: &H,
        body: impl FnOnce(&Self) -> R,
    ) -> Result<R> {
        /// Unbinds, after a panic of `body` too.
        struct Unbind<'a, 'g>(&'a EventChannel<'g>);
        impl Drop for Unbind<'_, '_> {
            fn drop(&mut self) {
                // SAFETY: the guest is set up. An open port can be unbound,
                // and a closed one has no handler.
                unsafe { ffi::xg_evtchn_unbind(self.0.guest.as_raw(), self.0.port.raw()) };
            }
        }
        // SAFETY: the handler is unbound, and runs nowhere any more, before
        // its borrow ends. `self` is borrowed, so nobody binds another.
        unsafe { self.bind_raw(handler) }?;
        let bound = Unbind(self);
        Ok(body(bound.0))
    }

    /// # Safety
    ///
    /// `handler` lives until it is unbound, and nobody binds or closes the
    /// port at the same time.
    unsafe fn bind_raw<H: Fn() + Sync>(&self, handler: &H) -> Result {
        // SAFETY: the guest is set up; `call` gets the handler back from the
        // pointer; the rest is the caller's promise.
        Error::check(unsafe {
            ffi::xg_evtchn_bind(
                self.guest.as_raw(),
                self.port.raw(),
                Some(call::<H>),
                ptr::from_ref(handler).cast::<c_void>().cast_mut(),
            )
        })?;
        Ok(())
    }

    /// Take the handler away. It is not running when this returns, unless
    /// this is called from inside it. Events are kept from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the port was closed behind this value's back.
    pub fn unbind(&mut self) -> Result {
        // SAFETY: the guest is set up; `&mut` keeps bind and close away.
        Error::check(unsafe { ffi::xg_evtchn_unbind(self.guest.as_raw(), self.port.raw()) })?;
        Ok(())
    }

    /// Signal the other end. What was written to shared memory before is
    /// visible to the peer's handler. A full barrier; any context.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if Xen closed the port. A peer that is gone is no
    /// error.
    pub fn notify(&self) -> Result {
        // SAFETY: the guest is set up.
        Error::check(unsafe { ffi::xg_evtchn_notify(self.guest.as_raw(), self.port.raw()) })?;
        Ok(())
    }

    /// Hold events back. Repeatable; does not nest.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the port was never bound nor opened here.
    pub fn mask(&self) -> Result {
        // SAFETY: the guest is set up.
        Error::check(unsafe { ffi::xg_evtchn_mask(self.guest.as_raw(), self.port.raw()) })?;
        Ok(())
    }

    /// Let events through, those that came meanwhile first.
    ///
    /// # Errors
    ///
    /// As [`mask`](Self::mask).
    pub fn unmask(&self) -> Result {
        // SAFETY: the guest is set up.
        Error::check(unsafe { ffi::xg_evtchn_unmask(self.guest.as_raw(), self.port.raw()) })?;
        Ok(())
    }

    /// Have the port served in order of `priority`: 0 first, 15 last, 7 as it
    /// was opened. Holds for events from now on.
    ///
    /// # Errors
    ///
    /// [`Error::NotImplemented`] with the two-level ABI, [`Error::Invalid`]
    /// for other priorities.
    pub fn set_priority(&self, priority: u32) -> Result {
        // SAFETY: the guest is set up.
        Error::check(unsafe {
            ffi::xg_evtchn_set_priority(self.guest.as_raw(), self.port.raw(), priority)
        })?;
        Ok(())
    }

    /// Send events to `vcpu` from now on, a pending one too.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if it is not online, [`Error::Invalid`] for IPIs
    /// and interrupts that every vCPU has.
    pub fn bind_vcpu(&mut self, vcpu: u32) -> Result {
        // SAFETY: the guest is set up; `&mut` keeps bind and close away.
        Error::check(unsafe {
            ffi::xg_evtchn_bind_vcpu(self.guest.as_raw(), self.port.raw(), vcpu)
        })?;
        Ok(())
    }

    /// Hold the port back after each call of its handler until
    /// [`done`](Self::done): a peer that signals without pause then costs one
    /// interrupt per piece of work.
    ///
    /// # Errors
    ///
    /// As [`mask`](Self::mask).
    pub fn set_late(&self, late: bool) -> Result {
        // SAFETY: the guest is set up.
        Error::check(unsafe {
            ffi::xg_evtchn_set_late(self.guest.as_raw(), self.port.raw(), late)
        })?;
        Ok(())
    }

    /// The work of a held event is done; `worked` says whether there was any.
    /// Some time means: the peer signals for nothing, hold it back for that
    /// long, then [`release`](Self::release) it.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if no event is held.
    pub fn done(&self, worked: bool) -> Result<Option<Duration>> {
        // SAFETY: the guest is set up.
        let delay = Error::check(unsafe {
            ffi::xg_evtchn_done(self.guest.as_raw(), self.port.raw(), worked)
        })?;
        Ok((delay > 0).then(|| Duration::from_millis(delay.into())))
    }

    /// Let a held port deliver again.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if no event is held.
    pub fn release(&self) -> Result {
        // SAFETY: the guest is set up.
        Error::check(unsafe { ffi::xg_evtchn_release(self.guest.as_raw(), self.port.raw()) })?;
        Ok(())
    }

    /// Whether an event is waiting.
    ///
    /// # Errors
    ///
    /// As [`mask`](Self::mask).
    pub fn is_pending(&self) -> Result<bool> {
        // SAFETY: the guest is set up.
        let pending =
            Error::check(unsafe { ffi::xg_evtchn_pending(self.guest.as_raw(), self.port.raw()) })?;
        Ok(pending != 0)
    }

    /// Whether an event is waiting; takes it.
    ///
    /// # Errors
    ///
    /// As [`mask`](Self::mask).
    pub fn take_pending(&self) -> Result<bool> {
        // SAFETY: the guest is set up.
        let taken = Error::check(unsafe {
            ffi::xg_evtchn_take_pending(self.guest.as_raw(), self.port.raw())
        })?;
        Ok(taken != 0)
    }

    /// Close the port. The peer is not told.
    ///
    /// # Errors
    ///
    /// What Xen answers; the port is as it was then.
    pub fn close(self) -> Result<(), (Error, Self)> {
        match self.close_raw() {
            Ok(()) => {
                mem::forget(self);
                Ok(())
            }
            Err(error) => Err((error, self)),
        }
    }

    fn close_raw(&self) -> Result {
        // SAFETY: the guest is set up; called with `self` owned.
        Error::check(unsafe { ffi::xg_evtchn_close(self.guest.as_raw(), self.port.raw()) })?;
        Ok(())
    }
}

impl Drop for EventChannel<'_> {
    fn drop(&mut self) {
        if self.close_raw().is_err() {
            self.guest.abandon();
        }
    }
}

impl fmt::Debug for EventChannel<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EventChannel").field(&self.port).finish()
    }
}
