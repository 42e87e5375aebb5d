// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask report`: what the measuring commands print, on one page, with
//! charts of it.
//!
//! The page is in the repository, and made of nothing but these commands'
//! output: the charts are drawn from the tables in it.

mod chart;
mod table;

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::toolchain::host_cargo;
use table::Table;

/// Below the top of the repository.
const FOLDER: &str = "benches/report";
const PAGE: &str = "README.md";

/// A command whose output goes into the page.
struct Section {
    /// Its chart is called that.
    name: &'static str,
    heading: &'static str,
    /// What a person types after `cargo`.
    command: &'static str,
    /// What to know about it.
    about: &'static str,
    shape: Shape,
}

/// What the table is like.
enum Shape {
    /// Columns are to be compared.
    Columns,
    /// Rows are.
    Rows,
    /// Columns, but for the first, which belongs to the label.
    Labelled,
}

const SECTIONS: [Section; 8] = [
    Section {
        name: "events-time",
        heading: "Events: time",
        command: "bench --features sim --bench evtchn",
        about: "Beside two usual ways to serve the same events (`benches/workloads/baseline`): \
                the lowest bit first with a read-modify-write per event, and the rotating scan of \
                larger kernels.",
        shape: Shape::Columns,
    },
    Section {
        name: "events-instructions",
        heading: "Events: instructions",
        command: "xtask counts evtchn",
        about: "Exact on the host; and on arm64 on real Xen, with a CPU for which all instructions \
                take the same time.",
        shape: Shape::Columns,
    },
    Section {
        name: "grants-time",
        heading: "Grants: time",
        command: "bench --features sim --bench gnttab",
        about: "Beside a free list under a lock.",
        shape: Shape::Columns,
    },
    Section {
        name: "grants-instructions",
        heading: "Grants: instructions",
        command: "xtask counts gnttab",
        about: "",
        shape: Shape::Rows,
    },
    Section {
        name: "regions-time",
        heading: "Regions: time",
        command: "bench --features sim --bench regions",
        about: "Beside first fit over a bitmap, and two crates of the field, buddy_system_allocator and \
                bitmap-allocator.",
        shape: Shape::Columns,
    },
    Section {
        name: "regions-instructions",
        heading: "Regions: instructions",
        command: "xtask counts regions",
        about: "",
        shape: Shape::Columns,
    },
    Section {
        name: "accesses-instructions",
        heading: "Accesses to guest memory: instructions",
        command: "xtask counts guest_memory",
        about: "By how many reservations there are.",
        shape: Shape::Labelled,
    },
    Section {
        name: "sizes",
        heading: "Code and memory",
        command: "xtask sizes",
        about: "Of the C core for arm64, by compiler option.",
        shape: Shape::Columns,
    },
];

const INTRODUCTION: &str = "\
What the commands below print, as `cargo xtask report` collected it. Times depend on
the machine and are there for their ratios, which were taken in turns of a fraction
of a millisecond, so that what else it did fell on all alike. Counts of instructions
and sizes depend on the compilers only. Targets that are missed are printed as such.
";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these sections (events-time, sizes, ...); the others stay as they
    /// are.
    sections: Vec<String>,
    /// Run nothing: draw the charts of the page that is there.
    #[arg(long, conflicts_with = "sections")]
    charts_only: bool,
}

impl Args {
    /// Is the section's command to be run?
    fn runs(&self, section: &Section) -> bool {
        let named = self.sections.iter().any(|name| name == section.name);
        !self.charts_only && (self.sections.is_empty() || named)
    }
}

pub fn run(args: &Args) -> Result<()> {
    for name in &args.sections {
        let names = || SECTIONS.iter().map(|section| section.name);
        ensure!(
            names().any(|other| other == name),
            "there is no section {name}, but {}",
            names().collect::<Vec<_>>().join(", ")
        );
    }
    let folder = folder();
    fs::create_dir_all(&folder)?;
    let before = fs::read_to_string(folder.join(PAGE)).unwrap_or_default();
    let mut page = String::from("<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n");
    let _ = writeln!(page, "# Measurements\n\n{INTRODUCTION}\n{}", versions()?);
    for section in &SECTIONS {
        let output = if args.runs(section) {
            println!("cargo {}", section.command);
            section.output()?
        } else {
            let output = section.find(&before);
            output
                .with_context(|| format!("the page has no {} yet", section.name))?
                .to_owned()
        };
        let _ = writeln!(page, "\n{}", section.text(&output));
        fs::write(folder.join(section.chart()), section.draw(&output)?)?;
    }
    let path = folder.join(PAGE);
    fs::write(&path, page)?;
    println!("{}", path.display());
    Ok(())
}

