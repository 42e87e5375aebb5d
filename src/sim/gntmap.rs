// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mapping other domains' grants, and copying through them.

use std::collections::VecDeque;
use std::vec::Vec;

use super::fault::Place;
use super::gnttab::{Part, Purpose, status};
use super::hypercall::Argument;
use super::physmap::{Entry, Kind};
use super::state::State;
use crate::ffi::abi;
use crate::{Error, PAGE_SIZE, Result};

const PAGE_SHIFT: u32 = PAGE_SIZE.trailing_zeros();
/// Handles come into being by this many.
const HANDLES_PER_FRAME: u32 = 256;
const MAX_FRAMES: u32 = 1024;
/// Tries of a copy while what is granted changes.
const TRIES: u32 = 5;
/// Unmappings whose marks Xen clears together.
const UNMAP_BATCH: usize = 32;

#[derive(Clone, Copy)]
struct Mapping {
    dom: u16,
    gref: u32,
    readonly: bool,
}

/// A domain's handles. They are reused in the order Xen reuses them: a freed
/// one goes to the end of the list, new ones to its front.
#[derive(Default)]
pub(super) struct Maptrack {
    mappings: Vec<Option<Mapping>>,
    free: VecDeque<u32>,
}

impl Maptrack {
    fn take(&mut self) -> Option<u32> {
        // The last one always stays in the list.
        if self.free.len() > 1 {
            return self.free.pop_front();
        }
        let first = self.mappings.len() as u32;
        if first >= MAX_FRAMES * HANDLES_PER_FRAME {
            return None;
        }
        let end = first + HANDLES_PER_FRAME;
        self.mappings.resize(end as usize, None);
        for handle in (first + 1..end).rev() {
            self.free.push_front(handle);
        }
        Some(first)
    }

    fn give(&mut self, handle: u32) {
        self.free.push_back(handle);
    }

    /// Granter and reference of every mapping.
    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (u16, u32)> {
        let mappings = self.mappings.iter().flatten();
        mappings.map(|mapping| (mapping.dom, mapping.gref))
    }

    pub(super) fn live(&self) -> usize {
        self.mappings.iter().flatten().count()
    }
}

/// What is left to do for an unmapping once its batch is flushed.
struct Unmapped {
    dom: u16,
    gref: u32,
    readonly: bool,
}

impl State {
    pub(super) fn map_grant_refs(&mut self, caller: u16, arg: usize, count: u32) -> Result<()> {
        for index in 0..count as usize {
            let mut op: abi::gnttab_map_grant_ref = self.read_at(caller, arg, index)?;
            let fault = self.domain_mut(caller)?.faults.hit(Place::Map);
            op.status = match fault {
                Some(status) => status as i16,
                None => match self.map_grant_ref(caller, &op) {
                    Ok((handle, mfn)) => {
                        op.handle = handle;
                        op.dev_bus_addr = mfn << PAGE_SHIFT;
                        status::OKAY
                    }
                    Err(status) => status,
                },
            };
            self.write_at(caller, arg, index, &op)?;
        }
        Ok(())
    }

    fn map_grant_ref(
        &mut self,
        caller: u16,
        op: &abi::gnttab_map_grant_ref,
    ) -> Result<(u32, u64), i16> {
        if op.flags & (abi::GNTMAP_host_map | abi::GNTMAP_device_map) == 0 {
            return Err(status::BAD_GNTREF);
        }
        let untranslated =
            abi::GNTMAP_device_map | abi::GNTMAP_application_map | abi::GNTMAP_contains_pte;
        if op.flags & untranslated != 0 {
            return Err(status::GENERAL_ERROR);
        }
        // By number only: DOMID_SELF is nobody here.
        self.domain(op.dom).map_err(|_| status::BAD_DOMAIN)?;
        self.check_silo(caller, caller, op.dom)
            .map_err(|_| status::PERMISSION_DENIED)?;
        let handle = self
            .domain_mut(caller)
            .ok()
            .and_then(|domain| domain.maptrack.take())
            .ok_or(status::NO_SPACE)?;
        let readonly = op.flags & abi::GNTMAP_readonly != 0;
        let result = self.map_page(caller, op, readonly);
        if let Ok(domain) = self.domain_mut(caller) {
            match result {
                Ok(_) => {
                    domain.maptrack.mappings[handle as usize] = Some(Mapping {
                        dom: op.dom,
                        gref: op.ref_,
                        readonly,
                    });
                }
                Err(_) => domain.maptrack.give(handle),
            }
        }
        result.map(|mfn| (handle, mfn))
    }

    fn map_page(
        &mut self,
        caller: u16,
        op: &abi::gnttab_map_grant_ref,
        readonly: bool,
    ) -> Result<u64, i16> {
        let mfn = self
            .pin(op.dom, op.ref_, caller, readonly, Purpose::Map)?
            .mfn;
        let entry = Entry {
            mfn,
            kind: Kind::Grant { write: !readonly },
        };
        // Arm knows no other flags.
        let known = op.flags & !abi::GNTMAP_readonly == abi::GNTMAP_host_map;
        let gfn = op.host_addr >> PAGE_SHIFT;
        if !known || self.set_gfn(caller, gfn, Some(entry)).is_err() {
            self.unpin(op.dom, op.ref_, readonly);
            return Err(status::GENERAL_ERROR);
        }
        Ok(mfn)
    }

