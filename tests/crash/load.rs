//! One client: uploads, overwrites, deletes and reads its own versions until the server is killed.

use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use rand::RngExt as _;
use rand::rngs::StdRng;

use crate::archive::Archive;
use crate::belief::{Beliefs, Version};
use crate::client::{Client, Reply, digest};
use crate::race::{Attempt, Races};
use crate::seed::generator;

/// Versions of its own that a client plays with.
const VERSIONS: u64 = 24;

/// Whether the kill has been sent, after which errors are expected, or the load is over without one.
#[derive(Debug, Default)]
pub(crate) struct Killed {
    killed: AtomicBool,
    enough: AtomicBool,
}

impl Killed {
    pub(crate) fn now(&self) {
        self.killed.store(true, Ordering::SeqCst);
    }

    fn is(&self) -> bool {
        self.killed.load(Ordering::SeqCst)
    }

    /// Lets clients stop after the request that they wait for.
    #[allow(dead_code, reason = "a single server is always killed")]
    pub(crate) fn enough(&self) {
        self.enough.store(true, Ordering::SeqCst);
    }
}

/// How many of which replies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    saved: usize,
    deleted: usize,
    refused: usize,
    /// 503, as an open deletion gives.
    later: usize,
    /// Requests that the kill cut off.
    cut: usize,
    looks: usize,
}

/// A client, which nobody else shares its versions with.
#[derive(Debug)]
pub(crate) struct Worker {
    number: u64,
    random: StdRng,
    pub(crate) beliefs: Beliefs,
    pub(crate) counts: Counts,
}

/// Why a client stops.
enum Stop {
    Killed,
    Complaint(String),
}

impl Worker {
    pub(crate) fn new(number: u64, seed: u64) -> Self {
        Self {
            number,
            random: generator(seed, number + 1),
            beliefs: Beliefs::default(),
            counts: Counts::default(),
        }
    }

    /// Works until the server is killed. Returns the highest generation seen, or what is wrong.
    pub(crate) fn work(
        &mut self,
        client: &Client,
        races: &Races,
        killed: &Killed,
        replies: &Sender<()>,
    ) -> Result<u64, String> {
        let mut generation = 0;
        let mut run: Vec<usize> = (0..races.versions().len()).collect();
        while !killed.enough.load(Ordering::SeqCst) {
            let step = if !run.is_empty() && self.random.random_bool(0.15) {
                self.race(client, races, run.remove(0), killed)
            } else {
                self.step(client, killed)
            };
            match step {
                Ok(seen) => {
                    // A reply never carries an older generation than the one before it.
                    if let Some(seen) = seen {
                        if seen < generation {
                            return Err(format!(
                                "a reply carries generation {seen} after {generation}"
                            ));
                        }
                        generation = seen;
                    }
                    // Nobody listens after the kill.
                    let _ = replies.send(());
                }
                Err(Stop::Killed) => {
                    self.counts.cut += 1;
                    return Ok(generation);
                }
                Err(Stop::Complaint(reason)) => return Err(reason),
            }
        }
        Ok(generation)
    }

    /// One request about a version of its own.
    fn step(&mut self, client: &Client, killed: &Killed) -> Result<Option<u64>, Stop> {
        let number = self.random.random_range(0..VERSIONS);
        // Half of the versions are of a chart that all clients share.
        let version = if number % 2 == 0 {
            ("shared".to_owned(), format!("{}.{number}.0", self.number))
        } else {
            (format!("own-{}", self.number), format!("1.{number}.0"))
        };
        let states = self.beliefs.of(&version);
        let present = !states.contains(&None);
        match self.random.random_range(0..20) {
            0..2 => self.look(client, &version, killed),
            2..9 if present => self.delete(client, &version, killed),
            9..11 if present => self.upload(client, &version, Way::Plain, killed),
            _ if states.len() > 1 => self.any(client, &version, killed),
            _ if present => self.upload(client, &version, Way::Forced, killed),
            _ => self.upload(client, &version, Way::Plain, killed),
        }
    }

    /// A version of which an earlier kill left open what it is.
    fn any(
        &mut self,
        client: &Client,
        version: &Version,
        killed: &Killed,
    ) -> Result<Option<u64>, Stop> {
        match self.random.random_range(0..3) {
            0 => self.delete(client, version, killed),
            1 => self.upload(client, version, Way::Forced, killed),
            _ => self.upload(client, version, Way::Plain, killed),
        }
    }

    fn upload(
        &mut self,
        client: &Client,
        version: &Version,
        way: Way,
        killed: &Killed,
    ) -> Result<Option<u64>, Stop> {
        let archive = self.archive(version);
        let sent = digest(&archive);
        let reply = match way {
            Way::Plain => client.upload(&archive),
            Way::Forced => client.overwrite(&archive),
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => {
                self.beliefs.suspect(version, Some(sent));
                return Err(cut(&error, killed));
            }
        };
        match (reply.status, way) {
            (201, _) => {
                let states = self.beliefs.of(version);
                if matches!(way, Way::Plain) && !states.contains(&None) {
                    return Err(Stop::Complaint(format!(
                        "{version:?} is uploaded without force over {states:?}"
                    )));
                }
                self.beliefs.know(version, Some(sent));
                self.counts.saved += 1;
                acknowledged(&reply)
            }
            (409, Way::Plain) => {
                self.beliefs
                    .exclude_absence(version)
                    .map_err(Stop::Complaint)?;
                self.counts.refused += 1;
                Ok(reply.generation)
            }
            (503, _) => {
                self.beliefs.suspect(version, Some(sent));
                self.counts.later += 1;
                Ok(reply.generation)
            }
            _ => Err(unexpected("an upload", version, &reply)),
        }
    }

