// SPDX-License-Identifier: MIT OR Apache-2.0
//! Time, and waiting for something that an interrupt handler or another domain
//! does.

use core::time::Duration;

use crate::arch::timer;
use crate::smp;
use crate::sync::Masked;

/// How long a waiting vCPU may overlook what another one did.
const TICK: Duration = Duration::from_micros(200);

/// A counter that counts from this domain's creation, at
/// [`ticks_per_second`].
pub fn ticks() -> u64 {
    timer::ticks()
}

/// The counter's frequency.
pub fn ticks_per_second() -> u64 {
    timer::ticks_per_second()
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
        // An interrupt between test and sleep must not be served before the
        // sleep, which would then wait for the next one. A masked interrupt
        // ends the sleep all the same.
        let masked = Masked::mask();
        assert!(masked.was_unmasked(), "waiting with interrupts masked");
        let done = condition();
        if done || ticks() >= deadline {
            masked.restore();
            return done;
        }
        timer::arm(if smp::others_run() {
            deadline.min(ticks() + to_ticks(TICK))
        } else {
            deadline
        });
        masked.wait_for_interrupt();
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
