//! What an option is, in all its forms. [`ALL`] is the one table of them: flags, `CHARTROOM_*`
//! variables, keys of the configuration file, ChartMuseum's names, `--help` and
//! docs/configuration.md are all made from it. A new option is one constant there, and one line where
//! [`Config`](super::Config) reads it.

mod table;

pub use table::*;

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
    /// What it is in ChartMuseum's configuration; `None` for an option of ours alone.
    pub museum: Option<Museum>,
}

/// What an option is in ChartMuseum's configuration. The flag has the same name there.
#[derive(Clone, Copy, Debug)]
pub struct Museum {
    /// The key in its configuration file; empty if there is none.
    pub key: &'static str,
    /// The default of a start with ChartMuseum's configuration, where it is not ours.
    pub default: Option<&'static str>,
    /// What becomes of it here.
    pub here: Here,
}

/// What becomes of an option of ChartMuseum's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// It means the same.
    Same,
    /// It means the same, but for what the text says.
    Differs(&'static str),
    /// It is taken and does nothing; why it is not needed.
    NotNeeded(&'static str),
    /// It stops the start; what to do instead.
    Refused(&'static str),
}

/// A heading of `--help` and of docs/configuration.md.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the headings explain themselves")]
pub enum Group {
    Storage,
    Repositories,
    Listening,
    Tls,
    Access,
    Api,
    Uploads,
    Index,
    Logging,
    General,
    MuseumStorage,
    MuseumNotNeeded,
    MuseumRefused,
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text; with its placeholder, or with the words that it may be.
    Value(&'static str),
    /// Nothing, or `=true` or `=false`.
    Switch,
    /// Several texts: as a flag that is repeated, separated by commas, or as a list or map of the
    /// configuration file; with its placeholder.
    List(&'static str),
}

impl Group {
    /// Returns the heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::Storage => "Storage",
            Self::Repositories => "Repositories",
            Self::Listening => "Listening",
            Self::Tls => "TLS",
            Self::Access => "Access",
            Self::Api => "API",
            Self::Uploads => "Uploads",
            Self::Index => "Index",
            Self::Logging => "Logging",
            Self::General => "General",
            Self::MuseumStorage => "Storage in ChartMuseum's words",
            Self::MuseumNotNeeded => "ChartMuseum's options that are taken and do nothing",
            Self::MuseumRefused => "ChartMuseum's options that stop the start",
        }
    }

    /// Tells whether its options are of use only to somebody who comes from ChartMuseum.
    pub fn is_museum(self) -> bool {
        matches!(
            self,
            Self::MuseumStorage | Self::MuseumNotNeeded | Self::MuseumRefused
        )
    }
}

impl Definition {
    /// Returns the environment variable: `max-upload-size` is `CHARTROOM_MAX_UPLOAD_SIZE`.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.upper_case())
    }

    /// Returns ChartMuseum's variable: `max-upload-size` is `MAX_UPLOAD_SIZE`. One has a name of its
    /// own.
    pub fn museum_variable(&self) -> Option<String> {
        self.museum?;
        Some(match self.name {
            "cors-alloworigin" => "CORS_ALLOW_ORIGIN".to_owned(),
            _ => self.upper_case(),
        })
    }

    fn upper_case(&self) -> String {
        self.name.to_ascii_uppercase().replace('-', "_")
    }
}

/// What every variable of ours begins with.
pub const VARIABLE_PREFIX: &str = "CHARTROOM_";

/// An option that means the same in ChartMuseum, with its key there.
const fn museum(key: &'static str) -> Museum {
    described(key, Here::Same)
}

/// The same, with the default of a start with ChartMuseum's configuration.
const fn museum_default(key: &'static str, default: &'static str, here: Here) -> Museum {
    Museum {
        key,
        default: Some(default),
        here,
    }
}

/// The same, with what becomes of it here.
const fn described(key: &'static str, here: Here) -> Museum {
    Museum {
        key,
        default: None,
        here,
    }
}
