// SPDX-License-Identifier: MIT OR Apache-2.0
//! The repository's Markdown files, read.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use pulldown_cmark::{BrokenLink, CodeBlockKind, Event, LinkType, Options, Parser, Tag, TagEnd};

use crate::{process, style};

/// What a page has that can be checked.
#[derive(Debug, Default)]
pub struct Page {
    /// From the top of the repository.
    pub file: String,
    pub links: Vec<Link>,
    /// Labels of references without a definition.
    pub undefined: Vec<String>,
    /// As they are in links to them.
    pub anchors: Vec<String>,
    /// What stands in backticks.
    pub codes: Vec<String>,
    /// Blocks of code, with their language.
    pub blocks: Vec<(String, String)>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Link {
    pub target: String,
    /// Of `[text][label]`.
    pub label: Option<String>,
}

/// All pages that are in the repository.
pub fn all() -> Result<Vec<Page>> {
    let mut pages = Vec::new();
    for file in style::tracked()? {
        if file.ends_with(".md") {
            let path = process::workspace().join(&file);
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {file}"))?;
            pages.push(Page::read(&file, &text));
        }
    }
    Ok(pages)
}

impl Page {
    pub fn read(file: &str, text: &str) -> Self {
        let mut page = Page {
            file: file.to_owned(),
            ..Page::default()
        };
        let mut undefined = Vec::new();
        let mut broken = |link: BrokenLink<'_>| {
            // `[i]` alone is just a word in brackets.
            if matches!(link.link_type, LinkType::Reference | LinkType::Collapsed) {
                undefined.push(link.reference.to_string());
            }
            None
        };
        let options = Options::ENABLE_TABLES;
        let events = Parser::new_with_broken_link_callback(text, options, Some(&mut broken));
        let mut heading: Option<String> = None;
        let mut block: Option<(String, String)> = None;
        for event in events {
            match event {
                Event::Start(Tag::Link {
                    link_type,
                    dest_url,
                    id,
                    ..
                }) => page.links.push(Link {
                    target: dest_url.to_string(),
                    label: (link_type != LinkType::Inline).then(|| id.to_string()),
                }),
                Event::Start(Tag::Image { dest_url, .. }) => page.links.push(Link {
                    target: dest_url.to_string(),
                    label: None,
                }),
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let slug = slug(&heading.take().unwrap_or_default());
                    page.anchors.push(slug);
                }
                Event::Start(Tag::CodeBlock(kind)) => {
                    let language = match kind {
                        CodeBlockKind::Fenced(language) => language.to_string(),
                        CodeBlockKind::Indented => String::new(),
                    };
                    block = Some((language, String::new()));
                }
                Event::End(TagEnd::CodeBlock) => page.blocks.extend(block.take()),
                Event::Code(code) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&code);
                    }
                    page.codes.push(code.to_string());
                }
                Event::Text(text) => {
                    if let Some(heading) = &mut heading {
                        heading.push_str(&text);
                    } else if let Some((_, code)) = &mut block {
                        code.push_str(&text);
                    }
                }
                _ => {}
            }
        }
        page.undefined = undefined;
        page
    }

    /// The folder that relative links start from.
    pub fn folder(&self) -> &Path {
        Path::new(&self.file).parent().unwrap_or(Path::new(""))
    }
}

/// A heading as GitHub and rustdoc have it in links.
fn slug(heading: &str) -> String {
    heading
        .trim()
        .chars()
        .filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_taken_apart() {
        let page = Page::read(
            "a/b.md",
            "# Two `words`, here\n[x](y.md#z) [u][v] [w][none] a[i] `code`\n\n\
             ```sh\ncargo xtask test\n```\n\n[v]: w.md\n",
        );
        assert_eq!(page.anchors, ["two-words-here"]);
        assert_eq!(page.links.len(), 2);
        assert_eq!(page.links[0].target, "y.md#z");
        assert_eq!(page.links[0].label, None);
        assert_eq!(page.links[1].target, "w.md");
        assert_eq!(page.links[1].label.as_deref(), Some("v"));
        assert_eq!(page.undefined, ["none"]);
        assert_eq!(page.codes, ["words", "code"]);
        assert_eq!(page.blocks, [("sh".into(), "cargo xtask test\n".into())]);
        assert_eq!(page.folder(), Path::new("a"));
    }
}
