// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event channels.

use core::ffi::c_void;
use core::fmt;
use core::mem;
use core::ptr;

use crate::{DomId, Error, Guest, Port, Result, ffi};

/// An open event-channel port of this guest.
///
/// Events come to a handler, given to [`bind`](Self::bind), in interrupt
/// context; or they are taken with [`take_pending`](Self::take_pending).
/// What arrives while there is no handler, or while the port is masked, is
/// kept and delivered later, as one event. Dropping closes the port.
pub struct EventChannel<'g> {
    guest: &'g Guest<'g>,
    port: Port,
}

/// # Safety
///
/// `data` is the `&'static H` given at bind.
unsafe extern "C" fn call<H: Fn() + Sync + 'static>(data: *mut c_void) {
    // SAFETY: as the caller promises.
    let handler: &'static H = unsafe { &*data.cast::<H>() };
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
    /// handler runs in interrupt context and may use the whole crate.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if Xen says that the port is not open.
    pub fn bind<H: Fn() + Sync + 'static>(&mut self, handler: &'static H) -> Result {
        // SAFETY: the guest is set up; `call` gets the handler back from the
        // pointer, and the handler lives for ever.
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
