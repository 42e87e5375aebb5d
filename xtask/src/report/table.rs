// SPDX-License-Identifier: MIT OR Apache-2.0
//! The tables that our commands print, read back: what is charted is what a
//! person sees.

/// Rows with a label and numbers, under headings.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The line above: what the numbers are.
    pub title: String,
    pub columns: Vec<String>,
    pub rows: Vec<(String, Vec<f64>)>,
}

impl Table {
    /// The first table of a command's output. Numbers are aligned to the right
    /// below the ends of headings; ratios and verdicts behind them are left
    /// out.
    pub fn first(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().collect();
        (0..lines.len()).find_map(|at| Self::at(&lines[at..]))
    }

    fn at(lines: &[&str]) -> Option<Self> {
        let [title, heading, rows @ ..] = lines else {
            return None;
        };
        let ends = aligned(rows.first()?, heading).1;
        let mut table = Table {
            title: title.trim().to_owned(),
            columns: headings(heading, &ends)?,
            rows: Vec::new(),
        };
        for row in rows {
            let (label, row_ends, numbers) = aligned(row, heading);
            if label.is_empty() || row_ends != ends {
                break;
            }
            table.rows.push((label.to_owned(), numbers));
        }
        (!table.rows.is_empty() && !ends.is_empty()).then_some(table)
    }

    /// With the first column's numbers in the labels.
    pub fn labelled(&self) -> Self {
        let mut table = self.clone();
        let column = table.columns.remove(0);
        for (label, numbers) in &mut table.rows {
            *label = format!("{label}, {} {column}", numbers.remove(0));
        }
        table
    }

    /// With rows and columns exchanged.
    pub fn turned(&self) -> Self {
        let rows = self.columns.iter().enumerate().map(|(at, column)| {
            let numbers = self.rows.iter().map(|(_, numbers)| numbers[at]).collect();
            (column.clone(), numbers)
        });
        Table {
            title: self.title.clone(),
            columns: self.rows.iter().map(|(label, _)| label.clone()).collect(),
            rows: rows.collect(),
        }
    }
}

/// The label of a row, and the numbers that end where words of the heading do,
/// up to what is something else; and where that is.
fn aligned<'a>(row: &'a str, heading: &str) -> (&'a str, Vec<usize>, Vec<f64>) {
    let mut label = row.trim();
    let (mut ends, mut numbers) = (Vec::new(), Vec::new());
    let mut at = 0;
    for word in row.split(' ') {
        let end = at + word.len();
        let number: Option<f64> = word.parse().ok();
        match number.filter(|_| ends_here(heading, end)) {
            Some(number) => {
                if ends.is_empty() {
                    label = row[..at].trim();
                }
                ends.push(end);
                numbers.push(number);
            }
            None if word.is_empty() || ends.is_empty() => {}
            None => break,
        }
        at = end + 1;
    }
    (label, ends, numbers)
}

/// Does a word end in front of this place?
fn ends_here(line: &str, end: usize) -> bool {
    let blank = |at: usize| line.as_bytes().get(at).is_none_or(|byte| *byte == b' ');
    end > 0 && !blank(end - 1) && blank(end)
}

/// What stands above the columns that end there.
fn headings(line: &str, ends: &[usize]) -> Option<Vec<String>> {
    let mut from = 0;
    ends.iter()
        .map(|end| {
            let text = line.get(from..*end)?;
            from = *end;
            // The labels may have a heading, too, far to the left.
            Some(text.rsplit("  ").next()?.trim().to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "building\n\nns per event\n\
        load        xen-guest  lowest-first  xen-guest FIFO      ratio   target\n\
        dense-word       1.25          7.50             9.0      6.00x   >= 3x ok\n\
        all ports       10.00         20.00            30.0      2.00x   >= 3x MISSED\n\
        notify 3.00 ns\n";

    #[test]
    fn tables_are_found_in_output() {
        let table = Table::first(OUTPUT).unwrap();
        assert_eq!(table.title, "ns per event");
        assert_eq!(
            table.columns,
            ["xen-guest", "lowest-first", "xen-guest FIFO"]
        );
        assert_eq!(
            table.rows,
            [
                ("dense-word".to_owned(), vec![1.25, 7.5, 9.0]),
                ("all ports".to_owned(), vec![10.0, 20.0, 30.0])
            ]
        );
        assert_eq!(Table::first("one two\nthree four\n"), None);
    }

    #[test]
    fn headings_may_be_close_together() {
        let text = "ns\n                 xen-guest list-and-lock    ratio   target\n\
                    a batch of 32        16.34          6.43    0.39x   >= 1x MISSED\n(7 turns)\n";
        let table = Table::first(text).unwrap();
        assert_eq!(table.columns, ["xen-guest", "list-and-lock"]);
        assert_eq!(
            table.rows,
            [("a batch of 32".to_owned(), vec![16.34, 6.43])]
        );
    }

    #[test]
    fn labels_may_have_no_heading() {
        let text = "bytes\n            -Oz     -Os\nevents     5000    6000   -Os <= 6144: PASS\n";
        let table = Table::first(text).unwrap();
        assert_eq!(table.columns, ["-Oz", "-Os"]);
        assert_eq!(table.rows, [("events".to_owned(), vec![5000.0, 6000.0])]);
        assert_eq!(table.turned().columns, ["events"]);
        assert_eq!(table.turned().turned(), table);
        let labelled = table.labelled();
        assert_eq!(labelled.columns, ["-Os"]);
        assert_eq!(
            labelled.rows,
            [("events, 5000 -Oz".to_owned(), vec![6000.0])]
        );
    }
}
