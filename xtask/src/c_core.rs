// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C side by itself, as a C project meets it: the core, the examples and
//! every header, with several compilers, targets and standards.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use crate::bindings::{ABI_HEADERS, INTERFACE_VERSION};
use crate::legs::Tally;
use crate::process;
use crate::setup::{self, Need};

pub const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror"];

/// The hosted build is clang's and gcc's; these and those of [`CROSS_GCC`] are
/// freestanding.
const BARE_TARGETS: [&str; 3] = [
    "aarch64-unknown-none",
    "x86_64-unknown-none",
    "armv7a-none-eabi",
];

/// gcc has a program for each target.
const CROSS_GCC: [&str; 2] = ["aarch64-linux-gnu-gcc", "arm-linux-gnueabi-gcc"];

/// What newlib's stdint.h says on 32-bit Arm, where others have `unsigned int`.
const NEWLIB_UINT32: [&str; 2] = ["-U__UINT32_TYPE__", "-D__UINT32_TYPE__=unsigned long"];

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

    fn cross(program: &'static str) -> Self {
        Compiler {
            name: program.to_owned(),
            program,
            args: vec!["-ffreestanding".into()],
        }
    }

    fn newlib() -> Self {
        let mut compiler = Self::cross(CROSS_GCC[1]);
        compiler.name += " with newlib's types";
        compiler.args.extend(NEWLIB_UINT32.map(str::to_owned));
        compiler
    }

    /// Whether it can compile C++ too: gcc's is a program of its own.
    fn has_cpp(&self) -> bool {
        match self.program {
            "clang" => true,
            "gcc" => process::find_program("g++").is_some(),
            _ => false,
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
    setup::require(&[
        Need::Clang,
        Need::Lld,
        Need::XenHeaders,
        Need::XenCompiler,
        Need::GccArm,
    ])?;
    let header_sets = [
        ("our headers", ours()),
        // Behind the compiler's own folders, as in build.rs.
        (
            "Xen's headers",
            vec!["-idirafter".into(), OFFICIAL_HEADERS.into()],
        ),
    ];
    let mut core = sources("csrc")?;
    // Types differ between these, and must fit everywhere.
    core.push(process::workspace().join("tests/c/prototypes.c"));
    let hosted: Vec<PathBuf> = core.iter().cloned().chain(sources("examples/c")?).collect();

    let mut hosts = vec![Compiler::host("clang")];
    if process::find_program("gcc").is_some() {
        hosts.push(Compiler::host("gcc"));
    }
    let bare: Vec<Compiler> = BARE_TARGETS
        .map(Compiler::bare)
        .into_iter()
        .chain(CROSS_GCC.map(Compiler::cross))
        .chain([Compiler::newlib()])
        .collect();
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
                command.args(["-std=c11"]).args(enums);
                if enums.is_none() && *set == header_sets[0].0 {
                    // Some warnings come with optimisation only.
                    command.args(["-O2", "-c"]);
                } else {
                    command.arg("-fsyntax-only");
                }
                command.args(files).current_dir(objects.path());
                tally.check(what.trim_end(), process::output(&mut command).map(drop));
            }
        }
    }
    for target in ["aarch64-unknown-none", "x86_64-unknown-none"] {
        let result = link_unoptimized(target, objects.path());
        tally.check(&format!("core for {target}, not optimized"), result);
    }
    println!("core and examples compiled: {tally}");
    for compiler in &hosts {
        headers_alone(compiler, objects.path(), tally)?;
    }
    c_linkage(tally)?;
    println!("with each header by itself: {tally}");
    for compiler in hosts.iter().chain(&bare) {
        headers_together(compiler, objects.path(), tally)?;
    }
    for compiler in &hosts {
        among_others_headers(compiler, objects.path(), tally)?;
    }
    println!("with all of them, and others': {tally}");
    Ok(())
}

