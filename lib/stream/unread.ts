// Bytes that a socket has read and the program has not consumed: in the buffer of the stream, or held by the `onread` option.
// They are sent along when the connection is handed over.
import { Buffer } from 'node:buffer';

import type { SocketCore } from './state.js';
import { kState } from './state.js';

/** Fields of Node's `_readableState`. Before Node 22 `buffer` is a linked list, since then an array with `bufferIndex`. */
interface ReadableState {
  buffer: Iterable<Uint8Array | string | null> & ({ clear: () => void } | { length: number });
  bufferIndex?: number;
  length: number;
  ended: boolean;
  endEmitted: boolean;
  encoding: BufferEncoding | null;
  decoder: { lastChar: Buffer; lastNeed: number; lastTotal: number } | null;
}

function stateOf(socket: SocketCore): ReadableState {
  return (socket as unknown as { _readableState: ReadableState })._readableState;
}

export function hasEnded(socket: SocketCore): boolean {
  return stateOf(socket).endEmitted;
}

/** Whether the end was read, and `end` was not emitted. */
export function endsUnread(socket: SocketCore): boolean {
  const { ended, endEmitted } = stateOf(socket);
  return ended && !endEmitted;
}

/** Whether the bytes can be recovered from the text that the stream has decoded. */
export function isUnreadExact(socket: SocketCore): boolean {
  const { buffer, encoding } = stateOf(socket);
  if (encoding === null) return true;
  const texts = Array.from(buffer).filter((chunk) => typeof chunk === 'string');
  if (texts.length === 0) return true;
  return encoding !== 'ascii' && !(/^utf-?8$/i.test(encoding) && texts.some((text) => text.includes('\ufffd')));
}

/** A view of the bytes, in order. They stay in the stream. */
export function unreadOf(socket: SocketCore): Uint8Array[] {
  const { buffer, decoder, encoding } = stateOf(socket);
  const chunks: Uint8Array[] = [];
  for (const chunk of buffer) {
    // Slots of consumed chunks are null.
    if (chunk !== null) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding ?? 'utf8') : chunk);
  }
  // An incomplete character.
  if (decoder) chunks.push(decoder.lastChar.subarray(0, decoder.lastTotal - decoder.lastNeed));
  const held = socket[kState].reader?.held;
  if (held) chunks.push(held);
  return chunks.filter((chunk) => chunk.length > 0);
}

/** Discards the bytes and the end behind them: another owner of the connection has them. */
export function dropUnread(socket: SocketCore): void {
  const readable = stateOf(socket);
  if ('clear' in readable.buffer) readable.buffer.clear();
  else readable.buffer.length = 0;
  readable.bufferIndex = 0;
  readable.length = 0;
  if (!readable.endEmitted) readable.ended = false;
  socket[kState].reader?.begin();
}
