// SPDX-License-Identifier: MIT OR Apache-2.0
//! `workload evtchn SERVER LOAD PASSES`, `workload evtchn notify PASSES`,
//! `workload gnttab GRANTER pair|batch PASSES`,
//! `workload guest_memory fault|serve KIND RESERVATIONS PASSES` or
//! `workload regions ALLOCATOR LOAD [uncached] PASSES`: does it that many
//! times, for a tool that counts instructions.
//!
//! `workload guest_memory compare KIND RESERVATIONS` and
//! `workload guest_memory map|free PAGES OFFSET` print comparisons and
//! hypercalls.

use std::hint::black_box;

use xen_guest_workloads::evtchn::{Load, Rig, Server, notifier};
use xen_guest_workloads::{gnttab, guest_memory, regions};

fn passes(text: &str) -> u64 {
    text.parse().expect("a number of passes")
}

fn number(text: &str) -> usize {
    text.parse().expect("a number")
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["evtchn", "notify", count] => {
            let library = notifier();
            for _ in 0..passes(count) {
                black_box(library.notify());
            }
        }
        ["evtchn", server, load, count] => {
            let server = Server::named(server).expect("a server's name");
            let load = Load::named(load).expect("a load's name");
            let mut rig = Rig::new(server, load);
            for _ in 0..passes(count) {
                rig.pass(load);
            }
            black_box(rig.served());
        }
        ["gnttab", granter, what, count] => {
            let granter = gnttab::Granter::named(granter).expect("a granter's name");
            let rig = gnttab::Rig::new(granter);
            for _ in 0..passes(count) {
                match what {
                    "pair" => rig.pair(),
                    _ => rig.batch(),
                }
            }
        }
        ["regions", allocator, load, ref rest @ .., count] => {
            let allocator = regions::Allocator::named(allocator).expect("an allocator's name");
            let load = regions::Load::named(load).expect("a load's name");
            let mut rig = regions::Rig::new(allocator, load, regions::PAGES);
            for _ in 0..passes(count) {
                match rest {
                    ["uncached"] => rig.uncached_pass(),
                    _ => rig.pass(),
                }
            }
        }
        ["guest_memory", "compare", kind, count] => {
            let rig = guest_memory::Rig::new(number(count), kind == "anonymous");
            println!("{}", rig.most_comparisons());
        }
        ["guest_memory", what @ ("map" | "free"), pages, offset] => {
            let (map, free) =
                guest_memory::Rig::new(1, false).hypercalls(number(pages), number(offset));
            println!("{}", if what == "map" { map } else { free });
        }
        ["guest_memory", what, kind, reservations, count] => {
            let rig = guest_memory::Rig::new(number(reservations), kind == "anonymous");
            for _ in 0..passes(count) {
                match what {
                    "fault" => rig.faults(),
                    _ => rig.serve(),
                }
            }
        }
        _ => panic!("a topic, what does it and how, and PASSES, not {args:?}"),
    }
}
