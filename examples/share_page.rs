// SPDX-License-Identifier: MIT OR Apache-2.0
//! Two simulated domains share a page and exchange events.
//!
//! ```sh
//! cargo run --example share_page --features sim [ROUNDS [TRACE]]
//! ```
//!
//! TRACE is a file for the timeline, which Chrome's trace viewer and Perfetto
//! open.
//!
//! Each domain has a thread for its firmware, and the simulator runs its
//! event interrupts on another. `examples/firmware` does the same on real Xen.

mod exchange;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use exchange::{Place, Problem};
use xen_guest::sim::{Delivery, Domain, DomainConfig, Hypervisor};
use xen_guest::{Gfn, Guest, GuestConfig, GuestStorage, PAGE_SIZE, Upcall, Window};

const PATIENCE: Duration = Duration::from_secs(10);

/// The most that the timeline has: about as much as viewers like.
const TRACED: usize = 1_000_000;

/// 64 ports and a page of grants.
type Storage = GuestStorage<1, 8>;

/// A domain's firmware: its name, and what its interrupt rings.
struct Firmware {
    name: &'static str,
    events: Mutex<u64>,
    bell: Condvar,
    start: Instant,
}

impl Firmware {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            events: Mutex::new(0),
            bell: Condvar::new(),
            start: Instant::now(),
        }
    }

    /// The event interrupt.
    fn interrupt(&self, guest: &Guest<'_>) -> bool {
        // SAFETY: the simulator runs it once at a time, on no other vCPU.
        let left = unsafe { guest.upcall(64) };
        *self.events.lock().expect("not poisoned") += 1;
        self.bell.notify_all();
        left == Upcall::More
    }
}

impl Place for &Firmware {
    fn say(&self, line: fmt::Arguments<'_>) {
        println!("{:>8} | {line}", self.name);
    }

    fn wait(&self, condition: &mut dyn FnMut() -> bool) -> bool {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let before = *self.events.lock().expect("not poisoned");
            if condition() {
                return true;
            }
            if Instant::now() > deadline {
                return false;
            }
            // An event that came since `before` ends the wait at once.
            let events = self.events.lock().expect("not poisoned");
            let tick = Duration::from_millis(1);
            let waited = self
                .bell
                .wait_timeout_while(events, tick, |events| *events == before);
            drop(waited.expect("not poisoned"));
        }
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The domain's guest: the shared-info page goes behind the grant table.
fn set_up<'s>(storage: &'s mut Storage, domain: &'s Domain) -> xen_guest::Result<Guest<'s>> {
    let window = domain.grant_window();
    let config = GuestConfig::new(Window {
        // SAFETY: the window is far larger.
        va: unsafe { window.va.add(PAGE_SIZE) },
        gfn: Gfn::new(window.gfn.raw() + 1),
        pages: 1,
    })
    .with_grant_table(window);
    // SAFETY: the domain and its windows are this program's alone, and the
    // guest is dropped before storage and domain.
    unsafe { Guest::new(storage, domain, config) }
}

fn run(rounds: u32, trace: Option<&Path>) -> Result<(), Box<dyn std::error::Error>> {
    let xen = Hypervisor::new();
    if trace.is_some() {
        xen.record_trace(TRACED);
    }
    let config = DomainConfig::default().with_delivery(Delivery::Asynchronous);
    let domains = [xen.create_domain(config.clone()), xen.create_domain(config)];
    let [a, b] = domains.each_ref();
    println!(
        "two domains on a simulated Xen: {} and {}",
        a.domid(),
        b.domid()
    );
    let mut storage: [Storage; 2] = Default::default();
    let [storage_a, storage_b] = &mut storage;
    let guests = [set_up(storage_a, a)?, set_up(storage_b, b)?];
    let names = [Firmware::new("granter"), Firmware::new("mapper")];

    let page = a.alloc_page().ok_or("no memory for the page")?;
    let pages = b.empty_pages(1).ok_or("no empty frame")?;
    let outcome = a.with_upcall(&|| names[0].interrupt(&guests[0]), || {
        b.with_upcall(&|| names[1].interrupt(&guests[1]), || {
            thread::scope(|scope| {
                let mapper =
                    scope.spawn(|| exchange::mapper(&guests[1], a.domid(), pages, &&names[1]));
                let page = exchange::granter(&guests[0], b.domid(), page, rounds, &&names[0]);
                let pages = mapper.join().expect("the mapper does not panic");
                Ok::<_, Problem>((page?, pages?))
            })
        })
    });
    let (page, pages) = outcome.map_err(|problem| problem.to_string())?;
    drop(page);
    b.return_empty_pages(pages);
    for guest in guests {
        guest.finish().map_err(|(error, _)| error)?;
    }
    if let Some(file) = trace {
        std::fs::write(file, xen.trace())
            .map_err(|error| format!("cannot write {}: {error}", file.display()))?;
        println!("timeline: {}", file.display());
    }
    let leaks = xen.leaks();
    println!("left over: {leaks}");
    if leaks.is_zero() {
        Ok(())
    } else {
        Err("something was not given back".into())
    }
}

fn main() -> ExitCode {
    let rounds = match std::env::args().nth(1).map(|arg| arg.parse()) {
        None => 10_000,
        Some(Ok(rounds)) if rounds > 0 => rounds,
        Some(_) => {
            eprintln!("usage: share_page [ROUNDS [TRACE]]: a positive number, and a file");
            return ExitCode::from(2);
        }
    };
    let trace = std::env::args_os().nth(2).map(PathBuf::from);
    match run(rounds, trace.as_deref()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("share_page: {error}");
            ExitCode::FAILURE
        }
    }
}
