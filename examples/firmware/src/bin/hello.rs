// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints what Xen tells this domain about itself.

#![no_std]
#![no_main]

use core::time::Duration;

use firmware::hypercall::{xen_extra_version, xen_version};
use firmware::time::{now, sleep};
use firmware::{Machine, println, windows};

firmware::main!(main);

fn main(machine: &'static Machine) {
    let (major, minor) = xen_version();
    println!("hello from Xen {major}.{minor}{}", xen_extra_version());
    println!("arguments: \"{}\"", machine.args.as_str());
    println!("vCPUs: {}", machine.cpus);
    for bank in &machine.memory {
        println!("memory: {bank}");
    }
    println!("grant region: {}", machine.grant);
    for region in &machine.extended {
        println!("extended region: {region}");
    }
    println!(
        "interrupts: {:?} for events, {:?} for the timer",
        machine.event_interrupt, machine.timer_interrupt
    );
    println!(
        "gic: distributor {}, redistributors {}",
        machine.gicd, machine.gicr
    );
    match machine.uart {
        Some(uart) => println!("console: PL011 at {uart}"),
        None => println!("console: hypercalls"),
    }
    let windows = windows();
    println!("shared info goes to {}", windows.shared_info);
    println!("the grant table goes to {}", windows.grant_table);
    println!("pages of other domains go to {}", windows.foreign);

    let start = now();
    sleep(Duration::from_millis(20));
    let slept = now() - start;
    assert!(
        slept >= Duration::from_millis(20),
        "slept for {slept:?} only"
    );
    println!("timer: works");
}
