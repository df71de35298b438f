//! Tar and gzip of unusual make, broken archives, and files that are no archives.

use tar::EntryType;

use super::letters;
use crate::archive::{Archive, gzip};
use crate::directory::Directory;

pub(super) fn directories() -> Vec<Directory> {
    vec![entries(), streams(), places()]
}

fn chart_yaml(letters: &str) -> String {
    format!("name: {letters}\nversion: 1.0.0\n")
}

/// Puts an archive that `make` writes for the chart of that name.
fn put(directory: &mut Directory, make: impl FnOnce(&str) -> Vec<u8>) {
    let letters = letters(directory.len());
    directory.put(format!("{letters}.tgz"), make(&letters));
}

/// Puts an archive with a good `Chart.yaml` and what `add` adds to it.
fn put_with(directory: &mut Directory, add: impl FnOnce(Archive) -> Archive) {
    put(directory, |letters| {
        add(Archive::default().file("c/Chart.yaml", chart_yaml(letters))).tgz()
    });
}

/// Names and types of entries.
fn entries() -> Directory {
    let mut directory = Directory::new("entries of tar archives");
    for place in [
        "c/Chart.yaml",
        "other/Chart.yaml",
        "./Chart.yaml",
        "./c/Chart.yaml",
        "c/./Chart.yaml",
        "c//Chart.yaml",
        "c/x/../Chart.yaml",
        "a/b/Chart.yaml",
        "Chart.yaml",
        "/Chart.yaml",
        "/c/Chart.yaml",
        "../Chart.yaml",
        "c/../Chart.yaml",
        "c/chart.yaml",
        "c/Chart.yml",
        "c/Chart.yaml/",
        "c\\Chart.yaml",
        "c\\x\\..\\Chart.yaml",
        "c/x\\Chart.yaml",
        "c\\/Chart.yaml",
        ".\\c\\Chart.yaml",
        " c /Chart.yaml",
        "ü/Chart.yaml",
        "Chart.yaml/Chart.yaml",
        "c:/Chart.yaml",
        "C:\\c\\Chart.yaml",
        "c/Chart.yaml ",
        "",
        ".",
        "c",
    ] {
        put(&mut directory, |letters| {
            Archive::default().file(place, chart_yaml(letters)).tgz()
        });
    }
    for (name, content) in [
        ("README.md", "x"),
        ("._c", "x"),
        ("c/../README.md", "x"),
        ("c/..foo", "x"),
        ("c/...", "x"),
        ("c//etc/passwd", "x"),
        ("c/c:/x", "x"),
        ("c/x:/y", "x"),
        ("c/xx:/y", "x"),
        ("c/", ""),
        ("c", "x"),
        ("other/values.yaml", "a: b"),
        ("other/values.yaml", "["),
        ("../x", "x"),
        ("/etc/passwd", "x"),
        ("c\\values.yaml", "["),
        ("c\\..\\x", "x"),
        ("c/x/../../y", "x"),
        ("Chart.yaml", "x"),
        ("c/Chart.yaml", "description: merged\n"),
        ("x/Chart.yaml", "description: merged\n"),
        ("c/./Chart.yaml", "keywords: [merged]\n"),
        ("c/a\nb", "x"),
        ("c/\u{202e}", "x"),
        ("c/x", ""),
        ("./c/README.md", "x"),
    ] {
        put_with(&mut directory, |archive| archive.file(name, content));
    }
    for kind in [
        EntryType::Directory,
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Fifo,
        EntryType::Char,
        EntryType::Block,
        EntryType::Continuous,
        EntryType::new(b'\0'),
        EntryType::new(b'Z'),
        EntryType::XGlobalHeader,
    ] {
        put_with(&mut directory, |archive| {
            archive.entry(kind, b"c/thing", b"")
        });
    }
    put(&mut directory, |_| {
        Archive::default()
            .entry(EntryType::Symlink, b"c/Chart.yaml", b"")
            .tgz()
    });
    put(&mut directory, |letters| {
        Archive::default()
            .entry(EntryType::Directory, b"c/", b"")
            .file("c/Chart.yaml", chart_yaml(letters))
            .tgz()
    });
    put(&mut directory, |letters| {
        Archive::default()
            .entry(EntryType::Directory, b"top", b"")
            .file("c/Chart.yaml", chart_yaml(letters))
            .tgz()
    });
    put(&mut directory, |letters| {
        Archive::default()
            .entry(EntryType::Directory, b"/", b"")
            .file("c/Chart.yaml", chart_yaml(letters))
            .tgz()
    });
    put(&mut directory, |letters| {
        Archive::default()
            .entry(
                EntryType::new(b'\0'),
                b"c/Chart.yaml",
                chart_yaml(letters).as_bytes(),
            )
            .tgz()
    });
    put(&mut directory, |letters| {
        Archive::default()
            .entry(
                EntryType::Continuous,
                b"c/Chart.yaml",
                chart_yaml(letters).as_bytes(),
            )
            .tgz()
    });
    put_with(&mut directory, |archive| {
        archive
            .file("c/values.yaml", "a: b")
            .file("c/values.yaml", "c: d")
    });
    long_names(&mut directory);
    directory
}

