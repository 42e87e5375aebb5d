// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domU's console: a port of which Xen prints what is written to it, line by
//! line.

use core::fmt::{self, Write};

use x86_64::instructions::port::PortWriteOnly;

use crate::machine::Machine;

const PORT: u16 = 0xe9;

/// The port.
pub(crate) struct Device(PortWriteOnly<u8>);

/// A domU may not print on Xen's console.
pub(crate) const EARLY: Option<Device> = Some(Device(PortWriteOnly::new(PORT)));

impl Device {
    /// `None` in dom0, which writes to Xen's console by the line.
    ///
    /// # Safety
    ///
    /// This is a Xen guest.
    pub(crate) unsafe fn new(machine: &Machine) -> Option<Self> {
        (!machine.board.is_dom0).then(|| Self(PortWriteOnly::new(PORT)))
    }
}

impl Write for Device {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: The port has no other effect.
            unsafe { self.0.write(byte) };
        }
        Ok(())
    }
}
