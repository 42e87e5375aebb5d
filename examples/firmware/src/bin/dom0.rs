// SPDX-License-Identifier: MIT OR Apache-2.0
//! A dom0 for other programs: it waits until all of them have stopped.
//!
//! On x86_64 its start-up code makes the domains first; on arm64 Xen does.

#![no_std]
#![no_main]

use core::time::Duration;

use firmware::domctl::{State, next_domain};
use firmware::time::sleep;
use firmware::{Machine, println};

firmware::main!(main);

/// How long nobody is looked at.
const NAP: Duration = Duration::from_millis(1);

const POWER_OFF: u8 = 0;

fn main(_: &'static Machine) {
    let mut count = 0;
    let mut first = 1;
    while let Some((domain, state)) = next_domain(first) {
        match state {
            State::Alive => sleep(NAP),
            State::Stopped(POWER_OFF) => {
                count += 1;
                first = domain + 1;
            }
            State::Stopped(reason) => panic!("domain {domain} stopped for reason {reason}"),
        }
    }
    println!("{count} domains have stopped");
}
