// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask test`: everything that can be run, one leg after the other.

use anyhow::Result;

use crate::c_core::{self, OFFICIAL_HEADERS};
use crate::c_tests;
use crate::cargo_test::{self, Scenarios};
use crate::counts;
use crate::legs::{Legs, Tally};
use crate::package;
use crate::process;
use crate::qemu::hypervisor::{Hypervisor, Version};
use crate::qemu::{self, conformance};
use crate::sanitize;
use crate::setup::{self, Need};
use crate::sizes;
use crate::timeline;
use crate::toolchain::{self, host_cargo};

/// Events that are raised with each of the two ABIs, and not lost: see
/// tests/stress_edges.rs.
const EDGES: &str = "100000000";

/// Firmware as others would write it, with the library from outside: the folder,
/// and a toolchain other than the usual one.
const STANDALONE: [(&str, Option<&str>); 3] = [
    ("examples/c/firmware", None),
    ("examples/c/firmware", Some("aarch64-linux-gnu.cmake")),
    ("examples/template", None),
];

#[derive(Clone, Debug, clap::Args)]
#[group(skip)] // part of `ci`'s, which has the same name
pub struct Args {
    /// Leave real Xen out.
    #[arg(long)]
    pub skip_xen: bool,
    /// Run only the legs whose names have this in them.
    #[arg(long, value_name = "TEXT")]
    pub only: Option<String>,
    #[command(flatten)]
    pub machine: qemu::MachineArgs,
}

pub fn run(args: &Args) -> Result<()> {
    let mut legs = Legs::default().only(args.only.as_deref());
    add(&mut legs, args);
    legs.finish()
}

/// Run all legs and say how many scenarios passed where.
pub fn add(legs: &mut Legs, args: &Args) {
    // What passed is what passed with both sets of headers.
    let mut host: Option<Scenarios> = None;
    let mut both = |scenarios: Scenarios| {
        host = Some(host.map_or(scenarios, |before| before.at_most(scenarios)));
    };
    legs.run("host tests, Xen's own headers", |tally| {
        both(official_headers(tally)?);
        Ok(())
    });
    legs.run("host tests, our headers", |tally| {
        both(our_headers(tally)?);
        Ok(())
    });
    legs.check("demo and its timeline", timeline::check_demo);
    legs.run("tests in C", |tally| c_tests::plain(&[], tally));
    legs.run("stress", stress);
    let mut sanitized = Scenarios::default();
    legs.run("address and undefined-behaviour sanitizers", |tally| {
        sanitized = sanitize::address(tally)?;
        c_tests::sanitized(&[], tally)
    });
    legs.run("thread sanitizer", |tally| {
        sanitize::thread(tally)?;
        Ok(())
    });
    legs.run("C core, examples and headers", c_core::compile);
    legs.run("bare-metal builds", |tally| {
        for target in ["aarch64-unknown-none", "x86_64-unknown-none"] {
            tally.check(target, bare_metal(target));
        }
        Ok(())
    });
    package::add(legs);
    legs.check("sizes", sizes::run);
    legs.check("instruction counts on the host", counts::check);
    let xen = if args.skip_xen {
        format!("{}: not run", args.machine.xen)
    } else {
        real_xen(legs, &args.machine)
    };

    let host = host.unwrap_or_default();
    println!(
        "\nsimulator: {} scenarios passed (deterministic), {} (asynchronous), {} (ASan+UBSan)",
        host.deterministic,
        host.asynchronous,
        sanitized.deterministic.min(sanitized.asynchronous)
    );
    println!("{xen}");
}

fn official_headers(tally: &mut Tally) -> Result<Scenarios> {
    setup::require(&[Need::XenHeaders])?;
    let mut cargo = host_cargo("test");
    cargo
        .args(["--package", "xen-guest", "--package", "xen-guest-scenarios"])
        .args(["--features", "sim"])
        // Of its own, or the two legs would rebuild each other's work.
        .arg("--target-dir")
        .arg(process::target_folder("official-headers")?)
        .env("XEN_PUBLIC_HEADERS", OFFICIAL_HEADERS)
        .env("XEN_GUEST_CI", "1");
    count(&mut cargo, tally)
}

