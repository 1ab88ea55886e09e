/**
 * The reactor's result of a write: twice the number of bytes that it has accepted, plus 1 if a `Wrote` event will follow,
 * because the kernel has not got all of them. Negative: a libuv error, and nothing was accepted.
 */
export type Accepted = number;

/** How many bytes were accepted. */
export function acceptedBytes(accepted: Accepted): number {
  return (accepted - (accepted % 2)) / 2;
}

/** 1 if a `Wrote` event will follow, else 0. */
export function queuedFlag(accepted: Accepted): 0 | 1 {
  return (accepted % 2) as 0 | 1;
}
