// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grant tables: the table itself and its entries, of version 1 and, with
//! `gntv2.rs`, of version 2.

use std::collections::HashMap;
use std::sync::atomic::Ordering::SeqCst;
use std::vec::Vec;

use super::hypercall::{Argument, Outcome, handle};
use super::machine::Use;
use super::physmap::{INVALID_GFN, Kind};
use super::state::State;
use crate::ffi::abi;
use crate::{Error, PAGE_SIZE, Result};

/// The results of single operations.
pub(super) mod status {
    use crate::ffi::abi;

    pub(in crate::sim) const OKAY: i16 = abi::GNTST_okay as i16;
    pub(in crate::sim) const GENERAL_ERROR: i16 = abi::GNTST_general_error as i16;
    pub(in crate::sim) const BAD_DOMAIN: i16 = abi::GNTST_bad_domain as i16;
    pub(in crate::sim) const BAD_GNTREF: i16 = abi::GNTST_bad_gntref as i16;
    pub(in crate::sim) const BAD_HANDLE: i16 = abi::GNTST_bad_handle as i16;
    pub(in crate::sim) const BAD_VIRT_ADDR: i16 = abi::GNTST_bad_virt_addr as i16;
    pub(in crate::sim) const PERMISSION_DENIED: i16 = abi::GNTST_permission_denied as i16;
    pub(in crate::sim) const BAD_PAGE: i16 = abi::GNTST_bad_page as i16;
    pub(in crate::sim) const BAD_COPY_ARG: i16 = abi::GNTST_bad_copy_arg as i16;
    pub(in crate::sim) const EAGAIN: i16 = abi::GNTST_eagain as i16;
    pub(in crate::sim) const NO_SPACE: i16 = abi::GNTST_no_space as i16;
    /// Not a status: Xen begins with the operation again.
    pub(in crate::sim) const RESTART: i16 = 1;
}

/// References that belong to Xen's tools.
pub(super) const RESERVED: u32 = 8;
/// Tries to change an entry that its owner keeps changing.
const TRIES: u32 = 5;
/// From this many uses of a kind on, no more are taken.
const MAX_PINS: u32 = 128;

/// What of a page may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) mfn: u64,
    pub(super) start: usize,
    pub(super) length: usize,
    /// For copies only.
    pub(super) sub_page: bool,
    /// Granted to the granter by another domain, with this reference.
    pub(super) through: Option<(u16, u32)>,
}

impl Part {
    pub(super) fn whole(mfn: u64) -> Self {
        Self {
            mfn,
            start: 0,
            length: PAGE_SIZE,
            sub_page: false,
            through: None,
        }
    }

    /// Whether another look at the entry may have found this: that it is the
    /// whole page now does no harm to a use of a part.
    fn still(&self, now: &Self) -> bool {
        self == now || !self.sub_page && self.mfn == now.mfn && self.through == now.through
    }
}

/// What an entry is used for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Map,
    Copy,
    /// A copy for somebody to whom it was granted on.
    CopyThrough,
}

/// Uses of a page that was granted.
#[derive(Clone, Copy)]
pub(super) struct Active {
    pub(super) domid: u16,
    pub(super) part: Part,
    pub(super) readers: u32,
    pub(super) writers: u32,
}

impl Active {
    fn pins(&mut self, readonly: bool) -> &mut u32 {
        if readonly {
            &mut self.readers
        } else {
            &mut self.writers
        }
    }
}

pub(super) struct GrantTable {
    /// The pages shared with the domain.
    pub(super) frames: Vec<u64>,
    pub(super) max_frames: u32,
    pub(super) version: u32,
    /// Those with the status words of version 2.
    pub(super) status: Vec<u64>,
    /// Entries in use by somebody.
    pub(super) active: HashMap<u32, Active>,
}

impl GrantTable {
    pub(super) fn new(first_frame: u64, max_frames: u32) -> Self {
        assert!(max_frames > 0, "a grant table has a frame at least");
        Self {
            frames: std::vec![first_frame],
            max_frames,
            version: 1,
            status: Vec::new(),
            active: HashMap::new(),
        }
    }

