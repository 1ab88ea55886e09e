//! What is reported to the consumer, and in which order.

#[expect(
    clippy::module_inception,
    reason = "the folder has the name of what it is about"
)]
pub(crate) mod event;
pub(crate) mod queue;
pub(crate) mod wake;
