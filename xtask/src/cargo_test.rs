// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo test`, with its results counted.

use std::process::Command;

use anyhow::{Result, ensure};

use crate::legs::Tally;
use crate::process;

/// What a `cargo test` ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    pub tests: Tally,
    pub scenarios: Scenarios,
}

/// Scenarios passed on the simulator, by delivery mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scenarios {
    pub deterministic: u32,
    pub asynchronous: u32,
}

impl Scenarios {
    /// An error where a delivery mode told of no scenario: that it failed is
    /// counted as a test, that nobody told must not go unnoticed.
    pub fn told(self) -> Result<Self> {
        ensure!(
            self.deterministic > 0 && self.asynchronous > 0,
            "no scenarios were counted: {self:?}"
        );
        Ok(self)
    }

    /// What both have passed.
    pub fn at_most(self, other: Self) -> Self {
        Scenarios {
            deterministic: self.deterministic.min(other.deterministic),
            asynchronous: self.asynchronous.min(other.asynchronous),
        }
    }

    pub fn tally(self) -> Tally {
        Tally {
            passed: self.deterministic + self.asynchronous,
            failed: 0,
        }
    }
}

/// Run all the tests that this `cargo test` selects, and count. Whatever else
/// goes wrong counts as one failure.
pub fn run(cargo: &mut Command) -> Result<Summary> {
    run_with(cargo, &[])
}

/// The same with arguments for the test programs.
pub fn run_with(cargo: &mut Command, args: &[&str]) -> Result<Summary> {
    // What passing tests print says how many scenarios there were.
    cargo.args(["--no-fail-fast", "--", "--show-output"]);
    cargo.args(args);
    let mut reader = Reader::default();
    let status = process::lines(cargo, |line| {
        if reader.see(line) || process::verbose() {
            println!("{line}");
        }
    })?;
    let mut summary = reader.summary;
    if !status.success() && summary.tests.failed == 0 {
        // It did not compile, or died before or after its tests.
        println!("FAILED {status}: {}", process::display(cargo));
        summary.tests.failed = 1;
    }
    Ok(summary)
}

#[derive(Debug, Default)]
struct Reader {
    summary: Summary,
    /// Between the list of tests and a result: the output of passing tests.
    hidden: bool,
}

impl Reader {
    /// Count, and say whether a person wants to see the line.
    fn see(&mut self, line: &str) -> bool {
        if let Some(result) = line.strip_prefix("test result: ") {
            self.hidden = false;
            self.summary.tests.passed += number_before(result, " passed");
            self.summary.tests.failed += number_before(result, " failed");
        } else if let Some(rest) = line.strip_prefix("simulator, ") {
            let passed = number_before(rest, " scenarios passed");
            match rest.split([',', ':']).next() {
                Some("Deterministic") => self.summary.scenarios.deterministic += passed,
                Some("Asynchronous") => self.summary.scenarios.asynchronous += passed,
                _ => {}
            }
            return true;
        } else if line.starts_with("edges, ") {
            return true;
        } else if line == "successes:" {
            self.hidden = true;
        } else if line == "failures:" {
            self.hidden = false;
        }
        !self.hidden
    }
}

/// The number that stands right before this text; 0 if there is none.
fn number_before(line: &str, text: &str) -> u32 {
    let Some((before, _)) = line.split_once(text) else {
        return 0;
    };
    let digits = before.len() - before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    before[before.len() - digits..].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> (Summary, Vec<&str>) {
        let mut reader = Reader::default();
        let shown = output.lines().filter(|line| reader.see(line)).collect();
        (reader.summary, shown)
    }

    const OUTPUT: &str = "running 2 tests
test deterministic ... ok

successes:

---- deterministic stdout ----
edges, TwoLevel plain: 7 edges, 0 lost
simulator, Deterministic, TwoLevel: 30 scenarios passed
simulator, Deterministic, Fifo: 6 scenarios passed
noise

successes:
    deterministic

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s
test result: FAILED. 10 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out";

    #[test]
    fn results_and_scenarios_are_added_up() {
        let (summary, _) = read(OUTPUT);
        assert_eq!(summary.tests.to_string(), "12 passed, 3 failed");
        assert_eq!(summary.scenarios.deterministic, 36);
        assert_eq!(summary.scenarios.asynchronous, 0);
    }

    #[test]
    fn what_passing_tests_print_is_left_out() {
        let (_, shown) = read(OUTPUT);
        assert!(!shown.contains(&"noise"));
        assert!(shown.contains(&"test deterministic ... ok"));
        assert!(shown.contains(&"edges, TwoLevel plain: 7 edges, 0 lost"));
        assert_eq!(shown.len(), 8);
    }

    #[test]
    fn what_failing_tests_print_is_shown() {
        let (_, shown) = read("successes:\na\nfailures:\nb\ntest result: FAILED. 1 failed");
        assert_eq!(shown, ["failures:", "b", "test result: FAILED. 1 failed"]);
    }

    #[test]
    fn colours_do_not_confuse() {
        let (summary, _) = read("test result: \u{1b}[32mok\u{1b}[m. 7 passed; 0 failed");
        assert_eq!(summary.tests.passed, 7);
    }
}
