//! Upload latency over repository size, as SVG.

use std::fmt::Write as _;

use crate::figures::Unit;
use crate::stage::Program;

/// The median of an upload at a size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point {
    pub(crate) program: Program,
    pub(crate) versions: usize,
    pub(crate) seconds: f64,
}

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 120.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 50.0;

/// The ends of the axes, as powers of ten: versions, and seconds.
const VERSIONS: (f64, f64) = (2.0, 5.0);
const SECONDS: (f64, f64) = (-4.0, 1.0);

fn across(versions: f64) -> f64 {
    let part = (versions.log10() - VERSIONS.0) / (VERSIONS.1 - VERSIONS.0);
    LEFT + part * (WIDTH - LEFT - RIGHT)
}

fn down(seconds: f64) -> f64 {
    let part = (seconds.log10() - SECONDS.0) / (SECONDS.1 - SECONDS.0);
    HEIGHT - BOTTOM - part * (HEIGHT - TOP - BOTTOM)
}

/// Draws both axes in powers of ten.
pub(crate) fn svg(points: &[Point]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>Upload latency over repository size</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\" font-size=\"14\">Median time of an upload over the versions in the repository</text>\n"
    );
    let (top, bottom, right) = (TOP, HEIGHT - BOTTOM, WIDTH - RIGHT);
    for (versions, label) in [
        (1e2, "100"),
        (1e3, "1,000"),
        (1e4, "10,000"),
        (1e5, "100,000"),
    ] {
        let x = across(versions);
        let _ = writeln!(
            svg,
            "<path d=\"M{x:.1} {top}V{bottom}\" stroke=\"#ddd\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
            bottom + 18.0
        );
    }
    for (seconds, label) in [
        (1e-4, "0.1 ms"),
        (1e-3, "1 ms"),
        (1e-2, "10 ms"),
        (1e-1, "100 ms"),
        (1.0, "1 s"),
        (1e1, "10 s"),
    ] {
        let y = down(seconds);
        let _ = writeln!(
            svg,
            "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/><text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            y + 4.0
        );
    }
    for (program, name, colour) in [
        (Program::Chartroom, "chartroom", "#0b6e4f"),
        (Program::ChartMuseum, "ChartMuseum", "#c0392b"),
    ] {
        let mut line: Vec<&Point> = points
            .iter()
            .filter(|point| point.program == program)
            .collect();
        line.sort_by_key(|point| point.versions);
        let place = |point: &Point| (across(point.versions as f64), down(point.seconds));
        let Some((last_x, last_y)) = line.last().map(|point| place(point)) else {
            continue;
        };
        let path: Vec<String> = line
            .iter()
            .map(|point| place(point))
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            path.join(" ")
        );
        for point in &line {
            let (x, y) = place(point);
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/><text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\" fill=\"{colour}\">{}</text>",
                y - 8.0,
                Unit::Seconds.text(point.seconds)
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" fill=\"{colour}\">{name}</text>",
            last_x + 10.0,
            last_y + 16.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}
