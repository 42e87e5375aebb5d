// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random hypercalls of several domains: whatever is asked, in whatever
//! order, the hypervisor's books balance, and nothing is left at the end.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering::SeqCst;
use std::vec::Vec;

use super::evtchn_fifo::Fifo;
use super::machine::{Frame, Use};
use super::physmap::{INVALID_GFN, Kind};
use super::ports::Port;
use super::state::State;
use super::{Access, Device, Domain, DomainConfig, Hypervisor, Leaks};
use crate::ffi::abi;
use crate::{PAGE_SIZE, Platform, Protection};

const SELF: u16 = abi::DOMID_SELF as u16;
/// Where no domain has anything.
const REGISTERS: u64 = 0x3000_0000;

/// A small generator (xorshift*): the same numbers for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

struct World {
    random: Random,
    xen: Hypervisor,
    domains: Vec<Domain>,
    device: Device,
    /// Accesses that emulators answered.
    answered: usize,
    /// Versions of grant tables.
    versions: HashSet<u32>,
}

impl World {
    fn new(seed: u64) -> Self {
        let xen = Hypervisor::new().with_grants_v2();
        let small = || DomainConfig::default().with_ram_pages(16);
        let configs = [
            DomainConfig::dom0().with_ram_pages(16),
            small().with_max_evtchn_port(70).with_vcpus(2),
            small().with_max_grant_frames(2).with_vcpus(2),
        ];
        let domains: Vec<Domain> = configs.map(|config| xen.create_domain(config)).into();
        for domain in &domains {
            let window = domain.grant_window();
            let mut op = abi::xen_add_to_physmap {
                domid: SELF,
                size: 0,
                space: abi::XENMAPSPACE_grant_table,
                idx: 0,
                gpfn: window.gfn.raw(),
            };
            assert_eq!(memory(domain, abi::XENMEM_add_to_physmap, &mut op), 0);
            // SAFETY: a window of this domain that nothing else uses.
            unsafe {
                let prot = Protection { write: true };
                domain.map(window.va, window.gfn, 1, prot).unwrap();
            }
        }
        Self {
            random: Random(seed),
            device: xen.create_device(3),
            xen,
            domains,
            answered: 0,
            versions: HashSet::new(),
        }
    }

    fn domain(&mut self) -> Domain {
        let count = self.domains.len() as u64;
        self.domains[self.random.below(count) as usize].clone()
    }

    fn domid(&mut self) -> u16 {
        self.random.of(&[0, 1, 2, 1, 2, 9, SELF])
    }

    fn port(&mut self) -> u32 {
        let port = self.random.below(20) as u32;
        self.random.of(&[port, port, port, 70, 127, 5000])
    }

    fn gref(&mut self) -> u32 {
        let gref = self.random.below(12) as u32;
        self.random.of(&[gref, gref, gref, 600, 1 << 30])
    }

    /// A frame of RAM or of the extended region, or none at all.
    fn gfn(&mut self, domain: &Domain) -> u64 {
        let (ram, empty) = (domain.ram().gfn.raw(), domain.extended_region().gfn.raw());
        let near = self.random.below(16);
        self.random
            .of(&[ram + near, empty + near, empty + near, 1 << 40, INVALID_GFN])
    }

    fn event(&mut self, domain: &Domain) {
        let (dom, remote, port, vcpu) = (
            self.domid(),
            self.domid(),
            self.port(),
            self.random.of(&[0, 0, 0, 1, 1, 2]),
        );
        let gfn = self.gfn(domain);
        // Every argument structure, at its largest.
        let mut words = [0u32; 8];
        let cmd = self.random.below(14) as u32;
        match cmd {
            abi::EVTCHNOP_alloc_unbound => words[0] = u32::from(dom) | u32::from(remote) << 16,
            abi::EVTCHNOP_bind_interdomain | abi::EVTCHNOP_status | abi::EVTCHNOP_reset => {
                words[0] = u32::from(dom);
                words[1] = port;
            }
            abi::EVTCHNOP_bind_virq => {
                words[0] = self.random.below(26) as u32;
                words[1] = vcpu;
            }
            abi::EVTCHNOP_bind_ipi => words[0] = vcpu,
            abi::EVTCHNOP_init_control | abi::EVTCHNOP_expand_array => {
                words[0] = gfn as u32;
                words[1] = (gfn >> 32) as u32;
                words[2] = self.random.of(&[0, 0, 72, 4024, 4032, 4]);
                words[3] = vcpu;
            }
            _ => {
                words[0] = port;
                words[1] = vcpu;
            }
        }
        // Resets would leave little to test.
        if cmd != abi::EVTCHNOP_reset || self.random.below(50) == 0 {
            call(domain, abi::__HYPERVISOR_event_channel_op, cmd, &mut words);
        }
    }

