// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C core, the crate and the simulator under the sanitizers, driven by
//! the same tests.
//!
//! rustc brings the sanitizers' run-time libraries, for its stable releases
//! too, and these serve the C core as well. The switch is not stable: hence
//! RUSTC_BOOTSTRAP, for these builds only.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::c_tests;
use crate::cargo_test::{self, Scenarios};
use crate::legs::Tally;
use crate::process;
use crate::setup::{self, Need};
use crate::toolchain::{host_cargo, sanitise};

/// Rounds of the example: enough to interleave, few enough to be quick.
const ROUNDS: &str = "2000";

/// Each mistake of xtask/planted that has to be found, by its number there.
const MISTAKES: [(&str, &str, &str); 4] = [
    ("1", "heap-buffer-overflow", "an overflow in C"),
    ("2", "signed integer overflow", "undefined behaviour in C"),
    ("3", LEAK, "a leak in C"),
    ("4", "heap-buffer-overflow", "an overflow in Rust"),
];

/// How LeakSanitizer's reports start.
const LEAK: &str = "detected memory leaks";

/// A way to build with sanitizers.
#[derive(Clone, Debug)]
struct Build {
    /// rustc's name of it.
    sanitizer: &'static str,
    /// The host's target triple: naming it keeps build scripts out of it.
    target: String,
    cflags: Vec<&'static str>,
}

impl Build {
    fn new(sanitizer: &'static str, cflags: &[&'static str]) -> Result<Self> {
        setup::require(&[Need::Clang])?;
        let mut rustc = Command::new("rustc");
        sanitise(&mut rustc);
        let version = process::output(rustc.arg("-vV"))?;
        let target = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("rustc does not say what it runs on")?;
        let mut cflags = cflags.to_vec();
        cflags.push("-fno-omit-frame-pointer");
        Ok(Build {
            sanitizer,
            target: target.to_owned(),
            cflags,
        })
    }

    fn flag(&self) -> String {
        format!("-Zsanitizer={}", self.sanitizer)
    }

    /// Of its own: a sanitized build shares nothing with others.
    fn target_dir(&self) -> Result<PathBuf> {
        process::target_folder(&format!("sanitize-{}", self.sanitizer))
    }

    fn cargo(&self, subcommand: &str) -> Result<Command> {
        let mut cargo = self.cargo_for(subcommand, "xen-guest")?;
        cargo.args(["--features", "sim"]);
        Ok(cargo)
    }

    fn cargo_for(&self, subcommand: &str, package: &str) -> Result<Command> {
        let variable = self.target.replace('-', "_");
        let mut cargo = host_cargo(subcommand);
        cargo
            .args(["--package", package])
            .args(["--target", &self.target])
            .arg("--target-dir")
            .arg(self.target_dir()?)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", self.flag())
            .env(format!("CC_{variable}"), "clang")
            .env(format!("CFLAGS_{variable}"), self.cflags.join(" "))
            .env("XEN_GUEST_CI", "1");
        Ok(cargo)
    }

    /// Compile the program of planted mistakes the same way.
    fn planted(&self, folder: &Path) -> Result<PathBuf> {
        let sources = process::workspace().join("xtask/planted");
        let (object, program) = (folder.join("bugs.o"), folder.join("planted"));
        process::output(
            Command::new("clang")
                .args(["-std=c11", "-g", "-c"])
                .args(&self.cflags)
                .arg(sources.join("bugs.c"))
                .arg("-o")
                .arg(&object),
        )?;
        let mut rustc = Command::new("rustc");
        sanitise(&mut rustc);
        process::output(
            rustc
                .env("RUSTC_BOOTSTRAP", "1")
                .args(["--edition", "2024", "-g", &self.flag()])
                .arg(format!("-Clink-arg={}", object.display()))
                .arg(sources.join("main.rs"))
                .arg("-o")
                .arg(&program),
        )?;
        Ok(program)
    }
}

/// What makes clang find mistakes of memory and undefined behaviour.
const ADDRESS: [&str; 2] = [
    "-fsanitize=address,undefined",
    "-fno-sanitize-recover=undefined",
];

/// What a C program needs that uses the simulator under these sanitizers.
#[derive(Debug)]
pub struct Simulator {
    pub library: PathBuf,
    pub cflags: Vec<&'static str>,
    /// The sanitizers' own library: Rust's, as clang's may not be installed.
    pub runtime: PathBuf,
}

/// Build the simulator's static library so.
pub fn simulator() -> Result<Simulator> {
    let build = Build::new("address", &ADDRESS)?;
    process::run(build.cargo_for("build", c_tests::PACKAGE)?.arg("--quiet"))?;
    let folder = build.target_dir()?.join(&build.target).join("debug");
    let libraries = sysroot()?.join(format!("lib/rustlib/{}/lib", build.target));
    let runtime = std::fs::read_dir(&libraries)
        .with_context(|| format!("cannot list {}", libraries.display()))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.to_string_lossy().ends_with("_rt.asan.a"))
        .with_context(|| format!("no address sanitizer in {}", libraries.display()))?;
    Ok(Simulator {
        library: folder.join(c_tests::LIBRARY),
        cflags: build.cflags,
        runtime,
    })
}

