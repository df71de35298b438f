//! A directory to index.

use crate::known;
use std::fs;
use std::path::Path;

use crate::charts::chart;

/// What lies at one path of a directory.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    /// A file with these bytes.
    File(Vec<u8>),
    /// A symbolic link to this path.
    Link(&'static str),
}

/// A directory with archives, and the name under which a mismatch reports it.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) name: String,
    items: Vec<(String, Item)>,
}

impl Directory {
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            items: Vec::new(),
        }
    }

    /// Puts a file at a path below the directory.
    pub(crate) fn put(&mut self, path: impl Into<String>, content: Vec<u8>) {
        let path = path.into();
        assert!(
            self.items.iter().all(|(taken, _)| *taken != path),
            "{} has two files {path}",
            self.name
        );
        self.items.push((path, Item::File(content)));
    }

    /// Puts an archive with this `Chart.yaml`, in a file called after nothing in it.
    pub(crate) fn put_chart(&mut self, file: &str, chart_yaml: impl AsRef<[u8]>) {
        self.put(format!("{file}.tgz"), chart(chart_yaml));
    }

    /// Puts a symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &'static str) {
        self.items.push((path.to_owned(), Item::Link(target)));
    }

    /// The same without the files that are known to be treated differently.
    pub(crate) fn without_known(mut self) -> Self {
        let Self { name, items } = &mut self;
        items.retain(|(path, _)| !known::is_archive(name, path));
        self
    }

    /// The same files, each in a directory of its own that is named after it.
    pub(crate) fn split(&self) -> Vec<Self> {
        let one = |item: &(String, Item)| Self {
            name: item.0.clone(),
            items: vec![item.clone()],
        };
        self.items.iter().map(one).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The contents of the files that helm's globs find, readable or not.
    pub(crate) fn archives(&self) -> impl Iterator<Item = &[u8]> {
        self.items.iter().filter_map(|(path, item)| match item {
            Item::File(content) if is_candidate(path) => Some(content.as_slice()),
            _ => None,
        })
    }

    /// The paths that helm's globs find.
    pub(crate) fn candidates(&self) -> impl Iterator<Item = &str> {
        self.items
            .iter()
            .map(|(path, _)| path.as_str())
            .filter(|path| is_candidate(path))
    }

    /// Writes everything below an existing, empty directory.
    pub(crate) fn write(&self, root: &Path) {
        for (path, item) in &self.items {
            let place = root.join(path);
            fs::create_dir_all(place.parent().expect("it has a parent")).expect("a folder is made");
            match item {
                Item::File(content) => fs::write(&place, content).expect("a file is written"),
                Item::Link(target) => {
                    std::os::unix::fs::symlink(target, &place).expect("a link is made");
                }
            }
        }
    }
}

/// `*.tgz` in the directory itself and one level below it; the suffix in this spelling only.
fn is_candidate(path: &str) -> bool {
    path.ends_with(".tgz") && path.matches('/').count() <= 1
}
