// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask demo`: the exchange of two domains, on the simulator.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::process;
use crate::toolchain;

/// Enough to look at, and not too much for a viewer.
const TRACED_ROUNDS: u32 = 100;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many messages to send [default: 10000, with --trace 100].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rounds: Option<u32>,
    /// Write the timeline here, as JSON that ui.perfetto.dev and
    /// chrome://tracing open.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Needs no set-up: whoever could build this has Rust and, as its linker, a
/// C compiler.
pub fn run(args: &Args) -> Result<()> {
    let mut cargo = match &args.trace {
        Some(file) => traced(args.rounds.unwrap_or(TRACED_ROUNDS), file)?,
        None => {
            let mut cargo = example();
            cargo.args(args.rounds.map(|rounds| rounds.to_string()));
            cargo
        }
    };
    process::run(&mut cargo)?;
    println!("the same on the real Xen hypervisor, in QEMU: cargo xtask qemu run share_page");
    Ok(())
}

fn example() -> Command {
    let mut cargo = toolchain::host_cargo("run");
    cargo
        .args(["--release", "--features", "sim"])
        .args(["--example", "share_page", "--"]);
    cargo
}

/// The demo, with its timeline written to a file.
pub fn traced(rounds: u32, file: &Path) -> Result<Command> {
    // The demo runs in another folder.
    let file =
        std::path::absolute(file).with_context(|| format!("no such place: {}", file.display()))?;
    let mut cargo = example();
    cargo.arg(rounds.to_string()).arg(file);
    Ok(cargo)
}