    fn vcpu(&mut self, domain: &Domain) {
        let mut op = abi::vcpu_register_vcpu_info {
            mfn: self.gfn(domain),
            offset: self.random.of(&[0, 64, 4032, 4040, 1]),
            rsvd: 0,
        };
        let arg = std::ptr::from_mut(&mut op) as usize;
        let cmd = abi::VCPUOP_register_vcpu_info as usize;
        let vcpu = self.random.below(3) as usize;
        // SAFETY: the argument is what the operation takes.
        unsafe { domain.hypercall(abi::__HYPERVISOR_vcpu_op, [cmd, vcpu, arg, 0, 0]) };
    }

    /// A well-behaved granter: entries in use are left alone.
    fn grant(&mut self, domain: &Domain) {
        let gref = self.random.below(12) as u32;
        let (to, gfn) = (self.random.below(3), self.gfn(domain));
        let flags = self.random.of(&[0, 0, 1, 1, 1, 5, 0x101, 3]);
        // Of a part, its offset and length; of what is passed on, from whom.
        let detail = self.random.of(&[to, 0x800_0010, 0x1000_0000]);
        let from = u64::from(self.gref());
        let state = self.xen.state();
        let grants = &state.domains[&domain.shared.id].grants;
        if grants.active.contains_key(&gref) {
            return;
        }
        let (mfn, at) = grants.place(gref);
        let header = flags | to << 16;
        if grants.version == 1 {
            let entry = header | (gfn & 0xffff_ffff) << 32;
            state.machine.u64(mfn, at).store(entry, SeqCst);
        } else {
            let frame = if flags == 3 { from } else { gfn };
            state.machine.u64(mfn, at + 8).store(frame, SeqCst);
            state
                .machine
                .u64(mfn, at)
                .store(header | detail << 32, SeqCst);
        }
    }

    /// Another version of the table, or where its frames are.
    fn grant_table(&mut self, domain: &Domain) {
        if self.random.below(2) == 0 {
            let version = self.random.of(&[1, 2, 2, 3]);
            let mut op = abi::gnttab_set_version { version };
            grants(domain, abi::GNTTABOP_set_version, &mut op);
            let state = self.xen.state();
            self.versions
                .insert(state.domains[&domain.shared.id].grants.version);
            return;
        }
        let status = u64::from(abi::XENMAPIDX_grant_table_status);
        let mut op = abi::xen_add_to_physmap {
            domid: SELF,
            size: 0,
            space: abi::XENMAPSPACE_grant_table,
            idx: self.random.of(&[1, status, status, status | 1, status | 7]),
            gpfn: self.gfn(domain),
        };
        memory(domain, abi::XENMEM_add_to_physmap, &mut op);
    }

    fn map(&mut self, domain: &Domain) {
        let mut op = abi::gnttab_map_grant_ref {
            host_addr: self.gfn(domain) << 12,
            flags: self.random.of(&[2, 2, 6, 6, 6, 0, 3, 0x10002]),
            ref_: self.gref(),
            dom: self.domid(),
            ..Default::default()
        };
        grants(domain, abi::GNTTABOP_map_grant_ref, &mut op);
    }

