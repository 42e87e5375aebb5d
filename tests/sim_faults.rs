// SPDX-License-Identifier: MIT OR Apache-2.0
//! Every single failure of Xen or of the platform, one run each: whatever
//! step fails leaves everything as it was, so that doing it again succeeds
//! and nothing is left over in the end.
#![cfg(feature = "sim")]

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use xen_guest::ffi::abi;
use xen_guest::sim::{Domain, DomainConfig, Hook, Hypervisor};
use xen_guest::{
    Access, DomId, Error, EventChannel, Grant, GrantMapping, Guest, GuestConfig, GuestStorage,
    Upcall, Window,
};

const ENOMEM: i32 = 12;

#[derive(Clone, Copy, Debug)]
enum Fault {
    Hypercall,
    Hook(Hook),
    Map,
    Unmap,
}

impl Fault {
    fn inject(self, xen: &Hypervisor, domain: DomId, nth: u64) {
        match self {
            Self::Hypercall => xen.fail_hypercall(domain, nth, ENOMEM),
            Self::Hook(hook) => xen.fail_hook(domain, hook, nth),
            Self::Map => xen.fail_grant_map(domain, nth, abi::GNTST_general_error as i16),
            Self::Unmap => xen.fail_grant_unmap(domain, nth, abi::GNTST_general_error as i16),
        }
    }
}

/// The result of the first try, or of the second, which nothing disturbs.
fn twice<T, E: std::fmt::Debug>(mut step: impl FnMut() -> Result<T, E>) -> T {
    step().or_else(|_| step()).expect("the second try")
}

fn guest(domain: &'static Domain) -> Guest<'static> {
    let window = domain.grant_window();
    let config = || {
        GuestConfig::new(Window {
            va: window.va.wrapping_add(64 * 4096),
            gfn: xen_guest::Gfn::new(window.gfn.raw() + 64),
            pages: 1,
        })
        .with_grant_table(Window { pages: 2, ..window })
    };
    twice(|| {
        let storage: &'static mut GuestStorage<2, 16> = Box::leak(Box::default());
        // SAFETY: a domain of its own, whose windows nobody else uses.
        unsafe { Guest::new(storage, domain, config()) }
    })
}

static EVENTS: AtomicU32 = AtomicU32::new(0);

fn count() {
    EVENTS.fetch_add(1, SeqCst);
}

fn close(channel: EventChannel<'_>) {
    if let Err((_, channel)) = channel.close() {
        channel.close().expect("the second try");
    }
}

/// A little of everything; which of the faults did not happen.
fn scenario(inject: impl FnOnce(&Hypervisor, &Domain, &Domain)) -> usize {
    EVENTS.store(0, SeqCst);
    let xen = Hypervisor::new();
    let granter: &'static Domain = Box::leak(Box::new(xen.create_domain(DomainConfig::default())));
    let mapper: &'static Domain = Box::leak(Box::new(xen.create_domain(DomainConfig::default())));
    inject(&xen, granter, mapper);
    let one: &'static Guest<'static> = Box::leak(Box::new(guest(granter)));
    let two: &'static Guest<'static> = Box::leak(Box::new(guest(mapper)));
    // SAFETY: the simulator runs it once at a time.
    mapper.set_upcall(|| unsafe { two.upcall(1) } == Upcall::More);

    let offer = twice(|| EventChannel::alloc_unbound(one, mapper.domid()));
    let mut bell = twice(|| EventChannel::bind_interdomain(two, granter.domid(), offer.port()));
    twice(|| bell.bind(&count));
    twice(|| offer.notify());
    xen.deliver_all();
    assert!(EVENTS.load(SeqCst) > 0, "an event was lost");
    twice(|| bell.mask());
    let before = EVENTS.load(SeqCst);
    twice(|| offer.notify());
    xen.deliver_all();
    assert_eq!(EVENTS.load(SeqCst), before, "masked");
    twice(|| bell.unmask());
    xen.deliver_all();
    assert_eq!(EVENTS.load(SeqCst), before + 1, "an event was lost");

    let page = granter.alloc_page().unwrap();
    let grant = twice_with(page, |page| {
        Grant::new(one, mapper.domid(), page, Access::ReadWrite)
            .map_err(|error| (error.error, Some(error.page)))
    });
    let empty = mapper.empty_pages(1).unwrap();
    let mapping = twice_with(empty, |pages| {
        GrantMapping::new(two, granter.domid(), grant.gref(), Access::ReadWrite, pages)
            .map_err(|error| (error.error, error.pages))
    });
    mapping.memory().write(8, 0x1234_5678u32);
    assert_eq!(grant.memory().read::<u32>(8), 0x1234_5678);
    let grant = match grant.end() {
        Err(busy) => busy.grant,
        Ok(_) => panic!("ended while it is mapped"),
    };
    let empty = match mapping.unmap() {
        Ok(empty) => Some(empty),
        Err(error) => match error.mapping {
            Some(mapping) => Some(mapping.unmap().expect("the second try")),
            // Only the CPU's side is left: the frames are given up.
            None => {
                assert_eq!(error.error, Error::Partial);
                None
            }
        },
    };
    let lost = usize::from(empty.is_none());
    if let Some(empty) = empty {
        mapper.return_empty_pages(empty);
    }
    drop(grant.end().expect("nobody has it mapped"));
    twice(|| bell.unbind());
    close(bell);
    close(offer);
    mapper.clear_upcall();
    let leaks = xen.leaks();
    assert_eq!(leaks.empty_pages, lost, "{leaks}");
    assert_eq!(
        (leaks.ports, leaks.grants, leaks.mappings),
        (0, 0, 0),
        "{leaks}"
    );
    assert_eq!((leaks.pinned_frames, leaks.pages), (0, 0), "{leaks}");
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
    let left = xen.faults_left(granter.domid()) + xen.faults_left(mapper.domid());
    granter.destroy();
    mapper.destroy();
    left
}

/// A step that takes a value and gives it back when it fails.
fn twice_with<V, T, E: std::fmt::Debug>(
    value: V,
    mut step: impl FnMut(V) -> Result<T, (E, Option<V>)>,
) -> T {
    match step(value) {
        Ok(done) => done,
        Err((error, value)) => {
            let value = value.unwrap_or_else(|| panic!("kept what it was given: {error:?}"));
            step(value)
                .map_err(|(error, _)| error)
                .expect("the second try")
        }
    }
}

#[test]
fn every_single_fault_is_survived() {
    assert_eq!(scenario(|_, _, _| ()), 0);
    let faults = [
        Fault::Hypercall,
        Fault::Hook(Hook::Map),
        Fault::Hook(Hook::Unmap),
        Fault::Map,
        Fault::Unmap,
    ];
    for of_mapper in [false, true] {
        for fault in faults {
            for nth in 1.. {
                println!(
                    "{fault:?} {nth}, of the {}",
                    ["granter", "mapper"][usize::from(of_mapper)]
                );
                let left = scenario(|xen, granter, mapper| {
                    let victim = if of_mapper { mapper } else { granter };
                    fault.inject(xen, victim.domid(), nth);
                });
                if left > 0 {
                    break;
                }
                assert!(nth < 1000, "no end to it");
            }
        }
    }
}
