//! Right values at the borders: measure. The inputs lie in `tests/cases`.
