// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a CPU knows of itself, and its interrupt mask.

use core::arch::{asm, naked_asm};

use x86_64::instructions::interrupts;

use crate::cpu::MOST;

/// Each vCPU's GS base points at its own number: asking the CPU itself would
/// be a trap into Xen.
pub(crate) static NUMBERS: [u32; MOST] = {
    let mut numbers = [0; MOST];
    let mut number = 0;
    while number < MOST {
        numbers[number] = number as u32;
        number += 1;
    }
    numbers
};

/// The number of the calling vCPU, as Xen counts them.
pub(crate) fn number() -> usize {
    let number: u32;
    // SAFETY: GS was set up before any Rust ran, and what it points at does
    // not change.
    unsafe {
        asm!("mov {:e}, gs:[0]", out(reg) number, options(pure, readonly, nostack, preserves_flags));
    }
    number as usize
}

/// Masks interrupts, and returns what the mask was.
pub(crate) fn mask() -> usize {
    let unmasked = interrupts::are_enabled();
    interrupts::disable();
    usize::from(unmasked)
}

/// Whether that mask let interrupts through.
pub(crate) fn is_unmasked(mask: usize) -> bool {
    mask != 0
}

/// Puts the mask back to what [`mask`] returned.
pub(crate) fn restore(mask: usize) {
    if is_unmasked(mask) {
        interrupts::enable();
    }
}

/// Lets interrupts through.
pub(crate) fn unmask() {
    interrupts::enable();
}

/// With interrupts masked: sleeps until there is one, and serves it.
pub(crate) fn wait_for_interrupt() {
    unmask_and_halt();
}

/// An interrupt is taken behind the `hlt`, which it ends. That is the CPU's
/// promise: QEMU 7.2 breaks it for a guest's guest that it was about to leave
/// between the two instructions.
#[unsafe(naked)]
extern "C" fn unmask_and_halt() {
    naked_asm!("sti", "hlt", "cli", "ret")
}

/// Where an interrupt that came in `unmask_and_halt` is to return to: not to
/// the `hlt`, which would wait for another one.
pub(crate) fn awake(rip: u64) -> u64 {
    const STI: u64 = 1;
    const HLT: u64 = 1;
    let hlt = unmask_and_halt as *const () as u64 + STI;
    if rip == hlt { rip + HLT } else { rip }
}
