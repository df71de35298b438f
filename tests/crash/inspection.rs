//! Looks at everything that a server serves after a restart.

use std::collections::BTreeSet;

use crate::belief::Beliefs;
use crate::client::{Client, digest};

/// Compares a server with all that was acknowledged, and its index with its objects.
///
/// Returns the generation, or what is wrong.
pub(crate) fn inspect<'a>(
    client: &Client,
    beliefs: impl Iterator<Item = &'a mut Beliefs>,
    generation_before: u64,
) -> Result<u64, String> {
    let lost = |error: ureq::Error| format!("a server that nobody killed does not answer: {error}");
    let index = client.index_at_least(generation_before).map_err(lost)??;
    let generation = index
        .generation
        .ok_or("the index comes without a generation")?;
    if generation < generation_before {
        return Err(format!(
            "the generation went back from {generation_before} to {generation}"
        ));
    }

    // Both formats are of one repository.
    let yaml = client.yaml_index().map_err(lost)?;
    let text = String::from_utf8(yaml.body).map_err(|error| format!("the YAML index: {error}"))?;
    let mut in_yaml: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("digest: "))
        .collect();
    let mut in_json: Vec<&str> = index
        .entries
        .values()
        .map(|(digest, _)| digest.as_str())
        .collect();
    in_yaml.sort_unstable();
    in_json.sort_unstable();
    if in_yaml
        .iter()
        .map(|digest| digest.trim_matches('"'))
        .ne(in_json)
    {
        return Err("the YAML index and the JSON index list different digests".to_owned());
    }

    let mut expected = BTreeSet::new();
    for beliefs in beliefs {
        for version in beliefs.versions() {
            let listed = index.entries.get(&version);
            beliefs.observe(&version, &listed.map(|(digest, _)| digest.clone()))?;
            if let Some((listed, url)) = listed {
                let reply = client.fetch(url).map_err(lost)?;
                if reply.status != 200 || digest(&reply.body) != *listed {
                    return Err(format!(
                        "{version:?} is listed with {listed}, and its download answers {} with {} bytes",
                        reply.status,
                        reply.body.len()
                    ));
                }
            } else if beliefs.is_gone(&version) {
                let reply = client.download(&version).map_err(lost)?;
                if reply.status != 404 {
                    return Err(format!(
                        "{version:?} was deleted, and its download answers {}",
                        reply.status
                    ));
                }
            }
            expected.insert(version);
        }
    }
    match index
        .entries
        .keys()
        .find(|version| !expected.contains(version))
    {
        Some(version) => Err(format!("{version:?} is listed, and nobody sent it")),
        None => Ok(generation),
    }
}
