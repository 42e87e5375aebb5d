// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed Rust bindings: written here, so that nobody who builds the
//! crate needs libclang. The other way round, the simulator's C header.
//!
//! Xen's structures differ between architectures, so each has its own file.
//! The library's own headers are written not to, and must yield one text.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};
use bindgen::callbacks::{DeriveTrait, ImplementsTrait, IntKind, ParseCallbacks};

use quote::ToTokens;
use syn::visit::Visit;

use crate::abi::probe::{self, Headers};
use crate::process;
use crate::setup::{self, Need};
use crate::sim_header;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write nothing; fail if a committed file is not what would be written.
    #[arg(long)]
    pub check: bool,
}

/// An architecture Xen and this crate both know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arch {
    Aarch64,
    X86_64,
}

impl Arch {
    pub const ALL: [Self; 2] = [Self::Aarch64, Self::X86_64];

    /// As in `cfg(target_arch)`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aarch64 => "aarch64",
            Self::X86_64 => "x86_64",
        }
    }

    /// The clang target; a bare one, as firmware has.
    fn clang_target(self) -> String {
        format!("--target={}-unknown-none", self.name())
    }
}

/// The ABI headers, relative to the directory that holds them. The same list
/// serves for Xen's own.
pub const ABI_HEADERS: [&str; 15] = [
    "xen/xen-compat.h",
    "xen/xen.h",
    "xen/event_channel.h",
    "xen/grant_table.h",
    "xen/memory.h",
    "xen/domctl.h",
    "xen/sched.h",
    "xen/vcpu.h",
    "xen/hvm/hvm_op.h",
    "xen/hvm/params.h",
    "xen/hvm/dm_op.h",
    "xen/hvm/ioreq.h",
    "xen/version.h",
    "xen/features.h",
    "xen/errno.h",
];

/// The interface version that the core asks for.
pub const INTERFACE_VERSION: &str = "-D__XEN_INTERFACE_VERSION__=0x00040e00";

const FFI: &str = "src/ffi";

/// What clang is given for every header. Without `-nostdlibinc` it would look
/// into the host's directories, and find Xen's own headers there.
pub fn clang_args(arch: Arch) -> [String; 5] {
    [
        arch.clang_target(),
        "-std=c11".into(),
        "-ffreestanding".into(),
        "-nostdlibinc".into(),
        INTERFACE_VERSION.into(),
    ]
}

pub fn run(args: &Args) -> Result<()> {
    setup::require(&[Need::LibClang, Need::Clang, Need::ClangFormat])?;
    let root = root();
    let files = generate(&root)?;
    let mut stale = Vec::new();
    for (path, text) in &files {
        let file = root.join(path);
        let old = fs::read_to_string(&file).unwrap_or_default();
        if old == *text {
            continue;
        }
        if args.check {
            stale.push(describe_difference(path, &old, text));
        } else {
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
            println!("bindings: wrote {path}");
        }
    }
    if !stale.is_empty() {
        bail!(
            "the committed bindings are not those of the headers; run `cargo xtask bindings`\n{}",
            stale.join("\n")
        );
    }
    println!("bindings: {} files are current", files.len());
    Ok(())
}

/// The repository.
pub fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// Every generated file: its path in the repository, and its text.
fn generate(root: &Path) -> Result<Vec<(String, String)>> {
    let abi_dir = root.join("include/abi");
    let mut files = Vec::new();
    let mut shared: Option<BTreeSet<String>> = None;
    for arch in Arch::ALL {
        let text = abi(arch, &abi_dir)?;
        let names = type_names(&text)?;
        shared = Some(match shared {
            None => names,
            Some(before) => &before & &names,
        });
        files.push((format!("{FFI}/abi_{}.rs", arch.name()), text));
    }
    let shared = shared.unwrap_or_default();

    let headers = core_headers(root)?;
    let [one, two] = Arch::ALL;
    let text = core(one, root, &headers, &shared)?;
    let other = core(two, root, &headers, &shared)?;
    if text != other {
        bail!(
            "include/xen_guest means different things on {} and {}, so one file cannot serve \
             both; use types of fixed width\n{}",
            one.name(),
            two.name(),
            describe_difference("bindings.rs", &text, &other)
        );
    }
    files.push((format!("{FFI}/bindings.rs"), text));
    files.push((sim_header::PATH.to_owned(), sim_header::generate(root)?));
    Ok(files)
}

