//! What is asked of a server.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

use crate::archive::Archive;
use crate::server::{Server, agent};

/// What an index lists, by file: digest and time of the upload.
pub(crate) type Listing = BTreeMap<String, (String, String)>;

pub(crate) struct Client {
    agent: Agent,
    url: String,
}

impl Client {
    pub(crate) fn of(server: &Server) -> Self {
        Self {
            agent: agent(Duration::from_mins(1)),
            url: server.url().to_owned(),
        }
    }

    pub(crate) fn upload(&self, archive: &[u8]) -> u16 {
        let reply = self
            .agent
            .post(format!("{}/api/charts", self.url))
            .send(archive);
        reply.expect("a reply").status().as_u16()
    }

    pub(crate) fn delete(&self, path: &str) -> u16 {
        let reply = self.agent.delete(format!("{}{path}", self.url)).call();
        reply.expect("a reply").status().as_u16()
    }

    /// The body of a reply to a GET with this status.
    pub(crate) fn get(&self, path: &str, status: u16) -> Vec<u8> {
        let reply = self.agent.get(format!("{}{path}", self.url)).call();
        let mut reply = reply.expect("a reply");
        assert_eq!(reply.status().as_u16(), status, "{path}");
        reply.body_mut().read_to_vec().expect("a body")
    }

    /// The index and its generation.
    pub(crate) fn index(&self) -> (Listing, u64) {
        let request = self
            .agent
            .get(format!("{}/index.yaml", self.url))
            .header("User-Agent", "Helm/4.3.1");
        let mut reply = request.call().expect("a reply");
        assert_eq!(reply.status().as_u16(), 200);
        let generation = reply.headers()["X-Chartroom-Generation"].to_str();
        let generation = generation.unwrap().parse().unwrap();
        let body = reply.body_mut().read_to_vec().expect("a body");
        let index: Value = serde_json::from_slice(&body).expect("JSON");
        let entries = index["entries"].as_object().unwrap().values();
        let versions = entries.flat_map(|versions| versions.as_array().unwrap());
        let listing = versions.map(|version| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let file = text(&version["urls"][0]).replace("charts/", "");
            (file, (text(&version["digest"]), text(&version["created"])))
        });
        (listing.collect(), generation)
    }
}

/// An archive of a chart.
pub(crate) fn chart(name: &str, version: &str) -> Vec<u8> {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    Archive::default()
        .file(format!("{name}/Chart.yaml"), metadata)
        .tgz()
}
