//! Charts made on the spot.

use bytes::Bytes;

use crate::archive::Archive;

/// Packs a chart of a name and version; different `content` gives different bytes.
pub(crate) fn chart(name: &str, version: &str, content: &str) -> Bytes {
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    Archive::default()
        .file(format!("{name}/Chart.yaml"), metadata)
        .file(format!("{name}/values.yaml"), "replicas: 1\n")
        .file(format!("{name}/README.md"), content)
        .tgz()
        .into()
}
