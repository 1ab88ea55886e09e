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

/// The relay of a source, and what it has done, which can be asked for after its end. Boxed: most connections
/// never have one.
#[derive(Debug)]
pub(super) struct Relay<D>(Option<Box<Progress<D>>>);

#[derive(Debug)]
struct Progress<D> {
    /// None after the end.
    to: Option<Arc<D>>,
    bytes: u64,
    last: Instant,
    way: Way,
}

impl<D> Default for Relay<D> {
    fn default() -> Self {
        Self(None)
    }
}

impl<D> Relay<D> {
    pub(super) fn begin(&mut self, to: Arc<D>) {
        self.0 = Some(Box::new(Progress {
            to: Some(to),
            bytes: 0,
            last: Instant::now(),
            way: Way::Copied,
        }));
    }

    pub(super) fn destination(&self) -> Option<&Arc<D>> {
        self.0.as_ref()?.to.as_ref()
    }

    pub(super) fn is_active(&self) -> bool {
        self.destination().is_some()
    }

    /// Drops the destination. Returns whether there was one.
    pub(super) fn end(&mut self) -> bool {
        self.0
            .as_mut()
            .is_some_and(|progress| progress.to.take().is_some())
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.as_ref().map_or(0, |progress| progress.bytes)
    }

    pub(super) fn count(&mut self, bytes: usize) {
        if let Some(progress) = &mut self.0 {
            progress.bytes += bytes as u64;
        }
    }

    /// Bytes were moved just now.
    pub(super) fn touch(&mut self) {
        if let Some(progress) = &mut self.0 {
            progress.last = Instant::now();
        }
    }

    pub(super) fn way(&self) -> Way {
        self.0.as_ref().map_or_else(Way::default, |progress| progress.way)
    }

    pub(super) fn set_way(&mut self, way: Way) {
        if let Some(progress) = &mut self.0 {
            progress.way = way;
        }
    }

    pub(super) fn done(&self) -> Relayed {
        self.0.as_ref().map_or_else(Relayed::default, |progress| Relayed {
            bytes: progress.bytes,
            idle: progress.last.elapsed(),
        })
    }
}
