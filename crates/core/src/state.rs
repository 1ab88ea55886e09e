//! The two halves of a connection as two small machines. Pure: no socket, no lock, no clock.
//!
//! | Reading | on | becomes | | Writing | on | becomes |
//! | --- | --- | --- | --- | --- | --- | --- |
//! | Paused | `start` | Flowing | | Connecting | connected | Open |
//! | Flowing | `stop` | Paused | | Open | `shutdown`, queue empty | `ShutDown` |
//! | Flowing | FIN or error taken | Ended | | Open | `shutdown`, queue not empty | Draining |
//! | any | close | Closed | | Draining | queue empty | `ShutDown` |
//! | | | | | Open, Draining | close in order, bytes unsent that were reported as written | Lingering |
//! | | | | | any | close, error; of Lingering: all sent, deadline | Closed |
//!
//! Every transition that the table does not name leaves the state as it is and says so by its result.

/// The half that receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// No bytes are wanted; they stay in the kernel, which slows the peer down when its buffer is full.
    Paused,
    /// Bytes are read and handed on.
    Flowing,
    /// The peer's FIN, or an error, was handed on. There is nothing after it.
    Ended,
    /// The handle is closed.
    Closed,
}

impl Reading {
    /// `readStart`. Returns whether bytes may flow from now on.
    pub fn start(&mut self) -> bool {
        if *self == Self::Paused {
            *self = Self::Flowing;
        }
        *self == Self::Flowing
    }

    /// `readStop`.
    pub fn stop(&mut self) {
        if *self == Self::Flowing {
            *self = Self::Paused;
        }
    }

    /// The end was taken.
    pub fn end(&mut self) {
        if *self == Self::Flowing {
            *self = Self::Ended;
        }
    }

    /// The handle is closed.
    pub fn close(&mut self) {
        *self = Self::Closed;
    }
}

/// The half that sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writing {
    /// The connection is being made; what is written waits.
    Connecting,
    /// Bytes go out.
    Open,
    /// `shutdown` was asked for while bytes were waiting: they go first.
    Draining,
    /// FIN is sent.
    ShutDown,
    /// The handle is closed, and the descriptor will be when the bytes that were reported as written have
    /// gone.
    Lingering,
    /// The handle is closed, or a write failed.
    Closed,
}

/// What a caller of [`Writing::shutdown`] has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shutdown {
    /// Send FIN now.
    Now,
    /// It will be sent when the queue has drained.
    Later,
    /// The half can't be shut down: not connected, or shut down already (libuv: `ENOTCONN`).
    Refused,
}

impl Writing {
    /// The connect has ended, well or not.
    pub fn connect_ended(&mut self, connected: bool) {
        if *self == Self::Connecting {
            *self = if connected { Self::Open } else { Self::Closed };
        }
    }

    /// FIN is asked for. `queue_is_empty`: nothing goes before it.
    pub fn shutdown(&mut self, queue_is_empty: bool) -> Shutdown {
        match self {
            Self::Open if queue_is_empty => {
                *self = Self::ShutDown;
                Shutdown::Now
            }
            Self::Open => {
                *self = Self::Draining;
                Shutdown::Later
            }
            _ => Shutdown::Refused,
        }
    }

    /// The queue has drained. Returns whether FIN is to be sent now.
    pub fn drained(&mut self) -> bool {
        let last = *self == Self::Draining;
        if last {
            *self = Self::ShutDown;
        }
        last
    }

    /// The handle is closed, or a write has failed.
    pub fn close(&mut self) {
        *self = Self::Closed;
    }

    /// The handle is closed in order while bytes that were reported as written are not sent. Returns whether
    /// they can be.
    pub fn linger(&mut self) -> bool {
        let can_send = matches!(self, Self::Open | Self::Draining);
        if can_send {
            *self = Self::Lingering;
        }
        can_send
    }

    /// Whether what is queued goes out.
    pub fn sends(self) -> bool {
        matches!(self, Self::Open | Self::Draining | Self::Lingering)
    }

    /// Whether a write is taken: sent, or queued until it can be.
    pub fn accepts_writes(self) -> bool {
        matches!(self, Self::Connecting | Self::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_follows_the_table() {
        let mut reading = Reading::Paused;
        assert!(reading.start());
        assert_eq!(reading, Reading::Flowing);
        reading.stop();
        assert_eq!(reading, Reading::Paused);
        reading.end();
        assert_eq!(
            reading,
            Reading::Paused,
            "a stopped reader takes the end when it starts again"
        );
        assert!(reading.start());
        reading.end();
        assert!(!reading.start(), "nothing flows after the end");
        assert_eq!(reading, Reading::Ended);
        reading.close();
        reading.stop();
        assert!(!reading.start());
        reading.end();
        assert_eq!(reading, Reading::Closed);
    }

    #[test]
    fn shutdown_waits_for_the_queue() {
        let mut writing = Writing::Open;
        assert_eq!(writing.shutdown(false), Shutdown::Later);
        assert_eq!(writing, Writing::Draining);
        assert!(!writing.accepts_writes());
        assert!(writing.drained());
        assert_eq!(writing, Writing::ShutDown);
        assert!(!writing.drained(), "FIN is sent once");
        assert_eq!(writing.shutdown(true), Shutdown::Refused);
    }

    #[test]
    fn an_empty_queue_is_shut_down_at_once() {
        let mut writing = Writing::Open;
        assert_eq!(writing.shutdown(true), Shutdown::Now);
        assert_eq!(writing, Writing::ShutDown);
    }

    #[test]
    fn a_handle_that_is_closed_sends_on_only_what_it_could_send() {
        for (mut writing, sends) in [
            (Writing::Open, true),
            (Writing::Draining, true),
            (Writing::Connecting, false),
            (Writing::ShutDown, false),
            (Writing::Closed, false),
        ] {
            assert_eq!(writing.linger(), sends);
            assert_eq!(writing == Writing::Lingering, sends);
            assert_eq!(writing.sends(), sends);
            assert!(!writing.drained(), "closing the descriptor sends FIN");
        }
    }

    #[test]
    fn nothing_is_shut_down_before_it_is_connected_or_after_it_is_closed() {
        let mut writing = Writing::Connecting;
        assert!(writing.accepts_writes());
        assert_eq!(writing.shutdown(true), Shutdown::Refused);
        writing.connect_ended(true);
        assert_eq!(writing, Writing::Open);
        writing.close();
        writing.connect_ended(true);
        assert_eq!(writing, Writing::Closed);
        assert_eq!(writing.shutdown(true), Shutdown::Refused);
    }
}
