// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator's FIFO event channels: words, queues and errors as Xen's.
#![cfg(feature = "sim")]

mod sim_raw;

use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64};

use sim_raw::*;
use xen_guest::ffi::abi::*;
use xen_guest::sim::{Domain, DomainConfig, Hypervisor, SimPage};

const PENDING: u32 = 1 << 31;
const MASKED: u32 = 1 << 30;
const LINKED: u32 = 1 << 29;
const BUSY: u32 = 1 << 28;
const LINK: u32 = (1 << 17) - 1;

fn init_control(d: &Domain, gfn: u64, offset: u32, vcpu: u32) -> (isize, u8) {
    let mut op = zero::<evtchn_init_control>();
    op.control_gfn = gfn;
    op.offset = offset;
    op.vcpu = vcpu;
    (evtchn(d, EVTCHNOP_init_control, &mut op), op.link_bits)
}

fn expand_array(d: &Domain, gfn: u64) -> isize {
    evtchn(
        d,
        EVTCHNOP_expand_array,
        &mut evtchn_expand_array { array_gfn: gfn },
    )
}

fn set_priority(d: &Domain, port: u32, priority: u32) -> isize {
    evtchn(
        d,
        EVTCHNOP_set_priority,
        &mut evtchn_set_priority { port, priority },
    )
}

fn reset(d: &Domain) -> isize {
    evtchn(d, EVTCHNOP_reset, &mut evtchn_reset { dom: SELF })
}

fn blank(d: &Domain) -> SimPage {
    let page = d.alloc_page().unwrap();
    (0..4096).for_each(|at| page.write(at, 0));
    page
}

/// One vCPU's queues and the event array, as a guest sees them.
struct Fifo {
    control: SimPage,
    array: Vec<SimPage>,
    /// The guest's own heads.
    heads: [u32; 16],
}

impl Fifo {
    /// With a control block, and with `pages` of the array.
    fn new(d: &Domain, pages: usize) -> Self {
        let mut fifo = Self {
            control: blank(d),
            array: Vec::new(),
            heads: [0; 16],
        };
        assert_eq!(init_control(d, fifo.control.gfn().raw(), 0, 0), (0, 17));
        (0..pages).for_each(|_| fifo.expand(d));
        fifo
    }

    fn expand(&mut self, d: &Domain) {
        let page = blank(d);
        assert_eq!(expand_array(d, page.gfn().raw()), 0);
        self.array.push(page);
    }

    fn word(&self, port: u32) -> &AtomicU32 {
        let (page, index) = (port as usize / 1024, port as usize % 1024);
        // SAFETY: inside a page that `self` keeps, shared as atomics only.
        unsafe { AtomicU32::from_ptr(self.array[page].va().add(index * 4).cast()) }
    }

    fn load(&self, port: u32) -> u32 {
        self.word(port).load(SeqCst)
    }

    fn block(&self, index: usize) -> &AtomicU32 {
        // SAFETY: as for `word`.
        unsafe { AtomicU32::from_ptr(self.control.va().add(index * 4).cast()) }
    }

    fn ready(&self) -> &AtomicU32 {
        self.block(0)
    }

    fn head(&self, priority: usize) -> &AtomicU32 {
        self.block(2 + priority)
    }

    /// As an interrupt handler does: takes all events, in order of priority.
    fn take(&mut self) -> Vec<u32> {
        let mut ports = Vec::new();
        let mut ready = self.ready().swap(0, SeqCst);
        while ready != 0 {
            let priority = ready.trailing_zeros() as usize;
            let mut port = self.heads[priority];
            if port == 0 {
                port = self.head(priority).load(SeqCst);
            }
            let old = self.word(port).fetch_and(!(LINKED | LINK), SeqCst);
            assert_ne!(old & LINKED, 0, "port {port} was not on the queue");
            self.heads[priority] = old & LINK;
            if self.heads[priority] == 0 {
                ready &= !(1 << priority);
            }
            if old & PENDING != 0 && old & MASKED == 0 {
                self.word(port).fetch_and(!PENDING, SeqCst);
                ports.push(port);
            }
            ready |= self.ready().swap(0, SeqCst);
        }
        ports
    }
}

