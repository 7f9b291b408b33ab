//! Right values at the borders: readers. The inputs lie in `tests/cases`.
