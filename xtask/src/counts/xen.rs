// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts on real Xen: dom0 measures itself on a CPU for which every
//! instruction takes the same time, Xen's own instructions included. Where it
//! serves another domain, there is one, on a Xen that lets it.

use anyhow::{Context, Result, bail};

use crate::process;
use crate::qemu::console::Source;
use crate::qemu::firmware::Firmware;
use crate::qemu::guest::{DOMU_IMAGE_BASE, Guest, completion_token};
use crate::qemu::hypervisor::{Hypervisor, Version};
use crate::qemu::machine::{Clock, Machine, Policy};

/// What the firmware puts before each count.
const PREFIX: &str = "count: ";

/// Print the firmware's counts of one topic.
pub fn print(topic: &str) -> Result<()> {
    println!("\narm64 instructions on real Xen, Xen's own included where it is entered");
    for (what, count) in counts(topic)? {
        println!("{count:9.1}  {what}");
    }
    Ok(())
}

/// Run the firmware's counts of one topic: what was counted, and how many
/// instructions it takes.
fn counts(topic: &str) -> Result<Vec<(String, f64)>> {
    let image = Firmware::new("tests/firmware", "counts").image(DOMU_IMAGE_BASE)?;
    let served = topic == "guest_memory";
    let mut machine = Machine::new(if served {
        Hypervisor::Ioreq(Version::V4_20)
    } else {
        Hypervisor::V4_17
    });
    // One instruction takes 2 ns, a tick of the counter 16.
    machine.clock = Clock::Instructions { shift: 1 };
    machine.policy = Policy::Silo;
    machine.quiet = true;
    machine.dom0 = Some(
        Guest::dom0(&image)
            .bootargs(&format!("topic={topic}"))
            .token(&completion_token("counts")),
    );
    if served {
        let driver = Guest::domu("domU1", &image)
            .bootargs(&format!("topic={topic} role=driver"))
            .token(&completion_token("counts"));
        machine.domus.push(driver);
    }
    let run = machine
        .run_with(|line| {
            if process::verbose() {
                println!("{line}");
            }
        })
        .with_context(|| format!("the count of {topic} on {} failed", machine.hypervisor))?;
    let counts: Vec<(String, f64)> = run
        .lines
        .iter()
        .filter(|line| line.source == Source::Domain(0))
        .filter_map(|line| parse(&line.text))
        .collect();
    if counts.is_empty() {
        bail!("the firmware counted nothing");
    }
    Ok(counts)
}

/// `count: <tenths of instructions> <what>`
fn parse(line: &str) -> Option<(String, f64)> {
    let (tenths, what) = line.strip_prefix(PREFIX)?.split_once(' ')?;
    Some((what.to_owned(), tenths.parse::<f64>().ok()? / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_in_tenths() {
        assert_eq!(parse("count: 1234 a b"), Some(("a b".to_owned(), 123.4)));
        assert_eq!(parse("counts: 1234 a b"), None);
    }
}
