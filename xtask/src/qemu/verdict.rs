// SPDX-License-Identifier: MIT OR Apache-2.0
//! Decides from the console whether a run went well.
//!
//! Success needs proof: every expected token from the guest it belongs to.
//! A crash of a guest is silent in Debian's Xen (a release build), so silence
//! never counts as success.

use super::console::{Line, Source};
use super::guest::{DOM0_IMAGE_BASE, DOMU_IMAGE_BASE, Guest};

/// Whether a guest says that it failed: our firmware's panic and exception
/// handlers, Rust's usual panic message, or a test run's last line.
fn admits_failure(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("panic:")
        || text.contains("panicked at ")
        || (text.starts_with("xen-guest: ") && text.ends_with(": failed"))
}

/// What Xen prints when it, or a guest, is beyond help.
const XEN_FAILURES: &[&str] = &[
    "Panic on CPU",
    "Xen BUG",
    "Xen WARN",
    "Assertion '",
    "Xen call trace",
    "Hypervisor Trap",
    "Data Abort Trap",
    "Instruction Abort Trap",
    "CPU0: Unexpected Trap",
    "domain_crash called",
    "crashed on cpu",
    "Triple fault",
    "Hardware Dom0 crashed",
    "Hardware Dom0 shutdown: watchdog",
    "Could not set up DOM0",
    "Could not construct domain",
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Running,
    /// Every expected token was seen.
    Complete,
    Failed(String),
}

/// A token that is still to come.
#[derive(Clone, Debug)]
struct Pending {
    source: Source,
    name: String,
    token: String,
}

/// What Xen should say about a guest's image.
#[derive(Clone, Debug)]
struct Placement {
    module: u64,
    domain: u16,
    load: u64,
}

#[derive(Clone, Debug, Default)]
pub struct Verdict {
    pending: Vec<Pending>,
    placements: Vec<Placement>,
    failure: Option<String>,
    halted: bool,
    notes: Vec<String>,
}

impl Verdict {
    /// Watch these guests, each with its domain number.
    pub fn new<'a>(guests: impl IntoIterator<Item = (u16, &'a Guest)>) -> Self {
        let mut verdict = Verdict::default();
        for (domain, guest) in guests {
            if let Some(token) = &guest.token {
                verdict.expect(domain, &guest.name, token);
            }
        }
        verdict
    }

    /// Expect Xen itself to make this domain of the image at `module`.
    pub fn place(&mut self, domain: u16, module: u64) {
        self.placements.push(Placement {
            module,
            domain,
            load: match domain {
                0 => DOM0_IMAGE_BASE,
                _ => DOMU_IMAGE_BASE,
            },
        });
    }

    fn expect(&mut self, domain: u16, name: &str, token: &str) {
        self.pending.push(Pending {
            source: Source::Domain(domain),
            name: name.to_owned(),
            token: token.to_owned(),
        });
    }

    /// Take one line into account. The first failure stays.
    pub fn see(&mut self, line: &Line) {
        let failure = match line.source {
            Source::Xen => self.xen_failure(&line.text),
            Source::Domain(_) => {
                self.pending
                    .retain(|p| p.source != line.source || p.token != line.text.trim());
                admits_failure(&line.text).then(|| format!("{} failed: {}", line.source, line.text))
            }
            Source::Qemu => None,
        };
        if self.failure.is_none() {
            self.failure = failure;
        }
    }

    fn xen_failure(&mut self, text: &str) -> Option<String> {
        if XEN_FAILURES.iter().any(|f| text.contains(f)) {
            return Some(format!("Xen reports: {text}"));
        }
        self.note_load_address(text);
        if text.starts_with("Hardware Dom0 halted") {
            self.halted = true;
            if self.pending.iter().any(|p| p.source != Source::Domain(0)) {
                self.notes
                    .push("note: dom0 powered the machine off before the others were done".into());
            }
        }
        self.misnumbered(text)
    }

    /// Guests believe in the domain numbers we gave them.
    fn misnumbered(&self, text: &str) -> Option<String> {
        // `Loading d1 kernel from boot module @ 0000000050000000`
        let (domain, module) = text
            .strip_prefix("Loading d")?
            .split_once(" kernel from boot module @ ")?;
        let (domain, module) = (domain.parse::<u16>().ok()?, hex(module)?);
        let wanted = self.placements.iter().find(|p| p.module == module)?;
        (wanted.domain != domain).then(|| {
            format!(
                "Xen made the image meant for domain {} domain {domain}",
                wanted.domain
            )
        })
    }

    /// An unusual load address does no harm to an image that relocates
    /// itself, but explains why another one is silent.
    fn note_load_address(&mut self, text: &str) {
        // `Loading zImage from 0000000050000000 to 0000000040000000-0000000040001000`
        let addresses = || {
            let (module, rest) = text
                .strip_prefix("Loading zImage from ")?
                .split_once(" to ")?;
            Some((hex(module)?, hex(rest.split_once('-')?.0)?))
        };
        let Some((module, load)) = addresses() else {
            return;
        };
        if let Some(usual) = self.placements.iter().find(|p| p.module == module)
            && usual.load != load
        {
            self.notes.push(format!(
                "note: domain {} was loaded at {load:#x}, not at the usual {:#x}",
                usual.domain, usual.load
            ));
        }
    }

    /// Whether Xen said that it stops, so that nothing more will come.
    pub fn halted(&self) -> bool {
        self.halted
    }

    /// What may help to explain a failure.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub fn outcome(&self) -> Outcome {
        match &self.failure {
            Some(failure) => Outcome::Failed(failure.clone()),
            None if self.pending.is_empty() => Outcome::Complete,
            None => Outcome::Running,
        }
    }

    /// The guests that have not completed, for messages.
    pub fn missing(&self) -> String {
        let names: Vec<String> = self
            .pending
            .iter()
            .map(|p| format!("{} ({}) did not print `{}`", p.source, p.name, p.token))
            .collect();
        names.join(", ")
    }
}

