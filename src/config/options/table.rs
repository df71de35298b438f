//! The options themselves.

use super::Here::{Differs, NotNeeded, Refused, Same};
use super::{Definition, Group, Kind, Museum, described, museum, museum_default};

/// An option that is ours alone.
const OURS: Option<Museum> = None;

macro_rules! options {
    ($($constant:ident = $name:literal, $group:ident, $kind:expr, $default:literal, $museum:expr, $help:expr;)*) => {
        $(
            #[doc = concat!("`--", $name, "`")]
            pub static $constant: Definition = Definition {
                name: $name,
                group: Group::$group,
                kind: $kind,
                default: $default,
                help: $help,
                museum: $museum,
            };
        )*

        /// Every option, in the order of `--help`.
        pub static ALL: &[&Definition] = &[$(&$constant),*];
    };
}

const STOPS: &str = "Stops the start with what to do instead";

const REDIS: &str = "replicas agree through the storage itself, so there is no cache to share";

pub(in crate::config) const ALIBABA: &str = "OSS has an endpoint that speaks S3: write s3://BUCKET/PREFIX for the storage, --storage-endpoint https://s3.oss-REGION.aliyuncs.com, --storage-region REGION and --storage-path-style=false, with the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or copy the objects into a directory or another bucket";
pub(in crate::config) const BAIDU: &str = "BOS has an endpoint that speaks S3: write s3://BUCKET/PREFIX for the storage, --storage-endpoint https://s3.REGION.bcebos.com and --storage-region REGION, with the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or copy the objects into a directory or another bucket";
pub(in crate::config) const ETCD: &str = "etcd holds no files: download every archive and .prov from the running ChartMuseum into a directory, or into a bucket, and give that for the storage";
pub(in crate::config) const OPENSTACK: &str = "Swift speaks S3 where its s3api middleware is on: write s3://CONTAINER/PREFIX for the storage, --storage-endpoint with the URL of the proxy server, and a pair of `openstack ec2 credentials create` in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or copy the objects into a directory or another bucket";
pub(in crate::config) const ORACLE: &str = "Object Storage has an endpoint that speaks S3: write s3://BUCKET/PREFIX for the storage, --storage-endpoint https://NAMESPACE.compat.objectstorage.REGION.oraclecloud.com, --storage-region REGION and --storage-path-style, with a customer secret key in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or copy the objects into a directory or another bucket";
pub(in crate::config) const TENCENT: &str = "COS has an endpoint that speaks S3: write s3://BUCKET-APPID/PREFIX for the storage, --storage-endpoint https://cos.REGION.myqcloud.com, --storage-region REGION and --storage-path-style=false, with the keys in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; or copy the objects into a directory or another bucket";

