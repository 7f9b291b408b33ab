//! Right values at the borders: values. The inputs lie in `tests/cases`.