fn hex(text: &str) -> Option<u64> {
    let text = text.trim();
    u64::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::super::console::Splitter;
    use super::*;

    fn verdict() -> Verdict {
        let mut verdict = Verdict::default();
        verdict.expect(1, "one", "xen-guest: ping: complete");
        verdict.expect(2, "two", "xen-guest: ping: complete");
        verdict.placements = vec![
            Placement {
                module: 0x5000_0000,
                domain: 0,
                load: DOM0_IMAGE_BASE,
            },
            Placement {
                module: 0x5020_0000,
                domain: 1,
                load: DOMU_IMAGE_BASE,
            },
        ];
        verdict
    }

    fn after(log: &str) -> Outcome {
        let mut verdict = verdict();
        let mut splitter = Splitter::default();
        for line in splitter.push(log.as_bytes()) {
            verdict.see(&line);
        }
        verdict.outcome()
    }

    const BOTH: &str = "(XEN) DOM1: xen-guest: ping: complete\r\n\
                        (XEN) DOM2: xen-guest: ping: complete\r\n";

    #[test]
    fn all_tokens_make_a_success() {
        assert_eq!(after(BOTH), Outcome::Complete);
    }

    #[test]
    fn one_missing_token_is_not_success() {
        let log = "(XEN) DOM1: xen-guest: ping: complete\r\n";
        assert_eq!(after(log), Outcome::Running);
        assert_eq!(after(&log.repeat(2)), Outcome::Running);
        assert!(verdict().missing().contains("dom2 (two)"));
    }

    #[test]
    fn tokens_count_only_from_their_own_guest_and_only_whole() {
        assert_eq!(
            after("xen-guest: ping: complete\n(XEN) xen-guest: ping: complete\n"),
            Outcome::Running
        );
        assert_eq!(
            after(&BOTH.replace(": complete", ": completely wrong")),
            Outcome::Running
        );
    }

    #[test]
    fn a_guests_panic_fails_the_run_whatever_else_it_prints() {
        let panic = "(XEN) DOM1: panicked at src/bin/ping.rs:3:5:\r\n";
        for log in [format!("{panic}{BOTH}"), format!("{BOTH}{panic}")] {
            assert!(matches!(after(&log), Outcome::Failed(why) if why.contains("ping.rs:3:5")));
        }
    }

    #[test]
    fn a_guests_exception_or_failed_test_fails_the_run() {
        for text in ["panic: data abort at 0x10", "xen-guest: ping: failed"] {
            let log = format!("(XEN) DOM2: {text}\n{BOTH}");
            assert!(matches!(after(&log), Outcome::Failed(_)), "{text}");
        }
        let talk = "(XEN) DOM2: no panic: the second grant: failed as it should\n";
        assert_eq!(after(&format!("{talk}{BOTH}")), Outcome::Complete);
    }

    #[test]
    fn xens_own_crash_reports_fail_the_run() {
        for text in [
            "Panic on CPU 0:",
            "Xen BUG at arch/arm/traps.c:2100",
            "Data Abort Trap. Syndrome=0x6",
            "domain_crash called from p2m.c:1",
            "Domain 1 (vcpu#0) crashed on cpu#0:",
            "Hardware Dom0 crashed: 'noreboot' set - not rebooting.",
        ] {
            let log = format!("(XEN) {text}\n{BOTH}");
            assert!(matches!(after(&log), Outcome::Failed(_)), "{text}");
        }
    }

    #[test]
    fn a_guest_that_quotes_xen_is_not_xen() {
        let log = format!("(XEN) DOM1: checking that no Xen BUG is hit\n{BOTH}");
        assert_eq!(after(&log), Outcome::Complete);
    }

    #[test]
    fn a_domain_number_that_is_not_as_planned_fails_the_run() {
        let kernel = |domain: u16| {
            after(&format!(
                "(XEN) Loading d{domain} kernel from boot module @ 0000000050200000\n{BOTH}"
            ))
        };
        assert_eq!(kernel(1), Outcome::Complete);
        assert!(matches!(kernel(2), Outcome::Failed(_)));
    }

    #[test]
    fn dom0_leaving_early_is_noted() {
        let mut verdict = verdict();
        verdict.see(&Line {
            source: Source::Xen,
            text: "Hardware Dom0 halted: halting machine".into(),
        });
        assert_eq!(verdict.notes().len(), 1);
        assert!(verdict.halted());
        assert_eq!(verdict.outcome(), Outcome::Running);
    }

    #[test]
    fn an_unusual_load_address_is_noted() {
        for (address, notes) in [("44000000", 0), ("70000000", 1)] {
            let mut verdict = verdict();
            verdict.see(&Line {
                source: Source::Xen,
                text: format!("Loading zImage from 50000000 to {address}-7f000000"),
            });
            assert_eq!(verdict.notes().len(), notes, "{address}");
            assert_eq!(verdict.outcome(), Outcome::Running);
        }
    }
}
