// SPDX-License-Identifier: MIT OR Apache-2.0
//! One search by Spin: model to C, C to a program, the program's report.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::header::{Job, Kind};
use crate::process;

/// A search may take so much, and fails beyond.
pub const MEMORY_MIB: u32 = 1900;

/// Steps from the first state; the models are far below.
const DEPTH: u32 = 200_000;

/// How a search ended.
#[derive(Debug)]
pub struct Outcome {
    pub states: f64,
    pub violation: Option<String>,
    /// Why states may have been left out.
    pub truncated: Option<String>,
    /// The steps to the violation, as text.
    pub trail: PathBuf,
}

pub fn search(model: &Path, job: &Job) -> Result<Outcome> {
    let folder = fresh_folder(model, job)?;
    let mut spin = Command::new("spin");
    spin.current_dir(&folder)
        .arg("-a")
        .args(&job.defines)
        .arg(model);
    let told = process::output(&mut spin)?;
    if told.contains("Error") {
        bail!("{}\n{told}", process::display(&spin));
    }
    process::output(
        Command::new("gcc")
            .current_dir(&folder)
            // A mutant is mostly found before optimisation would pay.
            .arg(if job.mutant.is_some() { "-O1" } else { "-O2" })
            .args(["-w", &format!("-DMEMLIM={MEMORY_MIB}")])
            .args(match job.kind {
                Kind::Safety => &["-DSAFETY"][..],
                Kind::Progress => &["-DNP"],
                Kind::Liveness => &[],
            })
            .args(["pan.c", "-o", "pan"]),
    )?;
    let mut pan = Command::new(folder.join("pan"));
    pan.current_dir(&folder)
        .args([format!("-m{DEPTH}"), "-w22".into()])
        .args(match job.kind {
            Kind::Safety => &[][..],
            Kind::Progress => &["-l"],
            Kind::Liveness => &["-a", "-f"],
        });
    process::announce(&pan);
    // Its exit status says little: what counts is the report.
    let report = pan
        .output()
        .with_context(|| format!("cannot start: {}", process::display(&pan)))?;
    let report = String::from_utf8_lossy(&report.stdout).into_owned();
    let mut outcome = read(&report)?;
    if outcome.violation.is_some() {
        outcome.trail = write_trail(&folder, model, job)?;
    }
    Ok(outcome)
}

fn fresh_folder(model: &Path, job: &Job) -> Result<PathBuf> {
    let name = model.file_stem().unwrap_or_default().to_string_lossy();
    let folder = process::target_folder("verify")?
        .join(&*name)
        .join(job.to_string().replace(' ', "_"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// Replay the violation.
fn write_trail(folder: &Path, model: &Path, job: &Job) -> Result<PathBuf> {
    let name = model.file_name().unwrap_or_default().to_string_lossy();
    let steps = process::output(
        Command::new("spin")
            .current_dir(folder)
            .args(["-k", &format!("{name}.trail"), "-p", "-g"])
            .args(&job.defines)
            .arg(model),
    )?;
    let trail = folder.join("trail.txt");
    fs::write(&trail, steps).with_context(|| format!("cannot write {}", trail.display()))?;
    Ok(trail)
}

fn read(report: &str) -> Result<Outcome> {
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<f64>().ok());
    let errors = number(
        report
            .lines()
            .find_map(|l| Some(l.split_once("errors: ")?.1)),
    )
    .context("the search printed no result")?;
    let states = number(
        report
            .lines()
            .find_map(|l| Some(l.split_once(" states, stored")?.0)),
    )
    .context("the search printed no states")?;
    let violation = report.lines().find_map(|line| line.strip_prefix("pan:1: "));
    let truncated = [
        "max search depth too small",
        "reached -DMEMLIM bound",
        "out of memory",
        "hit 32bit limit",
    ]
    .into_iter()
    .find(|complaint| report.contains(complaint));
    if (errors > 0.0) != violation.is_some() {
        bail!("the search's report contradicts itself:\n{report}");
    }
    Ok(Outcome {
        states,
        violation: violation.map(str::to_owned),
        // A violation is one however much is left.
        truncated: truncated.filter(|_| violation.is_none()).map(Into::into),
        trail: PathBuf::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: &str =
        "State-vector 80 byte, depth reached 9, errors: 0\n  1234 states, stored (2000 visited)\n";

    #[test]
    fn a_clean_report() -> Result<()> {
        let outcome = read(END)?;
        assert_eq!(outcome.states, 1234.0);
        assert!(outcome.violation.is_none() && outcome.truncated.is_none());
        assert_eq!(
            read("depth reached 9, errors: 0\n1.5e+08 states, stored\n")?.states,
            1.5e8
        );
        Ok(())
    }

    #[test]
    fn a_violation_is_told() -> Result<()> {
        let report = format!(
            "pan:1: assertion violated x (at depth 3)\n{}",
            END.replace("errors: 0", "errors: 1")
        );
        let outcome = read(&report)?;
        assert_eq!(
            outcome.violation.as_deref(),
            Some("assertion violated x (at depth 3)")
        );
        Ok(())
    }

    #[test]
    fn limits_are_noticed() -> Result<()> {
        for limit in [
            "pan: reached -DMEMLIM bound",
            "error: max search depth too small",
        ] {
            assert!(read(&format!("{limit}\n{END}"))?.truncated.is_some());
        }
        Ok(())
    }

    #[test]
    fn no_report_is_no_success() {
        assert!(read("").is_err());
        assert!(read("Killed\n").is_err());
    }
}