fn folder() -> PathBuf {
    process::workspace().join(FOLDER)
}

/// What has an influence.
fn versions() -> Result<String> {
    let first_line = |program: &str| -> Result<String> {
        let text = process::output(Command::new(program).arg("--version"))?;
        Ok(text.lines().next().unwrap_or_default().trim().to_owned())
    };
    let cpus = std::thread::available_parallelism()?;
    Ok(format!(
        "Measured on {}, {cpus} CPUs, with {} and {}.",
        std::env::consts::ARCH,
        first_line("rustc")?,
        first_line("clang")?
    ))
}

impl Section {
    fn chart(&self) -> String {
        format!("{}.svg", self.name)
    }

    /// What the command prints, without what comes before its own tables.
    fn output(&self) -> Result<String> {
        let mut words = self.command.split(' ');
        let mut command = match words.next() {
            Some("xtask") => {
                let mut xtask = Command::new(std::env::current_exe()?);
                xtask.current_dir(process::workspace());
                xtask
            }
            // Criterion's own figures are for its own pages: be quick.
            _ => {
                let mut cargo = host_cargo("bench");
                cargo.env_remove("XEN_PUBLIC_HEADERS");
                cargo
            }
        };
        command.args(words);
        let is_bench = self.command.starts_with("bench");
        if is_bench {
            command.args(["--", "--quick", "--quiet"]);
        }
        process::announce(&command);
        let output = command
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot start: {}", process::display(&command)))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        // A missed target is a result.
        ensure!(
            Table::first(&text).is_some(),
            "{}: {} printed no table",
            output.status,
            process::display(&command)
        );
        Ok(match text.find("\nns per ") {
            Some(at) if is_bench => text[at..].trim().to_owned(),
            _ => text.trim().to_owned(),
        })
    }

    fn text(&self, output: &str) -> String {
        let mut text = format!("## {}\n\n", self.heading);
        if !self.about.is_empty() {
            let _ = writeln!(text, "{}\n", wrap(self.about));
        }
        let _ = write!(
            text,
            "![{}]({})\n\n`cargo {}`:\n\n```text\n{output}\n```",
            self.heading,
            self.chart(),
            self.command
        );
        text
    }

    /// The command's output, out of the page.
    fn find<'a>(&self, page: &'a str) -> Option<&'a str> {
        let (_, rest) = page.split_once(&format!("\n## {}\n", self.heading))?;
        let (_, rest) = rest.split_once("```text\n")?;
        Some(rest.split_once("\n```")?.0)
    }

    fn draw(&self, output: &str) -> Result<String> {
        let table = Table::first(output)
            .with_context(|| format!("cargo {} printed no table", self.command))?;
        Ok(chart::draw(&match self.shape {
            Shape::Columns => table,
            Shape::Rows => table.turned(),
            Shape::Labelled => table.labelled(),
        }))
    }
}

/// Lines of at most 85 characters.
fn wrap(text: &str) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        if length + 1 + word.len() > 85 && length > 0 {
            out.push('\n');
            length = 0;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out += word;
        length += word.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_what_its_charts_show() {
        let page = fs::read_to_string(folder().join(PAGE)).expect("the page");
        for section in &SECTIONS {
            let output = section.find(&page).expect("its output");
            assert!(page.contains(&section.text(output)), "{}", section.name);
            let chart = fs::read_to_string(folder().join(section.chart())).expect("a chart");
            assert_eq!(section.draw(output).unwrap(), chart, "{}", section.name);
        }
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        let text = "word ".repeat(30);
        let wrapped = wrap(text.trim());
        assert!(wrapped.lines().all(|line| line.len() <= 85));
        assert_eq!(wrapped.replace('\n', " "), text.trim());
    }
}
