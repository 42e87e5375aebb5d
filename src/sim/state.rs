// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything the hypervisor knows, behind its one lock: domains, frames,
//! and the rules about who may do what to whom.

use std::collections::{BTreeMap, BTreeSet};
use std::string::String;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::delivery::Cpus;
use super::evtchn_fifo::Fifo;
use super::fault::Faults;
use super::gntmap::Maptrack;
use super::gnttab::GrantTable;
use super::hvm::Params;
use super::hypercall::Argument;
use super::ioreq::Server;
use super::log::Log;
use super::machine::{Frames, Machine, Use};
use super::pages::Pages;
use super::physmap::{AddressSpace, Entry, Kind, Layout, Physmap};
use super::ports::Ports;
use super::sharedinfo::{SharedInfo, VcpuInfo};
use super::trace::Trace;
use super::vcpu::{Vcpu, Waiter};
use super::{Delivery, DomainConfig, Policy};
use crate::ffi::abi;
use crate::{Error, Result};

/// The first mistakes tell more than a million of the same.
const MAX_WARNINGS: usize = 1000;
/// Of a domain on Arm with a GICv3.
const MAX_VCPUS: u32 = 128;

pub(super) struct DomainState {
    pub(super) id: u16,
    pub(super) privileged: bool,
    /// Dead, but frames of it are still referenced.
    pub(super) dying: bool,
    pub(super) max_pages: u64,
    /// Frames of device memory that it may have mapped.
    pub(super) iomem: BTreeSet<u64>,
    /// How often it is paused.
    pub(super) pauses: u32,
    /// Whose device model it is.
    pub(super) target: Option<u16>,
    /// The emulators of its devices.
    pub(super) servers: [Option<Server>; 8],
    /// The interrupts that they hold raised.
    pub(super) irqs: BTreeSet<u32>,
    /// A direct-mapped domain's RAM can only be where it always was: the
    /// first machine frame of it.
    pub(super) direct: Option<u64>,
    pub(super) layout: Layout,
    pub(super) physmap: Physmap,
    pub(super) shared_info: SharedInfo,
    pub(super) cpus: Arc<Cpus>,
    /// What of each vCPU only Xen sees.
    pub(super) vcpus: Vec<Vcpu>,
    /// Hypercalls that wait.
    pub(super) waiters: Vec<Waiter>,
    pub(super) ports: Ports,
    /// With the FIFO ABI; 2-level otherwise.
    pub(super) fifo: Option<Fifo>,
    pub(super) fifo_allowed: bool,
    pub(super) effects: Effects,
    pub(super) grants: GrantTable,
    pub(super) maptrack: Maptrack,
    pub(super) pages: Pages,
    pub(super) params: Params,
    pub(super) faults: Faults,
    pub(super) hypercalls: u64,
    pub(super) console: Vec<u8>,
    pub(super) shutdown: Option<u32>,
}

/// What is still to be done for others after something changed a domain.
#[derive(Clone, Copy, Default)]
pub(super) struct Effects {
    /// An upcall flag was set.
    pub(super) raised: bool,
    /// A waiting hypercall is to go on.
    pub(super) woken: bool,
    /// An event was lost, which Xen would print.
    pub(super) lost: bool,
}

pub(super) struct State {
    start: Instant,
    pub(super) machine: Arc<Machine>,
    pub(super) frames: Frames,
    pub(super) domains: BTreeMap<u16, DomainState>,
    pub(super) silo: bool,
    /// Frames of device memory.
    pub(super) devices: BTreeSet<u64>,
    /// Built with support for emulators.
    pub(super) device_models: bool,
    /// Offers version 2 of the grant table.
    pub(super) grants_v2: bool,
    /// Emulators and vCPUs exchange what fits an access, not whole registers.
    pub(super) masked: bool,
    /// The vCPU whose hypercall this is.
    pub(super) current: (u16, u32),
    next_id: u16,
    /// Domains of whose vCPUs Xen set an upcall flag since it was last looked.
    pub(super) raised: Vec<Arc<Cpus>>,
    /// Waiting hypercalls are to look.
    pub(super) wake: bool,
    pub(super) next_waiter: u64,
    pub(super) log: Log,
    pub(super) trace: Arc<Trace>,
    pub(super) warnings: Vec<String>,
}

