// SPDX-License-Identifier: MIT OR Apache-2.0
//! `counts guest_memory`: what an access to a reservation costs, by how many
//! there are, and how often Xen is asked to map RAM.

use anyhow::{Context, Result};

use super::callgrind::Workload;
use super::verdict;

/// The callback, whose instructions are not the library's, and what it calls.
const CALLBACK: &str = "workload_fault";
const ANSWER: &str = "xg_vm_answer";

const RESERVATIONS: [u32; 3] = [1, 64, 1023];
const KINDS: [&str; 2] = ["regular", "anonymous"];

/// Pages, where in 2 MiB they begin, and the most hypercalls that we aim at.
const MAPPINGS: [(u32, u32, u64); 3] = [(512, 0, 1), (512, 1, 8), (512, 256, 8)];

pub fn host() -> Result<()> {
    let workload = Workload::build()?;
    println!("host instructions per access beyond the callback, from entry to exit");
    println!(
        "{:9} {:>12} {:>12} {:>11} {:>14}",
        "kind", "reservations", "xg_vm_fault", "xg_vm_serve", "comparisons"
    );
    for kind in KINDS {
        for count in RESERVATIONS {
            let number = count.to_string();
            let per_access = |what: &str, function: &str| -> Result<f64> {
                let profile = workload.count(&["guest_memory", what, kind, &number], function)?;
                let callback = profile.of(CALLBACK) + profile.of(ANSWER);
                Ok((profile.sum() - callback) / f64::from(count))
            };
            let fault = per_access("fault", "xg_vm_fault")?;
            let serve = per_access("serve", "xg_vm_serve")?;
            let most = number_of(&workload, &["guest_memory", "compare", kind, &number])?;
            // One more for each doubling.
            let aim = u64::from((count + 1).next_power_of_two().ilog2());
            println!(
                "{kind:9} {count:12} {fault:12.1} {serve:11.1} {most:14}   <= {aim} {}",
                verdict(most <= aim)
            );
        }
    }
    println!("(serve: with the access taken from Xen's page and its answer put there)");
    println!("\nhypercalls for RAM");
    for (pages, offset, aim) in MAPPINGS {
        let [pages_text, offset_text] = [pages, offset].map(|number| number.to_string());
        let count = |what| {
            number_of(
                &workload,
                &["guest_memory", what, &pages_text, &offset_text],
            )
        };
        let (map, free) = (count("map")?, count("free")?);
        println!(
            "{pages} pages from page {offset:3} of 2 MiB on: {map} to map, {free} to free   <= {aim} {}",
            verdict(map <= aim && free <= aim)
        );
    }
    Ok(())
}

/// What the workload prints.
fn number_of(workload: &Workload, args: &[&str]) -> Result<u64> {
    let text = workload.output(args)?;
    text.trim()
        .parse()
        .with_context(|| format!("the workload prints {text:?}"))
}
