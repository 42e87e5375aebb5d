// SPDX-License-Identifier: MIT OR Apache-2.0
//! The timeline as Chrome's trace viewer and Perfetto read it: one JSON object
//! with a list of events, times in microseconds.

use std::fmt::{self, Write};
use std::string::{String, ToString};
use std::time::Duration;
use std::vec::Vec;

use super::trace::{Book, Call, Record};

/// A domain's process: viewers have their own meaning for process 0.
fn pid(domain: u16) -> u32 {
    u32::from(domain) + 1
}

/// What is written, in the order of time.
#[derive(Default)]
struct Page {
    events: Vec<(Duration, String)>,
}

/// The start of every event.
struct Head<'a> {
    phase: char,
    name: &'a str,
    category: &'static str,
    at: Duration,
    domain: u16,
    thread: usize,
}

impl Page {
    /// An event, with what else there is to say about it.
    fn add(&mut self, head: &Head<'_>, more: fmt::Arguments<'_>) {
        let mut text = String::new();
        let _ = write!(
            text,
            "{{\"ph\":\"{}\",\"name\":{},\"cat\":\"{}\",\"ts\":{},\"pid\":{},\"tid\":{}{more}}}",
            head.phase,
            quoted(head.name),
            head.category,
            micros(head.at),
            pid(head.domain),
            head.thread,
        );
        self.events.push((head.at, text));
    }
}