/// Where the compiler's libraries are.
fn sysroot() -> Result<PathBuf> {
    let mut rustc = Command::new("rustc");
    sanitise(&mut rustc);
    let sysroot = process::output(rustc.args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(sysroot.trim()))
}

/// AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer: first on
/// planted mistakes, then on the tests and the example.
pub fn address(tally: &mut Tally) -> Result<Scenarios> {
    let build = Build::new("address", &ADDRESS)?;
    let folder = tempfile::tempdir()?;
    let program = build.planted(folder.path())?;
    let leaks = finds_mistakes(&program, tally)?;

    // Some tests leak on purpose, for values that live for ever.
    let mut cargo = build.cargo("test")?;
    cargo
        .args(["--lib", "--tests"])
        .env("ASAN_OPTIONS", "detect_leaks=0");
    let summary = cargo_test::run(&mut cargo)?;
    *tally += summary.tests;
    *tally += summary.scenarios.tally();

    // These give everything back.
    let options = format!("detect_leaks={}", u8::from(leaks));
    let mut cargo = build.cargo("test")?;
    cargo.args(["--quiet", "--test", "conformance"]);
    tally.check(
        "no leaks in the scenarios",
        process::output(cargo.env("ASAN_OPTIONS", &options)).map(drop),
    );
    let mut cargo = build.cargo("run")?;
    cargo.args(["--example", "share_page", "--", ROUNDS]);
    tally.check(
        "the example under the address sanitizer",
        process::run(cargo.env("ASAN_OPTIONS", &options)),
    );
    summary.scenarios.told()
}

/// Check that each planted mistake is found. Whether leaks can be looked for:
/// LeakSanitizer stops every thread with ptrace, which some containers forbid.
fn finds_mistakes(program: &Path, tally: &mut Tally) -> Result<bool> {
    let run = |mistake: &str, leaks: bool| -> Result<(bool, String)> {
        let mut command = Command::new(program);
        command
            .arg(mistake)
            .env("ASAN_OPTIONS", format!("detect_leaks={}", u8::from(leaks)));
        process::announce(&command);
        let output = command.output()?;
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.success(), text))
    };
    let (clean, text) = run("0", true)?;
    let leaks = !text.contains("LeakSanitizer has encountered a fatal error");
    if !leaks {
        println!("leaks are not looked for: LeakSanitizer may not trace this process");
    } else if !clean {
        bail!("a program without mistakes is complained about:\n{text}");
    }
    for (mistake, report, what) in MISTAKES {
        if report == LEAK && !leaks {
            continue;
        }
        let (clean, text) = run(mistake, leaks)?;
        if clean || !text.contains(report) {
            bail!("{what} was planted and not found:\n{text}");
        }
        println!("found as it should be: {what}");
        tally.passed += 1;
    }
    Ok(leaks)
}

/// The tests in which threads of one guest meet.
const RACING: [&str; 6] = [
    "guest_memory_types",
    "ioreq_states",
    "model_handlers",
    "stress_events",
    "stress_grants",
    "stress_refs",
];

/// ThreadSanitizer on the tests of races inside the guest. False if it cannot
/// be had.
pub fn races(tally: &mut Tally) -> Result<bool> {
    if !library_sources()? {
        println!("not done: needs the sources of std (`rustup component add rust-src`)");
        return Ok(false);
    }
    let mut cargo = Build::new("thread", &["-fsanitize=thread"])?.cargo("test")?;
    cargo.arg("-Zbuild-std");
    for test in RACING {
        cargo.args(["--test", test]);
    }
    let summary = cargo_test::run(&mut cargo)?;
    *tally += summary.tests;
    Ok(true)
}

/// ThreadSanitizer on the scenarios with asynchronous delivery, or none where
/// it cannot be had. It tells addresses apart, not memory: races between two
/// domains over a page that both have mapped are out of its sight.
pub fn thread(tally: &mut Tally) -> Result<Option<Scenarios>> {
    // std has to be instrumented too, or its locks would not count.
    if !library_sources()? {
        println!("not done: needs the sources of std (`rustup component add rust-src`)");
        return Ok(None);
    }
    let build = Build::new("thread", &["-fsanitize=thread"])?;
    let mut cargo = build.cargo("test")?;
    cargo.args(["-Zbuild-std", "--test", "conformance"]);
    let summary = cargo_test::run(&mut cargo)?;
    *tally += summary.tests;
    *tally += summary.scenarios.tally();

    let mut cargo = build.cargo("run")?;
    cargo.args(["-Zbuild-std", "--example", "share_page", "--", ROUNDS]);
    tally.check(
        "the example under the thread sanitizer",
        process::run(&mut cargo),
    );
    summary.scenarios.told().map(Some)
}

/// Whether the compiler's library comes with its sources; rustup may try.
fn library_sources() -> Result<bool> {
    let std = sysroot()?.join("lib/rustlib/src/rust/library/std");
    if !std.is_dir() && process::find_program("rustup").is_some() {
        let mut rustup = Command::new("rustup");
        sanitise(&mut rustup);
        // Failing is fine: the answer is then no.
        let _ = process::output(rustup.args(["component", "add", "rust-src"]));
    }
    Ok(std.is_dir())
}
