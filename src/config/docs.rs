//! docs/configuration.md, made from the table of options.

use std::fmt::Write;

use super::backend::{self, Backend};
use super::options::{self, Definition, Group, Here, Kind, Museum};

const INTRODUCTION: &str = "\
# Configuration

<!-- Made from src/config/options/table.rs. To write it anew: CHARTROOM_UPDATE_DOCS=1 cargo test --lib config -->

Every option is a flag, a variable and a key of a YAML file. A flag wins over a variable, a variable over the file, and the
file over the default. Everything that is wrong is reported at once, at start, with exit code 2; a key of the file that is no
option is an error. Who comes from ChartMuseum keeps its flags, variables and file: see
[In ChartMuseum's place](#in-chartmuseums-place).

```yaml
# chartroom --config chartroom.yaml, or CHARTROOM_CONFIG=chartroom.yaml
storage: /var/lib/charts
listen-host: 0.0.0.0
max-upload-size: 50MiB
log-json: true
artifact-hub-repo-id:
  org/team: 5ee4e1f7-6b9c-4a0e-b0a5-8d3f3f0d7f10
```

Durations are `30s`, `500ms`, `2m`, `1h30m`, or a number of seconds. Sizes are bytes, or `20MiB`. A switch is on as `--debug` or
`--debug=true`. An empty variable counts as one that is not set. A text that YAML could take for a number, such as a password, is
written in quotes.

A bucket's keys, and whatever else its own tools read, come from the variables of those tools: `AWS_*`, `GOOGLE_*`, `GCLOUD_*`,
`AZURE_*`, `STORAGE_EMULATOR_HOST`.
";

const IN_ITS_PLACE: &str = "
## In ChartMuseum's place

chartroom starts with ChartMuseum's own configuration when any source gives the name of one of its storage backends:
`--storage=amazon`, `STORAGE=amazon`, or `storage.backend: amazon` in the file. A directory of such a name is written `./amazon`.
Then, and only then:

- ChartMuseum's variables are read, which have no prefix. A flag wins over a `CHARTROOM_` variable, that over a bare one, and
  a bare one over the file. `CONFIG` is read too if the file that it names has `storage.backend`.
- Its defaults hold where ours differ; the table has them.
- The file is read in ChartMuseum's form: its keys, nested or with dots, in any case. Our names are keys of it too. A key
  that neither of us knows gets a line in the log.
- Storage options of a backend that is not the one in use get a line in the log. In our own configuration they are errors.

A value may be whatever ChartMuseum takes, and a little more: a duration without a unit is in seconds, and a switch may be `yes` or
`off`. A wrong one ends the start with exit code 2; ChartMuseum ends with 0, and says nothing if it stands in a variable. Flags have
two dashes.

`index.yaml` stays as `--index-format auto` has it: JSON for helm, whose every version reads it, from 3.13 on several times faster
than YAML, and YAML for everybody else. `--index-format yaml` is ChartMuseum's way.

A bucket's prefix has no slashes at its ends, and several in a row count as one. An endpoint without a scheme is an https one.
`AWS_INSECURE_SKIP_VERIFY=true` stops the start: give the authority of the server's certificate as `--storage-ca-cert`.

| flag | variable | key | here |
|---|---|---|---|
";

const BACKENDS: &str = "
Storage backends of ChartMuseum's that stop the start, and what to do instead. chartroom needs of a service that it can
create an object only if there is none (`If-None-Match: *`); whether one that speaks S3 can is for its own documentation to say.

| backend | instead |
|---|---|
";

const INSTEAD: &str = "chartroom does not have the backend: [what to do instead](configuration.md#in-chartmuseums-place)";

/// Returns the text of docs/configuration.md.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut group: Option<Group> = None;
    for definition in options::ALL {
        if matches!(
            definition.group,
            Group::MuseumNotNeeded | Group::MuseumRefused
        ) {
            continue;
        }
        if group != Some(definition.group) {
            let heading = definition.group.heading();
            // Writing to a String cannot fail.
            let _ = write!(
                text,
                "\n## {heading}\n\n| flag | variable | default | meaning |\n|---|---|---|---|\n"
            );
            group = Some(definition.group);
        }
        let _ = writeln!(text, "{}", row(definition));
    }
    text.push_str(IN_ITS_PLACE);
    for definition in options::ALL {
        if let Some(museum) = definition.museum {
            let _ = writeln!(text, "{}", museum_row(definition, museum));
        }
    }
    text.push_str(BACKENDS);
    for absent in backend::ABSENT {
        let _ = writeln!(text, "| `{}` | {} |", absent.name, absent.instead);
    }
    text
}

/// Returns the rows of docs/compatibility.md on ChartMuseum's options.
pub fn compared() -> String {
    let mut text = String::new();
    for definition in options::ALL {
        let Some(museum) = definition.museum else {
            continue;
        };
        let (verdict, how) = match museum.here {
            Here::Same => ("same", String::new()),
            Here::Differs(how) => ("fixed", how.to_owned()),
            Here::NotNeeded(why) => ("not needed", why.to_owned()),
            Here::Refused(_) if Backend::of_option(definition).is_some() => {
                ("not taken", INSTEAD.to_owned())
            }
            Here::Refused(instead) => ("not taken", instead.to_owned()),
        };
        let space = if how.is_empty() { "" } else { " " };
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "| `--{}` | {verdict} | {how}{space}|",
            definition.name
        );
    }
    text
}

fn row(definition: &Definition) -> String {
    let value = match definition.kind {
        Kind::Value(placeholder) | Kind::List(placeholder) => format!(" {placeholder}"),
        Kind::Switch => String::new(),
    };
    let flag = format!("--{}{value}", definition.name).replace('|', "\\|");
    let default = match definition.default {
        "" => String::new(),
        default => format!("`{default}`"),
    };
    let Definition { help, .. } = definition;
    format!(
        "| `{flag}` | `{}` | {default} | {help} |",
        definition.variable()
    )
}

fn museum_row(definition: &Definition, museum: Museum) -> String {
    let name = definition.name;
    let variable = definition.museum_variable().unwrap_or_default();
    let key = match museum.key {
        "" => String::new(),
        key => format!("`{key}`"),
    };
    let mut here = match (museum.here, Backend::of_option(definition)) {
        (Here::Same, _) => "same".to_owned(),
        (Here::Differs(how), _) => how.to_owned(),
        (Here::NotNeeded(why), _) => format!("taken and does nothing: {why}"),
        (Here::Refused(_), Some(_)) => "stops the start, see below".to_owned(),
        (Here::Refused(instead), None) => format!("stops the start: {instead}"),
    };
    if let Some(default) = museum.default {
        let _ = write!(here, "; the default is `{default}`");
    }
    format!("| `--{name}` | `{variable}` | {key} | {here} |")
}
