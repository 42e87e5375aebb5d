// SPDX-License-Identifier: MIT OR Apache-2.0
//! The simulator's event channels: numbers and errors as Xen's.
#![cfg(feature = "sim")]

mod sim_raw;

use std::sync::atomic::Ordering::SeqCst;

use sim_raw::*;
use xen_guest::ffi::abi::*;
use xen_guest::sim::{Domain, DomainConfig, Hypervisor, Policy};

fn pair() -> (Hypervisor, Domain, Domain) {
    let xen = Hypervisor::new();
    let one = xen.create_domain(DomainConfig::default());
    let two = xen.create_domain(DomainConfig::default());
    (xen, one, two)
}

#[test]
fn ports_are_the_lowest_free_ones() {
    let (xen, one, two) = pair();
    assert_eq!((one.domid().raw(), two.domid().raw()), (1, 2));
    for port in 1..=3 {
        assert_eq!(alloc_unbound(&one, SELF, 2), port);
    }
    assert_eq!(close(&one, 2), 0);
    assert_eq!(close(&one, 2), EINVAL);
    assert_eq!(bind_ipi(&one, 0), 2);
    assert_eq!(alloc_unbound(&one, 1, 99), 4, "the remote is not checked");
    assert_eq!(xen.leaks().ports, 4);
    // Ports beyond the first bucket are not valid before they are needed.
    assert_eq!(send(&one, 63), EINVAL);
    assert_eq!(unmask(&one, 63), 0);
    assert_eq!(unmask(&one, 64), EINVAL);
    for port in 5..=64 {
        assert_eq!(alloc_unbound(&one, SELF, 2), port);
    }
    assert_eq!(unmask(&one, 127), 0);
    assert_eq!(unmask(&one, 128), EINVAL);
}

#[test]
fn there_are_as_many_ports_as_configured() {
    let xen = Hypervisor::new();
    let one = xen.create_domain(DomainConfig::default().with_max_evtchn_port(3));
    for port in 1..=3 {
        assert_eq!(alloc_unbound(&one, SELF, 7), port);
    }
    assert_eq!(alloc_unbound(&one, SELF, 7), ENOSPC);
    assert_eq!(bind_interdomain(&one, SELF, 1), ENOSPC);
    let dom0 = xen.create_domain(DomainConfig::dom0());
    for port in 1..4096 {
        assert_eq!(alloc_unbound(&dom0, SELF, 7), port);
    }
    assert_eq!(alloc_unbound(&dom0, SELF, 7), ENOSPC);
}

#[test]
fn alloc_unbound_for_others_is_for_control_domains() {
    let (xen, one, _two) = pair();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    assert_eq!(dom0.domid().raw(), 0);
    assert_eq!(alloc_unbound(&one, 9, 1), ESRCH);
    assert_eq!(alloc_unbound(&one, 2, 1), EPERM);
    assert_eq!(alloc_unbound(&dom0, 1, SELF), 1);
    let status = status(&one, SELF, 1).unwrap();
    assert_eq!(status.status, EVTCHNSTAT_unbound);
    // SAFETY: the status says which field is set.
    assert_eq!(unsafe { status.u.unbound.dom }, 0);
}

#[test]
fn bind_interdomain_checks_and_raises_its_own_end() {
    let (_xen, one, two) = pair();
    let info = map_shared_info(&two);
    let other = map_shared_info(&one);
    let port = alloc_unbound(&one, SELF, 2);
    assert_eq!(bind_interdomain(&two, 9, 1), ESRCH);
    assert_eq!(bind_interdomain(&two, 1, 0), EINVAL);
    assert_eq!(bind_interdomain(&two, 1, 2), EINVAL);
    assert_eq!(bind_interdomain(&two, 1, 4096), EINVAL);
    assert_eq!(alloc_unbound(&one, SELF, 3), 2);
    assert_eq!(bind_interdomain(&two, 1, 2), EINVAL, "for another domain");
    assert_eq!(bind_interdomain(&two, 1, port as u32), 1);
    assert_eq!(info.summary(), (1 << 1, 1, 1));
    assert_eq!(other.summary(), (0, 0, 0));
    assert_eq!(bind_interdomain(&two, 1, port as u32), EINVAL, "bound now");
    let status = status(&one, SELF, 1).unwrap();
    assert_eq!(status.status, EVTCHNSTAT_interdomain);
    // SAFETY: the status says which field is set.
    let (dom, port) = unsafe { (status.u.interdomain.dom, status.u.interdomain.port) };
    assert_eq!((dom, port), (2, 1));
}

