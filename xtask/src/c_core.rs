// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C side by itself, as a C project meets it: the core, the examples and
//! every header, with several compilers, targets and standards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::bindings::{ABI_HEADERS, INTERFACE_VERSION};
use crate::legs::Tally;
use crate::process;
use crate::setup::{self, Need};

const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];

/// The hosted build is clang's and gcc's; these are freestanding.
const BARE_TARGETS: [&str; 3] = [
    "aarch64-unknown-none",
    "x86_64-unknown-none",
    "armv7a-none-eabi",
];

/// Where Debian puts the official headers.
pub const OFFICIAL_HEADERS: &str = "/usr/include";

/// How to compile: a name for messages, the program, its first arguments.
struct Compiler {
    name: String,
    program: &'static str,
    args: Vec<String>,
}

impl Compiler {
    fn host(program: &'static str) -> Self {
        Compiler {
            name: program.to_owned(),
            program,
            args: Vec::new(),
        }
    }

    fn bare(target: &str) -> Self {
        Compiler {
            name: format!("clang for {target}"),
            program: "clang",
            args: vec![format!("--target={target}"), "-ffreestanding".into()],
        }
    }

    /// With our headers in front and Xen's from the folder that `xen` names.
    fn command(&self, xen: &[String]) -> Command {
        let mut command = Command::new(self.program);
        command
            .args(&self.args)
            .args(WARNINGS)
            .arg("-I")
            .arg(process::workspace().join("include"))
            .args(xen);
        command
    }
}

/// Compile everything every way; each combination is one check.
pub fn compile(tally: &mut Tally) -> Result<()> {
    setup::require(&[Need::Clang, Need::XenHeaders])?;
    let header_sets = [
        ("our headers", ours()),
        // Behind the compiler's own folders, as in build.rs.
        (
            "Xen's headers",
            vec!["-idirafter".into(), OFFICIAL_HEADERS.into()],
        ),
    ];
    let core = sources("csrc")?;
    let hosted: Vec<PathBuf> = core.iter().cloned().chain(sources("examples/c")?).collect();

    let mut hosts = vec![Compiler::host("clang")];
    if process::find_program("gcc").is_some() {
        hosts.push(Compiler::host("gcc"));
    }
    let bare = BARE_TARGETS.map(Compiler::bare);
    let objects = tempfile::tempdir()?;
    for (set, xen) in &header_sets {
        for (compiler, files) in hosts
            .iter()
            .map(|host| (host, &hosted))
            .chain(bare.iter().map(|bare| (bare, &core)))
        {
            for enums in [None, Some("-fshort-enums")] {
                let what = format!("{}, {set} {}", compiler.name, enums.unwrap_or_default());
                let mut command = compiler.command(xen);
                command
                    .args(["-std=c11", "-c"])
                    .args(enums)
                    .args(files)
                    .current_dir(objects.path());
                tally.check(what.trim_end(), process::output(&mut command).map(drop));
            }
        }
    }
    println!("core and examples compiled: {tally}");
    for compiler in &hosts {
        headers_alone(compiler, objects.path(), tally)?;
    }
    println!("with each header by itself: {tally}");
    Ok(())
}

fn ours() -> Vec<String> {
    let abi = process::workspace().join("include/abi");
    vec!["-isystem".into(), abi.display().to_string()]
}

/// Every header is complete by itself, in C11 and C++11.
fn headers_alone(compiler: &Compiler, scratch: &Path, tally: &mut Tally) -> Result<()> {
    let mut headers: Vec<String> = ABI_HEADERS.map(str::to_owned).into();
    for folder in ["xen_guest", "zephyr/xen"] {
        let path = process::workspace().join("include").join(folder);
        for file in files(&path, "h")? {
            let name = file.file_name().context("a header has a name")?;
            headers.push(format!("{folder}/{}", name.to_string_lossy()));
        }
    }
    let mut languages = vec![("c", "-std=c11")];
    if compiler.program != "gcc" || process::find_program("g++").is_some() {
        languages.push(("c++", "-std=c++11"));
    }
    for header in &headers {
        for (language, standard) in &languages {
            let file = scratch.join("alone");
            // Nothing before it: the header must bring what it uses. Something
            // after it, as a translation unit must not be empty.
            fs::write(&file, format!("#include <{header}>\nextern int end;\n"))?;
            let mut command = compiler.command(&ours());
            command
                .args(["-fsyntax-only", "-x", language, standard])
                .args(header.starts_with("xen/").then_some(INTERFACE_VERSION))
                .arg(&file);
            tally.check(
                &format!("{}: {header} alone with {standard}", compiler.name),
                process::output(&mut command).map(drop),
            );
        }
    }
    Ok(())
}

/// The C files of a folder of the repository.
fn sources(folder: &str) -> Result<Vec<PathBuf>> {
    files(&process::workspace().join(folder), "c")
}

fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == extension) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
