//! Which repository a path is about, and what is asked of it.
//!
//! A path is the context path, then for the API `/api`, then the segments of the repository, then a
//! row of the [table of routes](super::routes::ROUTES): `/ctx/api/org/team/charts/nginx`. How many
//! segments name a repository is either fixed or, with `--depth-dynamic`, whatever makes a row fit.
//! A request is looked for among the rows as they are written, taken apart once at the start.
//!
//! Differs from `ChartMuseum`, whose matching works on decoded text: the context path ends at a slash,
//! dot segments name nothing, and a path of as many segments as repositories have is not the welcome
//! page.

use axum::http::Method;
use chartroom_storage::RepositoryPath;
use percent_encoding::percent_decode_str;

use super::routes::{Endpoint, Route};
use super::settings::{ContextPath, Depth};

/// A row of the table, taken apart.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) route: Route,
    segments: Vec<&'static str>,
    is_of_api: bool,
    is_metrics: bool,
}

impl From<&Route> for Row {
    fn from(route: &Route) -> Self {
        let below = route.pattern.strip_prefix('/').unwrap_or(route.pattern);
        Self {
            segments: below.split('/').collect(),
            is_of_api: route.is_of_api(),
            is_metrics: route.endpoint == Endpoint::Metrics,
            route: route.clone(),
        }
    }
}

/// Where a request belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The repository; the root one for what is asked of the server.
    pub(super) repository: RepositoryPath,
    /// What the pattern's captures stand for, as it is written in the path.
    pub(super) captures: Vec<String>,
    /// The position of the row in the table, its pattern, and what answers there.
    pub(super) row: usize,
    pub(super) pattern: &'static str,
    pub(super) endpoint: Endpoint,
    /// Whether the row has the request's method; another one fits the path only.
    pub(super) has_method: bool,
}

/// Finds the place of a path; `None` if no row fits.
pub(super) fn find(
    rows: &[Row],
    context_path: &ContextPath,
    depth: Depth,
    method: &Method,
    path: &str,
) -> Option<Place> {
    // Where scrapers of ChartMuseum look: not below the context path.
    let (is_metrics, below) = match path {
        METRICS => (true, path),
        _ => (false, below_context(context_path, path)?),
    };
    let segments: Vec<&str> = below.strip_prefix('/')?.split('/').collect();
    // `/api/charts/x.tgz` may be the archive of a repository called `api`, or the chart `x.tgz` in the
    // API. As in ChartMuseum the ending decides, where both rows fit.
    let is_file = FILES.iter().any(|ending| below.ends_with(ending));
    let find = |is_of_api: bool, method: Option<&Method>| {
        rows.iter()
            .enumerate()
            .filter(|(_, row)| row.is_of_api == is_of_api && row.is_metrics == is_metrics)
            .filter(|(_, row)| method.is_none_or(|method| row.route.method == *method))
            .find_map(|(position, row)| {
                let (repository, captures) = place_in(row, &segments, depth)?;
                Some(Place {
                    repository,
                    captures,
                    row: position,
                    pattern: row.route.pattern,
                    endpoint: row.route.endpoint,
                    has_method: method.is_some(),
                })
            })
    };
    let find = |method| find(!is_file, method).or_else(|| find(is_file, method));
    // With the wrong method a path still has its place: it is answered 405.
    find(Some(method)).or_else(|| find(None))
}

