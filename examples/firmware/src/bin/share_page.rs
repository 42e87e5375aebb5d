// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two domUs share a page and exchange events: the exchange that
//! `examples/share_page.rs` runs on the simulator.
//!
//! The command line says which side this is: `role=granter` or `role=mapper`,
//! `peer=<domain>`, and optionally `rounds=<n>`.

#![no_std]
#![no_main]

#[path = "../../../exchange/mod.rs"]
mod exchange;

use core::fmt;
use core::time::Duration;

use exchange::Place;
use firmware::pages::{self, PoolPage};
use firmware::time::{now, wait_until};
use firmware::{Machine, println, windows};
use xen_guest::DomId;

const PATIENCE: Duration = Duration::from_secs(10);

/// How often to look where no event will come: before the two are connected.
const TICK: Duration = Duration::from_millis(1);

struct Board;

impl Place for Board {
    fn say(&self, line: fmt::Arguments<'_>) {
        println!("{line}");
    }

    fn wait(&self, condition: &mut dyn FnMut() -> bool) -> bool {
        let deadline = now() + PATIENCE;
        while now() < deadline {
            if wait_until(TICK, &mut *condition) {
                return true;
            }
        }
        false
    }

    fn now(&self) -> Duration {
        now()
    }
}

firmware::main!(main);

fn main(machine: &'static Machine) {
    let args = machine.args;
    let peer = args.parse("peer").and_then(DomId::try_new);
    let peer = peer.expect("peer=<domain> on the command line");
    let rounds = args.parse("rounds").unwrap_or(1000);
    let guest = firmware::init();
    let outcome = match args.get("role") {
        Some("granter") => {
            let page = PoolPage::new().expect("a page to grant");
            exchange::granter(guest, peer, page, rounds, &Board).map(drop)
        }
        Some("mapper") => {
            let empty = windows().take_empty_pages(1).expect("an empty frame");
            exchange::mapper(guest, peer, empty, &Board).map(drop)
        }
        _ => panic!("role=granter or role=mapper on the command line"),
    };
    if let Err(problem) = outcome {
        panic!("{problem}");
    }
    assert_eq!(guest.abandoned(), 0, "something could not be given back");
    assert!(pages::all_free(), "a page was not given back");
}
