//! Settings written as XML.

use super::lengths::{self, Comma, Fault};
use roxmltree::{Document, Node, ParsingOptions};

/// No instrument writes as many.
const NODES: u32 = 500_000;

/// Names of HTML that instruments use though XML does not know them.
const HTML: [(&str, &str); 5] =
    [("&micro;", "µ"), ("&mu;", "μ"), ("&Aring;", "Å"), ("&deg;", "°"), ("&nbsp;", " ")];

/// Whether a text looks like XML.
pub(super) fn is(text: &str) -> bool {
    text.trim_start_matches(['\u{feff}', '\n', ' ', '\t']).starts_with('<')
}

/// Makes XML of what instruments write: without what surrounds it and without names that only HTML has.
pub(super) fn clean(text: &str) -> String {
    let text = text.trim_matches(['\u{feff}', '\n', ' ', '\t']);
    HTML.iter().fold(text.to_owned(), |text, (name, letter)| text.replace(name, letter))
}

/// # Errors
/// Where it is none, or has more nodes than anything sensible.
pub(super) fn parse(clean: &str) -> Result<Document<'_>, Fault> {
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    Document::parse_with_options(clean, options).map_err(|e| {
        Fault::Unreadable(format!("holds XML that cannot be read ({})", lengths::short(&e.to_string())))
    })
}

/// Elements of a name, whatever their namespace.
pub(super) fn elements<'a, 'i>(
    within: Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'i>> + use<'a, 'i> {
    within.descendants().filter(move |n| n.is_element() && n.tag_name().name() == name)
}

/// A child of a name, whatever its namespace.
pub(super) fn child<'a, 'i>(of: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    of.children().find(|n| n.is_element() && n.tag_name().name() == name)
}

/// The only child of a name; several must say the same.
///
/// # Errors
/// Where two differ.
pub(super) fn one<'a, 'i>(of: Node<'a, 'i>, name: &str) -> Result<Option<Node<'a, 'i>>, Fault> {
    agreed(name, of.children().filter(|n| n.is_element() && n.tag_name().name() == name))
}

/// One of several elements that say the same.
pub(super) fn agreed<'a, 'i>(
    name: &str,
    nodes: impl Iterator<Item = Node<'a, 'i>>,
) -> Result<Option<Node<'a, 'i>>, Fault> {
    // With all that is in them: units may stand in elements and attributes of their own.
    let written = |node: &Node| node.document().input_text()[node.range()].to_owned();
    let mut found: Option<Node> = None;
    for node in nodes {
        match &found {
            Some(first) if written(first) != written(&node) => {
                let said = |node: &Node| lengths::short(text(*node).unwrap_or(&written(node)));
                let (a, b) = (said(first), said(&node));
                return Err(Fault::Unreadable(format!("states {name} twice, `{a}` and `{b}`")));
            }
            _ => found = Some(node),
        }
    }
    Ok(found)
}

pub(super) fn text<'a>(node: Node<'a, '_>) -> Option<&'a str> {
    node.text().map(str::trim).filter(|t| !t.is_empty())
}

/// An attribute of a name, whatever its namespace and case.
pub(super) fn attribute<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    node.attributes().find(|a| a.name().eq_ignore_ascii_case(name)).map(|a| a.value().trim())
}

/// Columns or rows.
pub(super) fn count(node: Node) -> Option<u32> {
    text(node)?.parse().ok()
}

/// The length in an element, in nanometres. The unit is in the text, an attribute of the element or of the one around
/// it, an element next to it or within it, or the one that is known.
pub(super) fn length(node: Node, known: Option<&str>) -> Result<f64, Fault> {
    let value = child(node, "Value").or_else(|| child(node, "value")).unwrap_or(node);
    let written = text(value)
        .ok_or_else(|| Fault::Unreadable(format!("holds an empty <{}>", node.tag_name().name())))?;
    // A power other than that of the unit itself is not documented.
    if let Some(power) = attribute(node, "unitPrefixPower").filter(|p| !matches!(*p, "0" | "1" | "")) {
        return Err(Fault::Unreadable(format!(
            "states `{}` with unitPrefixPower `{}`, which is not known",
            lengths::short(written),
            lengths::short(power)
        )));
    }
    let around = [Some(value), Some(node), node.parent()].into_iter().flatten();
    let unit = around
        .flat_map(|n| {
            let by_attribute = ["unit", "units"].into_iter().find_map(|name| attribute(n, name));
            let by_element = ["Unit", "unit", "Units"].into_iter().find_map(|name| text(child(n, name)?));
            [by_attribute, by_element]
        })
        .flatten()
        .find(|unit| !unit.is_empty());
    lengths::parse(written, Comma::Unknown, unit.or(known))
}

#[cfg(test)]
mod tests {
    use super::{clean, length, parse};

    #[test]
    fn the_unit_is_found_wherever_it_stands() {
        for text in [
            "<X unit=\"um\">0.05</X>",
            "<X unit='&#181;m'>0.05</X>",
            "<X unit='&#xB5;m'>0.05</X>",
            "<X unit='&micro;m'>0,05</X>",
            "<X a='1' Unit='um' b='2'> 0.05\n</X>",
            "<X>0.05 um</X>",
            "<X><Value>0.05</Value><Unit>um</Unit></X>",
            "<X><Unit>um</Unit><Value>0.05</Value></X>",
            "<X unit='nm'>0.05 um</X>",
            "<X><![CDATA[0.05 um]]></X>",
            "<X unit=''>5e-8</X>",
            "<X>5e-8</X>",
            "<q:X xmlns:q='http://a' q:unit='nm'>50</q:X>",
            "\u{feff}\n<?xml version='1.0' encoding='utf-16'?><!-- nm --><X>5e-8</X>\n\n",
        ] {
            let text = clean(text);
            let document = parse(&text).unwrap();
            let nm = length(document.root_element(), Some("m")).unwrap();
            assert!((nm / 50.0 - 1.0).abs() < 1e-12, "{text}: {nm}");
        }
        for text in
            ["<X/>", "<X unit='furlong'>5</X>", "<X>soon</X>", "<X unit='m' unitPrefixPower='-9'>50</X>"]
        {
            assert!(length(parse(text).unwrap().root_element(), Some("m")).is_err(), "{text}");
        }
    }

    #[test]
    fn harmful_xml_is_refused() {
        let deep = "<a>".repeat(200_000);
        let laughs = "<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><x>&b;</x>";
        for text in [deep.as_str(), laughs, "<a", "<a></b>", "", "<a>&nothing;</a>"] {
            assert!(parse(text).is_err());
        }
    }
}
