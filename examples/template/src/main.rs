// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two domains, both with this program: each has a bell (a port, whose number
//! is in a page that the other may read) and rings the other's.
//!
//! The command line says who the other is: `peer=<domain>`.

#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use firmware::pages::PoolPage;
use firmware::time::{sleep, wait_until};
use firmware::{Machine, println, windows};
use xen_guest::{Access, DomId, EventChannel, Grant, GrantMapping, GrantRef, Guest, Port};

firmware::main!(main);

const PATIENCE: Duration = Duration::from_secs(10);
const TICK: Duration = Duration::from_millis(1);

/// The first reference of a fresh grant table. In a larger system xenstore, or
/// whoever made the domains, tells.
const FIRST: GrantRef = GrantRef::new(8);

static RINGS: AtomicU32 = AtomicU32::new(0);

fn main(machine: &'static Machine) {
    let peer = machine.args.parse("peer").and_then(DomId::try_new);
    let peer = peer.expect("peer=<domain> on the command line");
    let guest = firmware::init();

    let mut bell = EventChannel::alloc_unbound(guest, peer).expect("a port");
    // In the event interrupt.
    bell.bind(&|| _ = RINGS.fetch_add(1, Ordering::Relaxed))
        .expect("a handler");
    let page = PoolPage::new().expect("a page");
    let grant = Grant::new(guest, peer, page, Access::ReadOnly).expect("a reference");
    grant.memory().write_release(0, bell.port().raw());
    println!(
        "{} is the bell, its number in {}",
        bell.port(),
        grant.gref()
    );

    ring(guest, peer);
    let rang = wait_until(PATIENCE, || RINGS.load(Ordering::Relaxed) > 0);
    assert!(rang, "{peer} does not ring");
    println!("{peer} rang");

    // The page is ours again when the peer has let go of it.
    let mut held = Some(grant);
    while let Some(grant) = held.take() {
        if let Err(busy) = grant.end() {
            held = Some(busy.grant);
            sleep(TICK);
        }
    }
    assert_eq!(guest.abandoned(), 0, "something could not be given back");
}

/// Find the peer's bell and ring it.
fn ring(guest: &'static Guest<'static>, peer: DomId) {
    let mut empty = windows().take_empty_pages(1);
    let page = loop {
        let pages = empty.take().expect("an empty frame");
        match GrantMapping::new(guest, peer, FIRST, Access::ReadOnly, pages) {
            Ok(mapping) => break mapping,
            // The peer is not that far yet. What we gave comes back.
            Err(refused) => empty = refused.pages,
        }
        sleep(TICK);
    };
    // The peer may write anything: the number is read once, and checked.
    let bell = loop {
        match Port::new(page.memory().read_acquire(0)) {
            Some(port) => break port,
            None => sleep(TICK),
        }
    };
    let wire = EventChannel::bind_interdomain(guest, peer, bell).expect("the peer's bell");
    wire.notify().expect("an open port");
    println!("rang {bell} of {peer}");
} // the port is closed, the page unmapped