    /// Each structure `T` names a mapping to undo; `parts` are its address,
    /// new address and handle, and its status.
    fn unmap_each<T: Argument>(
        &mut self,
        caller: u16,
        arg: usize,
        count: u32,
        parts: impl Fn(&mut T) -> (u64, u64, u32, &mut i16),
    ) -> Result<()> {
        let mut result = Ok(());
        let mut batch = Vec::new();
        for index in 0..count as usize {
            result = self.read_at(caller, arg, index).and_then(|mut op: T| {
                let fault = self.domain_mut(caller)?.faults.hit(Place::Unmap);
                let (address, new_address, handle, status) = parts(&mut op);
                let (result, done) = match fault {
                    Some(status) => (status as i16, None),
                    None => self.unmap_one(caller, address, new_address, handle),
                };
                *status = result;
                batch.extend(done);
                self.write_at(caller, arg, index, &op)
            });
            if result.is_err() {
                break;
            }
            if (index + 1) % UNMAP_BATCH == 0 {
                self.complete(&mut batch);
            }
        }
        self.complete(&mut batch);
        self.reap();
        result
    }

    pub(super) fn unmap_grant_refs(&mut self, caller: u16, arg: usize, count: u32) -> Result<()> {
        self.unmap_each(
            caller,
            arg,
            count,
            |op: &mut abi::gnttab_unmap_grant_ref| (op.host_addr, 0, op.handle, &mut op.status),
        )
    }

    pub(super) fn unmap_and_replace(&mut self, caller: u16, arg: usize, count: u32) -> Result<()> {
        self.unmap_each(
            caller,
            arg,
            count,
            |op: &mut abi::gnttab_unmap_and_replace| {
                (op.host_addr, op.new_addr, op.handle, &mut op.status)
            },
        )
    }

    fn complete(&mut self, batch: &mut Vec<Unmapped>) {
        for done in batch.drain(..) {
            self.unpin(done.dom, done.gref, done.readonly);
        }
    }

    fn unmap_one(
        &mut self,
        caller: u16,
        address: u64,
        new_address: u64,
        handle: u32,
    ) -> (i16, Option<Unmapped>) {
        let Ok(domain) = self.domain(caller) else {
            return (status::BAD_DOMAIN, None);
        };
        let mapping = domain.maptrack.mappings.get(handle as usize);
        let Some(mapping) = mapping.copied().flatten() else {
            return (status::BAD_HANDLE, None);
        };
        if address == 0 {
            // Nothing named, nothing undone.
            self.warn(std::format!(
                "d{caller}: unmap of handle {handle} without an address does nothing"
            ));
            return (status::OKAY, None);
        }
        if new_address != 0 {
            // Arm can't put another mapping in its place.
            return (status::GENERAL_ERROR, None);
        }
        let gfn = address >> PAGE_SHIFT;
        let Some(mfn) = self.pinned_frame(mapping.dom, mapping.gref) else {
            return (status::BAD_HANDLE, None);
        };
        let Ok(domain) = self.domains.get_mut(&caller).ok_or(Error::NoSuchDomain) else {
            return (status::BAD_DOMAIN, None);
        };
        let empty = domain.physmap.get(gfn).is_none();
        if domain.physmap.remove(&mut self.frames, gfn, mfn).is_err() {
            return (status::GENERAL_ERROR, None);
        }
        domain.maptrack.mappings[handle as usize] = None;
        domain.maptrack.give(handle);
        if empty {
            // Xen takes the caller's word for it.
            self.warn(std::format!(
                "d{caller}: handle {handle} unmapped at frame {gfn:#x}, where nothing was"
            ));
        }
        let done = Unmapped {
            dom: mapping.dom,
            gref: mapping.gref,
            readonly: mapping.readonly,
        };
        (status::OKAY, Some(done))
    }

    /// A dying domain's mappings are given back.
    pub(super) fn release_mappings(&mut self, dom: u16) {
        let Some(domain) = self.domains.get_mut(&dom) else {
            return;
        };
        let maptrack = std::mem::take(&mut domain.maptrack);
        for mapping in maptrack.mappings.iter().rev().flatten() {
            self.unpin(mapping.dom, mapping.gref, mapping.readonly);
        }
    }

    pub(super) fn grant_copies(&mut self, caller: u16, arg: usize, count: u32) -> Result<()> {
        for index in 0..count as usize {
            let mut op: abi::gnttab_copy = self.read_at(caller, arg, index)?;
            let mut result = self.grant_copy(caller, &op);
            for _ in 0..TRIES {
                if result == Err(status::RESTART) {
                    result = self.grant_copy(caller, &op);
                }
            }
            op.status = match result {
                Ok(()) => status::OKAY,
                Err(status::RESTART) => {
                    self.warn(std::format!("d{caller}: Xen would try a copy for ever"));
                    status::GENERAL_ERROR
                }
                Err(status) => status,
            };
            self.write_at(caller, arg, index, &op)?;
        }
        Ok(())
    }

