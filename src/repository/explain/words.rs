//! An explanation in words, for a person who was woken at night.

use chrono::{DateTime, Utc};

use super::{Explanation, Reason};
use crate::repository::change::Origin;

const PUT_BACK: &str = "put the archive back from a backup, or upload the version again with force; no repair \
                        deletes it";

/// Says why.
pub(super) fn sentence(explanation: &Explanation) -> String {
    let Explanation {
        name,
        version,
        facts,
        ..
    } = explanation;
    let it = format!("{name} {version}");
    let file = facts.file.as_deref().unwrap_or_default();
    match explanation.reason {
        Reason::Listed => format!(
            "{it} is in the index: {file}, {}{}",
            origin(explanation),
            waiting(explanation)
        ),
        Reason::ListedWithoutObject => format!(
            "{it} is in the index as {file}, {}, and that file is not in the store",
            origin(explanation)
        ),
        Reason::ListedAsAnotherObject => {
            let problem = facts.problem.as_ref();
            let problem = problem.map(|problem| format!(", and helm would not load it: {problem}"));
            format!(
                "{it} is in the index as {file}, {}, and that file is another one since {}{}",
                origin(explanation),
                stored(explanation),
                problem.unwrap_or_default()
            )
        }
        Reason::BeingDeleted => {
            let there = match facts.stored_object {
                Some(_) => "is still there",
                None => "is gone already",
            };
            format!(
                "{it} is being deleted{}, and {file} {there}",
                at(explanation)
            )
        }
        Reason::NotEntered => format!(
            "{file} is in the store since {} and holds {it}, and the log does not know it yet",
            stored(explanation)
        ),
        Reason::NoLog => {
            format!("{file} is in the store and holds {it}, and no server has started here yet")
        }
        Reason::Unreadable => format!(
            "{file} is in the store since {}, and helm would not load it: {}",
            stored(explanation),
            facts.problem.as_deref().unwrap_or_default()
        ),
        Reason::OtherChart => {
            let held = facts.holds.as_ref();
            let held = held.map(|held| format!("{} {}", held.name, held.version));
            format!(
                "{file} is in the store, but its Chart.yaml says that it is {}",
                held.unwrap_or_default()
            )
        }
        Reason::Deleted => format!("{it} was deleted{}", at(explanation)),
        Reason::Dropped => format!(
            "{it} left the index{}, because a refresh found that {file} was not in the store any more",
            at(explanation)
        ),
        Reason::SpelledDifferently => {
            let spellings: Vec<String> = explanation
                .near
                .iter()
                .map(|near| format!("{} {}", near.name, near.version))
                .collect();
            format!(
                "{it} is not in the index, which has {}",
                spellings.join(", ")
            )
        }
        Reason::NotFound => format!(
            "there is no {file} in the store{}",
            unmentioned(explanation)
        ),
        Reason::NoRepository => {
            format!("{it} is not there: there is no such repository, neither a log nor an archive")
        }
        Reason::ImpossibleName => {
            format!("no archive can be called {it}: name and version do not make a file name")
        }
    }
}

/// Says what to do.
pub(super) fn advice(explanation: &Explanation) -> String {
    let text = match explanation.reason {
        Reason::Listed => {
            let generation = explanation.facts.changed_at_generation.unwrap_or_default();
            return format!(
                "a client that does not see it has an older index: let it update (helm repo update); replicas \
                 whose X-Chartroom-Generation is {generation} or more have it"
            );
        }
        Reason::ListedWithoutObject => {
            "put the file back; otherwise the next refresh, or chartroom check --repair, drops the entry"
        }
        Reason::ListedAsAnotherObject if explanation.facts.problem.is_some() => PUT_BACK,
        Reason::ListedAsAnotherObject | Reason::NotEntered => {
            "the next refresh enters it (--refresh-interval), or chartroom check --repair at once"
        }
        Reason::BeingDeleted => {
            "a server that runs ends the deletion within half a minute; without one, chartroom check --repair \
             does"
        }
        Reason::NoLog => "the first start of a server adopts it",
        Reason::Unreadable => PUT_BACK,
        Reason::OtherChart => {
            "ask for the chart and version that it holds, or package the right one; a file's name does not count"
        }
        Reason::Deleted => "upload it again if it is wanted",
        Reason::Dropped => "put the file back or upload it again if it is wanted",
        Reason::SpelledDifferently => "ask for it as the index spells it",
        Reason::NotFound if !explanation.versions.is_empty() => {
            return format!(
                "the newest versions of the chart are {}; if the archive has a file name of its own, chartroom \
                 check names it",
                explanation.versions.join(", ")
            );
        }
        Reason::NotFound => {
            "upload it; if the archive has a file name of its own, or lies in another repository, chartroom check \
             names it"
        }
        Reason::NoRepository => {
            "look at the repository's path; the first upload makes a repository"
        }
        Reason::ImpossibleName => "ask for a chart's name and a version, such as nginx 1.2.3",
    };
    text.to_owned()
}

fn origin(explanation: &Explanation) -> String {
    let facts = &explanation.facts;
    let created = facts.created.map(time).unwrap_or_default();
    let generation = facts.changed_at_generation.unwrap_or_default();
    match facts.origin {
        Some(Origin::Upload) => format!("uploaded at {created} (generation {generation})"),
        _ => format!(
            "found in the store by a refresh{}, where it is from {created}",
            at(explanation)
        ),
    }
}

fn waiting(explanation: &Explanation) -> String {
    match explanation.facts.waiting.as_slice() {
        [] => String::new(),
        files => format!("; the same version waits in {}", files.join(", ")),
    }
}

fn unmentioned(explanation: &Explanation) -> String {
    if explanation.generation.is_none() {
        return ", and there is no log here".to_owned();
    }
    let Some(since) = explanation.facts.unmentioned_since else {
        return String::new();
    };
    match since {
        0 | 1 => ", and the log has never mentioned it".to_owned(),
        _ => format!(
            ", and the log, as far as it was read (back to generation {since}), does not mention it"
        ),
    }
}

fn at(explanation: &Explanation) -> String {
    let facts = &explanation.facts;
    match (facts.changed_at, facts.changed_at_generation) {
        (Some(moment), Some(generation)) => {
            format!(" at {} (generation {generation})", time(moment))
        }
        (None, Some(generation)) => format!(" at generation {generation}"),
        _ => String::new(),
    }
}

fn stored(explanation: &Explanation) -> String {
    let object = explanation.facts.stored_object.as_ref();
    object
        .map(|object| time(object.modified))
        .unwrap_or_default()
}

fn time(moment: DateTime<Utc>) -> String {
    moment.format("%FT%TZ").to_string()
}
