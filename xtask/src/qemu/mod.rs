// SPDX-License-Identifier: MIT OR Apache-2.0
//! The real-Xen rig: the hypervisor under QEMU's software emulation, with our
//! firmware as its guests.

pub mod arch;
pub mod conformance;
pub mod console;
pub mod diff;
pub mod elf;
pub mod emulator;
pub mod firmware;
pub mod guest;
pub mod hypervisor;
pub mod junit;
pub mod machine;
pub mod progress;
pub mod q35;
pub mod tree;
pub mod verdict;
pub mod virt;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Subcommand};

use crate::counts;
use crate::process;
use arch::Arch;
use firmware::Firmware;
use guest::{Guest, completion_token};
use hypervisor::Hypervisor;
use junit::{Case, Suite};
use machine::{Clock, Machine, Policy};

#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the conformance scenarios with our dom0 and two domUs.
    Test(conformance::Args),
    /// Compare the scenarios' results on the simulator with those on Xen.
    Diff(conformance::Args),
    /// Build a program and run two instances of it.
    Run(RunArgs),
    /// Count the instructions that operations take on real Xen.
    Bench(BenchArgs),
    /// Run images that exist already: flat for arm64, ELF for x86_64.
    Boot(BootArgs),
}

/// The settings of every command that starts a machine.
#[derive(Clone, Debug, clap::Args)]
pub struct MachineArgs {
    /// The hypervisor: 4.17, 4.20, ioreq (4.20 with device models, built on
    /// first use), 4.17-ioreq, x86_64 (4.17), 4.20-x86_64, or the path of an
    /// arm64 or x86_64 image.
    #[arg(long, default_value = "4.17", value_parser = parse_hypervisor)]
    pub xen: Hypervisor,
    /// Keep domUs apart (xsm=silo), as Debian's Xen does by default. They can
    /// deal with dom0 only: `test` and `diff` then run the scenarios for that.
    #[arg(long)]
    pub silo: bool,
    /// Nanoseconds per instruction, as a power of two [default: 4; on x86_64: 2].
    #[arg(long, value_name = "SHIFT", value_parser = clap::value_parser!(u8).range(0..=10))]
    pub icount: Option<u8>,
    /// Run in real time, on this many CPUs at once.
    #[arg(long, value_name = "N", conflicts_with = "icount",
          value_parser = clap::value_parser!(u32).range(1..=8))]
    pub cpus: Option<u32>,
    /// Give up after this many seconds [default: 30; on x86_64: 90].
    #[arg(long, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: Option<u64>,
}

/// Look at an image of the user's now, not after the firmware was built.
fn parse_hypervisor(text: &str) -> Result<Hypervisor, String> {
    let Ok(hypervisor) = text.parse();
    match &hypervisor {
        Hypervisor::Path(path) => hypervisor::check(path)
            .map(|_| hypervisor.clone())
            .map_err(|error| error.to_string()),
        _ => Ok(hypervisor),
    }
}

impl MachineArgs {
    /// What is run, for messages.
    pub fn name(&self) -> String {
        let silo = if self.silo { " with xsm=silo" } else { "" };
        format!("{}{silo}", self.xen)
    }

    /// A machine with these settings and no guests yet.
    pub fn machine(&self) -> Result<Machine> {
        if self.silo && matches!(self.xen, Hypervisor::X86_64(_)) {
            bail!("Debian builds Xen for x86_64 without policies, so there is no --silo");
        }
        // An image of the user's was looked at when it was named.
        let arch = self.xen.arch()?;
        // As much happens in either, but QEMU takes longer for x86_64.
        let timeout = self.timeout.unwrap_or(match arch {
            Arch::Arm64 => 30,
            Arch::X86_64 => 90,
        });
        Ok(Machine {
            policy: if self.silo {
                Policy::Silo
            } else {
                Policy::Open
            },
            clock: match (self.cpus, self.icount) {
                (Some(cpus), _) => Clock::Wall { cpus },
                (None, Some(shift)) => Clock::Instructions { shift },
                (None, None) => Clock::usual(arch),
            },
            timeout: Duration::from_secs(timeout),
            ..Machine::new(self.xen.clone())
        })
    }
}

