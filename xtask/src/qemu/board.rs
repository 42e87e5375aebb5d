// SPDX-License-Identifier: MIT OR Apache-2.0
//! The board's device tree: QEMU's own, with what Xen boots appended.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::guest::Guest;
use crate::process;

/// The board's memory starts here. Xen is loaded at its start, QEMU's copy of
/// the device tree at 0x4800_0000.
const RAM_BASE: u64 = 0x4000_0000;

/// Guest images are loaded from here on, clear of the above.
const MODULES_BASE: u64 = 0x5000_0000;

/// A guest with the place of its image in the board's memory.
#[derive(Clone, Copy, Debug)]
pub struct Module<'a> {
    pub guest: &'a Guest,
    pub address: u64,
    pub size: u64,
}

/// Everything Xen finds in memory, in the order of the domain numbers.
#[derive(Clone, Debug)]
pub struct Modules<'a> {
    pub dom0: Option<Module<'a>>,
    pub domus: Vec<Module<'a>>,
}

impl<'a> Modules<'a> {
    /// Lay the images out one after another.
    pub fn place(dom0: Option<&'a Guest>, domus: &'a [Guest], memory_mib: u32) -> Result<Self> {
        let mut next = MODULES_BASE;
        let end = RAM_BASE + u64::from(memory_mib) * 1024 * 1024;
        let mut place = |guest: &'a Guest| -> Result<Module<'a>> {
            let size = fs::metadata(&guest.image)
                .with_context(|| format!("no image {}", guest.image.display()))?
                .len();
            let address = next;
            next = (address + size).next_multiple_of(0x20_0000);
            if next > end {
                bail!("{memory_mib} MiB of board memory do not hold the guests' images");
            }
            Ok(Module {
                guest,
                address,
                size,
            })
        };
        Ok(Modules {
            dom0: dom0.map(&mut place).transpose()?,
            domus: domus.iter().map(place).collect::<Result<_>>()?,
        })
    }

    pub fn iter(&self) -> impl Iterator<Item = &Module<'a>> {
        self.dom0.iter().chain(&self.domus)
    }
}

/// Source text to append to the board's tree. dtc merges it into `/chosen`
/// behind what is there, so the guests keep this order, and with it their
/// domain numbers (fdtoverlay would turn it round).
pub fn chosen(xen_bootargs: &str, modules: &Modules) -> String {
    let mut text = String::from("\n/ {\n\tchosen {\n");
    let _ = writeln!(text, "\t\t#address-cells = <2>;\n\t\t#size-cells = <2>;");
    // Random seeds would make two runs differ.
    let _ = writeln!(
        text,
        "\t\t/delete-property/ rng-seed;\n\t\t/delete-property/ kaslr-seed;"
    );
    let _ = writeln!(text, "\t\txen,xen-bootargs = {};", quoted(xen_bootargs));
    if let Some(dom0) = &modules.dom0 {
        write_module(&mut text, "\t\t", dom0);
    }
    for (index, module) in modules.domus.iter().enumerate() {
        let guest = module.guest;
        let _ = writeln!(
            text,
            "\t\tdomU{} {{\n\
             \t\t\tcompatible = \"xen,domain\";\n\
             \t\t\t#address-cells = <2>;\n\
             \t\t\t#size-cells = <2>;\n\
             \t\t\tcpus = <{}>;\n\
             \t\t\tmemory = {};\n\
             \t\t\tvpl011;\n\
             \t\t\txen,enhanced = \"no-xenstore\";",
            index + 1,
            guest.cpus,
            cells(&[guest.memory_kib]),
        );
        write_module(&mut text, "\t\t\t", module);
        text.push_str("\t\t};\n");
    }
    text.push_str("\t};\n};\n");
    text
}