/// The core refers to nothing but itself, and to what compilers call: not even
/// where nobody leaves out what never runs.
fn link_unoptimized(target: &str, scratch: &Path) -> Result<()> {
    let objects = scratch.join(target);
    fs::create_dir_all(&objects)?;
    let mut compile = Compiler::bare(target).command(&ours());
    compile.args(["-std=c11", "-O0", "-c"]);
    process::output(compile.args(sources("csrc")?).current_dir(&objects))?;
    let mut link = Command::new("ld.lld");
    link.args(["--entry=0", "-o", "core"])
        .args(["memcmp", "memcpy", "memset"].map(|name| format!("--defsym={name}=0")))
        .args(files(&objects, "o")?);
    process::output(link.current_dir(&objects)).map(drop)
}

/// Where Xen's headers are among ours.
pub fn ours() -> Vec<String> {
    let abi = process::workspace().join("include/abi");
    vec!["-isystem".into(), abi.display().to_string()]
}

/// Every header is complete by itself, in C11 and C++11.
fn headers_alone(compiler: &Compiler, scratch: &Path, tally: &mut Tally) -> Result<()> {
    for header in headers()? {
        for (language, standard) in languages(compiler) {
            let mut command = compiler.command(&ours());
            command
                .args(["-fsyntax-only", "-x", language, standard])
                .args(header.starts_with("xen/").then_some(INTERFACE_VERSION))
                .arg(unit(scratch, &[&header], "")?);
            tally.check(
                &format!("{}: {header} alone with {standard}", compiler.name),
                process::output(&mut command).map(drop),
            );
        }
    }
    Ok(())
}

/// A header that compiles as C++ may still declare functions that C++ would
/// look for under other names.
fn c_linkage(tally: &mut Tally) -> Result<()> {
    for header in headers()? {
        if header.starts_with("xen/") {
            continue; // Xen's declare no functions
        }
        let path = process::workspace().join("include").join(&header);
        let text = fs::read_to_string(&path)?;
        let result = if !declares_functions(&text) || text.contains("extern \"C\" {") {
            Ok(())
        } else {
            Err(anyhow!("it declares functions without extern \"C\""))
        };
        tally.check(&header, result);
    }
    Ok(())
}

/// Whether there is one at the start of a line: `<type> <name>(...`.
fn declares_functions(header: &str) -> bool {
    header.lines().any(|line| {
        let declares = line.split_once('(').is_some_and(|(before, _)| {
            before.contains(' ')
                && before
                    .chars()
                    .all(|c| c.is_alphanumeric() || " _*".contains(c))
        });
        let starts = line.starts_with(|c: char| c.is_alphabetic());
        starts && declares && !line.starts_with("typedef")
    })
}

/// All headers in one file, first to last and last to first.
fn headers_together(compiler: &Compiler, scratch: &Path, tally: &mut Tally) -> Result<()> {
    let mut headers = headers()?;
    for order in ["all headers", "all headers, last first"] {
        let names: Vec<&str> = headers.iter().map(String::as_str).collect();
        for (language, standard) in languages(compiler) {
            let mut command = compiler.command(&ours());
            command
                .args(["-fsyntax-only", "-fshort-enums", "-x", language, standard])
                .arg(INTERFACE_VERSION)
                .arg(unit(scratch, &names, "")?);
            tally.check(
                &format!("{}: {order} with {standard}", compiler.name),
                process::output(&mut command).map(drop),
            );
        }
        headers.reverse();
    }
    Ok(())
}

