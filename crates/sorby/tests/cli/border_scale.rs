//! Right values at the borders: scale. The inputs lie in `tests/cases`.
