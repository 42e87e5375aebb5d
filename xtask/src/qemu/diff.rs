// SPDX-License-Identifier: MIT OR Apache-2.0
//! `qemu diff`: the same scenarios on the simulator and on real Xen, their
//! logs compared line by line.
//!
//! Every line has the domain, the call with its arguments, the result, and
//! what the domain holds afterwards.
//!
//! The simulator is an Arm one. Of Xen for x86_64 it is compared with those
//! scenarios that do not say in what x86 differs.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::arch::Arch;
use super::conformance::Events;
use super::{conformance, junit};
use crate::process;

/// Told to the simulator's test: where to put its logs.
const LOG_VARIABLE: &str = "XEN_GUEST_LOG";

/// What scenarios say where Xen was built without emulated devices. The
/// simulator's log is there of either.
const NO_DEVICE_MODELS: &str = "this Xen has no device models";

/// What scenarios say, behind their names, that met what is x86's only.
const X86: &str = ": x86: ";

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
        let simulator = read(&simulators_log(args, events, &xen)?)?;
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
        args.name(),
        total.different
    );
    if total.apart > 0 {
        println!("{} not compared: they met what is x86's only", total.apart);
    }
    if total.different > 0 || total.equal == 0 {
        bail!("the simulator is not what Xen is");
    }
    Ok(())
}

/// The log of the simulator that is like this Xen.
fn simulators_log(args: &conformance::Args, events: Events, xen: &str) -> Result<String> {
    let events = events.name();
    if args.machine.xen.arch()? == Arch::X86_64 {
        let version = if args.grants_v2 { 2 } else { 1 };
        return Ok(format!("simulator-{events}-grants-v{version}.log"));
    }
    let policy = if args.machine.silo { "-silo" } else { "" };
    let build = match xen.contains(NO_DEVICE_MODELS) {
        true => "",
        false => "-ioreq",
    };
    Ok(format!("simulator-{events}{policy}{build}.log"))
}

#[derive(Debug, Default)]
struct Comparison {
    equal: usize,
    /// In scenarios that are equal.
    lines: usize,
    different: usize,
    /// Not compared.
    apart: usize,
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
                Some(other) if other.is_x86s() => self.apart += 1,
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
        .args(["--test", "conformance", "--"])
        .args(["deterministic", "silo", "grant_table_versions"])
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

impl Log<'_> {
    /// Whether it met what is x86's only.
    fn is_x86s(&self) -> bool {
        let verdict = self
            .lines
            .last()
            .and_then(|line| line.strip_prefix("passed "));
        verdict.is_some_and(|verdict| verdict.contains(X86))
    }
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
    fn what_is_x86s_only_is_not_compared() {
        let changed = LOG
            .replace("x() = 0", "x() = -22")
            .replace("passed one", "passed one: x86: it is another number");
        let mut comparison = Comparison::default();
        let differences = comparison.compare(&parse(LOG), &parse(&changed));
        assert!(differences.is_empty());
        assert_eq!((comparison.equal, comparison.apart), (1, 1));
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