    pub(super) fn nr_frames(&self) -> u32 {
        self.frames.len() as u32
    }

    fn entry_bytes(&self) -> usize {
        match self.version {
            2 => size_of::<abi::grant_entry_v2>(),
            _ => size_of::<abi::grant_entry_v1>(),
        }
    }

    pub(super) fn entries(&self) -> u32 {
        self.nr_frames() * (PAGE_SIZE / self.entry_bytes()) as u32
    }

    /// Machine frame and offset of an entry.
    pub(super) fn place(&self, gref: u32) -> (u64, usize) {
        let at = gref as usize * self.entry_bytes();
        (self.frames[at / PAGE_SIZE], at % PAGE_SIZE)
    }

    /// Where Xen marks that an entry is in use.
    fn marks(&self, gref: u32) -> (u64, usize) {
        match self.version {
            2 => self.status_place(gref),
            _ => self.place(gref),
        }
    }
}

impl State {
    pub(super) fn grant_table_op(
        &mut self,
        caller: u16,
        cmd: usize,
        arg: usize,
        count: usize,
    ) -> Result<Outcome> {
        let count = count as u32;
        if count > i32::MAX as u32 {
            return Err(Error::Invalid);
        }
        let (cmd, opaque) = (cmd as u32 & 0xfff, cmd as u32 & !0xfff);
        if opaque != 0 && cmd != abi::GNTTABOP_cache_flush {
            return Err(Error::Invalid);
        }
        match cmd {
            abi::GNTTABOP_map_grant_ref => self.map_grant_refs(caller, arg, count)?,
            abi::GNTTABOP_unmap_grant_ref => self.unmap_grant_refs(caller, arg, count)?,
            abi::GNTTABOP_unmap_and_replace => self.unmap_and_replace(caller, arg, count)?,
            abi::GNTTABOP_cache_flush => self.cache_flushes(caller, arg, count)?,
            abi::GNTTABOP_copy => self.grant_copies(caller, arg, count)?,
            abi::GNTTABOP_setup_table => self.setup_table(caller, arg, count)?,
            abi::GNTTABOP_query_size => self.query_size(caller, arg, count)?,
            abi::GNTTABOP_get_status_frames => self.get_status_frames(caller, arg, count)?,
            abi::GNTTABOP_set_version => {
                let mut op: abi::gnttab_set_version = self.read(caller, arg)?;
                let result = self.set_grant_version(caller, op.version);
                // The version in force is written back, failed or not.
                op.version = self.domain(caller)?.grants.version;
                self.write(caller, arg, &op)?;
                result?;
            }
            abi::GNTTABOP_get_version => {
                let mut op: abi::gnttab_get_version = self.read(caller, arg)?;
                let dom = self.any(caller, op.dom)?;
                self.check_target(caller, dom)?;
                op.version = self.domain(dom)?.grants.version;
                self.write(caller, arg, &op)?;
            }
            abi::GNTTABOP_swap_grant_ref => {
                for index in 0..count as usize {
                    let mut op: abi::gnttab_swap_grant_ref = self.read_at(caller, arg, index)?;
                    op.status = self.swap_grant_refs(caller, op.ref_a, op.ref_b);
                    self.write_at(caller, arg, index, &op)?;
                }
            }
            // For guests that see machine frames only.
            abi::GNTTABOP_transfer => return Err(Error::NotSupported),
            _ => return Err(Error::NotImplemented),
        }
        Ok(Outcome::Done(0))
    }

    /// The machine frame of a domain's table, growing it as needed.
    pub(super) fn grant_frame(&mut self, dom: u16, index: u64) -> Result<u64> {
        let machine = self.machine.clone();
        let domain = self.domains.get_mut(&dom).ok_or(Error::NoSuchDomain)?;
        if index >= u64::from(domain.grants.max_frames) {
            return Err(Error::Invalid);
        }
        while u64::from(domain.grants.nr_frames()) <= index {
            let frame = self
                .frames
                .alloc(&machine, dom, Use::XenHeap, 1)
                .ok_or(Error::Invalid)?;
            domain.grants.frames.push(frame);
        }
        self.add_status_frames(dom)?;
        let domain = self.domain(dom)?;
        Ok(domain.grants.frames[index as usize])
    }

