//! `STUDY.toml`.

use crate::power::Design;
use serde::{Deserialize, Serialize};
use sorby_train::{Arch, Pretrained, Recipe, parse_table, preset};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use toml::Table;

/// How tricks are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Ma & Yu 2023: one seed, tricks chosen on the test images.
    Paper,
    /// Tricks judged by cross-validation, test images touched once.
    #[default]
    Sound,
}

/// A study as typed. Every key has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StudySpec {
    /// What the data are called in tables; empty: the data set's folder name.
    pub title: String,
    /// How tricks are chosen.
    pub protocol: Protocol,
    /// Architectures, each of which gets every trick.
    pub archs: Vec<Arch>,
    /// Tricks in the order of stacking.
    pub tricks: Vec<String>,
    /// The weights of trick T: a file, or `builtin`, which it is where nothing else is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<Pretrained>,
    /// Takes what that file has, though it does not fill the whole encoder.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub pretrained_partial: bool,
    /// Repeats of every training (`sound`); the paper's protocol has one.
    pub seeds: u64,
    /// The first seed.
    pub first_seed: u64,
    /// Folds of the training images (`sound`).
    pub folds: usize,
    /// Splits of dataset.toml to learn from.
    pub train: Vec<String>,
    /// Split that is held out (`sound`), or chosen on (`paper`).
    pub test: String,
    /// Name of a built-in schedule, or a recipe file: what all trainings start from.
    pub base: PathBuf,
    /// Changes to it for all trainings.
    pub recipe: Table,
    /// Tricks in addition to T, S and R, or instead of them.
    pub trick: BTreeMap<String, Trick>,
}

impl Default for StudySpec {
    fn default() -> Self {
        Self {
            title: String::new(),
            protocol: Protocol::Sound,
            archs: vec![Arch::DeepLabV3Plus, Arch::PspNet],
            tricks: ["T", "S", "R"].map(str::to_owned).to_vec(),
            pretrained: None,
            pretrained_partial: false,
            seeds: 3,
            first_seed: 0,
            folds: 3,
            train: vec!["train".into()],
            test: "test".into(),
            base: "coffee".into(),
            recipe: Table::new(),
            trick: BTreeMap::new(),
        }
    }
}

/// Keys of a recipe that the study sets for each training.
const STUDYS_OWN: [&str; 4] = ["arch", "seed", "data.train", "data.val"];

/// A named set of changes to the recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trick {
    /// What tables call it.
    pub title: String,
    /// Keys of the recipe with the values that the trick gives them.
    pub set: Table,
}

/// What is wrong with a study file, in one line that names the key.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct SpecError(pub String);

