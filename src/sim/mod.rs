// SPDX-License-Identifier: MIT OR Apache-2.0
//! A simulated Xen: several domains in one process.
//!
//! Each [`Domain`] is a [`Platform`](crate::Platform): firmware code runs
//! unchanged on it, several domains at once, and can be tested without a
//! hypervisor. Hypercalls are answered with Xen's checks in Xen's order and
//! with Xen's error codes; numbers that Xen chooses (ports, handles) are those
//! Xen would choose, so that a log made here and one made on Xen are equal.
//!
//! ```
//! use xen_guest::sim::{DomainConfig, Hypervisor};
//!
//! let xen = Hypervisor::new();
//! let alice = xen.create_domain(DomainConfig::default());
//! let bob = xen.create_domain(DomainConfig::default());
//! assert_ne!(alice.domid(), bob.domid());
//! assert!(xen.leaks().is_zero());
//! ```
//!
//! # What is real
//!
//! Machine memory is one file, of which each domain maps its pages at its own
//! addresses: a mapped grant or foreign frame is the same memory at two
//! places, and a frame that is empty, or that firmware did not map, faults.
//! A domain's frame numbers and addresses correspond for good. It has RAM at
//! 0x4000_0000, 16 MiB for the grant table at 0x3800_0000 and a 64 MiB
//! extended region above RAM, as Xen lays out a domU on Arm.
//!
//! # Which Xen
//!
//! An Arm one, 4.17 to 4.20, wherever it depends on the architecture, though
//! structures have the host's layout: frames shared by Xen are at one place
//! at a time (`EBUSY`), grant tables have version 1 (version 2 is x86's: see
//! [`Hypervisor::with_grants_v2`]), mapping onto RAM loses the RAM, and a
//! dom0's own RAM is direct-mapped: populating works where it was from the
//! start. Policy: none (`xsm=dummy`), or [`Policy::Silo`]. Where versions
//! differ, it is the newer one: the domain's own frames as foreign ones are
//! -EPERM (-ESRCH in 4.17), an unknown resource -EINVAL (-EOPNOTSUPP in 4.17,
//! which gives its size as that number), and a copy of no bytes is okay without
//! a look at its ends (which 4.17 takes).
//!
//! # What is assumed
//!
//! Not yet compared with a real Xen:
//!
//! - A dom0 has a domU's address map; on a machine it has the board's.
//! - Guest-physical addresses have 44 bits. Of the physmap's own tables, those
//!   of the two lowest levels are counted, and RAM that is populated takes one
//!   for each 2 MiB however large its extents are.
//! - The domain's console can be written by every domain, and nothing read.
//! - A virtual interrupt for all domains can be bound by any, as in Xen
//!   before 4.21, but [`Domain::raise_virq`] names the one that gets it.
//! - `decrease_reservation` of a frame that Xen shares unmaps it, no more.
//! - A fault in the middle of an array of arguments is found for addresses of
//!   the domain itself only; other addresses are trusted.
//! - System time, in which `SCHEDOP_poll` and runstate areas count, is
//!   nanoseconds since the hypervisor was created.
//! - A poll whose time is over already changes no runstate: Xen runs timers
//!   before its scheduler, so that the vCPU is awake before it is replaced.
//!   Timers have no slack, and no vCPU ever waits for a CPU.
//! - Connecting an upcall is enabling its interrupt on all vCPUs. Without,
//!   with the platform lock held, and in upcalls, a poll does not end because
//!   of an upcall flag that was set before.
//! - An upcall that was held off fires when the platform lock is released.
//! - All vCPUs run from the start. `register_vcpu_info` is that of Xen 4.19
//!   and later, where a vCPU can do it for another one; before, with both of
//!   them running, or a second time, it is -EINVAL.
//! - A vCPU that has not registered its `vcpu_info` gets no upcall.
//! - A domain that is paused makes no accesses, or ends them; its threads run
//!   on.
//! - The devices that Xen itself emulates are not there: an access to them is
//!   aborted. Interrupts that emulators raise have a level, and nothing else:
//!   see [`Domain::irq_level`].
//!
//! Missing, all -ENOSYS: `XENMEM_exchange` and `hvm_op` but for parameters.