#[derive(Debug, clap::Args)]
struct RunArgs {
    /// The program's name: one of examples/firmware, or of --firmware.
    #[arg(required_unless_present = "firmware")]
    name: Option<String>,
    /// The folder of a Cargo package or a CMake project; its program is the
    /// one named like it if no name is given.
    #[arg(long, value_name = "FOLDER")]
    firmware: Option<PathBuf>,
    /// A CMake project's toolchain file, instead of its own choice.
    #[arg(long, value_name = "FILE", requires = "firmware")]
    toolchain: Option<PathBuf>,
    /// Features of the firmware package, separated by commas.
    #[arg(long, value_delimiter = ',')]
    features: Vec<String>,
    /// vCPUs of each instance.
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=8))]
    vcpus: u32,
    /// Words for the instances' command line.
    #[arg(long, value_name = "WORDS", default_value = "")]
    bootargs: String,
    /// Write the result to this file too, in JUnit's XML.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Debug, clap::Args)]
struct BenchArgs {
    /// What to count [default: everything that this Xen can].
    #[arg(value_parser = counts::xen::TOPICS)]
    topics: Vec<String>,
    #[command(flatten)]
    machine: MachineArgs,
}

#[derive(Debug, clap::Args)]
#[command(group = ArgGroup::new("guests").args(["dom0", "domu"]).required(true).multiple(true))]
struct BootArgs {
    /// dom0's image.
    #[arg(long, value_name = "IMAGE")]
    dom0: Option<PathBuf>,
    /// A domU's image; may be given several times.
    #[arg(long, value_name = "IMAGE")]
    domu: Vec<PathBuf>,
    /// The line that tells that a guest is done: one for all, or one for each
    /// in the order dom0, domU1, ...
    #[arg(long, value_name = "LINE", required = true)]
    expect: Vec<String>,
    #[command(flatten)]
    machine: MachineArgs,
}

pub fn run(args: &Args) -> Result<()> {
    match &args.command {
        Command::Test(args) => conformance::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Run(args) => run_example(args),
        Command::Bench(args) => bench(args),
        Command::Boot(args) => boot_images(args),
    }
}

fn run_example(args: &RunArgs) -> Result<()> {
    let features: Vec<&str> = args.features.iter().map(String::as_str).collect();
    let name = args.name.as_deref();
    let firmware = match &args.firmware {
        Some(folder) => Firmware::in_folder(folder, name)?.toolchain(args.toolchain.as_deref())?,
        None => Firmware::example(name.context("a program's name")?),
    };
    let layout = if firmware.name() == SERVED {
        serve
    } else {
        exchange
    };
    let started = Instant::now();
    let name = firmware.name().to_owned();
    let result = layout(
        &firmware.features(&features),
        args.machine.machine()?,
        args.vcpus,
        &args.bootargs,
    )
    .and_then(|machine| report(&machine));
    let time = started.elapsed();
    let case = Case {
        name,
        time,
        failure: result.as_ref().err().map(|error| format!("{error:#}")),
    };
    let suite = Suite {
        name: args.machine.name(),
        cases: vec![case],
        time,
    };
    junit::write(args.junit.as_deref(), &[suite])?;
    result
}

/// On one dom0, which the policy does not concern.
fn bench(args: &BenchArgs) -> Result<()> {
    let mut machine = args.machine.machine()?;
    machine.policy = Policy::Silo;
    if args.machine.cpus.is_none() && args.machine.icount.is_none() {
        machine.clock = counts::xen::usual(args.machine.xen.clone()).clock;
    }
    let mut topics: Vec<&str> = args.topics.iter().map(String::as_str).collect();
    if topics.is_empty() {
        topics = counts::xen::TOPICS.into();
        topics.retain(|topic| counts::xen::possible(topic, &machine.hypervisor));
    }
    for topic in topics {
        counts::xen::print_on(topic, &machine)?;
    }
    Ok(())
}

