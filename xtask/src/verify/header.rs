// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a model's header asks for.

use std::fmt;

use anyhow::{Context, Result, bail};

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Assertions that fail, and deadlocks.
    Safety,
    /// Loops that never end.
    Progress,
    /// Runs against the model's `ltl` property, all processes treated fairly.
    Liveness,
}

/// One way to search a model.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    name: String,
    kind: Kind,
    defines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Mutant {
    name: String,
    run: String,
    description: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    runs: Vec<Run>,
    mutants: Vec<Mutant>,
}

/// One search: of the model, or of a mutant of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub run: String,
    pub kind: Kind,
    pub defines: Vec<String>,
    pub mutant: Option<String>,
    pub description: String,
}

impl fmt::Display for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.mutant {
            None => write!(f, "run {}", self.run),
            Some(mutant) => write!(f, "mutant {mutant} in {}", self.run),
        }
    }
}

impl Header {
    pub fn parse(text: &str) -> Result<Self> {
        let mut header = Header::default();
        for line in text.lines().filter_map(|line| line.strip_prefix(" * ")) {
            if let Some(rest) = line.strip_prefix("run: ") {
                header
                    .runs
                    .push(run(rest).with_context(|| format!("bad line: {line}"))?);
            } else if let Some(rest) = line.strip_prefix("mutant: ") {
                header
                    .mutants
                    .push(mutant(rest).with_context(|| format!("bad line: {line}"))?);
            }
        }
        for mutant in &header.mutants {
            if !header.runs.iter().any(|run| run.name == mutant.run) {
                bail!("no run {} for mutant {}", mutant.run, mutant.name);
            }
        }
        if header.runs.is_empty() {
            bail!("no line `run: ...`");
        }
        Ok(header)
    }

    /// The runs, then the mutants.
    pub fn jobs(&self) -> Vec<Job> {
        let of_run = |run: &Run, mutant: Option<&Mutant>| Job {
            run: run.name.clone(),
            kind: run.kind,
            defines: run
                .defines
                .iter()
                .cloned()
                .chain(mutant.map(|m| format!("-DMUTANT_{}", m.name)))
                .collect(),
            mutant: mutant.map(|m| m.name.clone()),
            description: mutant.map(|m| m.description.clone()).unwrap_or_default(),
        };
        let runs = self.runs.iter().map(|run| of_run(run, None));
        let mutants = self.mutants.iter().flat_map(|mutant| {
            let runs = self.runs.iter().filter(|run| run.name == mutant.run);
            runs.map(|run| of_run(run, Some(mutant)))
        });
        runs.chain(mutants).collect()
    }
}

fn run(text: &str) -> Result<Run> {
    let mut words = text.split_whitespace().map(str::to_owned);
    let name = words.next().context("no name")?;
    let kind = match words.next().context("no kind")?.as_str() {
        "safety" => Kind::Safety,
        "progress" => Kind::Progress,
        "liveness" => Kind::Liveness,
        other => bail!("{other} is no kind of search"),
    };
    let defines: Vec<String> = words.collect();
    if let Some(bad) = defines.iter().find(|word| !word.starts_with("-D")) {
        bail!("{bad} is no definition");
    }
    Ok(Run {
        name,
        kind,
        defines,
    })
}

fn mutant(text: &str) -> Result<Mutant> {
    let (names, description) = text.split_once(": ").context("no description")?;
    let (name, run) = names.split_once(' ').context("no run")?;
    Ok(Mutant {
        name: name.to_owned(),
        run: run.to_owned(),
        description: description.to_owned(),
    })
}

/// The mutants that the text has code for.
pub fn mutants_in(text: &str) -> Vec<String> {
    let name = |rest: &str| {
        rest.chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect::<String>()
    };
    let mut names: Vec<String> = text.split("MUTANT_").skip(1).map(name).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_the_runs_and_then_the_mutants() -> Result<()> {
        let header = Header::parse(
            "/*\n * Words.\n *\n * run: a safety\n * run: b liveness -DB -DC\n * mutant: M b: it is wrong\n */\n",
        )?;
        let jobs = header.jobs();
        let names: Vec<String> = jobs.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["run a", "run b", "mutant M in b"]);
        assert_eq!(jobs[2].kind, Kind::Liveness);
        assert_eq!(jobs[2].defines, ["-DB", "-DC", "-DMUTANT_M"]);
        assert_eq!(jobs[2].description, "it is wrong");
        Ok(())
    }

    #[test]
    fn a_header_that_asks_for_nothing_or_the_impossible_is_an_error() {
        assert!(Header::parse("").is_err());
        assert!(Header::parse(" * run: a quickly\n").is_err());
        assert!(Header::parse(" * run: a safety B\n").is_err());
        assert!(Header::parse(" * run: a safety\n * mutant: M b: x\n").is_err());
    }

    #[test]
    fn mutants_are_found_in_code() {
        let text = "#ifdef MUTANT_A\n#endif\n#ifndef MUTANT_B_2\n#ifdef MUTANT_A\n";
        assert_eq!(mutants_in(text), ["A", "B_2"]);
    }
}
