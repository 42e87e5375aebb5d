// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two simulated domains, each an `async` task that waits for events. The
//! executor is embassy's; the crate knows none.
//!
//! ```sh
//! cargo run -p async-events
//! ```

use std::process::exit;
use std::sync::OnceLock;

use embassy_executor::{Executor, Spawner};
use xen_guest::sim::{Delivery, Domain, DomainConfig, Hypervisor};
use xen_guest::{
    DomId, EventChannel, Gfn, Guest, GuestConfig, GuestStorage, PAGE_SIZE, Port, Result, Signal,
    Upcall, Window,
};

const ROUNDS: u32 = 5;

/// Raised by the event interrupts of the two domains.
static ASKED: Signal = Signal::new();
static ANSWERED: Signal = Signal::new();

/// A domain that lives as long as the program, with its events connected.
fn boot(xen: &Hypervisor) -> &'static Guest<'static> {
    let config = DomainConfig::default().with_delivery(Delivery::Asynchronous);
    let domain: &'static Domain = Box::leak(Box::new(xen.create_domain(config)));
    let window = domain.grant_window();
    let config = GuestConfig::new(Window {
        // SAFETY: the window is far larger.
        va: unsafe { window.va.add(PAGE_SIZE) },
        gfn: Gfn::new(window.gfn.raw() + 1),
        pages: 1,
    });
    let storage: &'static mut GuestStorage<1, 0> = Box::leak(Box::default());
    // SAFETY: the domain is this program's alone, and lives for ever.
    let guest = unsafe { Guest::new(storage, domain, config) };
    let guest = Box::leak(Box::new(guest.expect("the guest can be set up")));
    // SAFETY: the simulator runs it once at a time.
    domain.set_upcall(|| unsafe { guest.upcall(64) } == Upcall::More);
    guest
}

async fn ask(mut channel: EventChannel<'static>) -> Result {
    ANSWERED.attach(&mut channel)?;
    // A question before the peer is connected would go nowhere.
    ANSWERED.wait().await;
    for round in 1..=ROUNDS {
        println!("   asker | question {round}");
        channel.notify()?;
        ANSWERED.wait().await;
    }
    println!("   asker | {ROUNDS} answers");
    Ok(())
}

async fn answer(guest: &'static Guest<'static>, peer: DomId, port: Port) -> Result {
    let mut channel = EventChannel::bind_interdomain(guest, peer, port)?;
    // The event that every new connection starts with is no question.
    channel.take_pending()?;
    ASKED.attach(&mut channel)?;
    channel.notify()?;
    loop {
        ASKED.wait().await;
        println!("answerer | an answer");
        channel.notify()?;
    }
}

#[embassy_executor::task]
async fn asker(channel: EventChannel<'static>) {
    exit(match ask(channel).await {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("async_events: {error}");
            1
        }
    });
}

#[embassy_executor::task]
async fn answerer(guest: &'static Guest<'static>, peer: DomId, port: Port) {
    if let Err(error) = answer(guest, peer, port).await {
        eprintln!("async_events: {error}");
        exit(1);
    }
}

fn start(spawner: &Spawner) -> Result {
    static XEN: OnceLock<Hypervisor> = OnceLock::new();
    let xen = XEN.get_or_init(Hypervisor::new);
    let (a, b) = (boot(xen), boot(xen));
    let (one, two) = (DomId::new(1), DomId::new(2));
    let channel = EventChannel::alloc_unbound(a, two)?;
    let port = channel.port();
    spawner.spawn(answerer(b, one, port).expect("a task"));
    spawner.spawn(asker(channel).expect("a task"));
    Ok(())
}

fn main() {
    let executor: &'static mut Executor = Box::leak(Box::new(Executor::new()));
    executor.run(|spawner| {
        if let Err(error) = start(&spawner) {
            eprintln!("async_events: {error}");
            exit(1);
        }
    });
}
