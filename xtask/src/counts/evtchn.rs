// SPDX-License-Identifier: MIT OR Apache-2.0
//! `counts evtchn`: the workloads of `cargo bench -- evtchn`, and the same on
//! real Xen.

use anyhow::Result;

use super::callgrind::Workload;
use super::verdict;

/// The handler, whose instructions are not the library's.
const HANDLER: &str = "workload_count";
const UPCALL: &str = "xg_evtchn_upcall";
const NOTIFY: &str = "xg_evtchn_notify";
const HYPERCALL: &str = "xg_hypercall3";

/// Name, function that serves, heading.
const SERVERS: [(&str, &str); 4] = [
    ("xen-guest", UPCALL),
    ("lowest-first", "baseline_lowest_first"),
    ("rotating", "baseline_rotating"),
    ("xen-guest-fifo", UPCALL),
];

/// Name, events, and the most instructions per event that we aim at.
const LOADS: [(&str, f64, f64); 3] = [
    ("dense-word", 64.0, 14.0),
    ("all-ports", 4095.0, 14.0),
    ("sparse", 1.0, 60.0),
];

/// Whether all targets are met.
pub fn host() -> Result<bool> {
    let workload = Workload::build()?;
    println!("host instructions per event beyond the handler, from the upcall's entry to its exit");
    println!(
        "{:11} {:>9} {:>13} {:>9} {:>15}   target",
        "load", "xen-guest", "lowest-first", "rotating", "xen-guest FIFO"
    );
    let mut met = true;
    for (load, events, target) in LOADS {
        let mut counts = [0.0; SERVERS.len()];
        for (count, (server, function)) in counts.iter_mut().zip(SERVERS) {
            let profile = workload.count(&["evtchn", server, load], function)?;
            *count = profile.beyond(HANDLER) / events;
        }
        let [library, lowest, rotating, fifo] = counts;
        met &= library <= target;
        let verdict = verdict(library <= target);
        println!(
            "{load:11} {library:9.1} {lowest:13.1} {rotating:9.1} {fifo:15.1}   <= {target} {verdict}"
        );
    }
    let notify = workload.count(&["evtchn", "notify"], NOTIFY)?;
    println!(
        "notify: {:.0} instructions beside the hypercall hook",
        notify.of(NOTIFY) + notify.of(HYPERCALL)
    );
    Ok(met)
}