/// A project that has Zephyr and, as Zephyr does, Xen's headers under a name of
/// its own.
fn among_others_headers(compiler: &Compiler, scratch: &Path, tally: &mut Tally) -> Result<()> {
    let others = scratch.join("others");
    let public = others.join("zephyr/xen/public");
    fs::create_dir_all(others.join("zephyr/xen"))?;
    if !public.exists() {
        std::os::unix::fs::symlink(Path::new(OFFICIAL_HEADERS).join("xen"), &public)?;
    }
    fs::write(
        others.join("zephyr/kernel.h"),
        "#pragma once\nstruct k_sem { int count; };\n",
    )?;

    let ours_first = [
        "xen/grant_table.h",
        "xen/memory.h",
        "zephyr/xen/public/xen.h",
        "zephyr/xen/public/grant_table.h",
        "zephyr/xen/public/memory.h",
        "zephyr/xen/public/event_channel.h",
    ];
    let mut theirs_first = ours_first;
    theirs_first.reverse();
    let faces = files(&process::workspace().join("include/zephyr/xen"), "h")?;
    let faces: Vec<String> = faces.iter().map(|face| include_name(face)).collect();
    // The types are there whoever they come from, and so is the kernel.
    let uses = "extern evtchn_status_t a; extern grant_ref_t b; extern xen_pfn_t c;\n\
                extern struct k_sem d; typedef char complete[sizeof(d)];\n";
    for (order, public) in [
        ("our headers, then Zephyr's", &ours_first),
        ("Zephyr's headers, then ours", &theirs_first),
    ] {
        // Xen's own headers take it for granted.
        let names: Vec<&str> = ["stdint.h"]
            .into_iter()
            .chain(public.iter().copied())
            .chain(faces.iter().map(String::as_str))
            .collect();
        for (language, standard) in languages(compiler) {
            let mut command = compiler.command(&ours());
            command
                .args(["-fsyntax-only", "-x", language, standard])
                .arg(INTERFACE_VERSION)
                .arg("-isystem")
                .arg(&others)
                .arg(unit(scratch, &names, uses)?);
            tally.check(
                &format!("{}: {order} with {standard}", compiler.name),
                process::output(&mut command).map(drop),
            );
        }
    }
    for face in &faces {
        let mut command = compiler.command(&ours());
        command
            .args(["-fsyntax-only", "-x", "c", "-std=c11"])
            .arg("-isystem")
            .arg(&others)
            .arg(unit(
                scratch,
                &[face],
                "extern struct k_sem d;\ntypedef char complete[sizeof(d)];\n",
            )?);
        tally.check(
            &format!("{}: {face} brings Zephyr's kernel", compiler.name),
            process::output(&mut command).map(drop),
        );
    }
    let mut command = compiler.command(&ours());
    command
        .args(["-std=c11", "-c"])
        .arg("-isystem")
        .arg(&others)
        .args(sources("csrc")?)
        .current_dir(scratch);
    tally.check(
        &format!("{}: the core with Zephyr in the path", compiler.name),
        process::output(&mut command).map(drop),
    );
    Ok(())
}

/// A file that includes these, and has something in it: a translation unit
/// must not be empty. Nothing comes before them, as each must bring what it
/// uses.
fn unit(scratch: &Path, headers: &[&str], rest: &str) -> Result<PathBuf> {
    let includes: String = headers
        .iter()
        .map(|header| format!("#include <{header}>\n"))
        .collect();
    let file = scratch.join("unit");
    fs::write(&file, format!("{includes}{rest}extern int end;\n"))?;
    Ok(file)
}

fn languages(compiler: &Compiler) -> Vec<(&'static str, &'static str)> {
    let mut languages = vec![("c", "-std=c11")];
    if compiler.has_cpp() {
        languages.push(("c++", "-std=c++11"));
    }
    languages
}

/// Xen's that we have, and all of our own.
fn headers() -> Result<Vec<String>> {
    let include = process::workspace().join("include");
    let mut headers: Vec<String> = ABI_HEADERS.map(str::to_owned).into();
    let mut folders = vec![include.clone()];
    while let Some(folder) = folders.pop() {
        headers.extend(files(&folder, "h")?.iter().map(|file| include_name(file)));
        let entries =
            fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() && path != include.join("abi") {
                folders.push(path);
            }
        }
    }
    Ok(headers)
}

/// How a header of ours is included.
fn include_name(header: &Path) -> String {
    let include = process::workspace().join("include");
    let name = header.strip_prefix(&include).unwrap_or(header);
    name.to_string_lossy().into_owned()
}

/// The C files of a folder of the repository.
pub fn sources(folder: &str) -> Result<Vec<PathBuf>> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_of_functions_are_seen() {
        assert!(declares_functions("/* a */\nint f(void);\n"));
        assert!(declares_functions("struct xg_guest *xg_current(void);"));
        assert!(declares_functions("const char *name(int n,\n\t\tint m);"));
        assert!(!declares_functions("typedef void (*handler)(void *);"));
        assert!(!declares_functions(
            "#define F(x) (x)\nstruct s {\n\tint (*f)(int);\n};"
        ));
        assert!(!declares_functions(" * int f(void);\nextern int f;"));
    }
}
