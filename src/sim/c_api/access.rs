// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domain's loads and stores, for those who emulate devices.

use super::domain::XgSimDomain;
use super::{check, put, the};
use crate::sim::Access;
use crate::{Error, Result};

/// Have the domain read `size` bytes (1, 2, 4 or 8) at a guest-physical
/// address, as one instruction of the vCPU that this thread is: *value is what
/// it read. Memory answers at once. Where an emulated device is, its emulator
/// is asked, and this waits for its answer, which has to come from another
/// thread, or from an upcall of a domain without XG_SIM_ASYNC: those run here
/// meanwhile.
///
///   -XG_EFAULT  nothing is there: the instruction is aborted
///   -XG_EINVAL  another size, or a null pointer
///   -XG_ESRCH   the domain is dead
///   -XG_EIO     the vCPU is in the middle of another access, or there is no
///               answer within a minute
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_read(
    domain: *const XgSimDomain,
    address: u64,
    size: u32,
    value: *mut u64,
) -> i32 {
    check(|| {
        if value.is_null() {
            return Err(Error::Invalid);
        }
        // SAFETY: as the caller promises.
        let read = access(unsafe { the(domain) }?, address, size, None)?;
        // SAFETY: as the caller promises.
        unsafe { put(value, read) }?;
        Ok(0)
    })
}

/// Have it write the low `size` bytes of `value`. Returns as xg_sim_read();
/// -XG_EIO also for memory that may only be read, which a vCPU on Arm tries to
/// write for ever.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_write(
    domain: *const XgSimDomain,
    address: u64,
    size: u32,
    value: u64,
) -> i32 {
    // SAFETY: as the caller promises.
    check(|| access(unsafe { the(domain) }?, address, size, Some(value)).map(|_| 0))
}

fn access(domain: &XgSimDomain, address: u64, size: u32, write: Option<u64>) -> Result<u64> {
    if ![1, 2, 4, 8].contains(&size) {
        return Err(Error::Invalid);
    }
    match domain.domain.access(address, size, write) {
        Access::Done(value) => Ok(value),
        Access::Abort => Err(Error::BadAddress),
        Access::Dead => Err(Error::NoSuchDomain),
    }
}

/// The level, 0 or 1, of an interrupt of the domain that an emulator raises
/// and lowers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_irq_level(domain: *const XgSimDomain, irq: u32) -> i32 {
    // SAFETY: as the caller promises.
    check(|| Ok(unsafe { the(domain) }?.domain.irq_level(irq).into()))
}
