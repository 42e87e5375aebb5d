// SPDX-License-Identifier: MIT OR Apache-2.0
//! The FIFO ABI: a word per port, and per vCPU a queue of each priority, that
//! the words form by linking to one another.
//!
//! The guest changes the words at the same time. Of one that is linked it may
//! set and clear MASKED, clear PENDING, and clear LINKED together with the
//! link; of the queues it only follows the heads, and clears bits of `ready`.

use std::mem::{offset_of, size_of};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;
use std::vec::Vec;

use super::machine::{Frames, Machine};
use super::ports::Queue;
use super::state::{DomainState, State};
use crate::ffi::abi;
use crate::{Error, PAGE_SIZE, Result};

const PENDING: u32 = 1 << abi::EVTCHN_FIFO_PENDING;
const MASKED: u32 = 1 << abi::EVTCHN_FIFO_MASKED;
const LINKED: u32 = 1 << abi::EVTCHN_FIFO_LINKED;
const BUSY: u32 = 1 << abi::EVTCHN_FIFO_BUSY;
const LINK: u32 = abi::EVTCHN_FIFO_LINK_MASK;

/// Ports with this ABI.
pub(super) const PORTS: u32 = abi::EVTCHN_FIFO_NR_CHANNELS;
const PORTS_PER_PAGE: u32 = (PAGE_SIZE / size_of::<u32>()) as u32;
const MAX_PAGES: usize = (PORTS / PORTS_PER_PAGE) as usize;
/// The guest can make a change of a linked word fail so often: each of the
/// things it may do to it, once.
const LINK_TRIES: u32 = 4;

/// The array and the queues of one domain.
pub(super) struct Fifo {
    machine: Arc<Machine>,
    /// The pages of the event array.
    pages: Vec<u64>,
    vcpus: Vec<FifoVcpu>,
}

#[derive(Clone, Copy, Default)]
struct FifoVcpu {
    /// Frame and offset of the control block.
    control: Option<(u64, usize)>,
    /// The last port of each queue; 0 where the queue is certainly empty.
    tails: [u32; abi::EVTCHN_FIFO_MAX_QUEUES as usize],
}

impl Fifo {
    fn ports(&self) -> u32 {
        self.pages.len() as u32 * PORTS_PER_PAGE
    }

    fn word(&self, port: u32) -> Option<&AtomicU32> {
        let page = *self.pages.get((port / PORTS_PER_PAGE) as usize)?;
        let offset = (port % PORTS_PER_PAGE) as usize * size_of::<u32>();
        Some(self.machine.u32(page, offset))
    }

    /// A word of a vCPU's control block.
    fn control(&self, vcpu: u32, offset: usize) -> Option<&AtomicU32> {
        let (mfn, base) = self.vcpus[vcpu as usize].control?;
        Some(self.machine.u32(mfn, base + offset))
    }

    fn ready(&self, vcpu: u32) -> Option<&AtomicU32> {
        self.control(vcpu, offset_of!(abi::evtchn_fifo_control_block, ready))
    }

    fn head(&self, queue: Queue) -> Option<&AtomicU32> {
        let offset = offset_of!(abi::evtchn_fifo_control_block, head);
        self.control(queue.vcpu, offset + usize::from(queue.priority) * 4)
    }

    fn tail(&mut self, queue: Queue) -> &mut u32 {
        &mut self.vcpus[queue.vcpu as usize].tails[usize::from(queue.priority)]
    }

    /// Whether a closed port's number can't be used again yet.
    pub(super) fn busy(&self, port: u32) -> bool {
        self.word(port)
            .is_some_and(|word| word.load(SeqCst) & LINKED != 0)
    }

    pub(super) fn is_pending(&self, port: u32) -> bool {
        self.word(port)
            .is_some_and(|word| word.load(SeqCst) & PENDING != 0)
    }

    /// The guest unlinks it, and ignores it where it is not pending.
    pub(super) fn clear_pending(&self, port: u32) {
        if let Some(word) = self.word(port) {
            word.fetch_and(!PENDING, SeqCst);
        }
    }