fn write_module(text: &mut String, indent: &str, module: &Module) {
    let _ = writeln!(
        text,
        "{indent}module@{:x} {{\n\
         {indent}\tcompatible = \"multiboot,kernel\", \"multiboot,module\";\n\
         {indent}\treg = {};\n\
         {indent}\tbootargs = {};\n\
         {indent}}};",
        module.address,
        cells(&[module.address, module.size]),
        quoted(&module.guest.bootargs),
    );
}

/// Numbers of two cells each.
fn cells(values: &[u64]) -> String {
    let words: Vec<String> = values
        .iter()
        .map(|v| format!("{:#x} {:#x}", v >> 32, v & 0xffff_ffff))
        .collect();
    format!("<{}>", words.join(" "))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// Write the complete blob into `folder` and return its path. `qemu` makes
/// the board and must be the command that later runs it.
pub fn write_tree(
    mut qemu: Command,
    machine: &str,
    chosen: &str,
    folder: &Path,
) -> Result<PathBuf> {
    let board = folder.join("board.dtb");
    let source = folder.join("machine.dts");
    let blob = folder.join("machine.dtb");
    // Cheaper than telling whether an earlier dump is from the same QEMU.
    qemu.arg("-M")
        .arg(format!("{machine},dumpdtb={}", board.display()));
    process::output(&mut qemu)?;
    // dtc's warnings are about QEMU's tree; errors make it fail.
    let text = process::output(
        Command::new("dtc")
            .args(["-q", "-I", "dtb", "-O", "dts"])
            .arg(&board),
    )?;
    fs::write(&source, text + chosen)
        .with_context(|| format!("cannot write {}", source.display()))?;
    process::output(
        Command::new("dtc")
            .args(["-q", "-I", "dts", "-O", "dtb", "-o"])
            .args([&blob, &source]),
    )?;
    Ok(blob)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guest(name: &str) -> Guest {
        Guest::domu(name, "/nowhere/image")
    }

    #[test]
    fn chosen_lists_dom0_first_and_domus_in_order() {
        let dom0 = Guest::dom0("/nowhere/image");
        let (one, two) = (
            guest("one").bootargs("role=granter peer=2"),
            Guest {
                cpus: 2,
                memory_kib: 0x2_0000_0000,
                ..guest("two")
            },
        );
        let at = |guest, address| Module {
            guest,
            address,
            size: 0x1234,
        };
        let text = chosen(
            "console=dtuart",
            &Modules {
                dom0: Some(at(&dom0, 0x5000_0000)),
                domus: vec![at(&one, 0x5020_0000), at(&two, 0x1_5040_0000)],
            },
        );
        let place = |part: &str| {
            text.find(part)
                .unwrap_or_else(|| panic!("{part} in {text}"))
        };
        assert!(place("xen,xen-bootargs = \"console=dtuart\";") < place("module@50000000"));
        assert!(place("module@50000000") < place("domU1 {"));
        assert!(place("domU1 {") < place("module@50200000"));
        assert!(place("module@50200000") < place("domU2 {"));
        place("bootargs = \"role=granter peer=2\";");
        place("reg = <0x0 0x50200000 0x0 0x1234>;");
        place("reg = <0x1 0x50400000 0x0 0x1234>;");
        place("cpus = <2>;");
        place("memory = <0x0 0x8000>;");
        place("memory = <0x2 0x0>;");
    }

    #[test]
    fn quotes_cannot_end_a_string_early() {
        assert_eq!(quoted(r#"a "b" \"#), r#""a \"b\" \\""#);
    }

    #[test]
    fn images_are_placed_apart_and_must_fit() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let image = folder.path().join("image");
        fs::write(&image, vec![0; 0x20_0001])?;
        let domus = [Guest::domu("one", &image), Guest::domu("two", &image)];
        let modules = Modules::place(None, &domus, 1024)?;
        let addresses: Vec<u64> = modules.iter().map(|m| m.address).collect();
        assert_eq!(addresses, [0x5000_0000, 0x5040_0000]);
        assert!(Modules::place(None, &domus, 256).is_err());
        Ok(())
    }
}
