// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long it takes to serve events and to send one, beside two well-known
//! ways to serve them (`workloads/baseline`).
//!
//! Criterion's figures come first. The table at the end is measured apart from
//! them, in turns of a fraction of a millisecond, so that what else the
//! machine does falls on all of them alike: ratios are to be taken from there.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use xen_guest_workloads::evtchn::{Library, Load, Rig, Server, notifier};

/// The name of the group that sends.
const NOTIFY: &str = "evtchn/notify";
/// How long one turn takes, and how many each gets.
const TURN: Duration = Duration::from_micros(200);
const TURNS: usize = 2_000;

fn group(load: Load) -> String {
    format!("evtchn/{}", load.name())
}

/// The groups that the command line's filter lets run.
#[derive(Default)]
struct Ran(RefCell<BTreeSet<String>>);

impl Ran {
    fn note(&self, group: &str) {
        self.0.borrow_mut().insert(group.to_owned());
    }

    fn has(&self, group: &str) -> bool {
        self.0.borrow().contains(group)
    }
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

/// How many passes take about a turn.
fn passes_in_a_turn(mut pass: impl FnMut()) -> u32 {
    let started = Instant::now();
    let mut passes = 0;
    while started.elapsed() < 4 * TURN {
        pass();
        passes += 1;
    }
    (passes / 4).max(1)
}

/// Nanoseconds for a pass of each, taken in turns: the median of all turns.
fn in_turns<const N: usize>(mut them: [Box<dyn FnMut() + '_>; N]) -> [f64; N] {
    let passes = them.each_mut().map(passes_in_a_turn);
    let mut times: [Vec<f64>; N] = [const { Vec::new() }; N];
    for _ in 0..TURNS {
        for (index, pass) in them.iter_mut().enumerate() {
            let started = Instant::now();
            for _ in 0..passes[index] {
                pass();
            }
            let time = started.elapsed().as_nanos() as f64;
            times[index].push(time / f64::from(passes[index]));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

/// The targets: how many times faster than either baseline.
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
    let verdict = if ratio >= target(load) {
        "ok"
    } else {
        "MISSED"
    };
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
    // Not for `cargo test`, nor for a list or a profile.
    let has = |flag: &str| std::env::args().any(|arg| arg == flag);
    if has("--bench") && !has("--test") && !has("--list") && !has("--profile-time") {
        report(&ran);
    }
}