/// `count` ports of one, bound to the same ports of the other.
fn connected(count: u32) -> (Hypervisor, Domain, Domain) {
    let xen = Hypervisor::new();
    let config = DomainConfig::default().with_max_evtchn_port(200_000);
    let one = xen.create_domain(config.clone());
    let two = xen.create_domain(config);
    for port in 1..=count {
        assert_eq!(alloc_unbound(&one, SELF, 2), port as isize);
        assert_eq!(bind_interdomain(&two, 1, port), port as isize);
    }
    (xen, one, two)
}

#[test]
fn init_control_checks() {
    let (_xen, one, _two) = connected(0);
    let page = blank(&one);
    let gfn = page.gfn().raw();
    assert_eq!(expand_array(&one, gfn), EOPNOTSUPP, "2-level");
    assert_eq!(init_control(&one, gfn, 4096, 1).0, ENOENT, "the vCPU first");
    assert_eq!(init_control(&one, gfn, 4096 - 64, 0).0, EINVAL);
    assert_eq!(init_control(&one, gfn, u32::MAX, 0).0, EINVAL);
    assert_eq!(init_control(&one, gfn, 12, 0).0, EINVAL);
    let hole = one.extended_region().gfn.raw();
    assert_eq!(init_control(&one, hole, 0, 0), (EINVAL, 0));
    assert_eq!(expand_array(&one, gfn), EOPNOTSUPP, "still 2-level");
    assert_eq!(init_control(&one, gfn, 4096 - 72, 0), (0, 17));
    assert_eq!(init_control(&one, gfn, 0, 0).0, EINVAL, "the same vCPU");
    assert_eq!(expand_array(&one, hole), EINVAL);
    let array = blank(&one);
    for _ in 0..128 {
        assert_eq!(expand_array(&one, array.gfn().raw()), 0);
    }
    assert_eq!(expand_array(&one, array.gfn().raw()), ENOSPC);
}

#[test]
fn a_xen_without_it_says_so() {
    let xen = Hypervisor::new();
    let one = xen.create_domain(DomainConfig::default().without_fifo());
    let page = blank(&one);
    assert_eq!(init_control(&one, page.gfn().raw(), 0, 9).0, EOPNOTSUPP);
    assert_eq!(expand_array(&one, page.gfn().raw()), EOPNOTSUPP);
    assert_eq!(set_priority(&one, 1, 0), ENOSYS);
}

#[test]
fn priorities_are_checked_in_order() {
    let (_xen, one, _two) = connected(1);
    assert_eq!(set_priority(&one, 9999, 99), EINVAL);
    assert_eq!(set_priority(&one, 1, 99), ENOSYS, "2-level");
    let _fifo = Fifo::new(&one, 1);
    assert_eq!(set_priority(&one, 9999, 0), EINVAL);
    assert_eq!(set_priority(&one, 0, 99), EACCES);
    assert_eq!(set_priority(&one, 2, 99), EACCES, "a free port");
    assert_eq!(set_priority(&one, 1, 16), EINVAL);
    assert_eq!(set_priority(&one, 1, 15), 0);
}

