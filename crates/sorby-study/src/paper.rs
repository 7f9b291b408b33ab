//! The paper's rule: stack, in order, what beat the baseline on the test images.

/// What the paper would train after its single tricks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaperStack {
    /// Baseline, then one trick more at a time: the rows of Tables 2 to 5. The empty set first; no stack when
    /// nothing helped.
    pub rows: Vec<Vec<String>>,
}

impl PaperStack {
    /// Tricks of the last row, the optimal model.
    pub fn optimal(&self) -> &[String] {
        self.rows.last().map_or(&[], Vec::as_slice)
    }
}

/// Stacks `gains` (trick, mIoU over the baseline) above zero in their order (Section 3.2, Tables 2 to 5).
pub fn paper_stack(gains: &[(String, f64)]) -> PaperStack {
    let mut rows = vec![Vec::new()];
    for (name, _) in gains.iter().filter(|(_, gain)| *gain > 0.0) {
        let mut row: Vec<String> = rows.last().cloned().unwrap_or_default();
        row.push(name.clone());
        rows.push(row);
    }
    PaperStack { rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_table_1_picks_the_stacks_of_tables_2_to_5() {
        // Baseline, then T, S and R as the paper prints them.
        let cases = [
            ([80.38, 81.02, 81.73, 80.01], "|T|T+S"),
            ([81.14, 80.08, 82.33, 81.29], "|S|S+R"),
            ([80.35, 81.10, 79.56, 81.22], "|T|T+R"),
            ([80.32, 81.00, 80.57, 80.56], "|T|T+S|T+S+R"),
        ];
        for ([base, t, s, r], want) in cases {
            let gains = [("T", t), ("S", s), ("R", r)].map(|(n, v)| (n.to_owned(), v - base));
            let rows: Vec<String> = paper_stack(&gains).rows.iter().map(|r| r.join("+")).collect();
            assert_eq!(rows.join("|"), want);
        }
    }

    #[test]
    fn nothing_helps_or_only_one_does() {
        let gains = |a: f64, b: f64| [("T".to_owned(), a), ("S".to_owned(), b)];
        assert!(paper_stack(&gains(-0.1, 0.0)).optimal().is_empty());
        assert_eq!(paper_stack(&gains(-0.1, 0.2)).optimal(), ["S"]);
    }
}
