// SPDX-License-Identifier: MIT OR Apache-2.0
//! The table of reservations: what may be reserved where, and who is asked
//! about an access. Values are those of libsel4vm but where a deviation (D1,
//! ...: include/sel4vm/guest_memory.h) is named.

#![cfg(feature = "sim")]

mod common;
mod vm;

use common::{Random, Storage};
use vm::{
    Callback, EBUSY, EEXIST, EINVAL, ENOSPC, EOPNOTSUPP, ERROR, Frames, HANDLED, PAGE, RAM, SELF,
    Setup, UNHANDLED, Vm,
};
use xen_guest::ffi;
use xen_guest::sim::{DomainConfig, Hypervisor};

/// A table of a domain's own memory.
fn with_table(slots: usize, pools: usize, body: impl FnOnce(&Vm)) {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let vm = Vm::new(
        guest.as_raw(),
        Setup {
            slots,
            pools,
            ..Setup::new(SELF)
        },
    );
    let hypercalls = xen.hypercalls(domain.domid());
    body(&vm);
    vm.verify();
    assert_eq!(xen.hypercalls(domain.domid()), hypercalls, "book-keeping");
}

fn addr_of(r: vm::Reservation) -> usize {
    // SAFETY: a slot of a vm that is there.
    unsafe { (*r).addr }
}

#[test]
fn overlaps_are_refused() {
    with_table(16, 2, |vm| {
        let callback = Callback::returning(HANDLED);
        let r = vm.reserve(0x10000, 0x2000, &callback).unwrap();
        for (addr, size) in [
            (0xf000, 0x2000),
            (0x11000, 0x2000),
            (0x10800, 0x100),
            (0x10000, 0x2000),
            (0xf000, 0x4000),
            (0x11fff, 1),
        ] {
            assert_eq!(vm.reserve(addr, size, &callback), Err(EEXIST), "{addr:#x}");
            assert_eq!(vm.guard(addr, size), Err(EEXIST));
            assert_eq!(vm.add_pool(addr, size), EEXIST);
        }
        vm.reserve(0xf000, 0x1000, &callback).unwrap();
        vm.reserve(0x12000, 0x1000, &callback).unwrap();
        assert_eq!(vm.count(), 3);
        // The same again once it is free, and only once.
        assert_eq!(vm.free(r), 0);
        assert_eq!(vm.free(r), EINVAL);
        vm.reserve(0x10000, 0x2000, &callback).unwrap();
    });
}

#[test]
fn bad_arguments_change_nothing() {
    with_table(4, 1, |vm| {
        let callback = Callback::returning(HANDLED);
        let mut r = std::ptr::null_mut();
        // SAFETY: set up; without a callback.
        let rc = unsafe {
            ffi::xg_vm_reserve(vm.raw(), 0x1000, 0x1000, None, std::ptr::null_mut(), &mut r)
        };
        assert_eq!(rc, EINVAL);
        // D1: upstream takes these.
        assert_eq!(vm.reserve(0x1000, 0, &callback), Err(EINVAL));
        assert_eq!(vm.reserve(usize::MAX, 2, &callback), Err(EINVAL));
        assert_eq!(vm.reserve(0x1000, usize::MAX, &callback), Err(EINVAL));
        assert_eq!(vm.add_pool(0x1000, 0), EINVAL);
        assert_eq!(vm.reserve_anon(0, 0, &callback), Err(EINVAL));
        assert_eq!(vm.reserve_anon(PAGE, 3 * PAGE, &callback), Err(EINVAL));
        assert_eq!(vm.reserve_anon(PAGE, 0, &callback), Err(ENOSPC));
        assert_eq!(vm.free(std::ptr::null_mut()), EINVAL);
        assert_eq!(vm.free(std::ptr::without_provenance_mut(0x1000)), EINVAL);
        let r = vm.reserve(0x1000, 1, &callback).unwrap();
        assert_eq!(vm.free(r.wrapping_byte_add(8)), EINVAL);
        assert_eq!(vm.free(r.wrapping_add(1)), EINVAL);
        assert_eq!(vm.count(), 1);
        // No slot is left.
        for i in 2..5 {
            vm.reserve(i * 0x1000, 1, &callback).unwrap();
        }
        assert_eq!(vm.reserve(0x9000, 1, &callback), Err(ENOSPC));
        assert_eq!(vm.add_pool(0x10000, 0x1000), 0);
        assert_eq!(vm.add_pool(0x20000, 0x1000), ENOSPC);
        assert_eq!(vm.reserve_anon(1, 0, &callback), Err(ENOSPC));
        assert_eq!(vm.free(r), 0);
        vm.reserve_anon(1, 0, &callback).unwrap();
    });
}

