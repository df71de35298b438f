//! What a check finds, and what a repair mends and leaves alone.

use std::time::Duration;

use chartroom::chart::{Digest, Limits};
use chartroom::repository::check::{Finding, Kind, Repair, Report, Severity};
use chartroom::repository::explain::Reason;
use chartroom::repository::{Options, Overwrite, Visit};
use chartroom_storage::testing::{Faulty, Op};
use chartroom_storage::{BucketOptions, Clock, Key, Location, RepositoryPath, Store, Timeouts};
use object_store::memory::InMemory;

use crate::replica::{
    Answer, Bucket, Replica, answer, archives, bytes, digest, file, key, options, upload,
};
use crate::{charts, provenance};

use Kind::{
    ChartmuseumCache, DigestMismatch, DuplicateVersion, EmptyArchive, ForeignFile,
    ForeignProvenance, InvalidProvenance, MissingArchive, NoLog, OrphanedProvenance, OtherFileName,
    ProvenanceMismatch, ReplacedArchive, StaticIndex, UnlistedArchive, UnreadableArchive,
    UnusableFileName,
};
use Severity::{Error, Information, Warning};

fn any_key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

pub(crate) async fn check(replica: &Replica) -> Report {
    replica.repository.check(Repair::No).await.unwrap()
}

pub(crate) async fn repair(replica: &Replica) -> Report {
    replica.repository.check(Repair::Yes).await.unwrap()
}

/// What was found, without words.
pub(crate) fn found(report: &Report) -> Vec<(Kind, Severity, &str)> {
    report
        .findings
        .iter()
        .map(|finding| (finding.kind, finding.severity, finding.file.as_str()))
        .collect()
}

pub(crate) fn the(report: &Report, kind: Kind) -> &Finding {
    let mut found = report
        .findings
        .iter()
        .filter(|finding| finding.kind == kind);
    let first = found
        .next()
        .unwrap_or_else(|| panic!("no {kind} in {report:?}"));
    assert!(found.next().is_none(), "more than one {kind}: {report:?}");
    first
}

pub(crate) fn writes(way: &Faulty) -> usize {
    way.count(Op::Put) + way.count(Op::Delete)
}

pub(crate) async fn upload_signed(replica: &Replica, version: &str, content: &str) -> Answer {
    let mut signed = upload(version, content, Overwrite::Forbid);
    signed.provenance = Some(provenance::of("app", version, &signed.archive));
    answer(replica.repository.publish(signed).await)
}

/// Nothing that a repair can mend is left, and another one writes nothing.
pub(crate) async fn assert_mended(replica: &Replica) {
    replica.way.clear_requests();
    let again = repair(replica).await;
    let left: Vec<_> = again
        .findings
        .iter()
        .filter(|finding| finding.repair.is_some())
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(writes(&replica.way), 0, "{:?}", replica.way.requests());
}

#[tokio::test(start_paused = true)]
async fn a_sound_repository_has_no_findings() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let a = bucket.replica().await;
        upload_signed(&a, "1.0.0", "one").await;
        a.upload("2.0.0", "two").await;
        a.overwrite("2.0.0", "two again").await;
        a.upload("3.0.0", "three").await;
        a.delete("3.0.0").await;
        bucket
            .hand()
            .create(&any_key("artifacthub-repo.yml"), "repositoryID: x".into())
            .await
            .unwrap();
        a.way.clear_requests();
        let report = check(&a).await;
        assert_eq!(found(&report), []);
        assert_eq!((report.archives, report.listed), (2, 2));
        assert_eq!(report.generation, Some(6));
        assert!(!report.finds_something_wrong());
        assert_mended(&a).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_hands_removed_put_and_replaced_is_found_and_mended() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let a = bucket.replica().await;
        for version in ["1.0.0", "2.0.0", "3.0.0"] {
            a.upload(version, "uploaded").await;
        }
        let hand = bucket.hand();
        hand.delete(&key("1.0.0")).await.unwrap();
        hand.replace(&key("2.0.0"), bytes("2.0.0", "by hand"))
            .await
            .unwrap();
        hand.create(&key("4.0.0"), bytes("4.0.0", "by hand"))
            .await
            .unwrap();
        a.way.clear_requests();
        let report = check(&a).await;
        let expected = [
            (MissingArchive, Error, "app-1.0.0.tgz"),
            (ReplacedArchive, Error, "app-2.0.0.tgz"),
            (UnlistedArchive, Error, "app-4.0.0.tgz"),
        ];
        assert_eq!(found(&report), expected);
        assert!(report.finds_something_wrong());
        assert_eq!(writes(&a.way), 0, "a check writes nothing");
        let replaced = &the(&report, ReplacedArchive).what;
        assert!(
            replaced.contains(&digest("2.0.0", "by hand").to_string()),
            "{replaced}"
        );

        let report = repair(&a).await;
        assert_eq!(found(&report), expected);
        assert!(report.findings.iter().all(|finding| finding.mended));
        assert!(!report.finds_something_wrong());
        assert_eq!((report.archives, report.listed), (3, 3));
        let expected = [
            (file("2.0.0"), digest("2.0.0", "by hand")),
            (file("3.0.0"), digest("3.0.0", "uploaded")),
            (file("4.0.0"), digest("4.0.0", "by hand")),
        ];
        assert_eq!(a.listing().await, expected.into());
        assert_mended(&a).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_bytes_as_another_object_are_a_warning() {
    let bucket = Bucket::counting();
    let a = bucket.replica().await;
    a.upload("1.0.0", "one").await;
    bucket
        .hand()
        .replace(&key("1.0.0"), bytes("1.0.0", "one"))
        .await
        .unwrap();
    let report = check(&a).await;
    assert_eq!(
        found(&report),
        [(ReplacedArchive, Warning, "app-1.0.0.tgz")]
    );
    assert!(
        the(&report, ReplacedArchive)
            .what
            .contains("the same bytes")
    );
    repair(&a).await;
    assert_mended(&a).await;
}

