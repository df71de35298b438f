//! What every store must do, whatever it is made of.

mod listings;
mod names;
mod reads;
mod writes;

use std::error::Error;
use std::fmt;
use std::pin::Pin;

use bytes::Bytes;

use crate::{Key, RepositoryPath, StorageError, StorageErrorKind, Store};

type CaseResult = Result<(), Box<dyn Error + Send + Sync>>;
type CaseRun = Pin<Box<dyn Future<Output = CaseResult> + Send>>;

/// A case of the contract that a store does not fulfil.
#[derive(Debug, thiserror::Error)]
#[error("the store breaks its contract: {case}")]
pub struct ContractError {
    case: &'static str,
    source: Box<dyn Error + Send + Sync>,
}

impl ContractError {
    /// Returns the name of the case.
    pub fn case(&self) -> &'static str {
        self.case
    }
}

struct Case {
    name: &'static str,
    run: Box<dyn Fn(Store) -> CaseRun + Send>,
}

fn case<F>(name: &'static str, run: fn(Store) -> F) -> Case
where
    F: Future<Output = CaseResult> + Send + 'static,
{
    Case {
        name,
        run: Box::new(move |store| Box::pin(run(store))),
    }
}

fn cases() -> Vec<Case> {
    vec![
        case("one of 16 racing creates wins", writes::one_create_wins),
        case("a create over an object fails", writes::create_is_refused),
        case("a replace takes the place", writes::replace_takes_the_place),
        case("a deleted object is gone", writes::deleted_is_gone),
        case("only the named object is deleted", writes::delete_is_exact),
        case("what is missing is NotFound", reads::missing_is_not_found),
        case("objects of 0 bytes", reads::empty_objects),
        case("ranges", reads::ranges),
        case("a large body streams", reads::large_bodies_stream),
        case(
            "a reader keeps the object it began",
            reads::readers_keep_their_object,
        ),
        case("put, head, get and list agree", reads::identities_agree),
        case(
            "another object has another identity",
            reads::identities_differ,
        ),
        case("odd names stay as they are", names::odd_names_stay),
        case("a prefix is never left", names::prefixes_are_never_left),
        case("a file is no folder", names::a_file_is_no_folder),
        case(
            "a listing is delimited and sorted",
            listings::delimited_and_sorted,
        ),
        case("an empty place lists nothing", listings::empty_place),
        case("repositories are listed", listings::repositories),
        case("list_below is deep and sorted", listings::below_is_deep),
        case(
            "list_below begins after a key",
            listings::below_begins_after,
        ),
    ]
}

/// Runs every case, each in a place of its own below the store's prefix, which stays behind. Returns
/// how many there are.
///
/// # Errors
/// Fails with the first case that the store does not fulfil.
pub async fn check_store(store: &Store) -> Result<usize, ContractError> {
    let run = uuid::Uuid::new_v4().simple().to_string();
    let cases = cases();
    let count = cases.len();
    for (number, case) in cases.into_iter().enumerate() {
        let fail = |source: Box<dyn Error + Send + Sync>| ContractError {
            case: case.name,
            source,
        };
        let place = RepositoryPath::parse(&format!("contract-{run}/{number:02}"))
            .map_err(|error| fail(error.into()))?;
        (case.run)(store.within(&place)).await.map_err(fail)?;
    }
    Ok(count)
}

/// What a case expected and did not find.
#[derive(Debug)]
struct Unexpected(String);

impl fmt::Display for Unexpected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Error for Unexpected {}

fn expect(holds: bool, what: &str) -> CaseResult {
    if holds {
        return Ok(());
    }
    Err(Unexpected(format!("not so: {what}")).into())
}

fn expect_equal<T: PartialEq + fmt::Debug>(found: &T, expected: &T, what: &str) -> CaseResult {
    if found == expected {
        return Ok(());
    }
    Err(Unexpected(format!("{what}: found {found:?}, expected {expected:?}")).into())
}

fn expect_kind<T: fmt::Debug>(
    found: Result<T, StorageError>,
    expected: StorageErrorKind,
    what: &str,
) -> CaseResult {
    match found {
        Err(error) if error.kind() == expected => Ok(()),
        Err(error) => Err(Box::new(error)),
        Ok(found) => {
            Err(Unexpected(format!("{what}: found {found:?}, expected {expected:?}")).into())
        }
    }
}

/// Puts objects whose bytes are their own keys.
async fn put_all(store: &Store, keys: &[&str]) -> CaseResult {
    for key in keys {
        let body = Bytes::copy_from_slice(key.as_bytes());
        store.create(&Key::parse(key)?, body).await?;
    }
    Ok(())
}
