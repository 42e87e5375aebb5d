// SPDX-License-Identifier: MIT OR Apache-2.0
//! Emulators of a domain's devices: Xen hands an access to one of them, on a
//! page that both see, and stops the vCPU until the answer is there.

use std::sync::atomic::Ordering::SeqCst;
use std::vec::Vec;

use super::access::Access;
use super::machine::{Machine, Use};
use super::ports::Port;
use super::ranges::Ranges;
use super::state::State;
use crate::ffi::abi;
use crate::{Error, PAGE_SIZE, Result};

/// Emulators of one domain.
const MAX_SERVERS: usize = 8;
/// Ranges of each kind that one emulator has.
const MAX_RANGES: usize = 256;
/// Kinds of ranges: ports, memory, PCI.
const RANGE_TYPES: usize = 3;

const REQUEST: usize = size_of::<abi::ioreq>();
/// The bits of a request that are no fields of their own: the state in the
/// lowest four, and the direction.
const STATE: usize = 30;
const TYPE: usize = 31;
const STATE_BITS: u8 = 0xf;
const DIRECTION_SHIFT: u32 = 5;

pub(super) struct Server {
    /// The domain that emulates.
    emulator: u16,
    enabled: bool,
    /// The page of requests, once the emulator has asked for it.
    page: Option<u64>,
    ranges: [Ranges; RANGE_TYPES],
    /// For each vCPU of the domain.
    channels: Vec<ChannelOf>,
}

/// How a vCPU and an emulator meet.
#[derive(Clone, Copy)]
struct ChannelOf {
    /// Xen's end, among the domain's ports.
    port: u32,
    /// The vCPU waits for this emulator, which has come so far.
    pending: Option<u8>,
}

/// What Xen keeps of a vCPU for its accesses.
#[derive(Default)]
pub(super) struct Io {
    /// The access that an emulator is asked for.
    pub(super) asked: Option<Asked>,
    /// What it ends with, while the vCPU is kept for another reason.
    result: Option<Access>,
    /// It does not run before an emulator signals.
    blocked: bool,
    /// A page of its domain's went; emulators are to be told.
    pub(super) invalidate: bool,
}

/// An access: to read, or the value to write.
#[derive(Clone, Copy)]
pub(super) struct Asked {
    pub(super) address: u64,
    pub(super) size: u32,
    pub(super) write: Option<u64>,
}

impl Asked {
    /// The bits that `size` bytes hold.
    fn mask(&self) -> u64 {
        u64::MAX >> (64 - 8 * self.size)
    }
}

/// What the vCPU's register holds that a read goes to, where an emulator gets
/// to see it.
const OLD_REGISTER: u64 = 0xa5a5_a5a5_a5a5_a5a5;

/// One request on an emulator's page.
struct Request<'a> {
    machine: &'a Machine,
    mfn: u64,
    at: usize,
}

impl Request<'_> {
    fn state(&self) -> u8 {
        self.machine.u8(self.mfn, self.at + STATE).load(SeqCst) & STATE_BITS
    }

    fn set_state(&self, state: u32) {
        let bits = self.machine.u8(self.mfn, self.at + STATE);
        let old = bits.load(SeqCst);
        bits.store(old & !STATE_BITS | state as u8, SeqCst);
    }

    fn port(&self) -> u32 {
        self.machine.u32(self.mfn, self.at + 24).load(SeqCst)
    }

    fn set_port(&self, port: u32) {
        self.machine.u32(self.mfn, self.at + 24).store(port, SeqCst);
    }

    fn data(&self) -> u64 {
        self.machine.u64(self.mfn, self.at + 8).load(SeqCst)
    }

    /// All of it but the port, which is there.
    fn put(&self, kind: u32, asked: &Asked, count: u32, masked: bool) {
        let (machine, mfn, at) = (self.machine, self.mfn, self.at);
        let direction = match asked.write {
            Some(_) => abi::IOREQ_WRITE,
            None => abi::IOREQ_READ,
        };
        let data = match (asked.write, masked) {
            (Some(data), true) => data & asked.mask(),
            (Some(data), false) => data,
            (None, true) => 0,
            (None, false) => OLD_REGISTER,
        };
        machine.u64(mfn, at).store(asked.address, SeqCst);
        machine.u64(mfn, at + 8).store(data, SeqCst);
        machine.u32(mfn, at + 16).store(count, SeqCst);
        machine.u32(mfn, at + 20).store(asked.size, SeqCst);
        let bits = machine.u8(mfn, at + STATE);
        bits.store((direction as u8) << DIRECTION_SHIFT, SeqCst);
        machine.u8(mfn, at + TYPE).store(kind as u8, SeqCst);
    }
}

