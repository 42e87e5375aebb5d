// SPDX-License-Identifier: MIT OR Apache-2.0
//! The machine's one serial line, taken apart into lines by who wrote them.

use std::fmt;

/// Who wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    Xen,
    /// A guest, by domain number. dom0 writes raw lines, a domU's are
    /// collected by Xen, which starts a new one after about 126 characters.
    Domain(u16),
    /// QEMU's standard error.
    Qemu,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Xen => f.write_str("xen"),
            Source::Domain(number) => write!(f, "dom{number}"),
            Source::Qemu => f.write_str("qemu"),
        }
    }
}

/// One complete line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub source: Source,
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = self.source.to_string();
        write!(f, "{source:4} | {}", self.text)
    }
}

impl Line {
    /// Read one line of the serial console.
    fn parse(raw: &str) -> Self {
        let text = strip_controls(raw);
        let (source, text) = match text.strip_prefix("(XEN) ") {
            Some(xen) => match from_serial_port(xen) {
                Some((number, text)) => (Source::Domain(number), text),
                None => (Source::Xen, xen),
            },
            None => match from_debug_port(&text) {
                Some((number, text)) => (Source::Domain(number), text),
                None => (Source::Domain(0), &*text),
            },
        };
        Line {
            source,
            text: text.to_owned(),
        }
    }
}

/// `DOM1: text`, as Xen on arm64 prints what a domU writes to its serial port.
fn from_serial_port(text: &str) -> Option<(u16, &str)> {
    let (number, text) = text.strip_prefix("DOM")?.split_once(':')?;
    let text = text.strip_prefix(' ').unwrap_or(text);
    Some((number.parse().ok()?, text))
}

/// `(d1) text`, as Xen on x86_64 prints what a domU writes to its debug port.
fn from_debug_port(text: &str) -> Option<(u16, &str)> {
    let (number, text) = text.strip_prefix("(d")?.split_once(") ")?;
    Some((number.parse().ok()?, text))
}

/// Without escape sequences (ESC [ ... letter, or ESC and one character) and
/// other control characters but the tab.
fn strip_controls(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' {
            if characters.next() == Some('[') {
                // Parameters end at the first character from @ to ~.
                let _ = characters.find(|c| ('@'..='~').contains(c));
            }
        } else if c == '\t' || !c.is_control() {
            text.push(c);
        }
    }
    text
}

/// Collects bytes until lines are complete.
#[derive(Debug, Default)]
pub struct Splitter {
    partial: Vec<u8>,
}

impl Splitter {
    /// The lines that these bytes complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Line> {
        self.partial.extend_from_slice(bytes);
        let Some(end) = self.partial.iter().rposition(|&b| b == b'\n') else {
            return Vec::new();
        };
        let rest = self.partial.split_off(end + 1);
        let complete = std::mem::replace(&mut self.partial, rest);
        lines(&complete)
    }

    /// What came after the last line end, when no more will come.
    pub fn finish(self) -> Vec<Line> {
        lines(&self.partial)
    }
}

fn lines(bytes: &[u8]) -> Vec<Line> {
    String::from_utf8_lossy(bytes)
        .lines()
        .map(Line::parse)
        .filter(|line| !line.text.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<(Source, String)> {
        let mut splitter = Splitter::default();
        let mut all = splitter.push(text.as_bytes());
        all.extend(splitter.finish());
        all.into_iter().map(|l| (l.source, l.text)).collect()
    }

    #[test]
    fn lines_go_to_their_writers() {
        assert_eq!(
            split(
                "(XEN) Brought up 2 CPUs\r\n(XEN) DOM12: hello: world\r\n\
                 (d3) hello\r\nraw text\r\n"
            ),
            [
                (Source::Xen, "Brought up 2 CPUs".into()),
                (Source::Domain(12), "hello: world".into()),
                (Source::Domain(3), "hello".into()),
                (Source::Domain(0), "raw text".into()),
            ]
        );
    }

    #[test]
    fn what_only_looks_like_a_domain_is_xens() {
        assert_eq!(split("(XEN) DOMAIN: x")[0].0, Source::Xen);
        assert_eq!(split("(XEN) (d1) x")[0].0, Source::Xen);
        assert_eq!(split("(done) x")[0].0, Source::Domain(0));
        assert_eq!(split("(XEN) d1: x")[0].0, Source::Xen);
        assert_eq!(split("(XEN) *** LOADING DOMU ***")[0].0, Source::Xen);
        assert_eq!(split("(XEN) DOM99999: x")[0].0, Source::Xen);
    }

    #[test]
    fn lines_survive_any_chunking() {
        let text = "(XEN) DOM1: caf\u{e9}\r\n(XEN) x\ny";
        let whole = split(text);
        for size in 1..8 {
            let mut splitter = Splitter::default();
            let mut all = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                all.extend(splitter.push(chunk));
            }
            all.extend(splitter.finish());
            let all: Vec<_> = all.into_iter().map(|l| (l.source, l.text)).collect();
            assert_eq!(all, whole);
        }
    }

    #[test]
    fn escape_sequences_and_carriage_returns_vanish() {
        assert_eq!(
            split("(XEN) DOM1: \u{1b}[1;31mred\u{1b}[0m\tend\r\r\n"),
            [(Source::Domain(1), "red\tend".into())]
        );
    }

    #[test]
    fn shown_with_the_writer_in_front() {
        let line = Line::parse("(XEN) DOM1: text");
        assert_eq!(line.to_string(), "dom1 | text");
        assert_eq!(Line::parse("(XEN) boot").to_string(), "xen  | boot");
    }
}
