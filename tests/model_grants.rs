// SPDX-License-Identifier: MIT OR Apache-2.0
//! Random grants, ends, maps and unmaps against a naive model, with every
//! result predicted; with either version of the table.

#![cfg(feature = "sim")]

mod common;

use std::collections::BTreeMap;

use common::{EBUSY, EINVAL, ENOSPC, Random, Raw, map_op, unmap_op};
use xen_guest::ffi::{self, XG_NO_HANDLE, abi};
use xen_guest::sim::{Domain, DomainConfig, Hypervisor, SimPage};
use xen_guest::{EmptyPages, PAGE_SIZE};

const ESRCH: i32 = -3;
const ERANGE: i32 = -34;
/// Without the reserved ones.
const FIRST: u32 = 8;
/// The references that there are words for.
const END: u32 = 1024;
/// Xen maps one reference this often for each kind of access.
const MAX_PINS: usize = 128;
const WINDOW: usize = 400;

#[derive(Clone, Copy)]
struct Granted {
    page: usize,
    domid: u16,
    readonly: bool,
    /// It is no page of the domain's: the number is too high for version 1.
    far: bool,
}

struct Mapped {
    gref: u32,
    readonly: bool,
    handle: u32,
}

/// One domain that maps.
struct Peer {
    domain: Domain,
    raw: Raw,
    pages: EmptyPages,
    mapped: BTreeMap<usize, Mapped>,
    /// Handles that are not in use.
    stale: Vec<u32>,
}

impl Peer {
    fn va(&self, at: usize) -> *mut u8 {
        self.pages.va().as_ptr().wrapping_add(at * PAGE_SIZE)
    }

    fn pins(&self, gref: u32, readonly: bool) -> usize {
        let same = |m: &&Mapped| m.gref == gref && m.readonly == readonly;
        self.mapped.values().filter(same).count()
    }
}

#[derive(Default, Debug)]
struct Counts {
    granted: u64,
    full: u64,
    refused: u64,
    ended: u64,
    busy: u64,
    ended_twice: u64,
    mapped: u64,
    not_mapped: u64,
    unmapped: u64,
    stale: u64,
    batches: u64,
    no_batch: u64,
    runs: u64,
    no_run: u64,
    ended_batches: u64,
}

struct Model {
    xen: Hypervisor,
    v2: bool,
    raw: Raw,
    dom: u16,
    pages: Vec<SimPage>,
    grants: BTreeMap<u32, Granted>,
    peers: [Peer; 2],
    random: Random,
    counts: Counts,
    stamp: u8,
}

impl Model {
    fn mapped(&self) -> usize {
        self.peers.iter().map(|peer| peer.mapped.len()).sum()
    }

    fn is_mapped(&self, gref: u32) -> bool {
        let has = |peer: &Peer| peer.mapped.values().any(|m| m.gref == gref);
        self.peers.iter().any(has)
    }

    fn any_gref(&mut self) -> u32 {
        let live: Vec<u32> = self.grants.keys().copied().collect();
        match self.random.below(12) {
            0 => self.random.next() as u32,
            1 => self.random.below(END as usize + 100) as u32,
            2 => self.random.below(FIRST as usize) as u32,
            _ => self.random.pick(&live).unwrap_or(FIRST),
        }
    }

    fn grant(&mut self) {
        let page = self.random.below(self.pages.len());
        let peers = self.peers.each_ref().map(|p| p.domain.domid().raw());
        let domid = match self.random.below(20) {
            0 => 0x7ff0 + self.random.below(0x8010) as u16,
            1 => 77,
            n => peers[n % 2],
        };
        let readonly = self.random.one_in(3);
        let mut gfn = self.pages[page].gfn().raw();
        let far = self.random.one_in(30);
        if far {
            gfn += 1 << 32;
        }
        let lowest = (FIRST..END).find(|gref| !self.grants.contains_key(gref));
        let wanted = match lowest {
            _ if domid >= 0x7ff0 => EINVAL,
            _ if far && !self.v2 => ERANGE,
            Some(gref) => gref as i32,
            None => ENOSPC,
        };
        assert_eq!(self.raw.grant(domid, gfn, readonly), wanted);
        match wanted {
            ENOSPC => self.counts.full += 1,
            ..0 => self.counts.refused += 1,
            gref => {
                self.counts.granted += 1;
                let granted = Granted {
                    page,
                    domid,
                    readonly,
                    far,
                };
                self.grants.insert(gref as u32, granted);
            }
        }
    }

