// SPDX-License-Identifier: MIT OR Apache-2.0
//! The C API's documentation: the headers, through doxygen.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use super::comments;
use crate::process;
use crate::setup::{self, Need};

/// Our headers; those of Xen's interface, in `include/abi`, are Xen's.
const FOLDERS: [&str; 3] = ["xen_guest", "zephyr/xen", "sel4vm"];

const MAIN_PAGE: &str = "/** @mainpage
 * The C API of xen-guest. xen_guest/guest.h sets a guest up over the hooks in
 * xen_guest/platform.h, and includes the headers for event channels, grant
 * tables, memory and regions. By themselves are
 *
 * - xen_guest/guest_memory.h: the memory of other domains, and what becomes of
 *   their accesses, over xen_guest/ioreq.h
 * - xen_guest/sim.h: the simulated Xen, for tests
 *
 * The headers in zephyr/xen and sel4vm have the same calls under the names of
 * Zephyr and libsel4vm, for the guest that is current.
 *
 * Failures are negative numbers of xen_guest/errno.h.
 */
";

pub fn build() -> Result<()> {
    setup::require(&[Need::Doxygen])?;
    let folder = process::target_folder("c-docs")?;
    let input = folder.join("include");
    if input.exists() {
        fs::remove_dir_all(&input)?;
    }
    for name in FOLDERS {
        mark_up(
            &process::workspace().join("include").join(name),
            &input.join(name),
        )?;
    }
    fs::write(input.join("mainpage.h"), MAIN_PAGE)?;
    let settings = folder.join("Doxyfile");
    fs::write(&settings, doxyfile(&folder))?;
    process::output(Command::new("doxygen").arg("-q").arg(&settings))
        .context("doxygen has something to say about the headers")?;
    println!("{}", folder.join("html/index.html").display());
    Ok(())
}

/// The headers of one folder; it may not be there.
fn mark_up(from: &Path, to: &Path) -> Result<()> {
    if !from.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().context("a file has a name")?;
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        fs::write(to.join(name), comments::mark_up(&text))?;
    }
    Ok(())
}

fn doxyfile(folder: &Path) -> String {
    let input = folder.join("include");
    let input = input.display();
    let mut file = String::new();
    for (key, value) in [
        ("PROJECT_NAME", "xen-guest"),
        ("OUTPUT_DIRECTORY", &folder.display().to_string()),
        ("INPUT", &input.to_string()),
        ("STRIP_FROM_PATH", &input.to_string()),
        ("STRIP_FROM_INC_PATH", &input.to_string()),
        ("RECURSIVE", "YES"),
        ("FILE_PATTERNS", "*.h"),
        ("OPTIMIZE_OUTPUT_FOR_C", "YES"),
        ("JAVADOC_AUTOBRIEF", "YES"),
        // The comments are plain text.
        ("MARKDOWN_SUPPORT", "NO"),
        ("GENERATE_LATEX", "NO"),
        ("HAVE_DOT", "NO"),
        ("MACRO_EXPANSION", "YES"),
        ("PREDEFINED", "__attribute__(x)="),
        ("WARN_IF_UNDOCUMENTED", "YES"),
        ("WARN_IF_INCOMPLETE_DOC", "NO"),
        ("WARN_AS_ERROR", "FAIL_ON_WARNINGS"),
    ] {
        let _ = writeln!(file, "{key} = \"{value}\"");
    }
    file
}
