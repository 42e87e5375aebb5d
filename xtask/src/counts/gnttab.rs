// SPDX-License-Identifier: MIT OR Apache-2.0
//! `counts gnttab`: the workloads of `cargo bench -- gnttab`.

use anyhow::{Context, Result, bail};

use super::callgrind::Workload;
use super::verdict;

/// Name, and the functions that grant and end: one, and a batch.
const GRANTERS: [(&str, [&str; 2], [&str; 2]); 3] = [
    (
        "xen-guest",
        ["xg_gnttab_grant", "xg_gnttab_end"],
        ["xg_gnttab_grant_batch", "xg_gnttab_end_batch"],
    ),
    (
        "version-2",
        ["xg_gnttab_grant", "xg_gnttab_end"],
        ["xg_gnttab_grant_batch", "xg_gnttab_end_batch"],
    ),
    (
        "list-and-lock",
        ["baseline_grant", "baseline_end"],
        ["baseline_grant_batch", "baseline_end_batch"],
    ),
];

const BATCH: f64 = 32.0;

/// The most that we aim at: for a grant and its end, and for a grant of a
/// batch beyond the one instruction that stores its entry.
const PAIR_TARGET: f64 = 46.0;
const BATCH_TARGET: f64 = 8.0;

pub fn host() -> Result<()> {
    let workload = Workload::build()?;
    println!("host instructions, from a function's entry to its exit");
    println!(
        "{:14} {:>7} {:>7} {:>7} {:>16} {:>16}",
        "", "grant", "end", "pair", "batch per grant", "batch per end"
    );
    let mut library = None;
    for (granter, one, batch) in GRANTERS {
        let count = |what: &str, function: &str| -> Result<f64> {
            Ok(workload.count(&["gnttab", granter, what], function)?.sum())
        };
        let [grant, end] = [count("pair", one[0])?, count("pair", one[1])?];
        let batch = [count("batch", batch[0])?, count("batch", batch[1])?];
        let [grants, ends] = batch.map(|batch| batch / BATCH);
        let pair = grant + end;
        println!("{granter:14} {grant:7.1} {end:7.1} {pair:7.1} {grants:16.1} {ends:16.1}");
        library = library.or(Some((pair, grants - 1.0)));
    }
    let (pair, beyond) = library.context("the library is one of them")?;
    let met = [pair <= PAIR_TARGET, beyond <= BATCH_TARGET];
    println!("pair: {pair:.1} <= {PAIR_TARGET} {}", verdict(met[0]));
    println!(
        "batch of {BATCH}, per grant beyond the entry's store: {beyond:.1} <= {BATCH_TARGET} {}",
        verdict(met[1])
    );
    if met != [true; 2] {
        bail!("more instructions than we aim at");
    }
    Ok(())
}
