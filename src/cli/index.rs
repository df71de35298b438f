//! `chartroom index`: what `helm repo index` does, faster, and with a word on every file left out.

mod scan;
mod url;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::error::Error;
use std::fs;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use chartroom_storage::Clock;
use chrono::{DateTime, FixedOffset};
use clap::{ArgMatches, Args as _, Command, FromArgMatches as _};

use self::scan::{Candidate, Found, SkipReason};
use crate::index::document::DocumentError;
use crate::index::json_writer::Indenter;
use crate::index::merge::added;
use crate::index::{self, Format, Index, IndexFile, Row};

/// The exit code of `--strict` when something was left out. 1 and 2 mean that nothing was written:
/// failure and wrong usage.
const SKIPPED: u8 = 3;

const EXIT_CODES: &str = "\
Exit codes:
  0  index.yaml was written; files that are no charts were left out and named, as with helm
  1  failure, index.yaml is unchanged
  2  wrong usage
  3  only with --strict: index.yaml was written, but something was left out";

/// Writes index.yaml for a directory of packaged charts, byte for byte as `helm repo index` does
#[derive(Clone, Debug, clap::Args)]
#[command(name = "index", after_help = EXIT_CODES)]
struct IndexArgs {
    /// Directory with the archives; those in its sub-directories, one level deep, are taken too
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// URL of the repository, put before each file name; relative file names without it
    #[arg(
        long,
        value_name = "URL",
        default_value = "",
        hide_default_value = true
    )]
    url: String,

    /// Index whose entries are added where DIR has no such version; created empty if it is missing
    #[arg(long, value_name = "FILE")]
    merge: Option<PathBuf>,

    /// Write JSON, which clients read several times faster (the file is index.yaml all the same)
    #[arg(long)]
    json: bool,

    /// Exit with code 3 if a file or an entry was left out
    ///
    /// Not the default, because scripts that were written for helm, which always exits with 0 then,
    /// would stop at a stray file.
    #[arg(long)]
    strict: bool,
}

/// Why no index was written.
#[derive(Debug, thiserror::Error)]
enum IndexError {
    #[error("cannot list {directory}")]
    List {
        directory: String,
        source: io::Error,
    },
    #[error("cannot read {file}")]
    Read { file: String, source: io::Error },
    #[error("cannot merge {file}")]
    Merge { file: String, source: DocumentError },
    #[error("cannot write {file}")]
    Write { file: String, source: io::Error },
}

/// Describes the command.
pub(super) fn command() -> Command {
    IndexArgs::augment_args(Command::new("index"))
}

/// Does the command.
pub(super) fn run(arguments: &ArgMatches) -> ExitCode {
    match IndexArgs::from_arg_matches(arguments) {
        Ok(args) => run_with(&args, &Clock::default()),
        Err(error) => error.exit(),
    }
}

/// Messages go to standard error.
fn run_with(args: &IndexArgs, clock: &Clock) -> ExitCode {
    let is_terminal = io::stderr().is_terminal();
    let mut report = Report {
        out: io::stderr().lock(),
        clock,
        shows_progress: is_terminal,
    };
    match index(args, clock, &mut report) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) if args.strict => ExitCode::from(SKIPPED),
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            report.failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// Does the work; returns how much was left out.
fn index(
    args: &IndexArgs,
    clock: &Clock,
    report: &mut Report<'_, impl Write>,
) -> Result<usize, IndexError> {
    let generated = local_time(clock);
    // Read first, so that an unusable file costs no scan.
    let old = match &args.merge {
        None => Old::None,
        Some(file) => read_old(file)?,
    };
    let candidates = scan::find(&args.directory).map_err(|source| IndexError::List {
        directory: args.directory.display().to_string(),
        source,
    })?;
    if url::is_opaque(&args.url) {
        report.line(&format!(
            "warning: --url {} has no `//` after the colon, so that every file gets this very URL; \
             is `http://` missing?",
            args.url
        ));
    }

    let total = candidates.len();
    let Charts {
        mut index,
        read,
        remarks,
    } = read_charts(&candidates, args, clock, report.progress(total));
    report.end_progress();
    let mut skipped = 0;
    for (position, remark) in &remarks {
        let label = candidates.get(*position).map(Candidate::label);
        skipped += usize::from(matches!(remark, Remark::Skipped(_)));
        report.remark(&label.unwrap_or_default(), remark);
    }
    report.duplicates(&read, &candidates);

    match old {
        Old::None => {}
        Old::Missing(file) => {
            // Helm creates it, and scripts may rely on finding it afterwards.
            write_index(file, &Index::default(), &generated, args.json)?;
        }
        Old::Entries(old, left_out) => {
            for entry in &left_out {
                report.skipped_entry(entry);
            }
            skipped += left_out.len();
            let fresh = read.iter().map(|(_, name, version)| (&**name, &**version));
            let old = added(fresh, old).into_iter().zip(total..);
            let rows = old.map(|(entry, position)| Row::of(&entry, &scan::tie(position)));
            index.insert_all(rows.collect());
        }
    }

    let file = args.directory.join("index.yaml");
    write_index(&file, &index, &generated, args.json)?;
    report.summary(&index, &file, skipped);
    Ok(skipped)
}