/// Unreadable files are said, with helm's reason, and no repair touches them.
#[tokio::test(start_paused = true)]
async fn unreadable_and_empty_archives_are_left_to_a_person() {
    for bucket in [Bucket::counting(), Bucket::hashing()] {
        let a = bucket.replica().await;
        a.upload("1.0.0", "one").await;
        a.upload("2.0.0", "two").await;
        let hand = bucket.hand();
        hand.replace(&key("1.0.0"), "junk, and more junk".into())
            .await
            .unwrap();
        hand.replace(&key("2.0.0"), "".into()).await.unwrap();
        let cut = bytes("3.0.0", "cut").slice(..200);
        hand.create(&key("3.0.0"), cut.clone()).await.unwrap();
        hand.create(&key("4.0.0"), "".into()).await.unwrap();
        let expected = [
            (UnreadableArchive, Error, "app-1.0.0.tgz"),
            (EmptyArchive, Error, "app-2.0.0.tgz"),
            (UnreadableArchive, Warning, "app-3.0.0.tgz"),
            (EmptyArchive, Warning, "app-4.0.0.tgz"),
        ];
        for report in [check(&a).await, repair(&a).await] {
            assert_eq!(found(&report), expected);
            for finding in &report.findings {
                assert_eq!((finding.repair, finding.mended), (None, false));
                let advice = finding.advice.as_deref().unwrap();
                assert!(advice.contains("never deletes"), "{advice}");
            }
            assert!(report.findings[0].what.contains("gzip: invalid header"));
            assert!(report.findings[2].what.contains("unexpected EOF"));
        }
        assert_eq!(hand.get(&key("3.0.0")).await.unwrap().body, cut);
        assert_mended(&a).await;
    }
}

/// A file of some gigabytes must not be taken into memory to find out that it is no chart.
#[tokio::test(start_paused = true)]
async fn an_archive_that_is_too_large_is_passed_over_unread() {
    let bucket = Bucket::hashing();
    let limits = Limits {
        archive_bytes: 2_000,
        ..Limits::default()
    };
    let a = bucket
        .replica_with(Options {
            limits,
            ..options()
        })
        .await;
    a.upload("1.0.0", "one").await;
    let hand = bucket.hand();
    let large = vec![0; 2_001];
    hand.replace(&key("1.0.0"), large.clone().into())
        .await
        .unwrap();
    hand.create(&key("2.0.0"), large.into()).await.unwrap();
    a.way.clear_requests();
    let refreshed = a.repository.refresh().await.unwrap();
    assert_eq!((refreshed.entered, refreshed.unreadable), (0, 2));
    let report = repair(&a).await;
    let expected = [
        (UnreadableArchive, Error, "app-1.0.0.tgz"),
        (UnreadableArchive, Warning, "app-2.0.0.tgz"),
    ];
    assert_eq!(found(&report), expected);
    assert!(report.findings[0].what.contains("maximum size 2000"));
    let explanation = a.repository.explain("app", "2.0.0").await.unwrap();
    assert_eq!(explanation.reason, Reason::Unreadable);
    assert_eq!(a.way.count_of(Op::Get, archives), 0);
}

