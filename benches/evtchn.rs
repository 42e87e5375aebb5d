// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long it takes to serve events and to send one, beside two well-known
//! ways to serve them (`workloads/baseline`).
//!
//! Criterion's figures come first. The table at the end is measured apart from
//! them, in turns of a fraction of a millisecond, so that what else the
//! machine does falls on all of them alike: ratios are to be taken from there.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use xen_guest_workloads::evtchn::{Library, Load, Rig, Server, notifier};
use xen_guest_workloads::turns::{Ran, in_turns, is_bench, verdict};

/// The name of the group that sends.
const NOTIFY: &str = "evtchn/notify";

fn group(load: Load) -> String {
    format!("evtchn/{}", load.name())
}

fn serve(c: &mut Criterion, ran: &Ran, load: Load) {
    let name = group(load);
    let mut group = c.benchmark_group(&name);
    group.throughput(Throughput::Elements(load.events()));
    for server in Server::ALL {
        group.bench_function(server.name(), |b| {
            ran.note(&name);
            let mut rig = Rig::new(server, load);
            b.iter(|| rig.pass(load));
        });
    }
    group.finish();
}

fn notify(c: &mut Criterion, ran: &Ran) {
    let mut group = c.benchmark_group(NOTIFY);
    let library = notifier();
    group.bench_function("xen-guest", |b| {
        ran.note(NOTIFY);
        b.iter(|| library.notify());
    });
    group.bench_function("bare-hook", |b| b.iter(|| library.bare_send()));
    group.finish();
}

/// From here on two loops are equally fast: where the linker puts them makes
/// as much of a difference.
const SAME: f64 = 0.99;

/// How many times faster than either baseline it is to be, at least.
const fn target(load: Load) -> f64 {
    match load {
        Load::DenseWord | Load::AllPorts => 3.0,
        Load::Sparse => 1.0,
    }
}

fn report_load(load: Load) {
    let mut rigs = Server::ALL.map(|server| Rig::new(server, load));
    let passes = rigs
        .each_mut()
        .map(|rig| Box::new(move || rig.pass(load)) as Box<dyn FnMut()>);
    let events = load.events() as f64;
    let [library, lowest, rotating, fifo] = in_turns(passes).map(|pass| pass / events);
    let ratio = lowest.min(rotating) / library;
    let verdict = verdict(ratio >= target(load) * SAME);
    println!(
        "{:11} {library:9.2} {lowest:13.2} {rotating:9.2} {:9.2}x {:8.2}x   >= {:.0}x {verdict:6} {fifo:9.2}",
        load.name(),
        lowest / library,
        rotating / library,
        target(load),
    );
}

fn report_notify(library: &Library) {
    let [ours, bare] = in_turns([
        Box::new(|| _ = black_box(library.notify())),
        Box::new(|| _ = black_box(library.bare_send())),
    ]);
    println!(
        "\nnotify {ours:.2} ns, the bare hook {bare:.2} ns: {:.2} ns beyond it",
        ours - bare
    );
}

fn report(ran: &Ran) {
    let loads = || Load::ALL.into_iter().filter(|&load| ran.has(&group(load)));
    if loads().next().is_some() {
        println!("\nns per event, raising it and a handler that counts it included");
        println!(
            "{:11} {:>9} {:>13} {:>9} {:>10} {:>9}   {:14} {:>9}",
            "load", "xen-guest", "lowest-first", "rotating", "ratio", "ratio", "target", "FIFO"
        );
    }
    loads().for_each(report_load);
    if ran.has(NOTIFY) {
        report_notify(&notifier());
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let ran = Ran::default();
    for load in Load::ALL {
        serve(&mut criterion, &ran, load);
    }
    notify(&mut criterion, &ran);
    criterion.final_summary();
    if is_bench() {
        report(&ran);
    }
}
