// SPDX-License-Identifier: MIT OR Apache-2.0
//! A guest for a domain: everything that `xg_guest_init()` wants, taken from
//! the domain and from the host.

use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;
use std::vec::Vec;

use super::domain::XgSimDomain;
use super::interrupts::connect_guest;
use super::{check, core, put, settings, the};
use crate::platform::Table;
use crate::sim::Domain;
use crate::sim::delivery::lock;
use crate::sim::physmap::EXTENDED_PAGES;
use crate::{EmptyPages, Error, PAGE_SIZE, Platform, Result, ffi, region_metadata};

/// The FIFO ABI of event channels, where Xen offers it.
pub const XG_SIM_FIFO: u32 = 1;
/// Version 2 of the grant table: -XG_ENOSYS without XG_SIM_HAS_GRANTS_V2.
pub const XG_SIM_GRANTS_V2: u32 = 2;

const DEFAULT_PORTS: u32 = 1024;
const DEFAULT_GRANT_FRAMES: u32 = 4;
const DEFAULT_REGION_PAGES: u32 = 256;
const DEFAULT_PARKED: u32 = 16;
const MAX_PARKED: u32 = 1 << 16;

/// How much a new guest has room for. Zero is the usual thing everywhere.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct XgSimGuestConfig {
    /// Event channels, rounded up to a multiple of 64; at most 131072, of
    /// which the 2-level ABI uses 4096. 0: 1024.
    pub ports: u32,
    /// Frames of the grant table, at most 64; with XG_SIM_GRANTS_V2 those with
    /// the status too. 0: four.
    pub grant_frames: u32,
    /// Pages of the region for foreign pages, at most 2^14. 0: 256.
    pub region_pages: u32,
    /// Places for parked grants, at most 2^16. 0: sixteen.
    pub parked: u32,
    /// XG_SIM_FIFO, XG_SIM_GRANTS_V2.
    pub flags: u32,
}

/// Where a guest lives.
pub struct Place {
    /// One, in a vector like the region: that can move while the core has the
    /// address, which a box's contents can't in Rust's terms.
    guest: Vec<MaybeUninit<ffi::xg_guest>>,
    groups: Vec<MaybeUninit<ffi::xg_port_group>>,
    vcpu_ports: Vec<u64>,
    words: Vec<u64>,
    parked: Vec<MaybeUninit<ffi::xg_parked>>,
    region: Vec<MaybeUninit<ffi::xg_region>>,
    metadata: Vec<u64>,
    /// Pages of the domain's, as Xen shares parts of them.
    vcpus: Pages,
    fifo: Pages,
    /// The region's frames.
    empty: Option<EmptyPages>,
}

/// Pages of a domain's RAM, which do not go back by themselves: Xen may be
/// using them.
struct Pages {
    va: *mut u8,
    count: u32,
}

impl Pages {
    const NONE: Self = Self {
        va: std::ptr::null_mut(),
        count: 0,
    };

    fn take(domain: &Domain, count: u32) -> Result<Self> {
        let va = domain.page_alloc(count);
        if va.is_null() {
            return Err(Error::NoMemory);
        }
        // SAFETY: pages of the domain's RAM, and so far nobody else's.
        unsafe { va.write_bytes(0, count as usize * PAGE_SIZE) };
        Ok(Self { va, count })
    }

    /// Gives them back, if Xen does not use one of them.
    fn give(&mut self, domain: &Domain) {
        let pages = std::mem::replace(self, Self::NONE);
        if let Some(gfn) = domain.virt_to_gfn(pages.va)
            && pages.count > 0
        {
            let _ = domain.free_pages(gfn.raw(), pages.count as usize, true);
        }
    }
}

/// Storage that the core fills.
fn room<T>(count: u32) -> Vec<MaybeUninit<T>> {
    (0..count).map(|_| MaybeUninit::zeroed()).collect()
}

impl Place {
    fn new(domain: &Domain, config: &XgSimGuestConfig) -> Result<Self> {
        let or = |value, usual| if value == 0 { usual } else { value };
        let groups = or(config.ports, DEFAULT_PORTS).div_ceil(ffi::XG_PORTS_PER_GROUP);
        let frames = or(config.grant_frames, DEFAULT_GRANT_FRAMES);
        let region_pages = or(config.region_pages, DEFAULT_REGION_PAGES);
        let parked = or(config.parked, DEFAULT_PARKED);
        if groups > ffi::XG_MAX_PORT_GROUPS
            || frames > ffi::XG_MAX_GRANT_FRAMES
            || u64::from(region_pages) > EXTENDED_PAGES
            || parked > MAX_PARKED
            || config.flags & !(XG_SIM_FIFO | XG_SIM_GRANTS_V2) != 0
        {
            return Err(Error::Invalid);
        }
        let words = frames * ffi::XG_GRANTS_PER_FRAME / 64;
        let mut place = Self {
            guest: room(1),
            groups: room(groups),
            vcpu_ports: std::vec![0; (groups * domain.vcpus()) as usize],
            words: std::vec![0; words as usize],
            parked: room(parked),
            region: room(1),
            metadata: std::vec![0; region_metadata(region_pages)],
            vcpus: Pages::NONE,
            fifo: Pages::NONE,
            empty: None,
        };
        match place.set_up(domain, frames, region_pages, config.flags) {
            Ok(()) => Ok(place),
            Err(error) => {
                place.give_back(domain);
                Err(error)
            }
        }
    }

