//! Where charts are kept.

use chartroom_storage::Encryption;

use super::*;

#[test]
fn a_backend_without_its_place_says_what_to_add_and_how_to_write_a_directory() {
    for (backend, option) in [
        ("local", "storage-local-rootdir"),
        ("amazon", "storage-amazon-bucket"),
        ("google", "storage-google-bucket"),
        ("microsoft", "storage-microsoft-container"),
    ] {
        for flags in [&[backend][..], &["--storage", backend]] {
            let problems = load(flags, &[]).unwrap_err();
            assert_eq!(keys(&problems), ["storage"], "{problems}");
            let fix = &problems.0[0].fix;
            assert!(
                fix.contains(option) && fix.contains(&format!("./{backend}")),
                "{fix}"
            );
        }
        let directory = format!("./{backend}");
        let config = load(&[&directory], &[]).unwrap();
        assert_eq!(config.storage, Location::Directory(directory.into()));
        assert!(config.chartmuseum.is_none());
    }
}

#[test]
fn backends_that_we_do_not_have_are_refused_once_with_the_alternative() {
    for (backend, alternative) in [
        (
            "alibaba",
            "--storage-endpoint https://s3.oss-REGION.aliyuncs.com",
        ),
        ("baidu", "--storage-endpoint https://s3.REGION.bcebos.com"),
        ("etcd", "download every archive"),
        ("openstack", "s3api"),
        (
            "Oracle",
            "https://NAMESPACE.compat.objectstorage.REGION.oraclecloud.com",
        ),
        (
            "TENCENT",
            "--storage-endpoint https://cos.REGION.myqcloud.com",
        ),
    ] {
        let prefix = format!("STORAGE_{}_PREFIX", backend.to_uppercase());
        let variables = [("STORAGE", backend), (&prefix, "charts")];
        let problems = load(&[], &variables).unwrap_err();
        assert_eq!(keys(&problems), ["storage"], "{problems}");
        let text = problems.to_string();
        assert!(
            text.contains(alternative) && text.contains("directory"),
            "{text}"
        );
    }
}

#[test]
fn bucket_names_and_prefixes_are_read_as_chartmuseum_reads_them() {
    let amazon = |bucket: &str, prefix: &str| {
        let bucket = format!("--storage-amazon-bucket={bucket}");
        let prefix = format!("--storage-amazon-prefix={prefix}");
        load(&["--storage=amazon", &bucket, &prefix], &[])
    };
    for (prefix, location) in [
        ("", "s3://b"),
        ("/", "s3://b"),
        ("/a//b/./c/", "s3://b/a/b/c"),
        ("a b%20c", "s3://b/a b%20c"),
    ] {
        let config = amazon("b", prefix).unwrap();
        assert_eq!(config.storage.to_string(), location, "{prefix}");
    }
    for (bucket, prefix, key) in [
        ("b", "a/../c", "storage-amazon-prefix"),
        ("b/c", "", "storage-amazon-bucket"),
        ("arn:aws:s3:::b", "", "storage-amazon-bucket"),
    ] {
        let problems = amazon(bucket, prefix).unwrap_err();
        assert_eq!(keys(&problems), [key], "{problems}");
    }
}

