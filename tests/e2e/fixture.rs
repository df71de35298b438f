//! Charts and a throw-away key to sign one of them with.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::tools::Helm;

/// Who signs.
const SIGNER: &str = "chartroom test";

/// Packaged charts, the source of one more, and the public key.
#[derive(Debug)]
pub(crate) struct Fixture {
    scratch: TempDir,
}

impl Fixture {
    /// Packages `app` (1.0.0 and 1.1.0+build.5) and the signed `sealed` (2.0.0) with a real helm.
    pub(crate) fn new(helm: &Helm) -> Self {
        let scratch = tempfile::Builder::new()
            .prefix("cr-e2e-")
            .tempdir()
            .expect("a temporary directory");
        let fixture = Self { scratch };
        for (name, version) in [
            ("app", "1.0.0"),
            ("app", "1.1.0+build.5"),
            ("sealed", "2.0.0"),
        ] {
            write_chart(
                &fixture.path().join(format!("source-{version}")).join(name),
                name,
                version,
            );
        }
        fixture.make_key();
        fixture.helm(helm, &["package", "source-1.0.0/app"]);
        fixture.helm(helm, &["package", "source-1.1.0+build.5/app"]);
        let sign = [
            "package",
            "source-2.0.0/sealed",
            "--sign",
            "--key",
            SIGNER,
            "--keyring",
            "secret.gpg",
        ];
        fixture.helm(helm, &sign);
        fixture
    }

    /// The folder that holds everything.
    pub(crate) fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Makes a key without a passphrase, and keyrings in the old binary form that helm v3 reads.
    fn make_key(&self) {
        let home = self.path().join("gnupg");
        fs::create_dir(&home).expect("a folder is made");
        run(Command::new("chmod").arg("700").arg(&home));
        let gpg = |arguments: &[&str]| {
            let mut command = Command::new("gpg");
            command.args([
                "--batch",
                "--quiet",
                "--pinentry-mode",
                "loopback",
                "--passphrase",
                "",
            ]);
            run(command.args(arguments).env("GNUPGHOME", &home));
        };
        let _agent = Agent(home.clone());
        gpg(&[
            "--quick-generate-key",
            &format!("{SIGNER} <test@example.com>"),
            "rsa2048",
            "default",
            "never",
        ]);
        let secret = self.path().join("secret.gpg");
        let public = self.path().join("public.gpg");
        gpg(&[
            "--output",
            &secret.to_string_lossy(),
            "--export-secret-keys",
            SIGNER,
        ]);
        gpg(&["--output", &public.to_string_lossy(), "--export", SIGNER]);
    }

    fn helm(&self, helm: &Helm, arguments: &[&str]) {
        let mut command = Command::new(&helm.path);
        command
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path());
        run(command
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .args(arguments));
    }
}

/// The agent that gpg leaves behind, which serves one home only.
struct Agent(PathBuf);

impl Drop for Agent {
    fn drop(&mut self) {
        // It ends by itself too when its home is gone.
        let _ = Command::new("gpgconf")
            .arg("--homedir")
            .arg(&self.0)
            .args(["--kill", "gpg-agent"])
            .status();
    }
}

/// Writes the source of a chart that renders one config map.
pub(crate) fn write_chart(folder: &Path, name: &str, version: &str) {
    let files = [
        (
            "Chart.yaml",
            format!("apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"1.10\"\ndescription: \"Chart: {name}, ünïcode 😀\"\n"),
        ),
        ("values.yaml", format!("greeting: hello from {name}\n")),
        ("README.md", format!("# {name}\n\nRead me, {version}.\n")),
        (
            "templates/configmap.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  greeting: {{ .Values.greeting }}\n".to_owned(),
        ),
    ];
    fs::create_dir_all(folder.join("templates")).expect("a folder is made");
    for (file, content) in files {
        fs::write(folder.join(file), content).expect("a file is written");
    }
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
