// SPDX-License-Identifier: MIT OR Apache-2.0
//! Are our ABI headers Xen's? Everything ours define must be defined by the
//! official ones too, and be the same: sizes, alignments, field offsets, types
//! and constants, on each architecture. What only the official ones have is
//! no concern of ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use quote::ToTokens;

use crate::bindings::{self, Arch};
use crate::setup::{self, Need};

pub mod probe;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Directory that holds Xen's official headers in a directory `xen`.
    #[arg(
        long,
        value_name = "DIR",
        env = "XEN_PUBLIC_HEADERS",
        default_value = "/usr/include"
    )]
    pub official: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    setup::require(&[Need::LibClang, Need::Clang])?;
    if !args.official.join("xen/xen.h").is_file() {
        bail!(
            "there is no xen/xen.h in {}; on Debian libxen-dev brings it, or name another \
             directory with --official",
            args.official.display()
        );
    }
    let ours = bindings::root().join("include/abi");
    let mut failed = 0;
    for arch in Arch::ALL {
        let report = compare(arch, &ours, &args.official)?;
        for difference in &report.differences {
            eprintln!("abi: {}: {difference}", arch.name());
        }
        failed += report.differences.len();
        println!("abi: {}: {report}", arch.name());
    }
    if failed != 0 {
        bail!("the ABI headers differ from Xen's in {failed} places");
    }
    Ok(())
}

/// What a comparison found. The counts are of what is equal.
#[derive(Debug, Default)]
struct Report {
    types: usize,
    fields: usize,
    constants: usize,
    differences: Vec<String>,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} types, {} fields, {} constants equal",
            self.types, self.fields, self.constants
        )
    }
}

impl Report {
    /// One pair of facts; true if they are equal.
    fn check<T: PartialEq + std::fmt::Display>(
        &mut self,
        what: &str,
        ours: &T,
        theirs: Option<&T>,
    ) -> bool {
        match theirs {
            Some(theirs) if theirs == ours => return true,
            Some(theirs) => self
                .differences
                .push(format!("{what}: ours {ours}, official {theirs}")),
            None => self
                .differences
                .push(format!("{what}: the official headers have none")),
        }
        false
    }
}

fn compare(arch: Arch, ours: &Path, official: &Path) -> Result<Report> {
    let mut report = Report::default();
    compare_types(
        &Types::read(arch, ours)?,
        &Types::read(arch, official)?,
        &mut report,
    );
    compare_macros(arch, ours, official, &mut report)?;
    Ok(report)
}

/// Newest interface version a set of headers knows: its age, not its content.
const LATEST: &str = "__XEN_LATEST_INTERFACE_VERSION__";

fn compare_macros(arch: Arch, ours: &Path, official: &Path, report: &mut Report) -> Result<()> {
    let our_headers = probe::abi_headers(arch, ours);
    let their_headers = probe::abi_headers(arch, official);
    let our_macros = our_headers.macros(&probe::abi_dir(ours))?;
    let their_macros = their_headers.macros(&probe::abi_dir(official))?;
    let our_values = our_headers.values(&our_macros)?;
    let their_values = their_headers.values(&our_macros)?;
    for found in &our_macros {
        let name = &found.name;
        let Some(value) = our_values.get(name) else {
            // Handles, formats, types: their effect shows in the structures.
            if !their_macros.contains(found) {
                report
                    .differences
                    .push(format!("{name}: the official headers have no such macro"));
            }
            continue;
        };
        let theirs = their_values.get(name);
        let older = name == LATEST && theirs.is_some_and(|theirs| theirs.value >= value.value);
        if older || report.check(&found.call(), value, theirs) {
            report.constants += 1;
        }
    }
    Ok(())
}

/// The types of a set of headers, as bindgen sees them.
#[derive(Debug, Default)]
struct Types {
    /// Structures and unions: `struct` or `union`, and the fields in order.
    records: BTreeMap<String, Record>,
    /// `typedef`s.
    aliases: BTreeMap<String, String>,
    /// Enumerators.
    enumerators: BTreeMap<String, String>,
    /// bindgen's own assertions: what is said to be how many bytes.
    layout: BTreeMap<String, u64>,
}

#[derive(Debug)]
struct Record {
    kind: &'static str,
    fields: BTreeMap<String, String>,
    /// Accessors of bit fields, which say where the bits are.
    accessors: BTreeMap<String, String>,
}