    pub(super) fn max_grant_frames(&self, dom: u16) -> u32 {
        self.domains
            .get(&dom)
            .map_or(0, |domain| domain.grants.max_frames)
    }

    fn setup_table(&mut self, caller: u16, arg: usize, count: u32) -> Result<()> {
        if count != 1 {
            return Err(Error::Invalid);
        }
        let mut op: abi::gnttab_setup_table = self.read(caller, arg)?;
        op.status = self.setup_frames(caller, &op);
        self.write(caller, arg, &op)
    }

    fn setup_frames(&mut self, caller: u16, op: &abi::gnttab_setup_table) -> i16 {
        let Ok(dom) = self.any(caller, op.dom) else {
            return status::BAD_DOMAIN;
        };
        if self.check_target(caller, dom).is_err() {
            return status::PERMISSION_DENIED;
        }
        if op.nr_frames > self.max_grant_frames(dom)
            || (op.nr_frames > 0 && self.grant_frame(dom, u64::from(op.nr_frames) - 1).is_err())
        {
            return status::GENERAL_ERROR;
        }
        let list = handle(&op.frame_list);
        for index in 0..op.nr_frames as usize {
            let Ok(mfn) = self.grant_frame(dom, index as u64) else {
                return status::GENERAL_ERROR;
            };
            // A frame that is not in the physmap has no number.
            let gfn = self.frames.get(mfn).gfn.unwrap_or(INVALID_GFN);
            if self.write_at(caller, list, index, &gfn).is_err() {
                return status::BAD_VIRT_ADDR;
            }
        }
        status::OKAY
    }

    fn query_size(&mut self, caller: u16, arg: usize, count: u32) -> Result<()> {
        if count != 1 {
            return Err(Error::Invalid);
        }
        let mut op: abi::gnttab_query_size = self.read(caller, arg)?;
        op.status = match self.any(caller, op.dom) {
            Err(_) => status::BAD_DOMAIN,
            Ok(dom) if self.check_target(caller, dom).is_err() => status::PERMISSION_DENIED,
            Ok(dom) => {
                let grants = &self.domain(dom)?.grants;
                op.nr_frames = grants.nr_frames();
                op.max_nr_frames = grants.max_frames;
                status::OKAY
            }
        };
        self.write(caller, arg, &op)
    }

    fn get_status_frames(&mut self, caller: u16, arg: usize, count: u32) -> Result<()> {
        if self.grants_v2 {
            // Not for guests with a physmap, on x86.
            return Err(Error::NotImplemented);
        }
        if count != 1 {
            return Err(Error::Invalid);
        }
        let mut op: abi::gnttab_get_status_frames = self.read(caller, arg)?;
        op.status = match self.any(caller, op.dom) {
            Err(_) => status::BAD_DOMAIN,
            Ok(dom) if self.check_target(caller, dom).is_err() => status::PERMISSION_DENIED,
            // Version 1 has none.
            Ok(_) if op.nr_frames > 0 => status::GENERAL_ERROR,
            Ok(_) => status::OKAY,
        };
        self.write(caller, arg, &op)
    }

    fn swap_grant_refs(&mut self, caller: u16, a: u32, b: u32) -> i16 {
        let Ok(domain) = self.domain(caller) else {
            return status::BAD_DOMAIN;
        };
        let grants = &domain.grants;
        if a >= grants.entries() || b >= grants.entries() {
            return status::BAD_GNTREF;
        }
        if a == b {
            return status::OKAY;
        }
        if grants.active.contains_key(&a) || grants.active.contains_key(&b) {
            return status::EAGAIN;
        }
        for at in (0..grants.entry_bytes()).step_by(size_of::<u64>()) {
            let word = |gref| {
                let (mfn, offset) = grants.place(gref);
                self.machine.u64(mfn, offset + at)
            };
            let old = word(a).load(SeqCst);
            word(a).store(word(b).load(SeqCst), SeqCst);
            word(b).store(old, SeqCst);
        }
        // Of entries that nobody uses no status is set.
        status::OKAY
    }