#[tokio::test(start_paused = true)]
async fn two_files_of_one_version_and_odd_names_are_said() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    let hand = bucket.hand();
    for (name, body) in [
        ("app-1.0.0.tgz", bytes("1.0.0", "one")),
        ("copy.tgz", bytes("1.0.0", "one")),
        ("other.tgz", bytes("1.0.0", "other")),
        ("only.tgz", bytes("2.0.0", "two")),
    ] {
        hand.create(&any_key(name), body).await.unwrap();
    }
    a.refresh().await;
    let report = check(&a).await;
    let expected = [
        (DuplicateVersion, Warning, "copy.tgz"),
        (OtherFileName, Information, "copy.tgz"),
        (OtherFileName, Information, "only.tgz"),
        (DuplicateVersion, Warning, "other.tgz"),
        (OtherFileName, Information, "other.tgz"),
    ];
    assert_eq!(found(&report), expected);
    assert_eq!((report.archives, report.listed), (4, 2));
    let words: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.kind == DuplicateVersion)
        .map(|finding| finding.what.as_str())
        .collect();
    assert!(words[0].contains("app-1.0.0.tgz is shown") && words[0].contains("the same bytes"));
    assert!(words[1].contains("other bytes"), "{words:?}");
    assert_mended(&a).await;
}

#[tokio::test(start_paused = true)]
async fn what_others_left_is_information() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    let long = format!("{}.tgz", "x".repeat(246));
    let hand = bucket.hand();
    for name in [
        "index-cache.yaml",
        "index.yaml",
        "README.md",
        "._app-1.0.0.tgz",
        "back\\slash-1.0.0.tgz",
        &long,
    ] {
        hand.create(&any_key(name), "x".into()).await.unwrap();
    }
    let report = check(&a).await;
    let expected = [
        (ForeignFile, Information, "._app-1.0.0.tgz"),
        (ForeignFile, Information, "README.md"),
        (UnusableFileName, Warning, "back\\slash-1.0.0.tgz"),
        (ChartmuseumCache, Information, "index-cache.yaml"),
        (StaticIndex, Information, "index.yaml"),
        (UnusableFileName, Warning, &long),
    ];
    assert_eq!(found(&report), expected);
    assert_mended(&a).await;
}

/// Bit rot: the store says that it is the same object. Only a directory can be made to say so.
#[tokio::test(start_paused = true)]
async fn a_digest_that_changed_is_found_and_entered_again() {
    let directory = tempfile::tempdir().unwrap();
    let location = Location::Directory(directory.path().to_owned());
    let open = || {
        let timeouts = Timeouts {
            small: Duration::MAX,
            transfer: Duration::MAX,
        };
        let store = Store::open(&location, &BucketOptions::default(), timeouts).unwrap();
        Visit::begin(store, Clock::default(), options())
    };
    let one = bytes("1.0.0", "one");
    // The same length, and another text in the README.
    let two = (0..1_000)
        .map(|number| bytes("1.0.0", &format!("x{number}")))
        .find(|other| other.len() == one.len() && *other != one)
        .unwrap();
    let path = directory.path().join("app-1.0.0.tgz");
    std::fs::write(&path, &one).unwrap();
    let repository = chartroom::repository::Repository::open(
        Store::open(&location, &BucketOptions::default(), Timeouts::default()).unwrap(),
        Clock::default(),
        options(),
    )
    .await
    .unwrap();
    repository.refresh().await.unwrap();
    repository.close().await;

    let written = std::fs::metadata(&path).unwrap().modified().unwrap();
    rot(&path, &two, written);
    let visit = open().await.unwrap();
    let report = visit.check(Repair::No).await.unwrap();
    assert_eq!(found(&report), [(DigestMismatch, Error, "app-1.0.0.tgz")]);
    let what = &the(&report, DigestMismatch).what;
    for digest in [Digest::of(&one), Digest::of(&two)] {
        assert!(what.contains(&digest.to_string()), "{what}");
    }
    let report = visit.check(Repair::Yes).await.unwrap();
    assert!(the(&report, DigestMismatch).mended);
    assert_eq!(found(&visit.check(Repair::Yes).await.unwrap()), []);
    let explanation = visit.explain("app", "1.0.0").await.unwrap();
    assert_eq!(explanation.facts.digest, Some(Digest::of(&two)));

    // Rot that makes it unreadable is a person's business.
    let mut three = two.to_vec();
    three[20..].fill(0);
    rot(&path, &three, written);
    let report = visit.check(Repair::Yes).await.unwrap();
    assert_eq!(
        found(&report),
        [(UnreadableArchive, Error, "app-1.0.0.tgz")]
    );
    assert!(the(&report, UnreadableArchive).what.contains("other bytes"));
    assert_eq!(std::fs::read(&path).unwrap(), three);
    visit.end().await;
}

