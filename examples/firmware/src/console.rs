// SPDX-License-Identifier: MIT OR Apache-2.0
//! `print!` and `println!`: through the device that a domU has for this or, in
//! dom0, on Xen's own console.

use core::fmt::{self, Write};

use crate::arch::console::{Device, EARLY};
use crate::hypercall::console_write;
use crate::sync::IrqMutex;

static CONSOLE: IrqMutex<Console> = IrqMutex::new(Console::early());

enum Console {
    Xen(XenConsole),
    Device(Device),
}

impl Console {
    /// Until [`init`], and so for the earliest messages; and when the other is
    /// not to be had.
    const fn early() -> Self {
        match EARLY {
            Some(device) => Self::Device(device),
            None => Self::Xen(XenConsole::new()),
        }
    }
}

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self {
            Self::Xen(console) => console.write_str(text),
            Self::Device(device) => device.write_str(text),
        }
    }
}

/// Xen's console, a line for each hypercall: pieces of a line would mix with
/// other domains' output.
struct XenConsole(heapless::Vec<u8, 128>);

impl XenConsole {
    const fn new() -> Self {
        Self(heapless::Vec::new())
    }
}

impl Write for XenConsole {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // There is room: a full buffer is written and emptied at once.
            let _ = self.0.push(byte);
            if byte == b'\n' || self.0.is_full() {
                console_write(&self.0);
                self.0.clear();
            }
        }
        Ok(())
    }
}

/// Prints on this device from now on, or on Xen's console.
pub(crate) fn init(device: Option<Device>) {
    *CONSOLE.lock() = match device {
        Some(device) => Console::Device(device),
        None => Console::Xen(XenConsole::new()),
    };
}

/// Prints formatted text. See [`print!`](crate::print).
#[doc(hidden)]
pub fn print(text: fmt::Arguments<'_>) {
    // Writing can't fail; a `Display` that does is no reason to stop.
    let _ = CONSOLE.lock().write_fmt(text);
}

/// Prints even if the code that was stopped holds the console, or fails.
pub(crate) fn print_emergency(text: fmt::Arguments<'_>) {
    // Another vCPU may hold it, for a line.
    let free = (0..1_000_000).find_map(|_| CONSOLE.try_lock());
    let _ = match free {
        Some(mut console) => console.write_fmt(text),
        None => Console::early().write_fmt(text),
    };
}

/// Prints to the console.
#[macro_export]
macro_rules! print {
    ($($arg:tt)*) => { $crate::console::print(format_args!($($arg)*)) };
}

/// Prints a line to the console.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($arg:tt)*) => { $crate::console::print(format_args!("{}\n", format_args!($($arg)*))) };
}
