//! What may be stored for a version, given what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};

/// A chart's name and version.
pub(crate) type Version = (String, String);

/// The digest of what is listed, or nothing if nothing is.
pub(crate) type State = Option<String>;

/// For each version the states that it may be in. One state: it is certain.
///
/// A version that is not here was never sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beliefs {
    states: BTreeMap<Version, BTreeSet<State>>,
}

impl Beliefs {
    /// The states that a version may be in.
    pub(crate) fn of(&self, version: &Version) -> BTreeSet<State> {
        self.states
            .get(version)
            .cloned()
            .unwrap_or_else(|| BTreeSet::from([None]))
    }

    /// A reply told the state.
    pub(crate) fn know(&mut self, version: &Version, state: State) {
        self.states.insert(version.clone(), BTreeSet::from([state]));
    }

    /// A request without a clear reply may have led to a state, or changed nothing.
    pub(crate) fn suspect(&mut self, version: &Version, state: State) {
        let mut states = self.of(version);
        states.insert(state);
        self.states.insert(version.clone(), states);
    }

    /// A reply told that the version is there, and not which bytes.
    pub(crate) fn exclude_absence(&mut self, version: &Version) -> Result<(), String> {
        let mut states = self.of(version);
        states.remove(&None);
        if states.is_empty() {
            return Err(format!(
                "{version:?} is said to exist, and its deletion was acknowledged (or it was never sent)"
            ));
        }
        self.states.insert(version.clone(), states);
        Ok(())
    }

    /// An index told the state, which has to be a possible one.
    ///
    /// What is listed is certain from then on. What is not listed may still hide an object without a
    /// record, which a refresh enters, so that nothing more is known.
    pub(crate) fn observe(&mut self, version: &Version, state: &State) -> Result<(), String> {
        let states = self.of(version);
        if !states.contains(state) {
            let state = state.as_deref().unwrap_or("nothing");
            return Err(format!(
                "{version:?}: the index has {state}, and what was acknowledged allows {states:?}"
            ));
        }
        if state.is_some() {
            self.know(version, state.clone());
        }
        Ok(())
    }

    /// All versions that were ever sent.
    pub(crate) fn versions(&self) -> Vec<Version> {
        self.states.keys().cloned().collect()
    }

    /// Whether a version is certainly gone.
    pub(crate) fn is_gone(&self, version: &Version) -> bool {
        self.of(version) == BTreeSet::from([None])
    }
}
