// SPDX-License-Identifier: MIT OR Apache-2.0
//! Set-up, tests, the real-Xen rig and the generators of xen-guest.

mod abi;
mod bindings;
mod c_core;
mod c_tests;
mod cargo_test;
mod ci;
mod counts;
mod debian;
mod demo;
mod docs;
mod legs;
mod package;
mod process;
mod qemu;
mod report;
mod sanitize;
mod setup;
mod sim_header;
mod sizes;
mod style;
mod test;
mod timeline;
mod toolchain;
mod verify;
mod xen;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about)]
struct Cli {
    /// Print every command before it runs.
    #[arg(short, long, global = true, display_order = 1000)]
    verbose: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Install what the other commands need; safe to repeat.
    Setup(setup::Args),
    /// Show two simulated domains share a page and exchange events.
    Demo(demo::Args),
    /// Draw a timeline of the simulator's for the guide.
    TraceImage(timeline::Args),
    /// Run every test there is, on the simulator and on real Xen.
    Test(test::Args),
    /// Run the tests in C on the simulator.
    CTests(c_tests::Args),
    /// Check format, lints, docs and generated files, and run every test.
    Ci(ci::Args),
    /// Test what others get: the published crate and the installed C library.
    PackageTest,
    /// Build the library for a bare-metal target.
    Build(toolchain::BuildArgs),
    /// Compare the ABI headers with Xen's official ones.
    Abi(abi::Args),
    /// Write the Rust bindings of the C headers, or check that they are fresh.
    Bindings(bindings::Args),
    /// Build the documentation, and check links and names in it.
    Docs,
    /// Search every state of the models of the core's protocols.
    Verify(verify::Args),
    /// Count instructions, on the host and on real Xen.
    Counts(counts::Args),
    /// Measure the core's code and memory on arm64.
    Sizes,
    /// Run all measurements and put them on one page, with charts; takes
    /// minutes.
    Report(report::Args),
    /// Run firmware on the real Xen hypervisor under QEMU.
    Qemu(qemu::Args),
    /// Build the hypervisor itself.
    Xen(xen::Args),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    process::set_verbose(cli.verbose);
    match run(&cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<legs::Failed>() => ExitCode::FAILURE,
        // Not the `Debug` form, whose backtrace would push the cause away.
        Err(error) => {
            let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
            eprintln!("error: {}", causes.join("\n  because: "));
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<()> {
    match command {
        Command::Setup(args) => setup::run(args),
        Command::Demo(args) => demo::run(args),
        Command::TraceImage(args) => timeline::run(args),
        Command::Test(args) => test::run(args),
        Command::CTests(args) => c_tests::run(args),
        Command::Ci(args) => ci::run(args),
        Command::PackageTest => package::run(),
        Command::Build(args) => toolchain::build(args),
        Command::Abi(args) => abi::run(args),
        Command::Bindings(args) => bindings::run(args),
        Command::Docs => docs::run(),
        Command::Verify(args) => verify::run(args),
        Command::Counts(args) => counts::run(args),
        Command::Sizes => sizes::run(),
        Command::Report(args) => report::run(args),
        Command::Qemu(args) => qemu::run(args),
        Command::Xen(args) => xen::run(args),
    }
}

/// Is this a command line of ours, as a person types it?
fn parses(line: &str) -> Result<()> {
    let words = line.split_whitespace().skip_while(|word| *word != "xtask");
    match Cli::try_parse_from(words) {
        Ok(_) => Ok(()),
        // Help and version come as errors, too.
        Err(error) if !error.use_stderr() => Ok(()),
        Err(error) => anyhow::bail!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