impl Server {
    fn request<'a>(&self, machine: &'a Machine, vcpu: usize) -> Request<'a> {
        // Xen looks without asking: it takes address 0 for the page.
        let mfn = self.page.expect(
            "simulated Xen dies: an emulator was enabled without its page of requests, \
             and a request came",
        );
        Request {
            machine,
            mfn,
            at: vcpu * REQUEST,
        }
    }

    pub(super) fn count_ranges(&self) -> usize {
        self.ranges.iter().map(Ranges::len).sum()
    }
}

impl State {
    pub(super) fn create_ioreq_server(&mut self, caller: u16, dom: u16) -> Result<u16> {
        let domain = self.domain(dom)?;
        let id = domain.servers.iter().position(Option::is_none);
        let id = id.ok_or(Error::NoSpace)?;
        let mut channels = Vec::new();
        for vcpu in 0..domain.vcpus.len() as u32 {
            match self.alloc_unbound_for_xen(caller, dom, vcpu) {
                Ok(port) => channels.push(ChannelOf {
                    port,
                    pending: None,
                }),
                Err(error) => {
                    self.close_channels(dom, &channels);
                    return Err(error);
                }
            }
        }
        self.domain_mut(dom)?.servers[id] = Some(Server {
            emulator: caller,
            enabled: false,
            page: None,
            ranges: [(); RANGE_TYPES].map(|()| Ranges::new(MAX_RANGES)),
            channels,
        });
        Ok(id as u16)
    }

    fn close_channels(&mut self, dom: u16, channels: &[ChannelOf]) {
        for channel in channels {
            // They are there until the domain's ports all go.
            let _ = self.close_port(dom, channel.port);
        }
    }

    /// An emulator that belongs to the caller.
    pub(super) fn ioreq_server(&mut self, caller: u16, dom: u16, id: u16) -> Result<&mut Server> {
        let servers = &mut self.domain_mut(dom)?.servers;
        let server = servers.get_mut(usize::from(id)).and_then(Option::as_mut);
        let server = server.ok_or(Error::NotFound)?;
        if server.emulator == caller {
            Ok(server)
        } else {
            Err(Error::NotPermitted)
        }
    }

    /// A vCPU that waits for it is not woken: nothing ever does that.
    pub(super) fn destroy_ioreq_server(&mut self, caller: u16, dom: u16, id: u16) -> Result<()> {
        self.ioreq_server(caller, dom, id)?;
        let server = self.domain_mut(dom)?.servers[usize::from(id)].take();
        if let Some(server) = server {
            if server.channels.iter().any(|c| c.pending.is_some()) {
                self.warn(std::format!(
                    "d{dom}: emulator {id} is destroyed with an access unanswered"
                ));
            }
            self.close_channels(dom, &server.channels);
            if let Some(page) = server.page {
                self.frames.give_up(page);
            }
        }
        Ok(())
    }

    /// The domain dies.
    pub(super) fn release_servers(&mut self, dom: u16) {
        let Some(domain) = self.domains.get_mut(&dom) else {
            return;
        };
        for server in domain.servers.iter_mut().filter_map(Option::take) {
            if let Some(page) = server.page {
                self.frames.give_up(page);
            }
        }
    }

    pub(super) fn enable_ioreq_server(
        &mut self,
        caller: u16,
        dom: u16,
        id: u16,
        enable: bool,
    ) -> Result<()> {
        let machine = self.machine.clone();
        let server = self.ioreq_server(caller, dom, id)?;
        if enable && !server.enabled && server.page.is_some() {
            for (vcpu, channel) in server.channels.iter().enumerate() {
                server.request(&machine, vcpu).set_port(channel.port);
            }
        }
        server.enabled = enable;
        Ok(())
    }

    pub(super) fn map_io_range(
        &mut self,
        caller: u16,
        dom: u16,
        op: &abi::xen_dm_op_ioreq_server_range,
        map: bool,
    ) -> Result<()> {
        if op.start > op.end {
            return Err(Error::Invalid);
        }
        let server = self.ioreq_server(caller, dom, op.id)?;
        let ranges = server.ranges.get_mut(op.type_ as usize);
        let ranges = ranges.ok_or(Error::Invalid)?;
        if map {
            if ranges.overlaps(op.start, op.end) {
                return Err(Error::Exists);
            }
            ranges.add(op.start, op.end)
        } else if ranges.contains(op.start, op.end) {
            ranges.remove(op.start, op.end)
        } else {
            Err(Error::NotFound)
        }
    }

