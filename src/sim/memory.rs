// SPDX-License-Identifier: MIT OR Apache-2.0
//! Memory operations: reservations, the physmap, resources.

use super::gntv2::status_frames;
use super::hypercall::{Argument, Outcome, handle};
use super::machine::Use;
use super::physmap::{Entry, INVALID_GFN, Kind, RAM_GFN};
use super::state::State;
use crate::ffi::abi;
use crate::{Error, Result};

/// A command's low bits; the rest is where a continued call goes on.
const EXTENT_SHIFT: u32 = 6;
/// Largest order of an extent, for a domain and for a control domain on Arm.
const MAX_ORDER: u32 = 9;
const MAX_ORDER_CONTROL: u32 = 18;
/// `XENMEM_get_sharing_freed_pages` and `_shared_pages`: no sharing on Arm.
const SHARING: [u32; 2] = [18, 19];
/// `EDOM`.
const EDOM: i32 = 33;
/// Frames that one round of mapping a resource does.
const RESOURCE_CHUNK: u32 = 32;

macro_rules! arguments {
    ($($name:ident)*) => {
        $(
            // SAFETY: a structure of integers.
            unsafe impl Argument for abi::$name {}
        )*
    };
}

arguments! {
    xen_memory_reservation xen_memory_domain xen_add_to_physmap
    xen_add_to_physmap_batch xen_remove_from_physmap xen_mem_acquire_resource
}

impl State {
    pub(super) fn memory_op(&mut self, caller: u16, cmd: usize, arg: usize) -> Result<Outcome> {
        let start = cmd >> EXTENT_SHIFT;
        let op = cmd as u32 & ((1 << EXTENT_SHIFT) - 1);
        let whole = if start == 0 {
            Ok(())
        } else {
            Err(Error::Invalid)
        };
        match op {
            abi::XENMEM_increase_reservation
            | abi::XENMEM_decrease_reservation
            | abi::XENMEM_populate_physmap => {
                let done = self.reservation_op(caller, op, start, arg);
                Ok(Outcome::Done(done as isize))
            }
            abi::XENMEM_maximum_ram_page => {
                whole?;
                Ok(Outcome::Done(self.machine.pages() as isize))
            }
            abi::XENMEM_current_reservation
            | abi::XENMEM_maximum_reservation
            | abi::XENMEM_maximum_gpfn => {
                whole?;
                let domain: abi::xen_memory_domain = self.read(caller, arg)?;
                let dom = self.any(caller, domain.domid)?;
                self.check_target(caller, dom)?;
                let domain = self.domain(dom)?;
                Ok(Outcome::Done(match op {
                    abi::XENMEM_current_reservation => self.frames.ram_of(dom) as isize,
                    abi::XENMEM_maximum_reservation => domain.max_pages as isize,
                    _ => domain.physmap.highest() as isize,
                }))
            }
            abi::XENMEM_add_to_physmap => {
                check_start(start)?;
                let op: abi::xen_add_to_physmap = self.read(caller, arg)?;
                if op.space == abi::XENMAPSPACE_gmfn_foreign {
                    return Err(Error::NotImplemented);
                }
                let dom = self.any(caller, op.domid)?;
                self.check_add(caller, dom, op.space)?;
                if op.gpfn == INVALID_GFN {
                    return Err(Error::Invalid);
                }
                if op.space != abi::XENMAPSPACE_gmfn_range {
                    self.add_page(dom, op.space, 0, op.idx, op.gpfn)?;
                } else if op.size > 0 {
                    // Its single pages would be of a space Arm does not have.
                    return Err(Error::NotImplemented);
                }
                Ok(Outcome::Done(0))
            }
            abi::XENMEM_add_to_physmap_batch => {
                check_start(start)?;
                self.add_batch(caller, arg, start)?;
                Ok(Outcome::Done(0))
            }
            abi::XENMEM_remove_from_physmap => {
                whole?;
                let op: abi::xen_remove_from_physmap = self.read(caller, arg)?;
                let dom = self.any(caller, op.domid)?;
                self.check_target(caller, dom)?;
                self.remove_page(dom, op.gpfn)?;
                self.reap();
                Ok(Outcome::Done(0))
            }
            abi::XENMEM_acquire_resource => {
                self.acquire_resource(caller, arg, start)?;
                Ok(Outcome::Done(0))
            }
            _ if SHARING.contains(&op) => Ok(Outcome::Done(0)),
            _ => Err(Error::NotImplemented),
        }
    }

