// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which CPU this is.

use core::arch::asm;

/// How many vCPUs can be used; a domain may have more.
pub const MOST: usize = 8;

/// Xen puts 16 vCPUs into each group.
const GROUP: usize = 16;

/// The number of the calling vCPU, as Xen counts them.
pub fn number() -> usize {
    let mpidr: usize;
    // SAFETY: Reading this register has no effect.
    unsafe { asm!("mrs {}, mpidr_el1", out(reg) mpidr, options(nomem, nostack, preserves_flags)) };
    (mpidr & 0xf) + ((mpidr >> 8) & 0xff) * GROUP
}

/// What firmware interfaces call the vCPU of this number.
pub(crate) fn affinity(number: usize) -> u64 {
    (number % GROUP + ((number / GROUP) << 8)) as u64
}
