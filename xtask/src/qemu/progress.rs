// SPDX-License-Identifier: MIT OR Apache-2.0
//! How far the scenarios are: a line that changes where a person looks on, and
//! a line for each of them elsewhere.

use std::io::{IsTerminal, Write, stdout};
use std::time::{Duration, Instant};

use super::console::{Line, Source};
use super::junit::Case;
use crate::process;

/// What the control domain puts before each line of the log.
const LOG_PREFIX: &str = "log: ";

/// How it says how many scenarios there are: `conformance: 12 scenarios`.
const PLAN: (&str, &str) = ("conformance: ", " scenarios");

const BAR: usize = 24;

#[derive(Debug)]
pub struct Progress {
    /// Show every step.
    steps: bool,
    terminal: bool,
    /// The changing line, as it is.
    last: String,
    planned: Option<usize>,
    /// The scenario under way, and since when.
    running: Option<(String, Instant)>,
    pub cases: Vec<Case>,
    /// The scenarios' own lines.
    pub log: Vec<String>,
}

impl Progress {
    pub fn new(steps: bool) -> Self {
        Progress {
            steps,
            terminal: stdout().is_terminal() && !steps && !process::verbose(),
            last: String::new(),
            planned: None,
            running: None,
            cases: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Take a line of the console into account, and show what is of interest.
    pub fn see(&mut self, line: &Line) {
        let shown = self.take(line, Instant::now());
        let status = self.status();
        if self.terminal && (shown.is_some() || status != self.last) {
            self.clear();
        }
        if let Some(shown) = &shown {
            println!("{shown}");
        }
        if self.terminal && (shown.is_some() || status != self.last) {
            print!("{status}");
            let _ = stdout().flush();
            self.last = status;
        }
    }

    /// The changing line goes.
    pub fn clear(&self) {
        if self.terminal {
            print!("\r\x1b[K");
            let _ = stdout().flush();
        }
    }

    /// The run is over. The scenario that it ended in did not end well.
    pub fn end(&mut self, why: &str) {
        if let Some((name, since)) = self.running.take() {
            self.cases.push(Case {
                name,
                time: since.elapsed(),
                failure: Some(why.to_owned()),
            });
        }
    }

    /// What of a line is to be shown.
    fn take(&mut self, line: &Line, now: Instant) -> Option<String> {
        let log = match line.source {
            Source::Domain(0) => line.text.strip_prefix(LOG_PREFIX),
            _ => None,
        };
        let Some(text) = log else {
            let plan = line.text.strip_prefix(PLAN.0);
            if let Some(count) = plan.and_then(|text| text.strip_suffix(PLAN.1)) {
                self.planned = count.parse().ok();
            }
            let shown = process::verbose() || line.source != Source::Xen;
            return shown.then(|| line.to_string());
        };
        self.log.push(text.to_owned());
        if let Some(name) = text.strip_prefix("scenario ") {
            self.running = Some((name.to_owned(), now));
        }
        let verdict = match (text.strip_prefix("passed "), text.strip_prefix("FAILED ")) {
            (Some(rest), _) => Some((rest, false)),
            (_, Some(rest)) => Some((rest, true)),
            _ => None,
        };
        let Some((rest, failed)) = verdict else {
            return self.steps.then(|| text.to_owned());
        };
        let (name, what) = rest.split_once(": ").unwrap_or((rest, ""));
        let time = match self.running.take() {
            Some((_, since)) => now.duration_since(since),
            None => Duration::ZERO,
        };
        self.cases.push(Case {
            name: name.to_owned(),
            time,
            failure: failed.then(|| what.to_owned()),
        });
        // A person sees those that pass go by.
        (failed || !self.terminal).then(|| format!("{} {text}", self.count()))
    }

    fn count(&self) -> String {
        let done = self.cases.len();
        match self.planned {
            Some(planned) => {
                let width = planned.to_string().len();
                format!("{done:width$}/{planned}")
            }
            None => format!("{done}"),
        }
    }

    fn status(&self) -> String {
        let done = self.cases.len();
        let full = match self.planned {
            Some(planned @ 1..) => (done * BAR / planned).min(BAR),
            _ => 0,
        };
        let name = match &self.running {
            Some((name, _)) => name,
            None if done == 0 => "booting",
            None => "",
        };
        format!(
            "[{}{}] {} {name}",
            "=".repeat(full),
            " ".repeat(BAR - full),
            self.count()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(terminal: bool) -> Progress {
        Progress {
            terminal,
            ..Progress::new(false)
        }
    }

    /// What is shown of what dom0 prints.
    fn shown(progress: &mut Progress, text: &str) -> Option<String> {
        let line = Line {
            source: Source::Domain(0),
            text: text.to_owned(),
        };
        progress.take(&line, Instant::now())
    }

    #[test]
    fn verdicts_are_numbered_and_kept() {
        let mut progress = progress(false);
        assert!(shown(&mut progress, "conformance: 12 scenarios").is_some());
        assert_eq!(shown(&mut progress, "log: scenario one"), None);
        assert_eq!(shown(&mut progress, "log:   A x() = 0"), None);
        assert_eq!(
            shown(&mut progress, "log: passed one: with a note").as_deref(),
            Some(" 1/12 passed one: with a note")
        );
        shown(&mut progress, "log: scenario two");
        assert_eq!(
            shown(&mut progress, "log: FAILED two: a.rs:1: got 1, want 2").as_deref(),
            Some(" 2/12 FAILED two: a.rs:1: got 1, want 2")
        );
        let names: Vec<&str> = progress.cases.iter().map(|case| &*case.name).collect();
        assert_eq!(names, ["one", "two"]);
        assert_eq!(progress.cases[0].failure, None);
        assert_eq!(
            progress.cases[1].failure.as_deref(),
            Some("a.rs:1: got 1, want 2")
        );
        assert_eq!(progress.log.len(), 5);
    }

    #[test]
    fn a_terminal_has_a_bar_and_failures() {
        let mut progress = progress(true);
        assert_eq!(progress.status(), format!("[{}] 0 booting", " ".repeat(24)));
        shown(&mut progress, "conformance: 4 scenarios");
        shown(&mut progress, "log: scenario one");
        assert_eq!(shown(&mut progress, "log: passed one"), None);
        shown(&mut progress, "log: scenario two");
        assert_eq!(
            progress.status(),
            format!("[======{}] 1/4 two", " ".repeat(18))
        );
        assert!(shown(&mut progress, "log: FAILED two: why").is_some());
    }

    #[test]
    fn the_scenario_in_which_a_run_ends_has_failed() {
        let mut progress = progress(false);
        shown(&mut progress, "log: scenario one");
        progress.end("nothing ended the run");
        progress.end("again");
        assert_eq!(progress.cases.len(), 1);
        assert_eq!(
            progress.cases[0].failure.as_deref(),
            Some("nothing ended the run")
        );
    }

    #[test]
    fn others_cannot_pass_for_the_control_domain() {
        let mut progress = progress(false);
        let line = Line {
            source: Source::Domain(1),
            text: "log: passed one".into(),
        };
        assert!(progress.take(&line, Instant::now()).is_some());
        assert!(progress.cases.is_empty());
    }
}
