//! Which sources count. ChartMuseum's variables, defaults and file keys do as soon as any source gives
//! the name of one of its storage backends: nothing else that starts chartroom does that, and nothing
//! that starts ChartMuseum fails to.

use std::path::Path;

use clap::ArgMatches;

use super::backend::Backend;
use super::environment::Variables;
use super::file::{File, Said};
use super::layers::{Layer, Problem, Reader, Source, Value};
use super::options::{CONFIG, Definition, STORAGE};
use super::{args, environment};

/// Reads all sources into layers.
pub(super) fn read(matches: &ArgMatches, variables: &Variables) -> Reader {
    let flags = args::layer(matches);
    let ours = environment::ours(variables);
    let mut bare = environment::bare(variables);
    let mut reader = Reader {
        problems: ours.problems,
        notices: ours.notices,
        ..Reader::default()
    };
    let named = given(&flags, &CONFIG).or(given(&ours.layer, &CONFIG));
    let file = named
        .or(given(&bare.layer, &CONFIG))
        .map(|Value { text, source }| File::read(Path::new(text), source));
    let written = match &file {
        Some(Ok(file)) => file.museum_storage(),
        _ => None,
    };
    let ours_in_file = match &file {
        Some(Ok(file)) => file.storage(),
        _ => None,
    };
    let storages = [
        flags.directory(),
        given(&flags, &STORAGE),
        given(&ours.layer, &STORAGE),
        given(&bare.layer, &STORAGE),
        ours_in_file.as_ref(),
    ];
    let names_backend = storages
        .into_iter()
        .flatten()
        .find(|storage| Backend::named(&storage.text).is_some());
    // A file with ChartMuseum's key is in its form, even if the backend is misspelt.
    reader.museum = names_backend
        .or(written.as_ref())
        .map(|storage| storage.source.clone());
    let is_museum = reader.museum.is_some();
    let is_elsewhere = [
        flags.directory(),
        given(&flags, &STORAGE),
        given(&ours.layer, &STORAGE),
    ]
    .into_iter()
    .any(|storage| storage.is_some())
        || ours_in_file.is_some();
    if !is_museum
        && !is_elsewhere
        && let Some(Value { text, source }) = given(&bare.layer, &STORAGE)
    {
        reader.problems.push(misspelt(text, source));
    }
    let counts = is_museum || named.is_some();
    if !is_museum {
        reader.notices.extend(
            [&STORAGE, &CONFIG]
                .into_iter()
                .filter(|definition| bare.layer.get(definition).is_some())
                .map(ignored),
        );
        bare = environment::Environment::default();
    }
    let said = match file.filter(|_| counts) {
        None => Said::default(),
        Some(Ok(file)) if is_museum => file.museum(),
        Some(Ok(file)) => file.ours(),
        Some(Err(problem)) => Said {
            problems: vec![problem],
            ..Said::default()
        },
    };
    for (problems, notices) in [(bare.problems, bare.notices), (said.problems, said.notices)] {
        reader.problems.extend(problems);
        reader.notices.extend(notices);
    }
    reader.layers = [flags, ours.layer, bare.layer, said.layer];
    reader
}

fn given<'layer>(layer: &'layer Layer, definition: &Definition) -> Option<&'layer Value> {
    layer.get(definition).filter(|value| !value.text.is_empty())
}

/// Nobody else says where charts are kept: a ChartMuseum with this variable would not start, and to start
/// on some directory instead would be a surprise.
fn misspelt(text: &str, source: &Source) -> Problem {
    Problem {
        key: STORAGE.name.to_owned(),
        what: format!("`{text}` is not a storage backend"),
        source: source.clone(),
        fix: format!(
            "write local, amazon, google or microsoft; or, if the variable is not for chartroom, say where charts are kept, as DIR or in {}",
            STORAGE.variable()
        ),
    }
}

fn ignored(definition: &Definition) -> String {
    let bare = definition.museum_variable().unwrap_or_default();
    format!(
        "the variable {bare} is ignored, since nothing names a storage backend of ChartMuseum; chartroom's own is {}",
        definition.variable()
    )
}
