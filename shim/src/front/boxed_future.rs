//! Boxes a future without building it on the stack first.

use std::pin::Pin;

/// A future that is built in its box. `Box::pin` builds it on the stack and copies all of its size,
/// kilobytes of which are not initialized yet.
#[inline]
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let future = Box::new_uninit();
    Box::into_pin(Box::write(future, make()))
}