impl State {
    pub(super) fn new(
        machine: Arc<Machine>,
        policy: Policy,
        start: Instant,
        trace: Arc<Trace>,
    ) -> Self {
        Self {
            start,
            frames: Frames::new(machine.pages()),
            machine,
            domains: BTreeMap::new(),
            silo: policy == Policy::Silo,
            devices: BTreeSet::new(),
            device_models: true,
            grants_v2: false,
            masked: true,
            current: (abi::DOMID_IDLE as u16, 0),
            next_id: 1,
            raised: Vec::new(),
            wake: false,
            next_waiter: 0,
            log: Log::default(),
            trace,
            warnings: Vec::new(),
        }
    }

    /// System time.
    pub(super) fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Makes a domain; its number and its address space.
    pub(super) fn create(&mut self, config: &DomainConfig) -> (u16, Arc<AddressSpace>) {
        let id = if config.privileged && !self.domains.contains_key(&0) {
            0
        } else {
            self.next_id += 1;
            self.next_id - 1
        };
        assert!(u32::from(id) < abi::DOMID_FIRST_RESERVED);
        let layout = Layout {
            ram_pages: config.ram_pages,
        };
        let machine = self.machine.clone();
        let full = "simulated Xen: out of machine memory";
        let mut alloc = |used, count| self.frames.alloc(&machine, id, used, count).expect(full);
        let ram = alloc(Use::Ram, config.ram_pages);
        let shared_info = alloc(Use::XenHeap, 1);
        let first_grant_frame = alloc(Use::XenHeap, 1);
        let space = Arc::new(AddressSpace::new(layout.end()));
        assert!(
            (1..=MAX_VCPUS).contains(&config.vcpus),
            "simulated Xen: a domain has 1 to {MAX_VCPUS} vCPUs"
        );
        // A dom0's come from Xen's own memory.
        let tables = if id == 0 {
            u64::MAX
        } else {
            config
                .physmap_tables
                .unwrap_or_else(|| default_tables(config.ram_pages, config.vcpus))
        };
        let now = self.now();
        let info = |vcpu| VcpuInfo::new(machine.clone(), shared_info, vcpu);
        let infos = (0..config.vcpus).map(info).collect();
        let domain = DomainState {
            id,
            privileged: config.privileged,
            dying: false,
            max_pages: config.ram_pages,
            iomem: if config.privileged {
                self.devices.clone()
            } else {
                BTreeSet::new()
            },
            pauses: 0,
            target: None,
            servers: Default::default(),
            irqs: BTreeSet::new(),
            direct: config.direct_map.then_some(ram),
            layout,
            physmap: Physmap::new(
                machine.clone(),
                space.clone(),
                layout,
                ram,
                tables,
                (id, self.trace.clone()),
            ),
            shared_info: SharedInfo::new(machine.clone(), shared_info),
            cpus: Cpus::new(infos, config.delivery, (id, self.trace.clone())),
            vcpus: (0..config.vcpus).map(|_| Vcpu::new(now)).collect(),
            waiters: Vec::new(),
            ports: Ports::new(config.max_evtchn_port),
            fifo: None,
            fifo_allowed: config.fifo,
            effects: Effects::default(),
            grants: GrantTable::new(first_grant_frame, config.max_grant_frames),
            maptrack: Maptrack::default(),
            pages: Pages::new(layout),
            params: Params::new(id),
            faults: Faults::default(),
            hypercalls: 0,
            console: Vec::new(),
            shutdown: None,
        };
        self.domains.insert(id, domain);
        self.trace.note(id, "created");
        (id, space)
    }