#[test]
fn a_domain_can_bind_to_itself() {
    let (_xen, one, _two) = pair();
    let info = map_shared_info(&one);
    assert_eq!(alloc_unbound(&one, SELF, SELF), 1);
    assert_eq!(bind_interdomain(&one, SELF, 1), 2);
    assert_eq!(info.take(), [2]);
    assert_eq!(send(&one, 2), 0);
    assert_eq!(info.take(), [1]);
}

#[test]
fn close_leaves_the_peer_unbound_and_the_mask_alone() {
    let (_xen, one, two) = pair();
    let info = map_shared_info(&one);
    assert_eq!(alloc_unbound(&one, SELF, 2), 1);
    assert_eq!(bind_interdomain(&two, 1, 1), 1);
    info.mask(0).store(1 << 1, SeqCst);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(info.pending(0).load(SeqCst), 1 << 1);
    assert_eq!(close(&two, 1), 0);
    assert_eq!(info.pending(0).load(SeqCst), 1 << 1, "the peer's is kept");
    let state = status(&one, SELF, 1).unwrap();
    assert_eq!(state.status, EVTCHNSTAT_unbound);
    assert_eq!(send(&one, 1), 0, "forgotten silently");
    assert_eq!(bind_interdomain(&two, 1, 1), 1, "by the closer again");
    assert_eq!(close(&one, 1), 0);
    assert_eq!(info.pending(0).load(SeqCst), 0);
    assert_eq!(info.mask(0).load(SeqCst), 1 << 1);
    assert_eq!(status(&one, SELF, 1).unwrap().status, EVTCHNSTAT_closed);
    assert_eq!(close(&one, 0), EINVAL);
    assert_eq!(send(&one, 0), EINVAL);
    assert_eq!(status(&one, SELF, 0).unwrap().status, EVTCHNSTAT_closed);
}

#[test]
fn delivery_follows_the_two_levels() {
    let (_xen, one, two) = pair();
    let info = map_shared_info(&one);
    for _ in 0..70 {
        alloc_unbound(&one, SELF, 2);
    }
    for port in [5, 69] {
        bind_interdomain(&two, 1, port);
    }
    // The second of two in a row changes nothing.
    assert_eq!(send(&two, 1), 0);
    assert_eq!(info.summary(), (1 << 5, 1, 1));
    info.upcall_pending().store(0, SeqCst);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(info.summary(), (1 << 5, 1, 0));
    // A selector bit that is set already raises no upcall.
    info.pending(0).store(0, SeqCst);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(info.summary(), (1 << 5, 1, 0));
    assert_eq!(send(&two, 2), 0);
    assert_eq!(info.summary(), (1 << 5, 3, 1));
    assert_eq!(info.take(), [5, 69]);
    // Masked: pending, and no more than that.
    info.mask(0).store(1 << 5, SeqCst);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(info.summary(), (1 << 5, 0, 0));
    // Unmasking by hypercall acts only where the mask bit was set.
    info.mask(0).store(0, SeqCst);
    assert_eq!(unmask(&one, 5), 0);
    assert_eq!(info.summary(), (1 << 5, 0, 0));
    info.mask(0).store(1 << 5, SeqCst);
    assert_eq!(unmask(&one, 5), 0);
    assert_eq!(info.summary(), (1 << 5, 1, 1));
    // Of a free port it does nothing at all.
    info.mask(1).store(1 << 20, SeqCst);
    assert_eq!(unmask(&one, 84), 0);
    assert_eq!(info.mask(1).load(SeqCst), 1 << 20);
}

