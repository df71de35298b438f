//! Provenance files made on the spot. Nobody checks their signatures.

use bytes::Bytes;
use chartroom::chart::Digest;
use chartroom_storage::Key;

/// What `helm package --sign` writes beside an archive of these bytes.
pub(crate) fn of(name: &str, version: &str, archive: &[u8]) -> Bytes {
    naming(name, version, &format!("{name}-{version}.tgz"), archive)
}

/// The same, with another file name in it.
pub(crate) fn naming(name: &str, version: &str, file: &str, archive: &[u8]) -> Bytes {
    let digest = Digest::of(archive);
    format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nname: {name}\nversion: {version}\n\n...\n\
         files:\n  {file}: sha256:{digest}\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----\n",
    )
    .into()
}

pub(crate) fn key(version: &str) -> Key {
    Key::parse(&format!("app-{version}.tgz.prov")).unwrap()
}
