// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tests in C, tests/c, which use the simulator as a C project would: with
//! `sim.h` and the static library.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::c_core::{WARNINGS, ours, sources};
use crate::legs::{Legs, Tally};
use crate::process;
use crate::sanitize;
use crate::setup::{self, Need};
use crate::toolchain::host_cargo;

/// What the Rust in the library uses of the system.
const LIBRARIES: [&str; 3] = ["-lpthread", "-ldl", "-lm"];

/// The package of the static library, and the library.
pub const PACKAGE: &str = "xen-guest-simulator";
pub const LIBRARY: &str = "libxen_guest_sim.a";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these suites: events, grants, ...
    suites: Vec<String>,
    /// With the address and undefined-behaviour sanitizers.
    #[arg(long)]
    sanitize: bool,
}

/// `cargo xtask c-tests`
pub fn run(args: &Args) -> Result<()> {
    let mut legs = Legs::default();
    legs.run("tests in C", |tally| {
        if args.sanitize {
            sanitized(&args.suites, tally)
        } else {
            plain(&args.suites, tally)
        }
    });
    legs.finish()
}

/// With every compiler, and the example.
pub fn plain(suites: &[String], tally: &mut Tally) -> Result<()> {
    setup::require(&[Need::Clang, Need::Gcc])?;
    let target = process::workspace().join("target");
    let mut cargo = host_cargo("build");
    cargo
        .args(["--quiet", "--package", PACKAGE])
        .arg("--target-dir")
        .arg(&target)
        .env_remove("XEN_PUBLIC_HEADERS")
        .env("XEN_GUEST_CI", "1");
    process::run(&mut cargo)?;
    let library = target.join("debug").join(LIBRARY);
    let folder = tempfile::tempdir()?;
    for compiler in ["clang", "gcc"] {
        let compiler = Compiler {
            program: compiler,
            flags: &[],
            library: &library,
            runtime: None,
            folder: folder.path(),
        };
        compiler.tests(suites, tally)?;
        let example = ["two_domains", "offer"]
            .map(|name| process::workspace().join(format!("examples/c/{name}.c")));
        tally.check(
            &format!("{}: examples/c/two_domains", compiler.program),
            compiler
                .build("two_domains", &example)
                .and_then(|program| process::output(&mut Command::new(program)))
                .map(drop),
        );
    }
    Ok(())
}

/// Under the sanitizers, the library and the simulator included.
pub fn sanitized(suites: &[String], tally: &mut Tally) -> Result<()> {
    let simulator = sanitize::simulator()?;
    let folder = tempfile::tempdir()?;
    Compiler {
        program: "clang",
        flags: &simulator.cflags,
        library: &simulator.library,
        runtime: Some(&simulator.runtime),
        folder: folder.path(),
    }
    .tests(suites, tally)
}

/// Check that the sanitizers are in a test program. Whether they can look for
/// leaks: for that all threads are traced, which some containers forbid.
fn finds_mistakes(program: &Path) -> Result<bool> {
    let run = |mistake: &str| -> Result<(bool, String)> {
        let mut command = Command::new(program);
        command.arg(mistake).env("ASAN_OPTIONS", "detect_leaks=1");
        process::announce(&command);
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.success(), text))
    };
    let (clean, text) = run("overflow")?;
    if clean || !text.contains("heap-buffer-overflow") {
        bail!("an overflow was planted and not found:\n{text}");
    }
    let (clean, text) = run("leak")?;
    if text.contains("LeakSanitizer has encountered a fatal error") {
        println!("leaks are not looked for: LeakSanitizer may not trace this process");
        return Ok(false);
    }
    if clean || !text.contains("detected memory leaks") {
        bail!("a leak was planted and not found:\n{text}");
    }
    Ok(true)
}

/// How C programs are made.
struct Compiler<'a> {
    program: &'static str,
    flags: &'a [&'static str],
    library: &'a Path,
    /// The sanitizers'.
    runtime: Option<&'a Path>,
    folder: &'a Path,
}

impl Compiler<'_> {
    fn build(&self, name: &str, sources: &[PathBuf]) -> Result<PathBuf> {
        let objects = self.folder.join(format!("{name}-{}.o", self.program));
        let program = objects.with_extension("");
        std::fs::create_dir(&objects)?;
        let mut compile = Command::new(self.program);
        compile
            .current_dir(&objects)
            .args(["-std=c11", "-g", "-c"])
            .args(WARNINGS)
            .args(self.flags)
            .arg("-I")
            .arg(process::workspace().join("include"))
            .args(ours())
            .args(sources);
        process::output(&mut compile)?;
        let mut link = Command::new(self.program);
        for object in std::fs::read_dir(&objects)? {
            link.arg(object?.path());
        }
        link.arg(self.library);
        if let Some(runtime) = self.runtime {
            link.arg("-Wl,--whole-archive")
                .arg(runtime)
                .args(["-Wl,--no-whole-archive", "-Wl,--export-dynamic"]);
        }
        link.args(LIBRARIES).arg("-o").arg(&program);
        process::output(&mut link)?;
        Ok(program)
    }

    /// Compile the tests, run them, and count.
    fn tests(&self, suites: &[String], tally: &mut Tally) -> Result<()> {
        let program = self.build("tests", &sources("tests/c")?)?;
        let leaks = match self.runtime {
            Some(_) => finds_mistakes(&program)?,
            None => false,
        };
        let mut command = Command::new(program);
        command
            .args(suites)
            .env("ASAN_OPTIONS", format!("detect_leaks={}", u8::from(leaks)))
            .env("UBSAN_OPTIONS", "print_stacktrace=1")
            .env("RUST_BACKTRACE", "0");
        process::announce(&command);
        let output = command
            .output()
            .with_context(|| format!("cannot start: {}", process::display(&command)))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let count = summary(&text);
        if count.is_none_or(|count| count.failed > 0) || !output.status.success() {
            print!("{text}{}", String::from_utf8_lossy(&output.stderr));
        }
        match count {
            Some(count) if output.status.success() == (count.failed == 0) => {
                println!("{}: {count}", self.program);
                *tally += count;
                Ok(())
            }
            _ => bail!("{}: {}", output.status, process::display(&command)),
        }
    }
}

/// The last line, `12 passed, 3 failed`.
fn summary(output: &str) -> Option<Tally> {
    let (passed, failed) = output.lines().last()?.split_once(" passed, ")?;
    Some(Tally {
        passed: passed.parse().ok()?,
        failed: failed.strip_suffix(" failed")?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_last_line_counts() {
        let tally = summary("FAILED x\n12 passed, 3 failed\n");
        assert_eq!(
            tally.map(|t| t.to_string()).as_deref(),
            Some("12 passed, 3 failed")
        );
        assert!(summary("12 passed, 3 failed\nSegmentation fault").is_none());
        assert!(summary("").is_none());
    }
}
