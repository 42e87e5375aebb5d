// SPDX-License-Identifier: MIT OR Apache-2.0
//! Event channels: the 2-level ABI, one vCPU per domain.

use std::sync::atomic::Ordering::SeqCst;
use std::vec::Vec;

use super::hypercall::{Argument, Outcome};
use super::state::{DomainState, State};
use crate::ffi::abi;
use crate::{Error, Result};

/// Ports come into being by this many (a page of Xen's bookkeeping).
const PORTS_PER_BUCKET: u32 = 64;
/// Ports of the 2-level ABI.
const PORTS: u32 = abi::EVTCHN_2L_NR_CHANNELS;
const VIRQS: u32 = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Free,
    Reserved,
    Unbound { remote: u16 },
    Interdomain { remote: u16, port: u32 },
    Virq(u32),
    Ipi,
}

pub(super) struct Ports {
    list: Vec<Port>,
    highest: u32,
    virqs: [u32; VIRQS as usize],
}

/// A virtual interrupt of which each vCPU has its own.
fn per_vcpu(virq: u32) -> bool {
    matches!(
        virq,
        abi::VIRQ_TIMER | abi::VIRQ_DEBUG | abi::VIRQ_XENOPROF | abi::VIRQ_XENPMU
    )
}

fn check_vcpu(vcpu: u32) -> Result<()> {
    if vcpu == 0 {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}

impl Ports {
    pub(super) fn new(highest: u32) -> Self {
        let mut list = std::vec![Port::Free; PORTS_PER_BUCKET as usize];
        list[0] = Port::Reserved;
        Self {
            list,
            highest,
            virqs: [0; VIRQS as usize],
        }
    }

    fn get(&self, port: u32) -> Result<Port> {
        self.list.get(port as usize).copied().ok_or(Error::Invalid)
    }

    /// The lowest free number. It stays free until something is put there.
    fn find_free(&mut self) -> Result<u32> {
        let port = match self.list.iter().position(|port| *port == Port::Free) {
            Some(port) => port as u32,
            None => self.list.len() as u32,
        };
        if port > self.highest || port >= PORTS {
            return Err(Error::NoSpace);
        }
        if port as usize == self.list.len() {
            let grown = self.list.len() + PORTS_PER_BUCKET as usize;
            self.list.resize(grown, Port::Free);
        }
        Ok(port)
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Port)> {
        (0..).zip(self.list.iter().copied())
    }

    pub(super) fn open(&self) -> usize {
        let closed = |port: &&Port| !matches!(port, Port::Free | Port::Reserved);
        self.list.iter().filter(closed).count()
    }
}

impl DomainState {
    fn free_port(&mut self) -> Result<u32> {
        if self.dying {
            Err(Error::Invalid)
        } else {
            self.ports.find_free()
        }
    }

    /// Whether polls see the port, and what.
    fn poll_port(&self, port: u32) -> Result<bool> {
        match self.ports.get(port)? {
            Port::Free | Port::Reserved => Err(Error::Invalid),
            _ => {
                let (word, bit) = self.vcpu.info().pending(port);
                Ok(word.load(SeqCst) & bit != 0)
            }
        }
    }

    /// What a poll of these ports finds at this moment.
    pub(super) fn poll_ports(&self, ports: &[u32]) -> Result<bool> {
        if self.vcpu.info().upcall_pending().load(SeqCst) != 0 {
            return Ok(true);
        }
        for &port in ports {
            if self.poll_port(port)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl State {
    /// Sets a port of `dom` pending. The order of the steps is the protocol.
    fn set_pending(&mut self, dom: u16, port: u32) {
        let Some(domain) = self.domains.get(&dom) else {
            return;
        };
        if matches!(domain.ports.get(port), Err(_) | Ok(Port::Free)) {
            return;
        }
        let info = domain.vcpu.info();
        let (word, bit) = info.pending(port);
        if word.fetch_or(bit, SeqCst) & bit != 0 {
            return;
        }
        let (word, bit) = info.mask(port);
        if word.load(SeqCst) & bit == 0 {
            self.select(dom, port);
        }
        // Pollers are woken even where the port is masked.
        self.wake_pollers = true;
    }

    /// Sets the selector's bit for the port, and the upcall flag after it.
    fn select(&mut self, dom: u16, port: u32) {
        let Some(domain) = self.domains.get(&dom) else {
            return;
        };
        let (word, bit) = domain.vcpu.info().selector(port);
        if word.fetch_or(bit, SeqCst) & bit == 0 && domain.vcpu.raise() {
            self.raised.push(domain.vcpu.clone());
        }
    }

    /// Raises a virtual interrupt; false where nothing is bound to it.
    pub(super) fn raise_virq(&mut self, dom: u16, virq: u32) -> bool {
        let port = self
            .domains
            .get(&dom)
            .and_then(|domain| domain.ports.virqs.get(virq as usize).copied())
            .unwrap_or(0);
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
                check_vcpu(op.vcpu)?;
                let domain = self.domain_mut(caller)?;
                op.port = domain.free_port()?;
                domain.ports.list[op.port as usize] = Port::Ipi;
                self.write(caller, arg, &op)?;
            }
            // There are no physical interrupts behind ports on Arm.
            abi::EVTCHNOP_bind_pirq => {
                let _: abi::evtchn_bind_pirq = self.read(caller, arg)?;
                return Err(Error::NotSupported);
            }
            abi::EVTCHNOP_close => {
                let op: abi::evtchn_close = self.read(caller, arg)?;
                self.close_port(caller, op.port)?;
            }
            abi::EVTCHNOP_send => {
                let op: abi::evtchn_send = self.read(caller, arg)?;
                self.send(caller, op.port)?;
            }
            abi::EVTCHNOP_status => {
                let mut op: abi::evtchn_status = self.read(caller, arg)?;
                self.port_status(caller, &mut op)?;
                self.write(caller, arg, &op)?;
            }
            abi::EVTCHNOP_bind_vcpu => {
                let op: abi::evtchn_bind_vcpu = self.read(caller, arg)?;
                check_vcpu(op.vcpu)?;
                match self.domain(caller)?.ports.get(op.port)? {
                    Port::Unbound { .. } | Port::Interdomain { .. } => {}
                    Port::Virq(virq) if !per_vcpu(virq) => {}
                    _ => return Err(Error::Invalid),
                }
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
                self.close_all(dom);
            }
            // The FIFO ABI is not simulated: as a Xen built without it.
            abi::EVTCHNOP_init_control => {
                let _: abi::evtchn_init_control = self.read(caller, arg)?;
                return Err(Error::NotSupported);
            }
            abi::EVTCHNOP_expand_array => {
                let _: abi::evtchn_expand_array = self.read(caller, arg)?;
                return Err(Error::NotSupported);
            }
            abi::EVTCHNOP_set_priority => {
                let op: abi::evtchn_set_priority = self.read(caller, arg)?;
                self.domain(caller)?.ports.get(op.port)?;
                return Err(Error::NotImplemented);
            }
            _ => return Err(Error::NotImplemented),
        }
        Ok(Outcome::Done(0))
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
        self.domain_mut(dom)?.ports.list[port as usize] = Port::Unbound { remote };
        Ok(port)
    }

    fn bind_interdomain(&mut self, caller: u16, remote: u16, remote_port: u32) -> Result<u32> {
        let remote = self.any(caller, remote)?;
        let local = self.domain_mut(caller)?.free_port()?;
        match self.domain(remote)?.ports.get(remote_port)? {
            Port::Unbound { remote } if remote == caller => {}
            _ => return Err(Error::Invalid),
        }
        self.check_silo(caller, caller, remote)?;
        self.domain_mut(caller)?.ports.list[local as usize] = Port::Interdomain {
            remote,
            port: remote_port,
        };
        self.domain_mut(remote)?.ports.list[remote_port as usize] = Port::Interdomain {
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
        check_vcpu(vcpu)?;
        let domain = self.domain_mut(caller)?;
        if domain.ports.virqs[virq as usize] != 0 {
            return Err(Error::Exists);
        }
        let port = domain.free_port()?;
        domain.ports.list[port as usize] = Port::Virq(virq);
        domain.ports.virqs[virq as usize] = port;
        Ok(port)
    }

    /// Closes a port: its peer's end becomes unbound and is told nothing.
    pub(super) fn close_port(&mut self, dom: u16, port: u32) -> Result<()> {
        let domain = self.domain_mut(dom)?;
        let state = domain.ports.get(port)?;
        match state {
            Port::Free | Port::Reserved => return Err(Error::Invalid),
            Port::Virq(virq) => domain.ports.virqs[virq as usize] = 0,
            Port::Unbound { .. } | Port::Interdomain { .. } | Port::Ipi => {}
        }
        // The mask bit is left as it is.
        let (word, bit) = domain.vcpu.info().pending(port);
        word.fetch_and(!bit, SeqCst);
        domain.ports.list[port as usize] = Port::Free;
        if let Port::Interdomain { remote, port } = state
            && let Ok(peer) = self.domain_mut(remote)
        {
            peer.ports.list[port as usize] = Port::Unbound { remote: dom };
        }
        Ok(())
    }

    pub(super) fn close_all(&mut self, dom: u16) {
        let ports = self
            .domains
            .get(&dom)
            .map_or(0, |domain| domain.ports.list.len());
        for port in 1..ports as u32 {
            // Those that are closed already are no error.
            let _ = self.close_port(dom, port);
        }
    }

    /// The domain dies: no port of it is valid any more.
    pub(super) fn destroy_ports(&mut self, dom: u16) {
        self.close_all(dom);
        if let Some(domain) = self.domains.get_mut(&dom) {
            domain.ports.list.clear();
        }
    }

    fn send(&mut self, caller: u16, port: u32) -> Result<()> {
        match self.domain(caller)?.ports.get(port)? {
            Port::Interdomain { remote, port } => self.set_pending(remote, port),
            Port::Ipi => self.set_pending(caller, port),
            Port::Unbound { .. } => {}
            Port::Free | Port::Reserved | Port::Virq(_) => return Err(Error::Invalid),
        }
        Ok(())
    }

    fn port_status(&mut self, caller: u16, op: &mut abi::evtchn_status) -> Result<()> {
        let dom = self.any(caller, op.dom)?;
        let port = self.domain(dom)?.ports.get(op.port)?;
        self.check_target(caller, dom)?;
        op.vcpu = 0;
        op.status = match port {
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
        let domain = self.domain(caller)?;
        if matches!(domain.ports.get(port)?, Port::Free | Port::Reserved) {
            return Ok(());
        }
        let info = domain.vcpu.info();
        let (word, bit) = info.mask(port);
        let masked = word.fetch_and(!bit, SeqCst) & bit != 0;
        let (word, bit) = info.pending(port);
        if masked && word.load(SeqCst) & bit != 0 {
            self.select(caller, port);
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
