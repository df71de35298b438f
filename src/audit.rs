//! The audit log: who did what to which chart, and who was refused. JSON lines, in a file of their own
//! or on stdout.
//!
//! A request is answered after its line was given to the operating system. If that fails, or takes
//! longer than five seconds, the request goes on: a full disk must not stop everybody's deployments.
//! The caller hears of it, to count it and to say so.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use same_file::Handle;
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long a request waits for its line.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many lines wait at once; further requests wait for a place.
const QUEUE: usize = 1024;
/// How many waiting lines are written together.
const BATCH: usize = 256;

/// Where the lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Standard output.
    Stdout,
    /// The end of a file. If it is renamed away, as by logrotate, a new one is made.
    File(PathBuf),
}

/// One line.
#[derive(Clone, Debug, Serialize)]
pub struct Record<'a> {
    /// When the request was decided about.
    pub time: DateTime<Utc>,
    /// The request's name in the other logs and in its reply.
    pub request_id: &'a str,
    /// `anonymous`, or what kind of credentials named the next field.
    pub kind: &'static str,
    /// The user, or the subject of a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<&'a str>,
    /// The id of an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_id: Option<&'a str>,
    /// Who vouches for a workload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<&'a str>,
    /// The address that the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The verb: `pull`, `push`, `overwrite` or `delete`.
    pub action: &'static str,
    /// The path of the repository; empty for the one at the root.
    pub repository: &'a str,
    /// What the request was about, as far as it was known.
    #[serde(flatten)]
    pub subject: &'a Subject,
    /// How many change sets the repository's log held with the reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generation: Option<u64>,
    /// Whether the sender may do this.
    pub allowed: bool,
    /// What allowed or refused it.
    pub rule: &'a str,
    /// What is wrong with the credentials, if something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The status of the reply. What is allowed can fail.
    pub status: u16,
}

/// A version of a chart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// The chart's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart: Option<String>,
    /// Its version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// The file: an archive or a provenance file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The archive's SHA-256, in hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// Why a line is not in the log, or maybe not.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The line could not be written.
    #[error("the audit log cannot be written")]
    Write(#[source] Arc<io::Error>),
    /// It took too long; the line may still be written.
    #[error("the audit log takes longer than {} s", PATIENCE.as_secs())]
    Slow,
    /// The thread that writes is gone.
    #[error("the audit log's thread ended")]
    Gone,
    /// The record is not JSON.
    #[error("a line of the audit log cannot be made")]
    Json(#[from] serde_json::Error),
}

/// A record as it is written.
#[derive(Clone, Debug)]
pub struct Line(Vec<u8>);

impl Line {
    /// Makes the line of a record.
    ///
    /// # Errors
    /// If it is not JSON, which no record is.
    pub fn of(record: &Record<'_>) -> Result<Self, AuditError> {
        let mut text = serde_json::to_vec(record)?;
        text.push(b'\n');
        Ok(Self(text))
    }
}

/// The audit log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AuditLog {
    lines: mpsc::Sender<Waiting>,
}

/// A line, and who waits for it, if somebody does.
#[derive(Debug)]
struct Waiting {
    line: Line,
    written: Option<oneshot::Sender<Result<(), Arc<io::Error>>>>,
}

impl AuditLog {
    /// Opens the log, for appending. The thread that writes ends with the last copy of the log.
    ///
    /// # Errors
    /// If the file cannot be opened or made, or the thread cannot be started.
    pub fn open(destination: Destination) -> io::Result<Self> {
        let output = match destination {
            Destination::Stdout => Output::Stdout,
            Destination::File(path) => Output::File(Appended::open(path)?),
        };
        let (lines, waiting) = mpsc::channel(QUEUE);
        let writer = Writer {
            output,
            is_broken: false,
        };
        std::thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || writer.run(waiting))?;
        Ok(Self { lines })
    }

    /// Writes a line.
    ///
    /// # Errors
    /// If it was not written in time.
    ///
    /// # Cancellation
    /// The line may be written or not.
    pub async fn write(&self, line: Line) -> Result<(), AuditError> {
        let (written, answer) = oneshot::channel();
        let waiting = Waiting {
            line,
            written: Some(written),
        };
        let outcome = timeout(PATIENCE, async {
            let sent = self.lines.send(waiting).await;
            sent.map_err(|_| AuditError::Gone)?;
            let written = answer.await.map_err(|_| AuditError::Gone)?;
            written.map_err(AuditError::Write)
        });
        outcome.await.unwrap_or(Err(AuditError::Slow))
    }

    /// Gives a line to be written, for those who cannot wait.
    ///
    /// # Errors
    /// If too many lines wait.
    pub fn write_later(&self, line: Line) -> Result<(), AuditError> {
        let waiting = Waiting {
            line,
            written: None,
        };
        self.lines.try_send(waiting).map_err(|_| AuditError::Slow)
    }
}

struct Writer {
    output: Output,
    /// Whether the last line may be there in part.
    is_broken: bool,
}