    fn grant_copy(&mut self, caller: u16, op: &abi::gnttab_copy) -> Result<(), i16> {
        // Before 4.19 Xen looks at both ends all the same.
        if op.len == 0 {
            return Ok(());
        }
        let by_gref = |flag| u32::from(op.flags) & flag != 0;
        let (from_gref, to_gref) = (
            by_gref(abi::GNTCOPY_source_gref),
            by_gref(abi::GNTCOPY_dest_gref),
        );
        let from = self.copy_domain(caller, op.source.domid, from_gref)?;
        let to = self.copy_domain(caller, op.dest.domid, to_gref)?;
        self.check_silo(caller, from, to)
            .map_err(|_| status::PERMISSION_DENIED)?;
        // SAFETY: both fields of the union are integers inside the structure,
        // all of which was copied in.
        let number = |end: &abi::gnttab_copy_gnttab_copy_ptr| unsafe { (end.u.ref_, end.u.gmfn) };
        let (from_ref, from_gfn) = number(&op.source);
        let (to_ref, to_gfn) = number(&op.dest);
        let source = if from_gref {
            self.pin(from, from_ref, caller, true, Purpose::Copy)?
        } else {
            self.own_frame(from, from_gfn).map(Part::whole)?
        };
        let dest = if to_gref {
            self.pin(to, to_ref, caller, false, Purpose::Copy)
        } else {
            self.own_frame(to, to_gfn).map(Part::whole)
        };
        let (at, to_at, len) = (
            usize::from(op.source.offset),
            usize::from(op.dest.offset),
            usize::from(op.len),
        );
        let outside = |part: &Part, at| at < part.start || at + len > part.start + part.length;
        let result = match dest {
            Ok(_) if at + len > PAGE_SIZE || to_at + len > PAGE_SIZE => Err(status::BAD_COPY_ARG),
            Ok(dest) if outside(&source, at) || outside(&dest, to_at) => Err(status::GENERAL_ERROR),
            Ok(dest) => {
                self.machine.copy((source.mfn, at), (dest.mfn, to_at), len);
                Ok(())
            }
            Err(status) => Err(status),
        };
        if from_gref {
            self.unpin(from, from_ref, true);
        }
        if to_gref && dest.is_ok() {
            self.unpin(to, to_ref, false);
        }
        result
    }

    /// Cleaning and invalidating by machine address: caches are coherent
    /// here, so that the checks are all there is to it.
    pub(super) fn cache_flushes(&self, caller: u16, arg: usize, count: u32) -> Result<()> {
        for index in 0..count as usize {
            let op: abi::gnttab_cache_flush = self.read_at(caller, arg, index)?;
            let end = usize::from(op.offset) + usize::from(op.length);
            let known = abi::GNTTAB_CACHE_CLEAN | abi::GNTTAB_CACHE_INVAL;
            if usize::from(op.offset) >= PAGE_SIZE || end > PAGE_SIZE || op.op & !known != 0 {
                return Err(Error::Invalid);
            }
            if op.length == 0 || op.op == 0 {
                continue;
            }
            // SAFETY: both fields of the union are integers inside the
            // structure, all of which was copied in.
            let mfn = unsafe { op.a.dev_bus_addr } >> PAGE_SHIFT;
            if mfn >= self.machine.pages() {
                return Err(Error::Invalid);
            }
            let owner = self.frames.owner(mfn).ok_or(Error::NotPermitted)?;
            if owner != caller && !self.maps_frame(caller, owner, mfn) {
                return Err(Error::Invalid);
            }
        }
        Ok(())
    }

    /// Whether `user` has a grant of `owner`'s frame in use.
    fn maps_frame(&self, user: u16, owner: u16, mfn: u64) -> bool {
        let Ok(domain) = self.domain(user) else {
            return false;
        };
        let mappings = domain.maptrack.mappings.iter().flatten();
        mappings
            .filter(|mapping| mapping.dom == owner)
            .any(|mapping| self.pinned_frame(owner, mapping.gref) == Some(mfn))
    }

    /// Only the caller's own pages can be named by frame.
    fn copy_domain(&self, caller: u16, dom: u16, gref: bool) -> Result<u16, i16> {
        if !gref && u32::from(dom) != abi::DOMID_SELF {
            return Err(status::PERMISSION_DENIED);
        }
        self.any(caller, dom).map_err(|_| status::BAD_DOMAIN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_come_in_the_order_of_xens_list() {
        let mut track = Maptrack::default();
        assert_eq!(track.take(), Some(0));
        assert_eq!(track.take(), Some(1));
        track.give(0);
        assert_eq!(track.take(), Some(2));
        for handle in 3..256 {
            assert_eq!(track.take(), Some(handle));
        }
        // Handle 0 is the one that stays in the list, so there is a new frame,
        // whose handles come first.
        assert_eq!(track.take(), Some(256));
        assert_eq!(track.take(), Some(257));
    }
}
