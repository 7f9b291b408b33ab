//! Where two pages differ, in words: what a reader sees, element by element.

/// Numbers may differ by one unit of their last digit on another processor, and this share of them at most: of a number
/// of four digits that is computed to a millionth, one in a hundred is rounded the other way.
const ROUNDED_SHARE: f64 = 0.02;

/// What was found.
#[derive(Debug, Default, PartialEq)]
pub struct Differences {
    /// A line for each element that is another.
    pub lines: Vec<String>,
    /// Numbers that differ by their last digit only.
    pub rounded: usize,
    pub numbers: usize,
}

impl Differences {
    /// Whether the pages say the same but for rounding.
    pub fn only_rounding(&self) -> bool {
        self.lines.is_empty() && self.rounded as f64 <= (ROUNDED_SHARE * self.numbers as f64).max(1.0)
    }
}

/// A tag with its angle brackets, or the text between two tags.
fn elements(html: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = html;
    while !rest.is_empty() {
        let end = match rest.strip_prefix('<') {
            Some(inner) => inner.find('>').map_or(rest.len(), |i| i + 2),
            None => rest.find('<').unwrap_or(rest.len()),
        };
        let (element, after) = rest.split_at(end);
        out.push(element);
        rest = after;
    }
    out
}

/// A text without its numbers, and the numbers: value, unit of the last digit.
fn numbers(text: &str) -> (String, Vec<(f64, f64)>) {
    let (mut words, mut found) = (String::new(), Vec::new());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let tail = &rest[start..];
        let mut end = tail.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(tail.len());
        // A full stop ends a sentence.
        end -= tail[..end].len() - tail[..end].trim_end_matches('.').len();
        let number = &tail[..end];
        words += &rest[..start];
        match number.parse::<f64>() {
            Ok(value) => {
                let decimals = number.split_once('.').map_or(0, |(_, d)| d.len());
                found.push((value, 10f64.powi(-(decimals as i32))));
                words.push('0');
            }
            Err(_) => words += number,
        }
        rest = &tail[end..];
    }
    (words + rest, found)
}

fn shown(element: &str) -> String {
    let text: String = element.chars().take(80).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.len() < element.trim().len() { format!("{text}...") } else { text }
}

/// Compares a page with the one made anew. `rounding`: numbers may differ by their last digit.
pub fn compare(old: &str, new: &str, rounding: bool) -> Differences {
    let mut out = Differences::default();
    let (old, new) = (elements(old), elements(new));
    let mut heading = "the head of the page".to_owned();
    let mut place = |before: &str, element: &str| {
        if before.starts_with("<h2") || before.starts_with("<h1") {
            heading = format!("`{}`", shown(element));
        }
        heading.clone()
    };
    let mut before = "";
    for (then, now) in old.iter().zip(&new) {
        // The record is compared by its values elsewhere.
        let is_record = before.starts_with("<template");
        let place = place(before, now);
        before = now;
        if is_record || then == now {
            out.numbers += if is_record || now.contains("base64,") { 0 } else { numbers(now).1.len() };
            continue;
        }
        let same_kind = then.starts_with('<') == now.starts_with('<');
        if !same_kind {
            // What follows lies elsewhere: the first place is what a reader needs.
            out.lines.push(format!("{place}: `{}` in the report, `{}` now", shown(then), shown(now)));
            return out;
        }
        if now.contains("base64,") && then.contains("base64,") {
            out.lines.push(format!("{place}: a picture is another"));
            continue;
        }
        let ((words, a), (new_words, b)) = (numbers(then), numbers(now));
        out.numbers += b.len();
        let near = |(a, b): (&(f64, f64), &(f64, f64))| {
            a.1 == b.1 && ((a.0 - b.0).abs() <= 1.01 * a.1 || (a.0 - b.0).abs() <= 1e-6 * b.0.abs())
        };
        if rounding && words == new_words && a.len() == b.len() && a.iter().zip(&b).all(near) {
            out.rounded += a.iter().zip(&b).filter(|(a, b)| a != b).count();
        } else {
            out.lines.push(format!("{place}: `{}` in the report, `{}` now", shown(then), shown(now)));
        }
    }
    if old.len() != new.len() && out.lines.is_empty() {
        let (more, rest) = if old.len() > new.len() {
            ("the report", &old[new.len()..])
        } else {
            ("the page made again", &new[old.len()..])
        };
        out.lines.push(format!("{more} has more at its end: `{}`", shown(&rest.concat())));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "<h1>T</h1><h2>Accuracy</h2><p>IoU 86.55 % of 3 images.</p><img src=\"data:image/png;base64,AAEC\">\
                        <svg><rect x=\"1.5\" height=\"20.0\"/></svg><template id=\"sorby-record\">{}</template>";

    #[test]
    fn elements_make_up_the_page() {
        assert_eq!(elements(PAGE).concat(), PAGE);
        assert_eq!(elements("a<b>c</b"), ["a", "<b>", "c", "</b"]);
        assert_eq!(numbers("IoU 86.55 % of 3."), ("IoU 0 % of 0.".into(), vec![(86.55, 0.01), (3.0, 1.0)]));
        assert_eq!(numbers("1.2.3").1, []);
    }

    #[test]
    fn every_change_of_what_is_read_is_seen_and_placed() {
        assert_eq!(compare(PAGE, PAGE, false).lines, Vec::<String>::new());
        for rounding in [false, true] {
            for (from, to, told) in [
                (
                    "86.55",
                    "99.99",
                    "`Accuracy`: `IoU 99.99 % of 3 images.` in the report, `IoU 86.55 % of 3 images.` now",
                ),
                ("86.55", "86.5", "`Accuracy`"),
                ("IoU", "loU", "`Accuracy`"),
                ("AAEC", "AAED", "`Accuracy`: a picture is another"),
                ("height=\"20.0\"", "height=\"90.0\"", "`Accuracy`"),
                ("<h1>T", "<h1>U", "`T`"),
                ("<svg>", "<script>x</script><svg>", "`Accuracy`"),
                ("</template>", "</template><b>", "at its end"),
                ("<p>", "<p hidden>", "`Accuracy`"),
            ] {
                let found = compare(&PAGE.replacen(from, to, 1), PAGE, rounding);
                assert!(found.lines[0].contains(told) && !found.only_rounding(), "{from} to {to}: {found:?}");
            }
        }
        // White space is no word, but bytes of it are compared by the caller.
        assert!(!compare(&PAGE.replace("<h2>", " <h2>"), PAGE, false).lines.is_empty());
    }

    #[test]
    fn on_another_processor_a_last_digit_may_differ_but_not_many() {
        let other = PAGE.replace("86.55", "86.56");
        assert!(!compare(&other, PAGE, false).lines.is_empty());
        let found = compare(&other, PAGE, true);
        assert!(found.only_rounding() && found.rounded == 1, "{found:?}");
        let page = |digit: char| (0..300).map(|i| format!("<td>{i}.{digit}</td>")).collect::<String>();
        let found = compare(&page('8'), &page('9'), true);
        assert!(found.lines.is_empty() && found.rounded == 300 && !found.only_rounding(), "{found:?}");
    }
}
