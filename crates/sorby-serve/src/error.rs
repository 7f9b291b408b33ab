//! Refusals: a status and one clear line.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub what: String,
}

pub type Answer<T> = Result<T, Refusal>;

impl Refusal {
    pub fn new(status: StatusCode, what: impl Into<String>) -> Self {
        Self { status, what: what.into() }
    }

    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, what)
    }

    /// A file of the project is not as it should be.
    pub fn unreadable(what: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, what)
    }

    /// The visitor's mistake.
    pub fn bad(what: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, what)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, axum::Json(serde_json::json!({ "error": self.what }))).into_response()
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

impl From<sorby_image::ImageError> for Refusal {
    fn from(error: sorby_image::ImageError) -> Self {
        sorby_data::Problem::from(error).into()
    }
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::unreadable(format!("{error:#}"))
    }
}
