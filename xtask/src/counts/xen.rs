// SPDX-License-Identifier: MIT OR Apache-2.0
//! Counts on real Xen: dom0 measures itself on a CPU for which every
//! instruction takes the same time, Xen's own instructions included. Where it
//! serves another domain, there is one, on a Xen that lets it.

use anyhow::{Context, Result, bail};

use crate::process;
use crate::qemu::console::Source;
use crate::qemu::firmware::Firmware;
use crate::qemu::guest::{Guest, completion_token};
use crate::qemu::hypervisor::{Hypervisor, Version};
use crate::qemu::machine::{Clock, Machine, Policy};

/// What the firmware can count.
pub const TOPICS: [&str; 4] = ["evtchn", "gnttab", "regions", SERVED];

/// In which dom0 serves a domU.
const SERVED: &str = "guest_memory";

/// What the firmware puts before each count.
const PREFIX: &str = "count: ";

/// arm64's emulated counter ticks every 16 ns, x86's every nanosecond. The
/// firmware takes an instruction for 2 ns.
const TICK: u32 = 16;
const FIRMWARES: u32 = TICK / 2;

/// Print the firmware's counts of one topic, on the Xen that counts are usually
/// made on.
pub fn print(topic: &str) -> Result<()> {
    println!();
    print_on(
        topic,
        &usual(match topic {
            SERVED => Hypervisor::Ioreq(Version::V4_20),
            _ => Hypervisor::V4_17,
        }),
    )
}

/// Whether this Xen has what a topic takes, as far as is known.
pub fn possible(topic: &str, hypervisor: &Hypervisor) -> bool {
    let debian = matches!(hypervisor, Hypervisor::V4_17 | Hypervisor::V4_20);
    topic != SERVED || !debian
}

/// A machine to count on.
pub fn usual(hypervisor: Hypervisor) -> Machine {
    Machine {
        clock: Clock::Instructions { shift: 1 },
        policy: Policy::Silo,
        ..Machine::new(hypervisor)
    }
}

/// Print the firmware's counts of one topic on this machine.
pub fn print_on(topic: &str, machine: &Machine) -> Result<()> {
    println!(
        "{topic}: instructions on {}, Xen's own included where it is entered",
        machine.hypervisor
    );
    for (what, count) in counts(topic, machine.clone())? {
        println!("{count:9.1}  {what}");
    }
    Ok(())
}

/// Run the firmware's counts of one topic: what was counted, and how many
/// instructions it takes.
fn counts(topic: &str, mut machine: Machine) -> Result<Vec<(String, f64)>> {
    let scale = match machine.clock {
        Clock::Instructions { shift } => scale(shift)?,
        Clock::Wall { .. } => bail!("instructions are counted by a clock that counts them"),
    };
    let arch = machine.hypervisor.arch()?;
    if !possible(topic, &machine.hypervisor) {
        bail!("{topic} takes a Xen with device models: --xen ioreq");
    }
    let image = Firmware::new("tests/firmware", "counts").image(arch)?;
    let served = topic == SERVED;
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
        .map(|(what, count)| (what, count * scale))
        .collect();
    if counts.is_empty() {
        bail!("the firmware counted nothing");
    }
    Ok(counts)
}

/// What the firmware's counts are to be multiplied with, if an instruction
/// takes 2 to the power of `shift` nanoseconds.
fn scale(shift: u8) -> Result<f64> {
    match TICK.checked_shr(shift.into()) {
        Some(instructions @ 1..) => Ok(f64::from(instructions) / f64::from(FIRMWARES)),
        _ => bail!("with --icount {shift} an instruction takes longer than the counter's tick"),
    }
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
    fn instructions_of_any_length_are_counted_alike() {
        let scales = [0, 1, 2, 4].map(|shift| scale(shift).ok());
        assert_eq!(scales, [Some(2.0), Some(1.0), Some(0.5), Some(0.125)]);
        assert!(scale(5).is_err() && scale(200).is_err());
    }

    #[test]
    fn emulation_takes_device_models() {
        for (hypervisor, topics) in [
            (Hypervisor::V4_17, 3),
            (Hypervisor::Ioreq(Version::V4_20), 4),
            (Hypervisor::Path("xen".into()), 4),
        ] {
            let count = TOPICS.iter().filter(|t| possible(t, &hypervisor)).count();
            assert_eq!(count, topics, "{hypervisor}");
        }
        assert!(counts(SERVED, usual(Hypervisor::V4_20)).is_err());
    }

    #[test]
    fn real_time_counts_nothing() {
        let machine = Machine {
            clock: Clock::Wall { cpus: 1 },
            ..usual(Hypervisor::V4_17)
        };
        assert!(counts("evtchn", machine).is_err());
    }

    #[test]
    fn counts_come_in_tenths() {
        assert_eq!(parse("count: 1234 a b"), Some(("a b".to_owned(), 123.4)));
        assert_eq!(parse("counts: 1234 a b"), None);
    }
}