/// Changes bytes in place, and the time back.
fn rot(path: &std::path::Path, body: &[u8], written: std::time::SystemTime) {
    std::fs::write(path, body).unwrap();
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(written).unwrap();
}

#[tokio::test(start_paused = true)]
async fn provenance_is_compared_with_its_archive() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    let hand = bucket.hand();
    for number in 1..=6 {
        a.upload(&format!("{number}.0.0"), "uploaded").await;
    }
    let body = |version: &str| bytes(version, "uploaded");
    let other = bytes("2.0.0", "other");
    for (version, provenance) in [
        ("1.0.0", provenance::of("app", "1.0.0", &body("1.0.0"))),
        ("2.0.0", provenance::of("app", "2.0.0", &other)),
        ("3.0.0", provenance::of("app", "9.0.0", &body("3.0.0"))),
        (
            "4.0.0",
            provenance::naming("app", "4.0.0", "other.tgz", &body("4.0.0")),
        ),
        ("5.0.0", "junk".into()),
        ("6.0.0", "".into()),
    ] {
        let key = provenance::key(version);
        hand.create(&key, provenance).await.unwrap();
    }
    let expected = [
        (ProvenanceMismatch, Error, "app-2.0.0.tgz.prov"),
        (ForeignProvenance, Error, "app-3.0.0.tgz.prov"),
        (ProvenanceMismatch, Error, "app-4.0.0.tgz.prov"),
        (InvalidProvenance, Error, "app-5.0.0.tgz.prov"),
        (InvalidProvenance, Error, "app-6.0.0.tgz.prov"),
    ];
    let report = check(&a).await;
    assert_eq!(found(&report), expected);
    let words: Vec<&str> = report
        .findings
        .iter()
        .map(|finding| finding.what.as_str())
        .collect();
    assert!(words[0].contains(&Digest::of(&other).to_string()));
    assert!(words[1].contains("app 9.0.0"));
    assert!(words[2].contains("other.tgz"));
    assert!(words[3].contains("not a PGP signed message"));
    a.way.clear_requests();
    assert_eq!(found(&repair(&a).await), expected);
    assert_eq!(writes(&a.way), 0, "whose is right, only a person knows");
}

#[tokio::test(start_paused = true)]
async fn without_a_log_nothing_is_written_and_the_files_are_judged() {
    let way = Faulty::new(std::sync::Arc::new(InMemory::new()));
    let store = way.store(Timeouts::default());
    let visit = async || {
        Visit::begin(store.clone(), Clock::default(), options())
            .await
            .unwrap()
    };
    for mode in [Repair::No, Repair::Yes] {
        let report = visit().await.check(mode).await.unwrap();
        assert_eq!(found(&report), [(NoLog, Information, "")]);
        assert_eq!(report.generation, None);
    }
    assert_eq!(writes(&way), 0);

    store
        .create(&key("1.0.0"), bytes("1.0.0", "one"))
        .await
        .unwrap();
    store.create(&key("2.0.0"), "junk".into()).await.unwrap();
    store
        .create(&provenance::key("3.0.0"), "junk".into())
        .await
        .unwrap();
    way.clear_requests();
    for mode in [Repair::No, Repair::Yes] {
        let report = visit().await.check(mode).await.unwrap();
        let expected = [
            (NoLog, Information, ""),
            (UnreadableArchive, Warning, "app-2.0.0.tgz"),
            (OrphanedProvenance, Warning, "app-3.0.0.tgz.prov"),
        ];
        assert_eq!(found(&report), expected);
        assert!(
            the(&report, NoLog)
                .what
                .contains("2 archives will be adopted")
        );
        assert_eq!(the(&report, OrphanedProvenance).repair, None);
    }
    assert_eq!(writes(&way), 0);
}

/// A repository within another one is not its business.
#[tokio::test(start_paused = true)]
async fn a_check_keeps_to_its_repository() {
    let bucket = Bucket::hashing();
    let a = bucket.replica().await;
    let inner = bucket
        .hand()
        .within(&RepositoryPath::parse("team").unwrap());
    let body = charts::chart("other", "1.0.0", "x");
    inner
        .create(&any_key("other-1.0.0.tgz"), body)
        .await
        .unwrap();
    assert_eq!(found(&check(&a).await), []);
}
