// SPDX-License-Identifier: MIT OR Apache-2.0
//! Devices of the machine: registers that control domains may map for others.

use super::machine::XgSim;
use super::{check, put, the};
use crate::sim::delivery::lock;
use crate::{Error, PAGE_SIZE, Result};

/// The most pages that a device has.
const MAX_PAGES: u32 = 1 << 16;

/// Add a device with `pages` pages (1 to 2^16) of registers, all zero, for
/// good. *frame is its first machine frame, as XG_VM_FRAME_MMIO() and
/// xg_domctl_memory_mapping() take it. Returns the device's number, for the
/// functions below. -XG_EIO: machine memory is used up.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_device_create(
    sim: *const XgSim,
    pages: u32,
    frame: *mut u64,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let sim = unsafe { the(sim) }?;
        if frame.is_null() || !(1..=MAX_PAGES).contains(&pages) {
            return Err(Error::Invalid);
        }
        let device = sim.xen.create_device(pages.into());
        // SAFETY: as the caller promises.
        unsafe { put(frame, device.frame()) }?;
        let mut devices = lock(&sim.devices);
        devices.push((device, pages));
        Ok(devices.len() as i32 - 1)
    })
}

/// What the register at `offset`, a multiple of 4, holds. -XG_ENOENT: no such
/// device or register.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_device_read(
    sim: *const XgSim,
    device: u32,
    offset: u32,
    value: *mut u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let devices = lock(unsafe { &the(sim)?.devices });
        let (device, pages) = devices.get(device as usize).ok_or(Error::NotFound)?;
        let offset = register(*pages, offset)?;
        // SAFETY: as the caller promises.
        unsafe { put(value, device.read(offset)) }?;
        Ok(0)
    })
}

/// Have it hold `value`, as the hardware would. -XG_ENOENT: no such device or
/// register.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_device_write(
    sim: *const XgSim,
    device: u32,
    offset: u32,
    value: u32,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let devices = lock(unsafe { &the(sim)?.devices });
        let (device, pages) = devices.get(device as usize).ok_or(Error::NotFound)?;
        device.write(register(*pages, offset)?, value);
        Ok(0)
    })
}

fn register(pages: u32, offset: u32) -> Result<usize> {
    let offset = offset as usize;
    if offset.is_multiple_of(4) && offset < pages as usize * PAGE_SIZE {
        Ok(offset)
    } else {
        Err(Error::NotFound)
    }
}
