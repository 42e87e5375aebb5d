// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which CPU this is.

use core::arch::asm;

/// The number of the calling vCPU, as Xen counts them.
pub fn number() -> usize {
    let mpidr: usize;
    // SAFETY: Reading this register has no effect.
    unsafe { asm!("mrs {}, mpidr_el1", out(reg) mpidr, options(nomem, nostack, preserves_flags)) };
    // Xen puts 16 vCPUs into each group.
    (mpidr & 0xf) + ((mpidr >> 8) & 0xff) * 16
}
