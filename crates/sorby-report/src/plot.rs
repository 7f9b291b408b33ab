//! Line and bar charts as plain SVG, readable in a browser without scripts.

use crate::table::escape;
use std::fmt::Write as _;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 320.0;
/// Left, right, top, bottom.
const MARGIN: (f64, f64, f64, f64) = (64.0, 16.0, 42.0, 48.0);
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// One line, or one set of bars.
#[derive(Clone, Debug)]
pub struct Series {
    /// Name in the legend, which is drawn when there are two series or more.
    pub name: String,
    /// Points in order of x; a line breaks where y is not finite.
    pub points: Vec<(f64, f64)>,
    /// How the points are shown.
    pub drawn: Drawn,
}

/// How a [`Series`] is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// One line from point to point.
    Line,
    /// Bars between successive x; the last point ends the last bar.
    Bars,
    /// One dot per point.
    Dots,
}

impl Series {
    /// A series of [`Drawn::Line`]; points (x, y) in order of x.
    pub fn line(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.to_owned(), points, drawn: Drawn::Line }
    }

    /// A series of [`Drawn::Bars`]; points (left edge, height), as [`histogram`] gives them.
    pub fn bars(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.to_owned(), points, drawn: Drawn::Bars }
    }

    /// A series of [`Drawn::Dots`]; points (x, y) in any order.
    pub fn dots(name: &str, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.to_owned(), points, drawn: Drawn::Dots }
    }

    /// The bars that can be drawn: (left, right, height).
    fn whole_bars(&self) -> impl Iterator<Item = (f64, f64, f64)> + '_ {
        let bars = self.points.windows(2).map(|pair| (pair[0].0, pair[1].0, pair[0].1));
        bars.filter(|b| [b.0, b.1, b.2].into_iter().all(drawable))
    }

    /// Every place that a drawing of the series reaches. The end of a bar counts where its own y is not a number.
    fn reach(&self) -> Vec<(f64, f64)> {
        let own = self.points.iter().copied().filter(|p| drawable(p.0) && drawable(p.1));
        match self.drawn {
            Drawn::Line | Drawn::Dots => own.collect(),
            Drawn::Bars => own.chain(self.whole_bars().flat_map(|(l, r, y)| [(l, y), (r, y)])).collect(),
        }
    }
}

/// A chart with one x and one y axis.
#[derive(Clone, Debug, Default)]
pub struct Chart {
    /// Text above the plot; empty for none.
    pub title: String,
    /// Text under the x axis, with the unit.
    pub x_label: String,
    /// Names of the places 0..1, 1..2 and so on along x, instead of numbers.
    pub x_names: Vec<String>,
    /// Text along the y axis, with the unit.
    pub y_label: String,
    /// What is drawn, in the order of the colours.
    pub series: Vec<Series>,
    /// Dashed horizontal lines: (y, name).
    pub levels: Vec<(f64, String)>,
    /// Dotted vertical lines: (x, name).
    pub marks: Vec<(f64, String)>,
    /// Y from zero.
    pub from_zero: bool,
}

/// Whether a value can be drawn: sums and differences of such values are finite.
fn drawable(value: f64) -> bool {
    value.abs() <= 1e300
}

/// Steps of 1, 2 or 5 times a power of ten, about `count` of them; none where numbers are too coarse for the range.
fn ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let raw = (high - low) / count as f64;
    let power = 10f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= raw).unwrap_or(raw);
    let first = (low / step).ceil();
    let mut out: Vec<f64> = (0..=2 * count)
        .map(|i| (first + i as f64) * step)
        .take_while(|t| *t <= high + 1e-9 * step)
        .filter(|t| t.is_finite() && *t >= low - 1e-9 * step)
        .collect();
    out.dedup();
    out
}

