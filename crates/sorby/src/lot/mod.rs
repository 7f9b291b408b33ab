//! The routine: one command from images to a signed report. A job says how; the operator gives images and the lines of the
//! header. What comes out is a folder, the lot: masks, tables, report, and the hashes of all of it.

mod class_result;
mod date;
mod header;
mod inputs;
mod manifest;
mod page;
mod pictures;
mod quantity;
mod record;
mod revision;
mod rounding;
mod run;
mod segmentation_error;
mod signature;
mod units;
mod verify;
mod watch;

pub use header::{FIELDS as HEADER_FIELDS, STATED as HEADER_OF_IMAGES, lines_of as header_lines};
pub(crate) use manifest::files_of;
pub use manifest::is_finished;
pub use record::LOT_SCHEMA_VERSION;
pub use revision::Revises;
pub use run::{Lot, LotOptions, run_job, run_job_shard, share_job};
pub use signature::{NewKey, SignedStatement, new_signing_key, sign_lot};
pub use verify::{VerifiedLot, verify_lot};
pub use watch::watch_folder;

/// The report in the folder of a lot.
pub const REPORT: &str = "report.html";
/// What the report says, for other programs.
pub const LOT_FILE: &str = "lot.json";
/// The job file, as it was when the lot was measured.
const JOB_COPY: &str = "job.toml";
