//! The numbers that the addon and TypeScript share.
//!
//! This file is their only definition. `npm run build:numbers` writes `lib/handle/numbers.ts` from it, comments included,
//! so a name that is missing on one side is an error of that side's compiler. A crate of its own, because the program that
//! writes the file has to run on the machine that builds, whatever the addon is built for.

mod define;

pub use define::{Constant, Enum};

define::numbers! {
    enums {
        /// What happened: the first argument of the dispatcher.
        EventKind {
            /// A connect has ended. The value: 0 or a negative error.
            Connected = 1,
            /// Bytes were received. The value: how many; the chunk: a `Buffer`.
            Data = 2,
            /// Nothing more will be received. The value: `UV_EOF` or another negative error.
            End = 3,
            /// A write that was queued has ended. The value: 0 or a negative error.
            Wrote = 4,
            /// A shutdown has ended. The value: 0 or a negative error.
            ShutDown = 5,
            /// A listener has accepted a connection. The value: the id of its handle.
            Connection = 6,
            /// The last event of a closed handle.
            Closed = 7,
            /// The closing phase of the event loop begins. Of no handle.
            Closing = 8,
            /// What was accepted for writing cannot be sent. The value: a negative error.
            Broken = 9,
            /// As `Data`, and the chunk is an `ArrayBuffer`.
            FewData = 10,
        }

        /// What `control` does with a handle.
        Operation {
            /// Received bytes are delivered from now on.
            ReadStart = 1,
            /// Received bytes wait.
            ReadStop = 2,
            /// Sends FIN behind what was written. A `ShutDown` event follows.
            Shutdown = 3,
            /// Closes the descriptor.
            Close = 4,
            /// Closes the descriptor with RST.
            Reset = 5,
            /// Asks for the `Closed` event of a closed handle.
            TellClosed = 6,
            /// Sets `TCP_NODELAY` to the flag.
            SetNoDelay = 7,
        }

        /// What a chunk is that `write` is given.
        ChunkForm {
            /// A view of bytes.
            Bytes = 0,
            /// A string to be sent as UTF-8.
            Utf8 = 1,
            /// A string to be sent as Latin-1.
            Latin1 = 2,
            /// A string to be sent as UTF-16LE.
            Utf16Le = 3,
            /// A view of bytes that belong to a write that was accepted before.
            NextBytes = 4,
        }

        /// Whose event loop the thread has.
        HostLoop {
            /// Another one than libuv's.
            Foreign = 0,
            /// libuv's.
            Libuv = 1,
            /// libuv's inside of another one, which sleeps for it and runs JavaScript between its turns.
            EmbeddedLibuv = 2,
        }

        /// Who turns the reactor's first runtime.
        Driver {
            /// The load decides.
            Auto = 0,
            /// A thread of the reactor's own.
            Thread = 1,
            /// The event loop.
            Loop = 2,
        }
    }

    constants {
        /// libuv's flag of `bind6`: IPv4 is left to other sockets.
        UV_TCP_IPV6ONLY: u32 = 1;
        /// libuv's flag of `bind` and `bind6`: `SO_REUSEPORT`.
        UV_TCP_REUSEPORT: u32 = 2;
        /// A flag of `bind` and `bind6`, far from libuv's bits: the address is not shared, even with sockets that do not listen.
        TCP_EXCLUSIVE: u32 = 0x100;
        /// libuv's mode of `fchmod`, and one of `Pipe.bind`, which sets it before a client can connect: all users may read.
        UV_READABLE: u32 = 1;
        /// As `UV_READABLE`: all users may write.
        UV_WRITABLE: u32 = 2;
        /// A mode of `Pipe.bind`, far from libuv's bits: only the owner may connect.
        PIPE_OWNER_ONLY: u32 = 0x100;
        /// How many slots there are for handles: an id modulo this number is its slot.
        SLOTS: u32 = 0x100_0000;
        /// The slot of the id that names no handle.
        NO_SLOT: u32 = 0xff_ffff;
        /// In UTF-16 units. Longer strings are encoded in JavaScript and sent as bytes, which the reactor need not copy.
        LONGEST_STRING: usize = 16_384;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_that_of_one_member_or_of_none() {
        assert_eq!(Operation::of(Operation::Close.number()), Some(Operation::Close));
        assert_eq!(ChunkForm::of(0), Some(ChunkForm::Bytes));
        for unknown in [-1, 0, 8, i32::MAX] {
            assert_eq!(Operation::of(unknown), None);
        }
    }
}
