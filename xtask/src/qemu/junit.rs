// SPDX-License-Identifier: MIT OR Apache-2.0
//! Results in JUnit's XML, which CI systems show.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

/// One thing that was tested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub name: String,
    pub time: Duration,
    /// What went wrong.
    pub failure: Option<String>,
}

/// What one machine ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suite {
    pub name: String,
    pub cases: Vec<Case>,
    pub time: Duration,
}

impl Suite {
    pub fn failed(&self) -> usize {
        let failed = |case: &&Case| case.failure.is_some();
        self.cases.iter().filter(failed).count()
    }

    pub fn passed(&self) -> usize {
        self.cases.len() - self.failed()
    }

    /// What was found wrong with cases afterwards, by name.
    pub fn note(&mut self, failures: Vec<(String, String)>) {
        for (name, failure) in failures {
            match self.cases.iter_mut().find(|case| case.name == name) {
                Some(case) => case.failure = Some(failure),
                None => self.cases.push(Case {
                    name,
                    time: Duration::ZERO,
                    failure: Some(failure),
                }),
            }
        }
    }
}

/// Write the results, where that is wanted.
pub fn write(file: Option<&Path>, suites: &[Suite]) -> Result<()> {
    match file {
        Some(file) => {
            fs::write(file, xml(suites)).with_context(|| format!("cannot write {}", file.display()))
        }
        None => Ok(()),
    }
}

fn xml(suites: &[Suite]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for suite in suites {
        let _ = writeln!(
            text,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" time=\"{:.3}\">",
            escape(&suite.name),
            suite.cases.len(),
            suite.failed(),
            suite.time.as_secs_f64()
        );
        for case in &suite.cases {
            let _ = write!(
                text,
                "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
                // A dot would make folders of it.
                escape(&suite.name.replace('.', "_")),
                escape(&case.name),
                case.time.as_secs_f64()
            );
            match &case.failure {
                None => text.push_str("/>\n"),
                Some(failure) => {
                    let first = failure.lines().next().unwrap_or_default();
                    let _ = writeln!(
                        text,
                        ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>",
                        escape(first),
                        escape(failure)
                    );
                }
            }
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// As text and in attributes. XML has no way to say most control characters.
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(c),
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite() -> Suite {
        let case = |name: &str, failure: Option<&str>| Case {
            name: name.to_owned(),
            time: Duration::from_millis(12),
            failure: failure.map(str::to_owned),
        };
        Suite {
            name: "Xen 4.17, events 2l".into(),
            cases: vec![
                case("good", None),
                case("bad", Some("a.rs:1: got <3>, want \"4\"\n& more\u{1b}")),
            ],
            time: Duration::from_millis(1500),
        }
    }

    #[test]
    fn every_case_is_there_with_its_failure() {
        let text = xml(&[suite()]);
        for part in [
            "<testsuite name=\"Xen 4.17, events 2l\" tests=\"2\" failures=\"1\" errors=\"0\" \
             time=\"1.500\">",
            "<testcase classname=\"Xen 4_17, events 2l\" name=\"good\" time=\"0.012\"/>",
            "<failure message=\"a.rs:1: got &lt;3&gt;, want &quot;4&quot;\">a.rs:1: got \
             &lt;3&gt;, want &quot;4&quot;\n&amp; more\u{fffd}</failure>",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(text.matches("<testcase").count(), 2);
        assert_eq!(text.matches("</testcase>").count(), 1);
    }

    #[test]
    fn results_are_written_where_that_is_wanted() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("results.xml");
        write(Some(&file), &[suite()])?;
        assert!(fs::read_to_string(&file)?.ends_with("</testsuites>\n"));
        write(None, &[suite()])?;
        assert!(write(Some(folder.path()), &[suite()]).is_err());
        Ok(())
    }

    #[test]
    fn cases_are_counted() {
        let mut suite = suite();
        assert_eq!((suite.passed(), suite.failed()), (1, 1));
        let failure = |name: &str| (name.to_owned(), "different".to_owned());
        suite.note(vec![failure("good"), failure("missing")]);
        assert_eq!((suite.passed(), suite.failed()), (0, 3));
    }
}