/// Long names by extensions of POSIX and of GNU, and global headers.
fn long_names(directory: &mut Directory) {
    let long = format!("c/{}/README.md", "folder".repeat(40));
    let record = |key: &str, value: &str| {
        let body = format!(" {key}={value}\n");
        let mut length = body.len();
        while format!("{length}{body}").len() != length {
            length += 1;
        }
        format!("{length}{body}")
    };
    let pax = |archive: Archive, records: &str, name: &str, content: &str| {
        archive
            .entry(EntryType::XHeader, b"PaxHeaders/x", records.as_bytes())
            .file(name, content)
    };
    put_with(directory, |archive| {
        pax(archive, &record("path", &long), "short", "x")
    });
    put(directory, |letters| {
        pax(
            Archive::default(),
            &record("path", "c/Chart.yaml"),
            "short",
            &chart_yaml(letters),
        )
        .tgz()
    });
    put(directory, |letters| {
        let records = record("mtime", "1700000000.123456789")
            + &record("comment", "é")
            + &record("SCHILY.xattr.user.x", "y");
        pax(
            Archive::default(),
            &records,
            "c/Chart.yaml",
            &chart_yaml(letters),
        )
        .tgz()
    });
    put_with(directory, |archive| {
        pax(archive, &record("path", "README.md"), "c/fine", "x")
    });
    put_with(directory, |archive| {
        pax(archive, &record("path", "c/../x"), "c/fine", "x")
    });
    put_with(directory, |archive| pax(archive, "junk", "c/fine", "x"));
    put_with(directory, |archive| {
        pax(archive, &record("path", ""), "c/fine", "x")
    });
    put(directory, |letters| {
        let archive = Archive::default().entry(
            EntryType::XGlobalHeader,
            b"pax_global_header",
            record("comment", "a commit").as_bytes(),
        );
        archive.file("c/Chart.yaml", chart_yaml(letters)).tgz()
    });
    put_with(directory, |archive| {
        archive
            .entry(
                EntryType::GNULongName,
                b"././@LongLink",
                format!("{long}\0").as_bytes(),
            )
            .file("short", "x")
    });
    put(directory, |letters| {
        Archive::default()
            .entry(EntryType::GNULongName, b"././@LongLink", b"c/Chart.yaml\0")
            .file("short", chart_yaml(letters))
            .tgz()
    });
    put_with(directory, |archive| {
        archive
            .entry(EntryType::GNULongLink, b"././@LongLink", b"target\0")
            .entry(EntryType::Symlink, b"c/link", b"")
    });
}

/// What lies around the entries: members, trailers, padding, junk.
fn streams() -> Directory {
    let mut directory = Directory::new("gzip streams");
    let tar = |letters: &str| {
        Archive::default()
            .file("c/Chart.yaml", chart_yaml(letters))
            .tar()
    };
    let tgz = |letters: &str| gzip(&tar(letters));
    // Several members, cut in a header, in a body and at a block.
    for cut in [0, 1, 100, 512, 520, 1024] {
        put(&mut directory, |letters| {
            let tar = tar(letters);
            let (first, second) = tar.split_at(cut);
            [gzip(first), gzip(second)].concat()
        });
    }
    put(&mut directory, |letters| {
        tar(letters).chunks(7).flat_map(gzip).collect()
    });
    put(&mut directory, |letters| {
        [tgz(letters), b"trailing junk".to_vec()].concat()
    });
    put(&mut directory, |letters| {
        [tgz(letters), vec![0; 600]].concat()
    });
    put(&mut directory, |letters| {
        [tgz(letters), tgz(letters)].concat()
    });
    put(&mut directory, |letters| {
        [b"junk".to_vec(), tgz(letters)].concat()
    });
    // Trailers: wrong checksum, wrong length, cut.
    put(&mut directory, |letters| {
        let mut bytes = tgz(letters);
        let at = bytes.len() - 8;
        bytes[at] ^= 0xff;
        bytes
    });
    put(&mut directory, |letters| {
        let mut bytes = tgz(letters);
        let at = bytes.len() - 1;
        bytes[at] ^= 0xff;
        bytes
    });
    for missing in [1, 4, 8, 9, 12, 20, 40] {
        put(&mut directory, |letters| {
            let bytes = tgz(letters);
            bytes[..bytes.len() - missing].to_vec()
        });
    }
    // Ends of the tar.
    for keep in [100, 511, 512, 520, 600, 1023, 1024, 1500, 1536, 2000] {
        put(&mut directory, |letters| {
            let tar = tar(letters);
            gzip(&tar[..keep.min(tar.len())])
        });
    }
    put(&mut directory, |letters| {
        gzip(&[tar(letters), vec![0; 10_240]].concat())
    });
    put(&mut directory, |letters| {
        gzip(&[tar(letters), b"junk after the end".to_vec()].concat())
    });
    put(&mut directory, |letters| {
        gzip(&[vec![0; 512], tar(letters)].concat())
    });
    put(&mut directory, |letters| {
        gzip(&[vec![0; 1024], tar(letters)].concat())
    });
    put(&mut directory, |letters| {
        let mut tar = tar(letters);
        tar[148] ^= 1;
        gzip(&tar)
    });
    // Headers of gzip: a name, a comment and an extra field, as helm writes them.
    put(&mut directory, |letters| {
        with_gzip_header(0x04 | 0x08 | 0x10, &tgz(letters))
    });
    put(&mut directory, |letters| {
        with_gzip_header(0x10, &tgz(letters))
    });
    put(&mut directory, |letters| {
        with_gzip_header(0x02, &tgz(letters))
    });
    // Nothing of use.
    for bytes in [
        &b""[..],
        b"junk",
        b"\x1f",
        b"\x1f\x8b",
        b"\x1f\x8b\x08",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
        b"BZh91AY&SY",
        b"\x28\xb5\x2f\xfd",
        b"PK\x03\x04",
        b"<html>",
        b"\x1f\x9d\x90",
        b"name: x\nversion: 1.0.0\n",
    ] {
        put(&mut directory, |_| bytes.to_vec());
    }
    put(&mut directory, tar);
    put(&mut directory, |_| gzip(b""));
    put(&mut directory, |_| gzip(b"junk"));
    put(&mut directory, |_| gzip(&[b'x'; 2048]));
    put(&mut directory, |_| Archive::default().tgz());
    put(&mut directory, |letters| gzip(&tgz(letters)));
    directory
}