#[test]
fn accesses_find_their_callback() {
    for next_to_it in [false, true] {
        with_table(16, 2, |vm| {
            let callback = Callback::returning(HANDLED);
            let other = Callback::returning(HANDLED);
            vm.reserve(0x10000, 0x2000, &callback).unwrap();
            if next_to_it {
                vm.reserve(0x12000, 0x1000, &other).unwrap();
            }
            assert_eq!(vm.fault(0x10000, 4), HANDLED);
            assert_eq!(vm.fault(0x11ffc, 4), HANDLED);
            assert_eq!(vm.fault(0x11fff, 0), HANDLED);
            let calls: Vec<_> = callback.take().iter().map(|c| (c.addr, c.size)).collect();
            assert_eq!(calls, [(0x10000, 4), (0x11ffc, 4), (0x11fff, 0)]);
            assert_eq!(vm.fault(0xe000, 4), UNHANDLED);
            assert_eq!(vm.fault(0x13000, 4), UNHANDLED);
            assert_eq!(vm.fault(0x10000, 0x3000), ERROR);
            // D3: upstream calls back.
            assert_eq!(vm.fault(0x11ffe, 4), ERROR);
            assert_eq!(vm.fault(0x11ffe, usize::MAX), ERROR);
            assert_eq!(callback.take(), []);
            assert_eq!(other.take(), []);
        });
    }
}

/// D2: upstream says UNHANDLED in the rest of the last page, and refuses a
/// reservation there.
#[test]
fn a_page_belongs_to_one_reservation() {
    with_table(16, 2, |vm| {
        let callback = Callback::returning(HANDLED);
        vm.reserve(0x1000, 0x1100, &callback).unwrap();
        assert_eq!(vm.reserve(0x2200, 0x100, &callback), Err(EEXIST));
        assert_eq!(vm.fault(0x2100, 4), HANDLED);
        assert_eq!(vm.fault(0x2ffc, 4), HANDLED);
        // D6: all the pages that an unaligned one touches.
        vm.reserve(0x5800, 0x1000, &callback).unwrap();
        assert_eq!(vm.fault(0x5000, 4), HANDLED);
        assert_eq!(vm.fault(0x6ffc, 4), HANDLED);
        assert_eq!(vm.fault(0x7000, 4), UNHANDLED);
    });
}

#[test]
fn guards_keep_others_away() {
    with_table(16, 2, |vm| {
        let callback = Callback::returning(HANDLED);
        let guard = vm.guard(0x4000_0000, 0x1000_0000).unwrap();
        assert_eq!(vm.reserve(0x4800_0000, 1, &callback), Err(EEXIST));
        assert_eq!(vm.fault(0x4800_0000, 4), UNHANDLED);
        assert_eq!(vm.find(0x4800_0000), None);
        assert_eq!(vm.map_ram(guard, false), EINVAL);
        assert_eq!(vm.map(guard, &Frames::new(RAM, 12)), EINVAL);
        assert_eq!(vm.free(guard), 0);
        vm.reserve(0x4800_0000, 1, &callback).unwrap();
    });
}

#[test]
fn anonymous_ones_are_placed_as_upstream_does() {
    with_table(16, 2, |vm| {
        let callback = Callback::returning(HANDLED);
        assert_eq!(vm.add_pool(0x100000, 0x10000), 0);
        assert_eq!(vm.add_pool(0x108000, 0x10000), EEXIST);
        assert_eq!(vm.reserve(0x10f000, 0x2000, &callback), Err(EEXIST));
        let mut got = Vec::new();
        for (size, align) in [(0x1800, 0x1000), (0x1000, 0x4000), (0x1000, 0x1000)] {
            got.push(addr_of(vm.reserve_anon(size, align, &callback).unwrap()));
        }
        assert_eq!(vm.fault(0x106000, 4), UNHANDLED);
        got.push(addr_of(vm.reserve_anon(0xa000, 0x1000, &callback).unwrap()));
        assert_eq!(got, [0x100000, 0x104000, 0x105000, 0x106000]);
        // D4: upstream has nothing left.
        let gap = vm.reserve_anon(0x1000, 0x1000, &callback).unwrap();
        assert_eq!(addr_of(gap), 0x102000);
        let gap = vm.reserve_anon(0x1000, 0, &callback).unwrap();
        assert_eq!(addr_of(gap), 0x103000);
        assert_eq!(vm.reserve_anon(1, 0, &callback), Err(ENOSPC));
        // D2: upstream says UNHANDLED beyond the 0x1800 bytes.
        assert_eq!(vm.fault(0x101800, 4), HANDLED);
        // D3
        assert_eq!(vm.fault(0x101ffe, 4), ERROR);
        // D4: upstream can't free them.
        let first = vm.find(0x104000).unwrap();
        assert_eq!(vm.free(first), 0);
        assert_eq!(vm.free(gap), 0);
        let both = vm.reserve_anon(0x2000, 0, &callback).unwrap();
        assert_eq!(addr_of(both), 0x103000);
    });
}

