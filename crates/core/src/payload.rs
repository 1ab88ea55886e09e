//! What a request has the kernel send, by kind, and what one call hands to the kernel.

use std::io::IoSlice;

/// The most slices that one vectored write is given; more bring nothing and the kernel refuses more than
/// 1024.
const MAX_SLICES: usize = 64;

/// What is to be sent, and how much of it is. The queue does not look into it: a kind is a variant here, with
/// its arm in each method.
#[derive(Debug)]
pub(crate) enum Payload {
    /// Bytes of a stream. The kernel takes any part of them, and those of neighbours with them.
    Bytes {
        bytes: Box<[u8]>,
        /// How many the kernel has taken.
        sent: usize,
    },
}

impl Payload {
    pub(crate) fn bytes(bytes: Box<[u8]>) -> Self {
        Self::Bytes { bytes, sent: 0 }
    }

    /// Bytes that the kernel has not taken.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes { bytes, sent } => bytes.len() - sent,
        }
    }

    /// The kernel took `taken` bytes, of this one first. Returns how many were of this one.
    pub(crate) fn advance(&mut self, taken: usize) -> usize {
        let step = taken.min(self.len());
        match self {
            Self::Bytes { sent, .. } => *sent += step,
        }
        step
    }

    /// Whether nothing of it is left, once its turn has come. No bytes need no call of their own.
    pub(crate) fn is_sent(&self) -> bool {
        match self {
            Self::Bytes { .. } => self.len() == 0,
        }
    }

    /// Adds what is left to a call that has what goes before it. Returns whether the same call has room for
    /// what is behind it.
    pub(crate) fn join<'a>(&'a self, call: &mut Transmit<'a>) -> bool {
        match (self, call) {
            (Self::Bytes { bytes, sent }, Transmit::Bytes(slices)) => {
                slices.push(IoSlice::new(&bytes[*sent..]));
                slices.len() < MAX_SLICES
            }
        }
    }
}

/// What one call hands to the kernel.
#[derive(Debug)]
pub enum Transmit<'a> {
    /// For a vectored write, at most 64 slices. The kernel takes any part of them.
    Bytes(Vec<IoSlice<'a>>),
}

impl<'a> Transmit<'a> {
    /// A call that begins with bytes, of which there may be none, for as many payloads behind them.
    pub(crate) fn beginning_with(bytes: &'a [u8], payloads: usize) -> Self {
        let mut slices = Vec::with_capacity(MAX_SLICES.min(payloads + 1));
        if !bytes.is_empty() {
            slices.push(IoSlice::new(bytes));
        }
        Self::Bytes(slices)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined<'a>(payloads: impl IntoIterator<Item = &'a Payload>, call: &mut Transmit<'a>) -> usize {
        payloads
            .into_iter()
            .take_while(|payload| payload.join(call))
            .count()
    }

    #[test]
    fn bytes_are_taken_in_any_steps_and_no_further_than_their_end() {
        let mut payload = Payload::bytes(Box::from(*b"abcde"));
        assert_eq!(
            (payload.advance(2), payload.len(), payload.is_sent()),
            (2, 3, false)
        );
        let mut call = Transmit::beginning_with(b"", 1);
        assert!(payload.join(&mut call));
        let Transmit::Bytes(slices) = call;
        assert_eq!(*slices[0], *b"cde");
        assert_eq!(
            (payload.advance(9), payload.len(), payload.is_sent()),
            (3, 0, true)
        );
    }

    #[test]
    fn no_bytes_are_sent_when_their_turn_comes() {
        assert!(Payload::bytes(Box::default()).is_sent());
    }

    #[test]
    fn one_call_has_a_bounded_number_of_slices() {
        let payloads: Vec<_> = (0..MAX_SLICES + 10)
            .map(|_| Payload::bytes(Box::from([7])))
            .collect();
        for (before, room) in [(&b""[..], MAX_SLICES), (b"batched", MAX_SLICES - 1)] {
            let mut call = Transmit::beginning_with(before, payloads.len());
            // The last one that joins says that there is no room behind it.
            assert_eq!(joined(&payloads, &mut call), room - 1);
            let Transmit::Bytes(slices) = call;
            assert_eq!(slices.len(), MAX_SLICES);
        }
    }
}
