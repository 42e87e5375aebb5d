// SPDX-License-Identifier: MIT OR Apache-2.0
//! `include/xen_guest/sim.h`: the simulator's C API, written by cbindgen from
//! the Rust that implements it.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use cbindgen::{Builder, Config, DocumentationLength, DocumentationStyle, ExportConfig, Language};

use crate::process;

/// The header, in the repository.
pub const PATH: &str = "include/xen_guest/sim.h";

/// What it is made from.
const SOURCES: &str = "src/sim/c_api";

/// Its files, in the order in which a reader wants them.
const FILES: [&str; 10] = [
    "machine",
    "domain",
    "guest",
    "interrupts",
    "memory",
    "access",
    "device",
    "faults",
    "peer",
    "trace",
];

const HEAD: &str = "\
/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Written by cargo xtask bindings; do not edit. */
/*
 * A simulated Xen for tests in C: several domains in one process, each with a
 * guest of this library, and everything that goes wrong on demand.
 *
 *	struct xg_sim *sim = xg_sim_create(XG_SIM_OPEN);
 *	struct xg_sim_domain *domain;
 *	struct xg_guest *guest;
 *
 *	xg_sim_domain_create(sim, NULL, &domain);
 *	xg_sim_guest_init(domain, NULL, &guest);
 *	... xg_evtchn_alloc_unbound(guest, ...) ...
 *	xg_sim_guest_fini(domain);
 *	assert(xg_sim_leaks(sim, NULL) == 0);
 *	xg_sim_destroy(sim);
 *
 * Ownership. A machine owns its domains, a domain its guest and its memory;
 * all of it lives until xg_sim_destroy(), whatever happens to the domain. What
 * a function is given stays the caller's, and is not kept, but for upcalls and
 * their data.
 *
 * Threads. Everything may be called by several threads at once, and in event
 * handlers, unless said otherwise. xg_current() is each thread's own.
 *
 * Errors. Functions that return a number answer a negative -XG_E* of
 * errno.h, and 0 or what they say otherwise. -XG_EINVAL is for null pointers
 * where something is needed; any other address must be what the type says:
 * that of a machine or domain that was not destroyed, or of memory that can be
 * read or written. A text has room for as many bytes as are named beside it.
 * -XG_EIO from any function: the simulator gave up, with a message on standard
 * error; nothing but xg_sim_destroy() makes sense then.
 *
 * Mistakes that would do their harm quietly on a machine (a page freed twice,
 * a mapping where another frame belongs, an interrupt without end) end the
 * program with a message. Functions that are given here to be called must
 * return in the usual way: no longjmp, no C++ exception.
 *
 * How the simulator behaves, and what it assumes, is described for Rust: the
 * module `sim`. To link: libxen_guest_sim, which has the C core in it, as
 * `pkg-config --cflags --libs xen_guest_sim` says where it is installed.
 */";

/// What Rust calls it, and what C does. Types of other headers have no
/// `typedef`.
const NAMES: [(&str, &str); 10] = [
    ("XgSim", "xg_sim"),
    ("XgSimDomain", "xg_sim_domain"),
    ("XgSimDomainConfig", "xg_sim_domain_config"),
    ("XgSimGuestConfig", "xg_sim_guest_config"),
    ("XgSimLeaks", "xg_sim_leaks"),
    ("XgSimUpcall", "xg_sim_upcall_t"),
    ("XgSimBody", "xg_sim_body_t"),
    ("xg_guest", "struct xg_guest"),
    ("xg_platform", "struct xg_platform"),
    ("xg_window", "struct xg_window"),
];

/// The header's text.
pub fn generate(root: &Path) -> Result<String> {
    let config = Config {
        language: Language::C,
        cpp_compat: true,
        style: cbindgen::Style::Tag,
        header: Some(HEAD.to_owned()),
        include_guard: Some("XEN_GUEST_SIM_H".to_owned()),
        no_includes: true,
        sys_includes: vec!["stdbool.h".to_owned(), "stdint.h".to_owned()],
        includes: vec!["guest.h".to_owned()],
        documentation_style: DocumentationStyle::Doxy,
        documentation_length: DocumentationLength::Full,
        export: ExportConfig {
            rename: NAMES.map(|(rust, c)| (rust.into(), c.into())).into(),
            ..ExportConfig::default()
        },
        ..Config::default()
    };
    let mut builder = Builder::new().with_config(config);
    for file in FILES {
        builder = builder.with_src(root.join(SOURCES).join(file).with_extension("rs"));
    }
    let bindings = builder
        .generate()
        .with_context(|| format!("cannot describe {SOURCES} to C"))?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    clang_format(root, &plain_comments(&String::from_utf8(text)?))
}

/// Comments as in the other headers: nothing but text, on one line where that
/// is enough, and none where there is nothing to say.
fn plain_comments(text: &str) -> String {
    let mut plain = String::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim() != "/**" {
            plain += line.split(" //").next().unwrap_or(line);
            plain.push('\n');
            continue;
        }
        let comment: Vec<&str> = std::iter::from_fn(|| lines.next_if(|line| line.trim() != "*/"))
            .map(|line| line.trim_start().trim_start_matches('*').trim_end())
            .collect();
        lines.next();
        if let [one] = comment[..]
            && one.len() < 72
        {
            plain += &format!("/*{one} */\n");
        } else {
            let lines: Vec<String> = comment.iter().map(|line| format!(" *{line}\n")).collect();
            plain += &format!("/*\n{} */\n", lines.concat());
        }
    }
    plain
}

/// As the style check wants it.
fn clang_format(root: &Path, text: &str) -> Result<String> {
    let mut command = Command::new("clang-format");
    command
        .current_dir(root)
        .arg(format!("--assume-filename={PATH}"));
    process::filter(&mut command, text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn comments_lose_their_frills() {
        let text =
            "/**\n * One.\n */\nint a;\n\n/**\n * Two\n *\n *   lines.\n */\nint b;\n#endif // c\n";
        assert_eq!(
            plain_comments(text),
            "/* One. */\nint a;\n\n/*\n * Two\n *\n *   lines.\n */\nint b;\n#endif\n"
        );
    }

    #[test]
    fn every_file_of_the_c_api_is_read() -> Result<()> {
        let root = process::workspace();
        let mut named: Vec<String> = FILES.map(|file| format!("{file}.rs")).into();
        named.push("mod.rs".into());
        named.sort();
        let mut there = Vec::new();
        for entry in fs::read_dir(root.join(SOURCES))? {
            there.push(entry?.file_name().to_string_lossy().into_owned());
        }
        there.sort();
        assert_eq!(named, there);
        Ok(())
    }
}
