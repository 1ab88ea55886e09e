//! A relay: what a connection receives is sent on another one (or on itself) without the consumer.
//!
//! The source's task reads and writes in one go. What the destination does not take goes into the
//! destination's write queue, as a request that is not reported, and the source is not read until that queue
//! has drained: the kernel then slows the peer down. So whatever the consumer writes or shuts down goes
//! behind what was relayed, and stopping a relay moves nothing. A relay without bytes in flight holds no
//! buffer.
//!
//! Much data is not copied where the kernel can move it from socket to socket, through a pipe that all relays
//! of a runtime share: it is empty again after each step.
//!
//! The end of the source, and an error of it, are the consumer's to take, as without a relay. A write that
//! fails is reported by the destination: by what it reads, or by an [`Event::Broken`]. A destination that
//! takes nothing more (shut down, closed) ends the relay, and what arrives from then on is announced to the
//! consumer again.
//!
//! Locks: the source's `stream` and `reader` are held over the destination's `stream` and `writer`, so that
//! no byte is moved when [`Connection::stop_relay`] has returned. They are never taken the other way round:
//! two connections that relay to each other, on two threads, each hold a `reader` and want the other's
//! `writer`, and a thread that holds a `writer` waits for none of them. `stream` is locked recursively: the
//! destination may be the source, and one that is about to close waits for those who hold it already, which
//! may be waiting for each other.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, Wake as _};

use ferronet_core::inbox::BLOCK;
use ferronet_core::state::{Reading, Writing};

use crate::drive::budget::Block;
use crate::event::event::Event;
use crate::socket::errno::Errno;
use crate::sys::Fill;

use super::connection::Connection;
use super::io::StreamIo;
use super::reader::{READS_PER_TURN, Reader};
use super::relay_state::{Relayed, Way};
use super::writer::Writer;

/// Fewer bytes at once are copied sooner than spliced.
const WORTH_SPLICING: usize = 16 * 1024;

/// How far one step came.
enum Step {
    /// Something was moved, or the end was found.
    On,
    /// There is nothing, or no room for it. What changes that wakes the source.
    Wait,
    /// The destination takes nothing more.
    Over,
}

impl Connection {
    /// Sends on `to` what arrives from now on, and what has arrived and was not taken.
    pub(crate) fn relay(self: &Arc<Self>, to: &Arc<Self>) -> Result<(), Errno> {
        if to.writer.lock().state != Writing::Open {
            return Err(Errno::EPIPE);
        }
        let mut reader = self.reader.lock();
        if reader.state != Reading::Flowing || reader.relay.is_active() {
            return Err(Errno::EALREADY);
        }
        reader.relay.begin(Arc::clone(to));
        // A relay does not read ahead.
        reader.waiter = None;
        drop(reader);
        Arc::clone(self).wake();
        Ok(())
    }

    /// When it returns, the relay moves nothing any more. What it has read goes out before anything that is
    /// written from now on.
    pub(crate) fn stop_relay(self: &Arc<Self>) -> Relayed {
        let mut reader = self.reader.lock();
        let done = reader.relay.done();
        if !reader.relay.end() {
            return done;
        }
        let announce = reader.announce();
        drop(reader);
        if announce {
            self.events.push_next_turn(Event::Readable { id: self.id });
        }
        Arc::clone(self).wake();
        done
    }

    pub(crate) fn relayed(&self) -> Relayed {
        self.reader.lock().relay.done()
    }

    pub(crate) fn is_relaying(&self) -> bool {
        self.reader.lock().relay.is_active()
    }

    /// Moves what there is, as far as it goes without waiting. Returns false when there is no relay, or no
    /// more.
    pub(super) fn relay_turn(&self, stream: &StreamIo, cx: &mut Context<'_>) -> bool {
        let mut reader = self.reader.lock();
        let Some(to) = reader.relay.destination().map(Arc::clone) else {
            return false;
        };
        reader.armed = false;
        let mut block = None;
        let mut moved = reader.relay.bytes();
        let mut end = None;
        for _ in 0..READS_PER_TURN {
            let step = self.step(stream, &to, &mut reader, &mut block, cx);
            match step {
                Step::On => {}
                Step::Wait | Step::Over => {
                    end = Some(step);
                    break;
                }
            }
        }
        moved = reader.relay.bytes() - moved;
        if moved > 0 {
            reader.relay.touch();
            self.shard.tasks.note_relayed();
            self.shard.traffic.relayed(moved);
        }
        match end {
            // There may be more, but the others come first.
            None => cx.waker().wake_by_ref(),
            Some(Step::Over) => {
                reader.relay.end();
                if reader.announce() {
                    self.events.push(Event::Readable { id: self.id });
                }
                return false;
            }
            // The end, which may have been read before the relay began, is the consumer's.
            Some(_) if reader.inbox.is_at_end() && reader.announce() => {
                self.events.push(Event::Readable { id: self.id });
            }
            Some(_) => {}
        }
        true
    }

