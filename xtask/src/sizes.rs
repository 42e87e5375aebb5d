// SPDX-License-Identifier: MIT OR Apache-2.0
//! How much code the core is on arm64, and how much memory it takes: each of
//! its files compiled as build.rs does for a bare-metal target.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::setup::{self, Need};

/// Each module's files in csrc, by the start of their names, and the most
/// bytes of code that it may take.
const MODULES: [(&str, &[&str], Option<u64>); 9] = [
    ("event channels", &["evtchn"], Some(6 * 1024)),
    ("grant tables", &["gnt"], Some(6 * 1024)),
    (
        "memory, regions",
        &[
            "memory",
            "reservation",
            "resource",
            "hvm",
            "foreign",
            "region",
            "balloon",
        ],
        Some(5 * 1024),
    ),
    ("... the regions", &["region"], None),
    ("... the windows", &["foreign"], None),
    (
        "guest memory",
        &["guest_memory", "ioreq", "domctl"],
        Some(16 * 1024),
    ),
    (
        "the guest itself",
        &["guest.c", "hypercall", "current"],
        None,
    ),
    ("Zephyr's names", &["zephyr"], None),
    ("libsel4vm's", &["sel4vm"], None),
];

/// A program that calls all of Zephyr's functions for memory and regions, and
/// sets a region up: of the module of both it gets what those need.
const PROGRAM: &str = r#"
#include <stddef.h>
#include <xen_guest/guest.h>
#include <zephyr/xen/memory.h>
#include <zephyr/xen/regions.h>

typedef void call(void);

call *const calls[] = {
	(call *)xendom_add_to_physmap,	    (call *)xendom_add_to_physmap_batch,
	(call *)xendom_remove_from_physmap, (call *)xendom_populate_physmap,
	(call *)xendom_acquire_resource,    (call *)xen_region_is_addr_extreg,
	(call *)xen_region_get_pages,	    (call *)xen_region_put_pages,
	(call *)xen_region_map,		    (call *)xen_region_unmap,
	(call *)xg_region_init,
};

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

/// The place of "memory, regions" among the modules.
const PROGRAM_MODULE: usize = 2;

/// What cc passes for opt-level "z", "s" and 2. The budget is for the second:
/// who counts bytes asks for it.
const LEVELS: [&str; 3] = ["-Oz", "-Os", "-O2"];
const BUDGET_LEVEL: usize = 1;

/// What it is for, the structures that are memory for it, and the most that
/// they may take. The bit that each grant reference has comes on top.
const RAM: [(&str, &[&str], u64); 2] = [
    (
        "event channels with 64 ports and one vCPU",
        &["xg_port_group", "xg_vcpu", "xg_evtchn"],
        2560,
    ),
    ("grants, beyond a bit per reference", &["xg_gnttab"], 256),
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

pub fn run() -> Result<()> {
    setup::require(&[Need::Clang, Need::Lld, Need::Llvm])?;
    let folder = tempfile::tempdir()?;
    let code = code(folder.path())?;
    let ram = ram(folder.path())?;
    if !(code & ram) {
        bail!("over budget");
    }
    Ok(())
}

/// Whether a file of csrc belongs to the module.
fn is_of(name: &str, prefixes: &[&str]) -> bool {
    name.ends_with(".c") && prefixes.iter().any(|prefix| name.starts_with(prefix))
}

/// Code and constants of the modules that [`PROGRAM`] links.
fn linked(folder: &Path, level: &str, prefixes: &[&str]) -> Result<u64> {
    let source = folder.join("program.c");
    fs::write(&source, PROGRAM)?;
    let program = folder.join("program.o");
    compile(&source, &program, level)?;
    let mut objects = vec![program];
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

fn code(folder: &Path) -> Result<bool> {
    let csrc = process::workspace().join("csrc");
    let mut within = true;
    println!("bytes of code on arm64 ({})", FLAGS.join(" "));
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
        print!("{module:17} {smallest:7} {small:7} {fast:7}");
        match budget {
            Some(budget) => {
                let fits = sums[BUDGET_LEVEL] <= budget;
                within &= fits;
                println!("   {} <= {budget}: {}", LEVELS[BUDGET_LEVEL], verdict(fits));
            }
            None => println!(),
        }
    }
    let mut sums = [0; LEVELS.len()];
    for (sum, level) in sums.iter_mut().zip(LEVELS) {
        *sum = linked(folder, level, MODULES[PROGRAM_MODULE].1)?;
    }
    let [smallest, small, fast] = sums;
    println!(
        "of {}, a program that calls Zephyr's ten functions for both links\n\
         {:17} {smallest:7} {small:7} {fast:7}",
        MODULES[PROGRAM_MODULE].0, ""
    );
    Ok(within)
}

fn ram(folder: &Path) -> Result<bool> {
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
    let mut within = true;
    for (what, names, budget) in RAM {
        println!("\nbytes of memory for {what}");
        let mut sum = 0;
        for name in names {
            let size = symbol_size(&table, &format!("of_{name}"))
                .with_context(|| format!("the size of struct {name}"))?;
            println!("struct {name:15} {size:5}");
            sum += size;
        }
        let fits = sum <= budget;
        within &= fits;
        println!("{:22} {sum:5}   <= {budget}: {}", "together", verdict(fits));
    }
    Ok(within)
}

/// `address size kind name`, in hexadecimal digits.
fn symbol_size(table: &str, name: &str) -> Option<u64> {
    let line = table
        .lines()
        .find(|line| line.ends_with(&format!(" {name}")))?;
    u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok()
}

fn verdict(fits: bool) -> &'static str {
    if fits { "PASS" } else { "OVER BUDGET" }
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