    fn set_up(
        &mut self,
        domain: &Domain,
        frames: u32,
        region_pages: u32,
        flags: u32,
    ) -> Result<()> {
        let vcpus = domain.vcpus();
        let bytes = vcpus as usize * size_of::<ffi::xg_vcpu>();
        self.vcpus = Pages::take(domain, bytes.div_ceil(PAGE_SIZE) as u32)?;
        let groups = self.groups.len() as u32;
        if flags & XG_SIM_FIFO != 0 {
            let ports = groups * ffi::XG_PORTS_PER_GROUP;
            let pages = 1 + ports.div_ceil(ffi::XG_FIFO_PORTS_PER_PAGE);
            self.fifo = Pages::take(domain, pages)?;
        }
        let empty = domain.empty_pages(region_pages).ok_or(Error::NoMemory)?;
        let at = ffi::xg_window {
            va: empty.va().as_ptr().cast(),
            gfn: domain
                .virt_to_gfn(empty.va().as_ptr())
                .ok_or(Error::BadAddress)?
                .raw(),
            pages: region_pages,
        };
        self.empty = Some(empty);
        let window = domain.grant_window();
        let last = window.pages - 1;
        // SAFETY: the metadata has the size given and lives as long as the
        // region; both are at their places for good.
        core(unsafe {
            ffi::xg_region_init(
                self.region.as_mut_ptr().cast(),
                &at,
                self.metadata.as_mut_ptr().cast(),
                size_of_val(&self.metadata[..]),
            )
        })?;
        let config = ffi::xg_guest_config {
            platform: const { &Table::<Domain>::HOOKS },
            context: std::ptr::from_ref(domain).cast_mut().cast(),
            shared_info: ffi::xg_window {
                va: window.va.wrapping_add(last as usize * PAGE_SIZE).cast(),
                gfn: window.gfn.raw() + u64::from(last),
                pages: 1,
            },
            port_groups: self.groups.as_mut_ptr().cast(),
            nr_port_groups: groups,
            vcpus: self.vcpus.va.cast(),
            nr_vcpus: vcpus,
            vcpu_ports: self.vcpu_ports.as_mut_ptr(),
            reset_events: false,
            fifo_pages: self.fifo.va.cast(),
            nr_fifo_pages: self.fifo.count,
            gnttab: ffi::xg_window {
                va: window.va.cast(),
                gfn: window.gfn.raw(),
                pages: frames,
            },
            gnttab_version: if flags & XG_SIM_GRANTS_V2 != 0 { 2 } else { 1 },
            gnttab_words: self.words.as_mut_ptr(),
            parked: self.parked.as_mut_ptr().cast(),
            nr_parked: self.parked.len() as u32,
            regions: self.region.as_mut_ptr().cast(),
            nr_regions: 1,
        };
        // SAFETY: storage of the sizes given, which stays where it is, and
        // windows that the domain has for this.
        core(unsafe { ffi::xg_guest_init(self.guest.as_mut_ptr().cast(), &config) }).map(drop)
    }

    /// Gives back to the domain what was taken from it, and what Xen has let
    /// go of.
    fn give_back(&mut self, domain: &Domain) {
        if let Some(empty) = self.empty.take() {
            let _ = domain.give_empty(empty.va().as_ptr() as usize, empty.pages());
        }
        self.fifo.give(domain);
        self.vcpus.give(domain);
    }

    /// Whether a page of the region is taken: then all of it can't be.
    fn region_in_use(&mut self) -> bool {
        let region: *mut ffi::xg_region = self.region.as_mut_ptr().cast();
        // SAFETY: set up, and nobody else uses it meanwhile.
        unsafe {
            let pages = (*region).pages;
            let all = ffi::xg_region_take(region, pages);
            all < 0 || ffi::xg_region_give(region, all as u32, pages) < 0
        }
    }
}

