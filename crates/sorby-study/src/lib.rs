//! The n+2 recipe: which trainings a study needs, and what their scores say.
//!
//! Nothing here trains or touches a file: a [`StudySpec`] and the scores of finished runs go in, the next
//! [`Run`]s or a [`Judgement`] come out.

#![warn(missing_docs, clippy::missing_errors_doc, clippy::missing_panics_doc)]

mod folds;
mod gain;
mod judge;
mod paper;
mod plan;
mod power;
mod spec;

pub use folds::{FoldsError, assign, most_folds, with_near_duplicates};
pub use gain::{Cell, Contrast, Gain};
pub use judge::{Judgement, Verdict, accept_level, judge};
pub use paper::{PaperStack, paper_stack};
pub use plan::{Part, Run, RunScores, Scored, Settled, Stage, TrickSet, set_name};
pub use power::{Design, Noise, best_design};
pub use spec::{Protocol, SpecError, StudySpec, Trick};
