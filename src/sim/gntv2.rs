// SPDX-License-Identifier: MIT OR Apache-2.0
//! Grant tables, version 2: entries of 16 bytes, and their status words.

use std::sync::atomic::Ordering::SeqCst;
use std::vec::Vec;

use super::gnttab::{GrantTable, Part, Purpose, RESERVED, status};
use super::machine::Use;
use super::state::State;
use crate::ffi::abi;
use crate::{Error, PAGE_SIZE, Result};

const STATUS_BYTES: usize = size_of::<abi::grant_status_t>();
/// Frames of the table whose status words fit into one.
const FRAMES_PER_STATUS: u32 =
    (PAGE_SIZE / STATUS_BYTES / (PAGE_SIZE / size_of::<abi::grant_entry_v2>())) as u32;
/// Where in an entry its parts are, behind flags and domain.
const DETAIL: usize = 4;
const FRAME: usize = 8;

/// Marks of those who use an entry.
const MARKS: u16 = (abi::GTF_reading | abi::GTF_writing) as u16;

/// Frames of status words for so many of the table.
pub(super) fn status_frames(frames: u32) -> u32 {
    frames.div_ceil(FRAMES_PER_STATUS)
}

impl GrantTable {
    pub(super) fn status_place(&self, gref: u32) -> (u64, usize) {
        let at = gref as usize * STATUS_BYTES;
        (self.status[at / PAGE_SIZE], at % PAGE_SIZE)
    }
}

impl State {
    /// As many frames of status words as the table needs.
    pub(super) fn add_status_frames(&mut self, dom: u16) -> Result<()> {
        let machine = self.machine.clone();
        let domain = self.domains.get_mut(&dom).ok_or(Error::NoSuchDomain)?;
        let grants = &mut domain.grants;
        if grants.version == 2 {
            while (grants.status.len() as u32) < status_frames(grants.nr_frames()) {
                let frame = self.frames.alloc(&machine, dom, Use::XenHeap, 1);
                grants.status.push(frame.ok_or(Error::Invalid)?);
            }
        }
        Ok(())
    }

    /// The machine frame that the domain names: of the table, or of its status
    /// words.
    pub(super) fn table_frame(&mut self, dom: u16, index: u64) -> Result<u64> {
        let flag = u64::from(abi::XENMAPIDX_grant_table_status);
        if self.domain(dom)?.grants.version == 2 && index & flag != 0 {
            self.status_frame(dom, index & !flag)
        } else {
            self.grant_frame(dom, index)
        }
    }

    /// A machine frame of status words. Xen grows the table to as many frames
    /// as it can have the status of.
    pub(super) fn status_frame(&mut self, dom: u16, index: u64) -> Result<u64> {
        let grants = &self.domain(dom)?.grants;
        if grants.version != 2 {
            return Err(Error::Invalid);
        }
        let per_frame = u64::from(FRAMES_PER_STATUS);
        let frames = index
            .checked_add(1)
            .and_then(|count| count.checked_mul(per_frame))
            .ok_or(Error::Invalid)?;
        let there = |grants: &GrantTable| grants.status.get(index as usize).copied();
        if there(grants).is_none() && frames <= u64::from(grants.max_frames) {
            self.grant_frame(dom, frames - 1)?;
        }
        there(&self.domain(dom)?.grants).ok_or(Error::Invalid)
    }

    /// Entries but for the reserved ones are lost, so none may be in use.
    pub(super) fn set_grant_version(&mut self, dom: u16, version: u32) -> Result<()> {
        if version != 1 && version != 2 {
            return Err(Error::Invalid);
        }
        if version == 2 && !self.grants_v2 {
            return Err(Error::NotImplemented);
        }
        let grants = &self.domain(dom)?.grants;
        if grants.version == version {
            return Ok(());
        }
        if grants.active.keys().any(|gref| *gref >= RESERVED) {
            return Err(Error::Busy);
        }
        let kept: Vec<_> = (0..RESERVED)
            .map(|gref| self.reserved_entry(grants, gref))
            .collect();
        if version == 1 {
            if kept.iter().any(|(_, _, fits)| !fits) {
                return Err(Error::OutOfRange);
            }
            self.remove_status_frames(dom)?;
        }
        let domain = self.domains.get_mut(&dom).ok_or(Error::NoSuchDomain)?;
        domain.grants.version = version;
        self.add_status_frames(dom)?;
        let grants = &self.domain(dom)?.grants;
        for mfn in &grants.frames {
            for at in (0..PAGE_SIZE).step_by(size_of::<u64>()) {
                self.machine.u64(*mfn, at).store(0, SeqCst);
            }
        }
        for (gref, (header, frame, _)) in (0..).zip(kept) {
            let (mfn, at) = grants.place(gref);
            if version == 1 {
                self.machine.u32(mfn, at + 4).store(frame as u32, SeqCst);
                self.machine.u32(mfn, at).store(header, SeqCst);
            } else {
                let (status, place) = grants.status_place(gref);
                let marks = header as u16 & MARKS;
                self.machine.u16(status, place).store(marks, SeqCst);
                self.machine.u64(mfn, at + FRAME).store(frame, SeqCst);
                let header = header & !u32::from(MARKS);
                self.machine.u32(mfn, at).store(header, SeqCst);
            }
        }
        Ok(())
    }