    fn unmap(&mut self, domain: &Domain) {
        let mut op = abi::gnttab_unmap_grant_ref {
            host_addr: if self.random.below(8) == 0 {
                0
            } else {
                self.gfn(domain) << 12
            },
            handle: self.random.below(40) as u32,
            ..Default::default()
        };
        // Mostly at the right place.
        if self.random.below(4) > 0 {
            let state = self.xen.state();
            let physmap = &state.domains[&domain.shared.id].physmap;
            let grants: Vec<u64> = physmap
                .iter()
                .filter(|(_, entry)| matches!(entry.kind, Kind::Grant { .. }))
                .map(|(gfn, _)| gfn)
                .collect();
            drop(state);
            if !grants.is_empty() {
                op.host_addr = self.random.of(&grants) << 12;
            }
        }
        grants(domain, abi::GNTTABOP_unmap_grant_ref, &mut op);
    }

    fn copy(&mut self, domain: &Domain) {
        let mut op = abi::gnttab_copy {
            source: self.copy_end(domain),
            dest: self.copy_end(domain),
            len: self.random.below(300) as u16,
            flags: self.random.below(4) as u16,
            status: 0,
        };
        grants(domain, abi::GNTTABOP_copy, &mut op);
    }

    fn copy_end(&mut self, domain: &Domain) -> abi::gnttab_copy_gnttab_copy_ptr {
        let mut end = abi::gnttab_copy_gnttab_copy_ptr {
            domid: self.domid(),
            offset: self.random.below(PAGE_SIZE as u64) as u16,
            ..Default::default()
        };
        if self.random.below(2) == 0 {
            end.u.gmfn = self.gfn(domain);
        } else {
            end.u.ref_ = self.gref();
        }
        end
    }

    fn other_grant_op(&mut self, domain: &Domain) {
        let mut words = [0u32; 16];
        words[0] = self.gref();
        words[1] = self.gref();
        let cmd = self.random.of(&[
            abi::GNTTABOP_swap_grant_ref,
            abi::GNTTABOP_query_size,
            abi::GNTTABOP_get_version,
            abi::GNTTABOP_transfer,
        ]);
        if cmd != abi::GNTTABOP_swap_grant_ref {
            words[0] = self.domid().into();
        }
        grants(domain, cmd, &mut words);
    }

    fn reservation(&mut self, domain: &Domain) {
        let mut list = [self.gfn(domain), self.gfn(domain)];
        let mut op = abi::xen_memory_reservation {
            nr_extents: self.random.below(3),
            extent_order: self.random.of(&[0, 0, 0, 1, 20]),
            domid: self.domid(),
            ..Default::default()
        };
        op.extent_start.p = list.as_mut_ptr();
        let cmd = self.random.of(&[
            abi::XENMEM_populate_physmap,
            abi::XENMEM_populate_physmap,
            abi::XENMEM_decrease_reservation,
        ]);
        memory(domain, cmd, &mut op);
    }

    fn physmap(&mut self, domain: &Domain) {
        let gfn = self.gfn(domain);
        let domid = self.domid();
        if self.random.below(2) == 0 {
            let mut op = abi::xen_remove_from_physmap { domid, gpfn: gfn };
            memory(domain, abi::XENMEM_remove_from_physmap, &mut op);
            return;
        }
        let mut op = abi::xen_add_to_physmap {
            domid,
            size: 0,
            space: self.random.of(&[0, 0, 1, 1, 2, 4, 9]),
            idx: self.random.below(4),
            gpfn: gfn,
        };
        memory(domain, abi::XENMEM_add_to_physmap, &mut op);
    }

    fn foreign(&mut self, domain: &Domain) {
        let (mut index, mut gfn, mut error) = (self.gfn(domain), self.gfn(domain), 0);
        // Over the same page Xen would count it twice for ever.
        let state = self.xen.state();
        if state.domains[&domain.shared.id].physmap.get(gfn).is_some() {
            return;
        }
        drop(state);
        let mut op = abi::xen_add_to_physmap_batch {
            domid: SELF,
            space: abi::XENMAPSPACE_gmfn_foreign as u16,
            size: 1,
            ..Default::default()
        };
        op.u.foreign_domid = self.domid();
        op.idxs.p = &mut index;
        op.gpfns.p = &mut gfn;
        op.errs.p = &mut error;
        memory(domain, abi::XENMEM_add_to_physmap_batch, &mut op);
    }

