//! One table, many formats. Units belong into column names.

use crate::column::heading;
use serde_json::Value;
use std::io::Write;

/// A value of a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Any text; its column is aligned to the left.
    Text(String),
    /// A whole number, such as a count.
    Integer(i64),
    /// Value and decimals shown; CSV gets the same digits.
    Number(f64, usize),
    /// The same with its sign, for differences.
    Signed(f64, usize),
    /// No value, for a reason the reader can see elsewhere.
    Missing,
}

impl Cell {
    /// A number, or [`Cell::Missing`].
    pub fn number(value: Option<f64>, decimals: usize) -> Self {
        value.filter(|v| v.is_finite()).map_or(Cell::Missing, |v| Cell::Number(v, decimals))
    }

    /// A share in percent with two decimals.
    pub fn percent(value: Option<f64>) -> Self {
        Self::number(value.map(|v| 100.0 * v), 2)
    }

    /// A difference in points with two decimals, or [`Cell::Missing`].
    pub fn signed(value: Option<f64>) -> Self {
        value.filter(|v| v.is_finite()).map_or(Cell::Missing, |v| Cell::Signed(v, 2))
    }

    pub(crate) fn text(&self, missing: &str) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Integer(n) => n.to_string(),
            Cell::Number(v, decimals) if v.is_finite() => fixed(*v, *decimals),
            Cell::Signed(v, decimals) if v.is_finite() => format!("{v:+.decimals$}"),
            // What is no number is no value.
            Cell::Number(..) | Cell::Signed(..) | Cell::Missing => missing.to_owned(),
        }
    }

    /// Whether there is anything to show: not of infinities.
    pub(crate) fn has_value(&self) -> bool {
        match self {
            Cell::Number(v, _) | Cell::Signed(v, _) => v.is_finite(),
            Cell::Missing => false,
            Cell::Text(_) | Cell::Integer(_) => true,
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Cell::Text(text) => text.clone().into(),
            Cell::Integer(n) => (*n).into(),
            // What is no number becomes `null`.
            Cell::Number(v, _) | Cell::Signed(v, _) => (*v).into(),
            Cell::Missing => Value::Null,
        }
    }

    fn is_text(&self) -> bool {
        matches!(self, Cell::Text(_))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<usize> for Cell {
    fn from(n: usize) -> Self {
        Cell::Integer(n as i64)
    }
}

/// Rows of [`Cell`]s under named columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Name of each column, with its unit.
    pub columns: Vec<String>,
    /// The rows from the top; each has one cell per column.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table of these columns without rows.
    pub fn new<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Self { columns: columns.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row at the end.
    ///
    /// # Panics
    /// When `cells` has not one cell per column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        assert_eq!(cells.len(), self.columns.len(), "a row has one cell per column");
        self.rows.push(cells);
    }

    /// Those of `columns` that the table has, in their order.
    pub fn select(&self, columns: &[&str]) -> Self {
        let chosen: Vec<usize> =
            columns.iter().filter_map(|name| self.columns.iter().position(|c| c == name)).collect();
        let of = |row: &Vec<Cell>| chosen.iter().map(|&i| row[i].clone()).collect();
        Self {
            columns: chosen.iter().map(|&i| self.columns[i].clone()).collect(),
            rows: self.rows.iter().map(of).collect(),
        }
    }

    /// An object for each row, with the columns as keys; what has no value is `null`. Numbers are not rounded.
    pub fn to_json(&self) -> Vec<Value> {
        let object = |row: &Vec<Cell>| {
            let pairs = self.columns.iter().cloned().zip(row.iter().map(Cell::to_json));
            Value::Object(pairs.collect())
        };
        self.rows.iter().map(object).collect()
    }

    /// RFC 4180 with a header line; missing values are empty. Texts that a spreadsheet would take for a formula have a
    /// `'` before them, see [`csv_text`].
    ///
    /// # Panics
    /// When a row has not one cell per column.
    pub fn to_csv(&self) -> String {
        let write = || -> std::io::Result<Vec<u8>> {
            let mut rows = CsvRows::begin(Vec::new(), &self.columns)?;
            self.rows.iter().try_for_each(|row| rows.row(row))?;
            rows.finish()
        };
        let bytes = write().expect("memory cannot refuse a record");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// For terminals: columns aligned with spaces.
    pub fn to_text(&self) -> String {
        let cells: Vec<Vec<String>> =
            self.rows.iter().map(|r| r.iter().map(|c| c.text("-")).collect()).collect();
        let width = |i: usize| {
            let longest = cells.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
            longest.max(self.columns[i].chars().count())
        };
        let widths: Vec<usize> = (0..self.columns.len()).map(width).collect();
        let line = |fields: &[String], left: &dyn Fn(usize) -> bool| -> String {
            let pad = |(i, f): (usize, &String)| {
                let w = widths[i];
                if left(i) { format!("{f:<w$}") } else { format!("{f:>w$}") }
            };
            fields.iter().enumerate().map(pad).collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
        };
        let left = |i: usize| self.rows.first().is_some_and(|r| r[i].is_text());
        let mut out = line(&self.columns, &left);
        cells.iter().for_each(|row| out += &line(row, &left));
        out
    }

    /// The table in GitHub's Markdown; a missing value is a dash.
    pub fn to_markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let safe = |text: &str| text.replace('|', "\\|");
        let mut out = line(self.columns.iter().map(|c| safe(c)).collect());
        let left = |i: usize| self.rows.first().is_some_and(|r| r[i].is_text());
        out += &line((0..self.columns.len()).map(|i| if left(i) { "---" } else { "---:" }.into()).collect());
        self.rows.iter().for_each(|row| out += &line(row.iter().map(|c| safe(&c.text("–"))).collect()));
        out
    }

    /// A `table` environment with rules of the booktabs package.
    pub fn to_latex(&self, caption: &str) -> String {
        let left = |i: usize| self.rows.first().is_some_and(|r| r[i].is_text());
        let kinds: String = (0..self.columns.len()).map(|i| if left(i) { 'l' } else { 'r' }).collect();
        let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
        let mut out = format!(
            "\\begin{{table}}\n\\caption{{{}}}\n\\begin{{tabular}}{{{kinds}}}\n\\toprule\n",
            latex(caption)
        );
        out += &line(self.columns.iter().map(|c| latex(c)).collect());
        out += "\\midrule\n";
        self.rows.iter().for_each(|row| out += &line(row.iter().map(|c| latex(&c.text("--"))).collect()));
        out + "\\bottomrule\n\\end{tabular}\n\\end{table}\n"
    }

    /// An HTML `table` element. Texts are escaped; a missing value is a dash.
    pub fn to_html(&self) -> String {
        let mut out = String::from("<table><thead><tr>");
        self.columns.iter().for_each(|c| out += &format!("<th>{}</th>", escape(&heading(c))));
        out += "</tr></thead><tbody>";
        for row in &self.rows {
            out += "<tr>";
            for cell in row {
                let class = match cell {
                    Cell::Text(text) if text.len() > LONG => " class=\"long\"",
                    Cell::Text(_) => "",
                    _ => " class=\"n\"",
                };
                out += &format!("<td{class}>{}</td>", escape(&cell.text("–")));
            }
            out += "</tr>";
        }
        out + "</tbody></table>"
    }
}

