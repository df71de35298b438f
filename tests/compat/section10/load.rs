//! Many clients at once (10.2: 11 to 13, 15, 24), against the real program with real threads.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::archive::Archive;
use crate::charts::{chart, other_chart};
use crate::subject::{Program, Subject};
use crate::wire::Ask;

/// A folder for the storage, in a scratch directory.
fn storage(scratch: &tempfile::TempDir) -> std::path::PathBuf {
    let storage = scratch.path().join("storage");
    std::fs::create_dir(&storage).expect("a folder is made");
    storage
}

fn start(storage: &Path, options: &[&str]) -> Subject {
    Program::under_test().over(storage, options)
}

/// Every version of a list, which must not have one twice.
fn versions(list: &Value) -> BTreeSet<(String, String)> {
    let mut found = BTreeSet::new();
    for (name, versions) in list.as_object().expect("a map") {
        for version in versions.as_array().expect("a list") {
            let key = (
                name.clone(),
                version["version"].as_str().expect("a text").to_owned(),
            );
            assert!(found.insert(key.clone()), "{key:?} is listed twice");
        }
    }
    found
}

/// As it kills ChartMuseum: "fatal error: concurrent map iteration and map write".
#[test]
fn lists_stay_whole_while_new_names_are_uploaded() {
    const CHARTS: usize = 200;
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let server = start(&storage(&scratch), &[]);
    let is_over = AtomicBool::new(false);
    let lists = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut seen = BTreeSet::new();
                while !is_over.load(Ordering::Acquire) {
                    let reply = server.get("/api/charts");
                    assert_eq!(reply.status, 200, "{reply}");
                    let listed = versions(&reply.json());
                    assert!(listed.is_superset(&seen), "something is listed no more");
                    seen = listed;
                    lists.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // A panic here must not leave the readers running.
        let upload = || {
            for number in 0..CHARTS {
                let reply = server.try_ask(&Ask::post(
                    "/api/charts",
                    chart(&format!("c{number}"), "1.0.0"),
                ));
                match reply {
                    Ok(reply) if reply.status == 201 => {}
                    other => return Err(format!("upload {number}: {other:?}")),
                }
            }
            Ok(())
        };
        let uploaded = upload();
        is_over.store(true, Ordering::Release);
        uploaded.unwrap_or_else(|error| panic!("{error}\n{}", server.said()));
    });
    assert_eq!(versions(&server.get("/api/charts").json()).len(), CHARTS);
    assert!(lists.load(Ordering::Relaxed) > 10, "nobody read meanwhile");
    assert!(!server.said().contains("panicked"), "{}", server.said());
}

#[test]
fn of_uploads_of_one_version_at_once_exactly_one_is_taken() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let server = start(&storage(&scratch), &[]);
    for number in 0..20 {
        let version = format!("{number}.0.0");
        let archives = [chart("one", &version), other_chart("one", &version)];
        let replies = thread::scope(|scope| {
            let uploads = archives.each_ref().map(|archive| {
                scope.spawn(|| server.ask(&Ask::post("/api/charts", archive.clone())))
            });
            uploads.map(|upload| upload.join().expect("no panic"))
        });
        let mut statuses = replies.each_ref().map(|reply| reply.status);
        let winner = statuses.iter().position(|status| *status == 201);
        let winner = winner.unwrap_or_else(|| panic!("nobody won: {statuses:?}"));
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{version}");
        let stored = server.get(&format!("/charts/one-{version}.tgz"));
        assert_eq!(stored.body, archives[winner], "{version}: not the winner's");
    }
}