impl Writer {
    fn run(mut self, mut waiting: mpsc::Receiver<Waiting>) {
        let mut batch = Vec::new();
        while waiting.blocking_recv_many(&mut batch, BATCH) > 0 {
            let mut text = Vec::new();
            if self.is_broken {
                text.push(b'\n');
            }
            for Waiting { line, .. } in &batch {
                text.extend_from_slice(&line.0);
            }
            let result = self.output.write(&text).map_err(Arc::new);
            self.is_broken = result.is_err();
            if let Err(error) = &result {
                tracing::error!(%error, lines = batch.len(), "the audit log cannot be written");
            }
            for waiting in batch.drain(..) {
                // Whoever waited may have given up.
                let _ = waiting.written.map(|written| written.send(result.clone()));
            }
        }
    }
}

enum Output {
    Stdout,
    File(Appended),
}

impl Output {
    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(text)?;
                stdout.flush()
            }
            Self::File(file) => file.write(text),
        }
    }
}

/// A file that others may rename or remove.
struct Appended {
    path: PathBuf,
    file: Handle,
}

impl Appended {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = append_to(&path)?;
        Ok(Self { path, file })
    }

    fn write(&mut self, text: &[u8]) -> io::Result<()> {
        let is_there = Handle::from_path(&self.path).is_ok_and(|found| found == self.file);
        if !is_there {
            self.file = append_to(&self.path)?;
        }
        self.file.as_file_mut().write_all(text)
    }
}

/// Names of users and of private charts are for the operator only.
fn append_to(path: &std::path::Path) -> io::Result<Handle> {
    let file: File = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    Handle::from_file(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn line(request_id: &str, subject: &Subject) -> Line {
        let record = Record {
            time: DateTime::UNIX_EPOCH,
            request_id,
            kind: "user",
            who: Some("alice"),
            token_id: None,
            issuer: None,
            client: Some("192.0.2.7".parse().unwrap()),
            action: "push",
            repository: "org/team",
            subject,
            generation: Some(3),
            allowed: true,
            rule: "the only user",
            reason: None,
            status: 201,
        };
        Line::of(&record).unwrap()
    }

    fn log_at(path: &std::path::Path) -> AuditLog {
        AuditLog::open(Destination::File(path.to_owned())).unwrap()
    }

    #[tokio::test]
    async fn a_line_is_there_when_it_was_written_and_old_ones_stay() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.jsonl");
        let subject = Subject {
            chart: Some("nginx\n".to_owned()),
            ..Subject::default()
        };
        for id in ["1", "2"] {
            log_at(&path).write(line(id, &subject)).await.unwrap();
        }
        let expected = |id: &str| {
            format!(
                r#"{{"time":"1970-01-01T00:00:00Z","request_id":"{id}","kind":"user","who":"alice","client":"192.0.2.7","action":"push","repository":"org/team","chart":"nginx\n","generation":3,"allowed":true,"rule":"the only user","status":201}}"#
            )
        };
        let expected = format!("{}\n{}\n", expected("1"), expected("2"));
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }

    #[tokio::test]
    async fn a_file_that_was_renamed_away_is_made_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.jsonl");
        let log = log_at(&path);
        let subject = Subject::default();
        log.write(line("1", &subject)).await.unwrap();
        let rotated = directory.path().join("audit.jsonl.1");
        fs::rename(&path, &rotated).unwrap();
        log.write(line("2", &subject)).await.unwrap();
        for (path, id) in [(&rotated, "1"), (&path, "2")] {
            let text = fs::read_to_string(path).unwrap();
            assert_eq!(text.lines().count(), 1);
            assert!(text.contains(&format!(r#""request_id":"{id}""#)), "{text}");
        }
    }

    #[tokio::test]
    async fn lines_of_many_requests_at_once_are_all_there_and_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.jsonl");
        let log = log_at(&path);
        let writes = (0..2000).map(|number| {
            let log = log.clone();
            async move {
                let id = number.to_string();
                log.write(line(&id, &Subject::default())).await
            }
        });
        for result in futures_util::future::join_all(writes).await {
            result.unwrap();
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut ids: Vec<u32> = text
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|line| line["request_id"].as_str().unwrap().parse().unwrap())
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..2000).collect::<Vec<u32>>());
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_written_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit").join("audit.jsonl");
        let missing = AuditLog::open(Destination::File(path.clone()));
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);

        fs::create_dir(path.parent().unwrap()).unwrap();
        let log = log_at(&path);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
        let subject = Subject::default();
        let error = log.write(line("1", &subject)).await.unwrap_err();
        assert!(matches!(error, AuditError::Write(_)), "{error}");
        // As soon as it can be written again it is, and whoever reads lines finds whole ones.
        fs::create_dir(path.parent().unwrap()).unwrap();
        log.write(line("2", &subject)).await.unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.trim_start().starts_with('{') && text.ends_with("}\n"),
            "{text}"
        );
    }
}
