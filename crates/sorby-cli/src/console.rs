//! What is shown while a job works: a bar on a terminal, plain lines elsewhere.

use crate::interrupts;
use indicatif::{ProgressBar, ProgressStyle};
use sorby::{Event, Observer};
use std::cell::RefCell;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Progress of a counted job.
pub struct Progress {
    bar: Option<ProgressBar>,
    pace: Pace,
}

impl Progress {
    pub fn new(total: usize, unit: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total as u64);
            let template = format!("{{bar:32}} {{pos}}/{{len}} {unit}  {{elapsed}} + {{eta}}  {{msg}}");
            bar.set_style(ProgressStyle::with_template(&template).unwrap_or(ProgressStyle::default_bar()));
            bar
        });
        Self { bar, pace: Pace::new() }
    }

    pub fn set(&self, done: u64, message: String) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message);
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{text}")),
            None => eprintln!("{text}"),
        }
    }

    /// Whether, without a terminal, it is time for a line that says how far the job is.
    pub fn line_is_due(&mut self) -> bool {
        self.bar.is_none() && self.pace.due()
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Says when the next plain line is due: at first often, then every half minute.
struct Pace {
    next: Instant,
    gap: Duration,
}

impl Pace {
    fn new() -> Self {
        Self { next: Instant::now(), gap: Duration::from_secs(2) }
    }

    fn due(&mut self) -> bool {
        let now = Instant::now();
        if now < self.next {
            return false;
        }
        self.next = now + self.gap;
        self.gap = (self.gap * 2).min(Duration::from_secs(30));
        true
    }
}

/// Shows the events of a job, and hears Ctrl-C.
#[derive(Default)]
pub struct Console {
    progress: RefCell<Option<Progress>>,
}

impl Console {
    fn line(&self, text: &str) {
        match &*self.progress.borrow() {
            Some(progress) => progress.line(text),
            None => eprintln!("{text}"),
        }
    }

    fn at(&self, done: u64, text: String) {
        let mut progress = self.progress.borrow_mut();
        let Some(progress) = &mut *progress else { return };
        if progress.line_is_due() {
            eprintln!("{text}");
        }
        progress.set(done, text);
    }
}

impl Observer for Console {
    fn event(&self, event: Event) {
        match event {
            Event::Note(text) => self.line(&format!("note: {text}")),
            Event::Warning(text) => self.line(&format!("warning: {text}")),
            Event::Problem(text) => self.line(&format!("problem: {text}")),
            Event::LookAt(text) => self.line(&format!("look at: {text}")),
            Event::Begin { total, unit } => {
                self.progress.replace(Some(Progress::new(total, unit)));
            }
            Event::Advance(count) => {
                if let Some(Progress { bar: Some(bar), .. }) = &*self.progress.borrow() {
                    bar.inc(count as u64);
                }
            }
            Event::At { done, text } => self.at(done, text),
            Event::End => {
                if let Some(progress) = self.progress.take() {
                    progress.finish();
                }
            }
            Event::Line(text) => self.line(&text),
            _ => {}
        }
    }

    fn begin_stopping(&self) {
        interrupts::listen();
    }

    fn stop_asked(&self) -> bool {
        interrupts::asked()
    }
}