mod access;
mod c_api;
mod delivery;
mod device;
mod dm_op;
mod domain;
mod domctl;
mod evtchn;
mod evtchn_2l;
mod evtchn_fifo;
mod fault;
mod gntmap;
mod gnttab;
mod gntv2;
mod hvm;
mod hypercall;
mod ioreq;
mod leaks;
mod log;
mod machine;
mod memory;
mod pages;
mod physmap;
mod platform;
mod ports;
#[cfg(test)]
mod random;
mod ranges;
mod sched;
mod sharedinfo;
mod state;
#[cfg(test)]
mod tests;
mod trace;
mod trace_json;
mod vcpu;

use std::fmt;
use std::string::String;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};
use std::vec::Vec;

use self::delivery::Cpus;
use self::domain::Shared;
use self::fault::Place;
use self::machine::Machine;
use self::physmap::Layout;
use self::state::State;
use self::trace::Trace;
use crate::DomId;

pub use self::access::{Access, PendingAccess};
pub use self::delivery::Upcall;
pub use self::device::Device;
pub use self::domain::{Domain, Frame, SimPage};
pub use self::fault::Hook;
pub use self::leaks::Leaks;
pub use self::log::LogEntry;

/// `ENXIO`
const ENXIO: i32 = 6;
/// `EILSEQ`
const EILSEQ: i32 = 84;

/// Machine memory, in pages: 4 GiB, of which only what is touched is used.
const MACHINE_PAGES: u64 = 1 << 20;

/// How long [`Hypervisor::deliver_all`] waits for domains to come to rest.
const PATIENCE: Duration = Duration::from_secs(60);

/// When a domain's upcall runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// On threads of the domain, at fixed points: at the end of the vCPU's
    /// hypercalls, when it releases the platform lock or connects its upcall,
    /// and in `deliver` and `deliver_all`. With one thread a run is
    /// reproducible.
    #[default]
    Deterministic,
    /// On a thread of its own for each vCPU, as soon as it is due and that
    /// vCPU does not hold the platform lock, concurrently with everything
    /// else.
    Asynchronous,
}

/// Who may deal with whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// Everybody with everybody (`xsm=dummy`).
    #[default]
    Open,
    /// Unprivileged domains only with control domains (`xsm=silo`).
    Silo,
}

/// What a new domain has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DomainConfig {
    /// Pages of RAM, all of it populated; also the most it may have.
    pub ram_pages: u64,
    /// A control domain. The first one becomes dom0.
    pub privileged: bool,
    /// RAM stays where it is, as a dom0's on Arm.
    pub direct_map: bool,
    /// Largest size of the grant table, in frames.
    pub max_grant_frames: u32,
    /// Highest port number.
    pub max_evtchn_port: u32,
    /// How many vCPUs it has, all of them running from the start.
    pub vcpus: u32,
    /// Whether Xen offers the FIFO ABI of event channels.
    pub fifo: bool,
    /// When its upcall runs.
    pub delivery: Delivery,
    /// Pages for the tables of its physmap, which are never given back; as
    /// many as Xen gives it if not said. A dom0 has no limit.
    pub physmap_tables: Option<u64>,
}

impl Default for DomainConfig {
    /// An unprivileged domain with 4 MiB of RAM.
    fn default() -> Self {
        Self {
            ram_pages: 1024,
            privileged: false,
            direct_map: false,
            max_grant_frames: 64,
            max_evtchn_port: 1023,
            vcpus: 1,
            fifo: true,
            delivery: Delivery::Deterministic,
            physmap_tables: None,
        }
    }
}

impl DomainConfig {
    /// As a dom0 on Arm: privileged, direct-mapped, all ports.
    pub fn dom0() -> Self {
        Self {
            privileged: true,
            direct_map: true,
            max_evtchn_port: u32::MAX,
            ..Self::default()
        }
    }

    /// With upcalls run in this way.
    pub fn with_delivery(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }

    /// With this many pages of RAM.
    pub fn with_ram_pages(self, ram_pages: u64) -> Self {
        Self { ram_pages, ..self }
    }

