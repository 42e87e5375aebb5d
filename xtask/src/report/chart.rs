// SPDX-License-Identifier: MIT OR Apache-2.0
//! A table as groups of horizontal bars, in SVG.

use std::fmt::Write as _;

use super::table::Table;

const WIDTH: f64 = 760.0;
/// For the labels, and for the numbers behind the bars.
const LEFT: f64 = 190.0;
const RIGHT: f64 = 90.0;
const BAR: f64 = 14.0;
const GAP: f64 = 10.0;
const TOP: f64 = 58.0;

/// Told apart in any kind of colour vision (Okabe and Ito).
const COLOURS: [&str; 6] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00",
];

/// Numbers further apart than this get a logarithmic axis.
const LINEAR: f64 = 200.0;

pub fn draw(table: &Table) -> String {
    let series = table.columns.len();
    let group = BAR * series as f64 + GAP;
    let height = TOP + group * table.rows.len() as f64 + 10.0;
    let axis = Axis::of(table);
    let mut svg = String::from("<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n");
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">{}{}</text>",
        escape(&table.title),
        if axis.logarithmic {
            " (logarithmic)"
        } else {
            ""
        }
    );
    let mut x = 10.0;
    for (at, name) in table.columns.iter().enumerate() {
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.0}\" y=\"32\" width=\"10\" height=\"10\" fill=\"{}\"/>\
             <text x=\"{:.0}\" y=\"41\">{}</text>",
            colour(at),
            x + 14.0,
            escape(name)
        );
        x += 34.0 + 7.0 * name.chars().count() as f64;
    }
    for (row, (label, numbers)) in table.rows.iter().enumerate() {
        let y = TOP + group * row as f64;
        let _ = writeln!(
            svg,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\">{}</text>",
            LEFT - 8.0,
            y + (group - GAP) / 2.0 + 4.0,
            escape(label)
        );
        for (at, number) in numbers.iter().enumerate() {
            let y = y + BAR * at as f64;
            let length = axis.length(*number);
            let _ = writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{:.0}\" width=\"{length:.1}\" height=\"{:.0}\" fill=\"{}\"/>\
                 <text x=\"{:.1}\" y=\"{:.0}\" font-size=\"10\">{number}</text>",
                y + 1.0,
                BAR - 2.0,
                colour(at),
                LEFT + length + 4.0,
                y + 11.0
            );
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn colour(series: usize) -> &'static str {
    COLOURS[series % COLOURS.len()]
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

struct Axis {
    least: f64,
    most: f64,
    logarithmic: bool,
}

impl Axis {
    fn of(table: &Table) -> Self {
        let numbers = || table.rows.iter().flat_map(|(_, numbers)| numbers).copied();
        let most = numbers().fold(0.0, f64::max);
        let least = numbers()
            .filter(|number| *number > 0.0)
            .fold(f64::INFINITY, f64::min);
        Axis {
            // A bar's length says something against the decade below it.
            least: 10f64.powf(least.log10().floor()),
            most,
            logarithmic: most > LINEAR * least,
        }
    }

    fn length(&self, number: f64) -> f64 {
        let part = if self.logarithmic {
            let decades = |number: f64| (number / self.least).log10();
            decades(number.max(self.least)) / decades(self.most)
        } else {
            number / self.most
        };
        (WIDTH - LEFT - RIGHT) * part.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(numbers: [f64; 2]) -> Table {
        Table {
            title: "a < b".into(),
            columns: vec!["x".into()],
            rows: vec![
                ("one".into(), vec![numbers[0]]),
                ("two".into(), vec![numbers[1]]),
            ],
        }
    }

    #[test]
    fn the_largest_number_has_the_whole_width() {
        let all = WIDTH - LEFT - RIGHT;
        let linear = Axis::of(&table([1.0, 4.0]));
        assert!(!linear.logarithmic);
        assert!((linear.length(4.0) - all).abs() < 0.01);
        assert!((linear.length(1.0) - all / 4.0).abs() < 0.01);
        let logarithmic = Axis::of(&table([1.0, 10_000.0]));
        assert!(logarithmic.logarithmic);
        assert!((logarithmic.length(100.0) - all / 2.0).abs() < 0.01);
    }

    #[test]
    fn text_is_escaped() {
        let svg = draw(&table([1.0, 2.0]));
        assert!(svg.contains("a &lt; b"));
        assert_eq!(svg.matches("<rect").count(), 1 + 1 + 2);
    }
}
