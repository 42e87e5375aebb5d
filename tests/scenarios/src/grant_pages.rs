// SPDX-License-Identifier: MIT OR Apache-2.0
//! Pages to map grants into, with a region and without.

use core::ffi::c_void;
use core::ptr;

use xen_guest::ffi::{self, abi};
use xen_guest::{Access, DomId, GrantMapping, GrantRef, Granted, PAGE_SIZE, RegionPages};

use crate::Verdict;
use crate::cx::Cx;
use crate::domain::Domain;
use crate::domain::Role::{self, A, B};
use crate::ops::{Kept, Mapped, map_op, map_refs, unmap_one};
use crate::regions::REGION_PAGES;

const EIO: i64 = -5;
const EBUSY: i64 = -16;
const EINVAL: i64 = -22;

/// Whose pages: the region's, or RAM, as for a guest that has no regions.
#[derive(Clone, Copy, Debug)]
enum Source {
    Region,
    Ram,
}

impl Source {
    fn of<T>(self, d: &Domain<'_>, work: impl FnOnce() -> T) -> T {
        // SAFETY: the guest is set up, and nobody else uses its regions now.
        let count = unsafe { &raw mut (*d.raw()).nr_regions };
        // SAFETY: as above.
        let regions = unsafe { count.read() };
        if let Self::Ram = self {
            // SAFETY: as above.
            unsafe { count.write(0) };
        }
        let result = work();
        // SAFETY: as above.
        unsafe { count.write(regions) };
        result
    }
}

impl Cx<'_, '_> {
    fn get_grant_pages(&mut self, role: Role, from: Source, n: u32, at: &mut *mut c_void) -> i64 {
        self.step(role, format_args!("get_pages({from:?}, {n})"), |d| {
            // SAFETY: the guest is set up.
            *at = from.of(d, || unsafe { ffi::xg_gnttab_get_pages(d.raw(), n) });
            i64::from(!at.is_null())
        })
    }

    fn put_grant_pages(&mut self, role: Role, from: Source, n: u32, at: *mut c_void) -> i64 {
        self.step(role, format_args!("put_pages({from:?}, {n})"), |d| {
            // SAFETY: the guest is set up; nothing uses the pages.
            let rc = from.of(d, || unsafe { ffi::xg_gnttab_put_pages(d.raw(), at, n) });
            rc.into()
        })
    }

    /// How much more RAM than `before` the domain has.
    fn ram(&mut self, role: Role, before: &mut u64) -> i64 {
        self.step(role, format_args!("ram"), |d| {
            let mut pages = 0;
            let dom = abi::DOMID_SELF as u16;
            // SAFETY: the guest is set up.
            let rc = unsafe { ffi::xg_memory_current_reservation(d.raw(), dom, &mut pages) };
            let more = (pages as i64) - (*before as i64);
            *before = pages;
            if rc == 0 { more } else { rc.into() }
        })
    }

    /// Map `gref` of A in page `index` of those at `at`, and look at word 9.
    fn map_in(
        &mut self,
        gref: i64,
        (from, at): (Source, *mut c_void),
        index: usize,
        mapped: &mut Mapped,
    ) -> i64 {
        self.step(B, format_args!("map in page {index}, peek"), |d| {
            let mut op = map_op(d, A.raw(), gref, 0, false);
            op.host_addr = at.wrapping_byte_add(index * PAGE_SIZE).addr() as u64;
            let rc = from.of(d, || map_refs(d, core::slice::from_mut(&mut op)));
            if rc != 0 {
                return rc;
            }
            *mapped = Mapped {
                va: op.host_addr as usize,
                handle: op.handle,
            };
            let word = ptr::with_exposed_provenance::<u32>(mapped.va);
            // SAFETY: mapped just now; shared, so volatile.
            unsafe { word.add(9).read_volatile().into() }
        })
    }
}

/// The region's pages, which stay taken while a grant is mapped there.
pub(crate) fn grant_pages_of_a_region(cx: &mut Cx<'_, '_>) -> Verdict {
    let from = Source::Region;
    let (mut granted, mut mapped, mut at): (Kept, _, _) =
        (None, Mapped::default(), ptr::null_mut());
    let gref = cx.grant(A, &mut granted, B.raw(), false);
    cx.poke(A, &granted, 9, 0x9e91);
    let got = cx.get_grant_pages(B, from, 3, &mut at);
    cx.check(got, 1)?;
    let value = cx.map_in(gref, (from, at), 1, &mut mapped);
    cx.check(value, 0x9e91)?;
    let rc = cx.put_grant_pages(B, from, 3, at);
    cx.check(rc, EBUSY)?;
    let rc = cx.unmap(B, &mapped);
    cx.check(rc, 0)?;
    let rc = cx.put_grant_pages(B, from, 2, at);
    cx.check(rc, EINVAL)?;
    let rc = cx.put_grant_pages(B, from, 3, at);
    cx.check(rc, 0)?;
    let rc = cx.put_grant_pages(B, from, 3, ptr::null_mut());
    cx.check(rc, EIO)?;
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut granted);
    Ok(())
}

