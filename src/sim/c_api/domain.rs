// SPDX-License-Identifier: MIT OR Apache-2.0
//! Domains: made, killed, asked.

use std::boxed::Box;
use std::ffi::{c_char, c_void};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex};

use super::guest::Place;
use super::machine::XgSim;
use super::{check, guard, put, put_text, settings, the};
use crate::platform::Table;
use crate::sim::delivery::lock;
use crate::sim::{Delivery, Domain, DomainConfig};
use crate::{Error, ffi};

/// A control domain. The first one is domain 0.
pub const XG_SIM_PRIVILEGED: u32 = 1;
/// RAM stays where it is, as a dom0's on Arm.
pub const XG_SIM_DIRECT_MAP: u32 = 2;
/// Xen does not offer the FIFO ABI of event channels.
pub const XG_SIM_NO_FIFO: u32 = 4;
/// Upcalls run on threads of their own, one for each vCPU, as soon as they
/// are due and concurrently with everything else, as interrupts do. Without
/// it they run on the threads that use the domain, at fixed points, so that a
/// run with one thread is the same every time.
pub const XG_SIM_ASYNC: u32 = 8;

const FLAGS: u32 = XG_SIM_PRIVILEGED | XG_SIM_DIRECT_MAP | XG_SIM_NO_FIFO | XG_SIM_ASYNC;

/// The most that the host is asked for: 1 GiB.
const MAX_RAM_PAGES: u64 = 1 << 18;
const MAX_VCPUS: u32 = 128;

/// A domain: the platform of its firmware. It belongs to its machine.
pub struct XgSimDomain {
    pub(super) domain: Domain,
    /// The guest that xg_sim_guest_init() set up, or null.
    pub(super) current: Arc<AtomicPtr<ffi::xg_guest>>,
    pub(super) place: Mutex<Option<Place>>,
}

/// What a new domain has. Zero is the usual thing everywhere.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct XgSimDomainConfig {
    /// Pages of RAM, at most 2^18. 0: 1024.
    pub ram_pages: u64,
    /// vCPUs, all of them running from the start. 0: one.
    pub vcpus: u32,
    /// Largest size of the grant table, in frames. 0: 64.
    pub max_grant_frames: u32,
    /// Highest port number. 0: 1023, and for a privileged domain no limit.
    pub max_evtchn_port: u32,
    /// XG_SIM_PRIVILEGED, XG_SIM_DIRECT_MAP, XG_SIM_NO_FIFO, XG_SIM_ASYNC.
    pub flags: u32,
}

impl XgSimDomainConfig {
    fn config(&self) -> crate::Result<DomainConfig> {
        let has = |flag| self.flags & flag != 0;
        if self.flags & !FLAGS != 0 || self.ram_pages > MAX_RAM_PAGES || self.vcpus > MAX_VCPUS {
            return Err(Error::Invalid);
        }
        let mut config = DomainConfig {
            privileged: has(XG_SIM_PRIVILEGED),
            direct_map: has(XG_SIM_DIRECT_MAP),
            fifo: !has(XG_SIM_NO_FIFO),
            delivery: if has(XG_SIM_ASYNC) {
                Delivery::Asynchronous
            } else {
                Delivery::Deterministic
            },
            ..DomainConfig::default()
        };
        if config.privileged {
            config.max_evtchn_port = u32::MAX;
        }
        for (ours, theirs) in [
            (&mut config.vcpus, self.vcpus),
            (&mut config.max_grant_frames, self.max_grant_frames),
            (&mut config.max_evtchn_port, self.max_evtchn_port),
        ] {
            if theirs > 0 {
                *ours = theirs;
            }
        }
        if self.ram_pages > 0 {
            config.ram_pages = self.ram_pages;
        }
        Ok(config)
    }
}

impl XgSimDomain {
    /// Whether the calling thread is inside an upcall of the domain, or is
    /// one of its vCPUs for the time being.
    pub(super) fn here(&self) -> bool {
        self.domain.shared.cpus.occupied_here()
    }

    pub(super) fn kill(&self) -> i32 {
        let guest = self.current.load(Ordering::SeqCst);
        // SAFETY: only compared, and this thread's own.
        unsafe {
            if !guest.is_null() && ffi::xg_current() == guest {
                ffi::xg_set_current(std::ptr::null_mut());
            }
        }
        self.domain.destroy();
        0
    }