    fn end(&mut self) {
        let gref = self.any_gref();
        let wanted = if !self.grants.contains_key(&gref) {
            self.counts.ended_twice += 1;
            EINVAL
        } else if self.is_mapped(gref) {
            self.counts.busy += 1;
            EBUSY
        } else {
            self.counts.ended += 1;
            self.grants.remove(&gref);
            0
        };
        assert_eq!(self.raw.end(gref), wanted, "end of {gref}");
        if wanted == 0 {
            assert_eq!(self.raw.end(gref), EINVAL, "{gref} ended twice");
        }
    }

    /// The page, and who gets it how, of a grant that is in order.
    fn any_granted(&mut self) -> Granted {
        Granted {
            page: self.random.below(self.pages.len()),
            domid: self.peers[self.random.below(2)].domain.domid().raw(),
            readonly: self.random.one_in(3),
            far: false,
        }
    }

    fn free(&self) -> impl Iterator<Item = u32> {
        (FIRST..END).filter(|gref| !self.grants.contains_key(gref))
    }

    /// The lowest references that are free, or none at all.
    fn grant_batch(&mut self) {
        let count = 1 + self.random.below(90);
        let granted = self.any_granted();
        let pages: Vec<usize> = (0..count)
            .map(|_| self.random.below(self.pages.len()))
            .collect();
        let mut gfns: Vec<u64> = pages.iter().map(|p| self.pages[*p].gfn().raw()).collect();
        let bad = self.random.one_in(10).then(|| self.random.below(count));
        if let Some(at) = bad {
            gfns[at] |= 1 << (32 + self.random.below(32));
        }
        let lowest: Vec<u32> = self.free().take(count).collect();
        let wanted = match lowest.len() == count {
            _ if bad.is_some() && !self.v2 => ERANGE,
            true => 0,
            false => ENOSPC,
        };
        let mut grefs = vec![0; count];
        // SAFETY: the guest is set up; the arrays are as long as said.
        let rc = unsafe {
            let (from, to, n) = (gfns.as_ptr(), grefs.as_mut_ptr(), count as u32);
            let Granted {
                domid, readonly, ..
            } = granted;
            ffi::xg_gnttab_grant_batch(self.raw.0, domid, from, to, n, readonly)
        };
        assert_eq!(rc, wanted);
        if wanted != 0 {
            self.counts.no_batch += 1;
            return;
        }
        assert_eq!(grefs, lowest);
        self.counts.batches += 1;
        for (i, (gref, page)) in grefs.into_iter().zip(pages).enumerate() {
            let far = bad == Some(i);
            self.grants.insert(
                gref,
                Granted {
                    page,
                    far,
                    ..granted
                },
            );
        }
    }

    /// The lowest run of free references that is long enough.
    fn grant_run(&mut self) {
        let count = 1 + self.random.below(20) as u32;
        let granted = self.any_granted();
        let Granted {
            domid, readonly, ..
        } = granted;
        // The pages were taken one after the other.
        let page = self.random.below(self.pages.len() - count as usize);
        let gfn = self.pages[page].gfn().raw();
        let is_free = |gref: u32| gref < END && !self.grants.contains_key(&gref);
        let first = (FIRST..END).find(|first| (0..count).all(|i| is_free(first + i)));
        // SAFETY: the guest is set up.
        let rc = unsafe { ffi::xg_gnttab_grant_run(self.raw.0, domid, gfn, count, readonly) };
        assert_eq!(rc, first.map_or(ENOSPC, |first| first as i32));
        let Some(first) = first else {
            self.counts.no_run += 1;
            return;
        };
        self.counts.runs += 1;
        for i in 0..count {
            let page = page + i as usize;
            self.grants.insert(first + i, Granted { page, ..granted });
        }
    }

    /// Each by itself, whatever becomes of the others.
    fn end_batch(&mut self) {
        let count = 1 + self.random.below(40);
        let grefs: Vec<u32> = (0..count).map(|_| self.any_gref()).collect();
        let wanted: Vec<i32> = grefs
            .iter()
            .map(|gref| match self.grants.contains_key(gref) {
                true if self.is_mapped(*gref) => EBUSY,
                true => {
                    self.grants.remove(gref);
                    0
                }
                false => EINVAL,
            })
            .collect();
        let mut errs = vec![1; count];
        // SAFETY: the guest is set up; the arrays are as long as said.
        let rc = unsafe {
            let (of, to) = (grefs.as_ptr(), errs.as_mut_ptr());
            ffi::xg_gnttab_end_batch(self.raw.0, of, to, count as u32)
        };
        assert_eq!(errs, wanted);
        let first = wanted.iter().find(|err| **err != 0);
        assert_eq!(rc, first.copied().unwrap_or(0));
        self.counts.ended_batches += 1;
    }