/// Bindings of the ABI headers in `dir`, as they are committed.
fn abi(arch: Arch, dir: &Path) -> Result<String> {
    // Of the many handle types, structures contain only the others.
    let handles: &[&str] = match arch {
        Arch::Aarch64 => &["__guest_handle_[a-z].*", "__guest_handle_64_const_.*"],
        Arch::X86_64 => &["__guest_handle_const_.*"],
    };
    let mut text = bind_abi(arch, dir, |mut builder| {
        for name in handles {
            builder = builder.blocklist_type(name);
        }
        // bindgen gets bit fields of mixed types wrong; its own assertion
        // says so.
        builder.opaque_type("buf_ioreq")
    })?;
    let headers = probe::abi_headers(arch, dir);
    text.push_str(&missing_constants(
        &text,
        &headers,
        &probe::abi_dir(dir),
        "",
    )?);
    finish(&text, &[])
}

/// What bindgen makes of the ABI headers in `dir`, which holds a directory
/// `xen`: ours, or Xen's own.
pub fn bind_abi(
    arch: Arch,
    dir: &Path,
    options: impl Fn(bindgen::Builder) -> bindgen::Builder,
) -> Result<String> {
    let scratch = tempfile::tempdir()?;
    let headers = probe::abi_headers(arch, dir);
    let files = escape(&probe::abi_dir(dir).display().to_string());
    let generated = options(builder(&headers, scratch.path())?)
        .allowlist_file(format!("{files}/.*"))
        .generate()
        .with_context(|| format!("cannot bind {} for {}", dir.display(), arch.name()))?;
    Ok(generated.to_string())
}

/// Bindings of the library's own headers. Xen's types come from the `abi`
/// module, so that there is one definition of each.
fn core(arch: Arch, root: &Path, names: &[String], xen: &BTreeSet<String>) -> Result<String> {
    let scratch = tempfile::tempdir()?;
    let include = root.join("include");
    let headers = Headers {
        arch,
        args: vec![
            format!("-I{}", include.display()),
            format!("-I{}", include.join("abi").display()),
        ],
        names: names.to_vec(),
    };
    let mut builder = builder(&headers, scratch.path())?.allowlist_item("(xg|XG)_.*");
    for name in xen {
        builder = builder.blocklist_type(escape(name));
    }
    let mut text = builder
        .generate()
        .with_context(|| format!("cannot bind include/xen_guest for {}", arch.name()))?
        .to_string();
    text.push_str(&missing_constants(
        &text,
        &headers,
        &include.join("xen_guest"),
        "XG_",
    )?);
    let used = types_used(&text)?;
    let used: Vec<&str> = xen.intersection(&used).map(String::as_str).collect();
    finish(&text, &used)
}

/// Constants that bindgen leaves out because the macro is more than a literal
/// and a few operators. Those it has are checked on the way.
fn missing_constants(text: &str, headers: &Headers, dir: &Path, prefix: &str) -> Result<String> {
    let file = syn::parse_file(text).context("bindgen wrote something that is not Rust")?;
    let mut known = BTreeMap::new();
    for item in &file.items {
        if let syn::Item::Const(item) = item {
            let value = item.expr.to_token_stream().to_string().replace(' ', "");
            known.insert(item.ident.to_string(), value);
        }
    }
    let mut macros = headers.macros(dir)?;
    macros.retain(|m| m.params.is_none() && m.name.starts_with(prefix));
    let mut missing = String::new();
    for (name, constant) in headers.values(&macros)? {
        let value = constant.value.to_string();
        match known.get(&name) {
            Some(known) if *known == value => {}
            Some(known) => bail!("bindgen takes {name} for {known}, but it is {value}"),
            None => {
                // As bindgen types the others.
                let ty = if u32::try_from(constant.value).is_ok() {
                    "u32"
                } else if i32::try_from(constant.value).is_ok() {
                    "i32"
                } else if constant.value > 0 {
                    "u64"
                } else {
                    "i64"
                };
                missing.push_str(&format!("pub const {name}: {ty} = {value};\n"));
            }
        }
    }
    Ok(missing)
}

/// What all bindings have in common.
fn builder(headers: &Headers, scratch: &Path) -> Result<bindgen::Builder> {
    // bindgen panics when it does not find the library.
    clang_sys::load().map_err(|error| {
        anyhow!("libclang is missing; on Debian it is in libclang-14-dev\n{error}")
    })?;
    let msrv = bindgen::RustTarget::stable(88, 0)
        .map_err(|_| anyhow!("bindgen does not know the crate's oldest compiler"))?;
    Ok(bindgen::Builder::default()
        .header(wrapper(scratch, &headers.names)?)
        .clang_args(clang_args(headers.arch))
        .clang_args(&headers.args)
        .parse_callbacks(Box::new(Callbacks))
        .use_core()
        .ctypes_prefix("::core::ffi")
        .rust_target(msrv)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .wrap_unsafe_ops(true)
        .merge_extern_blocks(true)
        .layout_tests(true)
        .derive_copy(true)
        .derive_debug(true)
        .derive_default(true)
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .disable_header_comment()
        .formatter(bindgen::Formatter::Prettyplease))
}