/// How many entries are put into the index at once, at most, and how many bytes of them.
const BATCH: usize = 256;
const BATCH_BYTES: usize = 1 << 20;

/// The position of an archive that was read, its chart's name and its version.
type Read = (usize, Box<str>, Box<str>);

/// What the archives of a directory came to, besides the index in the order of their positions.
struct Charts {
    index: Index,
    read: Vec<Read>,
    remarks: Vec<(usize, Remark)>,
}

/// Reads the archives. An entry is rendered where it was read, and nothing else of it is kept.
fn read_charts(
    candidates: &[Candidate],
    args: &IndexArgs,
    clock: &Clock,
    mut progress: impl FnMut(usize),
) -> Charts {
    let mut charts = Charts {
        index: Index::default(),
        read: Vec::with_capacity(candidates.len()),
        remarks: Vec::new(),
    };
    let mut rows = Vec::with_capacity(BATCH);
    let mut bytes = 0;
    let mut done = 0;
    scan::read_all(candidates, &args.url, clock, |position, result| {
        match result {
            Ok(Found { row, breaker }) => {
                let remark = breaker.map(|place| (position, Remark::BreaksHelm(place)));
                charts.remarks.extend(remark);
                let read = (position, row.name().into(), row.version().into());
                charts.read.push(read);
                bytes += row.weight();
                rows.push(row);
            }
            Err(reason) => charts.remarks.push((position, Remark::Skipped(reason))),
        }
        if rows.len() == BATCH || bytes >= BATCH_BYTES {
            bytes = 0;
            charts.index.insert_all(std::mem::take(&mut rows));
        }
        done += 1;
        progress(done);
    });
    charts.index.insert_all(rows);
    charts.read.sort_by_key(|(position, ..)| *position);
    charts.remarks.sort_by_key(|(position, _)| *position);
    charts
}

/// What is to be said of a file.
enum Remark {
    Skipped(SkipReason),
    /// Where something stands on which helm fails.
    BreaksHelm(String),
}

/// Returns the time with the offset of the process's time zone, which is how helm writes it.
fn local_time(clock: &Clock) -> DateTime<FixedOffset> {
    clock.wall().with_timezone(&chrono::Local).fixed_offset()
}

/// What there is to merge.
enum Old<'a> {
    None,
    Missing(&'a Path),
    Entries(Vec<index::Entry>, Vec<index::document::SkippedEntry>),
}

fn read_old(file: &Path) -> Result<Old<'_>, IndexError> {
    let bytes = match fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Old::Missing(file)),
        Err(source) => {
            let file = file.display().to_string();
            return Err(IndexError::Read { file, source });
        }
    };
    let parsed = IndexFile::parse(&bytes).map_err(|source| IndexError::Merge {
        file: file.display().to_string(),
        source,
    })?;
    let (entries, skipped) = parsed.into_entries();
    Ok(Old::Entries(entries, skipped))
}