    /// With at most this many frames of grant table.
    pub fn with_max_grant_frames(self, max_grant_frames: u32) -> Self {
        Self {
            max_grant_frames,
            ..self
        }
    }

    /// With this many vCPUs.
    pub fn with_vcpus(self, vcpus: u32) -> Self {
        Self { vcpus, ..self }
    }

    /// On a Xen built without the FIFO ABI of event channels.
    pub fn without_fifo(self) -> Self {
        Self {
            fifo: false,
            ..self
        }
    }

    /// With this many pages for the tables of its physmap.
    pub fn with_physmap_tables(self, pages: u64) -> Self {
        Self {
            physmap_tables: Some(pages),
            ..self
        }
    }

    /// With this highest port number.
    pub fn with_max_evtchn_port(self, max_evtchn_port: u32) -> Self {
        Self {
            max_evtchn_port,
            ..self
        }
    }
}

/// A simulated Xen. Clones are the same one.
#[derive(Clone)]
pub struct Hypervisor {
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    /// Some event was set pending, or some domain died.
    events: Condvar,
    start: Instant,
    trace: Arc<Trace>,
}

impl Default for Hypervisor {
    fn default() -> Self {
        Self::new()
    }
}

impl Hypervisor {
    /// Without domains, and without a security policy.
    pub fn new() -> Self {
        Self::with_policy(Policy::Open)
    }

