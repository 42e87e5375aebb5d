// SPDX-License-Identifier: MIT OR Apache-2.0
//! The QEMU process: watched line by line, never outliving the run.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::console::{Line, Source, Splitter};
use crate::process;

/// What happened next on the console.
#[derive(Debug)]
pub enum Event {
    Line(Line),
    /// The deadline passed.
    Timeout,
    /// The process closed its output, so nothing more will come.
    Exited(ExitStatus),
}

#[derive(Debug)]
pub struct Emulator {
    child: Child,
    lines: Receiver<Line>,
}

impl Emulator {
    /// Start a command that has the machine's serial line on its standard
    /// output.
    pub fn start(mut command: Command) -> Result<Self> {
        process::announce(&command);
        tie_to_parent(&mut command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start: {}", process::display(&command)))?;
        let (sender, lines) = mpsc::channel();
        if let Some(console) = child.stdout.take() {
            let sender = sender.clone();
            thread::spawn(move || read_console(console, &sender));
        }
        if let Some(errors) = child.stderr.take() {
            thread::spawn(move || read_errors(errors, &sender));
        }
        Ok(Emulator { child, lines })
    }

    /// Wait for the next line, but not beyond `deadline`.
    pub fn next(&mut self, deadline: Instant) -> Result<Event> {
        let left = deadline.saturating_duration_since(Instant::now());
        // A chatty machine must not get past its deadline.
        if left == Duration::ZERO {
            return Ok(Event::Timeout);
        }
        match self.lines.recv_timeout(left) {
            Ok(line) => Ok(Event::Line(line)),
            Err(RecvTimeoutError::Timeout) => Ok(Event::Timeout),
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait().context("cannot wait for QEMU")?;
                Ok(Event::Exited(status))
            }
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Drop does not run when we are killed, and a forgotten QEMU would spin on
/// for ever. Where util-linux is installed, the kernel ends it with us.
fn tie_to_parent(command: &mut Command) {
    let Some(setpriv) = process::find_program("setpriv") else {
        return;
    };
    let mut tied = Command::new(setpriv);
    tied.args(["--pdeathsig", "KILL", "--"])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        tied.current_dir(folder);
    }
    *command = tied;
}

fn read_console(mut from: impl Read, to: &Sender<Line>) {
    let mut splitter = Splitter::default();
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        for line in splitter.push(&buffer[..count]) {
            if to.send(line).is_err() {
                return;
            }
        }
    }
    for line in splitter.finish() {
        let _ = to.send(line);
    }
}

fn read_errors(mut from: impl Read, to: &Sender<Line>) {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    for text in String::from_utf8_lossy(&bytes).lines() {
        let _ = to.send(Line {
            source: Source::Qemu,
            text: text.to_owned(),
        });
    }
}
