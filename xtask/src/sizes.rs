// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much code the core is on arm64, and how much memory it takes: each of
//! its files compiled as build.rs does for a bare-metal target.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::process;
use crate::setup::{self, Need};

/// The most bytes that something may take.
#[derive(Clone, Copy, Debug)]
enum Budget {
    /// More is an error.
    Kept(u64),
    /// Aimed at for all of a module. What a firmware pays for is what it
    /// calls: the programs below keep to as much.
    Aimed(u64),
}

use Budget::{Aimed, Kept};

/// Each module's files in csrc, by the start of their names, and its budget.
const MODULES: [(&str, &[&str], Option<Budget>); 10] = [
    ("event channels", &["evtchn"], Some(Kept(6 * 1024))),
    ("grant tables", &["gnt"], Some(Aimed(6 * 1024))),
    (
        "memory, regions",
        &[
            "memory",
            "reservation",
            "resource",
            "hvm",
            "foreign",
            "region.c",
            "region_tree",
            "regions",
            "balloon",
        ],
        Some(Aimed(5 * 1024)),
    ),
    (
        "... the regions",
        &["region.c", "region_tree", "regions"],
        None,
    ),
    ("... the windows", &["foreign"], None),
    (
        "the regions' verifier, for debugging and tests: not in their sum",
        &["region_verify"],
        None,
    ),
    (
        "guest memory",
        &["guest_memory", "ioreq", "domctl"],
        Some(Kept(16 * 1024)),
    ),
    (
        "the guest itself",
        &["guest.c", "hypercall", "current"],
        None,
    ),
    ("Zephyr's names", &["zephyr"], None),
    ("libsel4vm's", &["sel4vm"], None),
];

/// A program that calls some functions: of a module it gets what those need.
struct Program {
    /// Its place among the modules.
    module: usize,
    what: &'static str,
    /// The functions' names, and where they are declared.
    calls: &'static [&'static str],
    headers: &'static [&'static str],
    budget: Option<Budget>,
}

const PROGRAMS: [Program; 3] = [
    Program {
        module: 0,
        what: "a program that calls Zephyr's 14 functions links, with both ABIs",
        calls: &[
            "evtchn_status",
            "evtchn_close",
            "evtchn_set_priority",
            "notify_evtchn",
            "alloc_unbound_event_channel",
            "alloc_unbound_event_channel_dom0",
            "bind_interdomain_event_channel",
            "bind_event_channel",
            "unbind_event_channel",
            "get_missed_events",
            "mask_event_channel",
            "unmask_event_channel",
            "clear_event_channel",
            "xen_events_init",
            // What every program with events needs.
            "xg_guest_init",
            "xg_guest_fini",
            "xg_set_current",
            "xg_evtchn_upcall",
        ],
        headers: &["xen_guest/guest.h", "zephyr/xen/events.h"],
        budget: Some(Kept(6 * 1024)),
    },
    Program {
        module: 1,
        what: "a program that calls Zephyr's eight functions links",
        calls: &[
            "gnttab_grant_access",
            "gnttab_end_access",
            "gnttab_alloc_and_grant",
            "gnttab_get_pages",
            "gnttab_put_pages",
            "gnttab_map_refs",
            "gnttab_unmap_refs",
            "gnttabop_error",
            // What every program with grants needs.
            "xg_guest_init",
            "xg_guest_fini",
            "xg_set_current",
        ],
        headers: &["xen_guest/guest.h", "zephyr/xen/gnttab.h"],
        budget: Some(Kept(6 * 1024)),
    },
    Program {
        module: 2,
        what: "a program that calls Zephyr's ten functions for both links",
        calls: &[
            "xendom_add_to_physmap",
            "xendom_add_to_physmap_batch",
            "xendom_remove_from_physmap",
            "xendom_populate_physmap",
            "xendom_acquire_resource",
            "xen_region_is_addr_extreg",
            "xen_region_get_pages",
            "xen_region_put_pages",
            "xen_region_map",
            "xen_region_unmap",
            "xg_region_init",
        ],
        headers: &[
            "xen_guest/guest.h",
            "zephyr/xen/memory.h",
            "zephyr/xen/regions.h",
        ],
        budget: Some(Kept(5 * 1024)),
    },
];

impl Program {
    fn source(&self) -> String {
        let mut source = String::from("#include <stddef.h>\n");
        for header in self.headers {
            source += &format!("#include <{header}>\n");
        }
        source += "typedef void call(void);\ncall *const calls[] = {\n";
        for call in self.calls {
            source += &format!("\t(call *){call},\n");
        }
        source + START
    }
}

/// The names' column; longer ones have a line of their own.
const COLUMN: usize = 17;

const START: &str = r#"};

call *_start(size_t i)
{
	return calls[i];
}

void *memset(void *dest, int byte, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((volatile char *)dest)[i] = (char)byte;
	return dest;
}
"#;