/// The program whose dom0 serves a domU, of two vCPUs, on a Xen that has device
/// models.
pub fn run_served(machine: &MachineArgs) -> Result<()> {
    report(&serve(
        &Firmware::example(SERVED),
        machine.machine()?,
        1,
        "",
    )?)
}

const SERVED: &str = "emulated_device";

/// dom0 and a domU with this program: one serves the other.
fn serve(firmware: &Firmware, mut machine: Machine, vcpus: u32, bootargs: &str) -> Result<Machine> {
    let image = firmware.image(machine.hypervisor.arch()?)?;
    let token = completion_token(firmware.name());
    let words = match machine.clock {
        Clock::Instructions { shift } => format!("icount={shift} {bootargs}"),
        Clock::Wall { .. } => bootargs.to_owned(),
    };
    let guest = |guest: Guest, role: &str| {
        guest
            .bootargs(format!("{role} {words}").trim_end())
            .token(&token)
    };
    machine.dom0 = Some(guest(Guest::dom0(&image), "role=server client=1"));
    machine.domus = vec![guest(
        Guest::domu("domU1", &image).cpus(vcpus),
        "role=driver",
    )];
    Ok(machine)
}

/// The firmware that is no part of `examples/firmware`: built and run as a
/// user of it would.
pub fn run_standalone(folder: &str, toolchain: Option<&str>, machine: &MachineArgs) -> Result<()> {
    let folder = process::workspace().join(folder);
    let toolchain = toolchain.map(|file| folder.join(file));
    let firmware = Firmware::in_folder(&folder, None)?.toolchain(toolchain.as_deref())?;
    report(&exchange(&firmware, machine.machine()?, 1, "")?)
}

/// Two domUs with this program.
fn exchange(
    firmware: &Firmware,
    mut machine: Machine,
    vcpus: u32,
    bootargs: &str,
) -> Result<Machine> {
    let image = firmware.image(machine.hypervisor.arch()?)?;
    let token = completion_token(firmware.name());
    machine.domus = [
        ("domU1", "role=granter peer=2"),
        ("domU2", "role=mapper peer=1"),
    ]
    .map(|(name, role)| {
        Guest::domu(name, &image)
            .cpus(vcpus)
            .bootargs(format!("{role} {bootargs}").trim_end())
            .token(&token)
    })
    .into();
    Ok(machine)
}

fn boot_images(args: &BootArgs) -> Result<()> {
    let count = args.dom0.iter().len() + args.domu.len();
    let mut tokens = match args.expect.as_slice() {
        [one] => vec![one.clone(); count],
        each if each.len() == count => each.to_vec(),
        each => bail!("{} expected lines for {count} guests", each.len()),
    }
    .into_iter();
    let mut with_token = |guest: Guest| -> Result<Guest> {
        Ok(guest.token(&tokens.next().context("too few expected lines")?))
    };
    let mut machine = args.machine.machine()?;
    machine.dom0 = args
        .dom0
        .as_ref()
        .map(|image| with_token(Guest::dom0(image)))
        .transpose()?;
    machine.domus = (1..)
        .zip(&args.domu)
        .map(|(number, image)| with_token(Guest::domu(&format!("domU{number}"), image)))
        .collect::<Result<_>>()?;
    report(&machine)
}

/// Run it and say how it went.
fn report(machine: &Machine) -> Result<()> {
    let run = machine
        .run()
        .with_context(|| format!("the run on {} failed", machine.hypervisor))?;
    let guests = machine.dom0.iter().len() + machine.domus.len();
    println!(
        "ok: {guests} guests complete on {} in {:.2} s",
        machine.hypervisor,
        run.elapsed.as_secs_f32()
    );
    if process::verbose() {
        eprintln!("{} lines on the console", run.lines.len());
    }
    Ok(())
}