    /// Whether it has not died.
    pub(super) fn lives(&self) -> bool {
        let state = self.domain.shared.hypervisor.state();
        let domain = state.domains.get(&self.domain.shared.id);
        domain.is_some_and(|domain| !domain.dying)
    }
}

/// Make a domain with what `config` says, which may be null: a domain that is
/// not privileged, with 4 MiB of RAM. Domains are numbered from 1 up; no
/// number is used twice.
///
/// -XG_EINVAL: null pointers, or settings out of range. -XG_EIO: machine
/// memory (4 GiB) or the host's resources ran out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_domain_create(
    sim: *const XgSim,
    config: *const XgSimDomainConfig,
    domain: *mut *mut XgSimDomain,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let (sim, config) = unsafe { (the(sim)?, settings(config)) };
        if domain.is_null() {
            return Err(Error::Invalid);
        }
        let made = NonNull::from(Box::leak(Box::new(XgSimDomain {
            domain: sim.xen.create_domain(config.config()?),
            current: Arc::default(),
            place: Mutex::default(),
        })));
        lock(&sim.domains).push(made);
        // SAFETY: as the caller promises.
        unsafe { put(domain, made.as_ptr()) }?;
        Ok(0)
    })
}

/// The domain's number, 0 or positive.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_domain_id(domain: *const XgSimDomain) -> i32 {
    // SAFETY: as the caller promises.
    check(|| Ok(unsafe { the(domain) }?.domain.domid().raw().into()))
}

/// Kill a domain as Xen does: its upcalls stop, its ports are closed and their
/// peers' ends become unbound, its mappings are released and its memory is
/// gone. Pages that others have mapped stay until they let go. Afterwards its
/// hypercalls answer -XG_ESRCH, touching its memory faults, and its guest may
/// be given to xg_sim_guest_fini() only: no thread may be using either.
///
/// -XG_EIO if the simulator had given up in an upcall.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_domain_kill(domain: *mut XgSimDomain) -> i32 {
    // SAFETY: as the caller promises.
    check(|| Ok(unsafe { the(domain) }?.kill()))
}

/// 1 while the domain, or what a peer has mapped of it, exists; 0 afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_domain_exists(domain: *const XgSimDomain) -> i32 {
    // SAFETY: as the caller promises.
    check(|| Ok(unsafe { the(domain) }?.domain.exists().into()))
}

/// How many hypercalls the domain has made.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_domain_hypercalls(domain: *const XgSimDomain) -> i64 {
    guard(|| {
        // SAFETY: as the caller promises.
        match unsafe { the(domain) } {
            Ok(domain) => {
                let xen = domain.domain.hypervisor();
                xen.hypercalls(domain.domain.domid()) as i64
            }
            Err(error) => error.raw().into(),
        }
    })
}

/// What the domain wrote to its console. Returns as xg_sim_warning().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_domain_console(
    domain: *const XgSimDomain,
    text: *mut c_char,
    size: u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let console = unsafe { the(domain) }?.domain.console();
        // SAFETY: as the caller promises.
        unsafe { put_text(text, size, &console) }
    })
}

/// The reason that the domain gave to SCHEDOP_shutdown, 0 or positive;
/// -XG_EAGAIN if it did not call it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_domain_shutdown(domain: *const XgSimDomain) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let reason = unsafe { the(domain) }?.domain.shutdown_reason();
        Ok(reason.ok_or(Error::TryAgain)? as i32)
    })
}

/// The hooks of every simulated domain, for xg_guest_init() with the domain's
/// xg_sim_context(), where xg_sim_guest_init() is not wanted. Lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn xg_sim_platform() -> *const ffi::xg_platform {
    const { &Table::<Domain>::HOOKS }
}

/// The first argument of the hooks for this domain. Null for null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_context(domain: *const XgSimDomain) -> *mut c_void {
    // SAFETY: as the caller promises.
    match unsafe { domain.as_ref() } {
        Some(domain) => std::ptr::from_ref(&domain.domain).cast_mut().cast(),
        None => std::ptr::null_mut(),
    }
}
