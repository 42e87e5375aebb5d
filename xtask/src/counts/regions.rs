// SPDX-License-Identifier: MIT OR Apache-2.0
//! `counts regions`: the workloads of `cargo bench -- regions`. How long it
//! takes is what counts there; here, that it does not become more than it is.

use anyhow::{Result, bail};

use super::callgrind::Workload;
use super::verdict;

const TAKE: &str = "xg_region_take";
const GIVE: &str = "xg_region_give";
const FIRST_FIT: [&str; 2] = ["baseline_first_fit_take", "baseline_first_fit_give"];

/// What the library does, whether it gives back what it took, and the most
/// instructions that both may take: a handful, or two or three updates of the
/// tree.
const LOADS: [(&[&str], bool, f64); 8] = [
    (&["single-empty"], true, SINGLE),
    (&["single-half-used"], true, SINGLE),
    (&["single-last-page"], true, SINGLE),
    (&["single-last-page", "uncached"], true, UPDATES),
    (&["checkerboard-2-none"], false, SINGLE),
    (&["checkerboard-2-at-end"], true, UPDATES),
    (&["holes-64-none"], false, SINGLE),
    (&["holes-64-at-end"], true, UPDATES),
];
const SINGLE: f64 = 100.0;
const UPDATES: f64 = 4096.0;

/// A run of an empty region, and one that is all of it: what it is to take and
/// to give back, beside the first, is the greater depth of the tree at most.
const RUNS: [&str; 2] = ["run-of-64", "whole"];
const LONGER: f64 = 4.0;

/// Fails if the time for which the lock is held grows with a run's length.
pub fn check() -> Result<()> {
    heading();
    if !runs(&Workload::build()?)? {
        bail!("more instructions for a longer run");
    }
    Ok(())
}

fn heading() {
    println!("host instructions in 4 GiB, from a function's entry to its exit");
    println!("{:26} {:>9} {:>9} {:>9}", "load", "take", "give", "both");
}

fn runs(workload: &Workload) -> Result<bool> {
    let mut met = true;
    let mut most = [UPDATES; 2];
    for load in RUNS {
        let args = ["regions", "xen-guest", load];
        let mut counts = [0.0; 2];
        for (count, function) in counts.iter_mut().zip([TAKE, GIVE]) {
            *count = workload.count(&args, function)?.sum();
        }
        let [take, give] = counts;
        line(load, take, give);
        let within = take <= most[0] && give <= most[1];
        println!("   <= {} and {} {}", most[0], most[1], verdict(within));
        met &= within;
        most = counts.map(|count| LONGER * count);
    }
    Ok(met)
}

pub fn host() -> Result<()> {
    let workload = Workload::build()?;
    heading();
    let mut met = true;
    for (load, gives, most) in LOADS {
        let args = [&["regions", "xen-guest"], load].concat();
        let take = workload.count(&args, TAKE)?.sum();
        let give = if gives {
            workload.count(&args, GIVE)?.sum()
        } else {
            0.0
        };
        line(&load.join(", "), take, give);
        let within = take + give <= most;
        println!("   <= {most} {}", verdict(within));
        met &= within;
    }
    met &= runs(&workload)?;
    println!("(uncached: with a refusal of two pages, so that none is kept back)");
    let args = ["regions", "first-fit", "single-empty"];
    let [take, give] = FIRST_FIT.map(|function| workload.count(&args, function));
    line("first-fit, single-empty", take?.sum(), give?.sum());
    println!();
    if !met {
        bail!("more instructions than before");
    }
    Ok(())
}

fn line(what: &str, take: f64, give: f64) {
    print!("{what:26} {take:9.1} {give:9.1} {:9.1}", take + give);
}
