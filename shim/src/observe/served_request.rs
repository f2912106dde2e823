//! Interface of a served request for observers.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use mappings::{Arguments, Catalog, Site, catalog::operation::Operation};
use recording::RecordedSite;
use secrecy::SecretString;
use tokio::time::Instant;

/// A served request.
pub(crate) trait ServedRequest: Send + Sync {
    /// The catalog that translated it.
    fn catalog(&self) -> &Arc<Catalog>;

    /// Site settings of the tenant.
    fn site(&self) -> &Site;

    /// Site settings of the tenant, in the format of recordings.
    fn recorded_site(&self) -> &Arc<RecordedSite>;

    /// Credentials used for v2, for redaction.
    fn secrets(&self) -> Vec<SecretString>;

    /// Executes a read again for the same tenant, without observers. Returns the answer as JSON.
    /// `arguments` must not contain credentials.
    fn serve_again<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: Arguments,
        deadline: Instant,
    ) -> BoxFuture<'a, Bytes>;
}