/// The same stream below a gzip header with these flags.
fn with_gzip_header(flags: u8, tgz: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 0xff];
    if flags & 0x04 != 0 {
        bytes.extend([3, 0]);
        bytes.extend(b"+aH");
    }
    if flags & 0x08 != 0 {
        bytes.extend(b"name.tar\0");
    }
    if flags & 0x10 != 0 {
        bytes.extend(b"Helm\0");
    }
    if flags & 0x02 != 0 {
        bytes.extend([0, 0]);
    }
    bytes.extend(&tgz[10..]);
    bytes
}

/// Which files are looked at: suffixes, folders, dots, links.
fn places() -> Directory {
    let mut directory = Directory::new("places of files");
    for (number, path) in [
        "plain.tgz",
        "sub/inside.tgz",
        "sub/deeper/too-deep.tgz",
        "upper.TGZ",
        "long.tar.gz",
        ".hidden.tgz",
        ".hid/inside.tgz",
        "zsub/inside.tgz",
        "nosuffix",
        "almost.tgz.prov",
        "two.tgz.tgz",
        "UPPER.tgz",
        "0digit.tgz",
        "sub-1.tgz",
        "charts/inside.tgz",
        "index.yaml.tgz",
    ]
    .iter()
    .enumerate()
    {
        let letters = letters(number);
        directory.put(
            *path,
            Archive::default()
                .file("c/Chart.yaml", chart_yaml(&letters))
                .tgz(),
        );
        // One chart in all of them shows their order.
        if path.ends_with(".tgz") && !path.contains("too-deep") {
            let second = path.replace(".tgz", "-also.tgz");
            directory.put(
                second,
                Archive::default()
                    .file(
                        "c/Chart.yaml",
                        format!("name: order\nversion: 1.0.0\ndescription: {path}\n"),
                    )
                    .tgz(),
            );
        }
    }
    directory.link("link.tgz", "plain.tgz");
    directory.link("broken.tgz", "nowhere");
    directory.link("linked-folder", "sub");
    directory.put("index.yaml", b"left over: [".to_vec());
    directory.put("junk.txt", b"junk".to_vec());
    directory
}

/// What helm v3.22 and v4.3 treat differently.
pub(super) fn disputed() -> Vec<Directory> {
    let mut large = Directory::new("a file of more than 5 MiB in an archive");
    for (name, size) in [("exact", 5 << 20), ("more", (5 << 20) + 1)] {
        let archive = Archive::default()
            .file("c/Chart.yaml", chart_yaml(name))
            .file("c/large.bin", vec![0; size]);
        large.put(format!("{name}.tgz"), archive.tgz());
    }
    let mut documents = Directory::new("a second document in values.yaml that is no mapping");
    let archive = Archive::default()
        .file("c/Chart.yaml", chart_yaml("values"))
        .file("c/values.yaml", "a: b\n---\n[]\n");
    documents.put("values.tgz", archive.tgz());
    vec![large, documents]
}

/// A folder that the globs find: helm v3 lists it with the digest of nothing, helm v4 fails.
pub(super) fn folder() -> Directory {
    let mut folder = Directory::new("a folder called like an archive, with a chart in it");
    folder.put(
        "folder.tgz/Chart.yaml",
        b"name: folder\nversion: 1.0.0\n".to_vec(),
    );
    folder.put_chart("fine", "name: fine\nversion: 1.0.0\n");
    folder
}
