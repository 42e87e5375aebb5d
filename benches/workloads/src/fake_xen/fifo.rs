// SPDX-License-Identifier: MIT OR Apache-2.0
//! Xen's side of the FIFO ABI: a word per port in the guest's pages, which
//! form a queue for each priority by linking to one another.

use std::mem::offset_of;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering::*};
use std::sync::{Mutex, MutexGuard};

use xen_guest::PAGE_SIZE;
use xen_guest::ffi::abi;

const PENDING: u32 = 1 << abi::EVTCHN_FIFO_PENDING;
const MASKED: u32 = 1 << abi::EVTCHN_FIFO_MASKED;
const LINKED: u32 = 1 << abi::EVTCHN_FIFO_LINKED;
const BUSY: u32 = 1 << abi::EVTCHN_FIFO_BUSY;
const LINK: u32 = abi::EVTCHN_FIFO_LINK_MASK;

const PORTS_PER_PAGE: usize = PAGE_SIZE / 4;
/// As many ports as with two levels: this is not about many.
const MAX_PAGES: usize = 4;
const QUEUES: usize = abi::EVTCHN_FIFO_MAX_QUEUES as usize;
/// The guest may make a change of a linked word fail so often.
const LINK_TRIES: u32 = 4;

const ENOENT: isize = -2;
const EINVAL: isize = -22;
const ENOSPC: isize = -28;

#[derive(Debug, Default)]
struct Queue {
    lock: Mutex<()>,
    /// The last port, or 0. Changed under the lock.
    tail: AtomicU32,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().expect("Xen does not panic")
    }
}

#[derive(Debug)]
struct Channel {
    priority: AtomicU8,
    /// The queue that the port was in last.
    last: AtomicU8,
}

#[derive(Debug)]
pub(super) struct Fifo {
    /// Null: the domain uses two levels.
    control: AtomicPtr<u8>,
    pages: [AtomicPtr<AtomicU32>; MAX_PAGES],
    nr_pages: AtomicUsize,
    queues: [Queue; QUEUES],
    channels: Box<[Channel]>,
    given_up: AtomicU64,
}

impl Default for Fifo {
    fn default() -> Self {
        let priority = abi::EVTCHN_FIFO_PRIORITY_DEFAULT as u8;
        Self {
            control: AtomicPtr::default(),
            pages: Default::default(),
            nr_pages: AtomicUsize::new(0),
            queues: Default::default(),
            channels: (0..MAX_PAGES * PORTS_PER_PAGE)
                .map(|_| Channel {
                    priority: AtomicU8::new(priority),
                    last: AtomicU8::new(priority),
                })
                .collect(),
            given_up: AtomicU64::new(0),
        }
    }
}

