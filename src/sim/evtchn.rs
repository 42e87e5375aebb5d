// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event channels: the hypercalls. How events get to a guest is its ABI's
//! part.

use super::evtchn_fifo;
use super::hypercall::{Argument, Outcome};
use super::ports::{Channel, Port};
use super::state::{DomainState, State};
use crate::ffi::abi;
use crate::{Error, Result};

/// Ports of the 2-level ABI.
const PORTS_2L: u32 = abi::EVTCHN_2L_NR_CHANNELS;
pub(super) const VIRQS: u32 = 24;

/// A virtual interrupt of which each vCPU has its own.
fn per_vcpu(virq: u32) -> bool {
    matches!(
        virq,
        abi::VIRQ_TIMER | abi::VIRQ_DEBUG | abi::VIRQ_XENOPROF | abi::VIRQ_XENPMU
    )
}

impl DomainState {
    fn free_port(&mut self) -> Result<u32> {
        if self.dying {
            return Err(Error::Invalid);
        }
        let fifo = self.fifo.as_ref();
        let limit = fifo.map_or(PORTS_2L, |_| evtchn_fifo::PORTS);
        let busy = |port| fifo.is_some_and(|fifo| fifo.busy(port));
        self.ports.find_free(limit, busy)
    }

    fn is_pending(&self, port: u32) -> bool {
        match &self.fifo {
            Some(fifo) => fifo.is_pending(port),
            None => self.is_pending_2l(port),
        }
    }

    /// What a poll of this port finds.
    pub(super) fn poll_port(&self, port: u32) -> Result<bool> {
        if self.ports.get(port)?.usable() {
            Ok(self.is_pending(port))
        } else {
            Err(Error::Invalid)
        }
    }
}

impl State {
    /// Sets a port of `dom` pending.
    pub(super) fn set_pending(&mut self, dom: u16, port: u32) {
        let Some(domain) = self.domains.get_mut(&dom) else {
            return;
        };
        let Ok(channel) = domain.ports.get(port) else {
            return;
        };
        if !channel.usable() {
            return;
        }
        let vcpu = channel.vcpu;
        if channel.xen {
            return self.wake_for_io(dom, vcpu);
        }
        self.trace.event(dom, vcpu, port);
        match domain.fifo {
            Some(_) => domain.set_pending_fifo(port, vcpu),
            None => domain.set_pending_2l(port, vcpu),
        }
        self.settle(dom);
    }

    /// Raises a virtual interrupt; false where nothing is bound to it.
    pub(super) fn raise_virq(&mut self, dom: u16, virq: u32, vcpu: u32) -> bool {
        let vcpu = if per_vcpu(virq) { vcpu } else { 0 };
        let bound = |domain: &DomainState| {
            let virqs = &domain.vcpus.get(vcpu as usize)?.virqs;
            virqs.get(virq as usize).copied()
        };
        let port = self.domains.get(&dom).and_then(bound).unwrap_or(0);
        if port != 0 {
            self.set_pending(dom, port);
        }
        port != 0
    }