fn label(value: f64) -> String {
    let text = if value.abs() >= 1e5 || (value != 0.0 && value.abs() < 1e-3) {
        format!("{value:.1e}")
    } else {
        format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    if text == "-0" { "0".into() } else { text }
}

impl Chart {
    fn range(&self) -> Option<((f64, f64), (f64, f64))> {
        let mut points = self.series.iter().flat_map(Series::reach).peekable();
        points.peek()?;
        let empty = (f64::INFINITY, f64::NEG_INFINITY);
        let (mut x, mut y) = points
            .fold((empty, empty), |(x, y), p| ((x.0.min(p.0), x.1.max(p.0)), (y.0.min(p.1), y.1.max(p.1))));
        for (level, _) in self.levels.iter().filter(|l| drawable(l.0)) {
            y = (y.0.min(*level), y.1.max(*level));
        }
        if !self.x_names.is_empty() {
            x = (0.0, self.x_names.len() as f64);
        }
        for (mark, _) in self.marks.iter().filter(|m| drawable(m.0)) {
            x = (x.0.min(*mark), x.1.max(*mark));
        }
        if self.from_zero {
            y.0 = y.0.min(0.0);
        }
        // Of large numbers a half is less than their last digit.
        let half = |v: f64| (1e-6 * v.abs()).max(0.5);
        let widen = |r: (f64, f64)| {
            if r.1 - r.0 >= f64::MIN_POSITIVE { r } else { (r.0 - half(r.0), r.1 + half(r.1)) }
        };
        let (x, y) = (widen(x), widen(y));
        let pad = 0.05 * (y.1 - y.0);
        Some((x, (if self.from_zero && y.0 == 0.0 { 0.0 } else { y.0 - pad }, y.1 + pad)))
    }

    /// The chart as an SVG element.
    pub fn to_svg(&self) -> String {
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
             height=\"{HEIGHT}\" font-family=\"sans-serif\" font-size=\"11\"><rect width=\"100%\" height=\"100%\" \
             fill=\"white\"/><text x=\"{}\" y=\"16\" text-anchor=\"middle\" font-size=\"13\">{}</text>",
            WIDTH / 2.0,
            escape(&self.title)
        );
        let Some((x_range, y_range)) = self.range() else {
            let _ = write!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">no data</text></svg>",
                WIDTH / 2.0,
                HEIGHT / 2.0
            );
            return out;
        };
        let plane = Plane { x_range, y_range };
        self.draw_axes(&mut out, &plane);
        for (i, series) in self.series.iter().enumerate() {
            series.draw(&mut out, &plane, COLOURS[i % COLOURS.len()]);
        }
        self.draw_levels_and_marks(&mut out, &plane);
        self.draw_legend(&mut out);
        out + "</svg>"
    }

    /// Grid, numbers or names, frame and labels of both axes.
    fn draw_axes(&self, out: &mut String, plane: &Plane) {
        let (left, right, top, bottom) = MARGIN;
        for (i, name) in self.x_names.iter().enumerate() {
            let _ = write!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                plane.x(i as f64 + 0.5),
                HEIGHT - bottom + 15.0,
                escape(name)
            );
        }
        let numbers =
            if self.x_names.is_empty() { ticks(plane.x_range.0, plane.x_range.1, 7) } else { Vec::new() };
        for t in numbers {
            let x = plane.x(t);
            let _ = write!(
                out,
                "<path d=\"M{x:.1} {:.1}V{top}\" stroke=\"#e8e8e8\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                HEIGHT - bottom,
                HEIGHT - bottom + 15.0,
                label(t)
            );
        }
        for t in ticks(plane.y_range.0, plane.y_range.1, 6) {
            let y = plane.y(t);
            let _ = write!(
                out,
                "<path d=\"M{left} {y:.1}H{:.1}\" stroke=\"#e8e8e8\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                WIDTH - right,
                left - 6.0,
                y + 4.0,
                label(t)
            );
        }
        let _ = write!(
            out,
            "<path d=\"M{left} {top}V{:.1}H{:.1}\" fill=\"none\" stroke=\"#444\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            HEIGHT - bottom,
            WIDTH - right,
            (left + WIDTH - right) / 2.0,
            HEIGHT - 12.0,
            escape(&self.x_label),
            (top + HEIGHT - bottom) / 2.0,
            escape(&self.y_label)
        );
    }

    /// Values drawn across the plot, each with its name.
    fn draw_levels_and_marks(&self, out: &mut String, plane: &Plane) {
        let (left, right, top, bottom) = MARGIN;
        for (i, (y, name)) in self.levels.iter().filter(|l| drawable(l.0)).enumerate() {
            // Names of levels that nearly coincide stand side by side.
            let (y, end) = (plane.y(*y), WIDTH - right);
            let _ = write!(
                out,
                "<path d=\"M{left} {y:.1}H{end:.1}\" stroke=\"#c00\" stroke-dasharray=\"6 3\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#c00\">{}</text>",
                end - 60.0 * i as f64,
                y - 4.0,
                escape(name)
            );
        }
        for (i, (x, name)) in self.marks.iter().filter(|m| drawable(m.0)).enumerate() {
            let (at, right_half) = (plane.x(*x), plane.x(*x) > 0.6 * WIDTH);
            let _ = write!(
                out,
                "<path d=\"M{at:.1} {top}V{0:.1}\" stroke=\"#666\" stroke-dasharray=\"2 3\"/><text x=\"{1:.1}\" y=\"{2:.1}\" text-anchor=\"{3}\" fill=\"#444\">{4}</text>",
                HEIGHT - bottom,
                if right_half { at - 3.0 } else { at + 3.0 },
                top + 11.0 + 13.0 * i as f64,
                if right_half { "end" } else { "start" },
                escape(name)
            );
        }
    }

    /// In one line between title and plot, where no curve runs.
    fn draw_legend(&self, out: &mut String) {
        if self.series.len() > 1 {
            let mut x = MARGIN.0;
            for (i, series) in self.series.iter().enumerate() {
                let _ = write!(
                    out,
                    "<rect x=\"{x:.1}\" y=\"24\" width=\"10\" height=\"10\" fill=\"{}\"/><text x=\"{:.1}\" y=\"33\">{}</text>",
                    COLOURS[i % COLOURS.len()],
                    x + 14.0,
                    escape(&series.name)
                );
                x += 28.0 + 6.2 * series.name.chars().count() as f64;
            }
        }
    }
}