    /// How many extents are done, which is also the answer to any mistake.
    fn reservation_op(&mut self, caller: u16, cmd: u32, start: usize, arg: usize) -> usize {
        let Ok(op) = self.read::<abi::xen_memory_reservation>(caller, arg) else {
            return start;
        };
        let count = op.nr_extents;
        if count > u64::from(u32::MAX >> EXTENT_SHIFT) || start as u64 >= count {
            return start;
        }
        let Ok(dom) = self.any(caller, op.domid) else {
            return start;
        };
        if !self.flags_valid(caller, op.mem_flags) || self.check_target(caller, dom).is_err() {
            return start;
        }
        let max_order = if self.is_privileged(caller) {
            MAX_ORDER_CONTROL
        } else {
            MAX_ORDER
        };
        if op.extent_order > max_order {
            return start;
        }
        let list = handle(&op.extent_start);
        let pages = 1u64 << op.extent_order;
        for index in start..count as usize {
            let done = match cmd {
                abi::XENMEM_increase_reservation => self.charge(dom, pages).is_some(),
                _ => match self.read_at::<u64>(caller, list, index) {
                    Err(_) => false,
                    Ok(gfn) if cmd == abi::XENMEM_decrease_reservation => {
                        self.decrease(dom, gfn, pages)
                    }
                    // No populating on demand on Arm, nor of oneself.
                    Ok(_) if op.mem_flags & abi::XENMEMF_populate_on_demand != 0 => false,
                    Ok(gfn) => self.populate(dom, gfn, pages),
                },
            };
            if !done {
                self.reap();
                return index;
            }
        }
        self.reap();
        count as usize
    }

    fn flags_valid(&self, caller: u16, flags: u32) -> bool {
        let bits = flags & 0xff;
        let narrow = bits != 0 && bits <= crate::PAGE_SIZE.trailing_zeros();
        let exact_node = flags & abi::XENMEMF_exact_node_request != 0;
        let node = flags >> 8 & 0xff != 0;
        !(narrow || exact_node && node && !self.is_privileged(caller))
    }

    /// Frames for `dom`, unless it has all it may have.
    fn charge(&mut self, dom: u16, pages: u64) -> Option<u64> {
        let limit = self.domain(dom).ok()?.max_pages;
        if self.domain(dom).ok()?.dying || self.frames.ram_of(dom) + pages > limit {
            return None;
        }
        let machine = self.machine.clone();
        self.frames.alloc(&machine, dom, Use::Ram, pages)
    }

    /// RAM from the toolstack: see [`Domain::populate`](super::Domain::populate).
    pub(super) fn give_ram(&mut self, dom: u16, gfn: u64, pages: u64) -> Result<()> {
        let domain = self.domain_mut(dom)?;
        if domain.dying {
            return Err(Error::NoSuchDomain);
        }
        if domain.direct.is_some() {
            return Err(Error::Invalid);
        }
        let end = gfn.checked_add(pages).ok_or(Error::BadAddress)?;
        for gfn in gfn..end {
            if !domain.layout.exists(gfn) {
                return Err(Error::BadAddress);
            }
            if domain.physmap.get(gfn).is_some() {
                return Err(Error::Busy);
            }
        }
        domain.max_pages += pages;
        let populated = pages == 0 || self.populate(dom, gfn, pages);
        let domain = self.domain_mut(dom)?;
        if !populated {
            domain.max_pages -= pages;
            return Err(Error::NoMemory);
        }
        let mapped = domain.physmap.stage1_map(gfn, pages, true);
        mapped.map_err(|_| Error::BadAddress)
    }

    fn populate(&mut self, dom: u16, gfn: u64, pages: u64) -> bool {
        let Ok(domain) = self.domain(dom) else {
            return false;
        };
        let mfn = match domain.direct {
            // The page the frame always had, which was kept for it.
            Some(first) => {
                let layout = domain.layout;
                let inside = gfn
                    .checked_add(pages)
                    .is_some_and(|end| layout.is_ram(gfn) && end <= layout.ram_end());
                inside.then(|| first + (gfn - RAM_GFN))
            }
            None => self.charge(dom, pages),
        };
        let Some(mfn) = mfn else {
            return false;
        };
        (0..pages).all(|page| {
            let entry = Entry {
                mfn: mfn + page,
                kind: Kind::Ram,
            };
            self.set_gfn(dom, gfn.wrapping_add(page), Some(entry))
                .is_ok()
        })
    }

