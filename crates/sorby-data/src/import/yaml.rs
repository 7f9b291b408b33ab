//! As much of YAML as a list of class names needs: scalars with and without quotes, lists and numbered entries, in
//! brackets or on lines of their own. What else YAML knows is not read.

/// What follows a key at the beginning of a line.
pub(super) fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let quoted = |quote: char| line.strip_prefix(quote)?.strip_prefix(key)?.strip_prefix(quote);
    let rest = line
        .strip_prefix(key)
        .or_else(|| quoted('"'))
        .or_else(|| quoted('\''))?
        .trim_start()
        .strip_prefix(':')?;
    (rest.is_empty() || rest.starts_with([' ', '\t', '[', '{'])).then(|| rest.trim())
}

/// The names below a key, in the order of their numbers where they have some; `None` for what is not read, for an empty
/// name, and for numbers that are not 0, 1, 2, ...
pub(super) fn names<'a>(mut lines: impl Iterator<Item = &'a str>, key: &str) -> Option<Vec<String>> {
    let first = lines.find_map(|line| value(line, key))?;
    // What follows belongs to it as long as it is indented, or a dash.
    let belongs = |l: &&str| l.starts_with([' ', '-', ']', '}', '#']) || l.is_empty();
    let more: Vec<&str> = lines.map(str::trim_end).take_while(belongs).collect();
    let entries = if first.starts_with(['[', '{']) {
        let text = std::iter::once(first).chain(more).collect::<Vec<_>>().join("\n");
        Scanner(text.trim()).flow()?
    } else if first.is_empty() || first.starts_with('#') {
        block(&more)?
    } else {
        return None;
    };
    in_order(entries).filter(|names| !names.is_empty() && !names.iter().any(|n| n.trim().is_empty()))
}

/// A name, and its number where it has one.
type Entry = (Option<String>, String);

fn in_order(entries: Vec<Entry>) -> Option<Vec<String>> {
    if entries.iter().all(|e| e.0.is_none()) {
        return Some(entries.into_iter().map(|e| e.1).collect());
    }
    let number = |(key, name): Entry| Some((key?.trim().parse::<usize>().ok()?, name));
    let mut numbered = entries.into_iter().map(number).collect::<Option<Vec<_>>>()?;
    numbered.sort();
    let in_order = numbered.iter().enumerate().all(|(i, n)| n.0 == i);
    in_order.then(|| numbered.into_iter().map(|n| n.1).collect())
}

/// Entries on lines of their own, all of them with a dash or all with a key, and equally far in.
fn block(lines: &[&str]) -> Option<Vec<Entry>> {
    let full = lines.iter().filter(|l| !l.trim().is_empty() && !l.trim().starts_with('#'));
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut entries = Vec::new();
    let mut first = None;
    for line in full {
        let dash = line.trim().strip_prefix('-').filter(|rest| rest.starts_with(' '));
        if *first.get_or_insert((indent(line), dash.is_some())) != (indent(line), dash.is_some()) {
            return None;
        }
        let mut scanner = Scanner(dash.unwrap_or(line).trim());
        let mut entry = (None, scanner.scalar(false)?);
        if dash.is_none() {
            scanner.0 = scanner.0.strip_prefix(':')?;
            entry = (Some(entry.1), scanner.scalar(false)?);
        }
        scanner.skip();
        if !scanner.0.is_empty() {
            return None;
        }
        entries.push(entry);
    }
    Some(entries)
}