/// RAM that Xen has while grants are mapped in its place, and then not: as
/// much comes back, and can be written to.
pub(crate) fn grant_pages_of_ram(cx: &mut Cx<'_, '_>) -> Verdict {
    let from = Source::Ram;
    let (mut granted, mut mapped, mut at): (Kept, _, _) =
        (None, Mapped::default(), ptr::null_mut());
    let gref = cx.grant(A, &mut granted, B.raw(), false);
    cx.poke(A, &granted, 9, 0x9e92);
    let mut before = 0;
    cx.step(B, format_args!("as much RAM as there is"), |d| {
        let dom = abi::DOMID_SELF as u16;
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_memory_current_reservation(d.raw(), dom, &mut before).into() }
    });
    // With the list of them on the stack, and in RAM.
    for n in [3, 40] {
        let got = cx.get_grant_pages(B, from, n, &mut at);
        cx.check(got, 1)?;
        let less = cx.ram(B, &mut before);
        cx.check(less, -i64::from(n))?;
        let value = cx.map_in(gref, (from, at), n as usize - 2, &mut mapped);
        cx.check(value, 0x9e92)?;
        let rc = cx.step(B, format_args!("unmap"), |d| {
            from.of(d, || unmap_one(d, &mapped))
        });
        cx.check(rc, 0)?;
        let rc = cx.put_grant_pages(B, from, n, at);
        cx.check(rc, 0)?;
        let more = cx.ram(B, &mut before);
        cx.check(more, n.into())?;
    }
    let same = cx.step(B, format_args!("write to it"), |d| {
        let pages: [Kept; 4] = core::array::from_fn(|_| d.memory.alloc_page());
        let mut same = 0;
        for (i, page) in pages.into_iter().flatten().enumerate() {
            let word = page.cast::<u32>();
            // SAFETY: the domain's own page.
            unsafe {
                word.add(i).write_volatile(0x1234 + i as u32);
                same += i64::from(word.add(i).read_volatile() == 0x1234 + i as u32);
                d.memory.free_page(page);
            }
        }
        same
    });
    cx.check(same, 4)?;
    let refused = [
        (cx.put_grant_pages(B, from, 1, ptr::null_mut()), EINVAL),
        (cx.put_grant_pages(B, from, 0, at), EINVAL),
        (cx.get_grant_pages(B, from, 0, &mut at), 0),
    ];
    for (result, want) in refused {
        cx.check(result, want)?;
    }
    let rc = cx.end(A, gref);
    cx.check(rc, 0)?;
    cx.free(A, &mut granted);
    let lost = cx.step(B, format_args!("quarantined"), |d| {
        // SAFETY: the guest is set up.
        unsafe { ffi::xg_gnttab_quarantined(d.raw()).into() }
    });
    cx.check(lost, 0)
}

/// Two grants as one piece of memory, in pages that go back by themselves; and
/// a copy of what is in them, without a mapping.
pub(crate) fn mappings_with_owners(cx: &mut Cx<'_, '_>) -> Verdict {
    let mut granted: [Kept; 2] = [None; 2];
    let mut grefs = [0; 2];
    for (i, (page, gref)) in granted.iter_mut().zip(&mut grefs).enumerate() {
        *gref = cx.grant(A, page, B.raw(), false);
        cx.poke(A, page, 9, 0x9e91 + i as u32);
    }
    let peer = DomId::new(A.raw());
    let refs = grefs.map(|gref| GrantRef::new(gref as u32));
    let sum = cx.step(B, format_args!("GrantMapping of 2"), |d| {
        let Ok(pages) = RegionPages::take(d.guest, 2) else {
            return -1;
        };
        match GrantMapping::several(d.guest, peer, &refs, Access::ReadWrite, pages) {
            Ok(mapping) => {
                let memory = mapping.memory();
                memory.write(PAGE_SIZE + 40, 0x0b0b_u32);
                i64::from(memory.read::<u32>(36)) + i64::from(memory.read::<u32>(PAGE_SIZE + 36))
            }
            Err(refused) => refused.error.raw().into(),
        }
    });
    cx.check(sum, 2 * 0x9e91 + 1)?;
    let value = cx.peek(A, &granted[1], 10);
    cx.check(value, 0x0b0b)?;
    let all = cx.step(B, format_args!("the region is whole"), |d| {
        i64::from(RegionPages::take(d.guest, REGION_PAGES).is_ok())
    });
    cx.check(all, 1)?;
    let refused = cx.step(B, format_args!("one that is not granted"), |d| {
        let Ok(pages) = RegionPages::take(d.guest, 2) else {
            return -1;
        };
        let refs = [refs[0], GrantRef::new(400)];
        match GrantMapping::several(d.guest, peer, &refs, Access::ReadOnly, pages) {
            Ok(_) => 0,
            Err(refused) => refused.error.raw().into(),
        }
    });
    cx.check(refused, EINVAL)?;
    let copied = cx.step(B, format_args!("copy word 9, and to word 11"), |d| {
        let page = Granted {
            peer,
            gref: refs[1],
        };
        let Some(own) = d.memory.alloc_page() else {
            return -1;
        };
        // SAFETY: the domain's own page, used by nobody else.
        let bytes = unsafe { own.cast::<[u8; 4]>().as_mut() };
        let result = page
            .read(d.guest, 36, bytes)
            .and_then(|()| page.write(d.guest, 44, bytes));
        let value = i64::from(u32::from_le_bytes(*bytes));
        // SAFETY: from `alloc_page`, and not used any more.
        unsafe { d.memory.free_page(own) };
        result.map_or_else(|error| error.raw().into(), |()| value)
    });
    cx.check(copied, 0x9e92)?;
    let value = cx.peek(A, &granted[1], 11);
    cx.check(value, 0x9e92)?;
    for (gref, mut page) in grefs.into_iter().zip(granted) {
        let rc = cx.end(A, gref);
        cx.check(rc, 0)?;
        cx.free(A, &mut page);
    }
    Ok(())
}
