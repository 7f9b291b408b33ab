//! What a job reports while it works.

/// Something to show, or to count.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// What a user may want to know of.
    Note(String),
    /// What may make results wrong.
    Warning(String),
    /// One of the files could not be used; the others go on.
    Problem(String),
    /// What should be looked at: it may be right as it is.
    LookAt(String),
    /// What is being done.
    Line(String),
    /// A count begins, of so many units.
    Begin {
        /// How many there are.
        total: usize,
        /// What is counted, in the plural: `images`.
        unit: &'static str,
    },
    /// So many more are done.
    Advance(usize),
    /// So many are done in all, and how it goes.
    At {
        /// Units done since the count began.
        done: u64,
        /// One line, such as `loss 0.0123, 2 min left`.
        text: String,
    },
    /// The count has come to an end.
    End,
}

/// Who is told of events. `()` is told and forgets.
pub trait Observer {
    /// Takes an event; the job waits meanwhile.
    fn event(&self, event: Event);

    /// Whether the job shall stop at the next point from which it can go on later.
    fn stop_asked(&self) -> bool {
        false
    }

    /// Called once before work that can be [stopped](Observer::stop_asked) and continued.
    fn begin_stopping(&self) {}

    /// As [`Event::Line`].
    fn say(&self, text: String) {
        self.event(Event::Line(text));
    }

    /// As [`Event::Note`].
    fn note(&self, text: String) {
        self.event(Event::Note(text));
    }

    /// As [`Event::Warning`].
    fn warn(&self, text: String) {
        self.event(Event::Warning(text));
    }
}

impl Observer for () {
    fn event(&self, _: Event) {}
}

impl<F: Fn(Event)> Observer for F {
    fn event(&self, event: Event) {
        self(event);
    }
}