/// Nanoseconds are kept.
fn micros(time: Duration) -> String {
    let nanos = time.as_nanos();
    std::format!("{}.{:03}", nanos / 1000, nanos % 1000)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => _ = write!(quoted, "\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The names of domains and vCPUs.
fn names(book: &Book) -> Vec<String> {
    let mut text = Vec::new();
    let mut name = |kind: &str, domain: u16, thread: usize, value: String| {
        text.push(std::format!(
            "{{\"ph\":\"M\",\"name\":\"{kind}\",\"pid\":{},\"tid\":{thread},\
             \"args\":{{\"name\":{}}}}}",
            pid(domain),
            quoted(&value)
        ));
    };
    let mut domains: Vec<u16> = book
        .records
        .iter()
        .map(|record| match record {
            Record::Span { lane, .. } => book.lanes[*lane].domain,
            Record::Event { domain, .. }
            | Record::Mapping { domain, .. }
            | Record::Note { domain, .. } => *domain,
        })
        .collect();
    domains.sort_unstable();
    domains.dedup();
    for domain in domains {
        name("process_name", domain, 0, std::format!("d{domain}"));
    }
    let mut called: Vec<(u16, String)> = Vec::new();
    for (index, lane) in book.lanes.iter().enumerate() {
        let mut value = std::format!("vCPU {}", lane.vcpu);
        if is_interrupts(book, index) {
            value += ", interrupts";
        }
        called.push((lane.domain, value.clone()));
        let same = called.iter().filter(|other| *other == &called[index]);
        let count = same.count();
        if count > 1 {
            let _ = write!(value, " (thread {count})");
        }
        name("thread_name", lane.domain, index + 1, value);
    }
    text
}

/// Whether a lane has hypercalls inside upcalls only: the thread is one of the
/// simulator's.
fn is_interrupts(book: &Book, of: usize) -> bool {
    let mut until = Duration::ZERO;
    book.records.iter().all(|record| match record {
        Record::Span {
            lane,
            call,
            start,
            end,
        } if *lane == of => match call {
            Call::Upcall => {
                until = end.unwrap_or(Duration::MAX);
                true
            }
            Call::Hypercall { .. } => *start < until,
        },
        _ => true,
    })
}

/// The lane where things of a vCPU go that belong to no thread.
fn lane_of(book: &Book, domain: u16, vcpu: u32) -> usize {
    let found = book
        .lanes
        .iter()
        .position(|lane| (lane.domain, lane.vcpu) == (domain, vcpu));
    found.map_or(0, |lane| lane + 1)
}

/// All of it; what has not ended yet ends `now`, and says so.
pub(super) fn write(book: &Book, now: Duration) -> String {
    let mut page = Page::default();
    for (index, record) in book.records.iter().enumerate() {
        add(&mut page, book, index, record, now);
    }
    for (number, (event, upcall)) in book.arrows.iter().enumerate() {
        add_arrow(&mut page, book, number, *event, *upcall);
    }
    // What starts at the same time stays in this order.
    page.events.sort_by_key(|(at, _)| *at);
    let mut lines = names(book);
    lines.extend(page.events.into_iter().map(|(_, text)| text));
    std::format!(
        "{{\"displayTimeUnit\":\"ns\",\"otherData\":{{\"dropped\":{}}},\"traceEvents\":[\n{}\n]}}\n",
        book.dropped,
        lines.join(",\n")
    )
}

fn add(page: &mut Page, book: &Book, index: usize, record: &Record, now: Duration) {
    let open = |end: &Option<Duration>| if end.is_none() { ",\"open\":true" } else { "" };
    match record {
        Record::Span {
            lane,
            call,
            start,
            end,
        } => {
            let (name, category, result) = match call {
                Call::Upcall => ("upcall", "upcall", None),
                Call::Hypercall { name, .. } if name.is_empty() => ("hypercall", "hypercall", None),
                Call::Hypercall { name, result } => (name.as_str(), "hypercall", *result),
            };
            let result = result.map_or("null".to_string(), |result| result.to_string());
            let head = Head {
                phase: 'X',
                name,
                category,
                at: *start,
                domain: book.lanes[*lane].domain,
                thread: lane + 1,
            };
            let length = micros(end.unwrap_or(now).saturating_sub(*start));
            let open = open(end);
            page.add(
                &head,
                format_args!(",\"dur\":{length},\"args\":{{\"result\":{result}{open}}}"),
            );
        }
        Record::Event {
            domain,
            vcpu,
            port,
            at,
            ..
        } => {
            let head = Head {
                phase: 'i',
                name: &std::format!("event {port}"),
                category: "event",
                at: *at,
                domain: *domain,
                thread: lane_of(book, *domain, *vcpu),
            };
            page.add(
                &head,
                format_args!(",\"s\":\"t\",\"args\":{{\"port\":{port},\"vcpu\":{vcpu}}}"),
            );
        }
        Record::Mapping {
            domain,
            gfn,
            owner,
            granted,
            start,
            end,
        } => {
            let kind = if *granted { "grant" } else { "foreign page" };
            let name = match owner {
                Some(owner) => std::format!("{kind} of d{owner}"),
                None => kind.to_string(),
            };
            let mut head = Head {
                phase: 'b',
                name: &name,
                category: "map",
                at: *start,
                domain: *domain,
                thread: lane_of(book, *domain, 0),
            };
            let open = open(end);
            page.add(
                &head,
                format_args!(",\"id\":{index},\"args\":{{\"gfn\":\"{gfn:#x}\"{open}}}"),
            );
            (head.phase, head.at) = ('e', end.unwrap_or(now));
            page.add(&head, format_args!(",\"id\":{index}"));
        }
        Record::Note { domain, what, at } => {
            let head = Head {
                phase: 'i',
                name: what,
                category: "domain",
                at: *at,
                domain: *domain,
                thread: lane_of(book, *domain, 0),
            };
            page.add(&head, format_args!(",\"s\":\"p\""));
        }
    }
}

/// From the hypercall that sent an event to the upcall that it led to. What a
/// device sent comes from nowhere.
fn add_arrow(page: &mut Page, book: &Book, number: usize, event: usize, upcall: usize) {
    let (
        Record::Event {
            at, by: Some(by), ..
        },
        Record::Span { lane, start, .. },
    ) = (&book.records[event], &book.records[upcall])
    else {
        return;
    };
    let Record::Span { lane: from, .. } = &book.records[*by] else {
        return;
    };
    let mut head = Head {
        phase: 's',
        name: "event",
        category: "event",
        at: *at,
        domain: book.lanes[*from].domain,
        thread: from + 1,
    };
    page.add(&head, format_args!(",\"id\":{number}"));
    head = Head {
        phase: 'f',
        at: *start,
        domain: book.lanes[*lane].domain,
        thread: lane + 1,
        ..head
    };
    page.add(&head, format_args!(",\"id\":{number},\"bp\":\"e\""));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_keep_their_nanoseconds() {
        assert_eq!(micros(Duration::from_nanos(1_234_005)), "1234.005");
        assert_eq!(micros(Duration::ZERO), "0.000");
    }

    #[test]
    fn strings_are_strings_in_json() {
        assert_eq!(quoted("a \"b\" \\ \n"), r#""a \"b\" \\ \u000a""#);
    }
}