impl Place {
    /// Returns the path without context path and repository, as the row has it.
    pub(super) fn path(&self) -> String {
        let mut captures = self.captures.iter();
        let segments = self.pattern.split('/').map(|segment| {
            let capture = is_capture(segment).then(|| captures.next());
            capture.flatten().map_or(segment, String::as_str)
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

fn is_capture(segment: &str) -> bool {
    segment.starts_with('{')
}

/// The endings of what is not of the API.
const FILES: [&str; 4] = [".yaml", ".yml", ".tgz", ".prov"];

/// The path of the metrics, which is not below the context path.
pub(super) const METRICS: &str = "/metrics";

fn below_context<'path>(context_path: &ContextPath, path: &'path str) -> Option<&'path str> {
    match path.strip_prefix(context_path.as_str())? {
        "" => Some("/"),
        below if below.starts_with('/') => Some(below),
        _ => None,
    }
}

/// Tells whether a path is one of the API, by its beginning and its ending alone: also one that no row
/// fits.
pub(super) fn is_of_api(context_path: &ContextPath, path: &str) -> bool {
    let below = below_context(context_path, path);
    below.is_some_and(|below| {
        below.starts_with("/api/") && !FILES.iter().any(|ending| below.ends_with(ending))
    })
}

/// Takes the repository and the captures out of a path that fits the row with them.
fn place_in(row: &Row, segments: &[&str], depth: Depth) -> Option<(RepositoryPath, Vec<String>)> {
    let surplus = segments.len().checked_sub(row.segments.len())?;
    let Route {
        endpoint, pattern, ..
    } = row.route;
    let is_allowed = match depth {
        // The server's own root is there at any depth.
        _ if !endpoint.is_of_a_repository() || pattern == "/" && surplus == 0 => surplus == 0,
        Depth::Fixed(depth) => surplus == depth,
        Depth::Dynamic => surplus <= Depth::MOST,
    };
    if !is_allowed {
        return None;
    }
    let before = usize::from(row.is_of_api);
    let (head, rest) = segments.split_at_checked(before)?;
    let (repository, tail) = rest.split_at_checked(surplus)?;
    let remaining = || head.iter().chain(tail).zip(&row.segments);
    let fits = remaining()
        .all(|(segment, wanted)| segment == wanted || (is_capture(wanted) && !segment.is_empty()));
    if !fits {
        return None;
    }
    let captures = remaining()
        .filter(|(_, wanted)| is_capture(wanted))
        .map(|(segment, _)| (*segment).to_owned())
        .collect();
    Some((repository_of(repository)?, captures))
}

/// Reads a repository's segments, each percent-decoded once; `None` for what cannot be one's name.
fn repository_of(segments: &[&str]) -> Option<RepositoryPath> {
    let mut path = String::new();
    for segment in segments {
        let decoded = percent_decode_str(segment).decode_utf8().ok()?;
        // An escaped slash does not begin a segment.
        if decoded.is_empty() || decoded.contains('/') {
            return None;
        }
        if !path.is_empty() {
            path.push('/');
        }
        path.push_str(&decoded);
    }
    RepositoryPath::parse(&path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::ROUTES;

    fn place(context: &str, depth: Depth, method: &Method, path: &str) -> Option<(String, String)> {
        let context = ContextPath::parse(context).unwrap();
        let rows: Vec<Row> = ROUTES.iter().map(Row::from).collect();
        let place = find(&rows, &context, depth, method, path)?;
        Some((place.repository.as_str().to_owned(), place.path()))
    }

    fn check(context: &str, depth: Depth, cases: &[(&str, Option<(&str, &str)>)]) {
        for (path, expected) in cases {
            let found = place(context, depth, &Method::GET, path);
            let expected =
                expected.map(|(repository, path)| (repository.to_owned(), path.to_owned()));
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn at_depth_0_there_is_the_root_only() {
        check(
            "",
            Depth::Fixed(0),
            &[
                ("/", Some(("", "/"))),
                ("/index.yaml", Some(("", "/index.yaml"))),
                ("/charts/index.yaml", Some(("", "/charts/index.yaml"))),
                ("/api/charts/a/1.0.0", Some(("", "/api/charts/a/1.0.0"))),
                ("/api/charts/a/x.tgz", Some(("", "/api/charts/a/x.tgz"))),
                ("/org/index.yaml", None),
                ("/api/org/charts", None),
                ("/charts", None),
            ],
        );
    }

    #[test]
    fn at_a_fixed_depth_so_many_segments_are_the_repository() {
        check(
            "",
            Depth::Fixed(1),
            &[
                ("/", Some(("", "/"))),
                ("/health", Some(("", "/health"))),
                ("/org/index.yaml", Some(("org", "/index.yaml"))),
                ("/org/", Some(("org", "/"))),
                ("/org/charts/a-1.tgz", Some(("org", "/charts/a-1.tgz"))),
                (
                    "/org/charts/index.yaml",
                    Some(("org", "/charts/index.yaml")),
                ),
                ("/api/org/charts", Some(("org", "/api/charts"))),
                ("/api/org/charts/a/1", Some(("org", "/api/charts/a/1"))),
                // Repositories called like our own paths.
                ("/api/index.yaml", Some(("api", "/index.yaml"))),
                ("/api/charts/x.tgz", Some(("api", "/charts/x.tgz"))),
                ("/api/api/charts", Some(("api", "/api/charts"))),
                ("/charts/index.yaml", Some(("charts", "/index.yaml"))),
                ("/charts/charts/a.tgz", Some(("charts", "/charts/a.tgz"))),
                ("/index.yaml", None),
                ("/org", None),
                ("/api/charts", None),
                ("/a/b/index.yaml", None),
                ("/org/health", None),
            ],
        );
        let two = Depth::Fixed(2);
        check(
            "",
            two,
            &[
                ("/a/b/index.yaml", Some(("a/b", "/index.yaml"))),
                ("/api/b/index.yaml", Some(("api/b", "/index.yaml"))),
                ("/api/a/b/charts", Some(("a/b", "/api/charts"))),
                ("/a/index.yaml", None),
            ],
        );
    }

    #[test]
    fn with_a_dynamic_depth_the_first_row_that_fits_counts() {
        check(
            "",
            Depth::Dynamic,
            &[
                ("/index.yaml", Some(("", "/index.yaml"))),
                ("/charts/index.yaml", Some(("charts", "/index.yaml"))),
                ("/o/r/t/u/index.yaml", Some(("o/r/t/u", "/index.yaml"))),
                ("/api/charts", Some(("", "/api/charts"))),
                ("/api/o/r/charts", Some(("o/r", "/api/charts"))),
                ("/o/charts/a-1.tgz", Some(("o", "/charts/a-1.tgz"))),
                ("/info", Some(("", "/info"))),
                ("/o/info", None),
                ("/a/b/c/d/e/f/g/h/i/index.yaml", None),
                ("/org", None),
            ],
        );
        // A list of the repository `charts` and a chart called `charts` have one path; what can only be
        // the one is the one.
        let path = "/api/charts/charts";
        let list = place("", Depth::Dynamic, &Method::GET, path);
        assert_eq!(list, Some(("charts".into(), "/api/charts".into())));
        let path = "/api/charts/charts/1.0.0";
        let delete = place("", Depth::Dynamic, &Method::DELETE, path);
        assert_eq!(delete, Some((String::new(), path.into())));
    }

    #[test]
    fn the_context_path_ends_at_a_slash() {
        check(
            "/ctx",
            Depth::Fixed(0),
            &[
                ("/ctx", Some(("", "/"))),
                ("/ctx/", Some(("", "/"))),
                ("/ctx/index.yaml", Some(("", "/index.yaml"))),
                ("/ctx/health", Some(("", "/health"))),
                ("/ctxzzz/index.yaml", None),
                ("/index.yaml", None),
                ("/health", None),
                ("/", None),
            ],
        );
        check(
            "/ctx",
            Depth::Fixed(1),
            &[("/ctx/o/index.yaml", Some(("o", "/index.yaml")))],
        );
    }

    #[test]
    fn dots_and_escapes_name_no_repository() {
        for depth in [Depth::Fixed(1), Depth::Dynamic] {
            for path in [
                "/../index.yaml",
                "/./index.yaml",
                "/%2e%2e/index.yaml",
                "/%2E%2E%2Fother/index.yaml",
                "/a%2Fb/index.yaml",
                "/.chartroom/index.yaml",
                "/%2echartroom/index.yaml",
                "/a%00/index.yaml",
                "/%ff/index.yaml",
                "/../charts/x.tgz",
                "/api/../charts",
                "/api/%2e%2e/charts/a/1",
                "//index.yaml",
            ] {
                assert_eq!(place("", depth, &Method::GET, path), None, "{path}");
            }
        }
        let found = place("", Depth::Fixed(1), &Method::GET, "/a+b%20c/index.yaml");
        assert_eq!(found, Some(("a+b c".into(), "/index.yaml".into())));
    }

    #[test]
    fn a_wrong_method_has_the_place_of_the_right_one() {
        let found = place("", Depth::Fixed(1), &Method::PUT, "/org/index.yaml");
        assert_eq!(found, Some(("org".into(), "/index.yaml".into())));
    }
}
