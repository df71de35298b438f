//! The text of a scrape.
//!
//! The library writes OpenMetrics. ChartMuseum answers in the older text format 0.0.4 whatever is asked
//! for, and so do we wherever a client takes it: Prometheus does, and asks for both. The difference can
//! be seen: in OpenMetrics a bucket is `le="1.0"`, and a query for `le="1"` finds nothing.

/// The families that are summaries, which the library does not know.
const SUMMARIES: [&str; 2] = [
    "chartmuseum_request_size_bytes",
    "chartmuseum_response_size_bytes",
];

/// Puts right what the library cannot write.
pub(super) fn with_summaries(openmetrics: &str) -> String {
    let mut text = openmetrics.to_owned();
    for name in SUMMARIES {
        let [written, right] =
            ["histogram", "summary"].map(|kind| format!("# TYPE {name} {kind}\n"));
        text = text.replace(&written, &right);
    }
    text
}

/// Turns OpenMetrics text, as the library writes it, into the text format 0.0.4.
///
/// There a counter's family is called as its series are, the bounds of buckets are written as Go does,
/// and there are no units and no end.
pub(super) fn classic(openmetrics: &str) -> String {
    let mut text = String::with_capacity(openmetrics.len());
    let mut help = "";
    for line in openmetrics.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            help = rest;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            push_family(&mut text, help, rest);
        } else if let Some((name, rest)) = line.split_once("_bucket{le=\"") {
            push_bucket(&mut text, name, rest);
        } else if !line.starts_with('#') {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn push_family(text: &mut String, help: &str, name_and_kind: &str) {
    let (name, kind) = name_and_kind.split_once(' ').unwrap_or((name_and_kind, ""));
    let (_, help) = help.split_once(' ').unwrap_or_default();
    let suffix = if kind == "counter" { "_total" } else { "" };
    let kind = if kind == "unknown" { "untyped" } else { kind };
    let name = [name, suffix].concat();
    for part in [
        "# HELP ",
        &name,
        " ",
        help,
        "\n# TYPE ",
        &name,
        " ",
        kind,
        "\n",
    ] {
        text.push_str(part);
    }
}

fn push_bucket(text: &mut String, name: &str, rest: &str) {
    let (bound, rest) = rest.split_once('"').unwrap_or((rest, ""));
    let bound = bound.strip_suffix(".0").unwrap_or(bound);
    for part in [name, "_bucket{le=\"", bound, "\"", rest, "\n"] {
        text.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::family::Family;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::metrics::histogram::Histogram;
    use prometheus_client::registry::{Registry, Unit};

    #[test]
    fn openmetrics_becomes_what_chartmuseum_writes() {
        let mut registry = Registry::default();
        let counter = Family::<[(&str, &str); 1], Counter>::default();
        counter
            .get_or_create(&[("a", "x_bucket{le=\"1.0\" y\\\n")])
            .inc_by(3);
        registry.register("requests", "How many", counter);
        let histogram = Histogram::new([0.005, 1.0, 10.0]);
        histogram.observe(0.5);
        registry.register("duration_seconds", "How long", histogram);
        let gauge: Gauge = Gauge::default();
        registry.register("charts_served_total", "How much", gauge.clone());
        registry.register_with_unit("size", "How big", Unit::Bytes, gauge);
        let mut openmetrics = String::new();
        encode(&mut openmetrics, &registry).unwrap();
        insta::assert_snapshot!(classic(&openmetrics), @r##"
        # HELP requests_total How many.
        # TYPE requests_total counter
        requests_total{a="x_bucket{le=\"1.0\" y\\\n"} 3
        # HELP duration_seconds How long.
        # TYPE duration_seconds histogram
        duration_seconds_sum 0.5
        duration_seconds_count 1
        duration_seconds_bucket{le="0.005"} 0
        duration_seconds_bucket{le="1"} 1
        duration_seconds_bucket{le="10"} 1
        duration_seconds_bucket{le="+Inf"} 1
        # HELP charts_served_total How much.
        # TYPE charts_served_total gauge
        charts_served_total 0
        # HELP size_bytes How big.
        # TYPE size_bytes gauge
        size_bytes 0
        "##);
    }
}