/// Upstream returns 0x10000, which is outside.
#[test]
fn alignment_stays_in_the_pool() {
    with_table(16, 3, |vm| {
        let callback = Callback::returning(HANDLED);
        assert_eq!(vm.add_pool(0x2000, 0x3000), 0);
        assert_eq!(vm.reserve_anon(0x1000, 0x10000, &callback), Err(ENOSPC));
        assert_eq!(vm.add_pool(usize::MAX - 0x2fff, 0x3000), 0);
        assert_eq!(vm.reserve_anon(0x1000, 0x10000, &callback), Err(ENOSPC));
        // At the very end of all addresses, from two pools.
        assert_eq!(
            addr_of(vm.reserve_anon(0x3000, 0, &callback).unwrap()),
            0x2000
        );
        let top = vm.reserve_anon(0x3000, 0, &callback).unwrap();
        assert_eq!(addr_of(top), usize::MAX - 0x2fff);
        assert_eq!(vm.fault(usize::MAX, 1), HANDLED);
        assert_eq!(vm.fault(usize::MAX, 2), ERROR);
        assert_eq!(vm.reserve_anon(1, 0, &callback), Err(ENOSPC));
        assert_eq!(vm.free(top), 0);
        let one = vm.reserve_anon(1, 0, &callback).unwrap();
        assert_eq!(addr_of(one), usize::MAX - 0x2fff);
        assert_eq!(vm.add_pool(0, 0x1000), 0);
        assert_eq!(
            addr_of(vm.reserve_anon(0x2000, 0, &callback).unwrap()),
            usize::MAX - 0x1fff
        );
        assert_eq!(addr_of(vm.reserve_anon(0x1000, 0, &callback).unwrap()), 0);
    });
}

#[test]
fn large_ranges_come_back() {
    with_table(4, 0, |vm| {
        let callback = Callback::returning(HANDLED);
        for size in [2 << 20, 1 << 30, 1 << 40] {
            let r = vm.reserve(1 << 40, size, &callback).unwrap();
            assert_eq!(vm.free(r), 0);
            let r = vm.reserve(1 << 40, size, &callback).unwrap();
            assert_eq!(vm.free(r), 0);
        }
    });
}

/// A callback makes reservations, and frees its own while it runs.
#[test]
fn callbacks_may_change_the_table() {
    with_table(2, 0, |vm| {
        // SAFETY: the vm is there.
        let callback = Callback::new(|raw, _, call| unsafe {
            let own = ffi::xg_vm_find(raw, call.addr);
            assert_eq!(ffi::xg_vm_fini(raw), EBUSY);
            assert_eq!(ffi::xg_vm_free(raw, own), 0);
            // Free for others, but its slot is not used yet.
            assert_eq!(
                ffi::xg_vm_fault(raw, std::ptr::null_mut(), call.addr, 4),
                UNHANDLED
            );
            assert_eq!(ffi::xg_vm_free(raw, own), EINVAL);
            let mut other = std::ptr::null_mut();
            assert_eq!(ffi::xg_vm_guard(raw, call.addr, 1, &mut other), 0);
            assert_ne!(other, own);
            let mut third = std::ptr::null_mut();
            assert_eq!(ffi::xg_vm_guard(raw, 0x9000, 1, &mut third), ENOSPC);
            assert_eq!(ffi::xg_vm_verify(raw), 0);
            assert_eq!(ffi::xg_vm_free(raw, other), 0);
            HANDLED
        });
        for _ in 0..3 {
            let r = vm.reserve(0x1000, 1, &callback).unwrap();
            assert_eq!(vm.fault(0x1010, 4), HANDLED);
            assert_eq!(vm.count(), 0);
            vm.verify();
            // SAFETY: a slot that is there.
            assert!(unsafe { (*r).times } > 0);
        }
        // SAFETY: the vm is there.
        let nested = Callback::new(|raw, _, call| unsafe {
            let own = ffi::xg_vm_find(raw, call.addr);
            if call.size == 1 {
                assert_eq!(ffi::xg_vm_free(raw, own), 0);
                return HANDLED;
            }
            assert_eq!(
                ffi::xg_vm_fault(raw, std::ptr::null_mut(), call.addr, call.size - 1),
                HANDLED
            );
            // The innermost has returned, but this one still runs.
            let mut other = std::ptr::null_mut();
            assert_eq!(ffi::xg_vm_guard(raw, call.addr, 1, &mut other), 0);
            assert_ne!(other, own);
            assert_eq!(ffi::xg_vm_verify(raw), 0);
            assert_eq!(ffi::xg_vm_free(raw, other), 0);
            HANDLED
        });
        vm.reserve(0x1000, 1, &nested).unwrap();
        assert_eq!(vm.fault(0x1000, 4), HANDLED);
        assert_eq!(nested.take().len(), 4);
        vm.reserve(0x1000, 1, &callback).unwrap();
        vm.reserve(0x2000, 1, &callback).unwrap();
    });
}

