// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time, and waiting for something that an interrupt handler or another domain
//! does.

use core::arch::asm;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;

use crate::gic;
use crate::machine::Machine;
use crate::sync::Masked;

/// How long a waiting vCPU may overlook what another one did.
const TICK: Duration = Duration::from_micros(200);

/// Whether another vCPU was ever started.
static SHARED: AtomicBool = AtomicBool::new(false);

/// Before another vCPU is started.
pub(crate) fn share() {
    // Relaxed: whoever waits for what the new vCPU does was told of it.
    SHARED.store(true, Ordering::Relaxed);
}

/// Lets the virtual timer interrupt this CPU.
pub(crate) fn init(machine: &Machine) {
    gic::enable_private(machine.timer_interrupt, disarm);
}

/// The virtual counter. It counts from this domain's creation, at
/// [`ticks_per_second`].
pub fn ticks() -> u64 {
    let ticks;
    // SAFETY: Reading the counter has no effect. The barrier keeps it from
    // being read before what was to be timed. No `nomem`, for the same reason.
    unsafe {
        asm!("isb", "mrs {}, cntvct_el0", out(reg) ticks, options(nostack, preserves_flags));
    }
    ticks
}

/// The virtual counter's frequency.
pub fn ticks_per_second() -> u64 {
    let frequency;
    // SAFETY: Reading this register has no effect.
    unsafe {
        asm!("mrs {}, cntfrq_el0", out(reg) frequency, options(nomem, nostack, preserves_flags));
    }
    frequency
}

/// Time since this domain was created.
pub fn now() -> Duration {
    let (ticks, frequency) = (ticks(), ticks_per_second());
    Duration::new(
        ticks / frequency,
        ((ticks % frequency) * 1_000_000_000 / frequency) as u32,
    )
}

/// Sleeps until `condition` holds, which is tested at first and after each
/// interrupt; now and then too if there are other vCPUs, whose doings come
/// without one. Returns whether it does: `false` after `timeout`.
///
/// # Panics
///
/// If interrupts are masked: nothing could make the condition true.
pub fn wait_until(timeout: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = ticks().saturating_add(to_ticks(timeout));
    loop {
        // An interrupt between test and `wfi` must not be served before the
        // `wfi`, which would then wait for the next one. A masked interrupt
        // ends a `wfi` all the same; it is served when the mask goes.
        let masked = Masked::mask();
        assert!(masked.was_unmasked(), "waiting with interrupts masked");
        let done = condition();
        if done || ticks() >= deadline {
            masked.restore();
            return done;
        }
        arm(if SHARED.load(Ordering::Relaxed) {
            deadline.min(ticks() + to_ticks(TICK))
        } else {
            deadline
        });
        arm_gic::wfi();
        masked.restore();
    }
}

/// Sleeps for `time`.
pub fn sleep(time: Duration) {
    wait_until(time, || false);
}

fn to_ticks(time: Duration) -> u64 {
    let ticks = time.as_nanos() * u128::from(ticks_per_second()) / 1_000_000_000;
    ticks.try_into().unwrap_or(u64::MAX)
}

/// Interrupt this CPU at `deadline`, or at once if that is past.
fn arm(deadline: u64) {
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
