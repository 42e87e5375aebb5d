// SPDX-License-Identifier: MIT OR Apache-2.0
//! One run of Xen with its guests, from the images to the verdict.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::arch::Arch;
use super::console::{Line, Source};
use super::emulator::{Emulator, Event};
use super::guest::Guest;
use super::hypervisor::Hypervisor;
use super::verdict::{Outcome, Verdict};
use super::{q35, virt};
use crate::process;

/// The lines shown when a run fails.
const TAIL: usize = 30;

/// How long to listen on after the end is known: a guest may still crash
/// after its token, and a panic message has more than one line.
const LINGER: Duration = Duration::from_millis(100);

/// Who may talk to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Any domain with any other (`xsm=dummy`).
    #[default]
    Open,
    /// Debian's default: domUs only with dom0.
    Silo,
}

/// What drives the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Each instruction takes 2^shift nanoseconds, on one CPU: the same run
    /// every time. Shift 1 has the finest counter; 4 is quicker to boot.
    Instructions { shift: u8 },
    /// Real time, with CPUs that really run at once.
    Wall { cpus: u32 },
}

impl Clock {
    /// With the open policy Xen prints a warning and then busy-waits for
    /// three seconds of its own time. In real time those are three seconds,
    /// here a fraction of one.
    pub fn usual(arch: Arch) -> Self {
        Clock::Instructions {
            shift: match arch {
                Arch::Arm64 => 4,
                // QEMU's CPU does not tell how long the instruction was that
                // made it enter Xen. Xen finds out, which takes it thousands
                // of others, and guests have limits of time.
                Arch::X86_64 => 2,
            },
        }
    }
}

#[derive(Clone, Debug)]
pub struct Machine {
    pub hypervisor: Hypervisor,
    pub policy: Policy,
    pub clock: Clock,
    /// The board's memory.
    pub memory_mib: u32,
    /// The longest a run may take, in real time.
    pub timeout: Duration,
    /// Do not print the guests' lines while they come.
    pub quiet: bool,
    pub dom0: Option<Guest>,
    /// They become domains 1, 2, ... in this order.
    pub domus: Vec<Guest>,
}

/// The record of a successful run.
#[derive(Clone, Debug)]
pub struct Run {
    pub lines: Vec<Line>,
    pub elapsed: Duration,
}

impl Machine {
    pub fn new(hypervisor: Hypervisor) -> Self {
        Machine {
            hypervisor,
            policy: Policy::default(),
            clock: Clock::usual(Arch::Arm64),
            memory_mib: 1024,
            timeout: Duration::from_secs(30),
            quiet: false,
            dom0: None,
            domus: Vec::new(),
        }
    }

    /// Boot, wait for every guest's token, stop. Anything but a clean
    /// completion is an error that shows the end of the log.
    pub fn run(&self) -> Result<Run> {
        self.run_with(|_| {})
    }

    /// [`run`](Self::run), showing each line to `see` as it comes.
    pub fn run_with(&self, see: impl FnMut(&Line)) -> Result<Run> {
        let started = Instant::now();
        if self.guests().all(|(_, guest)| guest.token.is_none()) {
            bail!("no guest has a completion token, so nothing could end the run");
        }
        let xen = self.hypervisor.image()?;
        let folder = tempfile::Builder::new()
            .prefix("run-")
            // The printed commands are there to be repeated by hand.
            .disable_cleanup(process::verbose())
            .tempdir_in(process::target_folder("qemu")?)?;
        let (command, verdict) = match self.hypervisor.arch()? {
            Arch::Arm64 => virt::boot(self, &xen, folder.path())?,
            Arch::X86_64 => q35::boot(self, &xen, folder.path())?,
        };
        let emulator = Emulator::start(command)?;
        let lines = self.watch(emulator, verdict, see)?;
        Ok(Run {
            lines,
            elapsed: started.elapsed(),
        })
    }

    /// The guests with their domain numbers.
    pub fn guests(&self) -> impl Iterator<Item = (u16, &Guest)> {
        let domus = (1..).zip(&self.domus);
        self.dom0.iter().map(|dom0| (0, dom0)).chain(domus)
    }

    /// Xen's command line, with what the board has for `console`.
    pub fn xen_bootargs(&self, console: &str, dom0: Option<&Guest>) -> String {
        let mut words = vec![
            console.to_owned(),
            "bootscrub=0 noreboot loglvl=all guest_loglvl=all".to_owned(),
        ];
        words.push(match self.policy {
            Policy::Open => "xsm=dummy".to_owned(),
            Policy::Silo => "xsm=silo".to_owned(),
        });
        if let Some(dom0) = dom0 {
            words.push(format!("dom0_mem={}K", dom0.memory_kib));
            words.push(format!("dom0_max_vcpus={}", dom0.cpus));
        }
        words.join(" ")
    }

    /// QEMU with what no board differs in.
    pub fn qemu(&self, program: &str) -> Command {
        let cpus = match self.clock {
            Clock::Instructions { .. } => 1,
            Clock::Wall { cpus } => cpus.max(1),
        };
        let mut command = Command::new(program);
        // No default devices: the network card would want a boot ROM.
        command
            .args(["-nodefaults", "-display", "none"])
            .args(["-smp", &cpus.to_string()])
            .args(["-m", &self.memory_mib.to_string()]);
        command
    }

