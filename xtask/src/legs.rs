// SPDX-License-Identifier: MIT OR Apache-2.0
//! A run of several legs: each has a heading and a time, a failure doesn't
//! keep the others from running, and the last line is the sum.

use std::fmt;
use std::ops::AddAssign;
use std::time::Instant;

use anyhow::Result;

/// How many tests, scenarios or checks went well or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u32,
    pub failed: u32,
}

impl Tally {
    /// Count one check, and say so if it failed.
    pub fn check(&mut self, what: &str, result: Result<()>) {
        match result {
            Ok(()) => self.passed += 1,
            Err(error) => {
                self.failed += 1;
                println!("FAILED {what}: {error:#}");
            }
        }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The error of a run whose failures are all printed already.
#[derive(Debug)]
pub struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not everything passed")
    }
}

impl std::error::Error for Failed {}

#[derive(Debug, Default)]
pub struct Legs {
    total: Tally,
    failures: Vec<String>,
    only: Option<String>,
}

impl Legs {
    /// Of the legs to come, run those that have this in their names.
    pub fn only(mut self, part: Option<&str>) -> Self {
        self.only = part.map(str::to_owned);
        self
    }

    /// Run a leg that counts what it does. One that ends in an error has
    /// failed at least once.
    pub fn run(&mut self, name: &str, leg: impl FnOnce(&mut Tally) -> Result<()>) {
        if self.only.as_ref().is_some_and(|part| !name.contains(part)) {
            return;
        }
        println!("\n== {name}");
        let started = Instant::now();
        let mut tally = Tally::default();
        if let Err(error) = leg(&mut tally) {
            println!("FAILED {error:#}");
            tally.failed = tally.failed.max(1);
        }
        let seconds = started.elapsed().as_secs_f32();
        println!("-- {name}: {tally}, {seconds:.1} s");
        if tally.failed > 0 {
            self.failures.push(format!("{name}: {tally}"));
        }
        self.total += tally;
    }

    /// Run a leg that is one check.
    pub fn check(&mut self, name: &str, leg: impl FnOnce() -> Result<()>) {
        self.run(name, |tally| {
            leg()?;
            tally.passed += 1;
            Ok(())
        });
    }

    /// Print what failed, and the sum as the last line.
    pub fn finish(self) -> Result<()> {
        for failure in &self.failures {
            println!("FAILED {failure}");
        }
        println!("{}", self.total);
        if self.total.failed > 0 || self.total.passed == 0 {
            return Err(Failed.into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn legs_go_on_after_a_failure_and_the_run_fails() {
        let mut legs = Legs::default();
        legs.check("bad", || bail!("no"));
        let mut ran = false;
        legs.run("good", |tally| {
            ran = true;
            tally.passed += 3;
            Ok(())
        });
        assert!(ran);
        assert_eq!(legs.total.to_string(), "3 passed, 1 failed");
        assert!(legs.finish().is_err_and(|error| error.is::<Failed>()));
    }

    #[test]
    fn a_counted_failure_fails_the_run_without_an_error() {
        let mut legs = Legs::default();
        legs.run("mixed", |tally| {
            tally.check("one", Ok(()));
            tally.check("two", Err(anyhow::anyhow!("no")));
            Ok(())
        });
        assert_eq!(legs.total.to_string(), "1 passed, 1 failed");
        assert!(legs.finish().is_err());
    }

    #[test]
    fn nothing_run_is_no_success() {
        assert!(Legs::default().finish().is_err());
    }

    #[test]
    fn other_legs_can_be_left_out() {
        let mut legs = Legs::default().only(Some("head"));
        legs.check("C headers", || Ok(()));
        legs.check("the rest", || bail!("no"));
        assert_eq!(legs.total.to_string(), "1 passed, 0 failed");
        let mut none = Legs::default().only(Some("nothing"));
        none.check("C headers", || Ok(()));
        assert!(none.finish().is_err());
    }
}
