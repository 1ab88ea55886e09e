/** What the peers run: a name of `peers/programs.cts` or `peers/fronts.cts`, and its options. */
export interface Program {
  name: string;
  upstream?: number;
  bytes?: number;
  batch?: number;
  /** Microseconds for which JavaScript computes before it answers. */
  work?: number;
  /** Milliseconds for which JavaScript computes, in every twice as many. */
  blocked?: number;
  /** The peer collects its garbage. */
  collects?: boolean;
  /** It listens on a Unix socket. */
  unix?: boolean;
  /** How many files it has open. */
  files?: number;
}
