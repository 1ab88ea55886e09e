//! The reactor, for what JavaScript holds of it: an object and two functions.
//!
//! A host that ends an environment finalizes what addons have given to its JavaScript, and so they let go of the reactor.
//! Deno does not (nor does it give a threadsafe function up). So it is given back when the environment's cleanup hooks run,
//! and its pollers are closed.

use std::cell::{Ref, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use ferronet_reactor::Reactor;

/// All clones have it, or none.
#[derive(Clone, Debug)]
pub(crate) struct Lease(Rc<RefCell<Option<Arc<Reactor>>>>);

impl Lease {
    pub(crate) fn new(core: Arc<Reactor>) -> Self {
        Self(Rc::new(RefCell::new(Some(core))))
    }

    /// The reactor.
    ///
    /// # Panics
    /// When it was given back: no JavaScript runs any more then.
    pub(crate) fn core(&self) -> Ref<'_, Reactor> {
        Ref::map(self.0.borrow(), |core| {
            core.as_deref().expect("the environment lives")
        })
    }

    /// Gives it back.
    pub(crate) fn end(&self) {
        if let Ok(mut core) = self.0.try_borrow_mut() {
            *core = None;
        }
    }
}
