//! Names that come from outside: of objects, files, repositories, stores, and where a path belongs.

use chartroom::chart::FileName;
use chartroom::http::fuzzing;
use chartroom::http::settings::{ContextPath, Depth};
use chartroom_storage::{Key, Location, RepositoryPath};
use http::Method;
use http::uri::PathAndQuery;
use percent_encoding::percent_decode_str;

/// The first byte chooses the settings; then come two names, one on each line.
pub fn run(bytes: &[u8]) {
    let Some((settings, rest)) = bytes.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(rest);
    let (one, two) = text.split_once('\n').unwrap_or((&text, ""));
    check_key(one, two);
    check_file_name(one);
    check_repository(one, two);
    check_location(one);
    check_context_path(one);
    check_place(*settings, one);
}

fn check_key(one: &str, two: &str) {
    let Ok(key) = Key::parse(one) else {
        return;
    };
    assert_eq!(key.as_str(), one);
    assert!(one.len() <= 1024);
    for segment in one.split('/') {
        check_segment(segment);
    }
    assert!(one.ends_with(key.name()) && !key.name().contains('/'));
    if let Ok(child) = key.child(two) {
        let below = child
            .as_str()
            .strip_prefix(one)
            .and_then(|rest| rest.strip_prefix('/'));
        assert_eq!(below, Some(two));
        assert!(Key::parse(two).is_ok(), "{two:?}");
    }
}

fn check_segment(segment: &str) {
    assert!(!matches!(segment, "" | "." | ".."), "{segment:?}");
    assert!(
        segment.len() <= 255 && !segment.contains('/'),
        "{segment:?}"
    );
    assert!(!segment.chars().any(char::is_control), "{segment:?}");
}

fn check_file_name(text: &str) {
    let Ok(file) = FileName::parse(text) else {
        return;
    };
    assert_eq!(file.as_str(), text);
    check_segment(text);
    assert!(!text.starts_with('.') && !text.contains('\\'));
    let (archive, provenance) = (file.archive(), file.provenance());
    assert!(archive.as_str().ends_with(".tgz") && !archive.is_provenance());
    assert!(provenance.as_str().ends_with(".tgz.prov") && provenance.is_provenance());
    assert!(file == archive || file == provenance);
    assert_eq!(archive.provenance(), provenance);
    assert_eq!(provenance.archive(), archive);
    assert_eq!(FileName::parse(archive.as_str()), Ok(archive));
    assert_eq!(FileName::parse(provenance.as_str()), Ok(provenance));
}

fn check_repository(one: &str, two: &str) {
    let Ok(repository) = RepositoryPath::parse(one) else {
        return;
    };
    check_safe(&repository);
    assert_eq!(repository.as_str(), one);
    if let Ok(below) = RepositoryPath::parse(two)
        && let Ok(joined) = repository.join(&below)
    {
        check_safe(&joined);
        let both = repository.segments().chain(below.segments());
        assert!(joined.segments().eq(both));
    }
}

/// A repository's objects are below its folder, and its name is not one of the server's own.
fn check_safe(repository: &RepositoryPath) {
    let segments: Vec<&str> = repository.segments().collect();
    assert_eq!(segments.join("/"), repository.as_str());
    for segment in segments {
        check_segment(segment);
        assert!(!segment.starts_with('.'), "{segment:?}");
    }
}

fn check_location(text: &str) {
    let Ok(location) = Location::parse(text) else {
        return;
    };
    let written = location.to_string();
    // A directory whose name is not UTF-8 cannot be written.
    if !written.contains('\u{FFFD}') {
        assert_eq!(Location::parse(&written), Ok(location), "{text:?}");
    }
}

fn check_context_path(text: &str) {
    let Ok(path) = ContextPath::parse(text) else {
        return;
    };
    assert_eq!(ContextPath::parse(path.as_str()), Ok(path.clone()));
    let is_plain = |segment: &str| !matches!(segment, "" | "." | "..");
    let mut segments = path.as_str().split('/');
    assert_eq!(segments.next(), Some(""));
    assert!(segments.all(is_plain), "{text:?}");
    assert!(PathAndQuery::try_from(path.as_str()).is_ok() || path.as_str().is_empty());
}

fn check_place(settings: u8, text: &str) {
    let Ok(target) = PathAndQuery::try_from(text) else {
        return;
    };
    let depth = match settings & 3 {
        3 => Depth::Dynamic,
        depth => Depth::Fixed(usize::from(depth)),
    };
    let method = match settings >> 2 & 3 {
        0 => Method::GET,
        1 => Method::HEAD,
        2 => Method::POST,
        _ => Method::DELETE,
    };
    let context = if settings >> 4 & 1 == 0 { "" } else { "/c/x" };
    let context = ContextPath::parse(context).expect("a context path");
    let place = fuzzing::place(&context, depth, &method, target.path());
    let Some((repository, path, pattern)) = place else {
        return;
    };
    check_safe(&repository);
    let segments = repository.segments().count();
    assert!(match depth {
        Depth::Fixed(depth) => segments == depth || segments == 0,
        Depth::Dynamic => segments <= Depth::MOST,
    });
    assert!(PathAndQuery::try_from(path.as_str()).is_ok(), "{path}");
    if pattern.ends_with("{file}")
        && let Some((_, file)) = path.rsplit_once('/')
        && let Ok(file) = percent_decode_str(file).decode_utf8()
    {
        check_file_name(&file);
    }
    let root = ContextPath::default();
    let again = fuzzing::place(&root, Depth::Fixed(0), &method, &path);
    assert_eq!(again, Some((RepositoryPath::root(), path, pattern)));
}
