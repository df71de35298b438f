//! Those who ask: helm, and who uploads.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cases;
use crate::server::{Server, agent};
use crate::tools::Helm;

const PATIENCE: Duration = Duration::from_mins(1);

/// Launches a server with a storage of its own.
pub(crate) fn serve(place: &Path, name: &str, ring: &Path, rule: &str) -> Server {
    let storage = place.join(format!("storage-{name}"));
    std::fs::create_dir_all(&storage).expect("a folder is made");
    let ring = ring.to_string_lossy();
    let options = ["--provenance", rule, "--keyring", &*ring];
    Server::start(&storage, &options, &place.join(format!("{name}.log")))
}

/// What the server answered to an upload.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) verification: String,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn is_taken(&self) -> bool {
        assert!(
            [201, 400].contains(&self.status),
            "{} {}",
            self.status,
            self.text
        );
        self.status == 201
    }
}

/// Uploads the archive with a provenance, in place of the one before.
pub(crate) fn post(server: &Server, provenance: &[u8]) -> Reply {
    let mut form = Vec::new();
    for (field, file) in [("chart", &cases::archive()[..]), ("prov", provenance)] {
        let head = format!(
            "--x\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{field}\"\r\n\r\n"
        );
        form.extend_from_slice(head.as_bytes());
        form.extend_from_slice(file);
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(b"--x--\r\n");
    send(
        server,
        "/api/charts?force",
        "multipart/form-data; boundary=x",
        &form,
    )
}

/// Sends a body.
pub(crate) fn send(server: &Server, path: &str, media_type: &str, body: &[u8]) -> Reply {
    let reply = agent(PATIENCE)
        .post(&format!("{}{path}", server.url()))
        .header("content-type", media_type)
        .send(body)
        .expect("the server answers");
    let verification = reply.headers().get("x-chartroom-provenance");
    let verification = verification.map(|value| value.to_str().expect("a word").to_owned());
    Reply {
        status: reply.status().as_u16(),
        verification: verification.unwrap_or_default(),
        text: reply.into_body().read_to_string().expect("a text"),
    }
}

/// Runs helm, and returns whether it succeeded and what it said.
pub(crate) fn helm(helm: &Helm, home: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(&helm.path)
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .envs(env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", home)
        .output()
        .expect("helm starts");
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    (output.status.success(), said.concat())
}
