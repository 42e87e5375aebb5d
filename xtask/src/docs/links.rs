// SPDX-License-Identifier: MIT OR Apache-2.0
//! Links in Markdown lead to files and headings that are there. Those to the
//! web are not followed.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::pages::{self, Link, Page};
use crate::legs::Tally;
use crate::process;

/// Pages that are rustdoc modules as well, where relative links lead nowhere:
/// they link by labels that `links.md` defines anew.
const GUIDE: &str = "src/guide/";
const LABELS: &str = "links.md";

pub fn check(tally: &mut Tally) -> Result<()> {
    let pages = pages::all()?;
    let labels = guide_labels()?;
    let modules = read(&format!("{GUIDE}mod.rs"))? + &read("src/lib.rs")?;
    for page in &pages {
        if let Some(name) = page.file.strip_prefix(GUIDE) {
            let quoted = modules.contains(&format!("{name}\"")) || name == LABELS;
            tally.check(&page.file, check_that(quoted, "no module has this page"));
        }
        for label in &page.undefined {
            let undefined = check_that(false, &format!("[{label}] is not defined"));
            tally.check(&page.file, undefined);
        }
        for link in &page.links {
            let what = format!("{}: {}", page.file, link.target);
            tally.check(&what, follow(page, link, &pages, &labels));
        }
    }
    Ok(())
}

fn check_that(holds: bool, otherwise: &str) -> Result<()> {
    ensure!(holds, "{otherwise}");
    Ok(())
}

fn read(file: &str) -> Result<String> {
    let path = process::workspace().join(file);
    fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))
}

/// Defined for the guide in rustdoc.
fn guide_labels() -> Result<Vec<String>> {
    let mut labels = Vec::new();
    for file in [LABELS, "mod.rs"] {
        labels.extend(definitions(&read(&format!("{GUIDE}{file}"))?));
    }
    Ok(labels)
}

/// The labels of `[label]: target`.
fn definitions(text: &str) -> Vec<String> {
    text.split('[')
        .filter_map(|rest| Some(rest.split_once("]: ")?.0))
        .filter(|label| !label.contains([']', '\n']))
        .map(str::to_owned)
        .collect()
}

fn follow(page: &Page, link: &Link, pages: &[Page], labels: &[String]) -> Result<()> {
    let (target, anchor) = link
        .target
        .split_once('#')
        .map_or((link.target.as_str(), None), |(file, anchor)| {
            (file, Some(anchor))
        });
    if target.contains("://") || target.starts_with("mailto:") {
        return Ok(());
    }
    if page.file.starts_with(GUIDE) && !target.is_empty() {
        let label = link.label.as_ref().context("the guide links by labels")?;
        ensure!(labels.contains(label), "{label} is not in links.md");
    }
    let file = if target.is_empty() {
        PathBuf::from(&page.file)
    } else {
        normal(&page.folder().join(target))
    };
    ensure!(
        process::workspace().join(&file).exists(),
        "there is no {}",
        file.display()
    );
    let Some(anchor) = anchor else {
        return Ok(());
    };
    let there = pages
        .iter()
        .find(|page| Path::new(&page.file) == file)
        .is_some_and(|page| page.anchors.iter().any(|a| a == anchor));
    ensure!(there, "{} has no heading {anchor}", file.display());
    Ok(())
}

/// Without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => _ = normal.pop(),
            Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_found() {
        let text = "[a]: crate::A\ndoc = \"[b]: crate::b\"\n[c] d [e]\n";
        assert_eq!(definitions(text), ["a", "b"]);
    }

    #[test]
    fn links_are_followed() {
        let readme = Page::read("README.md", "# One\n");
        let guide = Page::read("src/guide/x.md", "");
        let pages = [readme, guide];
        let labels = ["top".to_owned()];
        let link = |target: &str, label: Option<&str>| Link {
            target: target.to_owned(),
            label: label.map(str::to_owned),
        };
        let from = |page: &Page, link: Link| follow(page, &link, &pages, &labels).is_ok();

        assert!(from(&pages[0], link("#one", None)));
        assert!(!from(&pages[0], link("#two", None)));
        assert!(from(&pages[0], link("Cargo.toml", None)));
        assert!(!from(&pages[0], link("Cargo.tom", None)));
        assert!(from(&pages[1], link("../../README.md#one", Some("top"))));
        assert!(!from(&pages[1], link("../../README.md", Some("other"))));
        assert!(!from(&pages[1], link("../../README.md", None)));
        assert!(from(&pages[1], link("https://xenproject.org/", None)));
    }
}
