// SPDX-License-Identifier: MIT OR Apache-2.0
//! A timeline of what happens: hypercalls, events, upcalls and mappings, each
//! with its domain, vCPU and time. `trace_json.rs` writes it down.
//!
//! A thread is in one hypercall or upcall at a time, or in several inside one
//! another. So what a thread does as a vCPU is a lane of its own, in which
//! spans nest; several threads can be the same vCPU.

use std::collections::HashMap;
use std::string::String;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::vec::Vec;

use super::delivery::{lock, me};

pub(super) struct Trace {
    start: Instant,
    on: AtomicBool,
    book: Mutex<Book>,
}

/// What was recorded.
#[derive(Clone, Default)]
pub(super) struct Book {
    /// Tells the handles of an earlier recording apart.
    generation: u64,
    /// How many records there is room for.
    room: usize,
    /// Records that were left out.
    pub(super) dropped: u64,
    pub(super) lanes: Vec<Lane>,
    pub(super) records: Vec<Record>,
    /// Which event led to which upcall: records.
    pub(super) arrows: Vec<(usize, usize)>,
    /// The spans that each thread is in, innermost last.
    inside: HashMap<usize, Vec<usize>>,
    /// Mappings that are there, by domain and frame.
    mapped: HashMap<(u16, u64), usize>,
    /// Events that led to no upcall yet.
    underway: Vec<usize>,
}

/// What a thread does as a vCPU.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) domain: u16,
    pub(super) vcpu: u32,
    thread: usize,
}

#[derive(Clone)]
pub(super) enum Record {
    /// A hypercall or an upcall.
    Span {
        lane: usize,
        call: Call,
        start: Duration,
        end: Option<Duration>,
    },
    /// A port was set pending by a hypercall in some lane, or by a device.
    Event {
        domain: u16,
        vcpu: u32,
        port: u32,
        at: Duration,
        by: Option<usize>,
    },
    /// A frame of the domain held a page of another one, the owner's.
    Mapping {
        domain: u16,
        gfn: u64,
        owner: Option<u16>,
        granted: bool,
        start: Duration,
        end: Option<Duration>,
    },
    /// Something that happened to a domain.
    Note {
        domain: u16,
        what: &'static str,
        at: Duration,
    },
}

#[derive(Clone)]
pub(super) enum Call {
    Upcall,
    Hypercall {
        name: String,
        /// Once it is known.
        result: Option<isize>,
    },
}

/// A span that ends when this is dropped.
pub(super) struct Span {
    trace: Arc<Trace>,
    generation: u64,
    thread: usize,
    index: usize,
}

impl Trace {
    pub(super) fn new(start: Instant) -> Arc<Self> {
        Arc::new(Self {
            start,
            on: AtomicBool::new(false),
            book: Mutex::default(),
        })
    }

    /// Starts anew, with room for so many records.
    pub(super) fn record(&self, room: usize) {
        let mut book = lock(&self.book);
        let generation = book.generation + 1;
        *book = Book {
            generation,
            room,
            ..Book::default()
        };
        self.on.store(room > 0, Ordering::Relaxed);
    }

    /// What there is at this moment, and which moment it is.
    pub(super) fn look(&self) -> (Book, Duration) {
        let book = lock(&self.book);
        (book.clone(), self.start.elapsed())
    }

    /// The book, if something is to be written into it, and the time, which
    /// is never before that of an earlier record.
    fn write<T>(&self, body: impl FnOnce(&mut Book, Duration) -> T) -> Option<T> {
        if !self.on.load(Ordering::Relaxed) {
            return None;
        }
        let mut book = lock(&self.book);
        let now = self.start.elapsed();
        Some(body(&mut book, now))
    }

    /// A thread enters Xen, or the upcall that it runs.
    pub(super) fn enter(self: &Arc<Self>, domain: u16, vcpu: u32, call: Call) -> Option<Span> {
        let thread = me();
        let (generation, index) = self.write(|book, start| {
            let lane = book.lane(domain, vcpu, thread);
            let upcall = matches!(call, Call::Upcall);
            let end = None;
            let span = Record::Span {
                lane,
                call,
                start,
                end,
            };
            let index = book.add(span)?;
            book.inside.entry(thread).or_default().push(index);
            if upcall {
                book.take_events(domain, vcpu, index);
            }
            Some((book.generation, index))
        })??;
        Some(Span {
            trace: self.clone(),
            generation,
            thread,
            index,
        })
    }

    /// A port was set pending.
    pub(super) fn event(&self, domain: u16, vcpu: u32, port: u32) {
        self.write(|book, at| {
            let inside = book.inside.get(&me()).and_then(|inside| inside.last());
            let by = inside.copied();
            let event = Record::Event {
                domain,
                vcpu,
                port,
                at,
                by,
            };
            if let Some(index) = book.add(event) {
                book.underway.push(index);
            }
        });
    }

    /// A frame holds a page of another domain from now on.
    pub(super) fn map(&self, domain: u16, gfn: u64, owner: Option<u16>, granted: bool) {
        self.write(|book, start| {
            let mapping = Record::Mapping {
                domain,
                gfn,
                owner,
                granted,
                start,
                end: None,
            };
            if let Some(index) = book.add(mapping) {
                book.mapped.insert((domain, gfn), index);
            }
        });
    }

    /// It does not any more.
    pub(super) fn unmap(&self, domain: u16, gfn: u64) {
        self.write(|book, now| {
            let index = book.mapped.remove(&(domain, gfn));
            if let Some(Record::Mapping { end, .. }) = index.map(|index| &mut book.records[index]) {
                *end = Some(now);
            }
        });
    }

    pub(super) fn note(&self, domain: u16, what: &'static str) {
        self.write(|book, at| book.add(Record::Note { domain, what, at }));
    }
}

impl Book {
    fn lane(&mut self, domain: u16, vcpu: u32, thread: usize) -> usize {
        let lane = Lane {
            domain,
            vcpu,
            thread,
        };
        let found = self.lanes.iter().position(|other| *other == lane);
        found.unwrap_or_else(|| {
            self.lanes.push(lane);
            self.lanes.len() - 1
        })
    }

    fn add(&mut self, record: Record) -> Option<usize> {
        if self.records.len() == self.room {
            self.dropped += 1;
            return None;
        }
        self.records.push(record);
        Some(self.records.len() - 1)
    }

    /// The events of a vCPU lead to the upcall that starts.
    fn take_events(&mut self, of: u16, on: u32, upcall: usize) {
        let (records, arrows) = (&self.records, &mut self.arrows);
        self.underway.retain(|index| match records[*index] {
            Record::Event { domain, vcpu, .. } if (domain, vcpu) == (of, on) => {
                arrows.push((*index, upcall));
                false
            }
            _ => true,
        });
    }
}

impl Span {
    /// How the hypercall is called, and what it answered.
    pub(super) fn answered(&self, name: String, answer: isize) {
        let mut book = lock(&self.trace.book);
        if book.generation == self.generation
            && let Record::Span { call, .. } = &mut book.records[self.index]
        {
            *call = Call::Hypercall {
                name,
                result: Some(answer),
            };
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        let mut book = lock(&self.trace.book);
        if book.generation != self.generation {
            return;
        }
        let now = self.trace.start.elapsed();
        if let Record::Span { end, .. } = &mut book.records[self.index] {
            *end = Some(now);
        }
        if let Some(inside) = book.inside.get_mut(&self.thread) {
            inside.retain(|index| *index != self.index);
        }
    }
}