/// From values to places in the picture.
struct Plane {
    x_range: (f64, f64),
    y_range: (f64, f64),
}

impl Plane {
    fn x(&self, x: f64) -> f64 {
        let (left, right, ..) = MARGIN;
        left + (x - self.x_range.0) / (self.x_range.1 - self.x_range.0) * (WIDTH - left - right)
    }

    fn y(&self, y: f64) -> f64 {
        let (_, _, top, bottom) = MARGIN;
        HEIGHT - bottom - (y - self.y_range.0) / (self.y_range.1 - self.y_range.0) * (HEIGHT - top - bottom)
    }
}

impl Series {
    fn draw(&self, out: &mut String, plane: &Plane, colour: &str) {
        match self.drawn {
            Drawn::Dots => self.draw_dots(out, plane, colour),
            Drawn::Bars => self.draw_bars(out, plane, colour),
            Drawn::Line => self.draw_line(out, plane, colour),
        }
    }

    fn draw_dots(&self, out: &mut String, plane: &Plane, colour: &str) {
        for &(x, y) in self.points.iter().filter(|p| drawable(p.0) && drawable(p.1)) {
            let _ = write!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{colour}\" fill-opacity=\"0.7\"/>",
                plane.x(x),
                plane.y(y)
            );
        }
    }

    fn draw_bars(&self, out: &mut String, plane: &Plane, colour: &str) {
        for (x0, x1, y) in self.whole_bars() {
            let (top, base) = (plane.y(y), plane.y(plane.y_range.0.max(0.0)));
            let _ = write!(
                out,
                "<rect x=\"{:.1}\" y=\"{top:.1}\" width=\"{:.1}\" height=\"{:.1}\" fill=\"{colour}\" fill-opacity=\"0.45\" stroke=\"{colour}\"/>",
                plane.x(x0),
                plane.x(x1) - plane.x(x0),
                (base - top).max(0.0)
            );
        }
    }

    /// A gap where a point cannot be drawn; a dot where there is one point only.
    fn draw_line(&self, out: &mut String, plane: &Plane, colour: &str) {
        let mut path = String::new();
        let mut pen_down = false;
        for &(x, y) in &self.points {
            if !(drawable(x) && drawable(y)) {
                pen_down = false;
                continue;
            }
            let _ = write!(path, "{}{:.1} {:.1}", if pen_down { "L" } else { "M" }, plane.x(x), plane.y(y));
            pen_down = true;
        }
        let _ = write!(out, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\"/>");
        let first = self.points.first().filter(|p| drawable(p.0) && drawable(p.1));
        if let (1, Some(&(x, y))) = (self.points.len(), first) {
            let _ = write!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>",
                plane.x(x),
                plane.y(y)
            );
        }
    }
}

