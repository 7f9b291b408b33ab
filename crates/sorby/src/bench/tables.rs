//! A bench in words and tables.

use super::{Bench, BenchWork, ConvCost, grouped};
use sorby_report::{Cell, Table};
use std::fmt::Write as _;

impl Bench {
    /// The whole in words and tables.
    pub fn text(&self) -> String {
        let o = self;
        let mut text = String::new();
        _ = writeln!(text, "{} threads, {}", o.threads, o.simd);
        let Some(time) = &o.time else {
            return text + &gemm_table(&o.sgemm_shapes).to_text();
        };
        let what = match o.work {
            BenchWork::Train => "training step",
            BenchWork::Infer => "inference of a batch",
            BenchWork::Image => "a whole image",
            BenchWork::Gemm => "",
        };
        let (arch, edge) = (o.arch.unwrap_or_default(), o.crop_px);
        let image = o.image_px.map_or(String::new(), |(w, h)| format!(" of {w} x {h}"));
        _ = writeln!(text, "{arch}, {what}{image}, batch {} of {edge} x {edge}", o.batch);
        _ = writeln!(
            text,
            "time      {:.3} s, median of {} ({:.3} to {:.3})",
            time.median_s, time.repeats, time.min_s, time.max_s
        );
        for (part, seconds) in &o.parts_s {
            _ = writeln!(text, "          {seconds:.3} s {part}");
        }
        _ = writeln!(
            text,
            "rate      {:.0} GFLOP/s effective ({:.0} GFLOP of direct convolution)",
            o.effective_gflop_per_s, o.gflop
        );
        _ = writeln!(
            text,
            "SGEMM     {:.0} GFLOP/s; ratio_to_gemm {:.2}",
            o.sgemm_gflop_per_s, o.ratio_to_gemm
        );
        if let Some(mb) = o.peak_memory_mb {
            _ = writeln!(text, "memory    {mb} MB at most");
        }
        text.push('\n');
        text += &conv_table(&o.convolutions).to_text();
        text.push('\n');
        text += &operation_table(o).to_text();
        text
    }
}

fn gemm_table(shapes: &[(usize, usize, usize, f64)]) -> Table {
    let mut table = Table::new(["rows", "inner", "columns", "GFLOP/s"]);
    for &(m, k, n, rate) in shapes {
        table.row(vec![m.into(), k.into(), n.into(), Cell::Number(rate, 0)]);
    }
    table
}

fn conv_table(costs: &[ConvCost]) -> Table {
    let mut table =
        Table::new(["convolution", "input", "layer", "algorithm", "calls", "ms per run", "GFLOP/s"]);
    for c in costs {
        let [n, h, w, cin] = c.input;
        let stride = if c.stride > 1 { format!(" stride {}", c.stride) } else { String::new() };
        let dilation = if c.dilation > 1 { format!(" dilation {}", c.dilation) } else { String::new() };
        let depthwise = if c.groups > 1 { " depthwise" } else { "" };
        table.row(vec![
            c.pass.into(),
            format!("{n}x{h}x{w}x{cin}").into(),
            format!("{k}x{k} to {}{stride}{dilation}{depthwise}", c.cout, k = c.kernel).into(),
            c.algorithm.clone().into(),
            c.calls.into(),
            Cell::Number(c.seconds * 1e3, 1),
            Cell::Number(c.gflop_per_s, 0),
        ]);
    }
    table
}

/// All operations by cost, convolutions as one line per pass.
fn operation_table(o: &Bench) -> Table {
    let convolutions = grouped(o.convolutions.iter().map(|c| (c.pass, c.seconds)));
    let mut rows: Vec<(&str, f64)> = convolutions.into_iter().map(|(pass, _, s)| (pass, s)).collect();
    rows.extend(o.other_operations.iter().map(|c| (c.operation, c.seconds)));
    rows.sort_by(|a, b| b.1.total_cmp(&a.1));
    let named: f64 = rows.iter().map(|r| r.1).sum();
    // Costs are means over the runs, so the whole is one too.
    let total = o.time.as_ref().map_or(0.0, |t| t.mean_s);
    rows.push(("everything else", (total - named).max(0.0)));
    let mut table = Table::new(["operation", "ms per run", "share %"]);
    for (operation, seconds) in rows {
        let share = Cell::Number(100.0 * seconds / total, 1);
        table.row(vec![operation.into(), Cell::Number(seconds * 1e3, 1), share]);
    }
    table
}