#[test]
fn events_link_to_one_another() {
    let (_xen, one, two) = connected(3);
    let info = map_shared_info(&one);
    info.take();
    let mut fifo = Fifo::new(&one, 1);
    assert_eq!(send(&two, 2), 0);
    assert_eq!(fifo.load(2), PENDING | LINKED);
    assert_eq!(fifo.head(7).load(SeqCst), 2);
    assert_eq!(fifo.ready().load(SeqCst), 1 << 7);
    assert_eq!(info.upcall_pending().swap(0, SeqCst), 1);
    for port in [1, 3, 1, 2] {
        assert_eq!(send(&two, port), 0);
    }
    // Each once, in order; the head stays the first.
    assert_eq!(fifo.load(2), PENDING | LINKED | 1);
    assert_eq!(fifo.load(1), PENDING | LINKED | 3);
    assert_eq!(fifo.load(3), PENDING | LINKED);
    assert_eq!(fifo.head(7).load(SeqCst), 2);
    // The queue was not empty: no upcall.
    assert_eq!(info.upcall_pending().load(SeqCst), 0);
    assert_eq!(info.selector().load(SeqCst), 0);
    assert_eq!(fifo.take(), [2, 1, 3]);
    assert_eq!((fifo.load(1), fifo.load(2), fifo.load(3)), (0, 0, 0));
    // The tail is remembered, but unlinked: the queue begins anew.
    assert_eq!(send(&two, 1), 0);
    assert_eq!(fifo.head(7).load(SeqCst), 1);
    assert_eq!(info.upcall_pending().load(SeqCst), 1);
    assert_eq!(send(&two, 3), 0);
    assert_eq!(fifo.take(), [1, 3]);
    // So with the tail itself.
    assert_eq!(send(&two, 3), 0);
    assert_eq!(fifo.load(3), PENDING | LINKED);
    assert_eq!(fifo.take(), [3]);
}

#[test]
fn priorities_are_queues() {
    let (_xen, one, two) = connected(4);
    let mut fifo = Fifo::new(&one, 1);
    fifo.take();
    assert_eq!(set_priority(&one, 3, 0), 0);
    assert_eq!(set_priority(&one, 1, 15), 0);
    for port in 1..=4 {
        assert_eq!(send(&two, port), 0);
    }
    assert_eq!(fifo.ready().load(SeqCst), 1 | 1 << 7 | 1 << 15);
    assert_eq!(fifo.take(), [3, 2, 4, 1]);
    // What is queued stays where it is; the next event moves.
    assert_eq!(send(&two, 2), 0);
    assert_eq!(send(&two, 4), 0);
    assert_eq!(set_priority(&one, 4, 1), 0);
    assert_eq!(send(&two, 4), 0);
    assert_eq!(fifo.ready().load(SeqCst), 1 << 7);
    assert_eq!(fifo.take(), [2, 4]);
    for port in [2, 4] {
        assert_eq!(send(&two, port), 0);
    }
    assert_eq!(fifo.take(), [4, 2]);
    // Bound anew, it has the default again.
    assert_eq!(close(&two, 4), 0);
    assert_eq!(close(&one, 4), 0);
    assert_eq!(alloc_unbound(&one, SELF, 2), 4);
    assert_eq!(bind_interdomain(&two, 1, 4), 4);
    assert_eq!(send(&two, 4), 0);
    assert_eq!(fifo.ready().load(SeqCst), 1 << 7);
    assert_eq!(fifo.take(), [4]);
}

#[test]
fn masked_events_are_linked_when_unmasked() {
    let (_xen, one, two) = connected(1);
    let mut fifo = Fifo::new(&one, 1);
    let info = map_shared_info(&one);
    info.take();
    fifo.word(1).store(MASKED, SeqCst);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(fifo.load(1), PENDING | MASKED);
    assert_eq!(fifo.ready().load(SeqCst), 0);
    assert_eq!(info.upcall_pending().load(SeqCst), 0);
    // Here, unlike with 2 levels, the mask bit need not be set for this.
    fifo.word(1).fetch_and(!MASKED, SeqCst);
    assert_eq!(unmask(&one, 1), 0);
    assert_eq!(fifo.load(1), PENDING | LINKED);
    assert_eq!(info.upcall_pending().load(SeqCst), 1);
    assert_eq!(unmask(&one, 1), 0, "linked already");
    assert_eq!(fifo.take(), [1]);
    // Masked while it is linked: the guest finds and skips it.
    assert_eq!(send(&two, 1), 0);
    fifo.word(1).fetch_or(MASKED, SeqCst);
    assert_eq!(fifo.take(), []);
    assert_eq!(fifo.load(1), PENDING | MASKED);
    assert_eq!(unmask(&one, 1), 0);
    assert_eq!(fifo.take(), [1]);
    fifo.word(1).store(MASKED, SeqCst);
    assert_eq!(unmask(&one, 1), 0);
    assert_eq!(fifo.load(1), 0, "not pending: nothing to link");
    assert_eq!(unmask(&one, 9), 0, "a free port");
    assert_eq!(unmask(&one, 99), EINVAL);
}

