//! ChartMuseum's storage backends.

use super::options::{
    ALIBABA, BAIDU, Definition, ETCD, OPENSTACK, ORACLE, STORAGE_AMAZON_BUCKET,
    STORAGE_AMAZON_PREFIX, STORAGE_GOOGLE_BUCKET, STORAGE_GOOGLE_PREFIX,
    STORAGE_MICROSOFT_CONTAINER, STORAGE_MICROSOFT_PREFIX, TENCENT,
};

/// A storage backend of ChartMuseum's.
#[derive(Clone, Copy, Debug)]
pub(super) enum Backend {
    /// A directory.
    Local,
    /// A bucket.
    Bucket(&'static Bucket),
    /// One that chartroom does not have.
    Absent(&'static Absent),
}

/// Where a bucket's names are written.
#[derive(Debug)]
pub(super) struct Bucket {
    name: &'static str,
    /// The scheme of our URLs.
    pub(super) scheme: &'static str,
    /// The option that names the bucket.
    pub(super) name_option: &'static Definition,
    /// The option that tells where in it charts are.
    pub(super) prefix_option: &'static Definition,
}

/// A backend that chartroom does not have.
#[derive(Debug)]
pub(super) struct Absent {
    /// ChartMuseum's name.
    pub(super) name: &'static str,
    /// What to do instead.
    pub(super) instead: &'static str,
}

static BUCKETS: &[Bucket] = &[
    Bucket {
        name: "amazon",
        scheme: "s3",
        name_option: &STORAGE_AMAZON_BUCKET,
        prefix_option: &STORAGE_AMAZON_PREFIX,
    },
    Bucket {
        name: "google",
        scheme: "gs",
        name_option: &STORAGE_GOOGLE_BUCKET,
        prefix_option: &STORAGE_GOOGLE_PREFIX,
    },
    Bucket {
        name: "microsoft",
        scheme: "az",
        name_option: &STORAGE_MICROSOFT_CONTAINER,
        prefix_option: &STORAGE_MICROSOFT_PREFIX,
    },
];

macro_rules! absent {
    ($($name:literal: $instead:expr),* $(,)?) => {
        &[$(Absent { name: $name, instead: $instead }),*]
    };
}

/// The backends that chartroom does not have.
pub(super) static ABSENT: &[Absent] = absent! {
    "alibaba": ALIBABA,
    "baidu": BAIDU,
    "etcd": ETCD,
    "openstack": OPENSTACK,
    "oracle": ORACLE,
    "tencent": TENCENT,
};

impl Backend {
    /// Returns the backend of that name; as in ChartMuseum, case does not count.
    pub(super) fn named(text: &str) -> Option<Self> {
        let is = |name: &str| name.eq_ignore_ascii_case(text);
        if is("local") {
            return Some(Self::Local);
        }
        let bucket = BUCKETS.iter().find(|bucket| is(bucket.name));
        let absent = ABSENT.iter().find(|absent| is(absent.name));
        bucket.map(Self::Bucket).or(absent.map(Self::Absent))
    }

    /// Returns ChartMuseum's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Bucket(bucket) => bucket.name,
            Self::Absent(absent) => absent.name,
        }
    }

    /// Returns the backend whose option this is: `storage-amazon-bucket` is one of `amazon`.
    pub(super) fn of_option(definition: &Definition) -> Option<Self> {
        let rest = definition.name.strip_prefix("storage-")?;
        let (name, _) = rest.split_once('-')?;
        Self::named(name)
    }
}