    /// Without domains.
    pub fn with_policy(policy: Policy) -> Self {
        let machine = Arc::new(Machine::new(MACHINE_PAGES));
        let start = Instant::now();
        let trace = Trace::new(start);
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(State::new(machine, policy, start, trace.clone())),
                events: Condvar::new(),
                start,
                trace,
            }),
        }
    }

    /// From now on without support for emulated devices, as Debian's Xen for
    /// Arm: `dm_op` is -ENOSYS.
    pub fn without_device_models(self) -> Self {
        self.state().device_models = false;
        self
    }

    /// From now on with emulators that are handed whole registers, and whose
    /// answers are, however few bytes an access has: as 4.17, unlike 4.20.
    pub fn with_unmasked_accesses(self) -> Self {
        self.state().masked = false;
        self
    }

    /// From now on with version 2 of grant tables, which Xen has on x86 only:
    /// see [`GuestConfig::with_grants_v2`](crate::GuestConfig::with_grants_v2).
    pub fn with_grants_v2(self) -> Self {
        self.state().grants_v2 = true;
        self
    }

    /// Builds a domain. The first privileged one is number 0; the others are
    /// numbered from 1 up, and no number is used twice.
    ///
    /// # Panics
    ///
    /// If machine memory or host resources run out.
    pub fn create_domain(&self, config: DomainConfig) -> Domain {
        let mut state = self.state();
        let (id, space) = state.create(&config);
        let cpus = state.domains[&id].cpus.clone();
        drop(state);
        Domain {
            shared: Arc::new(Shared {
                hypervisor: self.clone(),
                id,
                space,
                layout: Layout {
                    ram_pages: config.ram_pages,
                },
                cpus,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        delivery::lock(&self.inner.state)
    }

    /// Time since the hypervisor started: the clock of its domains.
    pub fn uptime(&self) -> Duration {
        self.inner.start.elapsed()
    }

    /// Runs the upcalls of deterministic domains on this thread, lowest
    /// domain first, until none is due, and waits until those of asynchronous
    /// domains are at rest. How many upcalls this thread ran.
    ///
    /// # Panics
    ///
    /// If there is no end to it within a minute.
    pub fn deliver_all(&self) -> usize {
        let mut calls = 0;
        let start = Instant::now();
        loop {
            let all: Vec<Arc<Cpus>> = {
                let state = self.state();
                let domains = state.domains.values();
                domains.map(|domain| domain.cpus.clone()).collect()
            };
            // One that was seen at rest may be woken by one that is seen later.
            let raised = || all.iter().map(|cpus| cpus.raises()).sum::<u64>();
            let before = raised();
            let mut rest = true;
            for cpus in &all {
                let ran = match cpus.delivery() {
                    Delivery::Deterministic => cpus.deliver_all(),
                    Delivery::Asynchronous => {
                        rest &= cpus.inside() || !cpus.busy();
                        cpus.deliver_own()
                    }
                };
                rest &= ran == 0;
                calls += ran;
            }
            if rest && raised() == before {
                return calls;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "simulated Xen: the domains' events do not come to rest"
            );
            std::thread::yield_now();
        }
    }

    /// Keeps the last `entries` hypercalls for [`log`](Self::log), from now
    /// on; 0 keeps none, as at first.
    pub fn keep_log(&self, entries: usize) {
        self.state().log.keep(entries);
    }

    /// The last hypercalls, the oldest first.
    pub fn log(&self) -> Vec<LogEntry> {
        self.state().log.entries()
    }

    /// Records what happens from now on, up to this many records, for
    /// [`trace`](Self::trace); 0 stops it, as at first. What was recorded
    /// before is forgotten.
    pub fn record_trace(&self, records: usize) {
        self.inner.trace.record(records);
    }

    /// The timeline since [`record_trace`](Self::record_trace): hypercalls,
    /// events, upcalls and mappings of other domains' pages, by domain and
    /// vCPU, with arrows from the hypercall that sent an event to the upcall
    /// that it led to. As JSON that Chrome's trace viewer (`chrome://tracing`)
    /// and Perfetto open.
    ///
    /// Threads that are the same vCPU have a line each. What has not ended
    /// yet ends now, and has an argument `open`. `otherData` says how many
    /// records were `dropped` for want of room.
    ///
    /// Drawn by `cargo xtask trace-image`:
    #[doc = ""]
    #[doc = include_str!("../guide/timeline.svg")]
    pub fn trace(&self) -> String {
        let (book, now) = self.inner.trace.look();
        trace_json::write(&book, now)
    }

    /// What domains did that Xen allows but that no firmware wants: mapping
    /// over a page, unmapping at the wrong place. The first 1000 of them.
    pub fn warnings(&self) -> Vec<String> {
        self.state().warnings.clone()
    }

    /// How many hypercalls the domain has made.
    pub fn hypercalls(&self, domain: DomId) -> u64 {
        let state = self.state();
        state
            .domains
            .get(&domain.raw())
            .map_or(0, |domain| domain.hypercalls)
    }

    fn add_fault(&self, domain: DomId, place: Place, nth: u64, result: i32) {
        if let Some(domain) = self.state().domains.get_mut(&domain.raw()) {
            domain.faults.add(place, nth, result);
        }
    }

    /// Lets the domain's `nth` hypercall from now on (the next is 1) fail:
    /// it does nothing and its result is `-errno`.
    pub fn fail_hypercall(&self, domain: DomId, nth: u64, errno: i32) {
        self.add_fault(domain, Place::Hypercall, nth, -errno.abs());
    }

    /// Lets the domain's `nth` call of a hook from now on fail, with
    /// nothing done.
    pub fn fail_hook(&self, domain: DomId, hook: Hook, nth: u64) {
        self.add_fault(domain, Place::Hook(hook), nth, 0);
    }

    /// Lets the `nth` single mapping of a grant from now on fail with a
    /// `GNTST_` status, for those that are hard to come by.
    pub fn fail_grant_map(&self, domain: DomId, nth: u64, status: i16) {
        self.add_fault(domain, Place::Map, nth, status.into());
    }

    /// Lets the `nth` single unmapping of a grant from now on fail with a
    /// `GNTST_` status; the mapping stays.
    pub fn fail_grant_unmap(&self, domain: DomId, nth: u64, status: i16) {
        self.add_fault(domain, Place::Unmap, nth, status.into());
    }

    /// Faults of the domain that have not happened yet.
    pub fn faults_left(&self, domain: DomId) -> usize {
        let state = self.state();
        state
            .domains
            .get(&domain.raw())
            .map_or(0, |domain| domain.faults.left())
    }

    /// Takes back all faults of the domain that have not happened yet.
    pub fn clear_faults(&self, domain: DomId) {
        if let Some(domain) = self.state().domains.get_mut(&domain.raw()) {
            domain.faults.clear();
        }
    }
}

impl fmt::Debug for Hypervisor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        f.debug_struct("Hypervisor")
            .field("domains", &state.domains.keys())
            .finish_non_exhaustive()
    }
}
