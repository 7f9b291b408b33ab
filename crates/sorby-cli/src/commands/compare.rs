//! `sorby compare`.

use crate::answer::{Answer, say};
use crate::args::CompareArgs;
use crate::console::Console;
use crate::made_by::typed;
use serde_json::{Value, json};
use sorby::compare;

pub fn run(args: CompareArgs) -> anyhow::Result<Answer> {
    let mut answer = Answer::new();
    let comparison = compare(&args.runs, &Console::default())?;
    let mut tables: Vec<Value> = Vec::new();
    for exhibit in &comparison.exhibits {
        if let Some(table) = &exhibit.table {
            say!(answer, "{}", table.to_text());
            tables.push(json!({"name": exhibit.name, "rows": table.to_json()}));
        }
    }
    answer.set("tables", tables);
    match comparison.publish(&args.out, typed("compare")) {
        Ok(page) => super::published(&mut answer, &page, &args.out),
        Err(error) => return Ok(answer.failed(&error.to_string(), 2)),
    }
    Ok(answer)
}