options! {
    STORAGE = "storage", Storage, Kind::Value("URL|PATH"), "",
        Some(described("storage.backend", Differs("`local`, `amazon`, `google` and `microsoft`, in any case. The others stop the start with what to do instead. A directory of such a name is `./local`"))),
        "Where charts are kept: a directory, s3://bucket/prefix, gs://bucket/prefix, az://container/prefix, file:// or memory:, or one of ChartMuseum's local, amazon, google and microsoft. The same as DIR. The default is a directory of the user's, such as ~/.local/share/chartroom/charts";
    STORAGE_ENDPOINT = "storage-endpoint", Storage, Kind::Value("URL"), "", OURS,
        "The URL of a server that speaks the protocol of the bucket's service, instead of the service itself";
    STORAGE_REGION = "storage-region", Storage, Kind::Value("REGION"), "", OURS,
        "The region of an S3 bucket. The default is that of the AWS_* variables";
    STORAGE_PATH_STYLE = "storage-path-style", Storage, Kind::Switch, "", OURS,
        "Whether an S3 bucket is named in the path of a URL and not in its host. The default fits the endpoint";
    STORAGE_SSE = "storage-sse", Storage, Kind::Value("AES256|aws:kms|aws:kms=KEY"), "", OURS,
        "What an S3 server is asked to encrypt objects with";
    STORAGE_CA_CERT = "storage-ca-cert", Storage, Kind::Value("FILE"), "", OURS,
        "A PEM file of certificates that a bucket's server may have been signed with, besides those of the system";
    STORAGE_PROFILE = "storage-profile", Storage, Kind::Value("NAME"), "", OURS,
        "The profile of the AWS configuration files whose credentials are used";
    FRESHNESS = "freshness", Storage, Kind::Value("DURATION"), "1s", OURS,
        "How old what is served may be when other replicas write to the same storage; 0 looks before every index";
    REFRESH_INTERVAL = "refresh-interval", Storage, Kind::Value("DURATION"), "30s",
        OURS,
        "How often the storage is listed for archives that were put or removed by hand; 0 is never";
    LOG_RETENTION = "log-retention", Storage, Kind::Value("DURATION"), "24h", OURS,
        "For how long a record of the repository's own log of changes is kept in the storage after a snapshot has replaced it; at least 10s. A replica that was frozen for longer reads the whole log again, and every start has to take less than a quarter of it";
    CACHE_INTERVAL = "cache-interval", Storage, Kind::Value("DURATION"), "",
        Some(museum_default("cacheinterval", "5m", Differs("another name of `--refresh-interval`; a number without a unit is seconds. Uploads and deletions of every replica are seen without it"))),
        "The same as --refresh-interval, in ChartMuseum's words";
    STORAGE_TIMESTAMP_TOLERANCE = "storage-timestamp-tolerance", Storage, Kind::Value("DURATION"), "0s",
        Some(museum("storage.timestamptolerance")),
        "By how much the time of an object may differ from the one in the log before it is read again";
    INDEX_LIMIT = "index-limit", Storage, Kind::Value("COUNT"), "0",
        Some(described("indexlimit", Differs("0 is 16 at once in a bucket and 4 in a directory, not all at once"))),
        "How many archives are read at once when the storage is listed; 0 is 16 in a bucket and 4 in a directory. Together they take up to 128 MiB of memory, whatever this is";
    SINGLE_REPLICA = "single-replica", Storage, Kind::Switch, "false", OURS,
        "Serve from a storage that does not refuse to create an object twice; right only as long as there is no second replica";

    DEPTH = "depth", Repositories, Kind::Value("COUNT"), "0",
        Some(described("depth", Differs("at most 8"))),
        "How many segments of a path name a repository: with 2 there is one at /org/team/index.yaml. 0 is the one at the root only";
    DEPTH_DYNAMIC = "depth-dynamic", Repositories, Kind::Switch, "false",
        Some(museum("depthdynamic")),
        "Let any number of segments name a repository";
    MAX_STORAGE_OBJECTS = "max-storage-objects", Repositories, Kind::Value("COUNT"), "0",
        Some(described("maxstorageobjects", Differs("enforced for forms too"))),
        "How many objects a repository may hold; 0 is any number";
    PER_CHART_LIMIT = "per-chart-limit", Repositories, Kind::Value("COUNT"), "0",
        Some(described("per-chart-limit", Differs("the upload is stored first; then what is beyond the limit goes, archives and provenance"))),
        "How many versions of a chart are kept; an upload beyond it removes the oldest. 0 is any number";
    REPOSITORY_IDLE = "repository-idle", Repositories, Kind::Value("DURATION"), "15m", OURS,
        "After how long a repository that nobody used leaves memory, until somebody does";
    MAX_LOADED_REPOSITORIES = "max-loaded-repositories", Repositories, Kind::Value("COUNT"), "1000", OURS,
        "How many repositories are in memory at once";
    ARCHIVE_CACHE = "archive-cache", Repositories, Kind::Value("BYTES"), "16MiB", OURS,
        "How many bytes of small archives, of up to 64 KiB each, stay in memory after they were read. The storage is asked whether it still has one after --freshness. 0 keeps none";
    ARTIFACT_HUB_REPO_ID = "artifact-hub-repo-id", Repositories, Kind::List("[PATH=]ID"), "",
        Some(described("artifact-hub-repo-id", Differs("a variable holds several, separated by commas; paths in the configuration file keep their case"))),
        "The id that Artifact Hub gave the repository at PATH, or the one at the root; served as artifacthub-repo.yml. May be repeated";

    LISTEN_HOST = "listen-host", Listening, Kind::Value("ADDRESS"), "127.0.0.1",
        Some(museum_default("listen.host", "0.0.0.0", Differs("an address, not a name"))),
        "The address to listen on; 0.0.0.0 or :: for all";
    PORT = "port", Listening, Kind::Value("PORT"), "8879",
        Some(museum_default("port", "8080", Same)),
        "The port to listen on; 0 takes a free one";
    CONTEXT_PATH = "context-path", Listening, Kind::Value("PATH"), "",
        Some(described("contextpath", Differs("it ends at a slash: with `/charts` there is nothing at `/chartsx`"))),
        "What stands before every path, such as /charts";
    MAX_CONNECTIONS = "max-connections", Listening, Kind::Value("COUNT"), "1024", OURS,
        "How many connections are served at once. Beyond it those that have waited longest for a request are closed; if all are busy, further ones are told to come back";
    TRUSTED_PROXIES = "trusted-proxies", Listening, Kind::List("CIDR"), "", OURS,
        "The addresses and networks of proxies that are believed what they say of a client in Forwarded and X-Forwarded-*. May be repeated. Without it none is";
    ALLOWED_HOSTS = "allowed-hosts", Listening, Kind::List("HOST"), "", OURS,
        "The names that clients may call this server by, besides localhost and addresses of the machine itself. Needed where a proxy on the same machine passes its own name on; on an address that is not a loopback one every name is allowed unless some are given. May be repeated";
    CLIENT_RATE = "client-rate", Listening, Kind::Value("COUNT"), "0", OURS,
        "How many requests a client may send in a second on average, and ten times as many at once; those beyond are told to come back. A client is an address, of IPv6 a /64. Probes do not count; 0 is any number";
    HEADER_TIMEOUT = "header-timeout", Listening, Kind::Value("DURATION"), "10s", OURS,
        "How long a client may take to send the head of a request, and how long a connection may be idle";
    READ_TIMEOUT = "read-timeout", Listening, Kind::Value("DURATION"), "30s",
        Some(described("readtimeout", Differs("for the body; not 0"))),
        "How long a client may take to send the whole body of a request";
    WRITE_TIMEOUT = "write-timeout", Listening, Kind::Value("DURATION"), "30s",
        Some(described("writetimeout", Differs("for a pause, so that large downloads are not cut; not 0"))),
        "How long a client may go without taking any of a reply";
    DRAIN_TIMEOUT = "drain-timeout", Listening, Kind::Value("DURATION"), "20s", OURS,
        "How long running requests may take to end after SIGTERM or SIGINT; a second signal ends them at once";

    TLS_CERT = "tls-cert", Tls, Kind::Value("FILE"), "",
        Some(described("tls.cert", Differs("half a pair stops the start"))),
        "A PEM file with the server's certificate and those that lead to its authority; with --tls-key the server speaks HTTPS";
    TLS_KEY = "tls-key", Tls, Kind::Value("FILE"), "",
        Some(described("tls.key", Differs("half a pair stops the start"))),
        "A PEM file with the private key of --tls-cert";
    TLS_CA_CERT = "tls-ca-cert", Tls, Kind::Value("FILE"), "",
        Some(described("tls.cacert", Differs("without a pair it stops the start"))),
        "A PEM file with the authorities that a client's certificate must come from; without it clients need none";

    BASIC_AUTH_USER = "basic-auth-user", Access, Kind::Value("NAME"), "",
        Some(described("basicauth.user", Differs("one of user and password stops the start"))),
        "The name that requests must give; with a password";
    BASIC_AUTH_PASS = "basic-auth-pass", Access, Kind::Value("PASSWORD"), "",
        Some(described("basicauth.pass", Differs("one of user and password stops the start"))),
        "The password of --basic-auth-user. As a flag, every user of this machine can see it";
    BASIC_AUTH_PASS_FILE = "basic-auth-pass-file", Access, Kind::Value("FILE"), "", OURS,
        "A file that holds the password of --basic-auth-user; a line break at its end does not count";
    AUTH_ANONYMOUS_GET = "auth-anonymous-get", Access, Kind::Switch, "false",
        Some(museum("authanonymousget")),
        "Let everybody read, without credentials";
    BEARER_AUTH = "bearer-auth", Access, Kind::Switch, "false",
        Some(described("bearerauth", Differs("together with basic-auth-user it stops the start"))),
        "Let in requests with a token that --auth-cert-path's key has signed";
    AUTH_REALM = "auth-realm", Access, Kind::Value("URL"), "",
        Some(described("authrealm", Differs("without bearer-auth it stops the start"))),
        "Where clients get a token; needed with --bearer-auth";
    AUTH_SERVICE = "auth-service", Access, Kind::Value("NAME"), "",
        Some(described("authservice", Differs("without bearer-auth it stops the start"))),
        "What clients call this server when they ask for a token; needed with --bearer-auth";
    AUTH_CERT_PATH = "auth-cert-path", Access, Kind::Value("FILE"), "",
        Some(described("authcertpath", Differs("without bearer-auth it stops the start"))),
        "A PEM file with the public RSA key, or the certificate, that tokens are verified with; needed with --bearer-auth";
    AUTH_ACTIONS_SEARCH_PATH = "auth-actions-search-path", Access, Kind::Value("JMESPATH"), "",
        Some(described("authactionssearchpath", Differs("without bearer-auth it stops the start"))),
        "Where in a token's claims the list of allowed actions is. The default is ChartMuseum's `access` claim";
    HTPASSWD = "htpasswd", Access, Kind::Value("FILE"), "", OURS,
        "A file of users and their passwords as htpasswd -B writes it; read again when it changes";
    TOKEN_KEY = "token-key", Access, Kind::List("FILE"), "", OURS,
        "A PEM file with the public key of access tokens that chartroom token create makes: Ed25519 or P-256. May be repeated, so that one can take the place of another";
    TOKEN_ISSUER = "token-issuer", Access, Kind::Value("NAME"), "chartroom", OURS,
        "The `iss` that access tokens must have";
    TOKEN_AUDIENCE = "token-audience", Access, Kind::Value("NAME"), "chartroom", OURS,
        "The `aud` that access tokens must have; different names keep servers with the same key apart";
    POLICY = "policy", Access, Kind::Value("FILE"), "", OURS,
        "A YAML file that says who may pull, push, overwrite and delete in which repositories; read again when it changes. Without it users and tokens may do everything";
    ANONYMOUS_PROV = "anonymous-prov", Access, Kind::Switch, "false", OURS,
        "Let everybody read provenance files, which helm 4.2 to 4.3.1 fetches without credentials for --verify";
    OPEN_WRITES = "open-writes", Access, Kind::Switch, "false", OURS,
        "Without any authentication, let everybody write, and not only this machine";

    DISABLE_API = "disable-api", Api, Kind::Switch, "false",
        Some(described("disableapi", Differs("without authentication only this machine writes; an explicit `false` lets everybody, as `--open-writes` does"))),
        "Serve no /api routes: no uploads, no deletions, no lists";
    DISABLE_DELETE = "disable-delete", Api, Kind::Switch, "false",
        Some(museum("disabledelete")),
        "Serve no route that deletes a version";
    CORS_ALLOWORIGIN = "cors-alloworigin", Api, Kind::Value("ORIGIN"), "",
        Some(described("cors.alloworigin", Differs("also under a context path"))),
        "The origin whose web pages may read replies of /api; * for all";
    ENABLE_METRICS = "enable-metrics", Api, Kind::Switch, "false",
        Some(museum("enablemetrics")),
        "Serve /metrics for Prometheus";

    MAX_UPLOAD_SIZE = "max-upload-size", Uploads, Kind::Value("BYTES"), "20971520",
        Some(museum("maxuploadsize")),
        "The largest body of an upload; 20971520 or 20MiB";
    MAX_UPLOADS = "max-uploads", Uploads, Kind::Value("COUNT"), "16", OURS,
        "How many uploads are received at once; further ones are told to come back. Uploads take this much memory: max-uploads times max-upload-size";
    ALLOW_OVERWRITE = "allow-overwrite", Uploads, Kind::Switch, "false",
        Some(museum("allowoverwrite")),
        "Let an upload replace a version that exists, without ?force";
    DISABLE_FORCE_OVERWRITE = "disable-force-overwrite", Uploads, Kind::Switch, "false",
        Some(museum("disableforceoverwrite")),
        "Refuse to replace a version that exists, even with ?force";
    CHART_POST_FORM_FIELD_NAME = "chart-post-form-field-name", Uploads, Kind::Value("NAME"), "chart",
        Some(museum("chartpostformfieldname")),
        "The field of a form that holds an archive; `chart` stays one";
    PROV_POST_FORM_FIELD_NAME = "prov-post-form-field-name", Uploads, Kind::Value("NAME"), "prov",
        Some(museum("provpostformfieldname")),
        "The field of a form that holds a provenance; `prov` stays one";
    PROVENANCE = "provenance", Uploads, Kind::Value("off|warn|require"), "off", OURS,
        "What becomes of an upload whose archive is not signed by a key of --keyring. warn: it is stored, with a line in the log. require: it is refused. off: nobody looks. See docs/provenance.md";
    KEYRING = "keyring", Uploads, Kind::Value("FILE"), "", OURS,
        "The public keys whose signatures count, as `gpg --export` writes them, with --armor or without; read again when it changes";

    INDEX_FORMAT = "index-format", Index, Kind::Value("auto|yaml|json"), "auto", OURS,
        "What index.yaml holds. auto: JSON for helm, which reads it several times faster, and YAML for everybody else";
    JSON_INDEX = "json-index", Index, Kind::Switch, "false",
        Some(described("json-index", Differs("off leaves `--index-format auto`"))),
        "The same as --index-format json";
    CHART_URL = "chart-url", Index, Kind::Value("URL"), "",
        Some(museum("charturl")),
        "What URLs in the index begin with. The default is relative URLs, which work wherever the index is served";
    GEN_INDEX = "gen-index", Index, Kind::Switch, "false",
        Some(described("genindex", Differs("together with a depth it stops the start"))),
        "Print the index and end";

    LOG_FORMAT = "log-format", Logging, Kind::Value("text|json|chartmuseum"), "text", OURS,
        "How log lines are written to stderr. chartmuseum: JSON with the keys of ChartMuseum's";
    LOG_JSON = "log-json", Logging, Kind::Switch, "false",
        Some(museum("logjson")),
        "The same as --log-format json; in ChartMuseum's configuration, as --log-format chartmuseum";
    LOG_LEVEL = "log-level", Logging, Kind::Value("error|warn|info|debug|trace"), "info", OURS,
        "The least severe lines to write";
    DEBUG = "debug", Logging, Kind::Switch, "false",
        Some(museum("debug")),
        "The same as --log-level debug";
    AUDIT_LOG = "audit-log", Logging, Kind::Value("FILE|-"), "", OURS,
        "Where each request that needs a right leaves a line of JSON: who, from where, what, in which repository, allowed or refused and by which rule. A file that is renamed away is made anew; - is stdout";
    LOG_HEALTH = "log-health", Logging, Kind::Switch, "false",
        Some(museum("loghealth")),
        "Log successful /health and /ready requests too";
    LOG_LATENCY_INTEGER = "log-latency-integer", Logging, Kind::Switch, "false",
        Some(museum("loglatencyinteger")),
        "With --log-format chartmuseum, log how long a request took as a number of nanoseconds and not as a text";

    CONFIG = "config", General, Kind::Value("FILE"), "",
        Some(museum("")),
        "A YAML file with options: the same names, without the dashes in front; or ChartMuseum's own file";

    STORAGE_LOCAL_ROOTDIR = "storage-local-rootdir", MuseumStorage, Kind::Value("DIR"), "",
        Some(museum("storage.local.rootdir")),
        "The directory of --storage=local";
    STORAGE_AMAZON_BUCKET = "storage-amazon-bucket", MuseumStorage, Kind::Value("NAME"), "",
        Some(museum("storage.amazon.bucket")),
        "The bucket of --storage=amazon";
    STORAGE_AMAZON_PREFIX = "storage-amazon-prefix", MuseumStorage, Kind::Value("PREFIX"), "",
        Some(museum("storage.amazon.prefix")),
        "Where in the bucket of --storage=amazon charts are";
    STORAGE_AMAZON_REGION = "storage-amazon-region", MuseumStorage, Kind::Value("REGION"), "",
        Some(described("storage.amazon.region", Differs("may also come from the AWS_* variables"))),
        "The same as --storage-region";
    STORAGE_AMAZON_ENDPOINT = "storage-amazon-endpoint", MuseumStorage, Kind::Value("URL"), "",
        Some(museum("storage.amazon.endpoint")),
        "The same as --storage-endpoint, for S3";
    STORAGE_AMAZON_SSE = "storage-amazon-sse", MuseumStorage, Kind::Value("AES256|aws:kms|aws:kms=KEY"), "",
        Some(museum("storage.amazon.sse")),
        "The same as --storage-sse";
    STORAGE_AMAZON_FORCE_PATH_STYLE = "storage-amazon-force-path-style", MuseumStorage, Kind::Switch, "",
        Some(museum_default("storage.amazon.forcepathstyle", "true", Same)),
        "The same as --storage-path-style";
    STORAGE_GOOGLE_BUCKET = "storage-google-bucket", MuseumStorage, Kind::Value("NAME"), "",
        Some(museum("storage.google.bucket")),
        "The bucket of --storage=google";
    STORAGE_GOOGLE_PREFIX = "storage-google-prefix", MuseumStorage, Kind::Value("PREFIX"), "",
        Some(museum("storage.google.prefix")),
        "Where in the bucket of --storage=google charts are";
    STORAGE_MICROSOFT_CONTAINER = "storage-microsoft-container", MuseumStorage, Kind::Value("NAME"), "",
        Some(museum("storage.microsoft.container")),
        "The container of --storage=microsoft";
    STORAGE_MICROSOFT_PREFIX = "storage-microsoft-prefix", MuseumStorage, Kind::Value("PREFIX"), "",
        Some(described("storage.microsoft.prefix", Differs("slashes at both ends do not count, as with the other services"))),
        "Where in the container of --storage=microsoft charts are";

    CACHE = "cache", MuseumNotNeeded, Kind::Value("redis"), "",
        Some(described("cache.store", NotNeeded(REDIS))),
        "Not needed: replicas share the storage alone";
    CACHE_REDIS_ADDR = "cache-redis-addr", MuseumNotNeeded, Kind::Value("ADDRESS"), "",
        Some(described("cache.redis.addr", NotNeeded(REDIS))),
        "Not needed, as --cache";
    CACHE_REDIS_PASSWORD = "cache-redis-password", MuseumNotNeeded, Kind::Value("PASSWORD"), "",
        Some(described("cache.redis.password", NotNeeded(REDIS))),
        "Not needed, as --cache";
    CACHE_REDIS_DB = "cache-redis-db", MuseumNotNeeded, Kind::Value("NUMBER"), "",
        Some(described("cache.redis.db", NotNeeded(REDIS))),
        "Not needed, as --cache";
    DISABLE_STATEFILES = "disable-statefiles", MuseumNotNeeded, Kind::Switch, "false",
        Some(described("disablestatefiles", NotNeeded("no index-cache.yaml is ever written; one that ChartMuseum left is read once, for the times in it"))),
        "Not needed: no state file is written";
    ALWAYS_REGENERATE_CHART_INDEX = "always-regenerate-chart-index", MuseumNotNeeded, Kind::Switch, "false",
        Some(described("always-regenerate-chart-index", NotNeeded("every upload and deletion is in the index at once, and with --freshness 0 those of other replicas too; files that hands put are seen within the refresh interval"))),
        "Not needed: the index is always current";
    ENFORCE_SEMVER2 = "enforce-semver2", MuseumNotNeeded, Kind::Switch, "false",
        Some(described("enforce-semver2", NotNeeded("versions are checked as helm checks them; ChartMuseum does not look at it either"))),
        "Not needed: versions are always checked";
    DISABLE_METRICS = "disable-metrics", MuseumNotNeeded, Kind::Switch, "false",
        Some(described("disablemetrics", NotNeeded("metrics are off without --enable-metrics; ChartMuseum does not look at it either"))),
        "Not needed: metrics are off without --enable-metrics";

    STORAGE_ALIBABA_BUCKET = "storage-alibaba-bucket", MuseumRefused, Kind::Value("NAME"), "", Some(described("storage.alibaba.bucket", Refused(ALIBABA))), STOPS;
    STORAGE_ALIBABA_PREFIX = "storage-alibaba-prefix", MuseumRefused, Kind::Value("PREFIX"), "", Some(described("storage.alibaba.prefix", Refused(ALIBABA))), STOPS;
    STORAGE_ALIBABA_ENDPOINT = "storage-alibaba-endpoint", MuseumRefused, Kind::Value("URL"), "", Some(described("storage.alibaba.endpoint", Refused(ALIBABA))), STOPS;
    STORAGE_ALIBABA_SSE = "storage-alibaba-sse", MuseumRefused, Kind::Value("SSE"), "", Some(described("storage.alibaba.sse", Refused(ALIBABA))), STOPS;
    STORAGE_BAIDU_BUCKET = "storage-baidu-bucket", MuseumRefused, Kind::Value("NAME"), "", Some(described("storage.baidu.bucket", Refused(BAIDU))), STOPS;
    STORAGE_BAIDU_PREFIX = "storage-baidu-prefix", MuseumRefused, Kind::Value("PREFIX"), "", Some(described("storage.baidu.prefix", Refused(BAIDU))), STOPS;
    STORAGE_BAIDU_ENDPOINT = "storage-baidu-endpoint", MuseumRefused, Kind::Value("URL"), "", Some(described("storage.baidu.endpoint", Refused(BAIDU))), STOPS;
    STORAGE_ETCD_ENDPOINT = "storage-etcd-endpoint", MuseumRefused, Kind::Value("URL"), "", Some(described("storage.etcd.endpoint", Refused(ETCD))), STOPS;
    STORAGE_ETCD_CAFILE = "storage-etcd-cafile", MuseumRefused, Kind::Value("FILE"), "", Some(described("storage.etcd.cafile", Refused(ETCD))), STOPS;
    STORAGE_ETCD_CERTFILE = "storage-etcd-certfile", MuseumRefused, Kind::Value("FILE"), "", Some(described("storage.etcd.certfile", Refused(ETCD))), STOPS;
    STORAGE_ETCD_KEYFILE = "storage-etcd-keyfile", MuseumRefused, Kind::Value("FILE"), "", Some(described("storage.etcd.keyfile", Refused(ETCD))), STOPS;
    STORAGE_ETCD_PREFIX = "storage-etcd-prefix", MuseumRefused, Kind::Value("PREFIX"), "", Some(described("storage.etcd.prefix", Refused(ETCD))), STOPS;
    STORAGE_OPENSTACK_CONTAINER = "storage-openstack-container", MuseumRefused, Kind::Value("NAME"), "", Some(described("storage.openstack.container", Refused(OPENSTACK))), STOPS;
    STORAGE_OPENSTACK_PREFIX = "storage-openstack-prefix", MuseumRefused, Kind::Value("PREFIX"), "", Some(described("storage.openstack.prefix", Refused(OPENSTACK))), STOPS;
    STORAGE_OPENSTACK_REGION = "storage-openstack-region", MuseumRefused, Kind::Value("REGION"), "", Some(described("storage.openstack.region", Refused(OPENSTACK))), STOPS;
    STORAGE_OPENSTACK_CACERT = "storage-openstack-cacert", MuseumRefused, Kind::Value("FILE"), "", Some(described("storage.openstack.cacert", Refused(OPENSTACK))), STOPS;
    STORAGE_OPENSTACK_AUTH = "storage-openstack-auth", MuseumRefused, Kind::Value("AUTH"), "", Some(described("storage.openstack.auth", Refused(OPENSTACK))), STOPS;
    STORAGE_ORACLE_BUCKET = "storage-oracle-bucket", MuseumRefused, Kind::Value("NAME"), "", Some(described("storage.oracle.bucket", Refused(ORACLE))), STOPS;
    STORAGE_ORACLE_PREFIX = "storage-oracle-prefix", MuseumRefused, Kind::Value("PREFIX"), "", Some(described("storage.oracle.prefix", Refused(ORACLE))), STOPS;
    STORAGE_ORACLE_REGION = "storage-oracle-region", MuseumRefused, Kind::Value("REGION"), "", Some(described("storage.oracle.region", Refused(ORACLE))), STOPS;
    STORAGE_ORACLE_COMPARTMENTID = "storage-oracle-compartmentid", MuseumRefused, Kind::Value("ID"), "", Some(described("storage.oracle.compartmentid", Refused(ORACLE))), STOPS;
    STORAGE_TENCENT_BUCKET = "storage-tencent-bucket", MuseumRefused, Kind::Value("NAME"), "", Some(described("storage.tencent.bucket", Refused(TENCENT))), STOPS;
    STORAGE_TENCENT_PREFIX = "storage-tencent-prefix", MuseumRefused, Kind::Value("PREFIX"), "", Some(described("storage.tencent.prefix", Refused(TENCENT))), STOPS;
    STORAGE_TENCENT_ENDPOINT = "storage-tencent-endpoint", MuseumRefused, Kind::Value("URL"), "", Some(described("storage.tencent.endpoint", Refused(TENCENT))), STOPS;
    WEB_TEMPLATE_PATH = "web-template-path", MuseumRefused, Kind::Value("DIR"), "",
        Some(described("web-template-path", Refused("chartroom has a page of its own at /; put a page of yours on a web server in front of it"))),
        STOPS;
}
