// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask verify`: search every state of the models in csrc/models.
//!
//! A model's header says how it is searched, and which of its mutants have to
//! be found out by which search:
//!
//! ```text
//! run: <name> safety|progress|liveness [-D...]
//! mutant: <NAME> <run>: what is wrong in it
//! ```

mod header;
mod search;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::legs::{Legs, Tally};
use crate::process;
use crate::sanitize;
use crate::setup::{self, Need};
use header::{Header, Job};
use search::Outcome;

/// As many at a time as there are processors, up to this: each may take
/// [`search::MEMORY_MIB`].
const MAX_AT_A_TIME: usize = 2;

#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// Only these models, by their file's name without `.pml`.
    models: Vec<String>,
    /// Run the tests with racing threads under ThreadSanitizer too.
    #[arg(long)]
    tsan: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let mut legs = Legs::default();
    add(&mut legs, args)?;
    if args.tsan {
        legs.run("thread sanitizer on racing threads", |tally| {
            ensure!(sanitize::races(tally)?, "asked for and not done");
            Ok(())
        });
    }
    legs.finish()
}

/// A leg for each model.
pub fn add(legs: &mut Legs, args: &Args) -> Result<()> {
    let all = models()?;
    for name in &args.models {
        ensure!(
            all.iter().any(|path| stem(path) == *name),
            "no model {name}: there is csrc/models/{{{}}}.pml",
            all.iter().map(|p| stem(p)).collect::<Vec<_>>().join(",")
        );
    }
    let (mut states, mut mutants) = (0.0, 0);
    for path in &all {
        let name = stem(path);
        if !args.models.is_empty() && !args.models.contains(&name) {
            continue;
        }
        legs.run(&format!("model {name}"), |tally| {
            setup::require(&[Need::Gcc, Need::Spin])?;
            let sums = verify(path, tally)?;
            println!("{name}: {} states, {} mutants killed", sums.0, sums.1);
            states += sums.0;
            mutants += sums.1;
            Ok(())
        });
    }
    legs.check("mutants are all in a header", every_mutant_is_named);
    println!("\nmodels: {states} states explored, {mutants} mutants killed");
    Ok(())
}

fn folder() -> PathBuf {
    process::workspace().join("csrc/models")
}

/// The files of this kind, sorted.
fn sources(extensions: &[&str]) -> Result<Vec<PathBuf>> {
    let folder = folder();
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|e| extensions.iter().any(|x| e == *x))
        })
        .collect();
    files.sort();
    Ok(files)
}

fn models() -> Result<Vec<PathBuf>> {
    sources(&["pml"])
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A mutant that no header names would never be tried.
fn every_mutant_is_named() -> Result<()> {
    let (mut named, mut used) = (Vec::new(), Vec::new());
    for path in sources(&["pml", "inc"])? {
        let text = read(&path)?;
        used.extend(header::mutants_in(&text));
        if path.extension().is_some_and(|e| e == "pml") {
            let jobs = Header::parse(&text)?.jobs();
            named.extend(jobs.into_iter().filter_map(|job| job.mutant));
        }
    }
    used.retain(|mutant| !named.contains(mutant));
    if !used.is_empty() {
        bail!("in no header: {}", used.join(" "));
    }
    Ok(())
}

/// Do all that the header asks for: states explored and mutants killed.
fn verify(model: &Path, tally: &mut Tally) -> Result<(f64, u32)> {
    let jobs = Header::parse(&read(model)?)?.jobs();
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(MAX_AT_A_TIME);
    let queue = Mutex::new(jobs.into_iter().collect::<VecDeque<_>>());
    let (send, receive) = mpsc::channel();
    let (mut states, mut killed) = (0.0, 0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            let send = send.clone();
            let next = || {
                let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
                queue.pop_front()
            };
            scope.spawn(move || {
                while let Some(job) = next() {
                    let started = Instant::now();
                    let result = search::search(model, &job);
                    if send.send((job, result, started.elapsed())).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        for (job, result, time) in receive {
            let judged = result.and_then(|outcome| judge(&job, &outcome));
            if let Ok(line) = &judged {
                println!("{job}: {line}, {:.1} s", time.as_secs_f32());
            }
            match (&judged, &job.mutant) {
                (Ok(line), None) => states += line.states,
                (Ok(_), Some(_)) => killed += 1,
                (Err(_), _) => {}
            }
            tally.check(&job.to_string(), judged.map(drop));
        }
    });
    Ok((states, killed))
}

/// What to say of a search that went as it should.
#[derive(Debug)]
struct Line {
    states: f64,
    violation: Option<String>,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.violation {
            None => write!(f, "{} states", self.states),
            Some(what) => write!(f, "killed after {} states: {what}", self.states),
        }
    }
}

fn judge(job: &Job, outcome: &Outcome) -> Result<Line> {
    if let Some(reason) = &outcome.truncated {
        bail!("the search is not complete: {reason}");
    }
    match (&outcome.violation, &job.mutant) {
        (Some(violation), None) => bail!(
            "{violation}; the steps to it are in {}",
            outcome.trail.display()
        ),
        (None, Some(_)) => bail!(
            "survived, in {} states: {}",
            outcome.states,
            job.description
        ),
        (violation, _) => Ok(Line {
            states: outcome.states,
            violation: violation.clone(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(mutant: bool) -> Result<Job> {
        let header = Header::parse(" * run: a safety\n * mutant: BAD a: it is bad\n")?;
        let mut jobs = header.jobs();
        Ok(jobs.remove(usize::from(mutant)))
    }

    fn outcome(violation: Option<&str>, truncated: Option<&str>) -> Outcome {
        Outcome {
            states: 7.0,
            violation: violation.map(str::to_owned),
            truncated: truncated.map(str::to_owned),
            trail: PathBuf::new(),
        }
    }

    #[test]
    fn a_model_passes_without_violation_and_a_mutant_with_one() -> Result<()> {
        assert!(judge(&job(false)?, &outcome(None, None)).is_ok());
        assert!(judge(&job(false)?, &outcome(Some("x"), None)).is_err());
        assert!(judge(&job(true)?, &outcome(None, None)).is_err());
        assert!(judge(&job(true)?, &outcome(Some("x"), None)).is_ok());
        Ok(())
    }

    #[test]
    fn a_truncated_search_is_no_proof() -> Result<()> {
        assert!(judge(&job(false)?, &outcome(None, Some("memory"))).is_err());
        assert!(judge(&job(true)?, &outcome(None, Some("memory"))).is_err());
        Ok(())
    }

    #[test]
    fn all_headers_can_be_read() -> Result<()> {
        for path in models()? {
            assert!(!Header::parse(&read(&path)?)?.jobs().is_empty());
        }
        every_mutant_is_named()
    }
}
