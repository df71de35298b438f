//! Why the server failed, for the log only.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use super::ApiError;

/// Prints an error and its sources.
#[derive(Clone, Debug)]
pub(in crate::http) struct Cause(Arc<ApiError>);

impl Cause {
    pub(super) fn new(error: Arc<ApiError>) -> Self {
        Self(error)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let error: &dyn Error = match &*self.0 {
            ApiError::Repository(error) => error,
            ApiError::Internal(error) => error.as_ref(),
            ApiError::NoAuthority { why, .. } => return formatter.write_str(why),
            ApiError::NoKeys { issuer, .. } => issuer,
            other => return write!(formatter, "{other:?}"),
        };
        write!(formatter, "{error}")?;
        let mut source = error.source();
        while let Some(error) = source {
            write!(formatter, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}