/// What is left of a text.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    /// Passes over blanks and comments.
    fn skip(&mut self) {
        loop {
            self.0 = self.0.trim_start();
            if !self.0.starts_with('#') {
                return;
            }
            self.0 = self.0.split_once('\n').map_or("", |l| l.1);
        }
    }

    /// A list or mapping in brackets.
    fn flow(mut self) -> Option<Vec<Entry>> {
        let close = if self.0.starts_with('[') { ']' } else { '}' };
        self.0 = &self.0[1..];
        let mut entries = Vec::new();
        loop {
            self.skip();
            if let Some(rest) = self.0.strip_prefix(close) {
                self.0 = rest;
                self.skip();
                return self.0.is_empty().then_some(entries);
            }
            let mut entry = (None, self.scalar(true)?);
            if close == '}' {
                self.0 = self.0.trim_start().strip_prefix(':')?;
                entry = (Some(entry.1), self.scalar(true)?);
            }
            entries.push(entry);
            self.skip();
            match self.0.strip_prefix(',') {
                Some(rest) => self.0 = rest,
                None if self.0.starts_with(close) => {}
                None => return None,
            }
        }
    }

    fn scalar(&mut self, in_brackets: bool) -> Option<String> {
        self.skip();
        match self.0.chars().next()? {
            '\'' => self.single_quoted(),
            '"' => self.double_quoted(),
            // The beginnings of what is not read.
            c if "[]{},&*!|>%@`?".contains(c) => None,
            _ => Some(self.plain(in_brackets)),
        }
    }

    fn plain(&mut self, in_brackets: bool) -> String {
        let mut before = ' ';
        let end = self.0.char_indices().find(|(at, c)| {
            let colon =
                *c == ':' && self.0[at + 1..].chars().next().is_none_or(|n| n.is_whitespace() || n == ',');
            let comment = *c == '#' && before.is_whitespace();
            before = *c;
            colon || comment || *c == '\n' || in_brackets && ",[]{}".contains(*c)
        });
        let (plain, rest) = self.0.split_at(end.map_or(self.0.len(), |e| e.0));
        self.0 = rest;
        plain.trim().to_owned()
    }

    fn single_quoted(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let (part, rest) = self.0.strip_prefix('\'')?.split_once('\'')?;
            text += part;
            self.0 = rest;
            // Two quotes stand for one.
            if !rest.starts_with('\'') {
                return Some(text);
            }
            text.push('\'');
        }
    }

    fn double_quoted(&mut self) -> Option<String> {
        let mut chars = self.0.char_indices().skip(1);
        let mut text = String::new();
        loop {
            let (at, c) = chars.next()?;
            match c {
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Some(text);
                }
                '\\' => {
                    let code = |digits: usize, chars: &mut dyn Iterator<Item = (usize, char)>| {
                        let hex: String = chars.take(digits).map(|c| c.1).collect();
                        u32::from_str_radix(&hex, 16)
                            .ok()
                            .filter(|_| hex.len() == digits)
                            .and_then(char::from_u32)
                    };
                    text.push(match chars.next()?.1 {
                        c @ ('"' | '\\' | '/' | ' ') => c,
                        't' => '\t',
                        'x' => code(2, &mut chars)?,
                        'u' => code(4, &mut chars)?,
                        _ => return None,
                    });
                }
                '\n' => return None,
                c => text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    fn names(text: &str) -> Option<Vec<String>> {
        super::names(text.lines(), "names")
    }

    #[test]
    fn names_in_all_their_forms() {
        for text in [
            "path: x\nnames: ['pearlite', \"carbide\"]\n",
            "names:\n  0: pearlite\n  1: carbide  # small\nnc: 2\n",
            "nc: 2\nnames:\n- pearlite\n- 'carbide'\n",
            "names: {0: pearlite, 1: carbide}\n",
            "names:\n  1: carbide\n  0: pearlite\n",
            "names: ['pearlite',\n        'carbide']\nnc: 2\n",
            "names: [\n  pearlite, # lamellae\n\n  carbide,\n]\nnc: 2\n",
            "\"names\": [\"pearlite\", \"carbide\"]\n",
            "names : # two\n\n# more\n  - pearlite\n\n  - \"carb\\u0069de\"\nnc: 2\n",
            "names: {'0': pearlite,\n '1': carbide}\n",
        ] {
            assert_eq!(names(text).unwrap(), ["pearlite", "carbide"], "{text}");
        }
        for (text, two) in [
            ("names: ['a, b', 'c']\n", ["a, b", "c"]),
            ("names: [\"a, b\", c]\n", ["a, b", "c"]),
            ("names: ['a#1', 'b # c']\n", ["a#1", "b # c"]),
            ("names: [a#1, 'it''s']\n", ["a#1", "it's"]),
            ("names:\n- 'a: b'\n- \"say \\\"c\\\"\"\n", ["a: b", "say \"c\""]),
            ("names:\n- a [1]\n- b, c\n", ["a [1]", "b, c"]),
            ("names:\n  0: a:b\n  1: 'x # y' # z\n", ["a:b", "x # y"]),
            ("names: {0: 'a, b', 1: \"c}\"}\n", ["a, b", "c}"]),
        ] {
            assert_eq!(names(text).unwrap(), two, "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_names() {
        for text in [
            "nc: 3\n",
            "names: x\n",
            "names: x, y\n",
            "names:\n",
            "names: []\n",
            "names:\n  0: a\n  2: b\n",
            "names:\n  0: a\n  0: b\n",
            "names:\n- a\n  1: b\n",
            "names:\n- a\n  - b\n",
            "names:\n- 0: a\n- 1: b\n",
            "names: [a: 1, b]\n",
            "names: ['a', '']\n",
            "names: ['a', ,'b']\n",
            "names: ['a',\n",
            "names: ['a', 'b\n",
            "names: ['a' 'b']\n",
            "names: [[a, b]]\n",
            "names: [*a, b]\n",
            "names: {a: 0, b: 1}\n",
            "names: [\"\\q\"]\n",
            "names: [a] b\n",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }
}
