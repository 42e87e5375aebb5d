// SPDX-License-Identifier: MIT OR Apache-2.0
//! Child processes: one place that prints, runs and checks commands.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
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

/// The folder of the workspace, which holds `target/`.
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// A folder below `target/`, created if need be.
pub fn target_folder(name: &str) -> Result<PathBuf> {
    let folder = workspace().join("target").join(name);
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot create {}", folder.display()))?;
    Ok(folder)
}

/// Where a program of this name lies in PATH.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|candidate| candidate.is_file())
}

/// What a command that reads all of its input before it writes makes of `text`.
pub fn filter(command: &mut Command, text: &str) -> Result<String> {
    announce(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))?;
    let mut stdin = child.stdin.take().context("a child has no input")?;
    stdin.write_all(text.as_bytes())?;
    drop(stdin);
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("{}: {}", output.status, display(command));
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The command as a person would type it, environment changes included.
pub fn display(command: &Command) -> String {
    line(command, true)
}

/// The same for errors: without the variables that are taken away, of which
/// the outer cargo brings twenty.
fn brief(command: &Command) -> String {
    line(command, false)
}

fn line(command: &Command, whole: bool) -> String {
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
    // In this order a shell takes the line as it is: `env -u A -u B C=1 program`.
    let (set, unset): (Vec<_>, Vec<_>) = command.get_envs().partition(|(_, v)| v.is_some());
    if whole && !unset.is_empty() {
        words.push("env".into());
        words.extend(unset.iter().map(|(key, _)| format!("-u {}", key.display())));
    }
    for (key, value) in set {
        let value = value.map(quote).unwrap_or_default();
        words.push(format!("{}={value}", key.to_string_lossy()));
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
        .with_context(|| format!("cannot start: {}", brief(command)))?;
    if !status.success() {
        bail!("{status}: {}", brief(command));
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
        .with_context(|| format!("cannot start: {}", brief(command)))?;
    if !output.status.success() {
        bail!(
            "{}: {}\n{}",
            output.status,
            brief(command),
            String::from_utf8_lossy(&output.stderr).trim_end()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Run to the end, handing on each line of standard output as it comes.
pub fn lines(command: &mut Command, mut see: impl FnMut(&str)) -> Result<ExitStatus> {
    announce(command);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start: {}", brief(command)))?;
    if let Some(stdout) = child.stdout.take() {
        let mut reader = BufReader::new(stdout);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes)? > 0 {
            see(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']));
            bytes.clear();
        }
    }
    Ok(child.wait()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_quotes_only_what_needs_it() {
        let mut command = Command::new("qemu-system-aarch64");
        command.args([
            "-M",
            "virt,gic-version=3",
            "-append",
            "a b",
            "",
            "it's",
            "$HOME",
        ]);
        assert_eq!(
            display(&command),
            r"qemu-system-aarch64 -M virt,gic-version=3 -append 'a b' '' 'it'\''s' '$HOME'"
        );
    }

    #[test]
    fn display_shows_environment_and_folder() {
        let mut command = Command::new("cargo");
        command
            .env("A", "x y")
            .env_remove("RUSTC")
            .current_dir("/tmp");
        assert_eq!(display(&command), "cd /tmp && env -u RUSTC A='x y' cargo");
        assert_eq!(brief(&command), "cd /tmp && A='x y' cargo");
    }

    #[test]
    fn lines_come_one_by_one_with_the_exit_status() {
        let mut seen = Vec::new();
        let status = lines(
            Command::new("sh").args(["-c", r"printf 'a\n\nb'; exit 3"]),
            |line| seen.push(line.to_owned()),
        );
        assert_eq!(status.ok().and_then(|status| status.code()), Some(3));
        assert_eq!(seen, ["a", "", "b"]);
    }

    #[test]
    fn a_failing_command_is_an_error_that_names_it() {
        let error = output(Command::new("sh").args(["-c", "echo reason >&2; exit 3"]));
        let message = error.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(message.contains("exit 3"), "{message}");
        assert!(message.contains("reason"), "{message}");
    }
}
