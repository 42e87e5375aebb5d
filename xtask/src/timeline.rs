// SPDX-License-Identifier: MIT OR Apache-2.0
//! `cargo xtask trace-image`: a picture of a timeline of the simulator's, for
//! those who have no viewer open.
//!
//! Calls take a microsecond and there is a hundred times as much between them,
//! so the picture's axis is not linear: longer times are wider, but by far less
//! than they are longer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use crate::demo;
use crate::process;

/// Where the guide has it.
const IMAGE: &str = "src/guide/timeline.svg";

/// Enough to see what repeats itself.
const ROUNDS: u32 = 2;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The timeline, as JSON; by default that of a short demo.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Leave out what happened before this many microseconds.
    #[arg(long, value_name = "MICROSECONDS")]
    from: Option<f64>,
    /// Leave out what happened after this many microseconds.
    #[arg(long, value_name = "MICROSECONDS")]
    to: Option<f64>,
    /// The picture [default: the guide's].
    image: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let made = folder.path().join("trace.json");
    let file = match &args.trace {
        Some(file) => file,
        None => {
            process::run(&mut demo::traced(ROUNDS, &made)?)?;
            &made
        }
    };
    let mut timeline = Timeline::read(file)?;
    timeline.cut(args.from.unwrap_or(0.0), args.to.unwrap_or(f64::INFINITY));
    if timeline.spans.is_empty() {
        bail!("nothing happened in that time");
    }
    let image = match &args.image {
        Some(image) => image.clone(),
        None => process::workspace().join(IMAGE),
    };
    fs::write(&image, timeline.draw())
        .with_context(|| format!("cannot write {}", image.display()))?;
    println!("{}", image.display());
    Ok(())
}

/// The demo as somebody runs it, with a timeline that has all of it.
pub fn check_demo() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("trace.json");
    process::run(&mut demo::traced(ROUNDS, &file)?)?;
    let timeline = Timeline::read(&file)?;
    ensure!(timeline.domains.len() == 2, "{:?}", timeline.domains);
    ensure!(timeline.mappings.len() == 1, "{:?}", timeline.mappings);
    // There and back in every round.
    let (arrows, wanted) = (timeline.arrows.len(), 2 * ROUNDS as usize);
    ensure!(arrows >= wanted, "{arrows} events of {wanted}");
    Ok(())
}

/// In a lane: a hypercall or an upcall.
#[derive(Clone, Debug, PartialEq)]
struct Span {
    lane: usize,
    name: String,
    upcall: bool,
    start: f64,
    end: f64,
    /// In how many others it is.
    depth: usize,
}

impl Span {
    /// The command says more than the hypercall it belongs to.
    fn label(&self) -> &str {
        self.name.rsplit(' ').next().unwrap_or(&self.name)
    }
}

/// A page of another domain in a domain.
#[derive(Clone, Debug, PartialEq)]
struct Mapping {
    domain: u64,
    name: String,
    start: f64,
    end: f64,
}

/// A moment in a lane.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    lane: usize,
    at: f64,
}

#[derive(Clone, Debug, Default)]
struct Timeline {
    /// Process and name, by thread.
    lanes: Vec<(u64, u64, String)>,
    domains: BTreeMap<u64, String>,
    spans: Vec<Span>,
    mappings: Vec<Mapping>,
    /// From the call that sent an event to the upcall.
    arrows: Vec<(Point, Point)>,
}

fn number(event: &Value, key: &str) -> Result<u64> {
    event[key]
        .as_u64()
        .with_context(|| format!("no {key} in {event}"))
}