    fn step(
        &self,
        stream: &StreamIo,
        to: &Arc<Self>,
        reader: &mut Reader<Self>,
        block: &mut Option<Block>,
        cx: &mut Context<'_>,
    ) -> Step {
        if reader.state != Reading::Flowing || reader.inbox.is_at_end() {
            return Step::Wait;
        }
        let to_stream = to.stream.read_recursive();
        let Some(to_stream) = to_stream.as_ref() else {
            return Step::Over;
        };
        let mut writer = to.writer.lock();
        if writer.state != Writing::Open {
            return Step::Over;
        }
        if !writer.queue.is_empty() {
            writer.wait_for_room(cx);
            return Step::Wait;
        }
        if let Some(chunk) = reader.inbox.take_bytes() {
            reader.relay.count(chunk.len());
            return to.pass_on(to_stream, &mut writer, &chunk);
        }
        // splice(2) blocks on a socket whose O_NONBLOCK is cleared, which another owner can do.
        if reader.relay.way() == Way::Spliced
            && !self.is_shared()
            && !to.is_shared()
            && let Some(step) = self.splice(stream, (to, to_stream, &mut writer), reader, block, cx)
        {
            return step;
        }
        let block = block.get_or_insert_with(|| self.shard.buffers.force_block());
        let Poll::Ready(read) = stream.poll_read(&self.shard.traffic, cx, block.space()) else {
            reader.armed = true;
            return Step::Wait;
        };
        let end = match read {
            Ok(0) => Errno::EOF,
            Ok(n) => {
                reader.relay.count(n);
                if n == BLOCK && reader.relay.way() == Way::Copied {
                    reader.relay.set_way(Way::Spliced);
                }
                return to.pass_on(to_stream, &mut writer, block.first(n));
            }
            Err(error) => error.into(),
        };
        drop(writer);
        reader.inbox.end(end);
        Step::Wait
    }

    /// As the rest of [`Connection::step`], by the kernel. The pipe is empty before and after. `None` when it
    /// did nothing and the bytes, or the end, are to be read. An error of the source is its end: the kernel
    /// reports it once, so the read would find an end of file instead.
    fn splice(
        &self,
        stream: &StreamIo,
        (to, to_stream, writer): (&Arc<Self>, &StreamIo, &mut Writer),
        reader: &mut Reader<Self>,
        block: &mut Option<Block>,
        cx: &mut Context<'_>,
    ) -> Option<Step> {
        let mut pipe = self.shard.buffers.splice_pipe();
        let Poll::Ready(filled) = stream.poll_splice_into(&self.shard.traffic, &mut pipe, cx) else {
            reader.armed = true;
            return Some(Step::Wait);
        };
        let filled = match filled {
            Ok(Fill::Bytes(filled)) => filled.get(),
            Ok(Fill::End) => return None,
            Ok(Fill::Unsupported) => {
                reader.relay.set_way(Way::CopiedOnly);
                return None;
            }
            Ok(Fill::NoPipe) => {
                reader.relay.set_way(Way::Copied);
                return None;
            }
            Err(error) => {
                reader.inbox.end(error.into());
                return Some(Step::Wait);
            }
        };
        reader.relay.count(filled);
        if filled < WORTH_SPLICING {
            reader.relay.set_way(Way::Copied);
        }
        let (mut left, failed) = match to_stream.splice_from(&to.shard.traffic, &pipe, filled) {
            (sent, Some(error)) if error.kind() == io::ErrorKind::InvalidInput => {
                reader.relay.set_way(Way::CopiedOnly);
                (filled - sent, None)
            }
            (sent, failed) => (filled - sent, failed),
        };
        if left == 0 {
            return Some(Step::On);
        }
        if let Some(error) = failed {
            // What is left in the pipe can't be sent; no other relay may find it there.
            pipe.discard();
            to.relay_failed(writer, error.into());
            return Some(Step::Over);
        }
        let block = block.get_or_insert_with(|| self.shard.buffers.force_block());
        while left > 0 {
            match pipe.read_back(block.space()) {
                Ok(taken) => {
                    writer.queue.push_unreported(block.first(taken));
                    left -= taken.min(left);
                }
                // The bytes are gone: the source can't go on behind them.
                Err(error) => {
                    pipe.discard();
                    reader.inbox.end(error.into());
                    break;
                }
            }
        }
        Arc::clone(to).wake();
        Some(Step::On)
    }

    /// Sends what another connection has received; what the kernel does not take goes into the queue.
    fn pass_on(self: &Arc<Self>, stream: &StreamIo, writer: &mut Writer, bytes: &[u8]) -> Step {
        let sent = match stream.write_now(&self.shard.traffic, &[IoSlice::new(bytes)]) {
            Ok(sent) => sent,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(error) => {
                self.relay_failed(writer, error.into());
                return Step::Over;
            }
        };
        if sent < bytes.len() {
            writer.queue.push_unreported(&bytes[sent..]);
            Arc::clone(self).wake();
        }
        Step::On
    }

    /// The destination can't be sent to. Its own task reports that: it may take the locks of its reading
    /// half, which is not allowed here.
    fn relay_failed(self: &Arc<Self>, writer: &mut Writer, errno: Errno) {
        writer.fail(errno);
        Arc::clone(self).wake();
    }
}