#[test]
fn callbacks_may_return_anything() {
    with_table(8, 0, |vm| {
        for (i, (says, is)) in [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4), (5, 4), (-1, 4)]
            .into_iter()
            .enumerate()
        {
            let callback = Callback::returning(says);
            let r = vm.reserve(i * PAGE, 1, &callback).unwrap();
            assert_eq!(vm.fault(i * PAGE, 1), is);
            assert_eq!(vm.free(r), 0);
        }
    });
}

/// A domain's own memory: nothing traps for it, and nothing is pretended.
#[test]
fn own_memory_can_not_be_trapped() {
    with_table(4, 0, |vm| {
        let callback = Callback::returning(HANDLED);
        assert_eq!(vm.caps(), ffi::XG_VM_CAP_RAM);
        assert_eq!(vm.refusal(ffi::XG_VM_TRAP), EOPNOTSUPP);
        assert_eq!(vm.create_ram(0x1000, vm::READ, &callback), Err(EOPNOTSUPP));
        assert_eq!(vm.create_ram(0x1000, 0, &callback), Err(EOPNOTSUPP));
        assert_eq!(vm.create_ram(0x1000, vm::ALL, &callback), Err(EOPNOTSUPP));
        assert_eq!(vm.create_mmio(0x1000, vm::ALL, &callback), Err(EOPNOTSUPP));
        // D11, and rights that there are not.
        assert_eq!(vm.create_ram(0x1001, vm::ALL, &callback), Err(EINVAL));
        assert_eq!(vm.create_ram(0x1000, 2, &callback), Err(EINVAL));
        assert_eq!(vm.create_ram(0x1000, 4, &callback), Err(EINVAL));
        assert_eq!(vm.count(), 0);
    });
}

/// One's own aborts are for one's own handler: so their mappings can wait.
#[test]
fn own_memory_can_be_deferred() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let vm = Vm::new(
        guest.as_raw(),
        Setup {
            flags: ffi::XG_VM_DEFER,
            ..Setup::new(SELF)
        },
    );
    let callback = Callback::returning(HANDLED);
    let frames = Frames::new(vm::PRESENT, 12);
    let r = vm.reserve(0x4000_0000, PAGE, &callback).unwrap();
    assert_eq!(vm.map(r, &frames), 0);
    assert_eq!(vm.fault(0x4000_0000, 4), vm::RESTART);
    assert_eq!(vm.fault(0x4000_0000, 4), HANDLED);
    assert_eq!(vm.free(r), 0);
}

