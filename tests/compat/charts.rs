//! Charts to upload.

use crate::archive::Archive;

/// The smallest chart: a `Chart.yaml` with the three fields that it must have.
pub(crate) fn chart(name: &str, version: &str) -> Vec<u8> {
    with_metadata(&format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\n"
    ))
}

/// Another archive of the same name and version.
pub(crate) fn other_chart(name: &str, version: &str) -> Vec<u8> {
    with_metadata(&format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\ndescription: another\n"
    ))
}

/// A chart with this `Chart.yaml`.
pub(crate) fn with_metadata(chart_yaml: &str) -> Vec<u8> {
    Archive::default().file("c/Chart.yaml", chart_yaml).tgz()
}

/// A chart with every field of a `Chart.yaml`, templates and values.
pub(crate) fn rich_chart(name: &str, version: &str) -> Vec<u8> {
    let metadata = format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\nhome: https://example.com/<x>\n\
         sources:\n- https://example.com/a&b\ndescription: One <b> & two\nkeywords:\n- web\n- 'yes'\n\
         maintainers:\n- name: Ann\n  email: ann@example.com\n  url: https://ann.example.com\n\
         icon: https://example.com/i.png\ncondition: a.enabled\ntags: a,b\nappVersion: 1.10\n\
         deprecated: true\nannotations:\n  k2: v\n  k1: 'true'\nkubeVersion: '>=1.20'\n\
         dependencies:\n- name: dep\n  version: 1.x\n  repository: https://example.com/charts\n\
         \x20 condition: dep.enabled\n  tags:\n  - t\n  alias: other\ntype: application\nunknown: x\n"
    );
    Archive::default()
        .file(format!("{name}/Chart.yaml"), metadata)
        .file(format!("{name}/values.yaml"), VALUES)
        .file(format!("{name}/templates/b.yaml"), "kind: <B> & co\n")
        .file(format!("{name}/templates/a.txt"), "a")
        .file(format!("{name}/templates/sub/c.yaml"), "c: 1\n")
        .file(format!("{name}/README.md"), "# no template\n")
        .tgz()
}

/// The `values.yaml` of [`rich_chart`].
pub(crate) const VALUES: &str = "# a comment\nreplicas: 2\nimage:\n  tag: \"<1.10>\"\n";

/// A provenance file as `helm package --sign` writes it, but with a signature of nothing.
pub(crate) fn provenance(name: &str, version: &str) -> Vec<u8> {
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\napiVersion: v2\nname: {name}\nversion: {version}\n\n...\n\
         files:\n  {name}-{version}.tgz: sha256:{}\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n",
        "0".repeat(64)
    )
    .into_bytes()
}
