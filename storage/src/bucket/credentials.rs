//! Where credentials come from.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::CredentialProvider;

use super::failure::{self, Failure};
use crate::StorageErrorKind;

/// A source of credentials with its name, which the error says if there are none to be had.
pub(super) struct Named<C> {
    inner: Arc<dyn CredentialProvider<Credential = C>>,
    name: String,
}

impl<C> Named<C> {
    pub(super) fn new(
        inner: &Arc<dyn CredentialProvider<Credential = C>>,
        name: &str,
    ) -> Arc<Self> {
        Arc::new(Self {
            inner: Arc::clone(inner),
            name: name.to_owned(),
        })
    }
}

impl<C> fmt::Debug for Named<C> {
    /// Leaves out the credentials.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Named").field(&self.name).finish()
    }
}

#[async_trait]
impl<C: Send + Sync> CredentialProvider for Named<C> {
    type Credential = C;

    async fn get_credential(&self) -> object_store::Result<Arc<C>> {
        self.inner.get_credential().await.map_err(|error| {
            let failure = match Failure::find(&error) {
                Some(cause) => Failure::NoCredentials {
                    source_name: self.name.clone(),
                    why: cause.to_string(),
                    kind: cause.kind(),
                },
                None => Failure::NoCredentials {
                    source_name: self.name.clone(),
                    why: failure::chain(&error),
                    kind: StorageErrorKind::Unavailable,
                },
            };
            object_store::Error::Generic {
                store: "credentials",
                source: Box::new(failure),
            }
        })
    }
}