#[derive(Debug)]
struct Callbacks;

impl ParseCallbacks for Callbacks {
    /// bindgen counts in i64; what only fits u64 shows as hugely negative.
    fn int_macro(&self, _name: &str, value: i64) -> Option<IntKind> {
        (value < i64::from(i32::MIN)).then_some(IntKind::U64)
    }

    /// The blocked types are Xen's, whose bindings derive them.
    fn blocklisted_type_implements_trait(
        &self,
        _name: &str,
        derive: DeriveTrait,
    ) -> Option<ImplementsTrait> {
        matches!(derive, DeriveTrait::Copy).then_some(ImplementsTrait::Yes)
    }
}

/// A header that includes the others.
fn wrapper(dir: &Path, headers: &[String]) -> Result<String> {
    let mut text = String::from("#include <stdint.h>\n");
    for header in headers {
        text.push_str(&format!("#include <{header}>\n"));
    }
    let file = dir.join("wrapper.h");
    fs::write(&file, text)?;
    file.into_os_string()
        .into_string()
        .map_err(|name| anyhow!("not a name clang can be given: {}", name.to_string_lossy()))
}

/// The library's headers, as included. `sim.h` is made from Rust, not for it.
fn core_headers(root: &Path) -> Result<Vec<String>> {
    let dir = root.join("include/xen_guest");
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).with_context(|| format!("cannot list {}", dir.display()))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".h") && name != "sim.h" {
            names.push(format!("xen_guest/{name}"));
        }
    }
    names.sort();
    if names.is_empty() {
        bail!("no header in {}", dir.display());
    }
    Ok(names)
}

/// Names of the structures, unions and type aliases that a file defines.
fn type_names(text: &str) -> Result<BTreeSet<String>> {
    let file = syn::parse_file(text).context("bindgen wrote something that is not Rust")?;
    Ok(file
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Struct(item) => Some(item.ident.to_string()),
            syn::Item::Union(item) => Some(item.ident.to_string()),
            syn::Item::Type(item) => Some(item.ident.to_string()),
            _ => None,
        })
        .collect())
}

/// Names of the types that a file refers to.
fn types_used(text: &str) -> Result<BTreeSet<String>> {
    struct Names(BTreeSet<String>);
    impl Visit<'_> for Names {
        fn visit_type_path(&mut self, ty: &syn::TypePath) {
            if let Some(name) = ty.path.get_ident() {
                self.0.insert(name.to_string());
            }
            syn::visit::visit_type_path(self, ty);
        }
    }
    let mut names = Names(BTreeSet::new());
    names.visit_file(&syn::parse_file(text)?);
    Ok(names.0)
}

/// Put the head on, and format as `cargo fmt` would.
fn finish(generated: &str, from_abi: &[&str]) -> Result<String> {
    let mut text = String::from(
        "// SPDX-License-Identifier: MIT OR Apache-2.0\n\
         // Written by cargo xtask bindings; do not edit.\n\n",
    );
    if !from_abi.is_empty() {
        text.push_str(&format!("use super::abi::{{{}}};\n\n", from_abi.join(", ")));
    }
    text.push_str(generated);
    rustfmt(&text)
}

fn rustfmt(text: &str) -> Result<String> {
    let mut command = Command::new("rustfmt");
    command
        .args(["--quiet", "--config-path"])
        .arg(root().join("rustfmt.toml"));
    process::filter(&mut command, text)
        .context("`rustup component add rustfmt` installs what this needs")
}

/// The first line in which two texts differ.
fn describe_difference(name: &str, old: &str, new: &str) -> String {
    let (mut old, mut new) = (old.lines(), new.lines());
    let mut line = 0;
    loop {
        line += 1;
        let (a, b) = (old.next(), new.next());
        if a != b {
            return format!(
                "{name}:{line}\n  - {}\n  + {}",
                a.unwrap_or("(end)"),
                b.unwrap_or("(end)")
            );
        }
        if a.is_none() {
            return format!("{name}: line endings differ");
        }
    }
}

/// A regular expression that matches just this text.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() && c != '_' && c != '/' {
            out.push('\\');
        }
        out.push(c);
    }
    out
}
