// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a CPU says of itself, and its interrupt mask.

use core::arch::asm;

/// Xen puts 16 vCPUs into each group.
const GROUP: usize = 16;

/// The number of the calling vCPU, as Xen counts them.
pub(crate) fn number() -> usize {
    let mpidr: usize;
    // SAFETY: Reading this register has no effect.
    unsafe { asm!("mrs {}, mpidr_el1", out(reg) mpidr, options(nomem, nostack, preserves_flags)) };
    (mpidr & 0xf) + ((mpidr >> 8) & 0xff) * GROUP
}

/// What firmware interfaces call the vCPU of this number.
pub(crate) fn affinity(number: usize) -> u64 {
    (number % GROUP + ((number / GROUP) << 8)) as u64
}

/// Masks interrupts, and returns what the mask was.
pub(crate) fn mask() -> usize {
    let daif;
    // SAFETY: Masking interrupts is always sound. No `nomem`: accesses
    // must not move out of the masked section.
    unsafe { asm!("mrs {}, daif", "msr daifset, #2", out(reg) daif, options(nostack)) };
    daif
}

/// Whether that mask let interrupts through.
pub(crate) fn is_unmasked(daif: usize) -> bool {
    daif & (1 << 7) == 0
}

/// Puts the mask back to what [`mask`] returned.
pub(crate) fn restore(daif: usize) {
    // SAFETY: The value was read from this register. Whoever masked
    // interrupts expects this. No `nomem`, as above.
    unsafe { asm!("msr daif, {}", in(reg) daif, options(nostack)) };
}

/// Lets interrupts through.
pub(crate) fn unmask() {
    arm_gic::irq_enable();
}

/// With interrupts masked: sleeps until there is one, which is served once
/// the mask goes.
pub(crate) fn wait_for_interrupt() {
    arm_gic::wfi();
}
