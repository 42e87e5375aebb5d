// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counting a workload's instructions with callgrind.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::setup::{self, Need};
use crate::toolchain::host_cargo;

/// The program that does what is counted.
#[derive(Debug)]
pub struct Workload(PathBuf);

impl Workload {
    /// Built as `cargo bench` builds it.
    pub fn build() -> Result<Self> {
        setup::require(&[Need::Valgrind])?;
        let folder = process::target_folder("counts")?;
        let mut cargo = host_cargo("build");
        cargo
            .args(["--quiet", "--release", "--package", "xen-guest-workloads"])
            .arg("--target-dir")
            .arg(&folder);
        process::run(&mut cargo)?;
        Ok(Self(folder.join("release/workload")))
    }

    /// Instructions per pass inside of calls of `function`, from entry to
    /// exit, by the function that they belong to. What the first and last
    /// pass have of their own falls out of the difference of two runs.
    pub fn count(&self, args: &[&str], function: &str) -> Result<Profile> {
        const PASSES: u64 = 100;

        let once = self.run(args, function, PASSES)?;
        let twice = self.run(args, function, 2 * PASSES)?;
        let per_pass = |name: &String, total: &u64| {
            let less = once.get(name).copied().unwrap_or(0);
            total.saturating_sub(less) as f64 / PASSES as f64
        };
        Ok(Profile(
            twice
                .iter()
                .map(|(name, total)| (name.clone(), per_pass(name, total)))
                .collect(),
        ))
    }

    /// What it prints.
    pub fn output(&self, args: &[&str]) -> Result<String> {
        process::output(Command::new(&self.0).args(args))
    }

    fn run(&self, args: &[&str], function: &str, passes: u64) -> Result<HashMap<String, u64>> {
        let out = process::target_folder("counts")?.join("callgrind.out");
        let mut command = Command::new("valgrind");
        command
            .args(["--tool=callgrind", "--collect-atstart=no"])
            .arg(format!("--toggle-collect={function}"))
            .arg(format!("--callgrind-out-file={}", out.display()))
            .arg(&self.0)
            .args(args)
            .arg(passes.to_string());
        process::output(&mut command)?;
        let text =
            fs::read_to_string(&out).with_context(|| format!("cannot read {}", out.display()))?;
        parse(&text).with_context(|| format!("{function} is not called"))
    }
}

/// Instructions per pass, by function.
#[derive(Debug)]
pub struct Profile(HashMap<String, f64>);

impl Profile {
    /// All but those of `function` itself.
    pub fn beyond(&self, function: &str) -> f64 {
        self.sum() - self.of(function)
    }

    /// All of them.
    pub fn sum(&self) -> f64 {
        self.0.values().sum()
    }

    /// Those of `function` itself, without what it calls.
    pub fn of(&self, function: &str) -> f64 {
        self.0.get(function).copied().unwrap_or(0.0)
    }
}

/// Each function's own instructions. Names come in full once, then by number:
/// `fn=(3) name`, `fn=(3)`. The line after `calls=` is about the function
/// called, which has lines of its own.
fn parse(text: &str) -> Option<HashMap<String, u64>> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut function = "";
    let mut of_callee = false;
    for line in text.lines() {
        let named = line
            .strip_prefix("fn=")
            .map(|rest| (true, rest))
            .or_else(|| line.strip_prefix("cfn=").map(|rest| (false, rest)));
        if let Some((own, rest)) = named {
            let (number, name) = rest.split_once(' ').unwrap_or((rest, ""));
            if !name.is_empty() {
                names.insert(number, name);
            }
            if own {
                function = names.get(number)?;
            }
        } else if line.starts_with("calls=") {
            of_callee = true;
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c))
            && !std::mem::take(&mut of_callee)
        {
            let count: u64 = line.split(' ').nth(1)?.parse().ok()?;
            *counts.entry(function.to_owned()).or_default() += count;
        }
    }
    (!counts.is_empty()).then_some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_function_calls_is_not_its_own() {
        let text = "events: Ir\nfn=(1) outer\n0 7\ncfn=(2) inner\ncalls=3 0\n0 30\n+2 1\n\
                    fn=(2)\n0 30\nfn=(1)\n* 2\ntotals: 40\n";
        let counts = parse(text).unwrap();
        assert_eq!(counts["outer"], 10);
        assert_eq!(counts["inner"], 30);
        assert!(parse("events: Ir\n").is_none());
    }
}
