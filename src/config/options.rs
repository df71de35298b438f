//! The one table of options. Flags, `CHARTROOM_*` variables, keys of the configuration file, `--help`
//! and docs/configuration.md are all made from it; a new option is one constant here, its name in
//! [`ALL`], and one line where [`Config`](super::Config) reads it.

/// One option, in all its forms.
#[derive(Debug)]
pub struct Definition {
    /// The flag without its dashes, which is also the key in the configuration file.
    pub name: &'static str,
    /// The heading that it stands under.
    pub group: Group,
    /// What it takes.
    pub kind: Kind,
    /// The text of the default; empty if it is not a constant or if there is none.
    pub default: &'static str,
    /// What it does, in one or two sentences.
    pub help: &'static str,
}

/// A heading of `--help` and of docs/configuration.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the headings explain themselves")]
pub enum Group {
    Storage,
    Listening,
    Uploads,
    Index,
    Logging,
    General,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text; with its placeholder, or with the words that it may be.
    Value(&'static str),
    /// Nothing, or `=true` or `=false`.
    Switch,
}

impl Group {
    /// Returns the heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Storage => "Storage",
            Self::Listening => "Listening",
            Self::Uploads => "Uploads",
            Self::Index => "Index",
            Self::Logging => "Logging",
            Self::General => "General",
        }
    }
}

impl Definition {
    /// Returns the environment variable: `max-upload-size` is `CHARTROOM_MAX_UPLOAD_SIZE`.
    pub fn variable(&self) -> String {
        let name = self.name.to_ascii_uppercase().replace('-', "_");
        format!("{VARIABLE_PREFIX}{name}")
    }
}

/// What every variable of ours begins with.
pub const VARIABLE_PREFIX: &str = "CHARTROOM_";

macro_rules! options {
    ($($constant:ident = $name:literal, $group:ident, $kind:expr, $default:literal, $help:literal;)*) => {
        $(
            #[doc = concat!("`--", $name, "`")]
            pub static $constant: Definition = Definition {
                name: $name,
                group: Group::$group,
                kind: $kind,
                default: $default,
                help: $help,
            };
        )*

        /// Every option, in the order of `--help`.
        pub static ALL: &[&Definition] = &[$(&$constant),*];
    };
}

options! {
    STORAGE = "storage", Storage, Kind::Value("URL|PATH"), "",
        "Where charts are kept: a directory, file:// or memory:. The same as DIR. The default is a directory of the user's, such as ~/.local/share/chartroom/charts";
    FRESHNESS = "freshness", Storage, Kind::Value("DURATION"), "1s",
        "How old what is served may be when other replicas write to the same storage; 0 looks before every index";
    REFRESH_INTERVAL = "refresh-interval", Storage, Kind::Value("DURATION"), "30s",
        "How often the storage is listed for archives that were put or removed by hand; 0 is never";

    LISTEN_HOST = "listen-host", Listening, Kind::Value("ADDRESS"), "127.0.0.1",
        "The address to listen on; 0.0.0.0 or :: for all";
    PORT = "port", Listening, Kind::Value("PORT"), "8879",
        "The port to listen on; 0 takes a free one";
    MAX_CONNECTIONS = "max-connections", Listening, Kind::Value("COUNT"), "1024",
        "How many connections are served at once; further ones wait in the kernel's queue";
    HEADER_TIMEOUT = "header-timeout", Listening, Kind::Value("DURATION"), "10s",
        "How long a client may take to send the head of a request, and how long a connection may be idle";
    READ_TIMEOUT = "read-timeout", Listening, Kind::Value("DURATION"), "30s",
        "How long a client may take to send the whole body of a request";
    WRITE_TIMEOUT = "write-timeout", Listening, Kind::Value("DURATION"), "30s",
        "How long a client may go without taking any of a reply";
    DRAIN_TIMEOUT = "drain-timeout", Listening, Kind::Value("DURATION"), "20s",
        "How long running requests may take to end after SIGTERM or SIGINT; a second signal ends them at once";

    MAX_UPLOAD_SIZE = "max-upload-size", Uploads, Kind::Value("BYTES"), "20971520",
        "The largest body of an upload; 20971520 or 20MiB";
    MAX_UPLOADS = "max-uploads", Uploads, Kind::Value("COUNT"), "16",
        "How many uploads are received at once; further ones are told to come back. Uploads take this much memory: max-uploads times max-upload-size";
    ALLOW_OVERWRITE = "allow-overwrite", Uploads, Kind::Switch, "false",
        "Let an upload replace a version that exists, without ?force";
    DISABLE_FORCE_OVERWRITE = "disable-force-overwrite", Uploads, Kind::Switch, "false",
        "Refuse to replace a version that exists, even with ?force";

    INDEX_FORMAT = "index-format", Index, Kind::Value("auto|yaml|json"), "auto",
        "What index.yaml holds. auto: JSON for helm, which reads it several times faster, and YAML for everybody else";

    LOG_FORMAT = "log-format", Logging, Kind::Value("text|json"), "text",
        "How log lines are written to stderr";
    LOG_JSON = "log-json", Logging, Kind::Switch, "false",
        "The same as --log-format json";
    LOG_LEVEL = "log-level", Logging, Kind::Value("error|warn|info|debug|trace"), "info",
        "The least severe lines to write";
    DEBUG = "debug", Logging, Kind::Switch, "false",
        "The same as --log-level debug";
    LOG_HEALTH = "log-health", Logging, Kind::Switch, "false",
        "Log successful /health and /ready requests too";

    CONFIG = "config", General, Kind::Value("FILE"), "",
        "A YAML file with options: the same names, without the dashes in front";
}