fn time(event: &Value, key: &str) -> Result<f64> {
    event[key]
        .as_f64()
        .with_context(|| format!("no {key} in {event}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

impl Timeline {
    fn read(file: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        Self::parse(&text).with_context(|| format!("{} is no timeline", file.display()))
    }

    fn parse(json: &str) -> Result<Self> {
        let json: Value = serde_json::from_str(json)?;
        let events = json["traceEvents"].as_array().context("no events")?;
        let mut timeline = Timeline::default();
        let mut begun: BTreeMap<u64, Mapping> = BTreeMap::new();
        let mut sent: BTreeMap<u64, Point> = BTreeMap::new();
        for event in events {
            let (process, thread) = (number(event, "pid")?, number(event, "tid")?);
            let phase = text(&event["ph"]);
            let name = text(&event["name"]);
            match (phase.as_str(), name.as_str()) {
                ("M", "process_name") => {
                    let name = text(&event["args"]["name"]);
                    timeline.domains.insert(process, name);
                }
                ("M", "thread_name") => {
                    let name = text(&event["args"]["name"]);
                    timeline.lanes.push((process, thread, name));
                }
                ("X", _) => {
                    let start = time(event, "ts")?;
                    let span = Span {
                        lane: timeline.lane(thread)?,
                        name,
                        upcall: event["cat"] == "upcall",
                        start,
                        end: start + time(event, "dur")?,
                        depth: 0,
                    };
                    timeline.add(span);
                }
                ("b" | "e", _) => {
                    let (id, at) = (number(event, "id")?, time(event, "ts")?);
                    if phase == "b" {
                        let mapping = Mapping {
                            domain: process,
                            name,
                            start: at,
                            end: at,
                        };
                        begun.insert(id, mapping);
                    } else if let Some(mut mapping) = begun.remove(&id) {
                        mapping.end = at;
                        timeline.mappings.push(mapping);
                    }
                }
                ("s" | "f", _) => {
                    let point = Point {
                        lane: timeline.lane(thread)?,
                        at: time(event, "ts")?,
                    };
                    let id = number(event, "id")?;
                    if phase == "s" {
                        sent.insert(id, point);
                    } else if let Some(from) = sent.remove(&id) {
                        timeline.arrows.push((from, point));
                    }
                }
                _ => {}
            }
        }
        Ok(timeline)
    }

    fn lane(&self, thread: u64) -> Result<usize> {
        let found = self.lanes.iter().position(|lane| lane.1 == thread);
        found.with_context(|| format!("thread {thread} has no name"))
    }

    /// Spans come in the order of their starts.
    fn add(&mut self, mut span: Span) {
        span.depth = self
            .spans
            .iter()
            .filter(|other| other.lane == span.lane && other.end > span.start)
            .count();
        self.spans.push(span);
    }

    /// Keep what began and ended in this time.
    fn cut(&mut self, from: f64, to: f64) {
        let inside = |start: f64, end: f64| start >= from && end <= to;
        self.spans.retain(|span| inside(span.start, span.end));
        self.arrows.retain(|(a, b)| inside(a.at, b.at));
        for mapping in &mut self.mappings {
            mapping.start = mapping.start.max(from);
            mapping.end = mapping.end.min(to);
        }
        self.mappings.retain(|mapping| mapping.start < mapping.end);
    }

    fn draw(&self) -> String {
        Picture::of(self).draw()
    }
}

const LEFT: f64 = 150.0;
const TOP: f64 = 64.0;
const ROW: f64 = 34.0;
const BAR: f64 = 22.0;
/// What each span inside another is lower by, at either side.
const INSET: f64 = 4.0;
/// A letter of the labels in the bars.
const LETTER: f64 = 6.2;

/// Told apart in any kind of colour vision (Okabe and Ito).
const HYPERCALL: &str = "#56b4e9";
const UPCALL: &str = "#e69f00";
const MAPPED: &str = "#009e73";
const ARROW: &str = "#d55e00";

struct Picture<'a> {
    timeline: &'a Timeline,
    /// Times at which something starts or ends, and where they are.
    places: Vec<(f64, f64)>,
    /// Where the rows are: of lanes, and of domains' mappings.
    lanes: Vec<f64>,
    mappings: BTreeMap<u64, f64>,
    height: f64,
}

impl<'a> Picture<'a> {
    fn of(timeline: &'a Timeline) -> Self {
        let mut times: Vec<f64> = timeline
            .spans
            .iter()
            .flat_map(|span| [span.start, span.end])
            .collect();
        times.sort_by(f64::total_cmp);
        times.dedup();
        let mut places: Vec<(f64, f64)> = Vec::new();
        for time in times {
            let mut x = match places.last() {
                Some((last, x)) => x + width(time - last),
                None => LEFT,
            };
            // A span that ends here has its name in it.
            for span in timeline.spans.iter().filter(|span| span.end == time) {
                let start = places.iter().find(|place| place.0 == span.start);
                let name = LETTER * (span.label().len() + 1) as f64;
                x = start.map_or(x, |start| x.max(start.1 + name));
            }
            places.push((time, x));
        }
        let mut lanes = vec![0.0; timeline.lanes.len()];
        let mut mappings = BTreeMap::new();
        let mut y = TOP;
        for domain in timeline.domains.keys() {
            y += 22.0;
            for (lane, (process, _, _)) in timeline.lanes.iter().enumerate() {
                if process == domain && timeline.spans.iter().any(|span| span.lane == lane) {
                    lanes[lane] = y;
                    y += ROW;
                }
            }
            if timeline.mappings.iter().any(|m| m.domain == *domain) {
                mappings.insert(*domain, y);
                y += ROW;
            }
        }
        Picture {
            timeline,
            places,
            lanes,
            mappings,
            height: y + 10.0,
        }
    }

    /// Where a time is: at its place, or between two.
    fn x(&self, time: f64) -> f64 {
        let after = self.places.partition_point(|(at, _)| *at < time);
        let Some(&(end, right)) = self.places.get(after) else {
            return self.places.last().map_or(LEFT, |last| last.1);
        };
        let Some(&(start, left)) = after.checked_sub(1).and_then(|i| self.places.get(i)) else {
            return right;
        };
        left + (right - left) * (time - start) / (end - start)
    }

    fn draw(&self) -> String {
        let right = self.places.last().map_or(LEFT, |last| last.1);
        let (width, height) = (right + 20.0, self.height);
        let mut svg = String::from("<!-- SPDX-License-Identifier: MIT OR Apache-2.0 -->\n");
        let _ = writeln!(
            svg,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n\
             <defs><marker id=\"tip\" markerWidth=\"6\" markerHeight=\"6\" refX=\"5\" refY=\"3\" \
             orient=\"auto\"><path d=\"M0,0 L6,3 L0,6 z\" fill=\"{ARROW}\"/></marker></defs>\n\
             <rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"#ffffff\"/>"
        );
        self.legend(&mut svg);
        self.axis(&mut svg);
        for (domain, name) in &self.timeline.domains {
            self.domain(&mut svg, *domain, name, right);
        }
        for span in &self.timeline.spans {
            self.span(&mut svg, span);
        }
        for mapping in &self.timeline.mappings {
            let y = self.mappings[&mapping.domain];
            let (start, end) = (self.x(mapping.start), self.x(mapping.end));
            bar(&mut svg, (start, end), y, BAR, MAPPED, &mapping.name);
        }
        for (from, to) in &self.timeline.arrows {
            let (x1, x2) = (self.x(from.at), self.x(to.at));
            let (y1, y2) = (self.lanes[from.lane], self.lanes[to.lane]);
            let (y1, y2) = if y1 < y2 {
                (y1 + BAR, y2)
            } else {
                (y1, y2 + BAR)
            };
            let _ = writeln!(
                svg,
                "<path d=\"M{x1:.1},{y1:.0} C{x1:.1},{:.1} {x2:.1},{:.1} {x2:.1},{y2:.0}\" \
                 fill=\"none\" stroke=\"{ARROW}\" marker-end=\"url(#tip)\"/>",
                (y1 + y2) / 2.0,
                (y1 + y2) / 2.0
            );
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn legend(&self, svg: &mut String) {
        let mut x = 10.0;
        for (colour, what) in [
            (HYPERCALL, "hypercall"),
            (UPCALL, "upcall"),
            (MAPPED, "mapping"),
            (ARROW, "event"),
        ] {
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.0}\" y=\"10\" width=\"10\" height=\"10\" fill=\"{colour}\"/>\
                 <text x=\"{:.0}\" y=\"19\">{what}</text>",
                x + 14.0
            );
            x += 34.0 + 7.0 * what.len() as f64;
        }
        let _ = writeln!(
            svg,
            "<text x=\"{x:.0}\" y=\"19\">Times in microseconds; longer ones are wider, but not \
             in proportion.</text>"
        );
    }

    /// Times, as far apart as they can be read.
    fn axis(&self, svg: &mut String) {
        let mut free = 0.0;
        for (time, x) in &self.places {
            if *x < free {
                continue;
            }
            free = x + 44.0;
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.1},{:.0} V{:.0}\" stroke=\"#dddddd\"/>\
                 <text x=\"{x:.1}\" y=\"{:.0}\" text-anchor=\"middle\" font-size=\"9\" \
                 fill=\"#555555\">{time:.1}</text>",
                TOP - 12.0,
                self.height - 8.0,
                TOP - 16.0
            );
        }
    }

    fn domain(&self, svg: &mut String, domain: u64, name: &str, right: f64) {
        let mut rows: Vec<(f64, &str)> = Vec::new();
        for ((process, _, name), y) in self.timeline.lanes.iter().zip(&self.lanes) {
            if *process == domain && *y > 0.0 {
                rows.push((*y, name));
            }
        }
        if let Some(y) = self.mappings.get(&domain) {
            rows.push((*y, "mapped pages"));
        }
        let Some((top, _)) = rows.first() else {
            return;
        };
        let _ = writeln!(
            svg,
            "<text x=\"10\" y=\"{:.0}\" font-weight=\"bold\">{}</text>",
            top - 6.0,
            escape(name)
        );
        for (y, name) in rows {
            let _ = writeln!(
                svg,
                "<path d=\"M{LEFT},{:.0} H{right:.0}\" stroke=\"#bbbbbb\"/>\
                 <text x=\"20\" y=\"{:.0}\">{}</text>",
                y + BAR / 2.0,
                y + BAR / 2.0 + 4.0,
                escape(name)
            );
        }
    }

    fn span(&self, svg: &mut String, span: &Span) {
        let inset = (INSET * span.depth as f64).min(BAR / 2.0 - 2.0);
        let colour = if span.upcall { UPCALL } else { HYPERCALL };
        let name = span.label();
        let x = (self.x(span.start), self.x(span.end));
        let y = self.lanes[span.lane] + inset;
        bar(svg, x, y, BAR - 2.0 * inset, colour, name);
    }
}

