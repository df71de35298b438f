//! What is tried of a store, and what is found out about one that is not good enough.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chartroom_storage::probe::{ProbeError, Step, honours_create, probe};
use chartroom_storage::testing::{Action, Faulty, Op};
use chartroom_storage::{StorageErrorKind, Store, Timeouts};
use futures_util::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// A store that takes a condition for a mere wish, as some that speak S3 do.
#[derive(Debug, Default)]
struct Careless(InMemory);

impl fmt::Display for Careless {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Careless")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Careless {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        mut options: PutOptions,
    ) -> Result<PutResult> {
        options.mode = PutMode::Overwrite;
        self.0.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

fn faulty() -> (Faulty, Store) {
    let faulty = Faulty::new(Arc::new(InMemory::new()));
    let store = faulty.store(Timeouts::default());
    (faulty, store)
}

/// The steps, each with whether it worked.
async fn steps(store: &Store) -> Vec<(Step, bool)> {
    let tried = probe(store).await;
    tried
        .iter()
        .map(|tried| (tried.step, tried.result.is_ok()))
        .collect()
}

async fn is_empty(store: &Store) -> bool {
    let folder = chartroom_storage::Key::parse(".chartroom").unwrap();
    store.list_below(&folder, None).await.unwrap().is_empty()
}

#[tokio::test]
async fn a_good_store_passes_every_step_and_nothing_stays() {
    let (_, store) = faulty();
    let expected = [
        Step::List,
        Step::Create,
        Step::CreateAgain,
        Step::Replace,
        Step::Read,
        Step::ReadRange,
        Step::Delete,
    ];
    assert_eq!(steps(&store).await, expected.map(|step| (step, true)));
    assert!(honours_create(&store).await.unwrap());
    assert!(is_empty(&store).await);
}

#[tokio::test]
async fn a_store_that_ignores_the_condition_is_found_out() {
    let store = Store::new(Arc::new(Careless::default()), Timeouts::default());
    let tried = probe(&store).await;
    let failed: Vec<_> = tried.iter().filter(|tried| tried.result.is_err()).collect();
    assert_eq!(failed.len(), 1, "{tried:?}");
    assert_eq!(failed[0].step, Step::CreateAgain);
    assert!(matches!(
        failed[0].result,
        Err(ProbeError::IgnoresCondition)
    ));
    assert!(!honours_create(&store).await.unwrap());
    assert!(is_empty(&store).await);
}

#[tokio::test]
async fn a_right_that_is_missing_is_named_by_its_step() {
    let denied = Action::Fail(StorageErrorKind::Denied);
    for (op, failing) in [
        (Op::List, vec![Step::List]),
        (Op::Get, vec![Step::Read, Step::ReadRange]),
        (Op::Delete, vec![Step::Delete]),
        (Op::Put, vec![Step::Create]),
    ] {
        let (faulty, store) = faulty();
        faulty.rule_times(9, op, |_| true, denied.clone());
        let steps = steps(&store).await;
        let failed: Vec<Step> = steps
            .iter()
            .filter(|(_, worked)| !worked)
            .map(|(step, _)| *step)
            .collect();
        assert_eq!(failed, failing, "{op:?}: {steps:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_in_doubt_is_deleted_too() {
    let (faulty, store) = faulty();
    let late = Action::ExecuteLate(Duration::from_secs(1));
    faulty.rule(Op::Put, |_| true, late);
    let steps = steps(&store).await;
    let expected = [
        (Step::List, true),
        (Step::Create, false),
        (Step::Delete, true),
    ];
    assert_eq!(steps, expected);
    assert!(is_empty(&store).await);
    faulty.rule(Op::Put, |_| true, Action::LoseReply);
    assert!(honours_create(&store).await.is_err(), "nothing is known");
}