    fn delete(
        &mut self,
        client: &Client,
        version: &Version,
        killed: &Killed,
    ) -> Result<Option<u64>, Stop> {
        let reply = match client.delete(version) {
            Ok(reply) => reply,
            Err(error) => {
                self.beliefs.suspect(version, None);
                return Err(cut(&error, killed));
            }
        };
        match reply.status {
            200 => {
                self.beliefs.know(version, None);
                self.counts.deleted += 1;
                acknowledged(&reply)
            }
            404 => {
                self.beliefs
                    .observe(version, &None)
                    .map_err(Stop::Complaint)?;
                self.beliefs.know(version, None);
                Ok(reply.generation)
            }
            503 => {
                self.beliefs.suspect(version, None);
                self.counts.later += 1;
                Ok(reply.generation)
            }
            _ => Err(unexpected("a delete", version, &reply)),
        }
    }

    /// What was acknowledged is in the index and can be downloaded, at once.
    fn look(
        &mut self,
        client: &Client,
        version: &Version,
        killed: &Killed,
    ) -> Result<Option<u64>, Stop> {
        self.counts.looks += 1;
        let index = client
            .index()
            .map_err(|error| cut(&error, killed))?
            .map_err(Stop::Complaint)?;
        let listed = index.entries.get(version).map(|(digest, _)| digest.clone());
        let before = self.beliefs.of(version);
        self.beliefs
            .observe(version, &listed)
            .map_err(Stop::Complaint)?;
        if before.len() > 1 && listed.is_none() {
            return Ok(index.generation);
        }
        let reply = client
            .download(version)
            .map_err(|error| cut(&error, killed))?;
        let served = (reply.status == 200).then(|| digest(&reply.body));
        if served != listed {
            return Err(Stop::Complaint(format!(
                "{version:?} is listed as {listed:?}, and its download answers {} with {served:?}",
                reply.status
            )));
        }
        Ok(index.generation)
    }

    /// An upload of a version that the other clients upload too.
    fn race(
        &mut self,
        client: &Client,
        races: &Races,
        number: usize,
        killed: &Killed,
    ) -> Result<Option<u64>, Stop> {
        let version = &races.versions()[number];
        let archive = self.archive(version);
        let sent = digest(&archive);
        let reply = match client.upload(&archive) {
            Ok(reply) => reply,
            Err(error) => {
                races.note(number, sent, Attempt::Open);
                return Err(cut(&error, killed));
            }
        };
        let attempt = match reply.status {
            201 => Attempt::Won,
            409 => Attempt::Refused,
            503 => Attempt::Open,
            _ => return Err(unexpected("a racing upload", version, &reply)),
        };
        races.note(number, sent, attempt);
        Ok(reply.generation)
    }

    /// An archive that no other upload has, of any size up to some hundred kilobytes.
    fn archive(&mut self, (name, version): &Version) -> Vec<u8> {
        let size = if self.random.random_bool(0.1) {
            self.random.random_range(0..400_000)
        } else {
            self.random.random_range(16..2_000)
        };
        let mut noise = vec![0; size];
        self.random.fill(noise.as_mut_slice());
        let unique: u64 = self.random.random();
        Archive::default()
            .file(
                "c/Chart.yaml",
                format!("name: {name}\nversion: {version}\ndescription: \"{unique:x}\"\n"),
            )
            .file("c/noise", noise)
            .tgz()
    }
}

/// Whether an upload may replace.
#[derive(Clone, Copy, Debug)]
enum Way {
    Plain,
    Forced,
}

fn acknowledged(reply: &Reply) -> Result<Option<u64>, Stop> {
    match reply.generation {
        Some(generation) => Ok(Some(generation)),
        None => Err(Stop::Complaint(format!(
            "a reply {} comes without a generation",
            reply.status
        ))),
    }
}

fn cut(error: &ureq::Error, killed: &Killed) -> Stop {
    if killed.is() {
        Stop::Killed
    } else {
        Stop::Complaint(format!("a request fails before the kill: {error}"))
    }
}

fn unexpected(what: &str, version: &Version, reply: &Reply) -> Stop {
    let body = String::from_utf8_lossy(&reply.body);
    Stop::Complaint(format!(
        "{what} of {version:?} is answered {}: {body}",
        reply.status
    ))
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.saved += other.saved;
        self.deleted += other.deleted;
        self.refused += other.refused;
        self.later += other.later;
        self.cut += other.cut;
        self.looks += other.looks;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} uploads and overwrites, {} deletes acknowledged, {} refused with 409, {} with 503, {} cut off, {} looks",
            self.saved, self.deleted, self.refused, self.later, self.cut, self.looks
        )
    }
}
