//! A self-contained HTML page: no scripts, no links to other files.

use crate::table::escape;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde::Serialize;

/// A page from top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Heading of the page, and title of the browser's tab.
    pub title: String,
    /// Line under the title; empty for none.
    pub subtitle: String,
    /// What a reader must know before any number: shown in red above all else.
    pub warnings: Vec<String>,
    /// The parts of the page, the topmost first.
    pub sections: Vec<Section>,
    /// For programs: text that the page carries without showing it, see [`record_of`].
    pub record: String,
}

/// A heading and what stands under it, in this order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Section {
    /// Title of the section.
    pub heading: String,
    /// Plain text under the heading; empty for none.
    pub text: String,
    /// Ready HTML: tables and SVG charts.
    pub blocks: Vec<String>,
    /// Pictures below the blocks.
    pub pictures: Vec<Picture>,
    /// Commands or files, shown as typed.
    pub code: String,
}

/// A picture with its caption.
#[derive(Clone, Debug, Serialize)]
pub struct Picture {
    /// Text under the picture.
    pub caption: String,
    source: String,
}

impl Picture {
    /// A picture from the bytes of a PNG file; the page carries them itself.
    pub fn png(caption: impl Into<String>, bytes: &[u8]) -> Self {
        Self {
            caption: caption.into(),
            source: format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes)),
        }
    }
}

/// The page's HTML. Text is escaped; blocks are taken as they are.
///
/// # Panics
/// Never: the built-in template renders any page.
pub fn render(page: &Page) -> String {
    let environment = environment("page.html", include_str!("page.html"));
    let template = environment.get_template("page.html").expect("the built-in template is there");
    template
        .render(context! {
            title => &page.title,
            generator => minijinja::Value::from_safe_string(sorby_image::PAGE_GENERATOR.to_owned()),
            subtitle => &page.subtitle,
            warnings => &page.warnings,
            sections => Serde(&page.sections),
            record => escape(&page.record),
        })
        .expect("the built-in template renders any page")
}

/// With one built-in template; its name decides that texts are escaped.
pub(crate) fn environment(name: &'static str, template: &'static str) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.add_template(name, template).expect("the built-in template is valid");
    environment
}

const RECORD: &str = "<template id=\"sorby-record\">";

/// The record inside a page's HTML, see [`Page::record`]; `None` for HTML without one.
pub fn record_of(html: &str) -> Option<String> {
    let inside = &html[html.find(RECORD)? + RECORD.len()..];
    let text = &inside[..inside.find("</template>")?];
    Some(text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_self_contained_and_escaped() {
        let section = Section {
            heading: "A & B".into(),
            text: "<script>".into(),
            blocks: vec!["<svg></svg>".into()],
            pictures: vec![Picture::png("p", b"x")],
            code: "a < b".into(),
        };
        let html = render(&Page {
            title: "t".into(),
            subtitle: "s".into(),
            warnings: vec!["3 images & more".into()],
            sections: vec![section],
            record: r#"{"a": "<&>"}"#.into(),
        });
        assert!(
            html.contains("A &amp; B") && html.contains("&lt;script&gt;") && html.contains("<svg></svg>")
        );
        assert!(html.contains(r#"<p class="warning" role="alert">3 images &amp; more</p>"#), "{html}");
        assert!(html.contains("data:image/png;base64,eA==") && html.contains("a &lt; b"));
        assert_eq!(record_of(&html).unwrap(), r#"{"a": "<&>"}"#);
        assert_eq!(record_of("<html></html>"), None);
        assert!(!html.contains("http://") && !html.contains("https://"));
    }
}
