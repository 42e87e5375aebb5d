// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machine: made, looked at, and taken down with everything on it.

use std::boxed::Box;
use std::ffi::c_char;
use std::ptr::NonNull;
use std::string::ToString;
use std::sync::Mutex;
use std::vec::Vec;

use super::domain::XgSimDomain;
use super::{check, guard, put, put_text, the};
use crate::Error;
use crate::sim::delivery::lock;
use crate::sim::{Device, Hypervisor, Policy};

/// Everybody may deal with everybody (xsm=dummy).
pub const XG_SIM_OPEN: u32 = 0;
/// Domains that are not privileged only with those that are (xsm=silo).
pub const XG_SIM_SILO: u32 = 1;
/// Xen is built without CONFIG_IOREQ_SERVER: no devices can be emulated.
pub const XG_SIM_NO_DEVICE_MODELS: u32 = 2;
/// Xen has version 2 of grant tables, as on x86.
pub const XG_SIM_HAS_GRANTS_V2: u32 = 4;

/// A machine with a simulated Xen and its domains.
pub struct XgSim {
    pub(super) xen: Hypervisor,
    pub(super) domains: Mutex<Vec<NonNull<XgSimDomain>>>,
    /// With their numbers of pages.
    pub(super) devices: Mutex<Vec<(Device, u32)>>,
}

/// What is in use on a machine: what a test compares with zero at its end.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct XgSimLeaks {
    /// Event channels that are not closed.
    pub ports: u64,
    /// Entries of grant tables that are not empty.
    pub grants: u64,
    /// Mapped grants.
    pub mappings: u64,
    /// Frames that a grant or foreign mapping refers to.
    pub pinned_frames: u64,
    /// Frames of guests that hold foreign pages.
    pub foreign_mappings: u64,
    /// Pages of RAM handed out by domains' allocators.
    pub pages: u64,
    /// Empty frames handed out.
    pub empty_pages: u64,
    /// Pages that domains own but can't reach any more.
    pub lost_pages: u64,
    /// Emulators of domains' devices.
    pub ioreq_servers: u64,
    /// Ranges of addresses that they have.
    pub io_ranges: u64,
}

/// Make a machine without domains: XG_SIM_OPEN, or XG_SIM_SILO,
/// XG_SIM_NO_DEVICE_MODELS and XG_SIM_HAS_GRANTS_V2 in any combination. Null
/// for anything else, or if the host has no memory.
#[unsafe(no_mangle)]
pub extern "C" fn xg_sim_create(flags: u32) -> *mut XgSim {
    guard(|| {
        if flags & !(XG_SIM_SILO | XG_SIM_NO_DEVICE_MODELS | XG_SIM_HAS_GRANTS_V2) != 0 {
            return std::ptr::null_mut();
        }
        let mut xen = Hypervisor::with_policy(if flags & XG_SIM_SILO == XG_SIM_OPEN {
            Policy::Open
        } else {
            Policy::Silo
        });
        if flags & XG_SIM_NO_DEVICE_MODELS != 0 {
            xen = xen.without_device_models();
        }
        if flags & XG_SIM_HAS_GRANTS_V2 != 0 {
            xen = xen.with_grants_v2();
        }
        Box::into_raw(Box::new(XgSim {
            xen,
            domains: Mutex::default(),
            devices: Mutex::default(),
        }))
    })
}

/// Kill all domains of a machine, stop their threads, and free everything that
/// belongs to it: domains, guests, pages. Nobody may use any of them
/// meanwhile or afterwards. Null is allowed.
///
/// -XG_EBUSY inside an upcall or xg_sim_run_as_vcpu() of one of its domains,
/// with nothing changed; -XG_EIO if the simulator had given up in an upcall,
/// with everything freed nevertheless.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_destroy(sim: *mut XgSim) -> i32 {
    check(|| {
        // SAFETY: null, or a machine of xg_sim_create().
        let Some(machine) = (unsafe { sim.as_ref() }) else {
            return Ok(0);
        };
        let mut domains = lock(&machine.domains);
        // SAFETY: the machine's domains live as long as it does.
        let list = || domains.iter().map(|domain| unsafe { domain.as_ref() });
        if list().any(XgSimDomain::here) {
            return Err(Error::Busy);
        }
        let killed = list().map(|domain| guard(|| domain.kill()));
        let result = killed.min().unwrap_or(0);
        let all = std::mem::take(&mut *domains);
        drop(domains);
        for domain in all {
            // SAFETY: came from a box, and is nobody's any more.
            drop(unsafe { Box::from_raw(domain.as_ptr()) });
        }
        // SAFETY: came from a box, and is nobody's any more.
        drop(unsafe { Box::from_raw(sim) });
        Ok(result)
    })
}

/// Count what is in use on the machine, over all domains, the dead included
/// whose pages others have mapped. What xg_sim_guest_init() took for itself
/// counts until xg_sim_guest_fini().
///
/// Returns 0 if nothing is in use, 1 otherwise. `leaks` may be null.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_leaks(sim: *const XgSim, leaks: *mut XgSimLeaks) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let found = unsafe { the(sim) }?.xen.leaks();
        if !leaks.is_null() {
            let counts = XgSimLeaks {
                ports: found.ports as u64,
                grants: found.grants as u64,
                mappings: found.mappings as u64,
                pinned_frames: found.pinned_frames as u64,
                foreign_mappings: found.foreign_mappings as u64,
                pages: found.pages as u64,
                empty_pages: found.empty_pages as u64,
                lost_pages: found.lost_pages as u64,
                ioreq_servers: found.ioreq_servers as u64,
                io_ranges: found.io_ranges as u64,
            };
            // SAFETY: as the caller promises.
            unsafe { put(leaks, counts) }?;
        }
        Ok(i32::from(!found.is_zero()))
    })
}

/// Warning number `index`, from 0 on: what domains did that Xen allows but
/// that no firmware wants, such as mapping over a page of RAM.
///
/// Returns the text's length without the zero at its end; at most `size`
/// bytes are written, the zero included. -XG_ENOENT: there are not so many.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_warning(
    sim: *const XgSim,
    index: u32,
    text: *mut c_char,
    size: u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let warnings = unsafe { the(sim) }?.xen.warnings();
        let warning = warnings.get(index as usize).ok_or(Error::NotFound)?;
        // SAFETY: as the caller promises.
        unsafe { put_text(text, size, warning) }
    })
}

/// Keep the last `entries` hypercalls for xg_sim_log(), from now on; 0: none,
/// as at first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_keep_log(sim: *const XgSim, entries: u32) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        unsafe { the(sim) }?.xen.keep_log(entries as usize);
        Ok(0)
    })
}

/// Hypercall number `index` of those kept, the oldest being 0: domain,
/// operation, argument words, result. Returns as xg_sim_warning().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_log(
    sim: *const XgSim,
    index: u32,
    text: *mut c_char,
    size: u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let entries = unsafe { the(sim) }?.xen.log();
        let entry = entries.get(index as usize).ok_or(Error::NotFound)?;
        // SAFETY: as the caller promises.
        unsafe { put_text(text, size, &entry.to_string()) }
    })
}