impl Types {
    fn read(arch: Arch, dir: &Path) -> Result<Self> {
        let text = bindings::bind_abi(arch, dir, |builder| builder)?;
        let file = syn::parse_file(&text).context("bindgen wrote something that is not Rust")?;
        let mut types = Self::default();
        for item in &file.items {
            match item {
                syn::Item::Struct(item) => types.record("struct", &item.ident, &item.fields),
                syn::Item::Union(item) => {
                    let fields = syn::Fields::Named(item.fields.clone());
                    types.record("union", &item.ident, &fields);
                }
                syn::Item::Type(item) => {
                    types
                        .aliases
                        .insert(item.ident.to_string(), spell(&item.ty));
                }
                syn::Item::Const(item) if item.ident == "_" => types.assertions(&item.expr)?,
                // Macros have a plain type, and are compared by value elsewhere.
                syn::Item::Const(item) if !is_integer(&item.ty) => {
                    types
                        .enumerators
                        .insert(item.ident.to_string(), spell(&item.expr));
                }
                _ => {}
            }
        }
        // Accessors stand apart from the structure, in any order.
        for item in &file.items {
            if let syn::Item::Impl(item) = item
                && item.trait_.is_none()
                && let Some(record) = types.records.get_mut(&spell(&item.self_ty))
            {
                for member in &item.items {
                    if let syn::ImplItem::Fn(function) = member {
                        record
                            .accessors
                            .insert(function.sig.ident.to_string(), spell(&function.block));
                    }
                }
            }
        }
        Ok(types)
    }

    fn record(&mut self, kind: &'static str, name: &syn::Ident, fields: &syn::Fields) {
        let fields = fields
            .iter()
            .filter_map(|field| Some((field.ident.as_ref()?.to_string(), spell(&field.ty))))
            .collect();
        let record = Record {
            kind,
            fields,
            accessors: BTreeMap::new(),
        };
        self.records.insert(name.to_string(), record);
    }

    /// `{ ["Size of x"][size_of::<x>() - 4usize]; ... }`
    fn assertions(&mut self, block: &syn::Expr) -> Result<()> {
        let syn::Expr::Block(block) = block else {
            return Ok(());
        };
        for statement in &block.block.stmts {
            let text = statement.to_token_stream().to_string();
            let label = text.split('"').nth(1);
            let number = text
                .rsplit(|c: char| !c.is_ascii_alphanumeric())
                .find_map(|word| word.strip_suffix("usize"));
            let (Some(label), Some(number)) = (label, number) else {
                bail!("bindgen asserts in a form that is not understood: {text}");
            };
            self.layout.insert(label.to_owned(), number.parse()?);
        }
        Ok(())
    }
}

/// The tokens of something, with C's names for integers of the same size made
/// one: both architectures are LP64.
fn spell(item: &impl ToTokens) -> String {
    let text = item.to_token_stream().to_string();
    let mut text = text.replace(":: core :: ffi :: ", "");
    for (c, rust) in [
        ("c_uint", "u32"),
        ("c_int", "i32"),
        ("c_ulong", "u64"),
        ("c_long", "i64"),
        ("c_uchar", "u8"),
    ] {
        if text == c {
            text = rust.to_owned();
        }
    }
    text
}

fn is_integer(ty: &syn::Type) -> bool {
    ["u8", "i32", "u32", "i64", "u64"].contains(&spell(ty).as_str())
}

