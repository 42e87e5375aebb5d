// SPDX-License-Identifier: MIT OR Apache-2.0
//! `qemu test`: the conformance scenarios on real Xen, with our dom0 and two
//! domUs.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::MachineArgs;
use super::console::{Line, Source};
use super::firmware::Firmware;
use super::guest::{DOMU_IMAGE_BASE, Guest, completion_token};
use crate::process;

/// How event channels are shared with Xen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Events {
    #[value(name = "2l")]
    TwoLevel,
    Fifo,
}

impl Events {
    pub const ALL: [Self; 2] = [Self::TwoLevel, Self::Fifo];

    /// As in file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::TwoLevel => "2l",
            Self::Fifo => "fifo",
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The event ABI; by default a run for each.
    #[arg(long, value_enum)]
    events: Option<Events>,
    /// Show every step, not only the verdicts.
    #[arg(long)]
    steps: bool,
    /// Make the control domain go wrong, to see that it is noticed.
    #[arg(long = "break", value_name = "HOW",
          value_parser = ["fail", "hang", "panic", "silent"])]
    broken: Option<String>,
    #[command(flatten)]
    pub machine: MachineArgs,
}

impl Args {
    /// Everything as usual on this machine.
    pub fn new(machine: MachineArgs) -> Self {
        Args {
            events: None,
            steps: false,
            broken: None,
            machine,
        }
    }
}

/// A run of all scenarios.
#[derive(Clone, Debug, Default)]
pub struct Conformance {
    pub passed: u32,
    pub failed: u32,
    /// From the start of QEMU to its end.
    pub elapsed: Duration,
    /// The scenarios' log.
    pub log: Vec<String>,
}

/// What the control domain puts before each line of the log.
const LOG_PREFIX: &str = "log: ";

pub fn run(args: &Args) -> Result<()> {
    let started = Instant::now();
    let conformance = conform(args)?;
    println!(
        "{}: {} scenarios passed in {:.2} s, {:.2} s with building",
        args.machine.xen,
        conformance.passed,
        conformance.elapsed.as_secs_f32(),
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

impl Args {
    /// The runs that were asked for.
    pub fn runs(&self) -> Vec<Events> {
        self.events.map_or(Events::ALL.to_vec(), |one| vec![one])
    }
}

/// Run the scenarios with every event ABI asked for; an error if any of them
/// fails or a run does not end as it should.
pub fn conform(args: &Args) -> Result<Conformance> {
    let mut all = Conformance::default();
    for events in args.runs() {
        let one = conform_with(args, events)?;
        all.passed += one.passed;
        all.failed += one.failed;
        all.elapsed += one.elapsed;
        all.log.extend(one.log);
    }
    Ok(all)
}

/// The same with one event ABI.
pub fn conform_with(args: &Args, events: Events) -> Result<Conformance> {
    let conformance = boot(args, events)?;
    if conformance.failed > 0 || conformance.passed == 0 {
        bail!(
            "{} scenarios passed and {} failed on {}",
            conformance.passed,
            conformance.failed,
            args.machine.xen
        );
    }
    Ok(conformance)
}

fn boot(args: &Args, events: Events) -> Result<Conformance> {
    let image = Firmware::new("tests/firmware", "conformance").image(DOMU_IMAGE_BASE)?;
    let bootargs = |role: &str| format!("role={role} events={}", events.name());
    let control = match &args.broken {
        Some(how) => format!("{} break={how}", bootargs("control")),
        None => bootargs("control"),
    };
    let mut machine = args.machine.machine();
    machine.quiet = true;
    machine.dom0 = Some(
        Guest::dom0(&image)
            .bootargs(&control)
            .token(&completion_token("conformance")),
    );
    machine.domus = [("domU1", "a"), ("domU2", "b")]
        .map(|(name, role)| Guest::domu(name, &image).bootargs(&bootargs(role)))
        .into();
    println!("events: {}", events.name());
    let run = machine
        .run_with(|line| show(line, args.steps))
        .with_context(|| format!("the conformance run on {} failed", args.machine.xen))?;
    let log = log_of(&run.lines);
    let count = |start: &str| log.iter().filter(|line| line.starts_with(start)).count() as u32;
    Ok(Conformance {
        passed: count("passed "),
        failed: count("FAILED "),
        elapsed: run.elapsed,
        log,
    })
}

/// The scenarios' own lines.
fn log_of(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .filter(|line| line.source == Source::Domain(0))
        .filter_map(|line| line.text.strip_prefix(LOG_PREFIX))
        .map(str::to_owned)
        .collect()
}

fn show(line: &Line, steps: bool) {
    match line.text.strip_prefix(LOG_PREFIX) {
        Some(text) if steps => println!("{text}"),
        Some(text) if text.starts_with("passed ") || text.starts_with("FAILED ") => {
            println!("{text}");
        }
        Some(_) => {}
        None if process::verbose() || line.source != Source::Xen => println!("{line}"),
        None => {}
    }
}

/// Keep a log where it can be looked at afterwards.
pub fn save(name: &str, log: &str) -> Result<PathBuf> {
    let path = process::target_folder("conformance")?.join(name);
    fs::write(&path, log).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
