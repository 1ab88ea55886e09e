//! The reference to the reactor that the object and the plain functions in JavaScript share.
//!
//! Node finalizes an addon's objects when their environment ends, which drops their references. Deno does not
//! finalize them, nor does it release a threadsafe function. So where the event loop is not libuv's, a
//! cleanup hook of the environment clears the reference: the reactor is dropped, and its pollers are closed.

use std::cell::{Ref, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use ferronet_reactor::Reactor;

/// Clones share one reference: clearing it clears it for all of them.
#[derive(Clone, Debug)]
pub(crate) struct ReactorRef(Rc<RefCell<Option<Arc<Reactor>>>>);

impl ReactorRef {
    pub(crate) fn new(core: Arc<Reactor>) -> Self {
        Self(Rc::new(RefCell::new(Some(core))))
    }

    /// The reactor.
    ///
    /// # Panics
    /// After [`ReactorRef::clear`], when no JavaScript runs any more.
    pub(crate) fn get(&self) -> Ref<'_, Reactor> {
        Ref::map(self.0.borrow(), |core| {
            core.as_deref().expect("the environment lives")
        })
    }

    /// Drops the reactor, unless a call into it is running.
    pub(crate) fn clear(&self) {
        if let Ok(mut core) = self.0.try_borrow_mut() {
            *core = None;
        }
    }
}
