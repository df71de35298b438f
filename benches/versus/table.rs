//! What was measured, as a table.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::figures::{Figure, digits};

/// What the issue of a row asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mark {
    /// The ratio is at least this.
    AtLeast(f64),
    /// The ratio is at most this.
    AtMost(f64),
    /// Nothing: the row is for information.
    None,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) work: String,
    pub(crate) ours: Option<Figure>,
    /// The other program, or our own figure that ours is compared with.
    pub(crate) beside: &'static str,
    pub(crate) theirs: Option<Figure>,
    /// How many times better, or larger, as the mark has it.
    pub(crate) ratio: Option<f64>,
    pub(crate) mark: Mark,
    pub(crate) note: String,
}

impl Line {
    pub(crate) fn new(work: impl Into<String>, ours: Option<Figure>) -> Self {
        Self {
            work: work.into(),
            ours,
            beside: "",
            theirs: None,
            ratio: None,
            mark: Mark::None,
            note: String::new(),
        }
    }

    /// Sets what stands beside ours.
    pub(crate) fn beside(mut self, name: &'static str, theirs: Option<Figure>) -> Self {
        self.beside = name;
        self.theirs = theirs;
        self
    }

    /// Asks that theirs is so many times ours: a time, or memory.
    pub(crate) fn smaller_by(mut self, mark: Mark) -> Self {
        self.ratio = quotient(self.theirs, self.ours);
        self.mark = mark;
        self
    }

    /// Asks that ours is so many times theirs: a rate, or what may grow so much and no more.
    pub(crate) fn times(mut self, mark: Mark) -> Self {
        self.ratio = quotient(self.ours, self.theirs);
        self.mark = mark;
        self
    }

    /// Asks for a value of ours, without a peer.
    pub(crate) fn absolute(mut self, value: f64, mark: Mark) -> Self {
        self.ratio = Some(value);
        self.mark = mark;
        self
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Says whether the mark is met; nothing without a mark, or without the peer.
    pub(crate) fn is_met(&self) -> Option<bool> {
        let ratio = self.ratio?;
        match self.mark {
            Mark::AtLeast(mark) => Some(ratio >= mark),
            Mark::AtMost(mark) => Some(ratio <= mark),
            Mark::None => None,
        }
    }

    fn cells(&self) -> [String; 6] {
        let figure = |figure: Option<Figure>| figure.map_or_else(String::new, |it| it.text());
        let mut theirs = figure(self.theirs);
        if !theirs.is_empty() {
            theirs = format!("{}: {theirs}", self.beside);
        }
        let mark = match self.mark {
            Mark::AtLeast(mark) => format!("≥ {}", digits(mark)),
            Mark::AtMost(mark) => format!("≤ {}", digits(mark)),
            Mark::None => String::new(),
        };
        let met = match self.is_met() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        let mut work = self.work.clone();
        if !self.note.is_empty() {
            let _ = write!(work, " ({})", self.note);
        }
        [
            work,
            figure(self.ours),
            theirs,
            self.ratio.map_or_else(String::new, digits),
            mark,
            met.to_owned(),
        ]
    }

    fn json(&self) -> Value {
        let figure = |figure: Figure| {
            json!({
                "median": figure.median, "least": figure.least, "most": figure.most,
                "samples": figure.samples, "unit": figure.unit.name(),
            })
        };
        let (bound, mark) = match self.mark {
            Mark::AtLeast(mark) => (Some("at least"), Some(mark)),
            Mark::AtMost(mark) => (Some("at most"), Some(mark)),
            Mark::None => (None, None),
        };
        json!({
            "work": self.work, "note": self.note, "chartroom": self.ours.map(figure),
            "beside": self.beside, "peer": self.theirs.map(figure), "ratio": self.ratio,
            "bound": bound, "mark": mark, "met": self.is_met(),
        })
    }
}

fn quotient(over: Option<Figure>, under: Option<Figure>) -> Option<f64> {
    let (over, under) = (over?.median, under?.median);
    (under > 0.0).then_some(over / under)
}

/// Writes rows as a table of Markdown.
pub(crate) fn markdown(lines: &[Line]) -> String {
    let mut text = String::from(
        "| work | chartroom | beside | ratio | mark | met |\n|---|---|---|---|---|---|\n",
    );
    for line in lines {
        let _ = writeln!(text, "| {} |", line.cells().join(" | "));
    }
    text
}

/// Writes rows as JSON.
pub(crate) fn json(lines: &[Line]) -> Vec<Value> {
    lines.iter().map(Line::json).collect()
}
