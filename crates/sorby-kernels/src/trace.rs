//! What each operation of a stretch of work costs: off until [`start`] is called, for `sorby bench`.

use crate::{Algorithm, ConvGeometry, Nhwc, choose};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

static ON: AtomicBool = AtomicBool::new(false);
static RECORDS: Mutex<Vec<Record>> = Mutex::new(Vec::new());

/// One call of an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// For example "convolution" or "batch norm backward".
    pub operation: &'static str,
    /// The layer, where the operation is a convolution.
    pub conv: Option<ConvCall>,
    /// Wall time.
    pub seconds: f64,
}

/// The layer of a convolution, the same for its forward pass and both gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvCall {
    /// Shape of the layer's input, in gradients too.
    pub input: Nhwc,
    /// Output channels.
    pub cout: usize,
    /// Kernel, stride, padding, dilation and groups.
    pub geometry: ConvGeometry,
}

impl ConvCall {
    /// Floating-point operations of the direct computation, whatever algorithm does it.
    pub fn flop(&self) -> f64 {
        let g = &self.geometry;
        let per_output = 2 * self.input.c / g.groups * g.kernel * g.kernel;
        g.out_shape(self.input, self.cout).len() as f64 * per_output as f64
    }

    /// The algorithm that computes it, as [`choose`] decides.
    pub fn algorithm(&self) -> Algorithm {
        choose(&self.geometry, self.input.c, self.cout)
    }
}

fn records() -> MutexGuard<'static, Vec<Record>> {
    RECORDS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets what was recorded and records from now on, in the whole process.
pub fn start() {
    records().clear();
    ON.store(true, Ordering::Relaxed);
}

/// Stops recording and gives what was recorded, in order.
pub fn finish() -> Vec<Record> {
    ON.store(false, Ordering::Relaxed);
    std::mem::take(&mut *records())
}

/// Runs `work` under a name.
pub fn timed<T>(operation: &'static str, work: impl FnOnce() -> T) -> T {
    record(operation, None, work)
}

/// Runs a convolution or one of its gradients.
pub(crate) fn timed_conv<T>(operation: &'static str, conv: ConvCall, work: impl FnOnce() -> T) -> T {
    record(operation, Some(conv), work)
}

fn record<T>(operation: &'static str, conv: Option<ConvCall>, work: impl FnOnce() -> T) -> T {
    if !ON.load(Ordering::Relaxed) {
        return work();
    }
    let started = Instant::now();
    let result = work();
    records().push(Record { operation, conv, seconds: started.elapsed().as_secs_f64() });
    result
}
