// SPDX-License-Identifier: MIT OR Apache-2.0
//! How long it takes to take pages of a region and to give them back, beside
//! a flat bitmap (`workloads/baseline/first_fit.c`) and two allocators of
//! others.
//!
//! Criterion's figures come first. The tables at the end are measured apart
//! from them, in turns: ratios are to be taken from there.

use std::time::{Duration, Instant};

use criterion::Criterion;
use xen_guest_workloads::regions::{Allocator, Load, PAGES, Rig};
use xen_guest_workloads::turns::{Ran, in_turns, is_bench, median, verdict};

const GROWTH: &str = "regions/growth";
/// Sizes of the regions that grow: their names, and pages.
const SIZES: [(&str, u32); 4] = [
    ("64 MiB", 1 << 14),
    ("1 GiB", 1 << 18),
    ("4 GiB", 1 << 20),
    ("64 GiB", 1 << 24),
];
/// What is measured in each of them.
const GROWING: [Load; 4] = [
    Load::Half,
    Load::LastPage,
    Load::CheckerboardEnd,
    Load::HolesEnd,
];

/// What it is to reach.
const WORST: f64 = 200.0;
const BEFORE_FIRST_FIT: f64 = 1000.0;
const GROWS: f64 = 2.0;

fn group(load: Load) -> String {
    format!("regions/{}", load.name())
}

fn compare(c: &mut Criterion, ran: &Ran, load: Load) {
    let name = group(load);
    let mut group = c.benchmark_group(&name);
    for allocator in Allocator::ALL {
        group.bench_function(allocator.name(), |b| {
            ran.note(&name);
            let mut rig = Rig::new(allocator, load, PAGES);
            b.iter(|| rig.pass());
        });
    }
    group.finish();
}

fn grow(c: &mut Criterion, ran: &Ran) {
    let mut group = c.benchmark_group(GROWTH);
    for (size, pages) in [SIZES[0], SIZES[SIZES.len() - 1]] {
        group.bench_function(size, |b| {
            ran.note(GROWTH);
            let mut rig = Rig::new(Allocator::Library, Load::CheckerboardEnd, pages);
            b.iter(|| rig.pass());
        });
    }
    group.finish();
}

fn measure<const N: usize>(mut rigs: [Rig; N]) -> [f64; N] {
    let passes = rigs
        .each_mut()
        .map(|rig| Box::new(|| rig.pass()) as Box<dyn FnMut() + '_>);
    in_turns(passes)
}

/// A load's line: all allocators, and how the library does.
fn report_load(load: Load) {
    let times = measure(Allocator::ALL.map(|allocator| Rig::new(allocator, load, PAGES)));
    let [library, first_fit, buddy, bitmap] = times;
    print!(
        "{:22} {library:9.2} {first_fit:12.2} {buddy:9.2} {bitmap:12.2}   ",
        load.name()
    );
    match load {
        Load::Empty | Load::Half => {
            let fastest = first_fit.min(buddy).min(bitmap);
            println!(
                "{:.2}x the fastest other's speed, >= 1x {}",
                fastest / library,
                verdict(library <= fastest)
            );
        }
        Load::Checkerboard | Load::CheckerboardEnd => println!(
            "<= {WORST} ns {}; {:.0}x first-fit's speed, >= {BEFORE_FIRST_FIT}x {}",
            verdict(library <= WORST),
            first_fit / library,
            verdict(first_fit / library >= BEFORE_FIRST_FIT)
        ),
        _ => println!("<= {WORST} ns {}", verdict(library <= WORST)),
    }
}

/// Single pages are kept back: the same without, and what other requests wait
/// for when they are given up.
fn report_kept() {
    let mut last = Rig::new(Allocator::Library, Load::LastPage, PAGES);
    let [through] = in_turns([Box::new(|| last.uncached_pass())]);
    println!(
        "\nlast page, through the tree (and a refusal of 2, so that it is not kept back): \
         {through:.2} ns   <= {WORST} ns {}",
        verdict(through <= WORST)
    );
    let clock = median(
        (0..10_000)
            .map(|_| Instant::now().elapsed().as_nanos() as f64)
            .collect(),
    );
    let timed = |what: &str, load: Load, pass: fn(&mut Rig) -> Duration| {
        let mut rig = Rig::new(Allocator::Library, load, PAGES);
        let time = median(
            (0..10_000)
                .map(|_| pass(&mut rig).as_nanos() as f64 - clock)
                .collect(),
        );
        println!(
            "{what}: {time:.0} ns   <= {WORST} ns {}",
            verdict(time <= WORST)
        );
    };
    timed(
        "checkerboard, refused after the single pages are given up",
        Load::Checkerboard,
        Rig::flushing_refusal,
    );
    timed(
        "all of the region, of holes with single pages between them",
        Load::Empty,
        Rig::joining_take,
    );
    let [guest] = measure([Rig::new(Allocator::Guest, Load::Empty, PAGES)]);
    println!("one page of a guest, under its lock: {guest:.2} ns");
}

fn report_growth() {
    println!("\nns per get and put in a region of");
    print!("{:22}", "");
    for (size, _) in SIZES {
        print!(" {size:>9}");
    }
    println!("   growth");
    for load in GROWING {
        let times = measure(SIZES.map(|(_, pages)| Rig::new(Allocator::Library, load, pages)));
        print!("{:22}", load.name());
        for time in times {
            print!(" {time:9.2}");
        }
        let growth = times[SIZES.len() - 1] / times[0];
        println!("   {growth:.2}x <= {GROWS}x {}", verdict(growth <= GROWS));
    }
}

fn report(ran: &Ran) {
    let loads = || Load::ALL.into_iter().filter(|&load| ran.has(&group(load)));
    if loads().next().is_some() {
        println!("\nns per get and put, or refusal, in 4 GiB");
        println!(
            "{:22} {:>9} {:>12} {:>9} {:>12}   target",
            "load", "xen-guest", "first-fit", "buddy", "bitmap"
        );
        loads().for_each(report_load);
        report_kept();
    }
    if ran.has(GROWTH) {
        report_growth();
    }
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
        .configure_from_args();
    let ran = Ran::default();
    for load in Load::ALL {
        compare(&mut criterion, &ran, load);
    }
    grow(&mut criterion, &ran);
    criterion.final_summary();
    if is_bench() {
        report(&ran);
    }
}