    /// What Xen says to one op, mappings of the same batch included.
    fn verdict(&self, who: usize, gref: u32, readonly: bool, more: usize) -> bool {
        let peer = &self.peers[who];
        // The table is as large as it may be, so no reference is beyond it
        // that the model has.
        self.grants.get(&gref).is_some_and(|granted| {
            granted.domid == peer.domain.domid().raw()
                && !granted.far
                && (readonly || !granted.readonly)
                && peer.pins(gref, readonly) + more < MAX_PINS
        })
    }

    fn map(&mut self) {
        let who = self.random.below(2);
        let count = 1 + self.random.below(12);
        let free: Vec<usize> = (0..WINDOW)
            .filter(|at| !self.peers[who].mapped.contains_key(at))
            .collect();
        if free.len() < count {
            return;
        }
        let dom = match self.random.below(40) {
            0 => 555,
            _ => self.dom,
        };
        let skip = self.random.below(free.len() - count + 1);
        let mut ops = Vec::new();
        let mut wanted = Vec::new();
        for at in &free[skip..skip + count] {
            // Mostly what works, or hardly any batch would.
            let own = self.peers[who].domain.domid().raw();
            let (mut gref, mut readonly) = (self.any_gref(), self.random.one_in(2));
            if !self.random.one_in(15) {
                let good: Vec<u32> = self
                    .grants
                    .iter()
                    .filter(|(_, granted)| granted.domid == own)
                    .map(|(gref, _)| *gref)
                    .collect();
                gref = self.random.pick(&good).unwrap_or(gref);
                readonly |= self.grants.get(&gref).is_some_and(|g| g.readonly);
            }
            let more = |op: &abi::gnttab_map_grant_ref| {
                op.ref_ == gref && (op.flags & abi::GNTMAP_readonly != 0) == readonly
            };
            let more = ops.iter().filter(|op| more(op)).count();
            wanted.push(dom == self.dom && self.verdict(who, gref, readonly, more));
            ops.push(map_op(dom, gref, self.peers[who].va(*at), readonly));
        }
        let rc = self.peers[who].raw.map(&mut ops);
        let all = wanted.iter().all(|ok| *ok);
        let expected = match (all, dom == self.dom) {
            (true, _) => 0,
            (false, true) => EINVAL,
            (false, false) => ESRCH,
        };
        assert_eq!(rc, expected, "{ops:?} {wanted:?}");
        for ((op, ok), at) in ops.iter().zip(&wanted).zip(&free[skip..]) {
            assert_eq!(op.status == 0, *ok, "{op:?}");
            assert_eq!(op.handle == XG_NO_HANDLE, !all);
            if all {
                let mapped = Mapped {
                    gref: op.ref_,
                    readonly: op.flags & abi::GNTMAP_readonly != 0,
                    handle: op.handle,
                };
                let peer = &mut self.peers[who];
                peer.stale.retain(|handle| *handle != op.handle);
                let old = peer.mapped.insert(*at, mapped);
                assert!(old.is_none());
            }
        }
        if all {
            self.counts.mapped += count as u64;
        } else {
            self.counts.not_mapped += 1;
        }
    }

    fn unmap(&mut self) {
        let peer = &mut self.peers[self.random.below(2)];
        let live: Vec<usize> = peer.mapped.keys().copied().collect();
        if live.is_empty() {
            return;
        }
        let mut places: Vec<usize> = Vec::new();
        for _ in 0..1 + self.random.below(40) {
            let at = live[self.random.below(live.len())];
            if !places.contains(&at) {
                places.push(at);
            }
        }
        if self.random.one_in(2) {
            places.sort_unstable();
        }
        let mut ops: Vec<_> = places
            .iter()
            .map(|at| unmap_op(peer.va(*at), peer.mapped[at].handle))
            .collect();
        let bad = self.random.one_in(4);
        let spoiled = self.random.below(ops.len());
        if bad {
            ops[spoiled].handle = self.random.pick(&peer.stale).unwrap_or(XG_NO_HANDLE);
            self.counts.stale += 1;
        }
        assert_eq!(peer.raw.unmap(&mut ops), if bad { EINVAL } else { 0 });
        for (i, (op, at)) in ops.iter().zip(places).enumerate() {
            let kept = bad && i == spoiled;
            assert_eq!(op.status == 0, !kept);
            if !kept && let Some(mapped) = peer.mapped.remove(&at) {
                peer.stale.push(mapped.handle);
                self.counts.unmapped += 1;
            }
        }
    }

    /// A mapped page is the granted one.
    fn touch(&mut self) {
        let peer = &self.peers[self.random.below(2)];
        let live: Vec<usize> = peer.mapped.keys().copied().collect();
        let Some(at) = self.random.pick(&live) else {
            return;
        };
        let mapped = &peer.mapped[&at];
        let page = &self.pages[self.grants[&mapped.gref].page];
        self.stamp = self.stamp.wrapping_add(1);
        page.write(7, self.stamp);
        // SAFETY: mapped.
        unsafe {
            let byte = peer.va(at).add(7);
            assert_eq!(byte.read_volatile(), self.stamp);
            if !mapped.readonly {
                byte.add(1).write_volatile(self.stamp);
                assert_eq!(page.read(8), self.stamp);
            }
        }
    }