    /// Frames that Xen uses for this.
    pub(super) fn frames(&self) -> impl Iterator<Item = u64> {
        let controls = self.vcpus.iter().filter_map(|vcpu| vcpu.control);
        let controls = controls.map(|(mfn, _)| mfn);
        self.pages.iter().copied().chain(controls)
    }

    pub(super) fn unpin(&self, frames: &mut Frames) {
        self.frames().for_each(|mfn| frames.unpin(mfn));
    }
}

/// One attempt to make `word` link to `link`, with what it was seen to be:
/// done, not linked, or changed meanwhile.
fn try_link(word: &AtomicU32, seen: &mut u32, link: u32) -> Option<bool> {
    if *seen & LINKED == 0 {
        return Some(false);
    }
    let new = *seen & !(BUSY | LINK) | link;
    match word.compare_exchange(*seen, new, SeqCst, SeqCst) {
        Ok(_) => Some(true),
        Err(now) => {
            *seen = now;
            None
        }
    }
}

/// Makes a queue's last word link to `link`, if that word is still linked
/// itself; false where the queue turned out to be empty.
fn set_link(word: &AtomicU32, link: u32) -> bool {
    let mut seen = word.load(SeqCst);
    if let Some(done) = try_link(word, &mut seen, link) {
        return done;
    }
    // Keeps the guest from unmasking meanwhile.
    seen = word.fetch_or(BUSY, SeqCst) | BUSY;
    for _ in 0..LINK_TRIES {
        if let Some(done) = try_link(word, &mut seen, link) {
            if !done {
                word.fetch_and(!BUSY, SeqCst);
            }
            return done;
        }
    }
    // The guest broke the rules: its event is not linked.
    word.fetch_and(!BUSY, SeqCst);
    true
}

impl DomainState {
    pub(super) fn set_pending_fifo(&mut self, port: u32, vcpu: u32) {
        let (Some(fifo), Ok(channel)) = (&mut self.fifo, self.ports.get_mut(port)) else {
            return;
        };
        let queue = Queue {
            vcpu,
            priority: channel.priority,
        };
        let Some(word) = fifo.word(port) else {
            channel.saved = true;
            return;
        };
        let (Some(ready), Some(head)) = (fifo.ready(vcpu), fifo.head(queue)) else {
            self.effects.lost = true;
            return;
        };
        let fresh = word.fetch_or(PENDING, SeqCst) & PENDING == 0;
        let mut first = false;
        if word.load(SeqCst) & MASKED == 0 && word.fetch_or(LINKED, SeqCst) & LINKED == 0 {
            // It may still be the tail of a queue that ran empty.
            let last = std::mem::replace(&mut channel.last, queue);
            let tail = |at: Queue| fifo.vcpus[at.vcpu as usize].tails[usize::from(at.priority)];
            let ended = tail(last) == port;
            let end = match tail(queue) {
                tail if tail == port && last == queue => 0,
                tail => tail,
            };
            let linked = match fifo.word(end) {
                Some(word) if end != 0 => set_link(word, port),
                _ => false,
            };
            if !linked {
                head.store(port, SeqCst);
            }
            first =
                !linked && ready.fetch_or(1 << queue.priority, SeqCst) & 1 << queue.priority == 0;
            if ended {
                *fifo.tail(last) = 0;
            }
            *fifo.tail(queue) = port;
        }
        if first {
            self.mark_events_pending(vcpu);
        }
        if fresh {
            self.wake_pollers(port);
        }
    }

    pub(super) fn unmask_fifo(&mut self, port: u32, vcpu: u32) {
        let Some(word) = self.fifo.as_ref().and_then(|fifo| fifo.word(port)) else {
            return;
        };
        word.fetch_and(!MASKED, SeqCst);
        if word.load(SeqCst) & PENDING != 0 {
            self.set_pending_fifo(port, vcpu);
        }
    }
}

