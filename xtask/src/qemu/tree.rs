// SPDX-License-Identifier: MIT OR Apache-2.0
//! Device trees, which say what domUs are to be: to Xen itself on arm64
//! (dom0less), to the dom0 that builds them on x86_64.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::guest::Guest;
use crate::process;

/// The node of a domU, for `/chosen`: with these properties beside the usual
/// ones, and with its image where the properties `place` say, as the module
/// `name`.
pub fn domu(number: usize, guest: &Guest, properties: &str, name: &str, place: &str) -> String {
    format!(
        "\t\tdomU{number} {{\n\
         \t\t\tcompatible = \"xen,domain\";\n\
         \t\t\t#address-cells = <2>;\n\
         \t\t\t#size-cells = <2>;\n\
         \t\t\tcpus = <{}>;\n\
         \t\t\tmemory = {};\n\
         {properties}\
         {}\
         \t\t}};\n",
        guest.cpus,
        cells(&[guest.memory_kib]),
        module("\t\t\t", guest, name, place)
    )
}

/// The node of a kernel.
pub fn module(indent: &str, guest: &Guest, name: &str, place: &str) -> String {
    format!(
        "{indent}{name} {{\n\
         {indent}\tcompatible = \"multiboot,kernel\", \"multiboot,module\";\n\
         {indent}\t{place};\n\
         {indent}\tbootargs = {};\n\
         {indent}}};\n",
        quoted(&guest.bootargs),
    )
}

/// Numbers of two cells each.
pub fn cells(values: &[u64]) -> String {
    let words: Vec<String> = values
        .iter()
        .map(|v| format!("{:#x} {:#x}", v >> 32, v & 0xffff_ffff))
        .collect();
    format!("<{}>", words.join(" "))
}

pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// Make a blob of source text. dtc's warnings are about QEMU's tree; errors
/// make it fail.
pub fn compile(source: &Path, blob: &Path) -> Result<()> {
    process::output(
        Command::new("dtc")
            .args(["-q", "-I", "dts", "-O", "dtb", "-o"])
            .args([blob, source]),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_cannot_end_a_string_early() {
        assert_eq!(quoted(r#"a "b" \"#), r#""a \"b\" \\""#);
    }

    #[test]
    fn a_domu_has_its_settings_and_its_image() {
        let guest = Guest {
            cpus: 2,
            memory_kib: 0x2_0000_0000,
            ..Guest::domu("two", "/nowhere/image").bootargs("role=b")
        };
        let text = domu(2, &guest, "\t\t\tvpl011;\n", "module@0", "reg = <0 1>");
        for part in [
            "domU2 {",
            "cpus = <2>;",
            "memory = <0x2 0x0>;",
            "vpl011;",
            "module@0 {",
            "reg = <0 1>;",
            "bootargs = \"role=b\";",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