/// An access to a page that is seen all the time leaves it seen.
#[test]
fn own_pages_stay_visible() {
    let xen = Hypervisor::new();
    let domain = xen.create_domain(DomainConfig::default());
    let mut storage = Storage::new();
    let guest = common::guest(&mut storage, &domain, &domain);
    let (ram, page) = (domain.ram(), domain.alloc_page().unwrap());
    // SAFETY: a page of the test's own.
    unsafe { guest.physmap().decrease(&[page.gfn()], 0) }.unwrap();
    {
        let vm = Vm::new(
            guest.as_raw(),
            Setup {
                own: Some(ffi::xg_window {
                    va: ram.va.cast(),
                    gfn: ram.gfn.raw(),
                    pages: ram.pages,
                }),
                ..Setup::new(SELF)
            },
        );
        let callback = Callback::returning(HANDLED);
        let addr = page.gfn().raw() as usize * PAGE;
        let (r, window) = vm.create_ram(addr, vm::ALL, &callback).unwrap();
        // SAFETY: the window is there until the reservation is freed; a vCPU
        // of the test's own.
        unsafe {
            let mut vcpu = std::mem::zeroed();
            ffi::xg_vm_begin(vm.raw(), &mut vcpu, addr + 8, 4, true, 0x55);
            assert_eq!(ffi::xg_vm_retry(&mut vcpu), 0);
            assert_eq!(window.add(8).cast::<u32>().read_volatile(), 0x55);
            window.add(13).write_volatile(0x66);
            ffi::xg_vm_begin(vm.raw(), &mut vcpu, addr + 13, 2, false, 0);
            assert_eq!(ffi::xg_vm_retry(&mut vcpu), 0);
            assert_eq!(vcpu.data, 0x66);
        }
        assert_eq!(vm.free(r), 0);
    }
    // SAFETY: an empty frame.
    unsafe { guest.physmap().populate(&[page.gfn()], 0) }.unwrap();
}

/// The most that a lookup may cost.
fn bound(count: u32) -> u32 {
    (count + 1).next_power_of_two().ilog2()
}

#[test]
fn lookups_are_logarithmic_for_every_kind() {
    for count in [0, 1, 2, 3, 4, 63, 64, 127, 128, 1023] {
        for anon in [false, true] {
            with_table(1023, 1, |vm| {
                let callback = Callback::returning(HANDLED);
                if anon {
                    assert_eq!(vm.add_pool(0, 1023 * PAGE), 0);
                }
                for i in 0..count {
                    if anon {
                        let r = vm.reserve_anon(PAGE, 0, &callback).unwrap();
                        assert_eq!(addr_of(r), i * PAGE);
                    } else {
                        // From both ends.
                        let i = if i % 2 == 0 { i / 2 } else { 1022 - i / 2 };
                        vm.reserve(i * PAGE, PAGE, &callback).unwrap();
                    }
                }
                let most = (0..1024).map(|i| vm.find_cost(i * PAGE)).max().unwrap();
                assert_eq!(most, bound(count as u32), "{count} reservations");
            });
        }
    }
}

/// What a table should say, one by one.
#[derive(Default)]
struct Naive {
    /// First and last byte, slot; guards too.
    reserved: Vec<(usize, usize, vm::Reservation, bool)>,
    pools: Vec<NaivePool>,
}

struct NaivePool {
    first: usize,
    last: usize,
    /// Nothing from here on was given out; none if nothing is left there.
    next: Option<usize>,
}

impl Naive {
    fn at(&self, addr: usize) -> Option<usize> {
        self.reserved
            .iter()
            .position(|&(first, last, ..)| (first..=last).contains(&addr))
    }

    fn overlaps(&self, first: usize, last: usize) -> bool {
        self.reserved
            .iter()
            .any(|&(a, b, ..)| first <= b && a <= last)
    }

    fn in_pool(&self, first: usize, last: usize) -> bool {
        self.pools
            .iter()
            .any(|p| first <= p.last && p.first <= last)
    }

    /// Where an anonymous one goes: page by page.
    fn place(&self, pages: usize, align: usize) -> Option<(usize, usize)> {
        let align = align.max(PAGE);
        for (index, pool) in self.pools.iter().enumerate() {
            let fits = |from: usize| {
                from.is_multiple_of(align)
                    && pool.last - from >= pages * PAGE - 1
                    && !self.overlaps(from, from + (pages * PAGE - 1))
            };
            let count = (pool.last - pool.first) / PAGE + 1;
            let all = (0..count).map(|page| pool.first + page * PAGE);
            if let Some(next) = pool.next
                && let Some(addr) = all.clone().filter(|&a| a >= next).find(|&a| fits(a))
            {
                return Some((index, addr));
            }
            if let Some(addr) = all.clone().find(|&addr| fits(addr)) {
                return Some((index, addr));
            }
        }
        None
    }
}

