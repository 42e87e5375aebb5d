// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domU's console: the PL011 that Xen emulates.

use core::fmt::{self, Write};
use core::ptr::NonNull;

use arm_pl011_uart::{PL011Registers, Uart, UniqueMmioPointer};

use crate::machine::{Machine, Region};

/// The PL011.
pub(crate) struct Device(Uart<'static>);

/// A domU may print on Xen's console too.
pub(crate) const EARLY: Option<Device> = None;

impl Device {
    /// This domain's. `None` if it has none: dom0's console is Xen's.
    ///
    /// # Safety
    ///
    /// The registers must be mapped as device memory where `machine` says,
    /// and nothing else may use them.
    pub(crate) unsafe fn new(machine: &Machine) -> Option<Self> {
        let Region { start, .. } = machine.board.uart?;
        let registers = NonNull::new(start as *mut PL011Registers).expect("not at 0");
        // SAFETY: As the caller promises.
        let registers = unsafe { UniqueMmioPointer::new(registers) };
        // Xen's emulation transmits without being set up.
        Some(Self(Uart::new(registers)))
    }
}

impl Write for Device {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            while self.0.is_tx_fifo_full() {
                core::hint::spin_loop();
            }
            self.0.write_word(byte);
        }
        Ok(())
    }
}