impl StudySpec {
    /// Parses and validates; relative paths start from `folder`.
    ///
    /// # Errors
    /// When the text is not TOML, a key is not known or not in its range, a trick is not described, or something in
    /// the file has no effect.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, SpecError> {
        let mut spec: Self =
            toml::from_str(text).map_err(|e| SpecError(sorby_train::one_line(&e.to_string())))?;
        let place =
            |path: &Path| std::path::absolute(folder.join(path)).unwrap_or_else(|_| folder.join(path));
        spec.pretrained = spec.pretrained.map(|start| start.placed(folder));
        if preset(&spec.base.to_string_lossy()).is_none() {
            spec.base = place(&spec.base);
        }
        let tables = spec.trick.values_mut().map(|t| &mut t.set).chain([&mut spec.recipe]);
        for table in tables {
            if let Some(toml::Value::String(path)) = table.get_mut("pretrained")
                && let Some(start) = Pretrained::parse(path)
            {
                *path = start.placed(folder).to_string();
            }
        }
        spec.add_known_tricks()?;
        spec.begin_at_random()?;
        spec.check()?;
        spec.check_used()?;
        spec.check_effects()?;
        Ok(spec)
    }

    /// What is written must have an effect.
    fn check_used(&self) -> Result<(), SpecError> {
        if let Some(name) = self.trick.keys().find(|name| !self.tricks.contains(name)) {
            return Err(SpecError(format!(
                "[trick.{name}] is described but not among `tricks`; name it there or remove it"
            )));
        }
        if let Some(file) = &self.pretrained {
            let file = file.to_string();
            let takes = |t: &Trick| t.set.get("pretrained").and_then(toml::Value::as_str) == Some(&file);
            if !self.trick.values().any(takes) {
                let what = "`pretrained` is the file of trick T, which is not among `tricks` or has a file of its own; for \
                            all trainings write recipe.pretrained";
                return Err(SpecError(what.into()));
            }
        }
        Ok(())
    }

    /// A trick that changes nothing would cost a night and say nothing.
    fn check_effects(&self) -> Result<(), SpecError> {
        let (_, base) = self.recipe_with(&[])?;
        for name in &self.tricks {
            if self.recipe_with(std::slice::from_ref(name))?.1 == base {
                let keys = self.trick.get(name).map(|t| keys_of(&t.set, "")).unwrap_or_default().join(", ");
                let what = format!(
                    "trick {name} changes nothing: the base has its {keys} already; give the base another value under \
                     [recipe] (for S: recipe.augment = \"weak\")"
                );
                return Err(SpecError(what));
            }
        }
        Ok(())
    }

    /// T, S and R, where they are named but not described.
    fn add_known_tricks(&mut self) -> Result<(), SpecError> {
        for name in &self.tricks {
            if self.trick.contains_key(name) {
                continue;
            }
            let mut set = Table::new();
            let title = match name.as_str() {
                "T" => {
                    let start = self.pretrained.as_ref().unwrap_or(&Pretrained::Builtin);
                    set.insert("pretrained".into(), start.to_string().into());
                    if self.pretrained_partial {
                        set.insert("pretrained_partial".into(), true.into());
                    }
                    "Transfer learning"
                }
                "S" => {
                    set.insert("augment".into(), "strong".into());
                    "Strong augmentation"
                }
                "R" => {
                    let data = Table::from_iter([("input_scale".to_owned(), 0.5.into())]);
                    set.insert("data".into(), data.into());
                    "Enlarged receptive field"
                }
                other => return Err(SpecError(format!("trick {other}: describe it under [trick.{other}]"))),
            };
            self.trick.insert(name.clone(), Trick { title: title.into(), set });
        }
        Ok(())
    }

    /// What a trick of pretrained weights gains is measured against a random start, also where the schedule's own start is
    /// another; unless the file says otherwise.
    fn begin_at_random(&mut self) -> Result<(), SpecError> {
        let starts = |trick: &Trick| trick.set.contains_key("pretrained");
        if self.trick.values().any(starts) && !self.recipe.contains_key("pretrained") {
            let (_, base) = self.recipe_with(&[])?;
            if base.pretrained.is_some() {
                self.recipe.insert("pretrained".into(), "none".into());
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), SpecError> {
        let check = |ok: bool, what: &str| if ok { Ok(()) } else { Err(SpecError(what.to_owned())) };
        check(!self.archs.is_empty(), "archs must name at least one architecture")?;
        check(!self.tricks.is_empty(), "tricks must name at least one trick")?;
        check((1..=100).contains(&self.seeds), "seeds must be from 1 to 100")?;
        check((2..=100).contains(&self.folds), "folds must be from 2 to 100")?;
        check(
            !self.train.is_empty() && !self.test.is_empty(),
            "train and test must name splits of dataset.toml",
        )?;
        check(!self.train.contains(&self.test), "the test split must not be trained on")?;
        let plain =
            |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        for (i, name) in self.tricks.iter().enumerate() {
            check(plain(name), &format!("trick `{name}`: names are letters, digits and hyphens"))?;
            // Folders are named after tricks, and some disks take `r` and `R` for one name.
            let same = |other: &String| other.eq_ignore_ascii_case(name);
            check(!self.tricks[..i].iter().any(same), &format!("trick {name} is named twice"))?;
            check(
                !name.eq_ignore_ascii_case("base"),
                "`base` is the name of the baseline; call the trick otherwise",
            )?;
        }
        let set = self.trick.iter().map(|(name, t)| (name.as_str(), &t.set));
        for (place, table) in set.chain([("recipe", &self.recipe)]) {
            let taken = keys_of(table, "").into_iter().find(|k| STUDYS_OWN.contains(&k.as_str()));
            if let Some(key) = taken {
                return Err(SpecError(format!("{place} sets {key}, which the study itself sets")));
            }
        }
        for (i, arch) in self.archs.iter().enumerate() {
            check(!self.archs[..i].contains(arch), &format!("{} is named twice", arch.title()))?;
        }
        Ok(())
    }

    /// Trainings of the whole study at most.
    pub fn trainings_at_most(&self) -> u64 {
        let (archs, tricks) = (self.archs.len(), self.tricks.len());
        match self.protocol {
            // Baseline, single tricks, and a stack of two, three, ... of them.
            Protocol::Paper => (archs * 2 * tricks) as u64,
            Protocol::Sound => {
                Design { folds: self.folds, seeds: self.seeds, iterations: 0 }.trainings(archs, tricks)
            }
        }
    }

    /// Whether two tricks set a common key, so that one stack cannot hold both.
    pub fn exclude(&self, a: &str, b: &str) -> bool {
        let keys = |name: &str| self.trick.get(name).map(|t| keys_of(&t.set, "")).unwrap_or_default();
        let (a_keys, b_keys) = (keys(a), keys(b));
        a != b && a_keys.iter().any(|k| b_keys.contains(k))
    }

    /// The base's own keys, paths made absolute.
    ///
    /// # Errors
    /// When the base is neither a built-in schedule nor a file that can be read as TOML.
    pub fn base_table(&self) -> Result<Table, SpecError> {
        let name = self.base.to_string_lossy();
        let text = match preset(&name) {
            Some(text) => text.to_owned(),
            None => std::fs::read_to_string(&self.base).map_err(|e| SpecError(format!("{name}: {e}")))?,
        };
        let mut table: Table = toml::from_str(&text)
            .map_err(|e| SpecError(format!("{name}: {}", sorby_train::one_line(&e.to_string()))))?;
        if let Some(toml::Value::String(path)) = table.get_mut("pretrained") {
            let folder = self.base.parent().unwrap_or(Path::new(""));
            *path = folder.join(path.as_str()).to_string_lossy().into_owned();
        }
        Ok(table)
    }

    /// The recipe of the base with `tricks` on top.
    ///
    /// # Errors
    /// As [`StudySpec::base_table`]; and when a trick is not described, or the recipe that results is not valid.
    pub fn recipe_with(&self, tricks: &[String]) -> Result<(Table, Recipe), SpecError> {
        let mut table = self.base_table()?;
        merge(&mut table, &self.recipe);
        for trick in tricks {
            let set = &self.trick.get(trick).ok_or_else(|| SpecError(format!("no trick {trick}")))?.set;
            merge(&mut table, set);
        }
        let recipe = parse_table(table.clone()).map_err(|e| SpecError(e.to_string()))?;
        Ok((table, recipe))
    }
}

fn merge(table: &mut Table, over: &Table) {
    for (key, value) in over {
        match (table.get_mut(key), value) {
            (Some(toml::Value::Table(inner)), toml::Value::Table(over)) => merge(inner, over),
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Dotted keys of all values.
fn keys_of(table: &Table, prefix: &str) -> Vec<String> {
    table
        .iter()
        .flat_map(|(key, value)| match value {
            toml::Value::Table(inner) => keys_of(inner, &format!("{prefix}{key}.")),
            _ => vec![format!("{prefix}{key}")],
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<StudySpec, String> {
        StudySpec::parse(text, Path::new("/study")).map_err(|e| e.to_string())
    }

    #[test]
    fn tricks_change_the_recipe() {
        let text = "pretrained = 'w.safetensors'\ntricks = ['T', 'S', 'R', 'dice', 'big']\n\
                    recipe.schedule.iterations = 50\nrecipe.augment = 'weak'\n\
                    [trick.dice]\ntitle = 'Dice'\nset.loss.kind = 'cross_entropy'\n\
                    [trick.big]\ntitle = 'Big crop'\nset.data.crop = 320";
        let spec = parse(text).unwrap();
        let all: Vec<String> = spec.tricks.clone();
        let (_, recipe) = spec.recipe_with(&all).unwrap();
        assert_eq!(recipe.pretrained, Some(Pretrained::File("/study/w.safetensors".into())));
        assert_eq!((recipe.data.input_scale, recipe.data.crop, recipe.schedule.iterations), (0.5, 320, 50));
        assert!(!spec.exclude("R", "big") && !spec.exclude("T", "T"));
        let (_, base) = spec.recipe_with(&[]).unwrap();
        assert_eq!((base.pretrained, base.data.input_scale), (None, 1.0));
    }

    #[test]
    fn without_a_file_t_is_the_builtin_weights_and_is_compared_with_a_random_start() {
        let start = |text: &str, tricks: &[&str]| {
            let tricks: Vec<String> = tricks.iter().map(|t| t.to_string()).collect();
            parse(text).unwrap().recipe_with(&tricks).unwrap().1.pretrained
        };
        for base in ["paper", "coffee", "lunch"] {
            let text = format!("base = '{base}'\ntricks = ['T']");
            assert_eq!(start(&text, &[]), None, "{base}");
            assert_eq!(start(&text, &["T"]), Some(Pretrained::Builtin), "{base}");
        }
        let file = Some(Pretrained::File("/study/w.pth".into()));
        let given = "base = 'coffee'\npretrained = 'builtin'\ntricks = ['T']\nrecipe.pretrained = 'w.pth'";
        assert_eq!((start(given, &[]), start(given, &["T"])), (file, Some(Pretrained::Builtin)));
        // Without T nothing changes what the schedule says.
        let plain = start("base = 'coffee'\ntricks = ['R']", &[]);
        assert_eq!(plain, parse_recipe("coffee").pretrained);
        assert!(parse("pretrained = 'none'").is_err());
    }

    fn parse_recipe(name: &str) -> Recipe {
        sorby_train::parse(preset(name).unwrap(), &[]).unwrap()
    }

    #[test]
    fn tricks_of_one_key_exclude_each_other() {
        let spec =
            parse("pretrained = 'a'\ntricks = ['T', 'M']\n[trick.M]\ntitle = 'm'\nset.pretrained = 'b'")
                .unwrap();
        assert!(spec.exclude("T", "M"));
        assert_eq!(
            spec.recipe_with(&["M".into()]).unwrap().1.pretrained,
            Some(Pretrained::File("/study/b".into()))
        );
    }

    #[test]
    fn mistakes_are_named() {
        assert!(parse("tricks = ['S', 'Q']").unwrap_err().contains("[trick.Q]"));
        assert!(parse("tricks = ['S', 'S']").unwrap_err().contains("twice"));
        assert!(parse("base = 'paper'\ntricks = ['S']\ntest = 'train'").unwrap_err().contains("test split"));
        assert!(parse("trick = 3").is_err());
        assert!(parse("tricks = ['S']").unwrap_err().contains("changes nothing"));
        let idle = "recipe.augment = 'weak'\ntricks = ['S']\n";
        assert!(parse(idle).is_ok());
        assert!(parse(&format!("pretrained = 'w'\n{idle}")).unwrap_err().contains("the file of trick T"));
        let described = format!("{idle}[trick.big]\ntitle = 'Big crop'\nset.data.crop = 320");
        assert!(parse(&described).unwrap_err().contains("[trick.big]"));
    }
}
