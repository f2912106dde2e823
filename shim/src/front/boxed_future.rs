//! Boxes a future without building it on the stack first.

use std::pin::Pin;

/// Constructs a future in its box. `Box::pin` would construct it on the stack and copy kilobytes of
/// uninitialized memory.
#[inline]
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let future = Box::new_uninit();
    Box::into_pin(Box::write(future, make()))
}
