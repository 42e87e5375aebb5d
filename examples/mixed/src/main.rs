// SPDX-License-Identifier: MIT OR Apache-2.0
//! A program in Rust with a driver in C, written for Zephyr's calls. Both use
//! one guest: its ports and grants are in one table, its events come through
//! one interrupt.
//!
//! Two simulated domains, so that it runs anywhere; the peer is Rust alone.

use std::ffi::{c_int, c_ulong, c_void};
use std::sync::atomic::{AtomicU32, Ordering};

use xen_guest::sim::{Domain, DomainConfig, Hypervisor};
use xen_guest::{
    Access, DomId, EventChannel, Gfn, Grant, GrantMapping, GrantRef, Guest, GuestConfig,
    GuestStorage, PAGE_SIZE, Port, Upcall, Window,
};

/// As in driver.h.
#[derive(Debug, Default)]
#[repr(C)]
struct Driver {
    port: i32,
    gref: i32,
    rings: AtomicU32,
}

unsafe extern "C" {
    fn driver_start(driver: *mut Driver, peer: u16, page: *mut c_void, gfn: c_ulong) -> c_int;
    fn driver_stop(driver: *mut Driver) -> c_int;
}

type Storage = GuestStorage<1, 8>;

fn main() {
    let xen = Hypervisor::new();
    let [own, peer] = [(); 2].map(|()| xen.create_domain(DomainConfig::default()));
    let mut storage: [Storage; 2] = Default::default();
    let [own_storage, peer_storage] = &mut storage;
    let guest = set_up(own_storage, &own);
    let peer_guest = set_up(peer_storage, &peer);
    // SAFETY: the simulator runs it once at a time.
    let interrupt = || unsafe { guest.upcall(64) } == Upcall::More;
    own.with_upcall(&interrupt, || {
        both(&guest, &own, peer.domid(), |gref| {
            ring(&peer_guest, &peer, &own, gref)
        });
    });
    guest.finish().expect("nothing is left open");
    peer_guest.finish().expect("nothing is left open");
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

/// C and Rust each offer a page and a port; `ring` is the peer's part.
fn both(guest: &Guest<'_>, own: &Domain, peer: DomId, ring: impl Fn(GrantRef)) {
    // SAFETY: the driver is stopped before the guest goes.
    unsafe { guest.make_current() };
    let page = own.alloc_page().expect("a page");
    let driver = Box::into_raw(Box::<Driver>::default());
    let gfn = page.gfn().raw() as c_ulong;
    // SAFETY: driver and page are there until the driver is stopped.
    let started = unsafe { driver_start(driver, peer.raw(), page.va().cast(), gfn) };
    assert_eq!(started, 0);

    static RINGS: AtomicU32 = AtomicU32::new(0);
    let mut channel = EventChannel::alloc_unbound(guest, peer).expect("a port");
    channel
        .bind(&|| _ = RINGS.fetch_add(1, Ordering::Relaxed))
        .expect("an open port");
    let own_page = own.alloc_page().expect("a page");
    let grant = Grant::new(guest, peer, own_page, Access::ReadWrite).expect("a reference");
    grant.memory().write_release(0, channel.port().raw());

    // SAFETY: it has not been stopped; `rings` is only used atomically.
    let (port, gref, rings) = unsafe { ((*driver).port, (*driver).gref, &(*driver).rings) };
    println!(
        "C has port {port} and gref {gref}, Rust has {} and {}",
        channel.port(),
        grant.gref()
    );
    ring(GrantRef::new(gref as u32));
    ring(grant.gref());
    let heard = [rings.load(Ordering::Relaxed), RINGS.load(Ordering::Relaxed)];
    println!("rings: {} for C, {} for Rust", heard[0], heard[1]);
    assert_eq!(heard, [1, 1]);

    // SAFETY: started before, and stopped once; then nobody has it.
    let stopped = unsafe { driver_stop(driver) };
    assert_eq!(stopped, 0);
    // SAFETY: made above, and not used any more.
    drop(unsafe { Box::from_raw(driver) });
}

/// What the peer does: map the page, find the port in it and ring.
fn ring(guest: &Guest<'_>, peer: &Domain, from: &Domain, gref: GrantRef) {
    let pages = peer.empty_pages(1).expect("an empty frame");
    let mapping = GrantMapping::new(guest, from.domid(), gref, Access::ReadOnly, pages);
    let mapping = mapping.expect("a page that is granted");
    let port = Port::new(mapping.memory().read_acquire(0)).expect("a port in it");
    let channel = EventChannel::bind_interdomain(guest, from.domid(), port);
    channel
        .expect("a port that waits")
        .notify()
        .expect("an open port");
    from.deliver();
    peer.return_empty_pages(mapping.unmap().expect("a mapping"));
}

fn set_up<'s>(storage: &'s mut Storage, domain: &'s Domain) -> Guest<'s> {
    let window = domain.grant_window();
    // The shared-info page goes behind the one page of the grant table.
    let config = GuestConfig::new(Window {
        va: window.va.wrapping_add(PAGE_SIZE),
        gfn: Gfn::new(window.gfn.raw() + 1),
        pages: 1,
    })
    .with_grant_table(Window { pages: 1, ..window });
    // SAFETY: a domain of its own, whose windows nobody else uses.
    unsafe { Guest::new(storage, domain, config) }.expect("a fresh domain")
}
