//! Attacks that must fail: server. What was tried, before and now: docs/reliability.md.