/// In ChartMuseum whoever reads an index slowly holds every upload of every tenant.
#[test]
fn a_reader_who_does_not_read_holds_up_nobody() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = storage(&scratch);
    // Some megabytes: more than the buffers of a socket.
    let long = "x".repeat(200_000);
    for number in 0..40 {
        let metadata =
            format!("apiVersion: v2\nname: big\nversion: {number}.0.0\ndescription: {long}\n");
        let archive = Archive::default().file("c/Chart.yaml", metadata).tgz();
        std::fs::write(storage.join(format!("big-{number}.0.0.tgz")), archive)
            .expect("a file is written");
    }
    let server = start(&storage, &[]);
    let mut slow: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).expect("a connection");
            let request = "GET /index.yaml HTTP/1.1\r\nHost: localhost\r\n\r\n";
            stream.write_all(request.as_bytes()).expect("it is sent");
            // The reply has begun.
            stream.read_exact(&mut [0; 100]).expect("a reply");
            stream
        })
        .collect();
    for number in 0..10 {
        let version = format!("{number}.0.0");
        let begin = Instant::now();
        let reply = server.ask(&Ask::post("/api/charts", chart("small", &version)));
        assert_eq!(reply.status, 201, "{reply}");
        let index = server.get("/api/charts/small");
        assert!(index.text().contains(&version), "{index}");
        assert!(
            begin.elapsed() < Duration::from_secs(10),
            "it took {:?}",
            begin.elapsed()
        );
    }
    // They were served something that is whole nevertheless.
    for stream in &mut slow {
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .expect("a timeout");
        let mut more = vec![0; 1 << 16];
        assert!(stream.read(&mut more).expect("more of the reply") > 0);
    }
}

/// A local put of ChartMuseum truncates and then writes: whoever reads meanwhile gets half an archive.
#[test]
fn an_archive_that_is_replaced_is_never_seen_half() {
    let scratch = tempfile::tempdir().expect("a temporary directory");
    let storage = storage(&scratch);
    let server = start(&storage, &["--allow-overwrite"]);
    // Random bytes, so that the archive is large and takes its time.
    let mut noise = 1_u64;
    let mut body = vec![0_u8; 3 << 20];
    for byte in &mut body {
        noise = noise
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        *byte = (noise >> 56) as u8;
    }
    let archives: Vec<Vec<u8>> = (0..4)
        .map(|number| {
            let metadata =
                format!("apiVersion: v2\nname: one\nversion: 1.0.0\ndescription: d{number}\n");
            Archive::default()
                .file("c/Chart.yaml", metadata)
                .file("c/noise", &body)
                .tgz()
        })
        .collect();
    let by_length: BTreeMap<usize, &Vec<u8>> = archives
        .iter()
        .map(|archive| (archive.len(), archive))
        .collect();
    let known = |bytes: &[u8]| archives.iter().any(|archive| archive == bytes);
    assert!(!by_length.is_empty());
    assert_eq!(
        server
            .ask(&Ask::post("/api/charts", archives[0].clone()))
            .status,
        201
    );
    let is_over = AtomicBool::new(false);
    let looks = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                // By hand, as a backup does.
                let file =
                    std::fs::read(storage.join("one-1.0.0.tgz")).expect("it is always there");
                assert!(known(&file), "half a file of {} bytes", file.len());
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            while !is_over.load(Ordering::Acquire) {
                let reply = server.try_ask(&Ask::get("/charts/one-1.0.0.tgz"));
                // A reply that is cut because the file was replaced meanwhile is no reply.
                let Ok(reply) = reply else { continue };
                let is_right = reply.status == 503 || (reply.status == 200 && known(&reply.body));
                assert!(is_right, "{} with {} bytes", reply.status, reply.body.len());
                looks.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut failed = None;
        for archive in archives.iter().cycle().take(24) {
            let reply = server.ask(&Ask::post("/api/charts", archive.clone()));
            if reply.status != 201 {
                failed = Some(reply);
                break;
            }
        }
        is_over.store(true, Ordering::Release);
        assert!(failed.is_none(), "{}", failed.expect("just looked"));
    });
    assert!(looks.load(Ordering::Relaxed) > 4, "nobody looked meanwhile");
}
