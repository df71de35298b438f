//! The table: archives and provenance files, and what everybody has to say to them.

use std::fmt::Write as _;

use chartroom::chart::Digest;

use crate::archive::Archive;
use crate::keys::{Keys, Pen, in_2020, in_2040, pen};

/// What there is to be verified.
pub(crate) struct Case {
    /// What is special.
    pub(crate) name: &'static str,
    /// The provenance file.
    pub(crate) provenance: Vec<u8>,
    /// What is to come of it.
    pub(crate) expected: Expected,
}

/// The verdicts that are expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    /// All take it.
    Taken,
    /// All refuse it.
    Refused,
    /// Helm takes it and chartroom does not, for this reason.
    Stricter(&'static str),
    /// As `Stricter`, but helm v4 alone takes it.
    StricterThan4(&'static str),
}

/// The archive of every case.
pub(crate) const FILE: &str = "sealed-1.0.0.tgz";

pub(crate) fn archive() -> Vec<u8> {
    let chart = "apiVersion: v2\nname: sealed\nversion: 1.0.0\n";
    Archive::default().file("sealed/Chart.yaml", chart).tgz()
}

/// Returns what helm signs.
fn text(metadata: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut text = format!("{metadata}\n...\nfiles:\n");
    for (name, digest) in files {
        let _ = writeln!(text, "  {name}: {digest}");
    }
    text.into_bytes()
}

const METADATA: &str = "apiVersion: v2\nname: sealed\nversion: 1.0.0\n";
const GUARDED: &str = "the provenance of a chart is stored by the name and version in it, and has to be that of its archive";
const SHA_1: &str = "a signature over SHA-1 can be forged (RFC 9580, 9.5)";
const CURVE: &str =
    "the OpenPGP library does not have the curve, or not every signature on it (secp256k1)";
const LENGTH: &str = "what is not a whole packet is not read";
const SIZE: &str = "a provenance file has at most 2 MiB";
const YAML: &str = "a provenance file is YAML, as helm v3 has it too";
const DIGESTS: &str = "a provenance file lists SHA-256 digests only";

/// Returns a provenance as helm signs it.
pub(crate) fn good(keys: &Keys) -> Vec<u8> {
    keys.sign(&plain(), pen("rsa2048"))
}

fn plain() -> Vec<u8> {
    text(METADATA, &[(FILE, &digest())])
}

fn digest() -> String {
    format!("sha256:{}", Digest::of(&archive()))
}

/// Returns the cases. Those of revoked keys are signed before the keys are revoked.
pub(crate) fn cases(keys: &Keys) -> Vec<Case> {
    let plain = plain();
    let mut cases = by_keys(keys, &plain);
    cases.extend(by_text(keys, &digest()));
    cases.extend(by_armor(keys, &plain));
    cases
}

fn by_keys(keys: &Keys, plain: &[u8]) -> Vec<Case> {
    use Expected::{Refused, Stricter, Taken};
    let sha1 = Pen {
        key: "rsa2048",
        options: &["--digest-algo", "SHA1"],
    };
    let md5 = Pen {
        key: "rsa2048",
        options: &["--digest-algo", "MD5"],
    };
    let sha224 = Pen {
        key: "rsa2048",
        options: &["--digest-algo", "SHA224"],
    };
    let sha384 = Pen {
        key: "rsa2048",
        options: &["--digest-algo", "SHA384"],
    };
    let ripe = Pen {
        key: "rsa2048",
        options: &["--digest-algo", "RIPEMD160"],
    };
    let brief = Pen {
        key: "old",
        options: &[
            "--faked-system-time",
            "20200102T000000!",
            "--default-sig-expire",
            "1d",
        ],
    };
    let notation = Pen {
        key: "rsa2048",
        options: &["--sig-notation", "a@example.com=x"],
    };
    let demand = Pen {
        key: "rsa2048",
        options: &["--sig-notation", "!a@example.com=x"],
    };
    [
        ("RSA 2048", pen("rsa2048"), Taken),
        ("RSA 4096", pen("rsa4096"), Taken),
        ("RSA 1024", pen("rsa1024"), Taken),
        ("Ed25519", pen("ed25519"), Taken),
        ("P-256", pen("nistp256"), Taken),
        ("P-384", pen("nistp384"), Taken),
        ("P-521", pen("nistp521"), Taken),
        ("secp256k1", pen("secp256k1"), Stricter(CURVE)),
        ("brainpool P-256", pen("brainpool"), Stricter(CURVE)),
        ("a key that is not in the ring", pen("stranger"), Refused),
        ("an old key, signed in 2020", in_2020("old"), Taken),
        (
            "an expired key, signed in time",
            in_2020("expired"),
            Refused,
        ),
        ("an expired signature", brief, Refused),
        ("a signature from the future", in_2040("rsa2048"), Refused),
        ("a revoked key", pen("revoked"), Refused),
        ("a compromised key", pen("compromised"), Refused),
        ("a subkey", pen("master"), Taken),
        ("an expired subkey", in_2020("worn"), Refused),
        ("a revoked subkey", pen("shed"), Refused),
        ("SHA-1", sha1, Stricter(SHA_1)),
        ("SHA-224", sha224, Taken),
        ("SHA-384", sha384, Taken),
        ("MD5", md5, Refused),
        ("RIPEMD-160", ripe, Refused),
        ("a notation", notation, Taken),
        ("a notation that must be understood", demand, Refused),
    ]
    .into_iter()
    .map(|(name, pen, expected)| Case {
        name,
        provenance: keys.sign(plain, pen),
        expected,
    })
    .collect()
}

fn by_text(keys: &Keys, digest: &str) -> Vec<Case> {
    use Expected::{Refused, Stricter, StricterThan4, Taken};
    let own = (FILE, digest);
    let zeros = format!("sha256:{}", "0".repeat(64));
    let upper = format!("sha256:{}", digest["sha256:".len()..].to_uppercase());
    let bare = digest["sha256:".len()..].to_owned();
    // GnuPG cuts long lines.
    let lines = |bytes: usize| "  0123456789abcdef 0123456789abcd\n".repeat(bytes / 32);
    let large = format!("{METADATA}description: |\n{}", lines(1 << 20));
    let huge = format!("{METADATA}description: |\n{}", lines(3 << 20));
    let other = |metadata: &str| text(metadata, &[own]);
    let three = [&text(METADATA, &[own])[..], b"...\nfiles: {}\n"].concat();
    let separator = text(METADATA, &[own]);
    let separator = String::from_utf8(separator)
        .expect("a text")
        .replace("\n...\n", "\n---\n");
    let dashes = format!("{METADATA}description: |-\n  - a\n  b  \nkeywords:\n- one\n- two\n");
    [
        ("dashes and spaces at line ends", other(&dashes), Taken),
        (
            "two files",
            text(METADATA, &[("other-1.0.0.tgz", &zeros), own]),
            Taken,
        ),
        (
            "a file with another kind of digest",
            text(METADATA, &[("other", "sha512:0"), own]),
            Stricter(DIGESTS),
        ),
        (
            "the digest of another archive",
            text(METADATA, &[(FILE, &zeros)]),
            Refused,
        ),
        (
            "a digest in upper case",
            text(METADATA, &[(FILE, &upper)]),
            Refused,
        ),
        (
            "a digest without its kind",
            text(METADATA, &[(FILE, &bare)]),
            Refused,
        ),
        (
            "another file name",
            text(METADATA, &[("other-1.0.0.tgz", digest)]),
            Refused,
        ),
        (
            "a path before the file name",
            text(METADATA, &[("./sealed-1.0.0.tgz", digest)]),
            Refused,
        ),
        ("no files", text(METADATA, &[]), Refused),
        (
            "another name",
            other("name: other\nversion: 1.0.0\n"),
            Stricter(GUARDED),
        ),
        (
            "another version",
            other("name: sealed\nversion: 1.0.1\n"),
            Stricter(GUARDED),
        ),
        ("no name", other("version: 1.0.0\n"), Stricter(GUARDED)),
        (
            "metadata that is no YAML",
            other("name: ]\n"),
            StricterThan4(YAML),
        ),
        ("a third part", three, Taken),
        ("another separator", separator.into_bytes(), Refused),
        ("1 MiB of metadata", other(&large), Taken),
        ("3 MiB of metadata", other(&huge), Stricter(SIZE)),
    ]
    .into_iter()
    .map(|(name, text, expected)| Case {
        name,
        provenance: keys.sign(&text, pen("rsa2048")),
        expected,
    })
    .collect()
}

#[expect(clippy::too_many_lines, reason = "it is a table")]
fn by_armor(keys: &Keys, plain: &[u8]) -> Vec<Case> {
    use Expected::{Refused, Stricter, Taken};
    let signed = keys.sign(plain, pen("rsa2048"));
    let signed = String::from_utf8(signed).expect("gpg writes a text");
    let by_stranger = keys.sign(plain, pen("stranger"));
    let by_stranger = String::from_utf8(by_stranger).expect("gpg writes a text");
    let twice = |first, second| {
        let signed = keys.sign_twice(plain, first, second);
        String::from_utf8(signed).expect("gpg writes a text")
    };
    let letters = signed.rfind("\n=").expect("gpg writes a checksum");
    let (before, checksum) = signed.split_at(letters);
    let (head, tail) = before.split_at(before.len() - 40);
    let other = if tail.starts_with('A') { "B" } else { "A" };
    let tampered = format!("{head}{other}{}{checksum}", &tail[1..]);
    let cut = signed
        .find("-----BEGIN PGP SIGNATURE")
        .expect("it is there");
    [
        ("as it is", signed.clone(), Taken),
        ("CRLF", signed.replace('\n', "\r\n"), Taken),
        (
            "spaces at line ends",
            signed.replace("1.0.0\n", "1.0.0 \t\n"),
            Taken,
        ),
        (
            "a tampered text",
            signed.replace("apiVersion: v2", "apiVersion: v1"),
            Refused,
        ),
        ("a tampered signature", tampered, Refused),
        (
            "a wrong length of the signature",
            signed.replacen("\niQ", "\niR", 1),
            Stricter(LENGTH),
        ),
        ("text before", format!("Hello.\n\n{signed}"), Taken),
        (
            "text on the first line",
            format!("Hello. {signed}"),
            Refused,
        ),
        ("text behind", format!("{signed}\nBye.\n"), Taken),
        (
            "a second message behind",
            format!("{signed}{by_stranger}"),
            Taken,
        ),
        (
            "a stranger's message first",
            format!("{by_stranger}{signed}"),
            Refused,
        ),
        ("two signatures", twice("rsa2048", "ed25519"), Taken),
        (
            "a stranger's signature too",
            twice("stranger", "ed25519"),
            Taken,
        ),
        (
            "an expired key's signature first",
            {
                // The first known signature decides: made apart and put together.
                join(
                    &keys.sign(plain, in_2020("expired")),
                    &keys.sign(plain, pen("ed25519")),
                )
            },
            Refused,
        ),
        (
            "no checksum",
            format!("{before}\n-----END PGP SIGNATURE-----\n"),
            Taken,
        ),
        (
            "a wrong checksum",
            signed.replace(&checksum[..6], "\n=AAAA"),
            Taken,
        ),
        (
            "a damaged letter",
            format!(
                "{}*{}",
                &before[..before.len() - 9],
                &signed[before.len() - 8..]
            ),
            Refused,
        ),
        (
            "another header",
            signed.replace("Hash: SHA512", "Hash: SHA512\nComment: x"),
            Refused,
        ),
        ("no header", signed.replace("Hash: SHA512\n", ""), Taken),
        (
            "a header of another hash",
            signed.replace("Hash: SHA512", "Hash: MD5"),
            Taken,
        ),
        (
            "a header of no hash",
            signed.replace("Hash: SHA512", "Hash: SHA9"),
            Refused,
        ),
        (
            "a header in the armor",
            signed.replace("SIGNATURE-----\n\n", "SIGNATURE-----\nVersion: 1\n\n"),
            Taken,
        ),
        (
            "no empty line in the armor",
            signed.replace("SIGNATURE-----\n\n", "SIGNATURE-----\n"),
            Refused,
        ),
        (
            "a space behind the first line",
            signed.replacen("MESSAGE-----", "MESSAGE----- ", 1),
            Refused,
        ),
        (
            "no end",
            signed.replace("-----END PGP SIGNATURE-----", ""),
            Refused,
        ),
        (
            "cut off in the signature",
            before[..before.len() - 100].to_owned(),
            Refused,
        ),
        (
            "cut off in the text",
            signed[..cut - 10].to_owned(),
            Refused,
        ),
        (
            "a signature that is cut off",
            format!(
                "{}\n-----END PGP SIGNATURE-----\n",
                &before[..before.len() - 100]
            ),
            Refused,
        ),
        (
            "no armor",
            String::from_utf8(plain.to_vec()).expect("a text"),
            Refused,
        ),
        (
            "no text",
            signed.replace(std::str::from_utf8(plain).expect("a text"), ""),
            Refused,
        ),
        ("empty", String::new(), Refused),
        ("a zero byte", format!("{signed}\0"), Taken),
        (
            "another kind of armor",
            signed.replace("PGP SIGNED MESSAGE", "PGP MESSAGE"),
            Refused,
        ),
    ]
    .into_iter()
    .map(|(name, provenance, expected)| Case {
        name,
        provenance: provenance.into_bytes(),
        expected,
    })
    .collect()
}

/// Returns the text of both, with the signatures of one after the other.
fn join(first: &[u8], second: &[u8]) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let packets = |message: &[u8]| {
        let message = String::from_utf8(message.to_vec()).expect("gpg writes a text");
        let (_, armor) = message
            .split_once("SIGNATURE-----\n\n")
            .expect("there is a signature");
        let letters: String = armor
            .lines()
            .take_while(|line| !line.starts_with('='))
            .collect();
        STANDARD.decode(letters).expect("gpg writes base64")
    };
    let both = STANDARD.encode([packets(first), packets(second)].concat());
    let lines: Vec<&str> = both
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("base64"))
        .collect();
    let text = String::from_utf8(first.to_vec()).expect("gpg writes a text");
    let (text, _) = text
        .split_once("-----BEGIN PGP SIGNATURE")
        .expect("there is a signature");
    let lines = lines.join("\n");
    format!("{text}-----BEGIN PGP SIGNATURE-----\n\n{lines}\n-----END PGP SIGNATURE-----\n")
}
