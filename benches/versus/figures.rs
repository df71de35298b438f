//! Medians, spreads and percentiles.

use std::time::Duration;

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Seconds,
    Bytes,
    PerSecond,
    Count,
}

/// A median, with the least and the most of what was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figure {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    pub(crate) samples: usize,
    pub(crate) unit: Unit,
}

impl Figure {
    /// Sums up samples; nothing if there are none.
    pub(crate) fn of(unit: Unit, mut samples: Vec<f64>) -> Option<Self> {
        samples.sort_by(f64::total_cmp);
        Some(Self {
            median: percentile(&samples, 50.0)?,
            least: *samples.first()?,
            most: *samples.last()?,
            samples: samples.len(),
            unit,
        })
    }

    /// Sums up times.
    pub(crate) fn of_times(times: &[Duration]) -> Option<Self> {
        Self::of(
            Unit::Seconds,
            times.iter().map(Duration::as_secs_f64).collect(),
        )
    }

    /// A single value.
    pub(crate) fn one(unit: Unit, value: f64) -> Self {
        Self {
            median: value,
            least: value,
            most: value,
            samples: 1,
            unit,
        }
    }

    /// Writes the median, and the spread if there are several samples.
    pub(crate) fn text(&self) -> String {
        let median = self.unit.text(self.median);
        if self.samples < 2 {
            return median;
        }
        let (least, most) = (self.unit.text(self.least), self.unit.text(self.most));
        format!("{median} ({least} to {most})")
    }
}

impl Unit {
    /// Writes a value in it, with as many digits as say something.
    pub(crate) fn text(self, value: f64) -> String {
        match self {
            Self::Seconds if value < 0.001 => format!("{} µs", digits(value * 1e6)),
            Self::Seconds if value < 1.0 => format!("{} ms", digits(value * 1e3)),
            Self::Seconds => format!("{} s", digits(value)),
            Self::Bytes => format!("{} MB", digits(value / 1e6)),
            Self::PerSecond => format!("{}/s", digits(value)),
            Self::Count => digits(value),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Bytes => "bytes",
            Self::PerSecond => "1/s",
            Self::Count => "",
        }
    }
}

/// Writes a number with three digits, or all those before the point.
pub(crate) fn digits(value: f64) -> String {
    match value.abs() {
        size if size == 0.0 || size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// Returns the value below which `percent` of sorted samples are; nothing if there are none.
pub(crate) fn percentile(sorted: &[f64], percent: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = (percent / 100.0 * last as f64).round() as usize;
    sorted.get(place).copied()
}

/// Returns the 99th percentile of times in seconds; nothing if there are none.
pub(crate) fn p99(times: &[Duration]) -> Option<f64> {
    let mut seconds: Vec<f64> = times.iter().map(Duration::as_secs_f64).collect();
    seconds.sort_by(f64::total_cmp);
    percentile(&seconds, 99.0)
}