    pub(super) fn event_channel_op(
        &mut self,
        caller: u16,
        cmd: usize,
        arg: usize,
    ) -> Result<Outcome> {
        match cmd as u32 {
            abi::EVTCHNOP_alloc_unbound => {
                let mut op: abi::evtchn_alloc_unbound = self.read(caller, arg)?;
                op.port = self.alloc_unbound(caller, op.dom, op.remote_dom)?;
                self.write(caller, arg, &op)?;
            }
            abi::EVTCHNOP_bind_interdomain => {
                let mut op: abi::evtchn_bind_interdomain = self.read(caller, arg)?;
                op.local_port = self.bind_interdomain(caller, op.remote_dom, op.remote_port)?;
                self.write(caller, arg, &op)?;
            }
            abi::EVTCHNOP_bind_virq => {
                let mut op: abi::evtchn_bind_virq = self.read(caller, arg)?;
                op.port = self.bind_virq(caller, op.virq, op.vcpu)?;
                self.write(caller, arg, &op)?;
            }
            abi::EVTCHNOP_bind_ipi => {
                let mut op: abi::evtchn_bind_ipi = self.read(caller, arg)?;
                let domain = self.domain_mut(caller)?;
                domain.check_vcpu(op.vcpu)?;
                op.port = domain.free_port()?;
                domain.ports.bind(op.port, Port::Ipi, op.vcpu);
                self.write(caller, arg, &op)?;
            }
            // There are no physical interrupts behind ports on Arm.
            abi::EVTCHNOP_bind_pirq => {
                let _: abi::evtchn_bind_pirq = self.read(caller, arg)?;
                return Err(Error::NotSupported);
            }
            abi::EVTCHNOP_close => {
                let op: abi::evtchn_close = self.read(caller, arg)?;
                self.guest_port(caller, op.port)?;
                self.close_port(caller, op.port)?;
            }
            abi::EVTCHNOP_send => {
                let op: abi::evtchn_send = self.read(caller, arg)?;
                self.guest_port(caller, op.port)?;
                self.send(caller, op.port)?;
            }
            abi::EVTCHNOP_status => {
                let mut op: abi::evtchn_status = self.read(caller, arg)?;
                self.port_status(caller, &mut op)?;
                self.write(caller, arg, &op)?;
            }
            abi::EVTCHNOP_bind_vcpu => {
                let op: abi::evtchn_bind_vcpu = self.read(caller, arg)?;
                let domain = self.domain_mut(caller)?;
                domain.check_vcpu(op.vcpu)?;
                self.guest_port(caller, op.port)?;
                let channel = self.domain_mut(caller)?.ports.get_mut(op.port)?;
                match channel.state {
                    Port::Unbound { .. } | Port::Interdomain { .. } => {}
                    Port::Virq(virq) if !per_vcpu(virq) => {}
                    _ => return Err(Error::Invalid),
                }
                // What is pending already stays with the other vCPU.
                channel.vcpu = op.vcpu;
            }
            abi::EVTCHNOP_unmask => {
                let op: abi::evtchn_unmask = self.read(caller, arg)?;
                self.unmask(caller, op.port)?;
            }
            abi::EVTCHNOP_reset => {
                let op: abi::evtchn_reset = self.read(caller, arg)?;
                let dom = self.any(caller, op.dom)?;
                self.check_target(caller, dom)?;
                if dom != caller {
                    // The controller would have to pause it, which nothing
                    // here can.
                    return Err(Error::Invalid);
                }
                self.close_all(dom, |channel| !channel.xen);
                self.leave_fifo(dom);
            }
            abi::EVTCHNOP_init_control => {
                let mut op: abi::evtchn_init_control = self.read(caller, arg)?;
                self.check_fifo(caller)?;
                self.init_control(caller, &op)?;
                op.link_bits = abi::EVTCHN_FIFO_LINK_BITS as u8;
                self.write(caller, arg, &op)?;
            }
            abi::EVTCHNOP_expand_array => {
                let op: abi::evtchn_expand_array = self.read(caller, arg)?;
                self.check_fifo(caller)?;
                self.expand_array(caller, op.array_gfn)?;
            }
            abi::EVTCHNOP_set_priority => {
                let op: abi::evtchn_set_priority = self.read(caller, arg)?;
                self.set_priority(caller, op.port, op.priority)?;
            }
            _ => return Err(Error::NotImplemented),
        }
        Ok(Outcome::Done(0))
    }

    fn check_fifo(&self, dom: u16) -> Result<()> {
        if self.domain(dom)?.fifo_allowed {
            Ok(())
        } else {
            Err(Error::NotSupported)
        }
    }

