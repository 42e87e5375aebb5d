// SPDX-License-Identifier: MIT OR Apache-2.0
//! `qemu test`: the conformance scenarios on real Xen, with our dom0 and two
//! domUs; with `--silo` those for domUs that Xen keeps apart.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use super::MachineArgs;
use super::firmware::Firmware;
use super::guest::{Guest, completion_token};
use super::junit::{self, Case, Suite};
use super::progress::Progress;
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
    /// Guests with version 2 of the grant table, which Xen has on x86.
    #[arg(long)]
    pub grants_v2: bool,
    /// Show every step, not only the verdicts.
    #[arg(long)]
    steps: bool,
    /// Make the control domain go wrong, to see that it is noticed.
    #[arg(long = "break", value_name = "HOW",
          value_parser = ["fail", "hang", "panic", "silent"])]
    broken: Option<String>,
    /// Write the results to this file too, in JUnit's XML.
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    #[command(flatten)]
    pub machine: MachineArgs,
}

impl Args {
    /// Everything as usual on this machine.
    pub fn new(machine: MachineArgs) -> Self {
        Args {
            events: None,
            grants_v2: false,
            steps: false,
            broken: None,
            junit: None,
            machine,
        }
    }
}

/// What the scenarios of one machine said, and how they went.
#[derive(Clone, Debug, Default)]
pub struct Conformance {
    pub suite: Suite,
    /// The scenarios' log.
    pub log: Vec<String>,
}

pub fn run(args: &Args) -> Result<()> {
    let started = Instant::now();
    let (suites, result) = conform(args);
    junit::write(args.junit.as_deref(), &suites)?;
    result?;
    let passed: usize = suites.iter().map(Suite::passed).sum();
    let elapsed: Duration = suites.iter().map(|suite| suite.time).sum();
    println!(
        "{}: {passed} scenarios passed in {:.2} s, {:.2} s with building",
        args.name(),
        elapsed.as_secs_f32(),
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

impl Args {
    /// What is run, for messages.
    pub fn name(&self) -> String {
        let grants = if self.grants_v2 {
            " with grants v2"
        } else {
            ""
        };
        format!("{}{grants}", self.machine.name())
    }

    /// The runs that were asked for.
    pub fn runs(&self) -> Vec<Events> {
        self.events.map_or(Events::ALL.to_vec(), |one| vec![one])
    }
}

/// Run the scenarios with every event ABI asked for: how they went, up to the
/// run that did not end as it should, and whether there is one.
pub fn conform(args: &Args) -> (Vec<Suite>, Result<()>) {
    let mut suites = Vec::new();
    for events in args.runs() {
        let (conformance, result) = conform_with(args, events);
        suites.push(conformance.suite);
        if result.is_err() {
            return (suites, result);
        }
    }
    (suites, Ok(()))
}

/// The same with one event ABI.
pub fn conform_with(args: &Args, events: Events) -> (Conformance, Result<()>) {
    let started = Instant::now();
    let mut progress = Progress::new(args.steps);
    let ended = boot(args, events, &mut progress);
    progress.clear();
    if let Err(error) = &ended {
        progress.end(&format!("{error:#}"));
    }
    let mut suite = Suite {
        name: format!("{}, events {}", args.name(), events.name()),
        cases: progress.cases,
        time: *ended.as_ref().unwrap_or(&started.elapsed()),
    };
    let result = match ended {
        Err(error) => {
            // Perhaps not in a scenario.
            if suite.failed() == 0 {
                suite.cases.push(Case {
                    name: "run".into(),
                    time: suite.time,
                    failure: Some(format!("{error:#}")),
                });
            }
            Err(error)
        }
        Ok(_) if suite.failed() > 0 || suite.passed() == 0 => Err(anyhow!(
            "{} scenarios passed and {} failed on {}",
            suite.passed(),
            suite.failed(),
            args.name()
        )),
        Ok(_) => Ok(()),
    };
    println!(
        "events {}: {} passed, {} failed",
        events.name(),
        suite.passed(),
        suite.failed()
    );
    let log = progress.log;
    (Conformance { suite, log }, result)
}

/// One run, and how long it took.
fn boot(args: &Args, events: Events, progress: &mut Progress) -> Result<Duration> {
    let arch = args.machine.xen.arch()?;
    let image = Firmware::new("tests/firmware", "conformance").image(arch)?;
    let policy = if args.machine.silo {
        " policy=silo"
    } else {
        ""
    };
    let grants = if args.grants_v2 { " grants=2" } else { "" };
    let bootargs = |role: &str| format!("role={role} events={}{policy}{grants}", events.name());
    let control = match &args.broken {
        Some(how) => format!("{} break={how}", bootargs("control")),
        None => bootargs("control"),
    };
    let mut machine = args.machine.machine()?;
    machine.quiet = true;
    machine.dom0 = Some(
        Guest::dom0(&image)
            .bootargs(&control)
            .token(&completion_token("conformance")),
    );
    machine.domus = [("domU1", "a"), ("domU2", "b")]
        .map(|(name, role)| Guest::domu(name, &image).bootargs(&bootargs(role)))
        .into();
    let run = machine
        .run_with(|line| progress.see(line))
        .with_context(|| format!("the conformance run on {} failed", args.name()))?;
    Ok(run.elapsed)
}

/// Keep a log where it can be looked at afterwards.
pub fn save(name: &str, log: &str) -> Result<PathBuf> {
    let path = process::target_folder("conformance")?.join(name);
    fs::write(&path, log).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
