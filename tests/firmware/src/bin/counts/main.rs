// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts instructions on real Xen, under an emulator whose clock ticks with
//! them, 2 ns each. The command line says of what: `topic=evtchn`, for example.

#![no_std]
#![no_main]

mod evtchn;
mod gnttab;
mod guest_memory;
mod regions;

use firmware::time::{ticks, ticks_per_second};
use firmware::{Machine, println};

/// Often enough that a tick, and reading the counter, don't matter.
const PASSES: u64 = 2_000;
/// The least of so many counts: Xen's timer interrupts some.
const TRIES: usize = 5;
const INSTRUCTIONS_PER_SECOND: u128 = 500_000_000;

/// Tenths of instructions that a pass takes.
fn count(mut pass: impl FnMut()) -> u64 {
    let mut least = u64::MAX;
    for _ in 0..TRIES {
        let start = ticks();
        for _ in 0..PASSES {
            pass();
        }
        least = least.min(ticks() - start);
    }
    tenths(least, PASSES)
}

/// Of this many passes in so many ticks.
fn tenths(ticks: u64, passes: u64) -> u64 {
    let instructions = u128::from(ticks) * INSTRUCTIONS_PER_SECOND * 10;
    (instructions / u128::from(ticks_per_second() * passes)) as u64
}

/// One line of the result.
fn report(tenths: u64, what: &str) {
    println!("count: {tenths} {what}");
}

firmware::main!(main);

fn main(machine: &'static Machine) {
    match machine.args.get("topic") {
        Some("guest_memory") if machine.args.get("role") == Some("driver") => {
            guest_memory::drive();
        }
        Some("guest_memory") => guest_memory::serve(),
        Some("evtchn") => evtchn::run(),
        Some("gnttab") => gnttab::run(),
        Some("regions") => regions::run(),
        other => panic!(
            "topic=evtchn, gnttab, guest_memory or regions on the command line, not {other:?}"
        ),
    }
}
