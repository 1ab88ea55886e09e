//! The numbers that the addon and TypeScript share.
//!
//! This file is their only definition. `npm run build:numbers` writes `lib/handle/numbers.ts` from it, comments included,
//! so a name that is missing on one side is an error of that side's compiler. A crate of its own, because the program that
//! writes the file has to run on the machine that builds, whatever the addon is built for.

mod define;

pub use define::{Constant, Enum};

define::numbers! {
    enums {
        /// What happened: part of the first argument of the dispatcher.
        EventKind {
            /// A connect has completed. The value: 0 or a negative error.
            Connected = 1,
            /// Bytes were received. The value: how many; the chunk: a `Buffer`.
            Data = 2,
            /// Nothing more will be received. The value: `UV_EOF` or another negative error.
            End = 3,
            /// A queued write has completed. The value: 0 or a negative error.
            Wrote = 4,
            /// A shutdown has completed. The value: 0 or a negative error.
            ShutDown = 5,
            /// A listener has accepted a connection. The value: the id of its handle.
            Connection = 6,
            /// The last event of a closed handle.
            Closed = 7,
            /// The closing phase of the event loop begins. It belongs to no handle.
            Closing = 8,
            /// Bytes that `write` accepted cannot be sent. The value: a negative error.
            Broken = 9,
            /// As `Data`, and the chunk is an `ArrayBuffer`.
            FewData = 10,
            /// A listener has accepted a connection. The value: its descriptor, which the receiver has to close.
            Descriptor = 11,
        }

        /// What `control` does with a handle.
        Operation {
            /// Starts delivering received bytes.
            ReadStart = 1,
            /// Stops delivering received bytes. They are kept.
            ReadStop = 2,
            /// Sends FIN after the bytes that were written. A `ShutDown` event follows.
            Shutdown = 3,
            /// Closes the descriptor.
            Close = 4,
            /// Closes the descriptor with RST.
            Reset = 5,
            /// Queues the `Closed` event of a closed handle.
            ReportClosed = 6,
            /// Sets `TCP_NODELAY` to the flag.
            SetNoDelay = 7,
            /// Requests `EventKind::Closing` in the next closing phase of the loop. Of no handle. Negative if the loop has no
            /// such phase.
            AtClosing = 8,
        }

        /// The type of a chunk that is passed to `write`.
        ChunkForm {
            /// A view of bytes.
            Bytes = 0,
            /// A string to be sent as UTF-8.
            Utf8 = 1,
            /// A string to be sent as Latin-1.
            Latin1 = 2,
            /// A string to be sent as UTF-16LE.
            Utf16Le = 3,
            /// A view of the next bytes of a write that was accepted before.
            NextBytes = 4,
        }

        /// What a descriptor is taken over for.
        Transport {
            /// A TCP socket.
            Tcp = 0,
            /// A Unix stream socket or another local descriptor; on Windows a named pipe.
            Pipe = 1,
        }

        /// The kind of event loop that the JavaScript thread runs.
        HostLoop {
            /// Not libuv's.
            Foreign = 0,
            /// libuv's.
            Libuv = 1,
            /// libuv's inside another loop, which sleeps for it and runs JavaScript between its turns (Electron).
            EmbeddedLibuv = 2,
        }

        /// What drives the reactor's first runtime.
        Driver {
            /// The event loop or a thread, depending on the load.
            Auto = 0,
            /// A thread of the reactor's own.
            Thread = 1,
            /// The event loop.
            Loop = 2,
        }
    }

    constants {
        /// libuv's flag for `bind6`: the socket is for IPv6 only.
        UV_TCP_IPV6ONLY: u32 = 1;
        /// libuv's flag for `bind` and `bind6`: `SO_REUSEPORT`.
        UV_TCP_REUSEPORT: u32 = 2;
        /// A flag for `bind` and `bind6`, apart from libuv's: no other socket may bind the address, not even one that does
        /// not listen.
        TCP_EXCLUSIVE: u32 = 0x100;
        /// libuv's mode for `fchmod`: all users may read. `Pipe.bind` takes it too, and sets it before a client can connect.
        UV_READABLE: u32 = 1;
        /// As `UV_READABLE`: all users may write.
        UV_WRITABLE: u32 = 2;
        /// A mode for `Pipe.bind`, apart from libuv's: only the owner may connect.
        PIPE_OWNER_ONLY: u32 = 0x100;
        /// The number of slots for handles. An id modulo this number is its slot.
        SLOTS: u32 = 0x100_0000;
        /// The first argument of the dispatcher has the kind of the event in so many low bits, and above them the slot of
        /// the handle.
        KIND_BITS: u32 = 4;
        /// The slot of the id that names no handle.
        NO_SLOT: u32 = 0xff_ffff;
        /// In UTF-16 units. Longer strings are encoded in JavaScript and sent as bytes, which the reactor need not copy.
        LONGEST_STRING: usize = 16_384;
        /// The most chunks that one system call writes.
        IOV_MAX: usize = 1024;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_that_of_one_member_or_of_none() {
        assert_eq!(Operation::of(Operation::Close.number()), Some(Operation::Close));
        assert_eq!(ChunkForm::of(0), Some(ChunkForm::Bytes));
        for unknown in [-1, 0, 9, i32::MAX] {
            assert_eq!(Operation::of(unknown), None);
        }
    }
}
