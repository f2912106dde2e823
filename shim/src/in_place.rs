//! Futures in boxes that they were never moved into.

use std::pin::Pin;

/// A future in a box, made where it stays. `Box::pin` makes it on the stack and copies all of its room,
/// kilobytes of which hold nothing yet.
#[inline]
pub(crate) fn boxed<F: Future>(make: impl FnOnce() -> F) -> Pin<Box<F>> {
    let room = Box::new_uninit();
    Box::into_pin(Box::write(room, make()))
}