/// What cc passes for opt-level "z", "s" and 2. The budget is for the second:
/// who counts bytes asks for it.
const LEVELS: [&str; 3] = ["-Oz", "-Os", "-O2"];
/// What build.rs adds where bytes count: the first two.
const SMALL: &str = "-fomit-frame-pointer";
const BUDGET_LEVEL: usize = 1;

/// What it is for, the structures that are memory for it, and their budget. The
/// bit that each grant reference has comes on top.
const RAM: [(&str, &[&str], Budget); 2] = [
    (
        "event channels with 64 ports and one vCPU",
        &["xg_port_group", "xg_vcpu", "xg_evtchn"],
        Kept(2560),
    ),
    (
        "grants, beyond a bit per reference",
        &["xg_gnttab"],
        Kept(256),
    ),
];

const FLAGS: [&str; 9] = [
    "--target=aarch64-unknown-none",
    "-std=c11",
    "-ffreestanding",
    "-fno-stack-protector",
    "-mno-outline-atomics",
    "-mgeneral-regs-only",
    "-fvisibility=hidden",
    "-fno-common",
    "-ffunction-sections",
];

/// What missed the budget that it is kept to.
#[derive(Debug, Default)]
struct Verdicts(Vec<&'static str>);

impl Verdicts {
    /// Note it if it is missed, and say it in words.
    fn add(&mut self, what: &'static str, budget: Budget, size: u64) -> String {
        let (Kept(most) | Aimed(most)) = budget;
        if size <= most {
            return format!("<= {most}: PASS");
        }
        let over = size - most;
        if let Aimed(_) = budget {
            return format!("<= {most} aimed at: {over} OVER");
        }
        self.0.push(what);
        format!("<= {most}: {over} OVER BUDGET")
    }
}

/// Fails if a budget is missed that is kept to.
pub fn run() -> Result<()> {
    setup::require(&[Need::Clang, Need::Lld, Need::Llvm])?;
    let folder = tempfile::tempdir()?;
    let mut verdicts = Verdicts::default();
    code(folder.path(), &mut verdicts)?;
    ram(folder.path(), &mut verdicts)?;
    let missed = verdicts.0.join(", ");
    ensure!(missed.is_empty(), "over budget: {missed}");
    Ok(())
}

/// Whether a file of csrc belongs to the module.
fn is_of(name: &str, prefixes: &[&str]) -> bool {
    name.ends_with(".c") && prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// What the program links of its module, in code and constants.
fn linked(folder: &Path, level: &str, program: &Program) -> Result<u64> {
    let source = folder.join("program.c");
    fs::write(&source, program.source())?;
    let object = folder.join("program.o");
    compile(&source, &object, level)?;
    let mut objects = vec![object];
    for entry in fs::read_dir(process::workspace().join("csrc"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "c") {
            let name = path.with_extension("c.o");
            let object = folder.join(name.file_name().context("a file")?);
            compile(&path, &object, level)?;
            objects.push(object);
        }
    }
    let map = folder.join("program.map");
    process::output(
        Command::new("ld.lld")
            .arg("--gc-sections")
            .arg(format!("-Map={}", map.display()))
            .arg("-o")
            .arg(folder.join("program"))
            .args(&objects),
    )?;
    let sizes = fs::read_to_string(map)?;
    let prefixes = MODULES[program.module].1;
    Ok(sizes
        .lines()
        .filter_map(section)
        .filter(|(file, _)| is_of(file.trim_end_matches(".o"), prefixes))
        .map(|(_, size)| size)
        .sum())
}

/// Of a line of a linker's map, `address address size alignment
/// file:(section)`, the file and the size if it is code or constants.
fn section(line: &str) -> Option<(&str, u64)> {
    let mut columns = line.split_whitespace();
    let size = u64::from_str_radix(columns.nth(2)?, 16).ok()?;
    let (file, section) = columns.nth(1)?.split_once(":(")?;
    let kept = section.starts_with(".text") || section.starts_with(".rodata");
    kept.then_some((file.rsplit('/').next()?, size))
}

fn compile(source: &Path, object: &Path, level: &str) -> Result<()> {
    let include = process::workspace().join("include");
    let mut clang = Command::new("clang");
    clang
        .args(FLAGS)
        .arg(level)
        .args((level != "-O2").then_some(SMALL))
        .arg("-I")
        .arg(&include)
        .arg("-isystem")
        .arg(include.join("abi"))
        .arg("-c")
        .args([source, Path::new("-o"), object]);
    process::output(&mut clang).map(drop)
}

/// Code and constants of one file.
fn text(source: &Path, folder: &Path, level: &str) -> Result<u64> {
    let object = folder.join("size.o");
    compile(source, &object, level)?;
    let table = process::output(Command::new("llvm-size").arg(&object))?;
    first_number(&table).context("llvm-size prints a table")
}

/// The first column of the line after the heading.
fn first_number(table: &str) -> Option<u64> {
    table
        .lines()
        .nth(1)?
        .split_whitespace()
        .next()?
        .parse()
        .ok()
}

fn code(folder: &Path, verdicts: &mut Verdicts) -> Result<()> {
    let csrc = process::workspace().join("csrc");
    println!(
        "bytes of code on arm64 ({}; {SMALL} with -Oz and -Os)",
        FLAGS.join(" ")
    );
    println!(
        "{:17} {:>7} {:>7} {:>7}",
        "", LEVELS[0], LEVELS[1], LEVELS[2]
    );
    for (module, prefixes, budget) in MODULES {
        let mut sums = [0; LEVELS.len()];
        for entry in fs::read_dir(&csrc)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !is_of(&name, prefixes) {
                continue;
            }
            for (sum, level) in sums.iter_mut().zip(LEVELS) {
                *sum += text(&path, folder, level)?;
            }
        }
        let [smallest, small, fast] = sums;
        if module.len() > COLUMN {
            println!("{module}");
        }
        let name = if module.len() > COLUMN { "" } else { module };
        print!("{name:COLUMN$} {smallest:7} {small:7} {fast:7}");
        print_verdict(verdicts, module, budget, sums[BUDGET_LEVEL]);
    }
    for program in &PROGRAMS {
        let mut sums = [0; LEVELS.len()];
        for (sum, level) in sums.iter_mut().zip(LEVELS) {
            *sum = linked(folder, level, program)?;
        }
        let [smallest, small, fast] = sums;
        print!(
            "of {}, {}\n{:17} {smallest:7} {small:7} {fast:7}",
            MODULES[program.module].0, program.what, ""
        );
        print_verdict(verdicts, program.what, program.budget, sums[BUDGET_LEVEL]);
    }
    Ok(())
}

/// The end of a line.
fn print_verdict(verdicts: &mut Verdicts, what: &'static str, budget: Option<Budget>, size: u64) {
    match budget {
        Some(budget) => {
            let verdict = verdicts.add(what, budget, size);
            println!("   {} {verdict}", LEVELS[BUDGET_LEVEL]);
        }
        None => println!(),
    }
}

fn ram(folder: &Path, verdicts: &mut Verdicts) -> Result<()> {
    let source = folder.join("sizes.c");
    let mut probe = String::from("#include \"xen_guest/guest.h\"\n");
    for name in RAM.iter().flat_map(|(_, names, _)| *names) {
        probe += &format!(
            "__attribute__((visibility(\"default\"))) char of_{name}[sizeof(struct {name})];\n"
        );
    }
    fs::write(&source, probe)?;
    let object = folder.join("sizes.o");
    compile(&source, &object, LEVELS[BUDGET_LEVEL])?;
    let table = process::output(Command::new("llvm-nm").arg("--print-size").arg(&object))?;
    for (what, names, budget) in RAM {
        println!("\nbytes of memory for {what}");
        let mut sum = 0;
        for name in names {
            let size = symbol_size(&table, &format!("of_{name}"))
                .with_context(|| format!("the size of struct {name}"))?;
            println!("struct {name:15} {size:5}");
            sum += size;
        }
        let verdict = verdicts.add(what, budget, sum);
        println!("{:22} {sum:5}   {verdict}", "together");
    }
    Ok(())
}

/// `address size kind name`, in hexadecimal digits.
fn symbol_size(table: &str, name: &str) -> Option<u64> {
    let line = table
        .lines()
        .find(|line| line.ends_with(&format!(" {name}")))?;
    u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_counted() {
        let list = fs::read_to_string(process::workspace().join("csrc/sources.txt")).unwrap();
        for name in list.lines().filter(|line| line.ends_with(".c")) {
            let modules = MODULES.iter().filter(|(module, prefixes, _)| {
                !module.starts_with("...") && is_of(name, prefixes)
            });
            assert_eq!(modules.count(), 1, "{name}");
        }
    }

    #[test]
    fn a_missed_budget_is_told() {
        let mut verdicts = Verdicts::default();
        assert_eq!(verdicts.add("a", Kept(5), 5), "<= 5: PASS");
        assert_eq!(verdicts.add("b", Aimed(5), 6), "<= 5 aimed at: 1 OVER");
        assert_eq!(verdicts.add("c", Kept(5), 7), "<= 5: 2 OVER BUDGET");
        assert_eq!(verdicts.0, ["c"]);
    }

    #[test]
    fn maps_are_read() {
        let line = "  210158  210158  1a4  4  /tmp/x/region_tree.c.o:(.text.seek)";
        assert_eq!(section(line), Some(("region_tree.c.o", 0x1a4)));
        for other in [
            "     VMA      LMA     Size Align Out     In      Symbol",
            "  200190   200190       90     8         /tmp/x/a.c.o:(.data)",
            "  210158   210158        0     1                 seek",
        ] {
            assert_eq!(section(other), None, "{other}");
        }
    }

    #[test]
    fn tables_are_read() {
        let table = "   text\t   data\n    240\t      0\n";
        assert_eq!(first_number(table), Some(240));
        let table = "0000000000000000 0000000000000468 B of_a\n0 8 B of_b\n";
        assert_eq!(symbol_size(table, "of_a"), Some(0x468));
        assert_eq!(symbol_size(table, "of_c"), None);
    }
}