/// A bar with its name in it, if there is room, and for the mouse.
fn bar(svg: &mut String, (start, end): (f64, f64), y: f64, height: f64, colour: &str, name: &str) {
    let name = escape(name);
    let _ = writeln!(
        svg,
        "<g><title>{name}</title><rect x=\"{start:.1}\" y=\"{y:.0}\" width=\"{:.1}\" \
         height=\"{height:.0}\" rx=\"2\" fill=\"{colour}\" stroke=\"#ffffff\"/>",
        (end - start).max(2.0)
    );
    if name.len() as f64 * LETTER < end - start {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\">{name}</text>",
            (start + end) / 2.0,
            y + height / 2.0 + 3.5
        );
    }
    svg.push_str("</g>\n");
}

/// How wide a time is drawn, in microseconds.
fn width(time: f64) -> f64 {
    (4.0 + 4.0 * (1.0 + time).log2()).min(40.0)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = r#"{"traceEvents":[
        {"ph":"M","name":"process_name","pid":2,"tid":0,"args":{"name":"d1"}},
        {"ph":"M","name":"process_name","pid":3,"tid":0,"args":{"name":"d2"}},
        {"ph":"M","name":"thread_name","pid":2,"tid":1,"args":{"name":"vCPU 0"}},
        {"ph":"M","name":"thread_name","pid":3,"tid":2,"args":{"name":"vCPU 0, interrupts"}},
        {"ph":"X","name":"event_channel_op send","cat":"hypercall","ts":1.000,"pid":2,"tid":1,"dur":2.000},
        {"ph":"s","name":"event","ts":2.000,"pid":2,"tid":1,"id":0},
        {"ph":"b","name":"grant of d1","ts":2.500,"pid":3,"tid":2,"id":7},
        {"ph":"X","name":"upcall","cat":"upcall","ts":5.000,"pid":3,"tid":2,"dur":10.000},
        {"ph":"f","name":"event","ts":5.000,"pid":3,"tid":2,"id":0,"bp":"e"},
        {"ph":"X","name":"event_channel_op unmask","cat":"hypercall","ts":6.000,"pid":3,"tid":2,"dur":1.000},
        {"ph":"e","name":"grant of d1","ts":20.000,"pid":3,"tid":2,"id":7}
    ]}"#;

    #[test]
    fn a_timeline_is_taken_apart() -> Result<()> {
        let timeline = Timeline::parse(TRACE)?;
        let depths: Vec<usize> = timeline.spans.iter().map(|span| span.depth).collect();
        assert_eq!(depths, [0, 0, 1]);
        assert_eq!(timeline.mappings.len(), 1);
        let [(from, to)] = timeline.arrows[..] else {
            bail!("{:?}", timeline.arrows);
        };
        assert_eq!((from.lane, from.at, to.lane, to.at), (0, 2.0, 1, 5.0));
        assert!(Timeline::parse("{}").is_err());
        Ok(())
    }

    #[test]
    fn later_is_further_right() -> Result<()> {
        let timeline = Timeline::parse(TRACE)?;
        let picture = Picture::of(&timeline);
        let places = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.5, 15.0].map(|time| picture.x(time));
        assert!(places.is_sorted(), "{places:?}");
        assert!(places[1] < places[2] && places[2] < places[3]);
        Ok(())
    }

    #[test]
    fn everything_is_drawn() -> Result<()> {
        let mut timeline = Timeline::parse(TRACE)?;
        let svg = timeline.draw();
        for part in ["d1", "vCPU 0, interrupts", "send", "unmask", "grant of d1"] {
            assert!(svg.contains(part), "{part} in {svg}");
        }
        assert_eq!(svg.matches("marker-end").count(), 1);
        assert!(svg.starts_with("<!-- SPDX"));
        timeline.cut(4.0, 16.0);
        assert_eq!(timeline.spans.len(), 2);
        assert!(timeline.arrows.is_empty());
        Ok(())
    }
}
