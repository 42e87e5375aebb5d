// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C API's calls as steps of a scenario.

use core::ffi::c_void;
use core::ptr::{self, NonNull};
use core::sync::atomic::{AtomicU32, Ordering};

use xen_guest::ffi::{self, abi};
use xen_guest::{PAGE_SIZE, Page};

use crate::cx::Cx;
use crate::domain::{Domain, Role};

/// How often a wait looks before it gives up.
const PATIENCE: u32 = 10_000;

/// The handler of most steps: counts its calls.
pub(crate) unsafe extern "C" fn count(data: *mut c_void) {
    // SAFETY: bound with a counter of the domain.
    let counter = unsafe { &*data.cast::<AtomicU32>() };
    counter.fetch_add(1, Ordering::Release);
}

pub(crate) fn counter(d: &Domain<'_>, slot: usize) -> *mut c_void {
    ptr::from_ref(&d.counters[slot]).cast_mut().cast()
}

/// A page kept between the steps of one domain.
pub(crate) type Kept = Option<NonNull<Page>>;

/// A mapping kept between the steps of one domain.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mapped {
    pub va: usize,
    pub handle: u32,
}

impl<'w> Cx<'_, 'w> {
    pub(crate) fn alloc_unbound(&mut self, role: Role, remote: u16) -> i64 {
        self.alloc_unbound_for(role, ffi::abi::DOMID_SELF as u16, remote)
    }

    pub(crate) fn alloc_unbound_for(&mut self, role: Role, dom: u16, remote: u16) -> i64 {
        self.step(
            role,
            format_args!("alloc_unbound({dom:#x}, {remote})"),
            // SAFETY: the guest is set up.
            |d| unsafe { ffi::xg_evtchn_alloc_unbound(d.raw(), dom, remote).into() },
        )
    }

    /// With handler `slot`, or none.
    pub(crate) fn bind_interdomain(
        &mut self,
        role: Role,
        remote: u16,
        port: i64,
        slot: Option<usize>,
    ) -> i64 {
        self.step(
            role,
            format_args!("bind_interdomain({remote}, {port}, {slot:?})"),
            |d| {
                let data = slot.map_or(ptr::null_mut(), |slot| counter(d, slot));
                let handler = slot.map(|_| count as unsafe extern "C" fn(*mut c_void));
                // SAFETY: the guest is set up; counters outlive the port.
                unsafe {
                    ffi::xg_evtchn_bind_interdomain(d.raw(), remote, port as u32, handler, data)
                        .into()
                }
            },
        )
    }

    pub(crate) fn bind(&mut self, role: Role, port: i64, slot: usize) -> i64 {
        self.step(role, format_args!("bind({port}, {slot})"), |d| {
            // SAFETY: the guest is set up; counters outlive the port.
            unsafe {
                ffi::xg_evtchn_bind(d.raw(), port as u32, Some(count), counter(d, slot)).into()
            }
        })
    }

    /// How often handler `slot` was called, once it was called `want` times
    /// and everything sent so far has arrived.
    pub(crate) fn events(&mut self, role: Role, slot: usize, want: u32) -> i64 {
        self.step(role, format_args!("events({slot})"), |d| {
            for _ in 0..PATIENCE {
                if d.count(slot) >= want {
                    break;
                }
                d.memory.pause();
            }
            d.memory.settle();
            d.count(slot).into()
        })
    }

    pub(crate) fn status(&mut self, role: Role, dom: u16, port: i64) -> i64 {
        let call = format_args!("status({dom:#x}, {port})");
        self.step(role, call, |d| {
            let mut status = abi::evtchn_status {
                dom,
                port: port as u32,
                ..Default::default()
            };
            // SAFETY: the guest is set up.
            match unsafe { ffi::xg_evtchn_status(d.raw(), (&raw mut status).cast()) } {
                0 => status.status.into(),
                error => error.into(),
            }
        })
    }

    /// Grant a page of the domain's own, kept in `page`, to `peer`.
    pub(crate) fn grant(&mut self, role: Role, page: &mut Kept, peer: u16, readonly: bool) -> i64 {
        self.step(role, format_args!("grant({peer}, {readonly})"), |d| {
            if page.is_none() {
                *page = d.memory.alloc_page();
            }
            match *page {
                Some(page) => grant_page(d, page, peer, readonly),
                None => (-(ffi::XG_ENOMEM as i32)).into(),
            }
        })
    }

    pub(crate) fn end(&mut self, role: Role, gref: i64) -> i64 {
        self.step(
            role,
            format_args!("end({gref})"),
            // SAFETY: the guest is set up.
            |d| unsafe { ffi::xg_gnttab_end(d.raw(), gref as u32).into() },
        )
    }

    /// Free a page kept by `grant`; not while it is granted.
    pub(crate) fn free(&mut self, role: Role, page: &mut Kept) -> i64 {
        self.step(role, format_args!("free"), |d| {
            if let Some(page) = page.take() {
                // SAFETY: from `alloc_page`; the scenario ended its grant.
                unsafe { d.memory.free_page(page) };
            }
            0
        })
    }

    /// Map `gref` of domain `dom` at window page `index`.
    pub(crate) fn map(
        &mut self,
        role: Role,
        dom: u16,
        gref: i64,
        index: usize,
        readonly: bool,
        mapped: &mut Mapped,
    ) -> i64 {
        let call = format_args!("map({dom}, {gref}, {index}, {readonly})");
        self.step(role, call, |d| {
            let mut op = map_op(d, dom, gref, index, readonly);
            let rc = map_refs(d, core::slice::from_mut(&mut op));
            if rc == 0 {
                *mapped = Mapped {
                    va: op.host_addr as usize,
                    handle: op.handle,
                };
            }
            rc
        })
    }

    pub(crate) fn unmap(&mut self, role: Role, mapped: &Mapped) -> i64 {
        self.step(role, format_args!("unmap"), |d| unmap_one(d, mapped))
    }

    /// Write `value` to word `index` of the granted page.
    pub(crate) fn poke(&mut self, role: Role, page: &Kept, index: usize, value: u32) -> i64 {
        self.step(role, format_args!("poke({index}, {value:#x})"), |_| {
            let Some(page) = page else { return -1 };
            assert!(index < PAGE_SIZE / 4);
            // SAFETY: the page is the domain's own; shared, so volatile.
            unsafe { page.cast::<u32>().add(index).write_volatile(value) };
            0
        })
    }

    pub(crate) fn peek(&mut self, role: Role, page: &Kept, index: usize) -> i64 {
        self.step(role, format_args!("peek({index})"), |_| {
            let Some(page) = page else { return -1 };
            assert!(index < PAGE_SIZE / 4);
            // SAFETY: as for `poke`.
            unsafe { page.cast::<u32>().add(index).read_volatile().into() }
        })
    }

    /// Write `value` to word `index` of a mapping.
    pub(crate) fn poke_mapped(&mut self, role: Role, at: &Mapped, index: usize, value: u32) -> i64 {
        let call = format_args!("poke mapped({index}, {value:#x})");
        self.step(role, call, |_| {
            assert!(index < PAGE_SIZE / 4);
            // SAFETY: mapped for writing, as the scenario knows; shared, so
            // volatile.
            unsafe { (at.va as *mut u32).add(index).write_volatile(value) };
            0
        })
    }

    pub(crate) fn peek_mapped(&mut self, role: Role, at: &Mapped, index: usize) -> i64 {
        self.step(role, format_args!("peek mapped({index})"), |_| {
            assert!(index < PAGE_SIZE / 4);
            // SAFETY: mapped, as the scenario knows; shared, so volatile.
            unsafe { (at.va as *const u32).add(index).read_volatile().into() }
        })
    }
}

