//! Finds the real programs that a test runs. The scripts in `tests/tools` install them.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::report::say;

/// The helm versions that `tests/tools/install` pins.
const PINNED: [(&str, &str, &str); 2] = [
    ("v3", "HELM3", "helm-v3.22.0"),
    ("v4", "HELM4", "helm-v4.3.1"),
];

/// A helm client.
#[derive(Clone, Debug)]
pub(crate) struct Helm {
    /// Where its binary is.
    pub(crate) path: PathBuf,
    /// `v3` or `v4`.
    pub(crate) major: &'static str,
}

/// Finds helm v3 and v4, or says loudly that `what` is skipped.
///
/// Each is looked for in its variable (`HELM3`, `HELM4`), then in the folder of
/// `tests/tools/install`, then on `PATH`.
///
/// # Panics
/// If one is missing and `CHARTROOM_REQUIRE_TOOLS` is 1.
pub(crate) fn helms(what: &str) -> Option<[Helm; 2]> {
    let [three, four] = PINNED.map(find);
    match (three, four) {
        (Some(three), Some(four)) => Some([three, four]),
        (three, four) => {
            let missing: Vec<&str> = [(three, "helm v3"), (four, "helm v4")]
                .into_iter()
                .filter_map(|(found, name)| found.is_none().then_some(name))
                .collect();
            skip(what, &missing.join(" and "));
            None
        }
    }
}

/// Finds a program that an installing script pins: in its variable, then in the folder of the script,
/// then on `PATH`.
#[allow(dead_code, reason = "each test looks for its own programs")]
pub(crate) fn program(variable: &str, place: &str, name: &str) -> Option<PathBuf> {
    if let Some(path) = env::var_os(variable).map(PathBuf::from) {
        assert!(path.is_file(), "{variable} is {}", path.display());
        return Some(path);
    }
    let installed = cache().map(|cache| cache.join(place).join(name));
    let on_path = env::var_os("PATH").unwrap_or_default();
    let on_path = env::split_paths(&on_path).map(|folder| folder.join(name));
    installed
        .into_iter()
        .chain(on_path)
        .find(|path| path.is_file())
}

/// Says loudly that `what` is skipped for want of a program.
///
/// # Panics
/// If `CHARTROOM_REQUIRE_TOOLS` is 1.
pub(crate) fn skip(what: &str, missing: &str) {
    let line = format!(
        "SKIPPED: {what}: {missing} is not on this machine (the scripts in tests/tools install it)"
    );
    assert!(
        env::var_os("CHARTROOM_REQUIRE_TOOLS").is_none_or(|value| value != "1"),
        "{line}, and CHARTROOM_REQUIRE_TOOLS=1 forbids to skip"
    );
    let bar = "!".repeat(line.len().min(100));
    say(&format!("\n{bar}\n{line}\n{bar}"));
}

fn find((major, variable, folder): (&'static str, &str, &str)) -> Option<Helm> {
    if let Some(path) = env::var_os(variable).map(PathBuf::from) {
        let version = version(&path);
        assert!(
            version
                .as_deref()
                .is_some_and(|version| version.starts_with(major)),
            "{variable} is {}, which is not helm {major} but {version:?}",
            path.display()
        );
        return Some(Helm { path, major });
    }
    cache()
        .map(|cache| cache.join(folder).join("helm"))
        .into_iter()
        .chain([PathBuf::from("helm")])
        .find(|path| version(path).is_some_and(|version| version.starts_with(major)))
        .map(|path| Helm { path, major })
}

/// The folder of `tests/tools/install`.
fn cache() -> Option<PathBuf> {
    env::var_os("CHARTROOM_TOOLS")
        .map(PathBuf::from)
        .or_else(|| {
            env::var_os("XDG_CACHE_HOME")
                .map(PathBuf::from)
                .or_else(|| env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))
                .map(|cache| cache.join("chartroom-tests"))
        })
}

fn version(helm: &Path) -> Option<String> {
    let output = Command::new(helm)
        .args(["version", "--template", "{{.Version}}"])
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()
}
