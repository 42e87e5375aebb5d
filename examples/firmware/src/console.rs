// SPDX-License-Identifier: MIT OR Apache-2.0
//! `print!` and `println!`, through the emulated PL011 of a domU or, where
//! there is none (dom0), Xen's own console.

use core::fmt::{self, Write};
use core::ptr::NonNull;

use arm_pl011_uart::{PL011Registers, Uart, UniqueMmioPointer};

use crate::hypercall::console_write;
use crate::machine::Region;
use crate::sync::IrqMutex;

/// Until [`init`], and so for the earliest messages, Xen's console.
static CONSOLE: IrqMutex<Console> = IrqMutex::new(Console::Xen(XenConsole::new()));

enum Console {
    Xen(XenConsole),
    Uart(Uart<'static>),
}

impl Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self {
            Self::Xen(console) => console.write_str(text),
            Self::Uart(uart) => {
                for byte in text.bytes() {
                    while uart.is_tx_fifo_full() {
                        core::hint::spin_loop();
                    }
                    uart.write_word(byte);
                }
                Ok(())
            }
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

/// Prints on the PL011 from now on.
///
/// # Safety
///
/// A PL011's registers must be mapped there as device memory, and nothing
/// else may use them.
pub(crate) unsafe fn init(registers: Region) {
    let registers = NonNull::new(registers.start as *mut PL011Registers).expect("not at 0");
    // SAFETY: As the caller promises.
    let registers = unsafe { UniqueMmioPointer::new(registers) };
    // Xen's emulation transmits without being set up.
    *CONSOLE.lock() = Console::Uart(Uart::new(registers));
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
        None => XenConsole::new().write_fmt(text),
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