    /// How many frames an emulator's resource has: one for buffered writes,
    /// which Arm does not have, and those for the requests.
    pub(super) fn max_ioreq_frames(&self, dom: u16) -> u32 {
        let vcpus = self.domain(dom).map_or(0, |domain| domain.vcpus.len());
        1 + (vcpus * REQUEST).div_ceil(PAGE_SIZE) as u32
    }

    /// The page of requests, made when it is asked for first.
    pub(super) fn ioreq_frame(
        &mut self,
        caller: u16,
        dom: u16,
        id: u32,
        frame: u64,
    ) -> Result<u64> {
        let id = u16::try_from(id).map_err(|_| Error::Invalid)?;
        let page = match self.ioreq_server(caller, dom, id)?.page {
            Some(page) => page,
            None => {
                let machine = self.machine.clone();
                // Not of the memory that the domain may have.
                let page = self.frames.alloc(&machine, dom, Use::XenHeap, 1);
                let page = page.ok_or(Error::NoMemory)?;
                self.ioreq_server(caller, dom, id)?.page = Some(page);
                page
            }
        };
        match frame {
            0 => Err(Error::NotFound),
            1 => Ok(page),
            _ => Err(Error::Invalid),
        }
    }

    /// Asks whoever emulates what is there. False if nobody does.
    pub(super) fn ask(&mut self, dom: u16, vcpu: u32, asked: Asked) -> bool {
        let last = asked.address.checked_add(u64::from(asked.size) - 1);
        let responsible = |server: &Option<Server>| {
            let memory = abi::XEN_DMOP_IO_RANGE_MEMORY as usize;
            server.as_ref().is_some_and(|server| {
                let ranges = &server.ranges[memory];
                let inside = last.is_some_and(|last| ranges.contains(asked.address, last));
                server.enabled && inside
            })
        };
        let Ok(domain) = self.domain(dom) else {
            return false;
        };
        // Those that came last go first.
        let Some(id) = domain.servers.iter().rposition(responsible) else {
            return false;
        };
        let sent = self.send_request((dom, vcpu), id, abi::IOREQ_TYPE_COPY, &asked, 1);
        if sent && let Some(io) = self.io(dom, vcpu) {
            io.asked = Some(asked);
        }
        sent
    }

    fn io(&mut self, dom: u16, vcpu: u32) -> Option<&mut Io> {
        let domain = self.domains.get_mut(&dom)?;
        Some(&mut domain.vcpus.get_mut(vcpu as usize)?.io)
    }

    /// Puts a request on an emulator's page and stops the vCPU. False if the
    /// emulator has spoilt the page.
    fn send_request(
        &mut self,
        (dom, vcpu): (u16, u32),
        id: usize,
        kind: u32,
        asked: &Asked,
        count: u32,
    ) -> bool {
        let machine = self.machine.clone();
        let Some(domain) = self.domains.get_mut(&dom) else {
            return false;
        };
        let Some(server) = &mut domain.servers[id] else {
            return false;
        };
        let request = server.request(&machine, vcpu as usize);
        let channel = &mut server.channels[vcpu as usize];
        let port = channel.port;
        let spoilt = if u32::from(request.state()) != abi::STATE_IOREQ_NONE {
            Some("state")
        } else if request.port() != port {
            Some("port")
        } else {
            None
        };
        if let Some(what) = spoilt {
            self.warn(std::format!("d{dom}: emulator {id} set a bad {what}"));
            return false;
        }
        let masked = self.masked && kind == abi::IOREQ_TYPE_COPY;
        request.put(kind, asked, count, masked);
        channel.pending = Some(abi::STATE_IOREQ_NONE as u8);
        domain.vcpus[vcpu as usize].io.blocked = true;
        request.set_state(abi::STATE_IOREQ_READY);
        if let Ok(channel) = domain.ports.get(port)
            && let Port::Interdomain { remote, port } = channel.state
        {
            self.set_pending(remote, port);
        }
        true
    }

