//! What watchers may ask of the layer that serves a request.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use mappings::{Arguments, Catalog, Site, catalog::operation::Operation};
use recording::RecordedSite;
use secrecy::SecretString;
use tokio::time::Instant;

/// A request that was served.
pub(crate) trait ServedRequest: Send + Sync {
    /// The catalog that translated it.
    fn catalog(&self) -> &Arc<Catalog>;

    /// The tenant's choices.
    fn site(&self) -> &Site;

    /// The tenant's choices, as recordings have them.
    fn recorded_site(&self) -> &Arc<RecordedSite>;

    /// The credentials of v2 requests, for redaction.
    fn secrets(&self) -> Vec<SecretString>;

    /// Serves a read of the same tenant again, unwatched, and returns the answer as JSON. The
    /// arguments have no credentials.
    fn serve_again<'a>(
        &'a self,
        operation: &'a Operation,
        arguments: Arguments,
        deadline: Instant,
    ) -> BoxFuture<'a, Bytes>;
}