    /// Kills a domain. What others still have mapped of it stays until they
    /// let go, and so long Xen still finds the domain by its number.
    pub(super) fn destroy(&mut self, dom: u16) {
        if self.domains.get(&dom).is_none_or(|domain| domain.dying) {
            return;
        }
        self.destroy_ports(dom);
        self.release_servers(dom);
        self.release_vcpus(dom);
        self.release_mappings(dom);
        if let Some(domain) = self.domains.get_mut(&dom) {
            domain.dying = true;
            self.trace.note(dom, "destroyed");
            domain.physmap.clear(&mut self.frames);
        }
        for mfn in self.frames.owned_by(dom) {
            if self.frames.get(mfn).used == Use::Ram {
                self.frames.give_up(mfn);
            }
        }
        self.reap();
    }

    /// Forgets dead domains of which nothing is referenced any more.
    pub(super) fn reap(&mut self) {
        let dead: Vec<u16> = self
            .domains
            .values()
            .filter(|domain| domain.dying && !self.frames.referenced(domain.id))
            .map(|domain| domain.id)
            .collect();
        for dom in dead {
            self.domains.remove(&dom);
            for mfn in self.frames.owned_by(dom) {
                self.frames.give_up(mfn);
            }
        }
    }

    pub(super) fn domain(&self, dom: u16) -> Result<&DomainState> {
        self.domains.get(&dom).ok_or(Error::NoSuchDomain)
    }

    pub(super) fn domain_mut(&mut self, dom: u16) -> Result<&mut DomainState> {
        self.domains.get_mut(&dom).ok_or(Error::NoSuchDomain)
    }

    /// A domain by number, or the caller by `DOMID_SELF`.
    pub(super) fn any(&self, caller: u16, dom: u16) -> Result<u16> {
        if u32::from(dom) == abi::DOMID_SELF {
            Ok(caller)
        } else {
            self.domain(dom).map(|domain| domain.id)
        }
    }

    /// Another domain by number: neither the caller's own nor `DOMID_SELF`.
    pub(super) fn remote(&self, caller: u16, dom: u16) -> Result<u16> {
        self.domain(dom)?;
        if dom == caller {
            Err(Error::NotPermitted)
        } else {
            Ok(dom)
        }
    }

    pub(super) fn is_privileged(&self, dom: u16) -> bool {
        self.domains
            .get(&dom)
            .is_some_and(|domain| domain.privileged)
    }

    /// Acting on a domain: the domain itself, its device model, or a control
    /// domain.
    pub(super) fn check_target(&self, caller: u16, dom: u16) -> Result<()> {
        if caller == dom {
            Ok(())
        } else {
            self.check_device_model(caller, dom)
        }
    }

    /// Emulating devices of a domain: its device model, or a control domain.
    pub(super) fn check_device_model(&self, caller: u16, dom: u16) -> Result<()> {
        let target = self.domains.get(&caller).and_then(|caller| caller.target);
        if target == Some(dom) || self.is_privileged(caller) {
            Ok(())
        } else {
            Err(Error::NotPermitted)
        }
    }

    /// The SILO policy: two domains may meet if one of them, or the caller,
    /// is a control domain.
    pub(super) fn check_silo(&self, caller: u16, one: u16, other: u16) -> Result<()> {
        let control = [caller, one, other]
            .iter()
            .any(|dom| self.is_privileged(*dom));
        if !self.silo || control || one == other {
            Ok(())
        } else {
            Err(Error::NotPermitted)
        }
    }

    pub(super) fn check_pointer(
        &self,
        caller: u16,
        address: usize,
        len: usize,
        write: bool,
    ) -> Result<()> {
        let canonical = (crate::PAGE_SIZE..1 << 56).contains(&address);
        let domain = self.domain(caller)?;
        if canonical && domain.physmap.accessible(address, len, write) {
            Ok(())
        } else {
            Err(Error::BadAddress)
        }
    }

