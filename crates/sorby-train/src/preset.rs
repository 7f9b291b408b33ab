//! Recipes that come with the program, by name.

/// Name, recipe.
pub const PRESETS: [(&str, &str); 4] = [
    ("coffee", include_str!("../../../recipes/coffee.toml")),
    ("lunch", include_str!("../../../recipes/lunch.toml")),
    ("overnight", include_str!("../../../recipes/overnight.toml")),
    ("paper", include_str!("../../../recipes/paper.toml")),
];

/// The text of a built-in recipe.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid_and_paper_is_the_papers() {
        for (name, text) in PRESETS {
            crate::parse(text, &[]).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
        assert_eq!(crate::parse(preset("paper").unwrap(), &[]).unwrap(), crate::Recipe::default());
    }
}
