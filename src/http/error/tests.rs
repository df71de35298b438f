use super::*;
use chartroom_storage::Operation;

fn status(error: RepositoryError) -> (u16, Option<Duration>) {
    let failure = ApiError::from(error).failure();
    (failure.status.as_u16(), failure.retry_after)
}

fn storage(kind: StorageErrorKind) -> RepositoryError {
    StorageError::new(kind, Operation::Read, "secret/path").into()
}

#[test]
fn an_outage_is_503_and_never_404_or_409() {
    for (kind, expected) in [
        (StorageErrorKind::Unavailable, 503),
        (StorageErrorKind::Timeout, 503),
        (StorageErrorKind::NotFound, 500),
        (StorageErrorKind::AlreadyExists, 500),
        (StorageErrorKind::Denied, 500),
        (StorageErrorKind::Unsupported, 500),
        (StorageErrorKind::Corrupt, 500),
    ] {
        let (status, retry_after) = status(storage(kind));
        assert_eq!(status, expected, "{kind:?}");
        assert_eq!(retry_after.is_some(), expected == 503, "{kind:?}");
    }
}

#[test]
fn what_passes_says_when_to_come_back() {
    let busy = RepositoryError::Busy {
        retry_after: Duration::from_millis(200),
        reason: "secret".to_owned(),
    };
    let failure = ApiError::from(busy).failure();
    assert_eq!(failure.response("id").headers()[header::RETRY_AFTER], "1");
    let behind = RepositoryError::Behind {
        generation: 1,
        wanted: 2,
    };
    assert_eq!(status(behind), (503, Some(Duration::from_secs(1))));
    assert_eq!(status(RepositoryError::Closed).0, 503);
}

#[tokio::test]
async fn a_5xx_body_names_the_request_and_no_cause() {
    let error = ApiError::from(storage(StorageErrorKind::Denied));
    let error = Arc::new(error);
    let cause = Cause::new(Arc::clone(&error)).to_string();
    assert!(cause.contains("secret/path"), "{cause}");
    let response = error.failure().response("the-id");
    let body = axum::body::to_bytes(response.into_body(), 1000)
        .await
        .unwrap();
    let expected = r#"{"error":"internal server error","request_id":"the-id"}"#;
    assert_eq!(body, expected);
}
