// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a control domain asks Xen about other domains, and does to them, beyond
//! what `xen-guest` is for.

use core::sync::atomic::{AtomicU32, Ordering};

use xen_guest::ffi::{self, abi};

use crate::hypercall;

const GETDOMAININFO: u32 = 5;

/// A command's own part.
pub(crate) type Payload = [u64; 16];

/// `struct xen_domctl`.
#[repr(C)]
struct Op {
    cmd: u32,
    version: u32,
    domain: u16,
    pad: [u16; 3],
    payload: Payload,
}

const _: () = assert!(size_of::<Op>() == size_of::<abi::xen_domctl>());

/// The version of this interface that Xen has, once it is known.
static VERSION: AtomicU32 = AtomicU32::new(0);

/// The version of this interface, which differs from Xen to Xen.
///
/// # Panics
///
/// If none is known that Xen takes: it may be too new, or this is no control
/// domain.
pub(crate) fn version() -> u32 {
    match VERSION.load(Ordering::Relaxed) {
        0 => {}
        known => return known,
    }
    let taken = |version: &u32| {
        // SAFETY: This command takes no pointer.
        unsafe { raw(*version, GETDOMAININFO, 0, &mut [0; 16]) }.is_ok()
    };
    let found = (ffi::XG_DOMCTL_OLDEST..=ffi::XG_DOMCTL_NEWEST).find(taken);
    let found = found.expect("a version of domctl that Xen has");
    VERSION.store(found, Ordering::Relaxed);
    found
}

/// One command. The domain and what Xen wrote into the payload; or its error.
///
/// # Safety
///
/// What is in the payload is as the command wants it, with pointers that are
/// valid for what it reads and writes.
pub(crate) unsafe fn call(cmd: u32, domain: u16, payload: &mut Payload) -> Result<u16, isize> {
    // SAFETY: As the caller promises.
    unsafe { raw(version(), cmd, domain, payload) }
}

/// The same as if Xen had this version.
///
/// # Safety
///
/// As for [`call`].
unsafe fn raw(version: u32, cmd: u32, domain: u16, payload: &mut Payload) -> Result<u16, isize> {
    let mut op = Op {
        cmd,
        version,
        domain,
        pad: [0; 3],
        payload: *payload,
    };
    // SAFETY: As the caller promises; Xen reads and writes `op`.
    let result = unsafe {
        hypercall::raw(
            abi::__HYPERVISOR_domctl as usize,
            [(&raw mut op).addr(), 0, 0, 0, 0],
        )
    };
    *payload = op.payload;
    match result {
        0 => Ok(op.domain),
        error => Err(error),
    }
}

/// What a domain is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs, or waits, or is paused.
    Alive,
    /// It stopped, for this reason: a `SHUTDOWN_*` of Xen's.
    Stopped(u8),
}

/// The domain with the lowest number from `first` on, and what it does. `None`
/// if there is none.
///
/// # Panics
///
/// If this is no control domain.
pub fn next_domain(first: u16) -> Option<(u16, State)> {
    const SHUTDOWN: u64 = 1 << 2;
    let mut payload = [0; 16];
    // SAFETY: This command takes no pointer.
    let domain = unsafe { call(GETDOMAININFO, first, &mut payload) }.ok()?;
    // Behind the domain's number and 16 bits of nothing.
    let flags = payload[0] >> 32;
    let state = match flags & SHUTDOWN {
        0 => State::Alive,
        _ => State::Stopped((flags >> 16) as u8),
    };
    Some((domain, state))
}
