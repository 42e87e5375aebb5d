// SPDX-License-Identifier: MIT OR Apache-2.0
//! Prints what Xen tells this domain about itself.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use firmware::hypercall::{xen_extra_version, xen_version};
use firmware::time::{now, sleep, wait_until};
use firmware::{Machine, println, windows};
use xen_guest::{DomId, EventChannel};

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
    println!("{}", machine.board);
    let windows = windows();
    println!("the grant table goes to {}", windows.grant_table);
    for range in &windows.empty {
        println!("other pages of Xen's go to {range}");
    }

    let start = now();
    sleep(Duration::from_millis(20));
    let slept = now() - start;
    assert!(
        slept >= Duration::from_millis(20),
        "slept for {slept:?} only"
    );
    println!("timer: works");

    // Two ports of this domain, connected to each other.
    static EVENTS: AtomicU32 = AtomicU32::new(0);
    let guest = firmware::init();
    let mut receiver = EventChannel::alloc_unbound(guest, DomId::SELF).expect("a port");
    receiver
        .bind(&|| _ = EVENTS.fetch_add(1, Ordering::Relaxed))
        .expect("an open port");
    let sender = EventChannel::bind_interdomain(guest, DomId::SELF, receiver.port());
    let sender = sender.expect("another port");
    for sent in 1..=3 {
        sender.notify().expect("an open port");
        let arrived = || EVENTS.load(Ordering::Relaxed) == sent;
        assert!(
            wait_until(Duration::from_secs(1), arrived),
            "event {sent} is lost"
        );
    }
    println!("events: work");
}