fn our_headers(tally: &mut Tally) -> Result<Scenarios> {
    let mut cargo = host_cargo("test");
    cargo
        .args(["--workspace", "--features", "sim"])
        .env_remove("XEN_PUBLIC_HEADERS")
        .env("XEN_GUEST_CI", "1");
    count(&mut cargo, tally)
}

/// What needs an optimised build for as many events and operations as it is
/// to have.
fn stress(tally: &mut Tally) -> Result<()> {
    let mut cargo = host_cargo("test");
    cargo
        .args(["--release", "--package", "xen-guest", "--features", "sim"])
        .args(["--test", "stress_edges", "--test", "model_regions"])
        .env_remove("XEN_PUBLIC_HEADERS")
        .env("XEN_GUEST_EDGES", EDGES)
        .env("XEN_GUEST_CI", "1");
    *tally += cargo_test::run(&mut cargo)?.tests;
    Ok(())
}

fn count(cargo: &mut std::process::Command, tally: &mut Tally) -> Result<Scenarios> {
    let summary = cargo_test::run(cargo)?;
    *tally += summary.tests;
    *tally += summary.scenarios.tally();
    summary.scenarios.told()
}

/// As a user's firmware would: in release, and without libclang.
fn bare_metal(target: &str) -> Result<()> {
    let mut cargo = toolchain::library(target, &["--release"])?;
    process::run(cargo.env("XEN_GUEST_CI", "1"))
}

/// The scenarios on real Xen, as it comes and with device models, and then
/// runs that must not pass. What to say about it at the end.
fn real_xen(legs: &mut Legs, machine: &qemu::MachineArgs) -> String {
    let ioreq = qemu::MachineArgs {
        xen: Hypervisor::Ioreq(Version::V4_20),
        ..machine.clone()
    };
    let silo = qemu::MachineArgs {
        silo: true,
        ..machine.clone()
    };
    let x86 = qemu::MachineArgs {
        xen: Hypervisor::X86_64(Version::V4_17),
        ..machine.clone()
    };
    let mut runs = [machine, &ioreq, &silo, &x86, &x86].map(|m| conformance::Args::new(m.clone()));
    // The last again, with what is there only.
    runs[4].grants_v2 = true;
    let told = runs.map(|args| scenarios(legs, &args));
    legs.run("emulated device", |tally| {
        for machine in [&ioreq, &x86] {
            tally.check(&machine.name(), qemu::run_served(machine));
        }
        Ok(())
    });
    legs.run("standalone firmware", |tally| {
        setup::require(&[Need::XenCompiler])?;
        for (folder, toolchain) in STANDALONE {
            tally.check(folder, qemu::run_standalone(folder, toolchain, machine));
        }
        Ok(())
    });
    legs.run("broken firmware is noticed", |tally| {
        let mut cargo = host_cargo("test");
        cargo.args(["--package", "xtask", "--test", "broken_firmware"]);
        // Ignored otherwise: nobody expects `cargo test` to start real Xen.
        *tally += cargo_test::run_with(&mut cargo, &["--ignored"])?.tests;
        Ok(())
    });
    told.join("\n")
}

fn scenarios(legs: &mut Legs, args: &conformance::Args) -> String {
    let name = args.name();
    let mut told = format!("{name}: 0 scenarios passed");
    legs.run(&format!("real {name}"), |tally| {
        let (suites, result) = conformance::conform(args);
        for suite in &suites {
            tally.passed += suite.passed() as u32;
            tally.failed += suite.failed() as u32;
        }
        result?;
        told = format!(
            "{name}: {} scenarios passed in {:.1} s",
            tally.passed,
            suites
                .iter()
                .map(|suite| suite.time.as_secs_f32())
                .sum::<f32>()
        );
        Ok(())
    });
    told
}