    fn domctl(&mut self, domain: &Domain) {
        let mut op = abi::xen_domctl {
            interface_version: self.random.of(&[0x15, 0x15, 0x15, 0x14]),
            domain: self.domid(),
            ..Default::default()
        };
        let mfn = self.device.frame() + self.random.below(4);
        let nr_mfns = self.random.below(3);
        match self.random.below(20) {
            0 => {
                op.cmd = abi::XEN_DOMCTL_set_target;
                op.u.set_target.target = self.domid();
            }
            // Never less, or a domain would have more than it may.
            1 => {
                op.cmd = abi::XEN_DOMCTL_max_mem;
                op.u.max_mem.max_memkb = 32 * 4;
            }
            2..8 => {
                op.cmd = abi::XEN_DOMCTL_iomem_permission;
                op.u.iomem_permission = abi::xen_domctl_iomem_permission {
                    first_mfn: mfn,
                    nr_mfns,
                    allow_access: self.random.of(&[0, 1, 1]),
                };
            }
            _ => {
                op.cmd = abi::XEN_DOMCTL_memory_mapping;
                op.u.memory_mapping = abi::xen_domctl_memory_mapping {
                    first_gfn: self.gfn(domain),
                    first_mfn: mfn,
                    nr_mfns,
                    add_mapping: self.random.of(&[0, 1]),
                    padding: 0,
                };
            }
        }
        let arg = std::ptr::from_mut(&mut op) as usize;
        // SAFETY: the argument is what the operation takes.
        unsafe { domain.hypercall(abi::__HYPERVISOR_domctl, [arg, 0, 0, 0, 0]) };
    }

    fn device_model(&mut self, domain: &Domain) {
        let dom = self.domid();
        let id = self.random.below(2) as u16;
        let mut u = abi::xen_dm_op::default().u;
        let op = self.random.of(&[
            abi::XEN_DMOP_create_ioreq_server,
            abi::XEN_DMOP_create_ioreq_server,
            abi::XEN_DMOP_destroy_ioreq_server,
            abi::XEN_DMOP_map_io_range_to_ioreq_server,
            abi::XEN_DMOP_map_io_range_to_ioreq_server,
            abi::XEN_DMOP_map_io_range_to_ioreq_server,
            abi::XEN_DMOP_unmap_io_range_from_ioreq_server,
            abi::XEN_DMOP_set_irq_level,
            abi::XEN_DMOP_nr_vcpus,
        ]);
        let start = REGISTERS + self.random.below(16);
        match op {
            abi::XEN_DMOP_create_ioreq_server => {
                u.create_ioreq_server.handle_bufioreq = self.random.of(&[0, 0, 0, 1]);
            }
            abi::XEN_DMOP_destroy_ioreq_server => u.destroy_ioreq_server.id = id,
            abi::XEN_DMOP_set_irq_level => u.set_irq_level.irq = self.random.below(80) as u32,
            _ => {
                u.map_io_range_to_ioreq_server = abi::xen_dm_op_ioreq_server_range {
                    id,
                    type_: self.random.of(&[1, 1, 0, 3]),
                    start,
                    end: start + self.random.below(64),
                    pad: 0,
                };
            }
        }
        dm_op(domain, dom, op, u);
    }