    /// What a run needs beside the board.
    pub fn run_options(&self, command: &mut Command) {
        // Should Xen reboot the machine, the run must end, not start over.
        command.args(["-serial", "stdio", "-no-reboot"]);
        if let Clock::Instructions { shift } = self.clock {
            // While every CPU waits, time may jump to the next timer.
            command
                .arg("-icount")
                .arg(format!("shift={shift},sleep=off"));
        }
    }

    fn watch(
        &self,
        mut emulator: Emulator,
        mut verdict: Verdict,
        mut see: impl FnMut(&Line),
    ) -> Result<Vec<Line>> {
        let mut lines: Vec<Line> = Vec::new();
        let mut deadline = Instant::now() + self.timeout;
        let mut ending = false;
        let end = loop {
            match emulator.next(deadline)? {
                Event::Line(line) => {
                    self.print(&line);
                    see(&line);
                    verdict.see(&line);
                    lines.push(line);
                }
                Event::Timeout if ending => break "Xen halted the machine".to_owned(),
                Event::Timeout => break format!("nothing ended the run within {:?}", self.timeout),
                Event::Exited(status) => break format!("QEMU ended by itself ({status})"),
            }
            if !ending && (verdict.outcome() != Outcome::Running || verdict.halted()) {
                ending = true;
                deadline = deadline.min(Instant::now() + LINGER);
            }
        };
        let why = match verdict.outcome() {
            Outcome::Complete => return Ok(lines),
            Outcome::Failed(why) => why,
            Outcome::Running => format!("{end}; {}", verdict.missing()),
        };
        let tail: Vec<String> = lines
            .iter()
            .skip(lines.len().saturating_sub(TAIL))
            .map(|line| format!("\n  {line}"))
            .collect();
        let notes: Vec<String> = verdict.notes().iter().map(|n| format!("\n{n}")).collect();
        bail!(
            "{why}{}\nthe last {} of {} lines:{}",
            notes.concat(),
            tail.len(),
            lines.len(),
            tail.concat()
        )
    }

    /// Guests' lines always, Xen's under `-v`.
    fn print(&self, line: &Line) {
        if !self.quiet && (line.source != Source::Xen || process::verbose()) {
            println!("{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell script in QEMU's place, and a guest with the token `done`.
    fn watch(script: &str, timeout: Duration) -> Result<Vec<Line>> {
        let mut machine = Machine::new(Hypervisor::V4_17);
        machine.timeout = timeout;
        machine.quiet = true;
        let guest = Guest::domu("guest", "/nowhere").token("done");
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let emulator = Emulator::start(command)?;
        machine.watch(emulator, Verdict::new([(1, &guest)]), |_| {})
    }

    fn failure(script: &str, timeout: Duration) -> String {
        match watch(script, timeout) {
            Ok(_) => panic!("`{script}` must not count as success"),
            Err(error) => error.to_string(),
        }
    }

    const LONG: Duration = Duration::from_secs(20);
    const SHORT: Duration = Duration::from_millis(300);

    #[test]
    fn a_token_ends_the_run_at_once() -> Result<()> {
        let started = Instant::now();
        let lines = watch("echo '(XEN) DOM1: done'; exec sleep 15", LONG)?;
        assert_eq!(lines.len(), 1);
        assert!(started.elapsed() < Duration::from_secs(5));
        Ok(())
    }

    #[test]
    fn an_early_end_fails() {
        let error = failure("echo '(XEN) DOM1: hello'; echo oops >&2; exit 3", LONG);
        assert!(error.contains("QEMU ended by itself"), "{error}");
        assert!(error.contains("dom1 (guest) did not print"), "{error}");
        assert!(error.contains("dom1 | hello"), "{error}");
        assert!(error.contains("qemu | oops"), "{error}");
    }

    #[test]
    fn a_hang_fails_quietly_or_chatting() {
        for script in ["exec sleep 15", "while :; do echo '(XEN) DOM1: tick'; done"] {
            let error = failure(script, SHORT);
            assert!(error.contains("nothing ended the run"), "{error}");
        }
    }

    #[test]
    fn a_crash_right_after_the_token_fails() {
        let error = failure(
            "echo '(XEN) DOM1: done'; echo '(XEN) Panic on CPU 0:'; exec sleep 15",
            LONG,
        );
        assert!(error.contains("Panic on CPU 0"), "{error}");
    }

    #[test]
    fn a_halted_machine_does_not_wait_for_the_deadline() {
        let started = Instant::now();
        let error = failure(
            "echo '(XEN) Hardware Dom0 halted: halting machine'; exec sleep 15",
            LONG,
        );
        assert!(error.contains("Xen halted the machine"), "{error}");
        assert!(error.contains("dom0 powered the machine off"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn xens_command_line_follows_the_settings() {
        let mut machine = Machine::new(Hypervisor::V4_17);
        let bootargs = machine.xen_bootargs("console=com1", None);
        assert!(bootargs.starts_with("console=com1 "), "{bootargs}");
        assert!(bootargs.ends_with("xsm=dummy"), "{bootargs}");
        machine.policy = Policy::Silo;
        let bootargs = machine.xen_bootargs("", Some(&Guest::dom0("/nowhere")));
        assert!(bootargs.contains("xsm=silo dom0_mem=65536K"), "{bootargs}");
    }
}