#[test]
fn events_before_the_page_is_mapped_are_kept() {
    let (_xen, one, two) = pair();
    alloc_unbound(&one, SELF, 2);
    bind_interdomain(&two, 1, 1);
    assert_eq!(send(&two, 1), 0);
    assert_eq!(map_shared_info(&one).take(), [1]);
}

#[test]
fn virqs_and_ipis() {
    let (_xen, one, _two) = pair();
    let info = map_shared_info(&one);
    assert_eq!(bind_virq(&one, 24, 0), EINVAL);
    assert_eq!(bind_virq(&one, VIRQ_CONSOLE, 1), EINVAL);
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 1), ENOENT);
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 0), 1);
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 0), EEXIST);
    assert_eq!(bind_virq(&one, VIRQ_ARGO, 0), 2);
    assert_eq!(send(&one, 1), EINVAL);
    assert!(one.raise_virq(VIRQ_TIMER));
    assert_eq!(info.take(), [1]);
    assert_eq!(bind_ipi(&one, 1), ENOENT);
    assert_eq!(bind_ipi(&one, 0), 3);
    assert_eq!(send(&one, 3), 0);
    assert_eq!(info.take(), [3]);
    let bind_vcpu = |port, vcpu| {
        let mut op = evtchn_bind_vcpu { port, vcpu };
        evtchn(&one, EVTCHNOP_bind_vcpu, &mut op)
    };
    assert_eq!(bind_vcpu(99_999, 1), ENOENT, "the vCPU is checked first");
    assert_eq!(bind_vcpu(99_999, 0), EINVAL);
    assert_eq!(bind_vcpu(1, 0), EINVAL, "a per-vCPU virq");
    assert_eq!(bind_vcpu(2, 0), 0);
    assert_eq!(bind_vcpu(3, 0), EINVAL, "an ipi");
    assert_eq!(close(&one, 1), 0);
    assert_eq!(bind_virq(&one, VIRQ_TIMER, 0), 1);
}

#[test]
fn what_the_2_level_abi_has_not() {
    let (_xen, one, _two) = pair();
    let mut op = evtchn_set_priority {
        port: 4000,
        priority: 0,
    };
    assert_eq!(evtchn(&one, EVTCHNOP_set_priority, &mut op), EINVAL);
    op.port = 1;
    assert_eq!(evtchn(&one, EVTCHNOP_set_priority, &mut op), ENOSYS);
    let mut op = zero::<evtchn_expand_array>();
    assert_eq!(evtchn(&one, EVTCHNOP_expand_array, &mut op), EOPNOTSUPP);
    let mut op = zero::<evtchn_bind_pirq>();
    assert_eq!(evtchn(&one, EVTCHNOP_bind_pirq, &mut op), EOPNOTSUPP);
    assert_eq!(evtchn(&one, 99, &mut op), ENOSYS);
    // SAFETY: a null argument is what is tested.
    let rc = unsafe {
        one.hypercall(
            __HYPERVISOR_event_channel_op,
            [EVTCHNOP_send as usize, 0, 0, 0, 0],
        )
    };
    assert_eq!(rc, EFAULT);
    let hole = one.grant_window().va as usize;
    // SAFETY: an address that nothing is mapped at is what is tested.
    let rc = unsafe {
        one.hypercall(
            __HYPERVISOR_event_channel_op,
            [EVTCHNOP_send as usize, hole, 0, 0, 0],
        )
    };
    assert_eq!(rc, EFAULT);
    // SAFETY: the number is unknown, so nothing is used.
    assert_eq!(unsafe { one.hypercall(55, [0; 5]) }, ENOSYS);
}