    /// `user` starts to use an entry of `owner`'s table: checks the entry,
    /// marks it, and counts. The page, with a reference taken.
    pub(super) fn pin(
        &mut self,
        owner: u16,
        gref: u32,
        user: u16,
        readonly: bool,
        purpose: Purpose,
    ) -> Result<Part, i16> {
        let mapping = purpose == Purpose::Map;
        let domain = self.domains.get(&owner).ok_or(status::BAD_DOMAIN)?;
        if gref >= domain.grants.entries() {
            return Err(status::BAD_GNTREF);
        }
        let old = domain.grants.active.get(&gref).copied();
        if let Some(mut active) = old
            && (active.domid != user
                || *active.pins(readonly) >= MAX_PINS
                || mapping && active.part.sub_page)
        {
            return Err(status::GENERAL_ERROR);
        }
        let through = !mapping && self.is_transitive(owner, gref);
        let mut active = match old {
            Some(active) if (readonly || active.writers > 0) && !through => {
                // Marked already; what the entry says now does not matter.
                let frame = self.frames.get(active.part.mfn);
                if frame.owner != Some(owner) || (!mapping && domain.dying) {
                    return Err(if mapping {
                        status::GENERAL_ERROR
                    } else {
                        status::BAD_DOMAIN
                    });
                }
                active
            }
            _ => {
                if !old.is_some_and(|active| readonly || active.writers > 0) {
                    self.mark(owner, gref, user, readonly, mapping, old.is_some())?;
                }
                let part = match old {
                    // A further mapping keeps to the first one's frame.
                    Some(active) if mapping => Ok(active.part),
                    _ if through => self.pin_through(owner, gref, readonly, purpose),
                    _ => self.granted_part(owner, gref, mapping),
                };
                match (part, old) {
                    (Ok(part), Some(active)) if active.part.still(&part) => active,
                    (Ok(part), None) => Active {
                        domid: user,
                        part,
                        readers: 0,
                        writers: 0,
                    },
                    (
                        Ok(Part {
                            through: Some((dom, gref)),
                            ..
                        }),
                        _,
                    ) => {
                        // It changed meanwhile.
                        self.unpin(dom, gref, readonly);
                        self.unmark(owner, gref, readonly);
                        return Err(status::RESTART);
                    }
                    (result, _) => {
                        self.unmark(owner, gref, readonly);
                        return Err(result.err().unwrap_or(status::GENERAL_ERROR));
                    }
                }
            }
        };
        *active.pins(readonly) += 1;
        self.frames.get_ref(active.part.mfn);
        if let Some(domain) = self.domains.get_mut(&owner) {
            domain.grants.active.insert(gref, active);
        }
        Ok(active.part)
    }

    /// The end of a use: uncounts, unmarks, and drops the reference.
    pub(super) fn unpin(&mut self, owner: u16, gref: u32, readonly: bool) {
        let Some(domain) = self.domains.get_mut(&owner) else {
            return;
        };
        let Some(active) = domain.grants.active.get_mut(&gref) else {
            return;
        };
        *active.pins(readonly) -= 1;
        let part = active.part;
        if active.readers == 0 && active.writers == 0 {
            domain.grants.active.remove(&gref);
        }
        self.unmark(owner, gref, readonly);
        self.frames.put_ref(part.mfn);
        if let Some((dom, gref)) = part.through {
            // Of which there is one at most.
            self.unpin(dom, gref, readonly);
        }
    }

    /// The machine frame of an entry in use.
    pub(super) fn pinned_frame(&self, owner: u16, gref: u32) -> Option<u64> {
        let domain = self.domains.get(&owner)?;
        domain
            .grants
            .active
            .get(&gref)
            .map(|active| active.part.mfn)
    }

