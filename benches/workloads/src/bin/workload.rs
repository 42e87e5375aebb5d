// SPDX-License-Identifier: MIT OR Apache-2.0
//! `workload evtchn SERVER LOAD PASSES` or `workload evtchn notify PASSES`:
//! does it that many times, for a tool that counts instructions.

use std::hint::black_box;

use xen_guest_workloads::evtchn::{Load, Rig, Server, notifier};

fn passes(text: &str) -> u64 {
    text.parse().expect("a number of passes")
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
        _ => panic!("evtchn SERVER LOAD PASSES, or evtchn notify PASSES, not {args:?}"),
    }
}
