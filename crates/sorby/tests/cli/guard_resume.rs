//! Attacks that must fail: resume. What was tried, before and now: docs/reliability.md.