    /// For events from now on: what is queued stays where it is.
    fn set_priority(&mut self, dom: u16, port: u32, priority: u32) -> Result<()> {
        let domain = self.domain_mut(dom)?;
        let fifo = domain.fifo.is_some();
        let channel = domain.ports.get_mut(port)?;
        if !fifo {
            return Err(Error::NotImplemented);
        }
        if !channel.usable() {
            return Err(Error::WrongKind);
        }
        if priority > abi::EVTCHN_FIFO_PRIORITY_MIN {
            return Err(Error::Invalid);
        }
        channel.priority = priority as u8;
        Ok(())
    }

    fn alloc_unbound(&mut self, caller: u16, dom: u16, remote: u16) -> Result<u32> {
        let dom = self.any(caller, dom)?;
        let port = self.domain_mut(dom)?.free_port()?;
        if self.silo {
            // Only this policy looks at the remote domain.
            let other = self.any(caller, remote)?;
            self.check_silo(caller, dom, other)?;
        }
        self.check_target(caller, dom)?;
        let remote = if u32::from(remote) == abi::DOMID_SELF {
            caller
        } else {
            remote
        };
        let domain = self.domain_mut(dom)?;
        domain.ports.bind(port, Port::Unbound { remote }, 0);
        Ok(port)
    }

    /// Xen's own end, which tells it that a vCPU's access is answered.
    pub(super) fn alloc_unbound_for_xen(
        &mut self,
        caller: u16,
        dom: u16,
        vcpu: u32,
    ) -> Result<u32> {
        let domain = self.domain_mut(dom)?;
        let port = domain.free_port()?;
        self.check_silo(caller, dom, caller)?;
        let domain = self.domain_mut(dom)?;
        domain
            .ports
            .bind(port, Port::Unbound { remote: caller }, vcpu);
        domain.ports.get_mut(port)?.xen = true;
        Ok(port)
    }

    /// A port that the guest may close, send on and move: not Xen's own.
    fn guest_port(&self, dom: u16, port: u32) -> Result<()> {
        if self.domain(dom)?.ports.get(port)?.xen {
            Err(Error::Invalid)
        } else {
            Ok(())
        }
    }

    fn bind_interdomain(&mut self, caller: u16, remote: u16, remote_port: u32) -> Result<u32> {
        let remote = self.any(caller, remote)?;
        let local = self.domain_mut(caller)?.free_port()?;
        match self.domain(remote)?.ports.get(remote_port)?.state {
            Port::Unbound { remote } if remote == caller => {}
            _ => return Err(Error::Invalid),
        }
        self.check_silo(caller, caller, remote)?;
        let end = Port::Interdomain {
            remote,
            port: remote_port,
        };
        self.domain_mut(caller)?.ports.bind(local, end, 0);
        let other = self.domain_mut(remote)?.ports.get_mut(remote_port)?;
        other.state = Port::Interdomain {
            remote: caller,
            port: local,
        };
        // What the peer sent before may have been lost.
        self.set_pending(caller, local);
        Ok(local)
    }

    fn bind_virq(&mut self, caller: u16, virq: u32, vcpu: u32) -> Result<u32> {
        if virq >= VIRQS || (!per_vcpu(virq) && vcpu != 0) {
            return Err(Error::Invalid);
        }
        let domain = self.domain_mut(caller)?;
        domain.check_vcpu(vcpu)?;
        if domain.vcpus[vcpu as usize].virqs[virq as usize] != 0 {
            return Err(Error::Exists);
        }
        let port = domain.free_port()?;
        domain.ports.bind(port, Port::Virq(virq), vcpu);
        domain.vcpus[vcpu as usize].virqs[virq as usize] = port;
        Ok(port)
    }

