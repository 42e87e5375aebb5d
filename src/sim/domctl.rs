// SPDX-License-Identifier: MIT OR Apache-2.0
//! What a control domain does to others: their memory limit, device memory,
//! whether they run, and who is whose device model.

use super::hypercall::{Argument, Outcome};
use super::physmap::{Entry, Kind};
use super::state::State;
use crate::ffi::abi;
use crate::{Error, PAGE_SIZE, Result};

/// The version of this unstable interface, as of the Xen that is reported.
const INTERFACE_VERSION: u32 = 0x15;
/// Frames that one call maps or unmaps at most, on Arm.
const MAX_FRAMES: u64 = 64;
/// How often a domain can be paused.
const MAX_PAUSES: u32 = 255;
/// `EOVERFLOW`.
const EOVERFLOW: i32 = 75;
/// Machine addresses have 44 bits.
const MACHINE_FRAME_BITS: u32 = 32;

// SAFETY: a structure of integers.
unsafe impl Argument for abi::xen_domctl {}

/// The last of `count` frames from `first` on, with Xen's way to see that
/// there is none.
fn last_of(first: u64, count: u64) -> Result<u64> {
    let last = first.wrapping_add(count).wrapping_sub(1);
    if last < first {
        Err(Error::Invalid)
    } else {
        Ok(last)
    }
}

impl State {
    pub(super) fn domctl(&mut self, caller: u16, arg: usize) -> Result<Outcome> {
        let op: abi::xen_domctl = self.read(caller, arg)?;
        if op.interface_version != INTERFACE_VERSION {
            return Err(Error::WrongKind);
        }
        let dom = self.domain(op.domain)?.id;
        // SAFETY: any bytes are integers, whichever member was written.
        let result = unsafe {
            match op.cmd {
                abi::XEN_DOMCTL_memory_mapping => {
                    self.memory_mapping(caller, dom, &op.u.memory_mapping)
                }
                abi::XEN_DOMCTL_iomem_permission => {
                    self.iomem_permission(caller, dom, &op.u.iomem_permission)
                }
                abi::XEN_DOMCTL_set_target => self.set_target(caller, dom, op.u.set_target.target),
                _ if !self.is_privileged(caller) => Err(Error::NotPermitted),
                abi::XEN_DOMCTL_max_mem => {
                    // Less than it has is fine: it just gets no more.
                    let kib = op.u.max_mem.max_memkb;
                    let pages = kib / (PAGE_SIZE as u64 / 1024);
                    self.domain_mut(dom)?.max_pages = pages.min(u32::MAX.into());
                    Ok(())
                }
                abi::XEN_DOMCTL_pausedomain if dom == caller => Err(Error::Invalid),
                abi::XEN_DOMCTL_pausedomain => {
                    let pauses = &mut self.domain_mut(dom)?.pauses;
                    if *pauses == MAX_PAUSES {
                        return Err(Error::Unknown(EOVERFLOW));
                    }
                    *pauses += 1;
                    Ok(())
                }
                abi::XEN_DOMCTL_unpausedomain => {
                    let pauses = &mut self.domain_mut(dom)?.pauses;
                    *pauses = pauses.checked_sub(1).ok_or(Error::Invalid)?;
                    self.wake = true;
                    Ok(())
                }
                _ => Err(Error::NotImplemented),
            }
        };
        result.map(|()| Outcome::Done(0))
    }

    /// What 4.20 checks before it looks at the caller, 4.17 checks after.
    fn memory_mapping(
        &mut self,
        caller: u16,
        dom: u16,
        op: &abi::xen_domctl_memory_mapping,
    ) -> Result<()> {
        let last = last_of(op.first_mfn, op.nr_mfns)?;
        if (op.first_mfn | last) >> MACHINE_FRAME_BITS != 0 {
            return Err(Error::Invalid);
        }
        let last_gfn = last_of(op.first_gfn, op.nr_mfns)?;
        self.check_device_model(caller, dom)?;
        if op.nr_mfns > MAX_FRAMES {
            return Err(Error::TooBig);
        }
        let frames = || (op.first_gfn..=last_gfn).zip(op.first_mfn..=last);
        for (_, mfn) in frames() {
            self.check_iomem(caller, mfn)?;
            self.check_iomem(dom, mfn)?;
        }
        if op.add_mapping != 0 {
            return frames().try_for_each(|(gfn, mfn)| {
                let kind = Kind::Device;
                self.set_gfn(dom, gfn, Some(Entry { mfn, kind }))
            });
        }
        // Pages of memory go only as the frames that they are.
        for (gfn, mfn) in frames() {
            match self.domain(dom)?.physmap.get(gfn) {
                Some(entry) if entry.kind != Kind::Device && entry.mfn != mfn => {
                    return Err(Error::Unknown(super::EILSEQ));
                }
                _ => {}
            }
        }
        frames().try_for_each(|(gfn, _)| self.set_gfn(dom, gfn, None))
    }

    fn iomem_permission(
        &mut self,
        caller: u16,
        dom: u16,
        op: &abi::xen_domctl_iomem_permission,
    ) -> Result<()> {
        let last = last_of(op.first_mfn, op.nr_mfns)?;
        if !self.is_privileged(caller) {
            return Err(Error::NotPermitted);
        }
        for mfn in op.first_mfn..=last {
            self.check_iomem(caller, mfn)?;
        }
        let iomem = &mut self.domain_mut(dom)?.iomem;
        for mfn in op.first_mfn..=last {
            if op.allow_access != 0 {
                iomem.insert(mfn);
            } else {
                iomem.remove(&mfn);
            }
        }
        Ok(())
    }

    /// Whether a domain may have device memory mapped.
    fn check_iomem(&self, dom: u16, mfn: u64) -> Result<()> {
        if self.domain(dom)?.iomem.contains(&mfn) {
            Ok(())
        } else {
            Err(Error::NotPermitted)
        }
    }

    fn set_target(&mut self, caller: u16, dom: u16, target: u16) -> Result<()> {
        let target = self.domain(target)?.id;
        if target == dom {
            return Err(Error::Invalid);
        }
        if !self.is_privileged(caller) {
            return Err(Error::NotPermitted);
        }
        let place = &mut self.domain_mut(dom)?.target;
        if place.is_some() {
            return Err(Error::Invalid);
        }
        *place = Some(target);
        Ok(())
    }
}
