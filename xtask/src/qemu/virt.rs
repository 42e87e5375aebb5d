// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's arm64 board, `virt`: Xen makes its domains as the device tree says,
//! which is QEMU's own with the guests appended.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::guest::Guest;
use super::machine::Machine;
use super::tree::{self, cells, quoted};
use super::verdict::Verdict;
use crate::process;
use crate::setup::{self, Need};

const MACHINE: &str = "virt,virtualization=on,gic-version=3";

/// Where Xen's console is. Without a switch 4.20 gives the input to domain 1,
/// and mixes that one's output with the others' character by character.
const CONSOLE: &str = "console=dtuart dtuart=/pl011@9000000 conswitch=ax";

/// The board's memory starts here. Xen is loaded at its start, QEMU's copy of
/// the device tree at 0x4800_0000.
const RAM_BASE: u64 = 0x4000_0000;

/// Guest images are loaded from here on, clear of the above.
const MODULES_BASE: u64 = 0x5000_0000;

/// A guest with the place of its image in the board's memory.
#[derive(Clone, Copy, Debug)]
struct Module<'a> {
    guest: &'a Guest,
    address: u64,
    size: u64,
}

/// Everything Xen finds in memory, in the order of the domain numbers.
#[derive(Clone, Debug)]
struct Modules<'a> {
    dom0: Option<Module<'a>>,
    domus: Vec<Module<'a>>,
}

impl<'a> Modules<'a> {
    /// Lay the images out one after another.
    fn place(dom0: Option<&'a Guest>, domus: &'a [Guest], memory_mib: u32) -> Result<Self> {
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

    fn iter(&self) -> impl Iterator<Item = &Module<'a>> {
        self.dom0.iter().chain(&self.domus)
    }
}

/// The command that boots this machine, with its files in `folder`, and what
/// to watch for.
pub fn boot(machine: &Machine, xen: &Path, folder: &Path) -> Result<(Command, Verdict)> {
    setup::require(&[Need::Qemu, Need::DeviceTreeCompiler])?;
    let modules = Modules::place(machine.dom0.as_ref(), &machine.domus, machine.memory_mib)?;
    let bootargs = machine.xen_bootargs(CONSOLE, machine.dom0.as_ref());
    let chosen = chosen(&bootargs, &modules);
    if process::verbose() {
        eprint!("appended to the device tree:{chosen}");
    }
    let blob = write_tree(qemu(machine), &chosen, folder)?;
    let mut verdict = Verdict::new(machine.guests());
    let domus = (1..).zip(&modules.domus);
    for (domain, module) in modules.dom0.iter().map(|m| (0, m)).chain(domus) {
        verdict.place(domain, module.address);
    }
    Ok((command(machine, xen, &blob, &modules), verdict))
}

/// QEMU with the board, as it must be both to dump the tree and to run.
fn qemu(machine: &Machine) -> Command {
    let mut command = machine.qemu("qemu-system-aarch64");
    command.args(["-cpu", "cortex-a57"]);
    command
}

fn command(machine: &Machine, xen: &Path, blob: &Path, modules: &Modules) -> Command {
    let mut command = qemu(machine);
    command.args(["-M", MACHINE]);
    machine.run_options(&mut command);
    command.arg("-kernel").arg(xen).arg("-dtb").arg(blob);
    for module in modules.iter() {
        command.arg("-device").arg(format!(
            "loader,file={},addr={:#x},force-raw=on",
            // QEMU reads a doubled comma as one.
            module.guest.image.display().to_string().replace(',', ",,"),
            module.address
        ));
    }
    command
}

/// Source text to append to the board's tree. dtc merges it into `/chosen`
/// behind what is there, so the guests keep this order, and with it their
/// domain numbers (fdtoverlay would turn it round).
fn chosen(xen_bootargs: &str, modules: &Modules) -> String {
    let mut text = String::from("\n/ {\n\tchosen {\n");
    let _ = writeln!(text, "\t\t#address-cells = <2>;\n\t\t#size-cells = <2>;");
    // Random seeds would make two runs differ.
    let _ = writeln!(
        text,
        "\t\t/delete-property/ rng-seed;\n\t\t/delete-property/ kaslr-seed;"
    );
    let _ = writeln!(text, "\t\txen,xen-bootargs = {};", quoted(xen_bootargs));
    if let Some(dom0) = &modules.dom0 {
        text += &tree::module("\t\t", dom0.guest, &name(dom0), &reg(dom0));
    }
    for (number, module) in (1..).zip(&modules.domus) {
        text += &tree::domu(
            number,
            module.guest,
            "\t\t\tvpl011;\n\t\t\txen,enhanced = \"no-xenstore\";\n",
            &name(module),
            &reg(module),
        );
    }
    text.push_str("\t};\n};\n");
    text
}

fn name(module: &Module<'_>) -> String {
    format!("module@{:x}", module.address)
}

fn reg(module: &Module<'_>) -> String {
    format!("reg = {}", cells(&[module.address, module.size]))
}

/// Write the complete blob into `folder` and return its path. `qemu` makes
/// the board and must be the command that later runs it.
fn write_tree(mut qemu: Command, chosen: &str, folder: &Path) -> Result<PathBuf> {
    let board = folder.join("board.dtb");
    let source = folder.join("machine.dts");
    let blob = folder.join("machine.dtb");
    // Cheaper than telling whether an earlier dump is from the same QEMU.
    qemu.arg("-M")
        .arg(format!("{MACHINE},dumpdtb={}", board.display()));
    process::output(&mut qemu)?;
    let text = process::output(
        Command::new("dtc")
            .args(["-q", "-I", "dtb", "-O", "dts"])
            .arg(&board),
    )?;
    fs::write(&source, text + chosen)
        .with_context(|| format!("cannot write {}", source.display()))?;
    tree::compile(&source, &blob)?;
    Ok(blob)
}

#[cfg(test)]
mod tests {
    use super::super::hypervisor::Hypervisor;
    use super::super::machine::Clock;
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
    fn the_command_line_follows_the_settings() {
        let mut machine = Machine::new(Hypervisor::V4_17);
        let shown = |machine: &Machine| {
            let modules = Modules {
                dom0: None,
                domus: Vec::new(),
            };
            process::display(&command(
                machine,
                Path::new("xen"),
                Path::new("dtb"),
                &modules,
            ))
        };
        assert!(shown(&machine).contains("-smp 1 "));
        assert!(shown(&machine).contains("-icount shift=4,sleep=off"));
        machine.clock = Clock::Wall { cpus: 2 };
        assert!(shown(&machine).contains("-smp 2 "));
        assert!(!shown(&machine).contains("icount"));
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