/// Edges of `bins` equal bins that hold all values.
pub fn bin_edges(values: &[f64], bins: usize) -> Vec<f64> {
    let (low, high) = values
        .iter()
        .filter(|v| drawable(**v))
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    if low > high {
        return Vec::new();
    }
    let width = if high > low { (high - low) / bins as f64 } else { 1.0 };
    (0..=bins).map(|i| low + i as f64 * width).collect()
}

/// Counts per bin as points for [`Series::bars`].
pub fn histogram(values: &[f64], edges: &[f64]) -> Vec<(f64, f64)> {
    let bins = edges.len().saturating_sub(1);
    let mut points: Vec<(f64, f64)> = edges.iter().map(|&e| (e, 0.0)).collect();
    for value in values.iter().filter(|v| drawable(**v)) {
        // The last bin includes its upper edge.
        let bin = edges.iter().rposition(|e| e <= value).map(|b| b.min(bins.saturating_sub(1)));
        if let Some(bin) = bin.filter(|_| bins > 0) {
            points[bin].1 += 1.0;
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(0.0, 255.0, 7), [0.0, 50.0, 100.0, 150.0, 200.0, 250.0]);
        assert_eq!(ticks(0.11, 0.29, 5).len(), 3);
        assert_eq!((label(0.0), label(0.25), label(1e-5)), ("0".into(), "0.25".into(), "1.0e-5".into()));
    }

    /// Values as odd as a file can hold them.
    fn odd() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<f64>(),
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY),
            Just(f64::MAX),
            Just(f64::MIN_POSITIVE),
            Just(5e-324),
            Just(1.8e19),
            Just(9.1e15),
            Just(-0.0),
            -2.0..2.0f64,
            (0u64..1 << 54).prop_map(|n| n as f64),
        ]
    }

    proptest! {
        #[test]
        fn any_numbers_are_drawn_and_no_drawing_has_a_number_that_is_none(
            points in proptest::collection::vec((odd(), odd()), 0..6),
            levels in proptest::collection::vec(odd(), 0..3),
            marks in proptest::collection::vec(odd(), 0..3),
            from_zero in any::<bool>(),
            kind in 0usize..3,
        ) {
            let drawn = [Drawn::Line, Drawn::Bars, Drawn::Dots][kind];
            let edges = bin_edges(&points.iter().map(|p| p.0).collect::<Vec<_>>(), 8);
            prop_assert!(edges.len() <= 9);
            let chart = Chart {
                series: vec![Series { name: "a".into(), points, drawn }],
                levels: levels.into_iter().map(|v| (v, "l".into())).collect(),
                marks: marks.into_iter().map(|v| (v, "m".into())).collect(),
                from_zero,
                ..Chart::default()
            };
            let svg = chart.to_svg();
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", svg);
            prop_assert!(svg.len() < 20_000, "{} bytes", svg.len());
        }

        #[test]
        fn ticks_end(low in odd(), high in odd()) {
            prop_assert!(ticks(low, high, 7).len() <= 15);
        }
    }

    #[test]
    fn histograms_count_everything_once() {
        let values = [1.0, 2.0, 2.5, 9.0];
        let edges = bin_edges(&values, 4);
        let points = histogram(&values, &edges);
        assert_eq!(points.iter().map(|p| p.1).collect::<Vec<_>>(), [3.0, 0.0, 0.0, 1.0, 0.0]);
        assert!(bin_edges(&[], 4).is_empty());
    }

    #[test]
    fn charts_survive_odd_data() {
        let chart = |points| Chart { series: vec![Series::line("a<b", points)], ..Chart::default() };
        assert!(chart(vec![]).to_svg().contains("no data"));
        assert!(chart(vec![(1.0, f64::NAN)]).to_svg().contains("no data"));
        let one = chart(vec![(1.0, 2.0)]).to_svg();
        assert!(one.contains("<circle") && !one.contains("NaN"));
        let gap = chart(vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 3.0)]).to_svg();
        assert_eq!(gap.matches('M').count(), ticks(0.0, 2.0, 7).len() + ticks(0.9, 3.1, 6).len() + 1 + 2);
    }
}
