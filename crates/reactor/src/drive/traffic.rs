//! What the connections of one runtime have moved, for [`Stats`](crate::Stats).

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts bytes and writes. The consumer's thread and the one that drives add to them, each a few times a message, so they
/// have a cache line of their own.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
    relayed: AtomicU64,
    batched: AtomicU64,
    flushed: AtomicU64,
}

/// The counts at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Bytes that the kernel gave.
    pub received: u64,
    /// Bytes that the kernel took.
    pub sent: u64,
    /// Those of them that relays have moved.
    pub relayed: u64,
    /// Writes that waited for the end of a batch.
    pub batched: u64,
    /// How often what had waited was sent.
    pub flushed: u64,
}

impl Moved {
    pub(crate) const NOTHING: Self = Self {
        received: 0,
        sent: 0,
        relayed: 0,
        batched: 0,
        flushed: 0,
    };

    pub(crate) fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.sent += other.sent;
        self.relayed += other.relayed;
        self.batched += other.batched;
        self.flushed += other.flushed;
    }
}

impl Traffic {
    #[inline]
    pub(crate) fn received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn relayed(&self, bytes: u64) {
        self.relayed.fetch_add(bytes, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn batched(&self) {
        self.batched.fetch_add(1, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn flushed(&self) {
        self.flushed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn moved(&self) -> Moved {
        Moved {
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            relayed: self.relayed.load(Ordering::Relaxed),
            batched: self.batched.load(Ordering::Relaxed),
            flushed: self.flushed.load(Ordering::Relaxed),
        }
    }
}