#[test]
fn a_bucket_is_reached_by_our_options_or_by_chartmuseums() {
    let (_directory, ca) = file("x");
    let ours = [
        "s3://b/p",
        "--storage-endpoint=http://127.0.0.1:9000/",
        "--storage-region=eu-west-1",
        "--storage-path-style",
        "--storage-sse=aws:kms=arn:aws:kms:eu-west-1:1:key/2",
        "--storage-profile=charts",
        "--storage-ca-cert",
        &ca,
    ];
    let config = load(&ours, &[("AWS_ACCESS_KEY_ID", "k"), ("AWS_PROFILE", "")]).unwrap();
    let expected = BucketOptions {
        endpoint: Some("http://127.0.0.1:9000".into()),
        region: Some("eu-west-1".into()),
        path_style: Some(true),
        encryption: Some(Encryption::Kms {
            key: Some("arn:aws:kms:eu-west-1:1:key/2".into()),
        }),
        ca_certificate: Some(ca.into()),
        profile: Some("charts".into()),
        variables: vec![("AWS_ACCESS_KEY_ID".into(), "k".into())],
    };
    assert_eq!(config.buckets, expected);

    let theirs = [
        "--storage=amazon",
        "--storage-amazon-bucket=b",
        "--storage-amazon-endpoint=minio:9000",
        "--storage-amazon-sse=AES256",
    ];
    let buckets = load(&theirs, &[]).unwrap().buckets;
    assert_eq!(buckets.endpoint.as_deref(), Some("https://minio:9000"));
    assert_eq!(buckets.path_style, Some(true));
    assert_eq!(buckets.encryption, Some(Encryption::Aes256));
    // In our words ChartMuseum's default does not hold.
    let native = ["s3://b", "--storage-amazon-endpoint=http://minio"];
    let buckets = load(&native, &[]).unwrap().buckets;
    assert_eq!(buckets.endpoint.as_deref(), Some("http://minio"));
    assert_eq!(buckets.path_style, None);
    let gcs = ["gs://b", "--storage-endpoint=http://127.0.0.1:4443"];
    let buckets = load(&gcs, &[("STORAGE_EMULATOR_HOST", "h")])
        .unwrap()
        .buckets;
    assert_eq!(buckets.endpoint.as_deref(), Some("http://127.0.0.1:4443"));
    assert_eq!(
        buckets.variables,
        [("STORAGE_EMULATOR_HOST".into(), "h".into())]
    );
}

#[test]
fn options_of_another_place_are_problems_in_our_words_and_notices_in_chartmuseums() {
    for (flags, wrong) in [
        (
            vec!["memory:", "--storage-region=x"],
            vec!["storage-region"],
        ),
        (
            vec!["/c", "--storage-endpoint=http://x"],
            vec!["storage-endpoint"],
        ),
        (
            vec![
                "gs://b",
                "--storage-profile=x",
                "--storage-path-style=false",
            ],
            vec!["storage-path-style", "storage-profile"],
        ),
        (
            vec!["gs://b", "--storage-amazon-region=x"],
            vec!["storage-amazon-region"],
        ),
        (
            vec!["s3://b", "--storage-amazon-prefix=x"],
            vec!["storage-amazon-prefix"],
        ),
        (
            vec!["/c", "--storage-local-rootdir=/d"],
            vec!["storage-local-rootdir"],
        ),
        (
            vec!["--storage=amzon", "--storage-amazon-bucket=b"],
            vec!["storage-amazon-bucket"],
        ),
    ] {
        let problems = load(&flags, &[]).unwrap_err();
        assert_eq!(keys(&problems), wrong, "{flags:?} {problems}");
    }
    let variables = [
        ("STORAGE", "local"),
        ("STORAGE_LOCAL_ROOTDIR", "/c"),
        ("STORAGE_AMAZON_BUCKET", "b"),
        ("STORAGE_AMAZON_REGION", "eu-west-1"),
        ("STORAGE_GOOGLE_BUCKET", ""),
    ];
    let config = load(&[], &variables).unwrap();
    assert_eq!(config.notices.len(), 2, "{:?}", config.notices);
    assert_eq!(config.buckets, BucketOptions::default());
}

#[test]
fn an_unchecked_certificate_is_refused_for_s3_alone() {
    let variables = [("AWS_INSECURE_SKIP_VERIFY", "true")];
    let problems = load(&["s3://b"], &variables).unwrap_err();
    assert_eq!(keys(&problems), ["storage-ca-cert"]);
    assert!(
        problems
            .to_string()
            .contains("variable AWS_INSECURE_SKIP_VERIFY")
    );
    load(&["memory:"], &variables).unwrap();
    load(&["s3://b"], &[("AWS_INSECURE_SKIP_VERIFY", "false")]).unwrap();
}

#[test]
fn keys_of_buckets_are_not_shown() {
    let variables = [
        ("AWS_SECRET_ACCESS_KEY", "hush"),
        ("AZURE_STORAGE_KEY", "hush"),
    ];
    let config = load(&["s3://b"], &variables).unwrap();
    let text = format!("{config:?}");
    assert!(
        text.contains("AWS_SECRET_ACCESS_KEY") && !text.contains("hush"),
        "{text}"
    );
}
