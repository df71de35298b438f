//! The requests of the load.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use ureq::http::{HeaderMap, Response};
use ureq::{Agent, Body};

use crate::belief::Version;
use crate::server::agent;

/// Longer than a server may take for one request, open deletions included.
const TIMEOUT: Duration = Duration::from_mins(1);

/// What makes an index JSON.
pub(crate) const HELM: (&str, &str) = ("User-Agent", "Helm/3.22.0");

/// A connection to one server.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    agent: Agent,
    url: String,
}

/// A reply that arrived whole.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) generation: Option<u64>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// A header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }
}

/// What an index lists.
#[derive(Clone, Debug)]
pub(crate) struct Index {
    pub(crate) generation: Option<u64>,
    /// Whether the store does not answer.
    #[allow(dead_code, reason = "a directory always answers")]
    pub(crate) is_stale: bool,
    /// Digest and URL of each version.
    pub(crate) entries: BTreeMap<Version, (String, String)>,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        Self {
            agent: agent(TIMEOUT),
            url: url.to_owned(),
        }
    }

    pub(crate) fn upload(&self, archive: &[u8]) -> Result<Reply, ureq::Error> {
        self.agent
            .post(format!("{}/api/charts", self.url))
            .send(archive)
            .and_then(whole)
    }

    pub(crate) fn overwrite(&self, archive: &[u8]) -> Result<Reply, ureq::Error> {
        self.agent
            .post(format!("{}/api/charts?force", self.url))
            .send(archive)
            .and_then(whole)
    }

    pub(crate) fn delete(&self, (name, version): &Version) -> Result<Reply, ureq::Error> {
        self.agent
            .delete(format!("{}/api/charts/{name}/{version}", self.url))
            .call()
            .and_then(whole)
    }

    /// Downloads the archive of a version by the file name that helm would give it.
    pub(crate) fn download(&self, (name, version): &Version) -> Result<Reply, ureq::Error> {
        self.fetch(&format!("charts/{name}-{version}.tgz"))
    }

    /// Downloads what a relative URL of the index points to.
    pub(crate) fn fetch(&self, relative: &str) -> Result<Reply, ureq::Error> {
        self.get(relative, &[])
    }

    /// Reads anything, with headers.
    pub(crate) fn get(
        &self,
        relative: &str,
        headers: &[(&str, &str)],
    ) -> Result<Reply, ureq::Error> {
        let mut request = self.agent.get(format!("{}/{relative}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.call().and_then(whole)
    }

    /// Reads the index as helm does, which gets JSON.
    pub(crate) fn index(&self) -> Result<Result<Index, String>, ureq::Error> {
        self.index_at_least(0)
    }

    /// Reads the index as helm does, at this generation or later.
    pub(crate) fn index_at_least(
        &self,
        generation: u64,
    ) -> Result<Result<Index, String>, ureq::Error> {
        let generation = generation.to_string();
        let headers = [HELM, ("X-Chartroom-Min-Generation", &generation)];
        Ok(Index::parse(&self.get("index.yaml", &headers)?))
    }

    /// Reads the index as everybody else does, which get YAML.
    pub(crate) fn yaml_index(&self) -> Result<Reply, ureq::Error> {
        self.fetch("index.yaml")
    }
}

impl Index {
    pub(crate) fn parse(reply: &Reply) -> Result<Self, String> {
        if reply.status != 200 {
            return Err(format!("the index answers {}", reply.status));
        }
        let index: Value = serde_json::from_slice(&reply.body)
            .map_err(|error| format!("the index is no JSON: {error}"))?;
        let mut entries = BTreeMap::new();
        let charts = index["entries"]
            .as_object()
            .ok_or("the index has no entries")?;
        for (name, versions) in charts {
            for entry in versions
                .as_array()
                .ok_or("a chart's versions are no list")?
            {
                let text = |value: &Value| {
                    value
                        .as_str()
                        .map(str::to_owned)
                        .ok_or(format!("{entry} lacks a text"))
                };
                let version = (name.clone(), text(&entry["version"])?);
                let known = (text(&entry["digest"])?, text(&entry["urls"][0])?);
                if entries.insert(version.clone(), known).is_some() {
                    return Err(format!("{version:?} is listed twice"));
                }
            }
        }
        Ok(Self {
            generation: reply.generation,
            is_stale: !reply.header("X-Chartroom-Stale").is_empty(),
            entries,
        })
    }
}

/// The digest of an archive, as an index writes it.
pub(crate) fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn whole(mut response: Response<Body>) -> Result<Reply, ureq::Error> {
    let generation = response.headers().get("X-Chartroom-Generation");
    let generation = generation
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse().ok());
    Ok(Reply {
        status: response.status().as_u16(),
        generation,
        headers: response.headers().clone(),
        body: response
            .body_mut()
            .with_config()
            .limit(1 << 30)
            .read_to_vec()?,
    })
}
