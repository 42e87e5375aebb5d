// SPDX-License-Identifier: MIT OR Apache-2.0
//! A domain's table of ports.

use std::vec::Vec;

use crate::ffi::abi;
use crate::{Error, Result};

/// Ports come into being by this many (a page of Xen's bookkeeping).
const PORTS_PER_BUCKET: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Port {
    Free,
    Reserved,
    Unbound { remote: u16 },
    Interdomain { remote: u16, port: u32 },
    Virq(u32),
    Ipi,
}

/// One queue of events: of a vCPU, with a priority.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Queue {
    pub(super) vcpu: u32,
    pub(super) priority: u8,
}

#[derive(Clone, Copy)]
pub(super) struct Channel {
    pub(super) state: Port,
    /// The vCPU that is notified.
    pub(super) vcpu: u32,
    pub(super) priority: u8,
    /// This end is Xen's own: no event is set pending, a vCPU that waits for
    /// an emulator goes on.
    pub(super) xen: bool,
    /// Was set pending while its event word did not exist. As in Xen, nothing
    /// ever takes this back.
    pub(super) saved: bool,
    /// The queue it was put on last.
    pub(super) last: Queue,
}

const FREE: Channel = Channel {
    state: Port::Free,
    vcpu: 0,
    priority: 0,
    xen: false,
    saved: false,
    last: Queue {
        vcpu: 0,
        priority: 0,
    },
};

impl Channel {
    /// Whether events of it go anywhere.
    pub(super) fn usable(&self) -> bool {
        !matches!(self.state, Port::Free | Port::Reserved)
    }
}

pub(super) struct Ports {
    list: Vec<Channel>,
    highest: u32,
    /// No port below is free.
    hint: usize,
}

impl Ports {
    pub(super) fn new(highest: u32) -> Self {
        let mut list = std::vec![FREE; PORTS_PER_BUCKET];
        list[0].state = Port::Reserved;
        Self {
            list,
            highest,
            hint: 1,
        }
    }

    pub(super) fn get(&self, port: u32) -> Result<&Channel> {
        self.list.get(port as usize).ok_or(Error::Invalid)
    }

    pub(super) fn get_mut(&mut self, port: u32) -> Result<&mut Channel> {
        self.list.get_mut(port as usize).ok_or(Error::Invalid)
    }

    /// How many there are, free ones included.
    pub(super) fn len(&self) -> u32 {
        self.list.len() as u32
    }

    /// The lowest free number below `limit` that is not `busy`. It stays free
    /// until something is put there.
    pub(super) fn find_free(&mut self, limit: u32, busy: impl Fn(u32) -> bool) -> Result<u32> {
        let free = |channel: &Channel| channel.state == Port::Free;
        while self.list.get(self.hint).is_some_and(|c| !free(c)) {
            self.hint += 1;
        }
        let port = (self.hint..self.list.len())
            .find(|port| free(&self.list[*port]) && !busy(*port as u32))
            .unwrap_or(self.list.len());
        if port as u32 > self.highest || port as u32 >= limit {
            return Err(Error::NoSpace);
        }
        if port == self.list.len() {
            self.list.resize(port + PORTS_PER_BUCKET, FREE);
        }
        Ok(port as u32)
    }

    /// Puts a new channel at a free port.
    pub(super) fn bind(&mut self, port: u32, state: Port, vcpu: u32) {
        let channel = &mut self.list[port as usize];
        channel.state = state;
        channel.vcpu = vcpu;
        channel.priority = abi::EVTCHN_FIFO_PRIORITY_DEFAULT as u8;
    }

    pub(super) fn free(&mut self, port: u32) {
        let channel = &mut self.list[port as usize];
        channel.state = Port::Free;
        channel.vcpu = 0;
        channel.xen = false;
        self.hint = self.hint.min(port as usize);
    }

    /// No port is valid any more.
    pub(super) fn clear(&mut self) {
        self.list.clear();
    }

    #[cfg(test)]
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Port)> {
        (0..).zip(self.list.iter().map(|channel| channel.state))
    }

    pub(super) fn open(&self) -> usize {
        self.list.iter().filter(|channel| channel.usable()).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_that_is_neither_bound_nor_busy() {
        let mut ports = Ports::new(70);
        for port in 1..=64 {
            assert_eq!(ports.find_free(4096, |_| false), Ok(port));
            ports.bind(port, Port::Ipi, 0);
        }
        assert_eq!(ports.len(), 128);
        ports.free(3);
        ports.free(9);
        assert_eq!(ports.find_free(4096, |port| port == 3), Ok(9));
        assert_eq!(ports.find_free(4096, |_| false), Ok(3));
        assert_eq!(
            ports.find_free(4096, |port| port <= 70),
            Err(Error::NoSpace)
        );
        assert_eq!(ports.find_free(3, |_| false), Err(Error::NoSpace));
        assert_eq!(ports.open(), 62);
    }
}