    /// An access to a device that `domain` emulates, if it does. Its emulator
    /// is on for that time only: nobody else answers.
    fn access(&mut self, domain: &Domain) {
        let target = self.domain();
        let (dom, id) = (target.shared.id, self.random.below(2) as u16);
        let mut gfn = self.gfn(domain);
        let state = self.xen.state();
        if state.domains[&domain.shared.id].physmap.get(gfn).is_some() {
            return;
        }
        drop(state);
        let mut op = abi::xen_mem_acquire_resource {
            domid: dom,
            type_: abi::XENMEM_resource_ioreq_server as u16,
            id: id.into(),
            nr_frames: 1,
            frame: self.random.of(&[1, 1, 1, 0, 2]),
            ..Default::default()
        };
        op.frame_list.p = &mut gfn;
        if memory(domain, abi::XENMEM_acquire_resource, &mut op) != 0 {
            return;
        }
        let enable = |enabled| {
            let mut u = abi::xen_dm_op::default().u;
            u.set_ioreq_server_state = abi::xen_dm_op_set_ioreq_server_state {
                id,
                enabled,
                pad: 0,
            };
            let rc = dm_op(domain, dom, abi::XEN_DMOP_set_ioreq_server_state, u);
            assert_eq!(rc, 0);
        };
        enable(1);
        let at = REGISTERS + self.random.below(20);
        let mut pending = target.begin_access(at, self.random.of(&[1, 2, 4, 8]), None);
        if pending.poll().is_none() {
            let mut state = self.xen.state();
            let page = state.domains[&domain.shared.id].physmap.get(gfn);
            let mfn = page.expect("acquired just now").mfn;
            assert_eq!(state.machine.u64(mfn, 0).load(SeqCst), at);
            state.machine.u64(mfn, 8).store(0x5a, SeqCst);
            state.machine.u8(mfn, 30).store(0x23, SeqCst);
            state.wake_for_io(dom, 0);
            self.xen.leave(state);
            self.answered += 1;
            assert_eq!(pending.poll(), Some(Access::Done(0x5a)));
        }
        enable(0);
        if self.random.below(4) > 0 {
            let mut op = abi::xen_remove_from_physmap {
                domid: SELF,
                gpfn: gfn,
            };
            assert_eq!(memory(domain, abi::XENMEM_remove_from_physmap, &mut op), 0);
        }
    }

    fn step(&mut self) {
        let domain = self.domain();
        match self.random.below(15) {
            12 => self.domctl(&domain),
            13 | 14 => {
                // Mostly the one that may.
                let control = self.domains[0].clone();
                let domain = self.random.of(&[&control, &control, &domain]).clone();
                if self.random.below(2) == 0 {
                    self.device_model(&domain);
                } else {
                    self.access(&domain);
                }
            }
            0..3 => self.event(&domain),
            3 | 4 => self.grant(&domain),
            5 | 6 => self.map(&domain),
            7 => self.unmap(&domain),
            8 => self.copy(&domain),
            9 => self.physmap(&domain),
            10 => match self.random.below(3) {
                0 => self.reservation(&domain),
                1 => self.other_grant_op(&domain),
                _ => self.foreign(&domain),
            },
            _ => match self.random.below(20) {
                0 => self.vcpu(&domain),
                1 => self.grant_table(&domain),
                _ => self.unmap(&domain),
            },
        }
    }
}

fn call<T>(domain: &Domain, op: u32, cmd: u32, arg: &mut T) -> isize {
    let arg = std::ptr::from_mut(arg) as usize;
    // SAFETY: the argument is as large as any that the operation takes.
    unsafe { domain.hypercall(op, [cmd as usize, arg, 1, 0, 0]) }
}

fn memory<T>(domain: &Domain, cmd: u32, arg: &mut T) -> isize {
    call(domain, abi::__HYPERVISOR_memory_op, cmd, arg)
}

fn dm_op(domain: &Domain, dom: u16, op: u32, u: abi::xen_dm_op__bindgen_ty_1) -> isize {
    let mut op = abi::xen_dm_op { op, pad: 0, u };
    let mut buffer = abi::xen_dm_op_buf {
        size: size_of_val(&op) as u64,
        ..Default::default()
    };
    buffer.h.p = std::ptr::from_mut(&mut op).cast();
    let arg = std::ptr::from_mut(&mut buffer) as usize;
    // SAFETY: one buffer, with an operation in it.
    unsafe { domain.hypercall(abi::__HYPERVISOR_dm_op, [dom.into(), 1, arg, 0, 0]) }
}

fn grants<T>(domain: &Domain, cmd: u32, arg: &mut T) {
    call(domain, abi::__HYPERVISOR_grant_table_op, cmd, arg);
}

