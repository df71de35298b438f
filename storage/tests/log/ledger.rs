//! The smallest machine that shows what a log does: accounts that are opened, changed and closed.

use std::collections::BTreeMap;

use chartroom_storage::log::{Frozen, Identity, Item, Log, LogOptions, Machine, Outcome, Proposal};
use chartroom_storage::{Clock, StorageError, Store};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Sets an account to a value, or closes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) account: String,
    pub(crate) value: Option<u64>,
}

/// Accounts, and the generation that last changed each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ledger {
    pub(crate) identity: String,
    pub(crate) accounts: BTreeMap<String, (u64, Option<u64>)>,
    pub(crate) generation: u64,
    floor: u64,
}

pub(crate) type LedgerLog = Log<Ledger>;

impl Ledger {
    /// The accounts that are open: what replicas must agree on.
    pub(crate) fn open(&self) -> Vec<(String, u64)> {
        self.accounts
            .iter()
            .filter_map(|(account, (_, value))| Some((account.clone(), (*value)?)))
            .collect()
    }
}

impl Machine for Ledger {
    type Change = Entry;
    type Frozen = Self;
    type Setup = ();

    fn fresh((): &(), identity: &Identity, _created: DateTime<Utc>) -> Self {
        Self {
            identity: identity.to_string(),
            accounts: BTreeMap::new(),
            generation: 0,
            floor: 0,
        }
    }

    fn restore(&mut self, items: Vec<Item<Entry>>) {
        for item in items {
            self.accounts
                .insert(item.change.account, (item.generation, item.change.value));
        }
    }

    fn restored(&mut self, generation: u64, _time: DateTime<Utc>) {
        self.generation = generation;
        self.floor = generation;
    }

    fn apply(&mut self, generation: u64, _time: DateTime<Utc>, changes: Vec<Entry>) {
        assert_eq!(
            generation,
            self.generation + 1,
            "change sets come in order, each once"
        );
        for change in changes {
            self.accounts
                .insert(change.account, (generation, change.value));
        }
        self.generation = generation;
    }

    fn admits(&self, base: u64, change: &Entry) -> bool {
        let last = self
            .accounts
            .get(&change.account)
            .map_or(self.floor, |(changed, _)| *changed);
        last <= base
    }

    fn subject(change: &Entry) -> &str {
        &change.account
    }

    fn size(&self) -> usize {
        self.open().len()
    }

    fn freeze(&self) -> Self {
        self.clone()
    }
}

impl Frozen<Entry> for Ledger {
    fn items(&self) -> Box<dyn Iterator<Item = Item<Entry>> + '_> {
        Box::new(
            self.accounts
                .iter()
                .filter(|(_, (_, value))| value.is_some())
                .map(|(account, (generation, value))| Item {
                    generation: *generation,
                    change: Entry {
                        account: account.clone(),
                        value: *value,
                    },
                }),
        )
    }
}

/// Opens a ledger's log.
pub(crate) async fn open(store: &Store, options: LogOptions) -> Result<LedgerLog, StorageError> {
    // Follows tokio's clock, which some tests pause.
    let clock = Clock::paused(DateTime::UNIX_EPOCH);
    Log::open(store.clone(), clock, options, ()).await
}

/// Proposes one change, decided on what the log holds now.
pub(crate) fn proposal(log: &LedgerLog, account: &str, value: Option<u64>) -> Proposal<Entry> {
    let change = Entry {
        account: account.to_owned(),
        value,
    };
    Proposal::alone(log.base(), change)
}

/// Appends one change, decided on what the log holds now.
pub(crate) async fn set(log: &mut LedgerLog, account: &str, value: u64) -> Outcome {
    let proposal = proposal(log, account, Some(value));
    let mut outcomes = log.append(vec![proposal]).await;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

/// The generation of an outcome that must be a success.
pub(crate) fn appended(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Appended(generation) => *generation,
        other => panic!("expected an append, got {other:?}"),
    }
}
