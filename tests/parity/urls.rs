//! `--url`: bases and file names that meet in an entry's URL.

use crate::charts::chart;
use crate::directory::Directory;

/// Values of `--url`.
pub(crate) const BASES: &[&str] = &[
    "http://h/charts",
    "http://h/charts/",
    "http://h",
    "http://h/",
    "http://h//a//b/",
    "http://h/a/../b/./c",
    "http://h/charts?x=y",
    "http://h/charts/?x=y&z=%20#frag",
    "http://h/charts#frag",
    "http://user:p%40ss@h:8080/charts",
    "HTTP://Host.Example/Charts",
    "https://[::1]:8443/c",
    "s3://bucket/prefix",
    "charts",
    "charts/",
    "../charts",
    "./charts",
    "/abs",
    "/",
    ".",
    "..",
    "//host/x",
    "http://h/sp%20ace/%2F/",
    "http://h/sp ace",
    "http://h/ünïcode/日本",
    "http://h/a+b;c=d,e@f:g$&h",
    "http://h/a%zz",
    "://bad",
    "http://h:port/",
    "http://[::1",
    "?only=query",
    "#only",
    "file:///srv/charts",
    "mailto:someone",
    "oci://registry/charts",
    "",
];

/// File names that need escaping, in the directory itself and one level below it.
pub(crate) fn directory() -> Directory {
    let mut directory = Directory::new("urls");
    for (letter, file) in ('a'..).zip([
        "plain-1.0.0.tgz",
        "we ird+%#?[1].tgz",
        "plus-1.0.0+build.5.tgz",
        "ünïcode-日本-😀.tgz",
        "a:b.tgz",
        "-$_.~&,;=@!*'().tgz",
        "quote\"back\\slash.tgz",
        "per%20cent.tgz",
        "..tgz",
        ".hidden-1.tgz",
        ".tgz",
        "sub/plain-1.0.0.tgz",
        "s p%20#/we ird+%#?[1].tgz",
        ".hid/x.tgz",
        "ünter/ü.tgz",
        "sub.tgz.d/+.tgz",
        "a:b/c:d.tgz",
    ]) {
        directory.put(file, chart(format!("name: url-{letter}\nversion: 1.0.0\n")));
    }
    directory
}
