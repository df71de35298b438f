//! Archives of the size and shape of those in public repositories: a hundred versions of each chart.

use std::fmt::Write as _;

use crate::archive::Archive;

/// Makes the archive number `number`.
pub(crate) fn archive(number: usize) -> Vec<u8> {
    let (chart, version) = (number / 100, number % 100);
    let name = format!("application-{chart}");
    let metadata = format!(
        "apiVersion: v2\nname: {name}\nversion: 1.{version}.0\nappVersion: 2.{version}.1\n\
         description: A Helm chart that installs application {chart} with everything that it needs\n\
         type: application\nkubeVersion: \">=1.24.0-0\"\nhome: https://example.com/{name}\n\
         icon: https://example.com/{name}/icon.svg\nkeywords:\n- application\n- database\n- operator\n\
         maintainers:\n- name: Jo Maintainer\n  email: jo@example.com\nsources:\n- https://example.com/{name}/source\n\
         annotations:\n  category: Infrastructure\n  licenses: Apache-2.0\n\
         dependencies:\n- name: common\n  repository: https://example.com/charts\n  version: 2.x.x\n"
    );
    let mut values = String::new();
    for line in 0..80 {
        let value = (line * 7919 + number) % 997;
        writeln!(values, "key{line}: value {value}").unwrap();
    }
    Archive::default()
        .file(format!("{name}/Chart.yaml"), metadata)
        .file(format!("{name}/values.yaml"), values)
        .file(
            format!("{name}/templates/deployment.yaml"),
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n",
        )
        .tgz()
}