/// Random operations; every answer is compared with a naive table's.
fn model(random: &mut Random, base: usize, pages: usize, operations: usize) {
    const SLOTS: usize = 60;
    with_table(SLOTS, 3, |vm| {
        let callback = Callback::returning(HANDLED);
        let mut naive = Naive::default();
        let any = |random: &mut Random| base + random.below(pages) * PAGE + random.below(PAGE);
        for step in 0..operations {
            match random.below(16) {
                0..=3 => {
                    let (addr, size) = (any(random), random.below(4 * PAGE));
                    let (first, guard) = (addr & !(PAGE - 1), random.one_in(4));
                    let got = if guard {
                        vm.guard(addr, size)
                    } else {
                        vm.reserve(addr, size, &callback)
                    };
                    let last = (size > 0)
                        .then(|| addr.checked_add(size - 1))
                        .flatten()
                        .map(|last| last | (PAGE - 1));
                    let want = match last {
                        None => Err(EINVAL),
                        Some(last) if naive.overlaps(first, last) || naive.in_pool(first, last) => {
                            Err(EEXIST)
                        }
                        Some(_) if naive.reserved.len() == SLOTS => Err(ENOSPC),
                        Some(last) => Ok(last),
                    };
                    assert_eq!(got.map(|_| ()), want.map(|_| ()), "{addr:#x} {size:#x}");
                    if let (Ok(r), Ok(last)) = (got, want) {
                        naive.reserved.push((first, last, r, guard));
                    }
                }
                4..=7 if !naive.reserved.is_empty() => {
                    let (.., r, _) = naive
                        .reserved
                        .swap_remove(random.below(naive.reserved.len()));
                    assert_eq!(vm.free(r), 0);
                    assert_eq!(vm.free(r), EINVAL);
                }
                8..=10 => {
                    let size = random.below(6 * PAGE) + 1;
                    let align = [0, 1, PAGE, 2 * PAGE, 8 * PAGE][random.below(5)];
                    let pages = size.div_ceil(PAGE);
                    let got = vm.reserve_anon(size, align, &callback);
                    let want = naive.place(pages, align);
                    let want = want.filter(|_| naive.reserved.len() < SLOTS);
                    assert_eq!(got.ok().map(addr_of), want.map(|(_, addr)| addr));
                    let Some((pool, addr)) = want else {
                        assert_eq!(got, Err(ENOSPC));
                        continue;
                    };
                    let last = addr + (pages * PAGE - 1);
                    let pool = &mut naive.pools[pool];
                    if pool.next.is_some_and(|next| last >= next) {
                        pool.next = (last != pool.last).then(|| last + 1);
                    }
                    naive.reserved.push((addr, last, got.unwrap(), false));
                }
                11 if naive.pools.len() < 3 => {
                    let first = any(random) & !(PAGE - 1);
                    let size = (random.below(24) + 1) * PAGE;
                    let last = first.checked_add(size - 1);
                    let want = match last {
                        None => EINVAL,
                        Some(last) if naive.overlaps(first, last) || naive.in_pool(first, last) => {
                            EEXIST
                        }
                        Some(_) => 0,
                    };
                    assert_eq!(vm.add_pool(first, size), want);
                    if want == 0 {
                        naive.pools.push(NaivePool {
                            first,
                            last: last.unwrap(),
                            next: Some(first),
                        });
                    }
                }
                _ => {
                    let (addr, size) = (any(random), random.below(9));
                    let found = naive.at(addr);
                    let want = match found {
                        Some(i) if !naive.reserved[i].3 => {
                            if size > 0 && size - 1 > naive.reserved[i].1 - addr {
                                ERROR
                            } else {
                                HANDLED
                            }
                        }
                        _ => UNHANDLED,
                    };
                    assert_eq!(vm.fault(addr, size), want, "{addr:#x} {size}");
                    let calls = callback.take();
                    assert_eq!(calls.len(), usize::from(want == HANDLED));
                    let slot = found.filter(|&i| !naive.reserved[i].3);
                    assert_eq!(vm.find(addr), slot.map(|i| naive.reserved[i].2));
                    assert!(vm.find_cost(addr) <= bound(vm.count()));
                }
            }
            assert_eq!(vm.count() as usize, naive.reserved.len());
            if step % 64 == 0 {
                vm.verify();
            }
        }
    });
}

/// A million operations in all.
#[test]
fn random_operations_agree_with_a_naive_table() {
    let mut random = Random::new(6);
    let pages = 96;
    let top = usize::MAX - (pages * PAGE - 1);
    for base in [0, 0x4000_0000, top] {
        for _ in 0..40 {
            model(&mut random, base, pages, 8400);
        }
    }
}
