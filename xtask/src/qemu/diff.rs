// SPDX-License-Identifier: MIT OR Apache-2.0
//! `qemu diff`: the same scenarios on the simulator and on real Xen, their
//! logs compared line by line.
//!
//! Every line has the domain, the call with its arguments, the result, and
//! what the domain holds afterwards.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{conformance, junit};
use crate::process;

/// Told to the simulator's test: where to put its logs.
const LOG_VARIABLE: &str = "XEN_GUEST_LOG";

/// What scenarios say where Xen was built without emulated devices. The
/// simulator's log is there of either.
const NO_DEVICE_MODELS: &str = "this Xen has no device models";

/// Lines shown of each difference.
const SHOWN: usize = 6;

pub fn run(args: &conformance::Args) -> Result<()> {
    run_on_simulator()?;
    let mut total = Comparison::default();
    let mut suites = Vec::new();
    for events in args.runs() {
        let (run, result) = conformance::conform_with(args, events);
        if result.is_err() {
            suites.push(run.suite);
            junit::write(args.junit.as_deref(), &suites)?;
            return result;
        }
        let xen = run.log.join("\n");
        let policy = if args.machine.silo { "-silo" } else { "" };
        let build = if xen.contains(NO_DEVICE_MODELS) {
            ""
        } else {
            "-ioreq"
        };
        let simulator = format!("simulator-{}{policy}{build}.log", events.name());
        let simulator = read(&simulator)?;
        conformance::save(&format!("xen-{}.log", events.name()), &xen)?;
        let mut suite = run.suite;
        suite.name += ", compared";
        let differences = total.compare(&parse(&simulator), &parse(&xen));
        suite.note(differences);
        suites.push(suite);
    }
    junit::write(args.junit.as_deref(), &suites)?;
    println!(
        "{} scenarios ({} lines) equal on the simulator and on {}, {} different",
        total.equal,
        total.lines,
        args.machine.name(),
        total.different
    );
    if total.different > 0 || total.equal == 0 {
        bail!("the simulator is not what Xen is");
    }
    Ok(())
}

#[derive(Debug, Default)]
struct Comparison {
    equal: usize,
    /// In scenarios that are equal.
    lines: usize,
    different: usize,
}

impl Comparison {
    /// The differences, by scenario.
    fn compare(&mut self, simulator: &[Log<'_>], xen: &[Log<'_>]) -> Vec<(String, String)> {
        let mut differences = Vec::new();
        let mut different = |scenario: &Log<'_>, what: String| {
            println!("{}: {what}", scenario.name);
            differences.push((scenario.name.to_owned(), what));
        };
        for scenario in simulator {
            match xen.iter().find(|other| other.name == scenario.name) {
                Some(other) if other == scenario => {
                    self.equal += 1;
                    self.lines += scenario.lines.len();
                }
                Some(other) => different(scenario, difference(scenario, other)),
                None => different(scenario, "not run on Xen".to_owned()),
            }
        }
        for other in xen {
            if !simulator.iter().any(|s| s.name == other.name) {
                different(other, "not run on the simulator".to_owned());
            }
        }
        self.different += differences.len();
        differences
    }
}

fn run_on_simulator() -> Result<()> {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(process::workspace())
        .args(["test", "--quiet", "--features", "sim"])
        .args(["--test", "conformance", "--", "deterministic", "silo"])
        .env(LOG_VARIABLE, process::target_folder("conformance")?);
    process::output(&mut cargo).context("the scenarios fail on the simulator")?;
    Ok(())
}

fn read(name: &str) -> Result<String> {
    let path = process::target_folder("conformance")?.join(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// The lines of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Log<'a> {
    name: &'a str,
    lines: Vec<&'a str>,
}

fn parse(log: &str) -> Vec<Log<'_>> {
    let mut scenarios: Vec<Log<'_>> = Vec::new();
    for line in log.lines() {
        if let Some(name) = line.strip_prefix("scenario ") {
            scenarios.push(Log {
                name,
                lines: Vec::new(),
            });
        } else if let Some(scenario) = scenarios.last_mut() {
            scenario.lines.push(line);
        }
    }
    scenarios
}

fn difference(simulator: &Log<'_>, xen: &Log<'_>) -> String {
    let mut text = String::from("different");
    let longer = simulator.lines.len().max(xen.lines.len());
    let line = |log: &Log<'_>, at: usize| match log.lines.get(at) {
        Some(line) => line.trim_start().to_owned(),
        None => "(nothing)".to_owned(),
    };
    let mut shown = 0;
    for at in 0..longer {
        let (here, there) = (line(simulator, at), line(xen, at));
        if here == there {
            continue;
        }
        text += &format!(
            "\n  step {}:\n    simulator {here}\n    Xen       {there}",
            at + 1
        );
        shown += 1;
        if shown == SHOWN {
            text += "\n  ...";
            break;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "scenario one\n  A x() = 0 [open 0]\npassed one\nscenario two\npassed two";

    #[test]
    fn logs_are_taken_apart_by_scenario() {
        let scenarios = parse(LOG);
        assert_eq!(scenarios.len(), 2);
        assert_eq!(scenarios[0].name, "one");
        assert_eq!(scenarios[0].lines, ["  A x() = 0 [open 0]", "passed one"]);
        assert_eq!(scenarios[1].lines, ["passed two"]);
    }

    #[test]
    fn equal_and_different_scenarios_are_counted() {
        let changed = LOG.replace("x() = 0", "x() = -22");
        let missing = "scenario one\n  A x() = 0 [open 0]\npassed one\nscenario three";
        for (other, equal, different) in [(LOG, 2, 0), (&*changed, 1, 1), (missing, 1, 2)] {
            let mut comparison = Comparison::default();
            comparison.compare(&parse(LOG), &parse(other));
            assert_eq!((comparison.equal, comparison.different), (equal, different));
        }
    }

    #[test]
    fn every_kind_of_difference_is_shown() {
        let first = &parse(LOG)[0];
        let changed = LOG.replace("x() = 0", "x() = -22");
        let text = difference(first, &parse(&changed)[0]);
        assert!(text.contains("simulator A x() = 0"), "{text}");
        assert!(text.contains("Xen       A x() = -22"), "{text}");
        let shorter = LOG.replace("passed one\n", "");
        let text = difference(first, &parse(&shorter)[0]);
        assert!(text.contains("(nothing)"), "{text}");
    }
}
