// SPDX-License-Identifier: MIT OR Apache-2.0
//! A control domain that manages the memory of domain A.

#![allow(dead_code)]

use std::cell::Cell;

use xen_guest::ffi;
use xen_guest::sim::{Device, Domain, DomainConfig, Frame, Hypervisor, Leaks, Policy};
use xen_guest::{Gfn, Guest, Region, Window, region_metadata};

use super::{Setup, Vm};
use crate::common::{self, Hooked, Storage};

/// Pages of the control domain's region.
pub const REGION: u32 = 64;

/// Nothing is there in any domain.
pub const HOLE: usize = 0x8000_0000;

/// Pages that A may have beyond its first.
pub const SLACK: u64 = 4096;

pub struct Manager<'a> {
    pub xen: Hypervisor,
    pub dom0: Domain,
    pub a: Domain,
    pub guest: &'a Guest<'a>,
    /// What the control domain runs on.
    pub hooked: &'a Hooked,
    /// Two pages of registers.
    pub device: Device,
    /// A vCPU may wait when its emulator goes.
    pub may_leave_waiting: Cell<bool>,
    /// Somebody puts memory where some is.
    pub overwrites: Cell<bool>,
}

/// What a failed call must leave as it was.
#[derive(Debug, PartialEq)]
pub struct Picture {
    leaks: Leaks,
    table: Vec<String>,
    a: Vec<Frame>,
    dom0: Vec<Frame>,
    pages: u64,
}

/// What the simulation is like.
#[derive(Clone, Debug)]
pub struct World {
    pub manager: DomainConfig,
    pub a: DomainConfig,
    pub policy: Policy,
    /// Pages that A may have beyond those of its start.
    pub slack: u64,
    pub region: u32,
}

impl Default for World {
    fn default() -> Self {
        Self {
            manager: DomainConfig::dom0(),
            a: DomainConfig::default().with_vcpus(2),
            policy: Policy::Open,
            slack: SLACK,
            region: REGION,
        }
    }
}

pub fn with_manager(world: World, body: impl FnOnce(&Manager<'_>)) {
    let xen = Hypervisor::with_policy(world.policy);
    // The first one is privileged in any case.
    let first = xen.create_domain(DomainConfig::dom0());
    let dom0 = if world.manager.privileged {
        first.clone()
    } else {
        xen.create_domain(world.manager.clone())
    };
    let a = xen.create_domain(world.a.clone());
    let device = xen.create_device(2);
    let mut metadata = vec![0; region_metadata(world.region.max(1))];
    let whole = dom0.extended_region();
    let window = Window {
        pages: world.region.max(1),
        ..whole
    };
    // SAFETY: frames of the domain that nobody else takes.
    let mut regions = [unsafe { Region::new(&window, &mut metadata) }.unwrap()];
    let hooked = Hooked::new(&dom0);
    let mut storage = Storage::new();
    let mut config = common::config(&dom0);
    if world.region > 0 {
        config = config.with_regions(&mut regions);
    }
    // SAFETY: a domain of the test's own, whose windows nobody else uses.
    let guest = unsafe { Guest::new(&mut storage, &hooked, config) }.unwrap();
    let leaks = xen.leaks();
    let manager = Manager {
        xen: xen.clone(),
        dom0: dom0.clone(),
        a: a.clone(),
        guest: &guest,
        hooked: &hooked,
        device,
        may_leave_waiting: Cell::new(false),
        overwrites: Cell::new(false),
    };
    if world.slack > 0 && world.manager.privileged {
        manager.allow(world.a.ram_pages + world.slack);
    }
    body(&manager);
    assert_eq!(manager.region_used(), 0);
    if a.exists() {
        assert_eq!(xen.leaks(), leaks);
    }
    let left_waiting = "destroyed with an access unanswered";
    let mut warnings = xen.warnings();
    if manager.may_leave_waiting.get() {
        warnings.retain(|warning| !warning.ends_with(left_waiting));
    }
    if manager.overwrites.get() {
        warnings.clear();
    }
    assert_eq!(warnings, [""; 0]);
    drop(manager);
    guest.finish().unwrap();
}

impl Manager<'_> {
    pub fn id(&self) -> u16 {
        self.a.domid().raw()
    }

    /// For A, with traps for two vCPUs and windows on devices.
    pub fn setup(&self) -> Setup {
        Setup {
            own_number: self.dom0.domid().raw(),
            vcpus: 2,
            ..Setup::new(self.id())
        }
    }

    pub fn vm(&self, setup: Setup) -> Vm {
        Vm::new(self.guest.as_raw(), setup)
    }

    pub fn allow(&self, pages: u64) {
        // SAFETY: the guest is set up.
        let rc = unsafe { ffi::xg_domctl_max_mem(self.guest.as_raw(), self.id(), pages * 4) };
        assert_eq!(rc, 0);
    }

    pub fn permit(&self, mfn: u64, allow: bool) {
        // SAFETY: the guest is set up.
        let rc = unsafe {
            ffi::xg_domctl_iomem_permission(self.guest.as_raw(), self.id(), mfn, 1, allow)
        };
        assert_eq!(rc, 0);
    }

    /// How many pages A has.
    pub fn pages(&self) -> u64 {
        self.guest
            .physmap_of(self.a.domid())
            .current_reservation()
            .unwrap_or(0)
    }

    /// What A has at an address.
    pub fn frame(&self, addr: usize) -> Frame {
        self.a.frame(Gfn::containing(addr as u64))
    }

    fn region_frames(&self) -> Vec<Frame> {
        let first = self.dom0.extended_region().gfn.raw();
        (first..first + u64::from(REGION))
            .map(|gfn| self.dom0.frame(Gfn::new(gfn)))
            .collect()
    }

    /// Frames of the region that hold something, once nothing should.
    fn region_used(&self) -> usize {
        let frames = self.region_frames();
        frames
            .iter()
            .filter(|frame| **frame != Frame::Empty)
            .count()
    }

    /// Of `pages` frames from `HOLE` on, without the numbers of those that
    /// come from Xen.
    pub fn picture(&self, vm: &Vm, pages: usize) -> Picture {
        let kind = |frame| match frame {
            Frame::Own(_) => Frame::Own(0),
            Frame::Foreign(_) => Frame::Foreign(0),
            other => other,
        };
        Picture {
            leaks: self.xen.leaks(),
            table: vm.picture(),
            a: (0..pages)
                .map(|page| kind(self.frame(HOLE + page * super::PAGE)))
                .collect(),
            dom0: self.region_frames().into_iter().map(kind).collect(),
            pages: self.pages(),
        }
    }

    /// How many hypercalls the control domain makes in `body`.
    pub fn hypercalls<R>(&self, body: impl FnOnce() -> R) -> (R, u64) {
        let before = self.xen.hypercalls(self.dom0.domid());
        let result = body();
        (result, self.xen.hypercalls(self.dom0.domid()) - before)
    }
}
