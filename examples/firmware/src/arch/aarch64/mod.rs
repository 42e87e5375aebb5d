// SPDX-License-Identifier: MIT OR Apache-2.0
//! arm64: everything that only this architecture has, beneath what is shared.

pub mod access;
mod boot;
pub mod console;
pub mod cpu;
mod exceptions;
pub mod gic;
pub mod hypercall;
pub mod machine;
pub mod mmu;
pub mod smp;
pub mod timer;

pub use gic as interrupts;

/// Makes `$start`, a `fn(u64) -> !`, what is called with the address of the
/// device tree once memory can be used.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($start:path) => {
        fn __firmware_main(device_tree: u64, _: u64, _: u64, _: u64) -> ! {
            $start(device_tree)
        }

        $crate::aarch64_rt::entry!(__firmware_main, 32);
    };
}
