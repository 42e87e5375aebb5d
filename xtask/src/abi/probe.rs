// SPDX-License-Identifier: MIT OR Apache-2.0
//! Values of C macros, by asking clang.
//!
//! bindgen reads simple macros only. Here every macro a header defines is
//! handed to the compiler as the operand of an inline assembly string, and the
//! value is read from the assembly it writes; nothing is run, so any target
//! will do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::bindings::{Arch, clang_args};
use crate::process;

/// Headers to look at, and how clang finds them.
#[derive(Debug)]
pub struct Headers {
    pub arch: Arch,
    /// Further arguments, include directories above all.
    pub args: Vec<String>,
    /// As written between the angle brackets.
    pub names: Vec<String>,
}

/// A macro, as a definition shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Macro {
    pub name: String,
    /// How many arguments it takes; `None` if it is not like a function.
    pub params: Option<usize>,
}

impl Macro {
    /// A use of it. The arguments are small and all different, so that a
    /// macro that mixes them up shows.
    pub fn call(&self) -> String {
        match self.params {
            None => self.name.clone(),
            Some(count) => {
                let args: Vec<String> = (0..count).map(|i| (3 + 2 * i).to_string()).collect();
                format!("{}({})", self.name, args.join(", "))
            }
        }
    }
}

/// An integer constant of C: the value, and the type as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Constant {
    pub value: i128,
    pub bytes: u32,
    pub signed: bool,
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.signed { "signed" } else { "unsigned" };
        write!(f, "{} ({sign}, {} bytes)", self.value, self.bytes)
    }
}

impl Headers {
    fn clang(&self) -> Command {
        let mut command = Command::new("clang");
        command.args(clang_args(self.arch)).args(&self.args);
        command
    }

    fn includes(&self) -> String {
        let mut text = String::from("#include <stdint.h>\n");
        for name in &self.names {
            text.push_str(&format!("#include <{name}>\n"));
        }
        text
    }

    /// Macros that files beneath `dir` leave defined.
    pub fn macros(&self, dir: &Path) -> Result<BTreeSet<Macro>> {
        let scratch = tempfile::tempdir()?;
        let source = scratch.path().join("macros.c");
        std::fs::write(&source, self.includes())?;
        let mut clang = self.clang();
        clang.args(["-E", "-dD"]).arg(&source);
        let text = process::output(&mut clang).context(NEEDS_CLANG)?;

        let mut found = BTreeSet::new();
        let mut inside = false;
        for line in text.lines() {
            if let Some(marker) = line.strip_prefix("# ") {
                if let Some(file) = marker.split('"').nth(1) {
                    inside = Path::new(file).starts_with(dir);
                }
            } else if let Some(name) = line.strip_prefix("#undef ") {
                found.retain(|m: &Macro| m.name != name.trim());
            } else if let Some(definition) = line.strip_prefix("#define ")
                && inside
                && let Some(found_here) = parse_definition(definition)
            {
                found.insert(found_here);
            }
        }
        Ok(found)
    }

    /// The values of those macros that are integer constants.
    pub fn values(&self, macros: &BTreeSet<Macro>) -> Result<BTreeMap<String, Constant>> {
        let scratch = tempfile::tempdir()?;
        let source = scratch.path().join("probe.c");
        let mut candidates: Vec<&Macro> = macros.iter().collect();
        loop {
            std::fs::write(&source, self.probe(&candidates))?;
            let mut clang = self.clang();
            clang
                .args(["-w", "-S", "-ferror-limit=0", "-o", "-"])
                .arg(&source);
            process::announce(&clang);
            let output = clang.output().context(NEEDS_CLANG)?;
            if output.status.success() {
                return parse_answers(&String::from_utf8(output.stdout)?);
            }
            // What is no constant is an error on the line of its question.
            let errors = String::from_utf8_lossy(&output.stderr);
            let bad: BTreeSet<usize> = errors.lines().filter_map(error_line).collect();
            let before = candidates.len();
            candidates = candidates
                .into_iter()
                .enumerate()
                .filter(|(i, _)| !bad.contains(&(i + 1)))
                .map(|(_, m)| m)
                .collect();
            if candidates.len() == before {
                bail!("clang cannot compile the headers\n{}", errors.trim_end());
            }
        }
    }

    /// A program that asks for each macro on a line of its own.
    fn probe(&self, macros: &[&Macro]) -> String {
        let mut text = self.includes();
        text.push_str(
            "#define ASK(name, value) __asm__ volatile(\".ascii \\\"@@ \" name \" %c0 %c1 %c2\\\"\" \
             : : \"i\"((long long)(value)), \"i\"(sizeof(value)), \
             \"i\"((__typeof__(value))-1 < (__typeof__(value))1))\n\
             void probe(void) {\n",
        );
        text.push_str("#line 1 \"question\"\n");
        for m in macros {
            text.push_str(&format!("ASK(\"{}\", {});\n", m.name, m.call()));
        }
        text.push_str("#line 1 \"end\"\n}\n");
        text
    }
}

const NEEDS_CLANG: &str = "this needs clang; on Debian it is in the package clang";

/// `NAME value` or `NAME(a, b) value`; nothing for an empty macro.
fn parse_definition(text: &str) -> Option<Macro> {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let (params, body) = match rest.strip_prefix('(') {
        Some(rest) => {
            let (list, body) = rest.split_once(')')?;
            let count = if list.trim().is_empty() {
                0
            } else {
                list.split(',').count()
            };
            (Some(count), body)
        }
        None => (None, rest),
    };
    (!body.trim().is_empty()).then(|| Macro {
        name: name.to_owned(),
        params,
    })
}

/// The number in `question:12:5: error: ...`.
fn error_line(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("question:")?;
    if !rest.contains(" error: ") {
        return None;
    }
    rest.split(':').next()?.parse().ok()
}

fn parse_answers(assembly: &str) -> Result<BTreeMap<String, Constant>> {
    let mut found = BTreeMap::new();
    for line in assembly.lines() {
        let Some((_, answer)) = line.split_once("\"@@ ") else {
            continue;
        };
        let words: Vec<&str> = answer.trim_end_matches('"').split(' ').collect();
        let [name, value, bytes, signed] = words[..] else {
            bail!("clang wrote something unexpected: {line}");
        };
        let value: i64 = value.parse()?;
        let signed = signed != "0";
        found.insert(
            name.to_owned(),
            Constant {
                value: if signed {
                    value.into()
                } else {
                    // The question widened it to a signed type.
                    value.cast_unsigned().into()
                },
                bytes: bytes.parse()?,
                signed,
            },
        );
    }
    Ok(found)
}

/// The headers of Xen's ABI in `dir`, which holds a directory `xen`.
pub fn abi_headers(arch: Arch, dir: &Path) -> Headers {
    Headers {
        arch,
        // Behind the compiler's own headers, as `dir` may hold a libc as well.
        args: vec![
            format!("-idirafter{}", dir.display()),
            // Xen's own domctl.h is for those who say that they are tools, and
            // brings a header along that needs GNU C.
            "-D__XEN_TOOLS__".into(),
            "-std=gnu11".into(),
        ],
        names: crate::bindings::ABI_HEADERS.map(String::from).to_vec(),
    }
}

/// Where those headers are.
pub fn abi_dir(dir: &Path) -> PathBuf {
    dir.join("xen")
}
