//! Which requests arrived.

/// The kinds of request to a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// A create or replace.
    Put,
    /// A read of an object or a part of it.
    Get,
    /// A request for an object's identity.
    Head,
    /// A listing.
    List,
    /// A deletion.
    Delete,
}

#[derive(Default)]
pub(super) struct Journal {
    requests: Vec<(Op, String)>,
}

impl Journal {
    pub(super) fn record(&mut self, op: Op, key: &str) {
        self.requests.push((op, key.to_owned()));
    }

    pub(super) fn requests(&self) -> &[(Op, String)] {
        &self.requests
    }

    pub(super) fn count(&self, op: Op, fits: impl Fn(&str) -> bool) -> usize {
        let fitting = |request: &&(Op, String)| request.0 == op && fits(&request.1);
        self.requests.iter().filter(fitting).count()
    }

    pub(super) fn clear(&mut self) {
        self.requests.clear();
    }
}