    fn decrease(&mut self, dom: u16, gfn: u64, pages: u64) -> bool {
        (0..pages).all(|page| {
            let gfn = gfn.wrapping_add(page);
            // The domain's own page, not one of somebody else mapped there.
            let Ok(domain) = self.domain(dom) else {
                return false;
            };
            let direct = domain.direct.is_some();
            let Some(entry) = domain.physmap.get(gfn) else {
                return false;
            };
            if self.frames.get(entry.mfn).owner != Some(dom)
                || self.set_gfn(dom, gfn, None).is_err()
            {
                return false;
            }
            if !direct && self.frames.get(entry.mfn).used == Use::Ram {
                self.frames.give_up(entry.mfn);
            }
            true
        })
    }

    fn check_add(&self, caller: u16, dom: u16, space: u32) -> Result<()> {
        if space == abi::XENMAPSPACE_dev_mmio && (dom != 0 || dom != caller) {
            return Err(Error::WrongKind);
        }
        self.check_target(caller, dom)
    }

    /// One page of a space to a frame of `dom`.
    fn add_page(&mut self, dom: u16, space: u32, foreign: u16, index: u64, gfn: u64) -> Result<()> {
        let (mfn, kind) = match space {
            abi::XENMAPSPACE_shared_info if index != 0 => return Err(Error::Invalid),
            abi::XENMAPSPACE_shared_info => (self.domain(dom)?.shared_info.mfn(), Kind::Ram),
            abi::XENMAPSPACE_grant_table => (self.table_frame(dom, index)?, Kind::Ram),
            abi::XENMAPSPACE_gmfn_foreign => self.foreign_page(dom, foreign, index)?,
            // No device memory is anybody's here: Xen then does nothing.
            abi::XENMAPSPACE_dev_mmio => return Ok(()),
            _ => return Err(Error::NotImplemented),
        };
        if kind != Kind::Ram {
            self.frames.get_ref(mfn);
        } else if self.frames.get(mfn).gfn.is_some() {
            // To move it, it has to be removed first.
            return Err(Error::Busy);
        }
        let result = self.set_gfn(dom, gfn, Some(Entry { mfn, kind }));
        match (kind, result) {
            (Kind::Ram, Ok(())) => self.frames.get_mut(mfn).gfn = Some(gfn),
            (Kind::Ram, Err(_)) | (_, Ok(())) => {}
            (_, Err(_)) => self.frames.put_ref(mfn),
        }
        result
    }

    /// Another domain's page, for mapping into `dom`.
    fn foreign_page(&self, dom: u16, foreign: u16, gfn: u64) -> Result<(u64, Kind)> {
        let from = if u32::from(foreign) == abi::DOMID_XEN {
            None
        } else {
            Some(self.domain(foreign)?.id)
        };
        if from == Some(dom) {
            return Err(Error::Invalid);
        }
        if !self.is_privileged(dom) {
            return Err(Error::NotPermitted);
        }
        // Of Xen's own pages none can be mapped here.
        let from = from.ok_or(Error::Invalid)?;
        match self.domain(from)?.physmap.get(gfn) {
            Some(entry) if entry.kind == Kind::Ram => {
                Ok((entry.mfn, Kind::Foreign { write: true }))
            }
            _ => Err(Error::Invalid),
        }
    }

    fn add_batch(&mut self, caller: u16, arg: usize, start: usize) -> Result<()> {
        let op: abi::xen_add_to_physmap_batch = self.read(caller, arg)?;
        let space = u32::from(op.space);
        if space == abi::XENMAPSPACE_gmfn_range {
            return Err(Error::NotSupported);
        }
        let dom = self.any(caller, op.domid)?;
        self.check_add(caller, dom, space)?;
        let size = usize::from(op.size);
        if size <= start {
            return if size == start && start == 0 {
                Ok(())
            } else {
                Err(Error::Unknown(super::EILSEQ))
            };
        }
        // SAFETY: both fields of the union are the same integer.
        let extra = unsafe { op.u.foreign_domid };
        if space == abi::XENMAPSPACE_dev_mmio && extra != 0 {
            return Err(Error::NotSupported);
        }
        let (indexes, gfns, errors) = (handle(&op.idxs), handle(&op.gpfns), handle(&op.errs));
        for at in start..size {
            let index: u64 = self.read_at(caller, indexes, at)?;
            let gfn: u64 = self.read_at(caller, gfns, at)?;
            if gfn == INVALID_GFN {
                return Err(Error::Invalid);
            }
            let result = self
                .check_foreign(caller, space, extra)
                .and_then(|()| self.add_page(dom, space, extra, index, gfn));
            let error = result.err().map_or(0, Error::raw);
            self.write_at(caller, errors, at, &error)?;
        }
        Ok(())
    }