macro_rules! port_steps {
    ($($name:ident => $function:ident;)*) => {
        impl Cx<'_, '_> {
            $(pub(crate) fn $name(&mut self, role: Role, port: i64) -> i64 {
                self.step(
                    role,
                    format_args!(concat!(stringify!($name), "({})"), port),
                    // SAFETY: the guest is set up.
                    |d| unsafe { ffi::$function(d.raw(), port as u32).into() },
                )
            })*
        }
    };
}

port_steps! {
    unbind => xg_evtchn_unbind;
    close => xg_evtchn_close;
    notify => xg_evtchn_notify;
    mask => xg_evtchn_mask;
    unmask => xg_evtchn_unmask;
    pending => xg_evtchn_pending;
    take_pending => xg_evtchn_take_pending;
    take_missed => xg_evtchn_take_missed;
}

/// The frame behind an address of the domain.
pub(crate) fn gfn_of(d: &Domain<'_>, va: *const u8) -> u64 {
    let mut gfn = 0;
    // SAFETY: the guest is set up, so its platform table is complete.
    unsafe {
        let guest = d.raw();
        if let Some(hook) = (*(*guest).platform).virt_to_gfn {
            hook((*guest).context, va.cast(), &mut gfn);
        }
    }
    gfn
}

pub(crate) fn grant_page(d: &Domain<'_>, page: NonNull<Page>, peer: u16, readonly: bool) -> i64 {
    let gfn = gfn_of(d, page.as_ptr().cast());
    // SAFETY: the guest is set up; the page is its own RAM.
    unsafe { ffi::xg_gnttab_grant(d.raw(), peer, gfn, readonly).into() }
}

pub(crate) fn map_op(
    d: &Domain<'_>,
    dom: u16,
    gref: i64,
    index: usize,
    readonly: bool,
) -> abi::gnttab_map_grant_ref {
    let readonly = if readonly { abi::GNTMAP_readonly } else { 0 };
    abi::gnttab_map_grant_ref {
        host_addr: d.memory.empty_page(index).addr().get() as u64,
        flags: abi::GNTMAP_host_map | readonly,
        ref_: gref as u32,
        dom,
        ..Default::default()
    }
}

pub(crate) fn map_refs(d: &Domain<'_>, ops: &mut [abi::gnttab_map_grant_ref]) -> i64 {
    // SAFETY: the guest is set up; scenarios name empty frames only.
    let rc = unsafe { ffi::xg_gnttab_map(d.raw(), ops.as_mut_ptr().cast(), ops.len() as u32) };
    if rc == 0 {
        d.mapped.fetch_add(ops.len() as u32, Ordering::Relaxed);
    }
    rc.into()
}

pub(crate) fn unmap_one(d: &Domain<'_>, mapped: &Mapped) -> i64 {
    let mut op = abi::gnttab_unmap_grant_ref {
        host_addr: mapped.va as u64,
        // Never filled by callers: must not matter.
        dev_bus_addr: 0xdead_beef_dead_beef,
        handle: mapped.handle,
        ..Default::default()
    };
    // SAFETY: the guest is set up; nothing refers to the mapping.
    let rc = unsafe { ffi::xg_gnttab_unmap(d.raw(), (&raw mut op).cast(), 1) };
    if i32::from(op.status) == abi::GNTST_okay as i32 {
        d.mapped.fetch_sub(1, Ordering::Relaxed);
    }
    rc.into()
}