/// A CSV file as of [`Table::to_csv`], written row by row, for tables too large to keep.
pub struct CsvRows<W: Write> {
    writer: csv::Writer<W>,
    columns: usize,
}

impl<W: Write> CsvRows<W> {
    /// Writes the header line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn begin(out: W, columns: &[String]) -> std::io::Result<Self> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(columns.iter().map(|c| harmless(c)))?;
        Ok(Self { writer, columns: columns.len() })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Those of the writer.
    ///
    /// # Panics
    /// Where the row has not one cell per column.
    pub fn row(&mut self, cells: &[Cell]) -> std::io::Result<()> {
        assert_eq!(cells.len(), self.columns, "a row has one cell per column");
        let text = |c: &Cell| if c.is_text() { harmless(&c.text("")) } else { c.text("") };
        Ok(self.writer.write_record(cells.iter().map(text))?)
    }

    /// Gives the writer back.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn finish(self) -> std::io::Result<W> {
        self.writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}

/// A text as a spreadsheet shows it and does not compute it: a file's name may be `=HYPERLINK(...)`. Numbers stay.
fn harmless(text: &str) -> String {
    // Spreadsheets pass over spaces before a formula, and some take the wide signs of East Asian fonts for the usual ones.
    let begins = |c: char| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c);
    let formula = (text.trim_start().starts_with(begins) || text.starts_with(['\t', '\r', '\n']))
        && text.parse::<f64>().is_err();
    // A text that begins like one made harmless gets one more, so that it can be read back.
    if formula || text.starts_with('\'') { format!("'{text}") } else { text.to_owned() }
}