    /// Tells all emulators that frames of the domain hold something else now.
    /// The vCPU waits until each has answered.
    fn broadcast_invalidate(&mut self, dom: u16, vcpu: u32) {
        let asked = Asked {
            address: 0,
            size: 4,
            write: Some(u64::MAX),
        };
        for id in (0..MAX_SERVERS).rev() {
            let enabled = self
                .domain(dom)
                .is_ok_and(|domain| domain.servers[id].as_ref().is_some_and(|s| s.enabled));
            if enabled {
                let kind = abi::IOREQ_TYPE_INVALIDATE;
                self.send_request((dom, vcpu), id, kind, &asked, 0);
            }
        }
    }

    /// An emulator signalled a vCPU that is stopped.
    pub(super) fn wake_for_io(&mut self, dom: u16, vcpu: u32) {
        if let Some(io) = self.io(dom, vcpu)
            && io.blocked
        {
            io.blocked = false;
            self.wake = true;
        }
    }

    /// How the vCPU's access, or what else keeps it, ends; `None` as long as
    /// it does not.
    pub(super) fn finish_io(&mut self, dom: u16, vcpu: u32) -> Option<Access> {
        let machine = self.machine.clone();
        let Some(domain) = self.domains.get_mut(&dom) else {
            return Some(Access::Dead);
        };
        if domain.dying || domain.shutdown.is_some() {
            return Some(Access::Dead);
        }
        let cpu = domain.vcpus.get_mut(vcpu as usize)?;
        if cpu.io.blocked || domain.pauses > 0 {
            return None;
        }
        // What an access gets whose emulator went.
        let mut answer = cpu.io.asked.and_then(|asked| asked.write).unwrap_or(0);
        for server in domain.servers.iter_mut().rev().flatten() {
            let request = match server.channels[vcpu as usize].pending {
                Some(_) => server.request(&machine, vcpu as usize),
                None => continue,
            };
            let pending = &mut server.channels[vcpu as usize].pending;
            let state = request.state();
            match u32::from(state) {
                abi::STATE_IOREQ_NONE => answer = u64::MAX,
                _ if pending.is_some_and(|before| state < before) => {
                    return Some(self.crash(dom, "a request went back"));
                }
                abi::STATE_IORESP_READY => {
                    answer = request.data();
                    request.set_state(abi::STATE_IOREQ_NONE);
                }
                abi::STATE_IOREQ_READY | abi::STATE_IOREQ_INPROCESS => {
                    *pending = Some(state);
                    cpu.io.blocked = true;
                    return None;
                }
                _ => return Some(self.crash(dom, "a request has a state that is none")),
            }
            *pending = None;
        }
        if let Some(asked) = cpu.io.asked.take() {
            let value = match asked.write {
                Some(_) => 0,
                None if self.masked => answer & asked.mask(),
                None => answer,
            };
            cpu.io.result = Some(Access::Done(value));
        }
        if std::mem::take(&mut cpu.io.invalidate) {
            self.broadcast_invalidate(dom, vcpu);
            if self.io(dom, vcpu)?.blocked {
                return None;
            }
        }
        let result = self.io(dom, vcpu)?.result.take();
        Some(result.unwrap_or(Access::Done(0)))
    }

    /// Xen does not let a domain run on whose emulator breaks the rules.
    fn crash(&mut self, dom: u16, why: &str) -> Access {
        self.warn(std::format!("d{dom} crashed: {why}"));
        if let Some(domain) = self.domains.get_mut(&dom) {
            domain.shutdown = Some(abi::SHUTDOWN_crash);
        }
        Access::Dead
    }

    /// A frame of the domain held RAM of its own and does not any more. If
    /// the domain did that itself, the vCPU that did is to tell its emulators.
    pub(super) fn request_invalidate(&mut self, dom: u16) {
        let (current, vcpu) = self.current;
        let Some(domain) = self.domains.get_mut(&dom) else {
            return;
        };
        if domain.servers.iter().all(Option::is_none) {
            return;
        }
        if current == dom {
            domain.vcpus[vcpu as usize].io.invalidate = true;
        } else {
            for vcpu in &mut domain.vcpus {
                vcpu.io.invalidate = true;
            }
        }
    }

    /// Whether the vCPU has something to tell before it goes on.
    pub(super) fn wants_invalidate(&self, dom: u16, vcpu: u32) -> bool {
        self.domain(dom)
            .is_ok_and(|domain| domain.vcpus[vcpu as usize].io.invalidate)
    }
}
