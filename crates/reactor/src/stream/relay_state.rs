//! Where the bytes of a source go instead of to the consumer, and what became of them.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a relay has done since it was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Relayed {
    /// Bytes that were read and sent, or wait to be sent.
    pub bytes: u64,
    /// How long ago the last of them were.
    pub idle: Duration,
}

/// How bytes get from one stream to the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Way {
    /// Through a buffer: few bytes.
    #[default]
    Copied,
    /// By the kernel, where it can, since a read has filled a whole buffer.
    Spliced,
    /// Through a buffer: one of the streams is of a kind that the kernel does not splice.
    CopiedOnly,
}

/// The relay of a source, and what it has done, which can be asked for after its end.
#[derive(Debug)]
pub(super) struct Relay<D> {
    pub(super) to: Option<Arc<D>>,
    pub(super) bytes: u64,
    pub(super) last: Option<Instant>,
    pub(super) way: Way,
}

impl<D> Default for Relay<D> {
    fn default() -> Self {
        Self {
            to: None,
            bytes: 0,
            last: None,
            way: Way::default(),
        }
    }
}

impl<D> Relay<D> {
    pub(super) fn is_active(&self) -> bool {
        self.to.is_some()
    }

    /// Drops the destination. Returns whether there was one.
    pub(super) fn end(&mut self) -> bool {
        self.to.take().is_some()
    }

    pub(super) fn done(&self) -> Relayed {
        Relayed {
            bytes: self.bytes,
            idle: self.last.map(|last| last.elapsed()).unwrap_or_default(),
        }
    }
}
