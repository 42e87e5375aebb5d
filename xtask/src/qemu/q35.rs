// SPDX-License-Identifier: MIT OR Apache-2.0
//! QEMU's x86_64 board, `q35`: Xen makes dom0 only, and dom0's firmware the
//! other domains, as a device tree in its ramdisk says.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::arch::Arch;
use super::firmware::Firmware;
use super::guest::Guest;
use super::machine::Machine;
use super::tree::{self, quoted};
use super::verdict::Verdict;
use crate::process;
use crate::setup::{self, Need};

/// One with AMD's virtualisation, which QEMU emulates, and without what QEMU
/// would warn that it does not. The emulated IOMMU can't serve an x2APIC, and
/// the emulated CPU faults on the kind of MWAIT that Xen idles with.
const CPU: &str = "EPYC,+svm,+npt,-x2apic,-monitor,-rdseed,-sha-ni,-fxsr-opt,-misalignsse,\
                   -3dnowprefetch,-osvw,-topoext,-nrip-save,-xsavec";

/// By the default scheduler, credit2, what emulators answer takes 10 ms while a
/// domain polls, and on two of QEMU's CPUs domains are not woken.
const XEN: &str = "console=com1 com1=115200,8n1 dom0=pvh sched=credit";

/// The program that makes a dom0 where none is asked for.
const LAUNCHER: &str = "dom0";

/// Its files have these names in the run's folder: Xen takes all behind the
/// first space for the command line, so that a path must not have any.
const DOM0: &str = "dom0.elf";
const DOMUS: &str = "domus.dtb";

/// The command that boots this machine, with its files in `folder`, and what
/// to watch for.
pub fn boot(machine: &Machine, xen: &Path, folder: &Path) -> Result<(Command, Verdict)> {
    setup::require(&[Need::QemuX86, Need::DeviceTreeCompiler])?;
    let dom0 = match &machine.dom0 {
        Some(dom0) => dom0.clone(),
        None => Guest::dom0(Firmware::example(LAUNCHER).image(Arch::X86_64)?),
    };
    let copy = |from: &Path, to: &str| {
        fs::copy(from, folder.join(to)).with_context(|| format!("cannot copy {}", from.display()))
    };
    copy(&dom0.image, DOM0)?;
    if !machine.domus.is_empty() {
        for (number, guest) in (1..).zip(&machine.domus) {
            copy(&guest.image, &file_name(number))?;
        }
        let source = folder.join("domus.dts");
        let text = domus(&machine.domus);
        if process::verbose() {
            eprint!("{text}");
        }
        fs::write(&source, text).with_context(|| format!("cannot write {}", source.display()))?;
        tree::compile(&source, &folder.join(DOMUS))?;
    }
    // QEMU starts where the other files are.
    let xen = xen.canonicalize()?;
    let mut command = command(machine, &xen, &dom0);
    command.current_dir(folder);
    Ok((command, Verdict::new(machine.guests())))
}

fn file_name(number: usize) -> String {
    format!("domU{number}.elf")
}

/// What dom0 is to start, in the words in which Xen takes it on arm64, with
/// the images in the tree itself.
fn domus(guests: &[Guest]) -> String {
    let mut text = String::from("/dts-v1/;\n/ {\n\tchosen {\n");
    for (number, guest) in (1..).zip(guests) {
        let data = format!("data = /incbin/({})", quoted(&file_name(number)));
        text += &tree::domu(number, guest, "", "module", &data);
    }
    text + "\t};\n};\n"
}

fn command(machine: &Machine, xen: &Path, dom0: &Guest) -> Command {
    let mut modules = format!("{DOM0} {}", dom0.bootargs)
        .trim_end()
        .replace(',', ",,");
    if !machine.domus.is_empty() {
        modules = format!("{modules},{DOMUS}");
    }
    let mut command = machine.qemu("qemu-system-x86_64");
    command
        .args(["-M", "q35", "-cpu", CPU])
        // Xen starts no PVH dom0 without.
        .args(["-device", "amd-iommu"])
        // Memory of a device, for domains to map.
        .args(["-device", "bochs-display"]);
    machine.run_options(&mut command);
    command
        .arg("-kernel")
        .arg(xen)
        .args(["-append", &machine.xen_bootargs(XEN, Some(dom0))])
        .args(["-initrd", &modules]);
    command
}

#[cfg(test)]
mod tests {
    use super::super::hypervisor::{Hypervisor, Version};
    use super::*;

    #[test]
    fn dom0_gets_its_words_and_what_to_start() {
        let mut machine = Machine::new(Hypervisor::X86_64(Version::V4_17));
        let dom0 = Guest::dom0("/nowhere/image").bootargs("role=control list=1,2");
        let shown =
            |machine: &Machine| process::display(&command(machine, Path::new("xen"), &dom0));
        let line = shown(&machine);
        assert!(
            line.ends_with("-initrd 'dom0.elf role=control list=1,,2'"),
            "{line}"
        );
        assert!(line.contains("xsm=dummy dom0_mem=65536K"), "{line}");
        machine.domus = vec![Guest::domu("one", "/nowhere/image")];
        let line = shown(&machine);
        assert!(line.ends_with(" list=1,,2,domus.dtb'"), "{line}");
    }

    #[test]
    fn domus_come_in_order_with_their_images() {
        let guests = ["one", "two"].map(|name| Guest::domu(name, "/nowhere/image").bootargs(name));
        let text = domus(&guests);
        let place = |part: &str| {
            text.find(part)
                .unwrap_or_else(|| panic!("{part} in {text}"))
        };
        assert!(place("domU1 {") < place("data = /incbin/(\"domU1.elf\");"));
        assert!(place("domU1.elf") < place("domU2 {"));
        place("bootargs = \"two\";");
    }
}