#[test]
fn a_linked_port_is_busy_when_closed() {
    let (_xen, one, two) = connected(2);
    let mut fifo = Fifo::new(&one, 1);
    fifo.take();
    assert_eq!(send(&two, 1), 0);
    assert_eq!(send(&two, 2), 0);
    assert_eq!(close(&one, 1), 0);
    assert_eq!(fifo.load(1), LINKED | 2, "not pending any more");
    assert_eq!(status(&one, SELF, 1).unwrap().status, EVTCHNSTAT_closed);
    assert_eq!(bind_ipi(&one, 0), 3, "number 1 is still on the queue");
    assert_eq!(fifo.take(), [2]);
    assert_eq!(bind_ipi(&one, 0), 1);
}

#[test]
fn what_is_pending_in_2_levels_comes_again() {
    let (_xen, one, two) = connected(3);
    let info = map_shared_info(&one);
    info.mask(0).store(1 << 2, SeqCst);
    assert_eq!(send(&two, 2), 0);
    assert_eq!(send(&two, 3), 0);
    info.upcall_pending().store(0, SeqCst);
    let mut fifo = Fifo::new(&one, 0);
    assert_eq!(send(&two, 1), 0, "it has no word yet");
    assert_eq!(info.upcall_pending().load(SeqCst), 0);
    fifo.expand(&one);
    // Masks are new ones.
    assert_eq!(fifo.take(), [1, 2, 3]);
    assert_eq!(info.upcall_pending().load(SeqCst), 1);
    // Xen does not change the 2-level bits any more.
    assert_eq!(info.pending(0).load(SeqCst), 1 << 2 | 1 << 3);
}

#[test]
fn there_are_131072_ports() {
    let xen = Hypervisor::new();
    let one = xen.create_domain(DomainConfig::dom0());
    for port in 1..4096 {
        assert_eq!(bind_ipi(&one, 0), port);
    }
    assert_eq!(bind_ipi(&one, 0), ENOSPC);
    let mut fifo = Fifo::new(&one, 128);
    for port in 4096..131_072 {
        assert_eq!(bind_ipi(&one, 0), port);
    }
    assert_eq!(bind_ipi(&one, 0), ENOSPC);
    for port in [131_071, 4096, 1] {
        assert_eq!(send(&one, port), 0);
    }
    assert_eq!(fifo.load(131_071), PENDING | LINKED | 4096);
    assert_eq!(fifo.take(), [131_071, 4096, 1]);
    assert_eq!(reset(&one), 0);
    for port in 1..4096 {
        assert_eq!(bind_ipi(&one, 0), port);
    }
    assert_eq!(bind_ipi(&one, 0), ENOSPC);
    let small = xen.create_domain(DomainConfig::default().with_max_evtchn_port(1));
    let _fifo = Fifo::new(&small, 1);
    assert_eq!(bind_ipi(&small, 0), 1);
    assert_eq!(bind_ipi(&small, 0), ENOSPC, "the domain's own limit");
}

#[test]
fn reset_goes_back_to_2_levels() {
    let (xen, one, two) = connected(1);
    let mut fifo = Fifo::new(&one, 1);
    fifo.take();
    let info = map_shared_info(&one);
    info.take();
    info.pending(0).store(0, SeqCst);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(reset(&one), 0);
    assert_eq!(expand_array(&one, fifo.control.gfn().raw()), EOPNOTSUPP);
    assert_eq!(alloc_unbound(&one, SELF, 2), 1, "busy is FIFO's only");
    assert_eq!(close(&two, 1), 0);
    assert_eq!(bind_interdomain(&two, 1, 1), 1);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(info.take(), [1]);
    // And again.
    drop(fifo);
    let mut fifo = Fifo::new(&one, 1);
    fifo.take();
    assert_eq!(send(&two, 1), 0);
    assert_eq!(fifo.take(), [1]);
    assert_eq!(close(&one, 1), 0);
    assert_eq!(close(&two, 1), 0);
    drop(fifo);
    assert!(xen.leaks().is_zero(), "{}", xen.leaks());
}

