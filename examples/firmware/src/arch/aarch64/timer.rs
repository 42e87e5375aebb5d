// SPDX-License-Identifier: MIT OR Apache-2.0
//! The virtual timer.

use core::arch::asm;

use super::gic;
use crate::machine::Machine;

/// Lets the virtual timer interrupt this CPU.
pub(crate) fn init(machine: &Machine) {
    gic::enable_private(machine.board.timer_interrupt, disarm);
}

/// The virtual counter. It counts from this domain's creation.
pub(crate) fn ticks() -> u64 {
    let ticks;
    // SAFETY: Reading the counter has no effect. The barrier keeps it from
    // being read before what was to be timed. No `nomem`, for the same reason.
    unsafe {
        asm!("isb", "mrs {}, cntvct_el0", out(reg) ticks, options(nostack, preserves_flags));
    }
    ticks
}

/// The virtual counter's frequency.
pub(crate) fn ticks_per_second() -> u64 {
    let frequency;
    // SAFETY: Reading this register has no effect.
    unsafe {
        asm!("mrs {}, cntfrq_el0", out(reg) frequency, options(nomem, nostack, preserves_flags));
    }
    frequency
}

/// Interrupt this CPU at `deadline`, or at once if that is past.
pub(crate) fn arm(deadline: u64) {
    const ENABLE: u64 = 1;
    // SAFETY: The interrupt has a handler, which disarms the timer.
    unsafe {
        asm!(
            "msr cntv_cval_el0, {deadline}",
            "msr cntv_ctl_el0, {enable}",
            // The timer is set before what follows, a `wfi`, is executed.
            "isb",
            deadline = in(reg) deadline,
            enable = in(reg) ENABLE,
            options(nostack, preserves_flags),
        );
    }
}

/// The timer interrupt's handler: being woken is all that is wanted.
fn disarm() {
    // SAFETY: A stopped timer has no effect.
    unsafe {
        asm!(
            "msr cntv_ctl_el0, xzr",
            "isb",
            options(nostack, preserves_flags)
        )
    };
}
