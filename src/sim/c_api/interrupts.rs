// SPDX-License-Identifier: MIT OR Apache-2.0
//! The event interrupt: connected, run at a chosen moment, and raised by
//! devices; and which vCPU a thread is.

use std::ffi::c_void;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use super::domain::XgSimDomain;
use super::machine::XgSim;
use super::{Current, check, the};
use crate::{Error, Result, ffi};

/// Handlers that one upcall calls at most.
const BUDGET: u32 = 64;

/// What an event interrupt runs: true asks to be called again.
pub type XgSimUpcall = Option<unsafe extern "C" fn(data: *mut c_void) -> bool>;
/// What a thread does as a vCPU.
pub type XgSimBody = Option<unsafe extern "C" fn(data: *mut c_void)>;

/// A pointer of C's, which may be used on any thread.
#[derive(Clone, Copy)]
struct Data(*mut c_void);

// SAFETY: C is told on which threads it is used.
unsafe impl Send for Data {}
// SAFETY: as above.
unsafe impl Sync for Data {}

impl Data {
    /// A method, so that closures take all of it.
    fn get(self) -> *mut c_void {
        self.0
    }
}

/// Connects the core's upcall.
pub(super) fn connect_guest(domain: &XgSimDomain, guest: *mut ffi::xg_guest) {
    let data = Data(guest.cast());
    domain.domain.set_upcall(move || {
        let guest = data.get().cast();
        let _current = Current::make(guest);
        // SAFETY: the guest is set up until the upcall is disconnected; the
        // simulator runs it once at a time for each vCPU.
        unsafe { ffi::xg_evtchn_upcall(guest, BUDGET) > 0 }
    });
}

/// Connect the domain's event interrupt to `upcall`, which gets `data`, in
/// place of what it was connected to. It runs when Xen has something for a
/// vCPU, and again while it returns true; never twice at a time for one vCPU,
/// which the platform's cpu_id hook tells in it, and with the domain's guest
/// as xg_current(). On which thread: see XG_SIM_ASYNC. Null: the usual one,
/// which calls xg_evtchn_upcall() for the guest; -XG_EINVAL without a guest.
///
/// It can be called on any thread until it is disconnected or replaced and has
/// returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_connect(
    domain: *const XgSimDomain,
    upcall: XgSimUpcall,
    data: *mut c_void,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = unsafe { the(domain) }?;
        let guest = domain.current.load(Ordering::SeqCst);
        match upcall {
            None if guest.is_null() => return Err(Error::Invalid),
            None => connect_guest(domain, guest),
            Some(upcall) => {
                let (data, current) = (Data(data), domain.current.clone());
                domain.domain.set_upcall(move || {
                    let _current = as_current(&current);
                    // SAFETY: as the caller promises.
                    unsafe { upcall(data.get()) }
                });
            }
        }
        Ok(0)
    })
}

fn as_current(guest: &Arc<AtomicPtr<ffi::xg_guest>>) -> Current {
    Current::make(guest.load(Ordering::SeqCst))
}

/// Disconnect the event interrupt. When this returns the upcall is not running
/// any more, unless it is called from inside it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_disconnect(domain: *const XgSimDomain) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        unsafe { the(domain) }?.domain.clear_upcall();
        Ok(0)
    })
}

/// Run the upcalls of this domain that are due on this thread, lowest vCPU
/// first, until there are none. Returns how many ran; 0 where interrupts are
/// held off or the upcall is running.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_deliver(domain: *const XgSimDomain) -> i32 {
    // SAFETY: as the caller promises.
    check(|| count(unsafe { the(domain) }?.domain.deliver()))
}

/// Run the upcalls of all domains without XG_SIM_ASYNC on this thread, lowest
/// domain first, until none is due, and wait until those with it are at rest.
/// Returns how many ran here; -XG_EIO if there is no end to it within a
/// minute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_deliver_all(sim: *const XgSim) -> i32 {
    // SAFETY: as the caller promises.
    check(|| count(unsafe { the(sim) }?.xen.deliver_all()))
}

fn count(calls: usize) -> Result<i32> {
    Ok(i32::try_from(calls).unwrap_or(i32::MAX))
}

/// Raise a virtual interrupt (VIRQ_*, xen/xen.h) of a vCPU, as a device in Xen
/// would. The vCPU is ignored for interrupts of which there is one only.
/// Returns 1, or 0 if no port is bound to it; -XG_ENOENT: no such vCPU.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_raise_virq(
    domain: *const XgSimDomain,
    virq: u32,
    vcpu: u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let domain = &unsafe { the(domain) }?.domain;
        if vcpu >= domain.vcpus() {
            return Err(Error::NotFound);
        }
        Ok(domain.raise_virq_on(virq, vcpu).into())
    })
}

/// Call body(data) with this thread being vCPU `vcpu` of the domain: its
/// hypercalls are that vCPU's, and the domain's guest is xg_current().
/// Elsewhere a thread is vCPU 0. Several threads can be the same vCPU in this
/// way, and its upcall can run on another one, so that the platform's cpu_id
/// hook answers XG_CPU_NONE.
///
///   -XG_ENOENT  no such vCPU
///   -XG_EBUSY   inside an upcall of the domain
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_run_as_vcpu(
    domain: *const XgSimDomain,
    vcpu: u32,
    body: XgSimBody,
    data: *mut c_void,
) -> i32 {
    // SAFETY: as the caller promises.
    check(|| unsafe { run_as(the(domain)?, vcpu, false, body, data) })
}

/// The same with this thread being all there is of that vCPU, as on a machine:
/// its upcall runs on no other thread, and on this one at fixed points,
/// whatever XG_SIM_ASYNC says. What waits for events, as xg_evtchn_wait()
/// does, wants this. -XG_EBUSY also if another thread is that vCPU.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_become_vcpu(
    domain: *const XgSimDomain,
    vcpu: u32,
    body: XgSimBody,
    data: *mut c_void,
) -> i32 {
    // SAFETY: as the caller promises.
    check(|| unsafe { run_as(the(domain)?, vcpu, true, body, data) })
}

/// # Safety
///
/// `body` can be called with `data`.
unsafe fn run_as(
    domain: &XgSimDomain,
    vcpu: u32,
    alone: bool,
    body: XgSimBody,
    data: *mut c_void,
) -> Result<i32> {
    let body = body.ok_or(Error::Invalid)?;
    let cpus = &domain.domain.shared.cpus;
    if vcpu >= cpus.count() {
        return Err(Error::NotFound);
    }
    if cpus.inside() || (alone && cpus.owned(vcpu)) {
        return Err(Error::Busy);
    }
    cpus.run_as(vcpu, alone, || {
        let _current = as_current(&domain.current);
        // SAFETY: as the caller promises.
        unsafe { body(data) };
    });
    Ok(0)
}
