// SPDX-License-Identifier: MIT OR Apache-2.0
//! The headers' comments, which are plain text, as doxygen wants them.
//!
//! Readers of the headers get plain sentences: a comment stands before what it
//! is about, or behind it on the same line; results are a list whose entries
//! are indented and begin with the value. Doxygen gets commands for the same.

/// A header with its comments marked up.
pub fn mark_up(header: &str) -> String {
    let mut out = String::new();
    let mut state = State::default();
    let mut lines = header.lines().peekable();
    // The first line is the licence.
    if let Some(licence) = lines.next() {
        out += licence;
        out.push('\n');
    }
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        for line in state.line(line, next) {
            out += &line;
            out.push('\n');
        }
    }
    out
}

#[derive(Debug, Default)]
struct State {
    /// The file's own comment is done.
    file: bool,
    /// Inside of a comment; behind code, or on its own.
    inside: Option<Place>,
    /// Inside of a list of results.
    list: bool,
    /// Inside of an example, which is indented by a tab.
    example: bool,
    /// The last comment before a declaration.
    last: Vec<String>,
    /// Inside of a macro of several lines.
    macro_: bool,
    /// Inside of a structure that nobody needs to know.
    hidden: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Behind,
    Before,
}

/// What a structure's comment says if its members are nobody's business.
const HIDDEN: &str = "the library's contents";

/// What generated headers say of themselves.
const GENERATED: &str = "do not edit. */";

/// What a header defines for Xen's.
const NOT_OURS: &str = "#define __XEN_INTERFACE_VERSION__";

impl State {
    fn line(&mut self, line: &str, next: &str) -> Vec<String> {
        if let Some(place) = self.inside {
            return self.in_comment(line, place);
        }
        let text = line.trim_start();
        if text.contains(GENERATED) {
            return vec![line.to_owned()];
        }
        if let Some(rest) = text.strip_prefix("/*") {
            self.last.clear();
            self.list = false;
            let start = if self.file { "/**" } else { "/** @file" };
            self.file = true;
            let indent = &line[..line.len() - text.len()];
            let done = rest.contains("*/");
            self.inside = (!done).then_some(Place::Before);
            let marked = format!("{indent}{start}{}", body(rest));
            self.last.push(marked.clone());
            return vec![marked];
        }
        let mut lines = self.code(line, next);
        if let (Some(last), Some(at)) = (lines.last_mut(), line.find("/*")) {
            let code = line[..at].trim_end();
            let done = line[at..].contains("*/");
            // Of a type that is declared elsewhere, or a condition's end.
            let aside = code.starts_with('#') && !code.starts_with("#define")
                || code.starts_with("struct ") && code.ends_with(';') && !code.contains(['*', '(']);
            let mark = if aside { "/*" } else { "/**<" };
            *last = format!("{code} {mark}{}", body(&line[at + 2..]));
            self.inside = (!done).then_some(Place::Behind);
        }
        lines
    }

    fn in_comment(&mut self, line: &str, place: Place) -> Vec<String> {
        let done = line.contains("*/");
        let mut lines = Vec::new();
        let text = line.trim_start();
        let bare = text.strip_prefix('*').filter(|_| !text.starts_with("*/"));
        let example = bare.is_some_and(|text| text.starts_with('\t'));
        if example != self.example {
            self.example = example;
            let mark = if example { "code{.c}" } else { "endcode" };
            lines.push(format!(" * @{mark}"));
        }
        match bare
            .filter(|_| !example)
            .map(|text| (text.len() - text.trim_start().len(), text.trim()))
        {
            Some((indent, text)) => {
                if indent >= 3
                    && let Some((values, meaning)) = result(text)
                {
                    self.list = true;
                    lines.push(format!(" * @retval {values} {}", body(meaning)));
                } else {
                    // Back to the left: the list is over.
                    if self.list && indent < 3 {
                        self.list = false;
                        lines.push(" *".to_owned());
                    }
                    lines.push(format!(" *{}{}", " ".repeat(indent), body(text)));
                }
            }
            None if example => lines.push(line.to_owned()),
            None => lines.push(body(line)),
        }
        if place == Place::Before {
            self.last.extend(lines.iter().cloned());
        }
        if done {
            self.inside = None;
        }
        lines
    }

