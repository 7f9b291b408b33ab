//! Right values at the borders: vendors. The inputs lie in `tests/cases`.