fn write_index(
    file: &Path,
    index: &Index,
    generated: &DateTime<FixedOffset>,
    json: bool,
) -> Result<(), IndexError> {
    replace(file, |out| {
        if !json {
            let mut chunks = index.body(Format::Yaml, generated, None).chunks();
            return chunks.try_for_each(|chunk| out.write_all(&chunk));
        }
        let mut indenter = Indenter::default();
        let mut text = Vec::new();
        for chunk in index.body(Format::Json, generated, None).chunks() {
            text.clear();
            indenter.push(&chunk, &mut text);
            out.write_all(&text)?;
        }
        Ok(())
    })
    .map_err(|source| IndexError::Write {
        file: file.display().to_string(),
        source,
    })
}

/// Replaces `file` by what `write` writes, at once: a reader sees the old file or the new one. The
/// mode is 0644 whatever the umask is, as Helm has it.
fn replace(
    file: &Path,
    write: impl FnOnce(&mut io::BufWriter<&mut fs::File>) -> io::Result<()>,
) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut temporary = tempfile::Builder::new()
        .prefix(".index.yaml.")
        .tempfile_in(folder)?;
    let mut out = io::BufWriter::new(temporary.as_file_mut());
    write(&mut out)?;
    out.flush()?;
    drop(out);
    let permissions = fs::Permissions::from_mode(0o644);
    temporary.as_file().set_permissions(permissions)?;
    temporary.as_file().sync_all()?;
    temporary.persist(file).map_err(|error| error.error)?;
    Ok(())
}

/// What is said on the way. A message that cannot be written stops nothing.
struct Report<'c, W> {
    out: W,
    clock: &'c Clock,
    shows_progress: bool,
}

impl<W: Write> Report<'_, W> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{text}");
    }

    /// Returns what rewrites one line with the number of files that are done, if anybody sees it.
    fn progress(&mut self, total: usize) -> impl FnMut(usize) {
        let mut shown = self.clock.now();
        move |done| {
            let now = self.clock.now();
            if self.shows_progress && now.since(shown) >= Duration::from_millis(100) {
                shown = now;
                let _ = write!(self.out, "\rread {done} of {total} files");
                let _ = self.out.flush();
            }
        }
    }

    fn end_progress(&mut self) {
        if self.shows_progress {
            // To the first column, and clear the line.
            let _ = write!(self.out, "\r\x1b[K");
        }
    }

    fn remark(&mut self, label: &str, remark: &Remark) {
        match remark {
            Remark::Skipped(reason) => self.line(&format!("skipped {label}: {reason}")),
            Remark::BreaksHelm(place) => self.breaks_helm(label, place),
        }
    }

    /// Helm fails on such a chart without a word about which one it is.
    fn breaks_helm(&mut self, label: &str, place: &str) {
        self.line(&format!(
            "warning: {label}: {place} holds a character on which `helm repo index` fails as a whole"
        ));
    }

    fn skipped_entry(&mut self, entry: &index::document::SkippedEntry) {
        self.line(&format!(
            "skipped {entry} of the merged index: {}",
            entry.source
        ));
    }

    /// Warns of files that hold the same version: clients take one of them and never see the other.
    fn duplicates(&mut self, read: &[Read], candidates: &[Candidate]) {
        let mut seen: HashMap<(&str, &str), usize> = HashMap::new();
        let label = |position: usize| candidates.get(position).map(Candidate::label);
        for (position, name, version) in read {
            match seen.entry((&**name, &**version)) {
                Entry::Occupied(first) => {
                    let first = label(*first.get()).unwrap_or_default();
                    let label = label(*position).unwrap_or_default();
                    self.line(&format!(
                        "warning: {first} and {label} are both {name} {version}; both are in the \
                         index, but clients take only the first"
                    ));
                }
                Entry::Vacant(place) => {
                    place.insert(*position);
                }
            }
        }
    }

    fn summary(&mut self, index: &Index, file: &Path, skipped: usize) {
        let (versions, charts) = (index.len(), index.charts());
        let left_out = match skipped {
            0 => String::new(),
            skipped => format!("; left out: {skipped}"),
        };
        let file = file.display();
        self.line(&format!(
            "wrote {file}: charts: {charts}, versions: {versions}{left_out}"
        ));
    }

    fn failure(&mut self, error: &IndexError) {
        let mut text = format!("error: {error}");
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        self.line(&text);
    }
}

#[cfg(test)]
mod tests;
