// SPDX-License-Identifier: MIT OR Apache-2.0
//! The timeline.

use std::ffi::{CStr, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;

use super::machine::XgSim;
use super::{check, the};
use crate::Error;

/// Record what happens from now on, up to `records` hypercalls, events,
/// upcalls and mappings of other domains' pages; 0 stops it, as at first. What
/// was recorded before is forgotten.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_record_trace(sim: *const XgSim, records: u32) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        unsafe { the(sim) }?.xen.record_trace(records as usize);
        Ok(0)
    })
}

/// Write the timeline since xg_sim_record_trace() to the file `path`, as JSON
/// that Chrome's trace viewer (chrome://tracing) and Perfetto open. What has
/// not ended yet ends now, and is marked as open. -XG_EACCES: the file can't
/// be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_write_trace(sim: *const XgSim, path: *const c_char) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let sim = unsafe { the(sim) }?;
        if path.is_null() {
            return Err(Error::Invalid);
        }
        // SAFETY: a C string, as the caller promises.
        let path = unsafe { CStr::from_ptr(path) };
        let path = OsStr::from_bytes(path.to_bytes());
        std::fs::write(path, sim.xen.trace()).map_err(|_| Error::WrongKind)?;
        Ok(0)
    })
}
