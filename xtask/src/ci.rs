// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask ci`: all that has to hold before a change goes in.

use std::process::Command;

use anyhow::Result;

use crate::c_core::OFFICIAL_HEADERS;
use crate::legs::{Legs, Tally};
use crate::process;
use crate::qemu::hypervisor::{Hypervisor, Version};
use crate::qemu::{MachineArgs, conformance, diff};
use crate::setup::{self, Need};
use crate::toolchain::{Toolchain, host_cargo, sanitise};
use crate::{abi, bindings, docs, style, test, verify};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only the checks, not `cargo xtask test`.
    #[arg(long)]
    skip_test: bool,
    #[command(flatten)]
    test: test::Args,
}

pub fn run(args: &Args) -> Result<()> {
    // At once, rather than bit by bit in between.
    setup::everything()?;
    let mut legs = Legs::default().only(args.test.only.as_deref());
    legs.check("format of the Rust sources", style::rust);
    legs.check("format of the C sources", style::c);
    legs.check("licence lines", style::licence);
    legs.check("clippy", clippy);
    legs.run("clippy, firmware", firmware_clippy);
    legs.run("oldest compiler", oldest_compiler);
    docs::add(&mut legs);
    legs.check("bindings", || {
        bindings::run(&bindings::Args { check: true })
    });
    legs.check("ABI headers", || {
        setup::require(&[Need::XenHeaders])?;
        abi::run(&abi::Args {
            official: OFFICIAL_HEADERS.into(),
        })
    });
    if !args.skip_test {
        verify::add(&mut legs, &verify::Args::default())?;
        test::add(&mut legs, &args.test);
    }
    if !args.test.skip_xen {
        let x86 = MachineArgs {
            xen: Hypervisor::X86_64(Version::V4_17),
            ..args.test.machine.clone()
        };
        for machine in [&args.test.machine, &x86] {
            legs.check(&format!("simulator and {} agree", machine.name()), || {
                diff::run(&conformance::Args::new(machine.clone()))
            });
        }
    }
    legs.finish()
}

/// Warnings in C are errors here too.
fn clippy() -> Result<()> {
    let mut cargo = host_cargo("clippy");
    cargo
        .args(["--workspace", "--all-targets", "--features", "sim"])
        .env("XEN_GUEST_CI", "1");
    deny_warnings(&mut cargo)?;
    let mut cargo = host_cargo("clippy");
    cargo
        .current_dir(process::workspace().join(style::OUTSIDE))
        .arg("--target-dir")
        .arg(process::target_folder("outside")?);
    deny_warnings(&mut cargo)
}

/// What firmware is built for.
const BARE_METAL: [&str; 2] = ["aarch64-unknown-none", "x86_64-unknown-none"];

fn firmware_clippy(tally: &mut Tally) -> Result<()> {
    for target in BARE_METAL {
        let toolchain = Toolchain::for_target(target)?;
        if !toolchain.has_clippy() {
            println!("not done: there is no clippy for {}", toolchain.origin());
            continue;
        }
        for folder in style::FIRMWARE {
            let mut cargo = toolchain.cargo("clippy");
            cargo
                .current_dir(process::workspace().join(folder))
                .args(["--release"]);
            tally.check(&format!("{folder}, {target}"), deny_warnings(&mut cargo));
        }
    }
    Ok(())
}

fn deny_warnings(cargo: &mut Command) -> Result<()> {
    process::run(cargo.args(["--", "-D", "warnings"]))
}

/// The library and its tests, and the firmware, with the compiler that
/// Cargo.toml promises.
fn oldest_compiler(tally: &mut Tally) -> Result<()> {
    const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");
    let rustup = |args: &[&str]| {
        let mut rustup = Command::new("rustup");
        sanitise(&mut rustup);
        rustup.args(args);
        rustup
    };
    let check = |folder: &str, args: &[&str]| -> Result<()> {
        let mut cargo = rustup(&["run", OLDEST, "cargo", "check"]);
        cargo
            .current_dir(process::workspace().join(folder))
            .args(args)
            .arg("--target-dir")
            .arg(process::target_folder("oldest-compiler")?);
        process::run(&mut cargo)
    };
    let mut install = rustup(&["toolchain", "install", OLDEST, "--profile", "minimal"]);
    if process::find_program("rustup").is_none() || process::output(&mut install).is_err() {
        println!("not done: rustup cannot bring Rust {OLDEST}");
        return Ok(());
    }
    tally.check(OLDEST, check("", &["--features", "sim", "--all-targets"]));
    for target in BARE_METAL {
        let mut add = rustup(&["target", "add", "--toolchain", OLDEST, target]);
        if process::output(&mut add).is_err() {
            println!("not done: rustup cannot bring {target} for Rust {OLDEST}");
            continue;
        }
        let checked = check("examples/firmware", &["--target", target]);
        tally.check(&format!("{OLDEST}, {target}"), checked);
    }
    Ok(())
}