    /// A line of code. A declaration or macro right behind another has the
    /// comment of the first.
    fn code(&mut self, line: &str, next: &str) -> Vec<String> {
        if self.hidden {
            if line.starts_with('}') {
                self.hidden = false;
                return vec!["/** @endcond */".into(), line.to_owned()];
            }
            return vec![line.to_owned()];
        }
        let mut lines = vec![line.to_owned()];
        if line.starts_with("struct ") && line.ends_with('{') {
            if words(&self.last.join(" ")).contains(HIDDEN) {
                self.hidden = true;
                lines.push("/** @cond */".into());
            }
            self.last.clear();
            return lines;
        }
        if line.starts_with("#define") || self.macro_ {
            self.macro_ = line.ends_with('\\');
            if line.starts_with(NOT_OURS) {
                self.last.clear();
                lines.clear();
            } else if !self.macro_ && next.starts_with("#define") {
                lines.extend(self.last.iter().cloned());
            }
            return lines;
        }
        if line.is_empty() || line.starts_with('#') {
            self.last.clear();
            return lines;
        }
        let another = next
            .trim_start()
            .starts_with(|c: char| c.is_ascii_alphabetic());
        if line.ends_with(';') && another {
            lines.extend(self.last.iter().cloned());
        }
        lines
    }
}

/// What a comment says, in one line.
fn words(comment: &str) -> String {
    let words: Vec<&str> = comment
        .split([' ', '*', '/', '\n'])
        .filter(|w| !w.is_empty())
        .collect();
    words.join(" ")
}

/// An entry of a list of results: `-XG_EINVAL  what for`, or a number.
fn result(text: &str) -> Option<(String, &str)> {
    let (values, meaning) = text.split_once("  ")?;
    let value = |value: &str| {
        let name = value.strip_prefix("-XG_");
        name.is_some_and(|name| {
            name.chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
        }) || !value.is_empty() && value.chars().all(|c| c.is_ascii_digit())
    };
    let all: Vec<&str> = values.split(", ").collect();
    all.iter()
        .all(|one| value(one))
        // One word for doxygen.
        .then(|| (all.join(","), meaning.trim_start()))
}

/// Plain text for doxygen: `code` as such, and nothing else special.
fn body(text: &str) -> String {
    let mut out = String::new();
    let mut code = false;
    for c in text.chars() {
        match c {
            '`' => {
                out += if code { "</tt>" } else { "<tt>" };
                code = !code;
            }
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '@' | '\\' | '%' | '#' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    if code {
        // It goes on in the next line: plain, then.
        out = out.replace("<tt>", "'").replace("</tt>", "'");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_marked_up() {
        let header = "/* licence */\n/*\n * About the file.\n */\n#define A 1 /* one */\n\n\
                      /*\n * Do it with `x` < 1.\n *\n *   0           done\n *   -XG_EPERM, -XG_ESRCH  \
                      no such\n *               domain\n * Any context.\n */\nint b(int x,\n\tint y);\n\
                      int c(void);\n";
        let want = "/* licence */\n/** @file\n * About the file.\n */\n#define A 1 /**< one */\n\n\
                    /**\n * Do it with <tt>x</tt> &lt; 1.\n *\n * @retval 0 done\n \
                    * @retval -XG_EPERM,-XG_ESRCH no such\n *               domain\n *\n * Any context.\n \
                    */\nint b(int x,\n\tint y);\n\
                    /**\n * Do it with <tt>x</tt> &lt; 1.\n *\n * @retval 0 done\n \
                    * @retval -XG_EPERM,-XG_ESRCH no such\n *               domain\n *\n * Any context.\n \
                    */\nint c(void);\n";
        assert_eq!(mark_up(header), want);
    }

    #[test]
    fn macros_in_a_row_share_a_comment() {
        let header = "/* licence */\n/* File. */\n/* Some. */\n#define A 1\n#define B \\\n\t2\n#define C 3\n\n#define D 4\n";
        let want = "/* licence */\n/** @file File. */\n/** Some. */\n#define A 1\n/** Some. */\n#define B \\\n\t2\n\
                    /** Some. */\n#define C 3\n\n#define D 4\n";
        assert_eq!(mark_up(header), want);
    }

    #[test]
    fn examples_are_kept_as_they_are() {
        let header = "/* licence */\n/* From x; do not edit. */\n/*\n * So:\n *\n *\ta<b>();\n *\n * Or not.\n */\n";
        let want = "/* licence */\n/* From x; do not edit. */\n/** @file\n * So:\n *\n * @code{.c}\n *\ta<b>();\n \
                    * @endcode\n *\n * Or not.\n */\n";
        assert_eq!(mark_up(header), want);
    }

    #[test]
    fn what_is_not_for_readers_is_hidden() {
        let header = "/* licence */\n/* File. */\nstruct s; /* elsewhere */\n\n\
                      /* One: the caller's storage, the library's contents. */\nstruct t {\n\tint a;\n};\n\n\
                      struct u {\n\tint b; /* seen */\n};\n#endif /* H */\n";
        let want = "/* licence */\n/** @file File. */\nstruct s; /* elsewhere */\n\n\
                    /** One: the caller's storage, the library's contents. */\nstruct t {\n/** @cond */\n\
                    \tint a;\n/** @endcond */\n};\n\n\
                    struct u {\n\tint b; /**< seen */\n};\n#endif /* H */\n";
        assert_eq!(mark_up(header), want);
    }
}