/// The books, from first principles.
fn check(state: &State) {
    let mut refs: HashMap<u64, u32> = HashMap::new();
    let mut pins: HashMap<u64, u32> = HashMap::new();
    for (&id, domain) in &state.domains {
        for (port, end) in domain.ports.iter() {
            if let Port::Interdomain { remote, port: peer } = end {
                let back = Port::Interdomain { remote: id, port };
                let other = state.domains[&remote].ports.iter().nth(peer as usize);
                assert_eq!(other, Some((peer, back)), "d{id} port {port}");
            }
        }
        let fifo = domain.fifo.iter().flat_map(Fifo::frames);
        for mfn in fifo.chain(domain.vcpus.iter().filter_map(|vcpu| vcpu.info)) {
            *pins.entry(mfn).or_default() += 1;
        }
        for (dom, gref) in domain.maptrack.iter() {
            let mfn = state.pinned_frame(dom, gref).expect("in use while mapped");
            *refs.entry(mfn).or_default() += 1;
        }
        for (gref, active, flags) in state.active_grants(id) {
            assert!(active.readers + active.writers > 0);
            assert!(flags & 8 != 0, "d{id} gref {gref}: {flags:#x}");
            let writing = active.writers > 0;
            assert_eq!(flags & 16 != 0, writing, "d{id} gref {gref}: {flags:#x}");
        }
        for (gfn, entry) in domain.physmap.iter() {
            let frame = state.frames.get(entry.mfn);
            match entry.kind {
                Kind::Foreign { .. } => *refs.entry(entry.mfn).or_default() += 1,
                Kind::Ram if frame.used == Use::XenHeap => {
                    assert_eq!(frame.gfn, Some(gfn), "d{id}: a Xen page at two places");
                }
                Kind::Ram => assert_eq!(frame.owner, Some(id)),
                Kind::Grant { .. } | Kind::Device => {}
            }
        }
        assert!(state.frames.ram_of(id) <= domain.max_pages);
    }
    for (mfn, frame) in state.frames.iter() {
        let expected = refs.get(&mfn).copied().unwrap_or(0);
        assert_eq!(frame.refs, expected, "references to frame {mfn:#x}");
        let expected = pins.get(&mfn).copied().unwrap_or(0);
        assert_eq!(frame.pins, expected, "frame {mfn:#x} in use by Xen");
        let used = frame.refs > 0 || frame.pins > 0 || frame.allocated;
        assert!(frame.owner.is_some() || !used);
    }
}

#[test]
fn books_balance_whatever_is_asked() {
    let mut seen = Leaks::default();
    let (mut pages, mut answered, mut versions) = (0, 0, 0);
    for seed in 1..=20 {
        let mut world = World::new(seed * 0x9e37_79b9);
        for step in 0..3000 {
            world.step();
            if step % 10 == 0 {
                check(&world.xen.state());
            }
        }
        let leaks = world.xen.leaks();
        let state = world.xen.state();
        let fifos = state.domains.values().filter_map(|d| d.fifo.as_ref());
        pages += fifos.map(|fifo| fifo.frames().count()).sum::<usize>();
        drop(state);
        answered += world.answered;
        versions += world.versions.len();
        seen.ports += leaks.ports;
        seen.mappings += leaks.mappings;
        seen.foreign_mappings += leaks.foreign_mappings;
        // In any order of dying.
        while !world.domains.is_empty() {
            let index = world.random.below(world.domains.len() as u64) as usize;
            world.domains.swap_remove(index);
            check(&world.xen.state());
        }
        let state = world.xen.state();
        assert!(state.domains.is_empty(), "a dead domain is still there");
        let gone = |frame: &Frame| frame.owner.is_none() || frame.used == Use::Device;
        assert!(state.frames.iter().all(|(_, frame)| gone(frame)));
    }
    // It was not all refused.
    assert!(seen.ports > 100 && seen.mappings > 10 && seen.foreign_mappings > 5);
    assert!(pages > 50, "{pages}");
    assert!(answered > 50, "{answered}");
    assert!(versions > 30, "{versions}");
}
