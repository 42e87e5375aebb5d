// SPDX-License-Identifier: MIT OR Apache-2.0
//! Support for bare-metal firmware that runs as a Xen guest on arm64.
//!
//! ```no_run
//! #![no_std]
//! #![no_main]
//!
//! use firmware::{Machine, println};
//!
//! firmware::main!(main);
//!
//! fn main(machine: &'static Machine) {
//!     println!("started with \"{}\"", machine.args.as_str());
//! }
//! ```

#![no_std]

pub mod access;
pub mod args;
mod boot;
#[doc(hidden)]
pub mod console;
pub mod cpu;
mod exceptions;
pub mod exit;
pub mod gic;
mod guest;
pub mod hypercall;
pub mod image;
pub mod machine;
pub mod mmu;
pub mod pages;
pub mod platform;
pub mod smp;
pub mod sync;
pub mod time;
pub mod windows;

use dtoolkit::fdt::Fdt;
use spin::Once;

pub use args::Args;
pub use guest::{Options, guest, init, init_in, init_with, region, region_in};
pub use machine::{Machine, Region};
pub use windows::{RamBlocks, Windows};

#[doc(hidden)]
pub use aarch64_rt;

static MACHINE: Once<Machine> = Once::new();
static WINDOWS: Once<Windows> = Once::new();

/// Makes `$main`, a `fn(&'static Machine)`, the program. It is called with
/// memory, console, interrupts and timer ready; when it returns, the firmware
/// says that it is complete and powers the domain off.
#[macro_export]
macro_rules! main {
    ($main:path) => {
        fn __firmware_main(device_tree: u64, _: u64, _: u64, _: u64) -> ! {
            $crate::start(device_tree, $main, env!("CARGO_BIN_NAME"))
        }

        $crate::aarch64_rt::entry!(__firmware_main, 32);
    };
}

/// Brings the machine up and runs `main`. See [`main!`].
#[doc(hidden)]
pub fn start(device_tree: u64, main: fn(&'static Machine), name: &str) -> ! {
    // SAFETY: The boot protocol says that this is a device tree. Nothing
    // writes it.
    let fdt = unsafe { Fdt::from_raw(device_tree as *const u8) };
    let fdt = fdt.expect("Xen hands over a device tree");
    let machine = MACHINE.call_once(|| Machine::new(fdt));
    // SAFETY: The device tree describes the machine, and this is the first
    // use of its devices.
    unsafe {
        mmu::init(machine);
        machine.uart.inspect(|&uart| console::init(uart));
        gic::init(machine);
    }
    WINDOWS.call_once(|| Windows::new(machine));
    time::init(machine);
    arm_gic::irq_enable();
    main(machine);
    exit::complete(name)
}

/// This domain as its device tree describes it.
pub fn machine() -> &'static Machine {
    MACHINE.get().expect("set at start")
}

/// The address ranges in which Xen may put pages.
pub fn windows() -> &'static Windows {
    WINDOWS.get().expect("set at start")
}