    /// Sets the entry's "reading" and "writing" bits if it grants that.
    fn mark(
        &self,
        owner: u16,
        gref: u32,
        user: u16,
        readonly: bool,
        mapping: bool,
        pinned: bool,
    ) -> Result<(), i16> {
        let grants = &self.domain(owner).map_err(|_| status::BAD_DOMAIN)?.grants;
        if grants.version == 2 {
            return self.mark_status(grants, gref, user, readonly, mapping, pinned);
        }
        let (mfn, offset) = grants.place(gref);
        // Flags in the low half, the domain in the high one.
        let word = self.machine.u32(mfn, offset);
        let mask = abi::GTF_type_mask | if mapping { abi::GTF_sub_page } else { 0 };
        let mut seen = word.load(SeqCst);
        for _ in 0..TRIES {
            let granted = seen & mask == abi::GTF_permit_access && seen >> 16 == u32::from(user);
            if !pinned && !granted {
                return Err(status::GENERAL_ERROR);
            }
            let mut new = seen | abi::GTF_reading;
            if !readonly {
                new |= abi::GTF_writing;
                if seen & abi::GTF_readonly != 0 {
                    return Err(status::GENERAL_ERROR);
                }
            }
            match word.compare_exchange(seen, new, SeqCst, SeqCst) {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
        Err(status::GENERAL_ERROR)
    }

    /// Clears the bits for which there is no use any more.
    fn unmark(&self, owner: u16, gref: u32, readonly: bool) {
        let Ok(domain) = self.domain(owner) else {
            return;
        };
        let active = domain.grants.active.get(&gref);
        let mut clear = 0;
        if active.is_none() {
            clear |= abi::GTF_reading;
        }
        if !readonly && active.is_none_or(|active| active.writers == 0) {
            clear |= abi::GTF_writing;
        }
        if clear != 0 {
            let (mfn, offset) = domain.grants.marks(gref);
            self.machine
                .u16(mfn, offset)
                .fetch_and(!(clear as u16), SeqCst);
        }
    }

    /// What an entry names of the owner's own pages.
    fn granted_part(&self, owner: u16, gref: u32, mapping: bool) -> Result<Part, i16> {
        let grants = &self.domain(owner).map_err(|_| status::BAD_DOMAIN)?.grants;
        if grants.version == 2 {
            return self.granted_part_v2(owner, grants, gref, mapping);
        }
        let (mfn, offset) = grants.place(gref);
        let gfn = self.machine.u32(mfn, offset + 4).load(SeqCst);
        self.own_frame(owner, u64::from(gfn)).map(Part::whole)
    }

    /// The machine frame at `gfn` if it is the domain's own page.
    pub(super) fn own_frame(&self, dom: u16, gfn: u64) -> Result<u64, i16> {
        let domain = self.domain(dom).map_err(|_| status::BAD_PAGE)?;
        match domain.physmap.get(gfn) {
            Some(entry)
                if !matches!(entry.kind, Kind::Foreign { .. })
                    && self.frames.get(entry.mfn).owner == Some(dom) =>
            {
                Ok(entry.mfn)
            }
            _ => Err(status::BAD_PAGE),
        }
    }

    /// Entries in use by somebody, with Xen's marks.
    #[cfg(test)]
    pub(super) fn active_grants(&self, dom: u16) -> Vec<(u32, Active, u16)> {
        let grants = &self.domains[&dom].grants;
        let flags = |gref| {
            let (mfn, offset) = grants.marks(gref);
            self.machine.u16(mfn, offset).load(SeqCst)
        };
        let active = grants.active.iter();
        active
            .map(|(&gref, &active)| (gref, active, flags(gref)))
            .collect()
    }

    /// Entries in use in the shared table, but for the reserved ones.
    pub(super) fn live_grants(&self, dom: u16) -> usize {
        let Ok(domain) = self.domain(dom) else {
            return 0;
        };
        (RESERVED..domain.grants.entries())
            .filter(|gref| {
                let (mfn, offset) = domain.grants.place(*gref);
                self.machine.u16(mfn, offset).load(SeqCst) != 0
            })
            .count()
    }
}

macro_rules! arguments {
    ($($name:ident)*) => {
        $(
            // SAFETY: a structure of integers.
            unsafe impl Argument for abi::$name {}
        )*
    };
}

arguments! {
    gnttab_set_version gnttab_get_version gnttab_swap_grant_ref
    gnttab_setup_table gnttab_query_size gnttab_get_status_frames
    gnttab_map_grant_ref gnttab_unmap_grant_ref gnttab_copy
    gnttab_unmap_and_replace gnttab_cache_flush
}
