//! Refusals: a status and one clear line.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

/// Why a request is refused.
#[derive(Debug)]
pub struct Refusal {
    /// Status of the answer.
    pub status: StatusCode,
    /// What is wrong and what to do, in one line.
    pub what: String,
    /// What somebody else has changed, where that is the reason: the label, the classes, the image.
    pub changed: Option<&'static str>,
}

/// What requests get.
pub type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub(crate) fn new(status: StatusCode, what: impl Into<String>) -> Self {
        Self { status, what: what.into(), changed: None }
    }

    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what)
    }

    /// A file of the project is not as it should be.
    pub(crate) fn unreadable(what: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, what)
    }

    /// The visitor's mistake.
    pub(crate) fn bad(what: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, what)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut body = serde_json::json!({ "error": self.what });
        if let Some(changed) = self.changed {
            body["changed"] = changed.into();
        }
        (self.status, axum::Json(body)).into_response()
    }
}

impl From<sorby_data::Problem> for Refusal {
    fn from(problem: sorby_data::Problem) -> Self {
        Self::unreadable(problem.to_string())
    }
}

impl From<sorby_data::DataError> for Refusal {
    fn from(error: sorby_data::DataError) -> Self {
        Self::unreadable(error.to_string())
    }
}

impl From<sorby_data::ManifestError> for Refusal {
    fn from(error: sorby_data::ManifestError) -> Self {
        Self::bad(error.to_string())
    }
}

impl From<sorby::Error> for Refusal {
    fn from(error: sorby::Error) -> Self {
        Self::unreadable(error.to_string())
    }
}

impl From<sorby_image::ImageError> for Refusal {
    fn from(error: sorby_image::ImageError) -> Self {
        if let sorby_image::ImageError::Io { cause, .. } = &error
            && no_more_files(cause)
        {
            let what = "too many files are open at once; try again in a few seconds";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, what);
        }
        let outside = error.is_outside();
        let refusal = Self::from(sorby_data::Problem::from(error));
        if outside { Self { status: StatusCode::FORBIDDEN, ..refusal } } else { refusal }
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::unreadable(format!("{error:#}"))
    }
}

/// Whether the system gives this process, or any, no more files (EMFILE, ENFILE).
fn no_more_files(error: &std::io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}