/// Set up a guest of the core for the domain, with memory that the simulator
/// owns, bring the events of all its vCPUs up, and connect the event interrupt
/// to xg_evtchn_upcall(). *guest can then be used with everything in the other
/// headers; with xg_sim_switch() also with Zephyr's names. `config` may be
/// null.
///
///   -XG_EINVAL  null pointers, or settings out of range
///   -XG_EBUSY   the domain has a guest, or had one with several vCPUs, of
///               which Xen does not let go; or from inside an upcall of it
///   -XG_ENOMEM  the domain has too little RAM, or too few empty frames
///   -XG_ESRCH   the domain is dead
/// and what xg_guest_init() and xg_vcpu_online() return.
///
/// Until xg_sim_guest_fini() nothing else uses the domain's event channels and
/// grant table, and xg_guest_fini() is not called.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_guest_init(
    domain: *const XgSimDomain,
    config: *const XgSimGuestConfig,
    guest: *mut *mut ffi::xg_guest,
) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let (domain, config) = unsafe { (the(domain)?, settings(config)) };
        if guest.is_null() {
            return Err(Error::Invalid);
        }
        if !domain.lives() {
            return Err(Error::NoSuchDomain);
        }
        if domain.domain.shared.cpus.inside() {
            return Err(Error::Busy);
        }
        let mut slot = lock(&domain.place);
        if slot.is_some() {
            return Err(Error::Busy);
        }
        let mut place = Place::new(&domain.domain, &config)?;
        let made: *mut ffi::xg_guest = place.guest.as_mut_ptr().cast();
        domain.current.store(made, Ordering::SeqCst);
        *slot = Some(place);
        drop(slot);
        // Before the event interrupt is enabled.
        let online = (1..domain.domain.vcpus())
            // SAFETY: set up just now.
            .try_for_each(|vcpu| core(unsafe { ffi::xg_vcpu_online(made, vcpu) }).map(drop));
        if let Err(error) = online {
            take_down(domain)?;
            return Err(error);
        }
        connect_guest(domain, made);
        // SAFETY: as the caller promises.
        unsafe { put(guest, made) }?;
        Ok(0)
    })
}

/// Undo xg_sim_guest_init(): disconnect the event interrupt, and give back
/// what the guest has. The guest of a dead domain is only forgotten. With
/// several vCPUs a page stays in use that Xen does not let go of.
///
///   -XG_EINVAL  the domain has no guest
///   -XG_EBUSY   an event channel, a grant or a page of the region is in use,
///               or the call comes from inside an upcall: nothing is changed
///   -XG_EIO     Xen or a hook kept a page; the guest is gone nevertheless
///
/// No thread may be using the guest. If it is the calling thread's current one,
/// there is none afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_guest_fini(domain: *const XgSimDomain) -> i32 {
    // SAFETY: as the caller promises.
    check(|| take_down(unsafe { the(domain) }?))
}

fn take_down(domain: &XgSimDomain) -> Result<i32> {
    let cpus = &domain.domain.shared.cpus;
    if cpus.inside() {
        return Err(Error::Busy);
    }
    let mut slot = lock(&domain.place);
    let place = slot.as_mut().ok_or(Error::Invalid)?;
    let guest: *mut ffi::xg_guest = place.guest.as_mut_ptr().cast();
    let mut result = Ok(0);
    if domain.lives() {
        if place.region_in_use() {
            return Err(Error::Busy);
        }
        let upcall = cpus.upcall();
        domain.domain.clear_upcall();
        // SAFETY: set up, and nobody uses it.
        result = core(unsafe { ffi::xg_guest_fini(guest) });
        if result == Err(Error::Busy) {
            cpus.connect(upcall);
            return result;
        }
    }
    domain.current.store(std::ptr::null_mut(), Ordering::SeqCst);
    // SAFETY: a number of this thread's.
    unsafe {
        if ffi::xg_current() == guest {
            ffi::xg_set_current(std::ptr::null_mut());
        }
    }
    if let Some(mut place) = slot.take() {
        // What is not given back stays in use for as long as the domain lives.
        place.give_back(&domain.domain);
    }
    result
}

/// Make the domain's guest the one that calls of Zephyr's names on this thread
/// are for, as xg_set_current() does; null: none. Inside an upcall and
/// xg_sim_run_as_vcpu() it is that domain's by itself.
///
/// -XG_EINVAL: the domain has no guest of xg_sim_guest_init().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn xg_sim_switch(domain: *const XgSimDomain) -> i32 {
    check(|| {
        // SAFETY: as the caller promises.
        let guest = unsafe { domain.as_ref() }.map(|domain| domain.current.load(Ordering::SeqCst));
        if guest.is_some_and(|guest| guest.is_null()) {
            return Err(Error::Invalid);
        }
        // SAFETY: the guest lives until it is taken down.
        unsafe { ffi::xg_set_current(guest.unwrap_or(std::ptr::null_mut())) };
        Ok(0)
    })
}
