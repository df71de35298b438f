//! How long keys are kept, and when they are asked for.

use futures_util::future::join_all;
use jsonwebtoken::Algorithm;
use tokio::time::advance;

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

fn key(id: &str) -> SigningKey {
    SigningKey::new(Algorithm::ES256, id)
}

/// A token that is valid for days.
fn token(key: &SigningKey) -> String {
    key.sign(&with("exp", json!(NOW + 1_000_000)))
}

/// Lets what was started in the background end.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn keys_are_asked_for_once_for_all_that_wait() {
    let key = key("1");
    let script = Script::of(std::slice::from_ref(&key));
    script.take(Duration::from_secs(1));
    let issuers = issuers(&script);
    let token = token(&key);
    let results = join_all((0..50).map(|_| issuers.verify(&token))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_question_goes_on_without_whoever_asked() {
    let key = key("1");
    let script = Script::of(std::slice::from_ref(&key));
    script.take(Duration::from_secs(2));
    let issuers = issuers(&script);
    let token = token(&key);
    let hasty = tokio::time::timeout(Duration::from_secs(1), issuers.verify(&token)).await;
    assert!(hasty.is_err());
    advance(Duration::from_secs(2)).await;
    settle().await;
    assert!(issuers.verify(&token).await.is_ok());
    assert_eq!(script.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_last_as_long_as_the_issuer_says_within_bounds() {
    for (max_age, life) in [
        (None, HOUR),
        (Some(Duration::ZERO), 5 * MINUTE),
        (Some(20 * MINUTE), 20 * MINUTE),
        (Some(1000 * HOUR), 24 * HOUR),
    ] {
        let key = key("1");
        let script = Script::default();
        script.then(std::slice::from_ref(&key), max_age);
        let issuers = issuers(&script);
        let token = token(&key);
        issuers.verify(&token).await.unwrap();
        advance((life * 3 / 4).saturating_sub(SECOND)).await;
        issuers.verify(&token).await.unwrap();
        settle().await;
        assert_eq!(script.count(), 1, "{max_age:?}");
        advance(SECOND).await;
        issuers.verify(&token).await.unwrap();
        settle().await;
        assert_eq!(script.count(), 2, "{max_age:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn keys_that_age_are_asked_for_in_the_background() {
    let key = key("1");
    let script = Script::of(std::slice::from_ref(&key));
    let issuers = issuers(&script);
    let token = token(&key);
    issuers.verify(&token).await.unwrap();
    advance(50 * MINUTE).await;
    script.take(MINUTE);
    let began = tokio::time::Instant::now();
    issuers.verify(&token).await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO);
    settle().await;
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_taken_at_once_and_its_predecessor_no_more() {
    let (old, new) = (key("old"), key("new"));
    let script = Script::of(std::slice::from_ref(&old));
    let issuers = issuers(&script);
    issuers.verify(&token(&old)).await.unwrap();
    script.then(&[old.clone(), new.clone()], None);
    issuers.verify(&token(&new)).await.unwrap();
    issuers.verify(&token(&old)).await.unwrap();
    assert_eq!(script.count(), 2);
    script.then(std::slice::from_ref(&new), None);
    advance(HOUR).await;
    let result = issuers.verify(&token(&old)).await;
    assert_eq!(refused(result), TokenRefusal::UnknownKey);
    issuers.verify(&token(&new)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn names_of_keys_that_are_made_up_do_not_flood_the_issuer() {
    let key = key("1");
    let script = Script::of(std::slice::from_ref(&key));
    let issuers = issuers(&script);
    issuers.verify(&token(&key)).await.unwrap();
    for second in 0..60 {
        for number in 0..10 {
            let forged = self::key(&format!("forged-{second}-{number}"));
            let result = issuers.verify(&token(&forged)).await;
            assert_eq!(refused(result), TokenRefusal::UnknownKey);
        }
        issuers.verify(&token(&key)).await.unwrap();
        advance(SECOND).await;
    }
    // At first, at second 0 and at second 30.
    assert_eq!(script.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn while_the_issuer_is_down_known_keys_serve_an_hour_beyond_their_time() {
    let key = key("1");
    let script = Script::of(std::slice::from_ref(&key));
    let issuers = issuers(&script);
    let token = token(&key);
    issuers.verify(&token).await.unwrap();
    script.fall_silent();
    for _ in 0..119 {
        advance(MINUTE).await;
        issuers.verify(&token).await.unwrap();
    }
    advance(MINUTE.saturating_sub(SECOND)).await;
    issuers.verify(&token).await.unwrap();
    advance(SECOND).await;
    let result = unavailable(issuers.verify(&token).await);
    assert_eq!(result.to_string(), "the keys of issuer `ci` cannot be had");
    assert!(result.retry_after <= Duration::from_secs(10), "{result:?}");
    // It comes back.
    script.then(std::slice::from_ref(&key), None);
    advance(Duration::from_secs(10)).await;
    issuers.verify(&token).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_issuer_that_was_never_there_is_unavailable_and_left_alone_for_a_while() {
    let key = key("1");
    let script = Script::default();
    script.fall_silent();
    let issuers = issuers(&script);
    for _ in 0..100 {
        let result = unavailable(issuers.verify(&token(&key)).await);
        assert_eq!(&*result.issuer, "ci");
        assert_eq!(result.retry_after, Duration::from_secs(10));
    }
    assert_eq!(script.count(), 1);
    advance(Duration::from_secs(4)).await;
    let result = unavailable(issuers.verify(&token(&key)).await);
    assert_eq!(result.retry_after, Duration::from_secs(6));
    advance(Duration::from_secs(6)).await;
    unavailable(issuers.verify(&token(&key)).await);
    assert_eq!(script.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn whether_a_key_is_new_is_not_known_while_the_issuer_is_down() {
    let (old, new) = (key("old"), key("new"));
    let script = Script::of(std::slice::from_ref(&old));
    let issuers = issuers(&script);
    issuers.verify(&token(&old)).await.unwrap();
    script.fall_silent();
    unavailable(issuers.verify(&token(&new)).await);
    // Those that are known are not touched by it.
    issuers.verify(&token(&old)).await.unwrap();
    // What is wrong with them is known, too.
    let expired = old.sign(&with("exp", json!(NOW - 60)));
    assert_eq!(
        refused(issuers.verify(&expired).await),
        TokenRefusal::Expired
    );
}