    fn check(&self) {
        assert_eq!(self.raw.grants_in_use() as usize, self.grants.len());
        let free = (END - FIRST) as usize - self.grants.len();
        assert_eq!(self.raw.free_grants() as usize, free);
        let leaks = self.xen.leaks();
        assert_eq!(leaks.grants, self.grants.len());
        assert_eq!(leaks.mappings, self.mapped());
    }
}

fn run(seed: u64, steps: u32, v2: bool, counts: Counts) -> Counts {
    let xen = Hypervisor::new().with_grants_v2();
    let domains: [Domain; 3] = std::array::from_fn(|_| xen.create_domain(DomainConfig::default()));
    let mut storage: [common::Storage; 3] = Default::default();
    let [s0, s1, s2] = &mut storage;
    let mut config = common::config(&domains[0]);
    if v2 {
        config = config.with_grants_v2();
    }
    let guests = [
        common::guest_with(s0, &domains[0], config),
        common::guest(s1, &domains[1], &domains[1]),
        common::guest(s2, &domains[2], &domains[2]),
    ];
    // The model knows of all references from the start.
    for guest in &guests {
        Raw::of(guest).grow();
    }
    let peer = |i: usize| Peer {
        domain: domains[i].clone(),
        raw: Raw::of(&guests[i]),
        pages: domains[i].empty_pages(WINDOW as u32).unwrap(),
        mapped: BTreeMap::new(),
        stale: Vec::new(),
    };
    let mut model = Model {
        xen: xen.clone(),
        v2,
        raw: Raw::of(&guests[0]),
        dom: domains[0].domid().raw(),
        pages: (0..50).map(|_| domains[0].alloc_page().unwrap()).collect(),
        grants: BTreeMap::new(),
        peers: [peer(1), peer(2)],
        random: Random::new(seed),
        counts,
        stamp: 0,
    };
    for step in 0..steps {
        // Some runs fill the table up, some empty it.
        let phase = step / 2000 % 3;
        match (model.random.below(80), phase) {
            (0, _) => model.grant_run(),
            (1, 1) => model.grant_batch(),
            (1, _) => model.end_batch(),
            (2, 2) => model.grant_batch(),
            _ => {}
        }
        match (model.random.below(20), phase) {
            (0..5, _) | (5..12, 1) => model.grant(),
            (5..9, 0) | (5..11, 2) => model.end(),
            (12..15, _) => model.map(),
            (15..18, _) => model.unmap(),
            (18.., _) => model.touch(),
            _ => model.end(),
        }
        if step % 64 == 0 {
            model.check();
        }
    }
    model.check();
    // Down to nothing.
    for peer in &mut model.peers {
        let mut ops: Vec<_> = peer
            .mapped
            .iter()
            .map(|(at, mapped)| unmap_op(peer.va(*at), mapped.handle))
            .collect();
        assert_eq!(peer.raw.unmap(&mut ops), 0);
    }
    for gref in model.grants.keys() {
        assert_eq!(model.raw.end(*gref), 0);
    }
    let Model {
        peers,
        counts,
        pages,
        ..
    } = model;
    for peer in peers {
        peer.domain.return_empty_pages(peer.pages);
    }
    drop(pages);
    for guest in guests {
        guest.finish().unwrap();
    }
    assert!(xen.leaks().is_zero(), "left over: {}", xen.leaks());
    assert!(xen.warnings().is_empty(), "{:?}", xen.warnings());
    counts
}

#[test]
fn grants_as_the_model_has_them() {
    compare(false);
}

#[test]
fn grants_of_version_2_as_the_model_has_them() {
    compare(true);
}

fn compare(v2: bool) {
    let mut counts = Counts::default();
    for seed in 1..=3 {
        counts = run(seed, 9_000, v2, counts);
    }
    println!("{counts:?}");
    // Every kind of result was seen.
    let Counts {
        granted,
        full,
        refused,
        ended,
        busy,
        ended_twice,
        mapped,
        not_mapped,
        unmapped,
        stale,
        batches,
        no_batch,
        runs,
        no_run,
        ended_batches,
    } = counts;
    for count in [
        granted,
        full,
        refused,
        ended,
        busy,
        ended_twice,
        mapped,
        not_mapped,
        unmapped,
        stale,
    ] {
        assert!(count > 50, "{count}");
    }
    for count in [batches, no_batch, runs, no_run, ended_batches] {
        assert!(count > 10, "{count}");
    }
}
