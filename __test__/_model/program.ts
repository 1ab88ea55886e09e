// What a program of the model is: data, so that it can be printed, saved, replayed and made smaller.

/** `peer`: TCP through a relay in a process of its own, which runs node:net and passes on bytes, ends and resets. */
export type Transport = 'tcp4' | 'tcp6' | 'unix' | 'peer';

/** The two ends of a link. The sockets of its proxies are `f0`, `b0` (front and back of the first one), `f1` … */
export type End = 'c' | 's';
export type Name = End | `f${number}` | `b${number}`;

export type Form = 'buffer' | 'uint8array' | 'utf8' | 'latin1' | 'ascii' | 'hex' | 'base64' | 'utf16le';

/** From where a step is run: the same tick, the next one, a promise, an immediate, a `data` listener of another socket. */
export type Moment = 'now' | 'tick' | 'promise' | 'immediate' | 'callback';

export type Action =
  | { do: 'write'; on: End; size: number; form: Form; times?: number; corked?: boolean }
  /** Writes pieces, and waits for `drain` after a write that returns false. The steps that follow do not wait for it. */
  | { do: 'pump'; on: End; size: number; piece: number }
  | { do: 'end'; on: End; size?: number; form?: Form }
  | { do: 'destroy'; on: Name; error?: boolean }
  /** `destroy` where the connection is none of TCP. */
  | { do: 'reset'; on: Name }
  | { do: 'pause' | 'resume' | 'cork' | 'uncork'; on: End }
  | { do: 'encoding'; on: End; encoding: 'utf8' | 'latin1' | 'hex' }
  /** Waits for the `timeout` of an idle socket. */
  | { do: 'idle'; on: Name; ms: number; destroy?: boolean }
  /** Sets a timeout and waits for nothing. */
  | { do: 'timeout'; on: End; ms: number }
  | { do: 'unpipe' | 'repipe'; proxy: number; way: Way }
  | { do: 'abort' }
  | { do: 'close' }
  | { do: 'busy' | 'wait'; ms: number };

export type Step = Action & { at?: Moment };

export type Way = 'up' | 'down';

export type Style =
  | 'data'
  | 'readable'
  | 'iterate'
  | 'pipeline'
  | 'passthrough'
  /** Into a buffer of the socket's options; the client's only. */
  | 'onread'
  /** The server pipes into itself. */
  | 'echo'
  /** Nothing is read until the link is closed. */
  | 'none';

export interface Reading {
  style: Style;
  /** For `readable`: what is asked for at once. */
  piece?: number;
  /** For `iterate`: the loop is left after so many bytes. */
  breakAt?: number;
  /** For `data`: the listener throws when so many bytes have come. */
  throwAt?: number;
  /** Takes a turn of the loop over each chunk. */
  slow?: boolean;
}

export interface Proxy {
  style: 'pipe' | 'passthrough' | 'pipeline' | 'manual';
  /** What becomes of one side when the other one fails. */
  onError: 'destroy' | 'reset';
  allowHalfOpen: boolean;
  highWaterMark?: number;
}

export interface Link {
  /** Its outcome does not depend on chance, and is compared with node:net. Otherwise the invariants are all there is. */
  ordered: boolean;
  /** The results of its callbacks do depend on chance. */
  anyResults?: boolean;
  /** One more than there are proxies. */
  transports: Transport[];
  proxies: Proxy[];
  client: { allowHalfOpen?: boolean; highWaterMark?: number; noDelay?: boolean; signal?: boolean };
  server: { allowHalfOpen?: boolean; highWaterMark?: number; noDelay?: boolean; pauseOnConnect?: boolean };
  reading: Record<End, Reading>;
  /** Who is watched by `stream.finished`. */
  finished?: End[];
  /** All that is written is UTF-8, so that it can be read as that. */
  text?: boolean;
  /** Right after `connect()`, before there is a connection. */
  early: Step[];
  /** In an ordered link all that is under way has arrived before the next phase. */
  phases: Step[][];
}

export interface Program {
  seed: number;
  links: Link[];
}

/** What came of a socket or a server, in words that do not depend on chance. */
export type Lanes = Record<string, string>;

export interface Result {
  seed: number;
  /** Of ordered links. */
  lanes: Lanes;
  violations: string[];
  ms: number;
}
