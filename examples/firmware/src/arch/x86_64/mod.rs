// SPDX-License-Identifier: MIT OR Apache-2.0
//! x86_64, as a PVH guest: everything that only this architecture has, beneath
//! what is shared.

pub mod access;
mod boot;
pub mod builder;
pub mod console;
pub mod cpu;
pub mod exceptions;
pub mod hypercall;
pub mod interrupts;
pub mod machine;
pub mod mmu;
pub mod smp;
pub mod timer;

/// Makes `$start`, a `fn(u64) -> !`, what is called with the address of the
/// `hvm_start_info` once the CPU is in 64-bit mode.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($start:path) => {
        #[unsafe(no_mangle)]
        extern "C" fn __firmware_main(start_info: u64) -> ! {
            $start(start_info)
        }
    };
}