/// Xen keeps its pages, whatever the guest does with its own numbers for them.
#[test]
fn pages_are_xens_until_reset() {
    let (_xen, one, two) = connected(1);
    let mut fifo = Fifo::new(&one, 1);
    fifo.take();
    let gfn = fifo.array[0].gfn().raw();
    assert_eq!(
        reservation(&one, XENMEM_decrease_reservation, SELF, 0, &mut [gfn]),
        1
    );
    assert_eq!(send(&two, 1), 0);
    assert_eq!(fifo.ready().load(SeqCst), 1 << 7);
    let populate = || reservation(&one, XENMEM_populate_physmap, SELF, 0, &mut [gfn]);
    assert_eq!(populate(), 0, "the page still counts");
    assert_eq!(reset(&one), 0);
    assert_eq!(populate(), 1);
    assert_eq!(fifo.load(1), 0, "another page");
}

#[test]
fn polls_see_words() {
    let (_xen, one, two) = connected(2);
    let mut fifo = Fifo::new(&one, 1);
    fifo.take();
    let info = map_shared_info(&one);
    info.take();
    let poll = |ports: &mut [u32]| {
        let mut op = zero::<sched_poll>();
        op.ports.p = ports.as_mut_ptr();
        op.nr_ports = ports.len() as u32;
        call(&one, __HYPERVISOR_sched_op, SCHEDOP_poll, &mut op)
    };
    fifo.word(1).store(MASKED, SeqCst);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(poll(&mut [2, 1]), 0);
    fifo.word(1).store(MASKED, SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert_eq!(send(&two, 1), 0);
        });
        assert_eq!(poll(&mut [1]), 0, "woken by a masked port");
    });
    assert_eq!(fifo.load(1), MASKED | PENDING);
}

/// Guest and Xen change words and queues at the same time: no event is lost,
/// and BUSY does not stay.
#[test]
fn nothing_is_lost_between_guest_and_xen() {
    const PORTS: u32 = 5;
    const EVENTS: u64 = 20_000;
    let (_xen, one, two) = connected(PORTS);
    let mut fifo = Fifo::new(&one, 1);
    fifo.take();
    let sent: [AtomicU64; PORTS as usize + 1] = Default::default();
    let mut seen = [0; PORTS as usize + 1];
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let senders: Vec<_> = (1..=PORTS)
            .map(|port| {
                let (two, sent) = (two.clone(), &sent);
                scope.spawn(move || {
                    for _ in 0..EVENTS {
                        sent[port as usize].fetch_add(1, SeqCst);
                        assert_eq!(send(&two, port), 0);
                    }
                })
            })
            .collect();
        let over = &over;
        scope.spawn(move || {
            senders
                .into_iter()
                .for_each(|sender| sender.join().unwrap());
            over.store(true, SeqCst);
        });
        let mut round = 0;
        loop {
            let last = over.load(SeqCst);
            for port in fifo.take() {
                seen[port as usize] = sent[port as usize].load(SeqCst);
            }
            if last {
                break;
            }
            // Mask and unmask, as a handler would.
            round += 1;
            let port = round % PORTS + 1;
            fifo.word(port).fetch_or(MASKED, SeqCst);
            assert_eq!(unmask(&one, port), 0);
            assert_eq!(set_priority(&one, port, round % 16), 0);
        }
    });
    for port in 1..=PORTS {
        assert_eq!(seen[port as usize], EVENTS, "port {port}");
        assert_eq!(fifo.load(port) & BUSY, 0);
    }
}
