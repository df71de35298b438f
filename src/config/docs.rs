//! docs/configuration.md, made from the table of options.

use std::fmt::Write;

use super::options::{self, Definition, Group, Kind};

const INTRODUCTION: &str = "\
# Configuration

<!-- Made from src/config/options.rs. To write it anew: CHARTROOM_UPDATE_DOCS=1 cargo test --lib config -->

Every option is a flag, a variable and a key of a YAML file. A flag wins over a variable, a variable over the file, and the
file over the default. Everything that is wrong is reported at once, at start, with exit code 2; a key of the file that is no
option is an error.

```yaml
# chartroom --config chartroom.yaml, or CHARTROOM_CONFIG=chartroom.yaml
storage: /var/lib/charts
listen-host: 0.0.0.0
max-upload-size: 50MiB
log-json: true
```

Durations are `30s`, `500ms`, `2m`, `1h`, or a number of seconds. Sizes are bytes, or `20MiB`. A switch is on as `--debug` or
`--debug=true`. An empty variable counts as one that is not set.
";

/// Returns the text of docs/configuration.md.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut group: Option<Group> = None;
    for definition in options::ALL {
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
