//! Attacks that must fail: files. What was tried, before and now: docs/reliability.md.
