// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long it takes to grant a page and to end that, beside the well-known
//! way to keep grant references (`workloads/baseline/gnttab.c`).
//!
//! Criterion's figures come first. The table at the end is measured apart from
//! them, in turns: ratios are to be taken from there.

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use xen_guest_workloads::gnttab::{BATCH, Granter, Rig};
use xen_guest_workloads::turns::{Ran, in_turns, is_bench, median, verdict};

const PAIR: &str = "gnttab/pair";
const BATCHES: &str = "gnttab/batch-32";
const THREADS: &str = "gnttab/pair-two-threads";

/// Pairs of each of two threads in one turn, and turns.
const CONTENDED: u64 = 20_000;
const TURNS: usize = 500;
/// The longest that all turns may take.
const BUDGET: Duration = Duration::from_secs(10);

fn one_thread(c: &mut Criterion, ran: &Ran, name: &str, events: usize, pass: fn(&Rig)) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(events as u64));
    for granter in Granter::ALL {
        group.bench_function(granter.name(), |b| {
            ran.note(name);
            let rig = Rig::new(granter);
            b.iter(|| pass(&rig));
        });
    }
    group.finish();
}

fn two_threads(c: &mut Criterion, ran: &Ran) {
    let mut group = c.benchmark_group(THREADS);
    group.throughput(Throughput::Elements(2));
    for granter in Granter::ALL {
        group.bench_function(granter.name(), |b| {
            ran.note(THREADS);
            let rig = Rig::new(granter);
            b.iter_custom(|pairs| rig.contend(pairs).time);
        });
    }
    group.finish();
}

/// Nanoseconds per pair, with as many pairs on either thread, and how many
/// turns of each were worth it.
fn contended() -> ([f64; 2], [usize; 2]) {
    let rigs = Granter::ALL.map(Rig::new);
    let mut times = [const { Vec::new() }; 2];
    let started = Instant::now();
    while times.iter().any(|times| times.len() < TURNS) && started.elapsed() < BUDGET {
        for (rig, times) in rigs.iter().zip(&mut times) {
            let turn = rig.contend(CONTENDED);
            if !turn.one_was_alone() {
                times.push(turn.time.as_nanos() as f64 / (2 * CONTENDED) as f64);
            }
        }
    }
    let turns = times.each_ref().map(Vec::len);
    (times.map(median), turns)
}

fn line(what: &str, [library, list]: [f64; 2], target: f64) {
    let ratio = list / library;
    println!(
        "{what:24} {library:9.2} {list:13.2} {ratio:7.2}x   >= {target:.0}x {}",
        verdict(ratio >= target)
    );
}

fn single(pass: fn(&Rig), each: usize) -> [f64; 2] {
    let rigs = Granter::ALL.map(Rig::new);
    let passes = rigs
        .each_ref()
        .map(|rig| Box::new(move || pass(rig)) as Box<dyn FnMut() + '_>);
    in_turns(passes).map(|pass| pass / each as f64)
}

fn report(ran: &Ran) {
    if ![PAIR, BATCHES, THREADS].iter().any(|name| ran.has(name)) {
        return;
    }
    println!("\nns per grant and its end");
    println!(
        "{:24} {:>9} {:>13} {:>8}   target",
        "", "xen-guest", "list-and-lock", "ratio"
    );
    if ran.has(PAIR) {
        line("one thread", single(Rig::pair, 1), 1.0);
    }
    if ran.has(BATCHES) {
        line("one thread, batch of 32", single(Rig::batch, BATCH), 1.0);
    }
    if ran.has(THREADS) {
        let (times, turns) = contended();
        line("two contending threads", times, 2.0);
        println!(
            "(medians of {} and {} turns of both at once)",
            turns[0], turns[1]
        );
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let ran = Ran::default();
    one_thread(&mut criterion, &ran, PAIR, 1, Rig::pair);
    one_thread(&mut criterion, &ran, BATCHES, BATCH, Rig::batch);
    two_threads(&mut criterion, &ran);
    criterion.final_summary();
    if is_bench() {
        report(&ran);
    }
}