/// Memory of the guest's that it told its frame of.
fn guest_memory<T>(gfn: u64, offset: u32) -> *mut T {
    ptr::with_exposed_provenance_mut(gfn as usize * PAGE_SIZE + offset as usize)
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

impl Fifo {
    pub(super) fn in_use(&self) -> bool {
        !self.control.load(Acquire).is_null()
    }

    pub(super) fn given_up(&self) -> u64 {
        self.given_up.load(SeqCst)
    }

    fn control(&self, offset: usize) -> &AtomicU32 {
        let control = self.control.load(Relaxed).wrapping_add(offset);
        // SAFETY: in the guest's control block, which stays until the domain
        // leaves this ABI; touched by atomics only.
        unsafe { AtomicU32::from_ptr(control.cast()) }
    }

    fn ready(&self) -> &AtomicU32 {
        self.control(offset_of!(abi::evtchn_fifo_control_block, ready))
    }

    fn head(&self, queue: usize) -> &AtomicU32 {
        self.control(offset_of!(abi::evtchn_fifo_control_block, head) + queue * 4)
    }

    fn word(&self, port: u32) -> Option<&AtomicU32> {
        let page = port as usize / PORTS_PER_PAGE;
        if page >= self.nr_pages.load(Acquire) {
            return None;
        }
        let page = self.pages[page].load(Relaxed);
        // SAFETY: in the guest's event array, as the control block.
        Some(unsafe { &*page.add(port as usize % PORTS_PER_PAGE) })
    }

    pub(super) fn is_pending(&self, port: u32) -> bool {
        self.word(port)
            .is_some_and(|word| word.load(SeqCst) & PENDING != 0)
    }

    pub(super) fn clear_pending(&self, port: u32) {
        if let Some(word) = self.word(port) {
            word.fetch_and(!PENDING, SeqCst);
        }
    }

    /// The queue that the port goes to and the one it was in last, both
    /// locked. Xen gives up after three changes meanwhile.
    fn lock(&self, port: u32) -> (usize, usize, [Option<MutexGuard<'_, ()>>; 2]) {
        let channel = &self.channels[port as usize];
        let queues = || {
            let queue = channel.priority.load(SeqCst);
            (usize::from(queue), usize::from(channel.last.load(SeqCst)))
        };
        loop {
            let (queue, last) = queues();
            let first = self.queues[queue.min(last)].lock();
            let second = (queue != last).then(|| self.queues[queue.max(last)].lock());
            if queues() == (queue, last) {
                return (queue, last, [Some(first), second]);
            }
        }
    }

    /// An event; `interrupt` is the step after the queue's. Whether it was an
    /// edge.
    pub(super) fn raise(&self, port: u32, interrupt: impl FnOnce()) -> bool {
        let Some(word) = self.word(port) else {
            return false;
        };
        let (queue, last, guards) = self.lock(port);
        let edge = word.fetch_or(PENDING, SeqCst) & PENDING == 0;
        let mut linked = true;
        if word.load(SeqCst) & MASKED == 0 && word.fetch_or(LINKED, SeqCst) & LINKED == 0 {
            linked = self.append(port, queue, last);
        }
        drop(guards);
        if !linked && self.ready().fetch_or(1 << queue, SeqCst) & 1 << queue == 0 {
            interrupt();
        }
        edge
    }

    /// Put a port that has just become LINKED last in its queue. False if it
    /// is the first there.
    fn append(&self, port: u32, queue: usize, last: usize) -> bool {
        let last_tail = &self.queues[last].tail;
        // A tail that the guest has unlinked: that queue is empty.
        if last_tail.load(Relaxed) == port {
            last_tail.store(0, Relaxed);
        }
        self.channels[port as usize]
            .last
            .store(queue as u8, Relaxed);
        let tail = self.queues[queue].tail.swap(port, Relaxed);
        let linked = match self.word(tail) {
            Some(word) if tail != 0 => self.set_link(word, port),
            _ => false,
        };
        if !linked {
            self.head(queue).store(port, Relaxed);
        }
        linked
    }

    /// Make a queue's last word link to `link`, if that word is still linked
    /// itself; false where the queue turned out to be empty.
    fn set_link(&self, word: &AtomicU32, link: u32) -> bool {
        let mut seen = word.load(Relaxed);
        if let Some(done) = try_link(word, &mut seen, link) {
            return done;
        }
        // Keeps the guest from unmasking meanwhile.
        word.fetch_or(BUSY, SeqCst);
        seen = word.load(Relaxed);
        for _ in 0..LINK_TRIES {
            if let Some(done) = try_link(word, &mut seen, link) {
                if !done {
                    word.fetch_and(!BUSY, SeqCst);
                }
                return done;
            }
        }
        self.given_up.fetch_add(1, SeqCst);
        word.fetch_and(!BUSY, SeqCst);
        true
    }

    pub(super) fn unmask(&self, port: u32, interrupt: impl FnOnce()) {
        let Some(word) = self.word(port) else {
            return;
        };
        word.fetch_and(!MASKED, SeqCst);
        if word.load(SeqCst) & PENDING != 0 {
            self.raise(port, interrupt);
        }
    }

    pub(super) fn set_priority(&self, port: u32, priority: u32) -> isize {
        match self.channels.get(port as usize) {
            Some(channel) if (priority as usize) < QUEUES => {
                channel.priority.store(priority as u8, SeqCst);
                0
            }
            _ => EINVAL,
        }
    }

    pub(super) fn init_control(&self, gfn: u64, offset: u32, vcpu: u32) -> isize {
        if vcpu != 0 {
            return ENOENT;
        }
        self.control.store(guest_memory(gfn, offset), Release);
        0
    }

    pub(super) fn expand_array(&self, gfn: u64) -> isize {
        let page = self.nr_pages.load(Relaxed);
        let Some(slot) = self.pages.get(page) else {
            return ENOSPC;
        };
        slot.store(guest_memory(gfn, 0), Relaxed);
        self.nr_pages.store(page + 1, Release);
        0
    }

    /// Back to two levels. Nothing is raised meanwhile.
    pub(super) fn leave(&self) {
        self.nr_pages.store(0, SeqCst);
        self.control.store(ptr::null_mut(), SeqCst);
        for queue in &self.queues {
            queue.tail.store(0, SeqCst);
        }
    }
}