#[test]
fn status_and_reset_are_for_oneself_or_a_control_domain() {
    let (xen, one, two) = pair();
    let dom0 = xen.create_domain(DomainConfig::dom0());
    assert_eq!(alloc_unbound(&two, SELF, 1), 1);
    assert_eq!(bind_ipi(&two, 0), 2);
    assert_eq!(status(&one, 9, 1).err(), Some(ESRCH));
    assert_eq!(status(&one, 2, 4096).err(), Some(EINVAL));
    assert_eq!(status(&one, 2, 1).err(), Some(EPERM));
    assert_eq!(status(&dom0, 2, 2).unwrap().status, EVTCHNSTAT_ipi);
    let reset = |d: &Domain, dom| evtchn(d, EVTCHNOP_reset, &mut evtchn_reset { dom });
    assert_eq!(reset(&one, 9), ESRCH);
    assert_eq!(reset(&one, 2), EPERM);
    assert_eq!(reset(&dom0, 2), EINVAL, "it is not paused");
    assert_eq!(reset(&two, SELF), 0);
    assert_eq!(xen.leaks().ports, 0);
}

#[test]
fn silo_keeps_unprivileged_domains_apart() {
    let xen = Hypervisor::with_policy(Policy::Silo);
    let dom0 = xen.create_domain(DomainConfig::dom0());
    let one = xen.create_domain(DomainConfig::default());
    let two = xen.create_domain(DomainConfig::default());
    assert_eq!(alloc_unbound(&one, SELF, 2), EPERM);
    assert_eq!(alloc_unbound(&one, SELF, 9), ESRCH);
    assert_eq!(alloc_unbound(&one, SELF, 0), 1);
    assert_eq!(bind_interdomain(&dom0, 1, 1), 1);
    assert_eq!(alloc_unbound(&dom0, 1, 2), 2, "by the control domain");
    assert_eq!(bind_interdomain(&two, 1, 2), EPERM);
    assert_eq!(xen.leaks().ports, 3);
}

#[test]
fn polls_see_masked_ports_and_check_in_order() {
    let (_xen, one, two) = pair();
    let info = map_shared_info(&one);
    alloc_unbound(&one, SELF, 2);
    bind_interdomain(&two, 1, 1);
    info.mask(0).store(1 << 1, SeqCst);
    let poll = |ports: &mut [u32], timeout| {
        let mut op = zero::<sched_poll>();
        op.ports.p = ports.as_mut_ptr();
        op.nr_ports = ports.len() as u32;
        op.timeout = timeout;
        call(&one, __HYPERVISOR_sched_op, SCHEDOP_poll, &mut op)
    };
    assert_eq!(poll(&mut [7], 1), EINVAL, "a free port");
    assert_eq!(poll(&mut [1; 129], 1), EINVAL);
    assert_eq!(poll(&mut [1], 1), 0, "the time is over");
    assert_eq!(send(&two, 1), 0);
    assert_eq!(poll(&mut [1, 7], 0), 0, "a pending one before a bad one");
    assert_eq!(poll(&mut [7, 1], 0), EINVAL);
    info.pending(0).store(0, SeqCst);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            assert_eq!(send(&two, 1), 0);
        });
        assert_eq!(poll(&mut [1], 0), 0, "woken by a masked port");
    });
    assert_eq!(info.pending(0).load(SeqCst), 1 << 1);
}

#[test]
fn a_dying_domain_leaves_its_peers_unbound() {
    let (xen, one, two) = pair();
    alloc_unbound(&one, SELF, 2);
    bind_interdomain(&two, 1, 1);
    two.destroy();
    assert!(!two.exists());
    let state = status(&one, SELF, 1).unwrap();
    assert_eq!(state.status, EVTCHNSTAT_unbound);
    assert_eq!(send(&one, 1), 0);
    assert_eq!(send(&two, 1), ESRCH);
    assert_eq!(bind_interdomain(&one, 2, 1), ESRCH);
    drop(two);
    let next = xen.create_domain(DomainConfig::default());
    assert_eq!(next.domid().raw(), 3, "no number twice");
}
