// SPDX-License-Identifier: MIT OR Apache-2.0
//! `counts regions`: the workloads of `cargo bench -- regions`. There is no
//! target: how long it takes is what counts.

use anyhow::Result;

use super::callgrind::Workload;

const TAKE: &str = "xg_region_take";
const GIVE: &str = "xg_region_give";
const FIRST_FIT: [&str; 2] = ["baseline_first_fit_take", "baseline_first_fit_give"];

/// What the library does, and whether it gives back what it took.
const LOADS: [(&[&str], bool); 8] = [
    (&["single-empty"], true),
    (&["single-half-used"], true),
    (&["single-last-page"], true),
    (&["single-last-page", "uncached"], true),
    (&["checkerboard-2-none"], false),
    (&["checkerboard-2-at-end"], true),
    (&["holes-64-none"], false),
    (&["holes-64-at-end"], true),
];

pub fn host() -> Result<()> {
    let workload = Workload::build()?;
    println!("host instructions in 4 GiB, from a function's entry to its exit");
    println!("{:26} {:>9} {:>9} {:>9}", "load", "take", "give", "both");
    for (load, gives) in LOADS {
        let args = [&["regions", "xen-guest"], load].concat();
        let take = workload.count(&args, TAKE)?.sum();
        let give = if gives {
            workload.count(&args, GIVE)?.sum()
        } else {
            0.0
        };
        line(&load.join(", "), take, give);
    }
    println!("(uncached: with a refusal of two pages, which empties the cache)");
    let args = ["regions", "first-fit", "single-empty"];
    let [take, give] = FIRST_FIT.map(|function| workload.count(&args, function));
    line("first-fit, single-empty", take?.sum(), give?.sum());
    Ok(())
}

fn line(what: &str, take: f64, give: f64) {
    println!("{what:26} {take:9.1} {give:9.1} {:9.1}", take + give);
}
