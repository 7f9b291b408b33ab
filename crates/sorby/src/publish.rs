//! Tables and figures in all their forms, and a page of them.

use crate::Result;
use sorby_image::write::atomically;
use sorby_report::overlay::Rgb;
use sorby_report::{Chart, Page, Picture, Section, Table, render};
use std::path::{Path, PathBuf};

/// Panels of a page are no wider than this.
const SHOWN_PX: usize = 800;

/// A table, charts or pictures with a caption.
#[derive(Default)]
pub struct Exhibit {
    /// File name without ending: `table1`.
    pub name: String,
    /// Heading on the page.
    pub caption: String,
    /// Text below the heading.
    pub text: String,
    /// Written as CSV, Markdown and LaTeX.
    pub table: Option<Table>,
    /// Written as SVG.
    pub charts: Vec<Chart>,
    /// Panels with their captions.
    pub panels: Vec<(String, Rgb)>,
}

impl Exhibit {
    /// A table with its caption and text.
    pub fn table(
        name: impl Into<String>,
        caption: impl Into<String>,
        text: impl Into<String>,
        table: Table,
    ) -> Self {
        let (name, caption, text) = (name.into(), caption.into(), text.into());
        Self { name, caption, text, table: Some(table), ..Self::default() }
    }

    fn chart_name(&self, i: usize) -> String {
        if self.charts.len() == 1 {
            format!("{}.svg", self.name)
        } else {
            format!("{}{}.svg", self.name, letter(i))
        }
    }

    /// Writes every form into a folder.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, out: &Path) -> Result<()> {
        let file = |ending: &str| out.join(format!("{}.{ending}", self.name));
        if let Some(table) = &self.table {
            atomically(&file("csv"), table.to_csv().as_bytes())?;
            atomically(&file("md"), table.to_markdown().as_bytes())?;
            atomically(&file("tex"), table.to_latex(&self.caption).as_bytes())?;
        }
        for (i, chart) in self.charts.iter().enumerate() {
            atomically(&out.join(self.chart_name(i)), chart.to_svg().as_bytes())?;
        }
        if !self.panels.is_empty() {
            let panels: Vec<Rgb> = self.panels.iter().map(|p| p.1.clone()).collect();
            atomically(&file("png"), &Rgb::side_by_side(&panels).png())?;
        }
        Ok(())
    }

    /// As a section of a page.
    pub fn section(&self) -> Section {
        let mut blocks: Vec<String> = self.table.iter().map(Table::to_html).collect();
        blocks.extend(self.charts.iter().map(Chart::to_svg));
        let panel = |(i, (caption, picture)): (usize, &(String, Rgb))| {
            Picture::png(format!("({}) {caption}", letter(i)), &picture.thumbnail(SHOWN_PX).png())
        };
        Section {
            heading: self.caption.clone(),
            text: self.text.clone(),
            blocks,
            pictures: self.panels.iter().enumerate().map(panel).collect(),
            code: String::new(),
        }
    }

    /// The same for a Markdown page next to the files.
    pub fn markdown(&self) -> String {
        let mut out = format!("## {}\n\n", self.caption);
        if !self.text.is_empty() {
            out += &format!("{}\n\n", self.text);
        }
        if let Some(table) = &self.table {
            out += &format!("{}\n", table.to_markdown());
        }
        for i in 0..self.charts.len() {
            out += &format!("![{}]({})\n\n", self.charts[i].title, self.chart_name(i));
        }
        if !self.panels.is_empty() {
            let captions: Vec<String> =
                self.panels.iter().enumerate().map(|(i, (c, _))| format!("({}) {c}", letter(i))).collect();
            out += &format!("![{}]({}.png)\n\n{}\n\n", self.caption, self.name, captions.join(", "));
        }
        out
    }
}

/// Writes every exhibit into a folder, and a page (`name.html`, `name.md`) of them all; gives the page's place.
///
/// # Errors
/// When a file cannot be written.
pub fn publish(name: &str, title: &str, subtitle: &str, exhibits: &[Exhibit], out: &Path) -> Result<PathBuf> {
    for exhibit in exhibits {
        exhibit.write(out)?;
    }
    let version = format!("Sorby {}", env!("CARGO_PKG_VERSION"));
    let page = Page {
        title: title.to_owned(),
        subtitle: if subtitle.is_empty() { version } else { format!("{version} · {subtitle}") },
        warnings: Vec::new(),
        sections: exhibits.iter().map(Exhibit::section).collect(),
        record: String::new(),
    };
    let html = out.join(format!("{name}.html"));
    atomically(&html, render(&page).as_bytes())?;
    let markdown: String = exhibits.iter().map(Exhibit::markdown).collect();
    atomically(&out.join(format!("{name}.md")), markdown.as_bytes())?;
    Ok(html)
}

fn letter(i: usize) -> char {
    (b'a' + (i % 26) as u8) as char
}