    /// Closes a port: its peer's end becomes unbound and is told nothing.
    pub(super) fn close_port(&mut self, dom: u16, port: u32) -> Result<()> {
        let domain = self.domain_mut(dom)?;
        let Channel { state, vcpu, .. } = *domain.ports.get(port)?;
        match state {
            Port::Free | Port::Reserved => return Err(Error::Invalid),
            Port::Virq(virq) => {
                let vcpu = if per_vcpu(virq) { vcpu } else { 0 };
                domain.vcpus[vcpu as usize].virqs[virq as usize] = 0;
            }
            Port::Unbound { .. } | Port::Interdomain { .. } | Port::Ipi => {}
        }
        match &domain.fifo {
            Some(fifo) => fifo.clear_pending(port),
            None => domain.clear_pending_2l(port),
        }
        domain.ports.free(port);
        if let Port::Interdomain { remote, port } = state
            && let Ok(peer) = self.domain_mut(remote)
            && let Ok(channel) = peer.ports.get_mut(port)
        {
            channel.state = Port::Unbound { remote: dom };
        }
        Ok(())
    }

    fn close_all(&mut self, dom: u16, which: impl Fn(&Channel) -> bool) {
        let ports = self
            .domains
            .get(&dom)
            .map_or(0, |domain| domain.ports.len());
        for port in 1..ports {
            let channel = self.domain(dom).and_then(|domain| domain.ports.get(port));
            if channel.is_ok_and(&which) {
                // Those that are closed already are no error.
                let _ = self.close_port(dom, port);
            }
        }
    }

    /// The domain dies: no port of it is valid any more.
    pub(super) fn destroy_ports(&mut self, dom: u16) {
        self.close_all(dom, |_| true);
        if let Some(domain) = self.domains.get_mut(&dom) {
            domain.ports.clear();
        }
    }

    fn send(&mut self, caller: u16, port: u32) -> Result<()> {
        match self.domain(caller)?.ports.get(port)?.state {
            Port::Interdomain { remote, port } => self.set_pending(remote, port),
            Port::Ipi => self.set_pending(caller, port),
            Port::Unbound { .. } => {}
            Port::Free | Port::Reserved | Port::Virq(_) => return Err(Error::Invalid),
        }
        Ok(())
    }

    fn port_status(&mut self, caller: u16, op: &mut abi::evtchn_status) -> Result<()> {
        let dom = self.any(caller, op.dom)?;
        let channel = *self.domain(dom)?.ports.get(op.port)?;
        self.check_target(caller, dom)?;
        op.vcpu = channel.vcpu;
        op.status = match channel.state {
            Port::Free | Port::Reserved => abi::EVTCHNSTAT_closed,
            Port::Unbound { remote } => {
                op.u.unbound.dom = remote;
                abi::EVTCHNSTAT_unbound
            }
            Port::Interdomain { remote, port } => {
                op.u.interdomain.dom = remote;
                op.u.interdomain.port = port;
                abi::EVTCHNSTAT_interdomain
            }
            Port::Virq(virq) => {
                op.u.virq = virq;
                abi::EVTCHNSTAT_virq
            }
            Port::Ipi => abi::EVTCHNSTAT_ipi,
        };
        Ok(())
    }

    fn unmask(&mut self, caller: u16, port: u32) -> Result<()> {
        let domain = self.domain_mut(caller)?;
        let channel = domain.ports.get(port)?;
        if channel.usable() {
            let vcpu = channel.vcpu;
            match domain.fifo {
                Some(_) => domain.unmask_fifo(port, vcpu),
                None => domain.unmask_2l(port, vcpu),
            }
            self.settle(caller);
        }
        Ok(())
    }
}

/// Arguments that guests pass by address. All are plain C structures of
/// integers, for which any bytes are a value.
macro_rules! arguments {
    ($($name:ident)*) => {
        $(
            // SAFETY: a structure of integers.
            unsafe impl Argument for abi::$name {}
        )*
    };
}

arguments! {
    evtchn_alloc_unbound evtchn_bind_interdomain evtchn_bind_virq
    evtchn_bind_ipi evtchn_bind_pirq evtchn_close evtchn_send evtchn_status
    evtchn_bind_vcpu evtchn_unmask evtchn_reset evtchn_init_control
    evtchn_expand_array evtchn_set_priority
}
