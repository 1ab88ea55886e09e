// What is written, and whether it arrives. Each flow (one direction of one link) has bytes of its own, which depend on
// their place, so that a byte that is lost, doubled or another flow's is seen.
import type { Form } from './program.js';

/** A prime, so that no two chunks of a usual size begin alike. */
const LENGTH = 262_147;
const TABLE: Buffer = makeTable();
/** Of one to four bytes each. */
const CHARACTERS: readonly string[] = Array.from(TABLE.subarray(0, 8191), (byte, at) => {
  if (at % 4 < 2) return String.fromCodePoint(0x20 + (byte % 0x5e));
  return String.fromCodePoint(at % 4 === 2 ? 0xa1 + byte : byte < 128 ? 0x4e00 + byte : 0x1f400 + byte);
});

function makeTable(): Buffer {
  const table = Buffer.alloc(LENGTH);
  let state = 0x9e3779b9;
  for (let at = 0; at < LENGTH; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    table[at] = state >>> 24;
  }
  return table;
}

export interface Chunk {
  data: string | Uint8Array;
  encoding: BufferEncoding | undefined;
  bytes: Buffer;
}

export class Flow {
  sent = 0;
  received = 0;
  readonly #salt: number;
  readonly #text: boolean;
  /** What was sent and has not been received. */
  readonly #expected: Buffer[] = [];
  #skip = 0;

  constructor(salt: number, text: boolean) {
    this.#salt = salt;
    this.#text = text;
  }

  /** The next chunk to be written, of about `size` bytes. It counts as sent from when `send` is called. */
  next(size: number, form: Form): Chunk {
    if (form === 'utf8' || this.#text) return this.#asText(size, form);
    const bytes = this.#bytes(form === 'utf16le' ? size & ~1 : size);
    if (form === 'buffer') return { data: bytes, encoding: undefined, bytes };
    if (form === 'uint8array') return { data: new Uint8Array(bytes), encoding: undefined, bytes };
    if (form === 'ascii') for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] as number) & 0x7f;
    return { data: bytes.toString(form), encoding: form, bytes };
  }

  send({ bytes }: Chunk): void {
    this.sent += bytes.length;
    // A copy: what is written must not be read after its write is reported as done.
    if (bytes.length > 0) this.#expected.push(Buffer.from(bytes));
  }

  /** Compares what has arrived with what was sent. Returns what is wrong, if anything is. */
  receive(chunk: Buffer): string | undefined {
    let at = 0;
    while (at < chunk.length) {
      const first = this.#expected[0];
      if (first === undefined) return `${chunk.length - at} bytes that were not sent, after ${this.received}`;
      const size = Math.min(chunk.length - at, first.length - this.#skip);
      if (chunk.compare(first, this.#skip, this.#skip + size, at, at + size) !== 0)
        return `other bytes than were sent, from ${this.received} on`;
      at += size;
      this.#skip += size;
      this.received += size;
      if (this.#skip < first.length) continue;
      this.#expected.shift();
      this.#skip = 0;
    }
    return undefined;
  }

  #asText(size: number, form: Form): Chunk {
    const from = (this.#salt + this.sent) % CHARACTERS.length;
    let text = '';
    // Two bytes a character, more or less.
    for (let left = size >> 1, at = from; left > 0; at = 0) {
      const some = CHARACTERS.slice(at, at + left);
      text += some.join('');
      left -= some.length;
    }
    const bytes = Buffer.from(text);
    const isString = form !== 'buffer' && form !== 'uint8array';
    return isString ? { data: text, encoding: 'utf8', bytes } : { data: bytes, encoding: undefined, bytes };
  }

  #bytes(size: number): Buffer {
    const bytes = Buffer.allocUnsafe(size);
    for (let at = 0; at < size;) {
      const from = (this.#salt + this.sent + at) % LENGTH;
      at += TABLE.copy(bytes, at, from, Math.min(LENGTH, from + size - at));
    }
    return bytes;
  }
}
