//! The command as it was typed, for the folder of its results.

use sorby::MadeBy;

/// The command without what its answers do not depend on.
pub fn typed(verb: &str) -> MadeBy {
    MadeBy::new(verb).with("arguments", relevant(crate::typed_words().skip(1)))
}

/// Options that change where results go and how they are shown, not what they are; whether a value follows.
const IRRELEVANT: [(&str, bool); 8] = [
    ("--out", true),
    ("--threads", true),
    ("--put-aside", true),
    ("--json", false),
    ("--add", false),
    ("--shard", true),
    ("--merge", false),
    ("--exit-code-for-more", true),
];

fn relevant(arguments: impl Iterator<Item = String>) -> Vec<String> {
    let (mut kept, mut skip) = (Vec::new(), false);
    for argument in arguments {
        let option = |(name, _): &&(&str, bool)| {
            argument == *name || argument.strip_prefix(name).is_some_and(|rest| rest.starts_with('='))
        };
        match (std::mem::take(&mut skip), IRRELEVANT.iter().find(option)) {
            (true, _) => {}
            (false, Some((name, valued))) => skip = *valued && argument == *name,
            (false, None) => kept.push(argument),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_answers_depend_on_counts() {
        let typed = |text: &str| relevant(text.split(' ').map(str::to_owned));
        let plain = typed("measure masks --class 2");
        assert_eq!(typed("--threads 2 measure masks --out=o --class 2 --json"), plain);
        assert_eq!(typed("measure --out o masks --class 2"), plain);
        assert_eq!(typed("measure --shard 2/4 masks --class 2"), plain);
        assert_eq!(typed("measure --merge masks --class 2 --merge=4"), plain);
        assert_ne!(typed("measure masks --class 1"), plain);
    }
}
