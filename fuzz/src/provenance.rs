//! Provenance files.

use std::fmt::Write as _;

use chartroom::chart::{ChartVersion, Provenance};

use crate::values::quoted;

const BEGIN: &[u8] = b"-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n";
const SIGNATURE: &[u8] = b"\n-----BEGIN PGP SIGNATURE-----\n\nwsBc\n-----END PGP SIGNATURE-----\n";

/// Takes the bytes for a whole file and for the signed text of one.
pub fn run(bytes: &[u8]) {
    check(bytes);
    check(&[BEGIN, bytes, SIGNATURE].concat());
}

fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        assert!(Provenance::parse(bytes).is_err());
        return;
    };
    let parsed = Provenance::parse(bytes);
    // Mail programs change line ends.
    if !text.contains('\r') {
        let crlf = Provenance::parse(text.replace('\n', "\r\n").as_bytes());
        assert_eq!(crlf.as_ref().ok(), parsed.as_ref().ok());
    }
    let Ok(provenance) = parsed else {
        return;
    };
    assert!(!provenance.name.is_empty() && !provenance.files.is_empty());
    assert!(provenance.version.parse::<ChartVersion>().is_ok());
    if let Ok(file) = provenance.file_name() {
        let file = file.as_str();
        assert!(file.ends_with(".tgz.prov") && !file.starts_with('.') && !file.contains('/'));
    }
    let written = write(&provenance);
    let again = Provenance::parse(written.as_bytes());
    let again = again.unwrap_or_else(|error| panic!("{error}: {written}"));
    assert_eq!(again, provenance, "{written}");
}

fn write(provenance: &Provenance) -> String {
    let mut text = String::from_utf8_lossy(BEGIN).into_owned();
    let name = quoted(&provenance.name);
    let version = quoted(&provenance.version);
    let _ = write!(text, "name: {name}\nversion: {version}\n\n...\nfiles:\n");
    for (file, digest) in &provenance.files {
        let _ = writeln!(text, "  ? {}\n  : sha256:{digest}", quoted(file));
    }
    text + &String::from_utf8_lossy(SIGNATURE)
}
