//! A report for paper: every page has a header with the report's number and `page n of m`, and nothing is wider than the
//! page. One self-contained HTML file; a browser prints it as PDF.

use crate::page::{Section, environment};
use crate::table::escape;
use minijinja::context;
use minijinja::value::Serde;
use serde::{Deserialize, Serialize};

/// Size of the paper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paper {
    /// 210 mm x 297 mm.
    #[default]
    A4,
    /// 8.5 in x 11 in.
    Letter,
}

impl Paper {
    /// The word for it: `a4`, `letter`.
    pub fn name(self) -> &'static str {
        match self {
            Self::A4 => "a4",
            Self::Letter => "letter",
        }
    }
}

/// A report for paper, from top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// Heading of the report, and title of the browser's tab.
    pub title: String,
    /// Line under the title.
    pub subtitle: String,
    /// Left side of the head of each page.
    pub head_left: String,
    /// Right side of the head of each page.
    pub head_right: String,
    /// Size of the paper.
    pub paper: Paper,
    /// Names and values of the header; an empty value is a line to be filled in by hand.
    pub header: Vec<(String, String)>,
    /// The outcome in a line, and whether it is good, bad or open.
    pub outcome: Option<(Tone, String)>,
    /// What a reader must know before any number.
    pub warnings: Vec<String>,
    /// Sections before the signatures. Their tables come before their text.
    pub first: Vec<Section>,
    /// Who signs.
    pub signatures: Vec<String>,
    /// Sections after them, from a new page on.
    pub rest: Vec<Section>,
}

/// How an outcome is shown; the words say it too, for black and white paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// All is as it should be.
    Good,
    /// It is not.
    Bad,
    /// It is not known.
    Open,
}

/// The HTML of a sheet. Text is escaped; blocks of sections are taken as they are.
///
/// # Panics
/// Never: the built-in template renders any sheet.
pub fn render_sheet(sheet: &Sheet) -> String {
    let environment = environment("sheet.html", include_str!("sheet.html"));
    let template = environment.get_template("sheet.html").expect("the built-in template is there");
    let safe = minijinja::Value::from_safe_string;
    template
        .render(context! {
            title => &sheet.title,
            subtitle => &sheet.subtitle,
            generator => safe(sorby_image::PAGE_GENERATOR.to_owned()),
            head_left => safe(css_string(&sheet.head_left)),
            head_right => safe(css_string(&sheet.head_right)),
            paper => match sheet.paper { Paper::A4 => "A4", Paper::Letter => "letter" },
            header => Serde(&sheet.header),
            outcome => Serde(&sheet.outcome),
            warnings => &sheet.warnings,
            first => Serde(&sheet.first),
            signatures => &sheet.signatures,
            rest => Serde(&sheet.rest),
        })
        .expect("the built-in template renders any sheet")
}

/// A text as a string of CSS inside a `style` element: all but letters, digits and spaces as numbers.
fn css_string(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        c if c.is_alphanumeric() || " .,-/:()".contains(c) => c.to_string(),
        c if c.is_control() => " ".to_owned(),
        c => format!("\\{:x} ", c as u32),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Letters of a word beyond which it may be broken, as a hash may.
const LONG_WORD: usize = 30;

/// An HTML table of texts whose columns share the width of the page; the first row is the head. A text of several lines keeps
/// them.
pub fn sheet_table(rows: &[Vec<String>]) -> String {
    let cells = |row: &Vec<String>, tag: &str| -> String {
        let cell = |text: &String| {
            let long = text.split_whitespace().any(|word| word.chars().count() > LONG_WORD);
            let class = if long { " class=\"long\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escape(text).replace('\n', "<br>"))
        };
        row.iter().map(cell).collect()
    };
    let Some((head, body)) = rows.split_first() else { return String::new() };
    let body: String = body.iter().map(|row| format!("<tr>{}</tr>", cells(row, "td"))).collect();
    format!(
        "<table class=\"sheet\"><thead><tr>{}</tr></thead><tbody>{body}</tbody></table>",
        cells(head, "th")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_of_pages_cannot_break_out_of_their_style() {
        let sheet = Sheet {
            title: "T <1>".into(),
            head_left: "Heat \"12\" </style><script>\n\\".into(),
            header: vec![("Lot".into(), "a & b".into()), ("Etch".into(), String::new())],
            outcome: Some((Tone::Bad, "outside".into())),
            signatures: vec!["Measured by".into()],
            paper: Paper::Letter,
            ..Sheet::default()
        };
        let html = render_sheet(&sheet);
        assert!(!html.contains("<script") && html.matches("</style>").count() == 1, "{html}");
        assert!(html.contains("Heat \\22 12\\22  \\3c /style\\3e \\3c script\\3e  \\5c "), "{html}");
        assert!(html.contains("size: letter") && html.contains("counter(pages)"));
        assert!(html.contains("a &amp; b") && html.contains("class=\"outcome bad\""));
        assert!(html.contains("class=\"blank\""), "a line to be filled in");
        assert!(!html.contains("http://") && !html.contains("https://"));
    }

    #[test]
    fn tables_of_texts() {
        let rows = [vec!["a".to_owned(), "b".into()], vec!["<1>".into(), "x\ny".into()]];
        let table = sheet_table(&rows);
        assert!(
            table.contains("<th>a</th><th>b</th>") && table.contains("<td>&lt;1&gt;</td><td>x<br>y</td>")
        );
        assert_eq!(sheet_table(&[]), "");
        let hash = sheet_table(&[vec!["SHA-256".into()], vec!["ab".repeat(32)]]);
        assert!(hash.contains("<td class=\"long\">abab"), "may be broken: {hash}");
    }
}