fn compare_types(ours: &Types, theirs: &Types, report: &mut Report) {
    for (name, record) in &ours.records {
        let Some(their_record) = theirs.records.get(name) else {
            report
                .differences
                .push(format!("{name}: the official headers have no such type"));
            continue;
        };
        let mut equal = report.check(
            name,
            &record.kind.to_owned(),
            Some(&their_record.kind.to_owned()),
        );
        for (field, ty) in &record.fields {
            let what = format!("{name}.{field}");
            let mut same = report.check(&what, ty, their_record.fields.get(field));
            let offset = format!("Offset of field: {name}::{field}");
            if let Some(bytes) = ours.layout.get(&offset) {
                let what = format!("offset of {what}");
                same &= report.check(&what, bytes, theirs.layout.get(&offset));
            }
            if same {
                report.fields += 1;
            }
            equal &= same;
        }
        for (accessor, body) in &record.accessors {
            let what = format!("bits of {name}.{accessor}");
            equal &= report.check(&what, body, their_record.accessors.get(accessor));
        }
        for (label, what) in [("Size of", "size of"), ("Alignment of", "alignment of")] {
            let label = format!("{label} {name}");
            if let Some(bytes) = ours.layout.get(&label) {
                let what = format!("{what} {name}");
                equal &= report.check(&what, bytes, theirs.layout.get(&label));
            }
        }
        if equal {
            report.types += 1;
        }
    }
    for (name, target) in &ours.aliases {
        if report.check(name, target, theirs.aliases.get(name)) {
            report.types += 1;
        }
    }
    for (name, value) in &ours.enumerators {
        if report.check(name, value, theirs.enumerators.get(name)) {
            report.constants += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Copy a directory of headers, passing each through `edit`.
    fn copy(from: &Path, to: &Path, edit: &dyn Fn(&str) -> String) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy(&path, &to, edit);
            } else {
                fs::write(to, edit(&fs::read_to_string(path).unwrap())).unwrap();
            }
        }
    }

    /// Compare the headers with a copy in which one text stands for another.
    fn differences(arch: Arch, old: &str, new: &str) -> Vec<String> {
        let ours = bindings::root().join("include/abi");
        let changed = tempfile::tempdir().unwrap();
        copy(&ours, changed.path(), &|text| text.replace(old, new));
        compare(arch, changed.path(), &ours).unwrap().differences
    }

    #[test]
    fn the_headers_equal_themselves() {
        for arch in Arch::ALL {
            let ours = bindings::root().join("include/abi");
            let report = compare(arch, &ours, &ours).unwrap();
            assert_eq!(report.differences, [""; 0]);
            assert!(report.types > 100 && report.fields > 200 && report.constants > 250);
        }
    }

    #[test]
    fn a_changed_number_is_reported() {
        for arch in Arch::ALL {
            assert_eq!(
                differences(arch, "xen_mk_uint(0x7FF1)", "xen_mk_uint(0x7FF9)"),
                ["DOMID_IO: ours 32761 (unsigned, 4 bytes), official 32753 (unsigned, 4 bytes)"]
            );
        }
    }

    #[test]
    fn a_changed_type_of_a_number_is_reported() {
        let found = differences(Arch::Aarch64, "xen_mk_uint(0x7FF1)", "0x7FF1");
        assert_eq!(
            found,
            ["DOMID_IO: ours 32753 (signed, 4 bytes), official 32753 (unsigned, 4 bytes)"]
        );
    }

    #[test]
    fn a_changed_function_like_macro_is_reported() {
        let found = differences(Arch::Aarch64, "(((x) + 1) << 8)", "(((x) + 1) << 9)");
        assert!(
            found.iter().any(|d| d.starts_with("XENMEMF_node(3): ")),
            "{found:?}"
        );
    }

    #[test]
    fn a_changed_field_is_reported() {
        for arch in Arch::ALL {
            let found = differences(
                arch,
                "uint16_t offset;\n\t} source, dest;",
                "uint32_t offset;\n\t} source, dest;",
            );
            assert!(
                found
                    .contains(&"gnttab_copy_gnttab_copy_ptr.offset: ours u32, official u16".into()),
                "{found:?}"
            );
            assert!(
                found.contains(
                    &"offset of gnttab_copy_gnttab_copy_ptr.offset: ours 12, official 10".into()
                ),
                "{found:?}"
            );
        }
    }

    #[test]
    fn fields_that_change_places_are_reported() {
        let found = differences(
            Arch::X86_64,
            "uint32_t virq;\n\t/** In: the vCPU; 0 for interrupts that are not per vCPU. */\n\tuint32_t vcpu;",
            "uint32_t vcpu;\n\tuint32_t virq;",
        );
        assert_eq!(
            found,
            [
                "offset of evtchn_bind_virq.vcpu: ours 0, official 4",
                "offset of evtchn_bind_virq.virq: ours 4, official 0"
            ]
        );
    }

    #[test]
    fn a_moved_bit_is_reported() {
        let found = differences(Arch::X86_64, "uint8_t dir : 1;", "uint8_t dir : 2;");
        assert!(
            found.iter().any(|d| d.starts_with("bits of ioreq.")),
            "{found:?}"
        );
    }

    #[test]
    fn what_the_official_headers_lack_is_reported() {
        let found = differences(
            Arch::Aarch64,
            "#define EVTCHNOP_set_priority",
            "#define EVTCHNOP_of_ours 99\n#define EVTCHNOP_set_priority",
        );
        assert_eq!(found, ["EVTCHNOP_of_ours: the official headers have none"]);
    }
}
