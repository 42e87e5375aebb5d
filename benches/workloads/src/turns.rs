// SPDX-License-Identifier: MIT OR Apache-2.0
//! Timing several things in turns, so that what else the machine does falls
//! on all of them alike.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// How long one turn takes where a pass is shorter, how many turns each gets
/// at most, and how long all of them take together.
const TURN: Duration = Duration::from_micros(200);
const MOST_TURNS: usize = 2_000;
const FEWEST_TURNS: usize = 7;
const BUDGET: Duration = Duration::from_millis(1_500);

/// How many passes take about a turn.
fn passes_in_a_turn(mut pass: impl FnMut()) -> u32 {
    let started = Instant::now();
    let mut passes = 0;
    while started.elapsed() < 4 * TURN {
        pass();
        passes += 1;
    }
    (passes / 4).max(1)
}

/// The middle one, if there is any.
pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times.get(times.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Nanoseconds for a pass of each, taken in turns: the median of all turns.
pub fn in_turns<const N: usize>(mut them: [Box<dyn FnMut() + '_>; N]) -> [f64; N] {
    let passes = them.each_mut().map(passes_in_a_turn);
    let mut times: [Vec<f64>; N] = [const { Vec::new() }; N];
    let started = Instant::now();
    for turn in 0..MOST_TURNS {
        if turn >= FEWEST_TURNS && started.elapsed() > BUDGET {
            break;
        }
        for (index, pass) in them.iter_mut().enumerate() {
            let started = Instant::now();
            for _ in 0..passes[index] {
                pass();
            }
            let time = started.elapsed().as_nanos() as f64;
            times[index].push(time / f64::from(passes[index]));
        }
    }
    times.map(median)
}

/// The groups that the command line's filter lets run.
#[derive(Debug, Default)]
pub struct Ran(RefCell<BTreeSet<String>>);

impl Ran {
    pub fn note(&self, group: &str) {
        self.0.borrow_mut().insert(group.to_owned());
    }

    pub fn has(&self, group: &str) -> bool {
        self.0.borrow().contains(group)
    }
}

/// Is this `cargo bench`, and not `cargo test`, a list or a profile?
pub fn is_bench() -> bool {
    let has = |flag: &str| std::env::args().any(|arg| arg == flag);
    has("--bench") && !has("--test") && !has("--list") && !has("--profile-time")
}

/// Whether a target is met, in a word.
pub const fn verdict(met: bool) -> &'static str {
    if met { "ok" } else { "MISSED" }
}
