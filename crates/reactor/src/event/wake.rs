//! How the consumer is asked to take events.

/// The other side of the event queue. The reactor owns this trait and the binding implements it, so that the
/// call goes up while the import points down.
pub trait Wake: Send + Sync {
    /// Asks for `deliveries` calls of [`Reactor::next_event`](crate::Reactor::next_event) on the consumer's
    /// thread; a consumer that reports the phases of its loop is asked once for all that is there. A call may
    /// be for the reactor itself and find no event. Any thread may call it.
    fn wake(&self, deliveries: usize);
}