    /// Copies an argument in.
    pub(super) fn read<T: Argument>(&self, caller: u16, address: usize) -> Result<T> {
        self.check_pointer(caller, address, size_of::<T>(), false)?;
        // SAFETY: the hypercall's caller promises a readable argument; any
        // bytes are a `T`.
        Ok(unsafe { (address as *const T).read_unaligned() })
    }

    /// Copies a result out.
    pub(super) fn write<T: Argument>(&self, caller: u16, address: usize, value: &T) -> Result<()> {
        self.check_pointer(caller, address, size_of::<T>(), true)?;
        // SAFETY: the hypercall's caller promises a writable argument.
        unsafe { (address as *mut T).write_unaligned(*value) };
        Ok(())
    }

    /// Element `index` of an array that the guest passed.
    pub(super) fn read_at<T: Argument>(
        &self,
        caller: u16,
        array: usize,
        index: usize,
    ) -> Result<T> {
        self.read(caller, element::<T>(array, index)?)
    }

    pub(super) fn write_at<T: Argument>(
        &self,
        caller: u16,
        array: usize,
        index: usize,
        value: &T,
    ) -> Result<()> {
        self.write(caller, element::<T>(array, index)?, value)
    }

    /// A frame that Xen is to use for `dom`: anything that is mapped there but
    /// another's grant.
    pub(super) fn writable_frame(&self, dom: u16, gfn: u64) -> Result<u64> {
        let entry = self.domain(dom)?.physmap.get(gfn).ok_or(Error::Invalid)?;
        match entry.kind {
            Kind::Grant { .. } if self.frames.owner(entry.mfn) != Some(dom) => Err(Error::Invalid),
            Kind::Device => Err(Error::Invalid),
            Kind::Ram | Kind::Grant { .. } | Kind::Foreign { .. } => Ok(entry.mfn),
        }
    }

    /// Changes what a frame of `dom` holds. Remarks on what no guest wants.
    pub(super) fn set_gfn(&mut self, dom: u16, gfn: u64, entry: Option<Entry>) -> Result<()> {
        let domain = self.domains.get_mut(&dom).ok_or(Error::NoSuchDomain)?;
        let old = domain.physmap.get(gfn);
        domain.physmap.set(&mut self.frames, gfn, entry)?;
        if let Some(old) = old
            && old.kind == Kind::Ram
            && entry.map(|entry| entry.mfn) != Some(old.mfn)
        {
            self.request_invalidate(dom);
        }
        if let (Some(old), Some(new)) = (old, entry)
            && old.mfn != new.mfn
        {
            self.warn(std::format!(
                "d{dom}: frame {gfn:#x} held {old:?}, which {new:?} replaces"
            ));
        }
        Ok(())
    }

    /// Passes on what changing a domain has led to.
    pub(super) fn settle(&mut self, dom: u16) {
        let Some(domain) = self.domains.get_mut(&dom) else {
            return;
        };
        let effects = std::mem::take(&mut domain.effects);
        self.wake |= effects.woken;
        if effects.raised && domain.cpus.delivery() == Delivery::Asynchronous {
            self.raised.push(domain.cpus.clone());
        }
        if effects.lost {
            self.warn(std::format!("d{dom}: an event was lost"));
        }
    }

    pub(super) fn warn(&mut self, text: String) {
        if self.warnings.len() < MAX_WARNINGS {
            self.warnings.push(text);
        }
    }
}

/// Pages for the tables of a domain's physmap, as Xen sets them aside: a page
/// for each MiB of RAM, 256 for each vCPU and 128 more, in whole MiB.
fn default_tables(ram_pages: u64, vcpus: u32) -> u64 {
    const PER_MIB: u64 = 256;
    (256 * u64::from(vcpus) + ram_pages / PER_MIB + 128).next_multiple_of(PER_MIB)
}

fn element<T>(array: usize, index: usize) -> Result<usize> {
    if array == 0 {
        return Err(Error::BadAddress);
    }
    index
        .checked_mul(size_of::<T>())
        .and_then(|offset| array.checked_add(offset))
        .ok_or(Error::BadAddress)
}