impl State {
    /// The first one switches the domain to this ABI.
    pub(super) fn init_control(&mut self, dom: u16, op: &abi::evtchn_init_control) -> Result<()> {
        let offset = op.offset as usize;
        self.domain(dom)?.check_vcpu(op.vcpu)?;
        if offset > PAGE_SIZE - size_of::<abi::evtchn_fifo_control_block>()
            || !offset.is_multiple_of(8)
        {
            return Err(Error::Invalid);
        }
        let domain = self.domain(dom)?;
        let taken = |fifo: &Fifo| fifo.vcpus[op.vcpu as usize].control.is_some();
        if domain.fifo.as_ref().is_some_and(taken) {
            return Err(Error::Invalid);
        }
        let mfn = self.writable_frame(dom, op.control_gfn)?;
        self.frames.pin(mfn);
        let machine = self.machine.clone();
        let domain = self.domain_mut(dom)?;
        if domain.fifo.is_none() {
            domain.save_pending();
        }
        let count = domain.vcpus.len();
        let fifo = domain.fifo.get_or_insert_with(|| Fifo {
            machine,
            pages: Vec::new(),
            vcpus: std::vec![FifoVcpu::default(); count],
        });
        fifo.vcpus[op.vcpu as usize].control = Some((mfn, offset));
        Ok(())
    }

    pub(super) fn expand_array(&mut self, dom: u16, gfn: u64) -> Result<()> {
        let domain = self.domain(dom)?;
        let fifo = domain.fifo.as_ref().ok_or(Error::NotSupported)?;
        if fifo.pages.len() == MAX_PAGES {
            return Err(Error::NoSpace);
        }
        let mfn = self.writable_frame(dom, gfn)?;
        self.frames.pin(mfn);
        let domain = self.domain_mut(dom)?;
        let Some(fifo) = &mut domain.fifo else {
            return Err(Error::NotSupported);
        };
        let first = fifo.ports();
        fifo.pages.push(mfn);
        let end = fifo.ports().min(domain.ports.len());
        for port in first..end {
            if let Ok(channel) = domain.ports.get(port)
                && channel.saved
            {
                domain.set_pending_fifo(port, channel.vcpu);
            }
        }
        self.settle(dom);
        Ok(())
    }

    /// Back to the 2-level ABI.
    pub(super) fn leave_fifo(&mut self, dom: u16) {
        if let Some(domain) = self.domains.get_mut(&dom)
            && let Some(fifo) = domain.fifo.take()
        {
            fifo.unpin(&mut self.frames);
            self.reap();
        }
    }
}

impl DomainState {
    /// What is pending when the ABI changes is raised again as soon as the
    /// ports have words.
    fn save_pending(&mut self) {
        let ports = abi::EVTCHN_2L_NR_CHANNELS.min(self.ports.len());
        for port in 1..ports {
            let pending = self.is_pending_2l(port);
            if let Ok(channel) = self.ports.get_mut(port) {
                channel.saved |= pending;
                channel.priority = abi::EVTCHN_FIFO_PRIORITY_DEFAULT as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_links_while_it_is_linked_itself() {
        let word = AtomicU32::new(PENDING | LINKED);
        assert!(set_link(&word, 5));
        assert_eq!(word.load(SeqCst), PENDING | LINKED | 5);
        let word = AtomicU32::new(PENDING | MASKED);
        assert!(!set_link(&word, 5));
        assert_eq!(word.load(SeqCst), PENDING | MASKED);
    }

    #[test]
    fn a_change_by_the_guest_is_noticed() {
        let word = AtomicU32::new(MASKED | LINKED | BUSY | 7);
        let mut seen = LINKED;
        assert_eq!(try_link(&word, &mut seen, 5), None);
        assert_eq!(seen, MASKED | LINKED | BUSY | 7);
        assert_eq!(try_link(&word, &mut seen, 5), Some(true));
        assert_eq!(word.load(SeqCst), MASKED | LINKED | 5);
        seen = 0;
        assert_eq!(try_link(&word, &mut seen, 6), Some(false));
    }
}
