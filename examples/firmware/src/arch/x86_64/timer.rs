// SPDX-License-Identifier: MIT OR Apache-2.0
//! The time stamp counter, and the local APIC's timer.

use core::arch::asm;

use spin::Once;

use super::hypercall::xen_cpuid;
use super::interrupts;
use crate::machine::Machine;

/// Of the timer that Xen emulates, whatever the machine is.
const NANOSECONDS_PER_COUNT: u128 = 10;

/// Lets the timer interrupt this CPU.
pub(crate) fn init(_: &Machine) {
    interrupts::enable_timer();
}

/// The counter, from this domain's creation.
pub(crate) fn ticks() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: Reading the counter has no effect. The barrier keeps it from
    // being read before what was to be timed. No `nomem`, for the same reason.
    unsafe {
        asm!("lfence", "rdtsc", out("eax") low, out("edx") high, options(nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// The counter's frequency, from Xen.
pub(crate) fn ticks_per_second() -> u64 {
    const TIME_LEAF: u32 = 3;
    static FREQUENCY: Once<u64> = Once::new();
    *FREQUENCY.call_once(|| u64::from(xen_cpuid(TIME_LEAF, 0).ecx) * 1000)
}

/// Interrupt this CPU at `deadline`, or at once if that is past; or earlier, if
/// that is very far.
pub(crate) fn arm(deadline: u64) {
    let left = u128::from(deadline.saturating_sub(ticks()));
    let nanoseconds = left * 1_000_000_000 / u128::from(ticks_per_second());
    let count = nanoseconds.div_ceil(NANOSECONDS_PER_COUNT);
    // A count of 0 would stop it.
    interrupts::start_timer(count.clamp(1, u32::MAX.into()) as u32);
}
