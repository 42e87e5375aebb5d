// SPDX-License-Identifier: MIT OR Apache-2.0
//! Child processes: one place that prints, runs and checks commands.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};

static VERBOSE: AtomicBool = AtomicBool::new(false);

/// Print every command from now on.
pub fn set_verbose(on: bool) {
    VERBOSE.store(on, Ordering::Relaxed);
}

/// Whether commands are printed.
pub fn verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// The command as a person would type it, environment changes included.
pub fn display(command: &Command) -> String {
    let quote = |s: &OsStr| {
        let s = s.to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
        if !s.is_empty() && s.chars().all(plain) {
            s.into_owned()
        } else {
            format!("'{}'", s.replace('\'', r"'\''"))
        }
    };
    let mut words: Vec<String> = Vec::new();
    if let Some(dir) = command.get_current_dir() {
        words.push(format!("cd {} &&", quote(dir.as_os_str())));
    }
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => words.push(format!("{}={}", key.to_string_lossy(), quote(value))),
            None => words.push(format!("env -u {}", key.to_string_lossy())),
        }
    }
    words.push(quote(command.get_program()));
    words.extend(command.get_args().map(quote));
    words.join(" ")
}

/// Print the command under `-v`.
pub fn announce(command: &Command) {
    if verbose() {
        eprintln!("+ {}", display(command));
    }
}

/// Run to the end with inherited output; a non-zero exit is an error that
/// names the command.
pub fn run(command: &mut Command) -> Result<()> {
    announce(command);
    let status = command
        .status()
        .with_context(|| format!("cannot start: {}", display(command)))?;
    if !status.success() {
        bail!("{status}: {}", display(command));
    }
    Ok(())
}

/// Run to the end and return what it wrote to standard output; on failure the
/// error carries what it wrote to standard error.
pub fn output(command: &mut Command) -> Result<String> {
    announce(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start: {}", display(command)))?;
    if !output.status.success() {
        bail!(
            "{}: {}\n{}",
            output.status,
            display(command),
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