/// What `{value:.decimals$}` gives, sooner: tables of millions of objects are made of it. The general way is slowest for the
/// commonest values, those with few digits.
fn fixed(value: f64, decimals: usize) -> String {
    const POWERS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
    if let Some(power) = POWERS.get(decimals).copied() {
        let whole = (value.abs() * power).round();
        // Its exact distance from the value says whether this is the nearest; halves are left to the general way.
        if whole < 1e15 && value.abs().mul_add(power, -whole).abs() < 0.499 {
            let (whole, unit) = (whole as u64, power as u64);
            let sign = if value.is_sign_negative() { "-" } else { "" };
            return match decimals {
                0 => format!("{sign}{whole}"),
                _ => format!("{sign}{}.{:0decimals$}", whole / unit, whole % unit),
            };
        }
    }
    format!("{value:.decimals$}")
}

/// The text of a cell of a CSV that [`Table::to_csv`] wrote.
pub fn csv_text(cell: &str) -> &str {
    cell.strip_prefix('\'').unwrap_or(cell)
}

/// Bytes of a text beyond which a page may break it.
const LONG: usize = 60;

/// Text safe inside LaTeX.
fn latex(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\\' => out += "\\textbackslash{}",
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => out.extend(['\\', c]),
            '~' => out += "\\textasciitilde{}",
            '^' => out += "\\textasciicircum{}",
            '±' => out += "$\\pm$",
            '–' => out += "--",
            'µ' => out += "\\textmu{}",
            _ => out.push(c),
        }
    }
    out
}

/// Text safe inside HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::strategy::Strategy as _;

    proptest::proptest! {
        #[test]
        fn fixed_decimals_are_those_of_the_standard_library(
            value in proptest::prop_oneof![
                proptest::num::f64::NORMAL,
                -1e6..1e6f64,
                (-4_000_000i64..4_000_000).prop_map(|n| n as f64 / 1000.0),
                (-4_000_000i64..4_000_000).prop_map(|n| n as f64 / 64.0),
                proptest::prelude::Just(-0.0),
            ],
            decimals in 0usize..9,
        ) {
            proptest::prop_assert_eq!(fixed(value, decimals), format!("{value:.decimals$}"));
        }
    }

    #[test]
    fn formats() {
        let mut t = Table::new(["class", "IoU_percent"]);
        t.row(vec!["a, <b>".into(), Cell::percent(Some(0.12345))]);
        t.row(vec!["c".into(), Cell::number(Some(f64::NAN), 1)]);
        assert_eq!(t.to_csv(), "class,IoU_percent\n\"a, <b>\",12.35\nc,\n");
        assert_eq!(t.to_text(), "class   IoU_percent\na, <b>        12.35\nc                 -\n");
        assert_eq!(
            t.to_markdown(),
            "| class | IoU_percent |\n| --- | ---: |\n| a, <b> | 12.35 |\n| c | – |\n"
        );
        assert_eq!(
            t.to_latex("A & B"),
            "\\begin{table}\n\\caption{A \\& B}\n\\begin{tabular}{lr}\n\\toprule\nclass & IoU\\_percent \\\\\n\\midrule\n\
             a, <b> & 12.35 \\\\\nc & -- \\\\\n\\bottomrule\n\\end{tabular}\n\\end{table}\n"
        );
        for (text, cell) in [
            ("=1+1", "'=1+1"),
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+cmd", "'+cmd"),
            ("-a.png", "'-a.png"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            (" =1+1", "' =1+1"),
            ("\u{ff1d}1+1", "'\u{ff1d}1+1"),
            ("\r=1", "\"'\r=1\""),
            ("'a", "''a"),
            ("a=1", "a=1"),
            ("-5", "-5"),
            ("+0.82", "+0.82"),
        ] {
            let mut t = Table::new(["image", "=gain"]);
            t.row(vec![text.into(), Cell::Signed(-0.5, 2)]);
            assert_eq!(t.to_csv(), format!("image,'=gain\n{cell},-0.50\n"));
            let mut read = csv::Reader::from_reader(std::io::Cursor::new(t.to_csv()));
            assert_eq!(csv_text(&read.records().next().unwrap().unwrap()[0]), text);
        }
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let mut t = Table::new(["a", "b"]);
            t.row(vec![Cell::Number(odd, 2), Cell::Signed(odd, 2)]);
            assert_eq!((t.to_csv().as_str(), t.to_markdown().matches('–').count()), ("a,b\n,\n", 2));
        }
        assert!(t.to_html().contains("<td>a, &lt;b&gt;</td><td class=\"n\">12.35</td>"));
    }
}
