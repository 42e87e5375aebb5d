// SPDX-License-Identifier: MIT OR Apache-2.0
//! Support for bare-metal firmware that runs as a Xen guest, on arm64 and on
//! x86_64.
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
#[cfg_attr(target_arch = "aarch64", path = "arch/aarch64/mod.rs")]
#[cfg_attr(target_arch = "x86_64", path = "arch/x86_64/mod.rs")]
mod arch;
pub mod args;
#[doc(hidden)]
pub mod console;
pub mod cpu;
pub mod domctl;
pub mod exit;
mod guest;
pub mod hypercall;
pub mod image;
pub mod machine;
pub mod mmu;
pub mod pages;
pub mod platform;
pub mod smp;
pub mod sync;
mod tables;
pub mod time;
pub mod windows;

use spin::Once;

pub use args::Args;
pub use guest::{Options, guest, init, init_in, init_with, region, region_in};
pub use machine::{Machine, Region};
pub use windows::{RamBlocks, Windows};

#[doc(hidden)]
#[cfg(target_arch = "aarch64")]
pub use aarch64_rt;
#[cfg(target_arch = "aarch64")]
pub use arch::gic;

static MACHINE: Once<Machine> = Once::new();
static WINDOWS: Once<Windows> = Once::new();

/// Makes `$main`, a `fn(&'static Machine)`, the program. It is called with
/// memory, console, interrupts and timer ready; when it returns, the firmware
/// says that it is complete and powers the domain off.
#[macro_export]
macro_rules! main {
    ($main:path) => {
        fn __firmware_start(boot_info: u64) -> ! {
            $crate::start(boot_info, $main, env!("CARGO_BIN_NAME"))
        }

        $crate::__entry!(__firmware_start);
    };
}

/// Brings the machine up and runs `main`. See [`main!`].
#[doc(hidden)]
pub fn start(boot_info: u64, main: fn(&'static Machine), name: &str) -> ! {
    // SAFETY: The boot protocol says that this is a description of the
    // machine. Nothing writes it.
    let machine = MACHINE.call_once(|| unsafe { arch::machine::read(boot_info) });
    // SAFETY: It describes the machine, and this is the first use of its
    // devices.
    unsafe {
        arch::mmu::init(machine);
        console::init(arch::console::Device::new(machine));
        arch::interrupts::init(machine);
    }
    WINDOWS.call_once(|| Windows::new(machine));
    arch::timer::init(machine);
    arch::cpu::unmask();
    #[cfg(target_arch = "x86_64")]
    if let Some(ramdisk) = machine.board.ramdisk {
        arch::builder::build(ramdisk);
    }
    main(machine);
    exit::complete(name)
}

/// This domain as Xen describes it.
pub fn machine() -> &'static Machine {
    MACHINE.get().expect("set at start")
}

/// The address ranges in which Xen may put pages.
pub fn windows() -> &'static Windows {
    WINDOWS.get().expect("set at start")
}