    /// The source of foreign pages is not the caller.
    fn check_foreign(&self, caller: u16, space: u32, foreign: u16) -> Result<()> {
        if space != abi::XENMAPSPACE_gmfn_foreign || u32::from(foreign) == abi::DOMID_XEN {
            return Ok(());
        }
        self.remote(caller, foreign).map(|_| ())
    }

    fn remove_page(&mut self, dom: u16, gfn: u64) -> Result<()> {
        let entry = self.domain(dom)?.physmap.get(gfn).ok_or(Error::NotFound)?;
        let own = self.frames.get(entry.mfn).owner == Some(dom);
        match entry.kind {
            Kind::Foreign { .. } => {}
            Kind::Device => return Err(Error::NotFound),
            // A grant of somebody else's page is not removed this way.
            Kind::Ram | Kind::Grant { .. } if !own => return Err(Error::NotFound),
            Kind::Ram | Kind::Grant { .. } => {
                if self.frames.get(entry.mfn).used == Use::Ram {
                    self.warn(std::format!(
                        "d{dom}: frame {gfn:#x} removed; its page stays charged, out of reach"
                    ));
                }
            }
        }
        self.set_gfn(dom, gfn, None)
    }

    fn acquire_resource(&mut self, caller: u16, arg: usize, start: usize) -> Result<()> {
        let mut op: abi::xen_mem_acquire_resource = self.read(caller, arg)?;
        if op.pad != 0 {
            return Err(Error::Invalid);
        }
        let end = op.frame.checked_add(u64::from(op.nr_frames));
        if op.frame >> 32 != 0 || end.is_none_or(|end| end >> 32 != 0) {
            return Err(Error::Invalid);
        }
        let dom = self.remote(caller, op.domid)?;
        self.check_device_model(caller, dom)?;
        let size = match (u32::from(op.type_), op.id) {
            (abi::XENMEM_resource_grant_table, abi::XENMEM_resource_grant_table_id_shared) => {
                self.max_grant_frames(dom)
            }
            (abi::XENMEM_resource_grant_table, abi::XENMEM_resource_grant_table_id_status)
                if self.grants_v2 =>
            {
                status_frames(self.max_grant_frames(dom))
            }
            (abi::XENMEM_resource_ioreq_server, _) if self.device_models => {
                self.max_ioreq_frames(dom)
            }
            _ => 0,
        };
        if size == 0 {
            return Err(Error::Invalid);
        }
        let list = handle(&op.frame_list);
        if list == 0 {
            if op.nr_frames != 0 || start != 0 {
                return Err(Error::Invalid);
            }
            op.nr_frames = size;
            return self.write(caller, arg, &op);
        }
        let count = op.nr_frames;
        if start >= count as usize || count > u32::MAX >> EXTENT_SHIFT {
            return Err(Error::Invalid);
        }
        for at in start as u32..count {
            let into_chunk = (at - start as u32) % RESOURCE_CHUNK;
            if into_chunk == 0 {
                // A round's frames are looked up together.
                for at in at..count.min(at + RESOURCE_CHUNK) {
                    self.resource_frame(caller, dom, &op, at)?;
                }
            }
            let mfn = self.resource_frame(caller, dom, &op, at)?;
            let result = self
                .read_at::<u64>(caller, list, at as usize)
                .and_then(|gfn| self.map_resource(caller, dom, mfn, gfn));
            match result {
                Err(error) if into_chunk == 0 || error == Error::BadAddress => return Err(error),
                Err(_) => return Err(Error::Partial),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn resource_frame(
        &mut self,
        caller: u16,
        dom: u16,
        op: &abi::xen_mem_acquire_resource,
        at: u32,
    ) -> Result<u64> {
        let frame = op.frame + u64::from(at);
        match u32::from(op.type_) {
            abi::XENMEM_resource_ioreq_server => self.ioreq_frame(caller, dom, op.id, frame),
            _ if op.id == abi::XENMEM_resource_grant_table_id_status => {
                self.status_frame(dom, frame)
            }
            _ => self.grant_frame(dom, frame),
        }
    }

    fn map_resource(&mut self, caller: u16, dom: u16, mfn: u64, gfn: u64) -> Result<()> {
        if !self.frames.get_ref_owned(mfn, dom) {
            return Err(Error::Invalid);
        }
        let entry = Entry {
            mfn,
            kind: Kind::Foreign { write: true },
        };
        let result = self.set_gfn(caller, gfn, Some(entry));
        if result.is_err() {
            self.frames.put_ref(mfn);
        }
        result
    }
}

fn check_start(start: usize) -> Result<()> {
    if start > usize::from(u16::MAX) {
        Err(Error::Unknown(EDOM))
    } else {
        Ok(())
    }
}
