//! Right values at the borders: import. The inputs lie in `tests/cases`.