    /// Flags with the marks, and domain; frame; and whether version 1 can say
    /// that.
    fn reserved_entry(&self, grants: &GrantTable, gref: u32) -> (u32, u64, bool) {
        let (mfn, at) = grants.place(gref);
        let header = self.machine.u32(mfn, at).load(SeqCst);
        if grants.version == 1 {
            let frame = self.machine.u32(mfn, at + 4).load(SeqCst);
            return (header, frame.into(), true);
        }
        let frame = self.machine.u64(mfn, at + FRAME).load(SeqCst);
        let (status, place) = grants.status_place(gref);
        let marks = self.machine.u16(status, place).load(SeqCst);
        match header & abi::GTF_type_mask {
            abi::GTF_permit_access => (header | u32::from(marks), frame, frame >> 32 == 0),
            kind => (0, 0, kind != abi::GTF_transitive),
        }
    }

    /// They are the domain's no more, wherever they were.
    fn remove_status_frames(&mut self, dom: u16) -> Result<()> {
        for mfn in self.domain(dom)?.grants.status.clone() {
            if let Some(gfn) = self.frames.get(mfn).gfn {
                self.set_gfn(dom, gfn, None)?;
            }
            if self.frames.get(mfn).refs > 0 {
                self.warn(std::format!(
                    "d{dom} crashed: a frame with the status of its grants is mapped elsewhere"
                ));
                self.domain_mut(dom)?.shutdown = Some(abi::SHUTDOWN_crash);
                return Err(Error::Busy);
            }
        }
        for mfn in std::mem::take(&mut self.domain_mut(dom)?.grants.status) {
            self.frames.give_up(mfn);
        }
        Ok(())
    }

    /// Sets the entry's status if it grants that. The granter clears the flags
    /// and then looks at the status, so that the flags are looked at again.
    pub(super) fn mark_status(
        &self,
        grants: &GrantTable,
        gref: u32,
        user: u16,
        readonly: bool,
        mapping: bool,
        pinned: bool,
    ) -> Result<(), i16> {
        let (mfn, at) = grants.place(gref);
        let header = self.machine.u32(mfn, at);
        let (mfn, at) = grants.status_place(gref);
        let marks = self.machine.u16(mfn, at);
        let mask = abi::GTF_type_mask | if mapping { abi::GTF_sub_page } else { 0 };
        let granted = |seen: u32| {
            let kind = seen & mask;
            (kind == abi::GTF_permit_access || !mapping && kind == abi::GTF_transitive)
                && seen >> 16 == u32::from(user)
        };
        let refused = |seen: u32| !readonly && seen & abi::GTF_readonly != 0;

        let seen = header.load(SeqCst);
        if !pinned && !granted(seen) || refused(seen) {
            return Err(status::GENERAL_ERROR);
        }
        let wanted = if readonly {
            abi::GTF_reading as u16
        } else {
            MARKS
        };
        marks.fetch_or(wanted, SeqCst);
        let seen = header.load(SeqCst);
        let (bad, undone) = if pinned {
            (seen & abi::GTF_readonly != 0, abi::GTF_writing as u16)
        } else {
            (!granted(seen) || refused(seen), MARKS)
        };
        if bad {
            marks.fetch_and(!undone, SeqCst);
            return Err(status::GENERAL_ERROR);
        }
        Ok(())
    }

    pub(super) fn granted_part_v2(
        &self,
        owner: u16,
        grants: &GrantTable,
        gref: u32,
        mapping: bool,
    ) -> Result<Part, i16> {
        let (mfn, at) = grants.place(gref);
        let flags = self.machine.u16(mfn, at).load(SeqCst);
        let gfn = self.machine.u64(mfn, at + FRAME).load(SeqCst);
        let whole = self.own_frame(owner, gfn).map(Part::whole)?;
        if mapping || u32::from(flags) & abi::GTF_sub_page == 0 {
            return Ok(whole);
        }
        let number = |at| usize::from(self.machine.u16(mfn, at).load(SeqCst));
        Ok(Part {
            start: number(at + DETAIL),
            length: number(at + DETAIL + 2),
            sub_page: true,
            ..whole
        })
    }

    pub(super) fn is_transitive(&self, owner: u16, gref: u32) -> bool {
        let Ok(domain) = self.domain(owner) else {
            return false;
        };
        let (mfn, at) = domain.grants.place(gref);
        let flags = self.machine.u16(mfn, at).load(SeqCst);
        let kind = u32::from(flags) & abi::GTF_type_mask;
        domain.grants.version == 2 && kind == abi::GTF_transitive
    }

    /// What was granted to `owner`, who grants it on: that is used, too.
    pub(super) fn pin_through(
        &mut self,
        owner: u16,
        gref: u32,
        readonly: bool,
        purpose: Purpose,
    ) -> Result<Part, i16> {
        let domain = self.domain(owner).map_err(|_| status::BAD_DOMAIN)?;
        let (mfn, at) = domain.grants.place(gref);
        let from = self.machine.u16(mfn, at + DETAIL).load(SeqCst);
        let theirs = self.machine.u32(mfn, at + FRAME).load(SeqCst);
        // Once, not on and on, and not in a circle.
        if purpose != Purpose::Copy || from == owner || self.domain(from).is_err() {
            return Err(status::GENERAL_ERROR);
        }
        let part = self.pin(from, theirs, owner, readonly, Purpose::CopyThrough)?;
        Ok(Part {
            sub_page: true,
            through: Some((from, theirs)),
            ..part
        })
    }
}
