// A peer that runs, and the load that is put on it.
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Watched } from '../peers/watch.cjs';
import { Child } from '../processes';
import { type Binaries, type Implementation, serverCommand } from './implementations';
import type { Program } from './program';

const START_SECONDS = 20;
/** For connecting, closing, and the odd pause; the measured time comes on top. */
export const LOAD_SECONDS = 45;

export interface Peer {
  readonly implementation: Implementation;
  readonly child: Child;
  readonly port: number;
  /** The Unix socket that it listens on, in place of the port. */
  readonly path?: string | undefined;
}

/** What `ferronet-load` prints. Durations are nanoseconds. */
export interface LoadResult {
  count: number;
  seconds: number;
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
  /** Processor time of the peer; `null` if the system has no figure. */
  processor: { main: number | null; all: number } | null;
  /** Processor time of the load generator itself. */
  own: number | null;
}

/** What an open loop has besides, of `open_loop.rs`. */
export interface OpenLoadResult extends LoadResult {
  /** Round trips a second. */
  offered: number;
  /** Round trips. */
  late: number;
  unsent: number;
  /** Nanoseconds. */
  lag: number;
}

export interface LoadOptions {
  connections: number;
  rate?: number;
  bytes?: number;
  batch?: number;
  files?: number | undefined;
}

export interface Span {
  /** Measured seconds. */
  seconds: number;
  warmUp: number;
}

/** How many peers were started, so that each has a socket of its own. */
let sockets = 0;

export async function startPeer(
  peer: Implementation,
  binaries: Binaries,
  program: Program,
  upstream: number | undefined,
): Promise<Peer> {
  sockets++;
  const path = program.unix ? join(tmpdir(), `ferronet-bench-${process.pid}-${sockets}.sock`) : undefined;
  const child = new Child(`the peer ${peer.name}`, serverCommand(peer, binaries, program, { upstream, path }));
  const { port } = await child.hear<{ port: number }>(START_SECONDS);
  return { implementation: peer, child, port, path };
}

/** Lets a peer end, and removes what it leaves behind. */
export async function endPeer({ child, path }: Peer): Promise<void> {
  await child.leave();
  if (path !== undefined) rmSync(path, { force: true });
}

function startLoad(binaries: Binaries, mode: string, peer: Peer, options: LoadOptions, span?: Span): Child {
  const { files, ...numbers } = options;
  const all = {
    ...numbers,
    ...(peer.path === undefined ? { port: peer.port } : { path: peer.path }),
    process: peer.child.pid,
    ...(span && { seconds: span.seconds, 'warm-up': span.warmUp }),
  };
  const args = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return new Child('the load generator', { file: binaries.load, args: [mode, ...args], files });
}

/** Puts load on a peer for the time, and waits until all of its connections are closed. */
export async function load(
  binaries: Binaries,
  mode: string,
  peer: Peer,
  options: LoadOptions,
  span: Span,
): Promise<LoadResult> {
  const child = startLoad(binaries, mode, peer, options, span);
  try {
    return await child.hear<LoadResult>(LOAD_SECONDS + span.seconds + span.warmUp);
  } finally {
    await child.leave();
  }
}

/**
 * Puts load on a peer at a fixed rate, and has the peer watch itself meanwhile: for its processor time where the load
 * generator cannot see it, or with `delay` for that of its event loop.
 */
export async function loadAtRate(
  binaries: Binaries,
  peer: Peer,
  options: LoadOptions & { rate: number },
  span: Span,
  what: 'usage' | 'delay',
): Promise<OpenLoadResult & { delay?: number }> {
  const child = startLoad(binaries, 'open', peer, options, span);
  const watches = peer.implementation.runtime !== 'floor';
  try {
    await child.hear(LOAD_SECONDS + span.warmUp);
    if (watches) peer.child.say(`watch ${what}`);
    const result = await child.hear<OpenLoadResult>(LOAD_SECONDS + span.seconds);
    if (!watches) return result;
    peer.child.say('watched');
    const { delay, usage } = await peer.child.hear<Watched>(START_SECONDS);
    return { ...result, processor: result.processor ?? usage, ...(delay !== null && { delay }) };
  } finally {
    await child.leave();
  }
}

/** Has a peer connect to the load generator, which counts. */
export async function loadByConnecting(
  binaries: Binaries,
  peer: Peer,
  options: LoadOptions,
  span: Span,
): Promise<LoadResult> {
  const child = startLoad(binaries, 'accept', peer, options, span);
  try {
    const { port } = await child.hear<{ port: number }>(START_SECONDS);
    peer.child.say(`connect ${port}`);
    // The peer prints only on failure, so its output is not awaited.
    const result = await child.hear<LoadResult>(LOAD_SECONDS + span.seconds + span.warmUp);
    peer.child.say('stop');
    await peer.child.hear(START_SECONDS);
    return result;
  } finally {
    await child.leave();
  }
}

/** Resident bytes of a process. Linux only. */
function residentBytes(pid: number): number {
  const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(found?.[1]) * 1024;
}

/** Long enough for what a process does after the last byte: timers, threads that tidy up. */
const SETTLED_MILLISECONDS = 300;

async function settled(peer: Peer): Promise<number> {
  await new Promise((resolve) => {
    setTimeout(resolve, SETTLED_MILLISECONDS);
  });
  peer.child.say('collect');
  await peer.child.hear(START_SECONDS);
  return residentBytes(peer.child.pid);
}

/** Bytes by which a peer grows with each connection that has said one byte and is silent since. */
export async function bytesOfIdleConnection(binaries: Binaries, peer: Peer, options: LoadOptions): Promise<number> {
  const before = await settled(peer);
  const child = startLoad(binaries, 'idle', peer, options);
  try {
    await child.hear(LOAD_SECONDS);
    const after = await settled(peer);
    return (after - before) / options.connections;
  } finally {
    await child.leave();
  }
}
