// The peers: ferronet, `node:net` on the same Node, on Bun and on Deno, and the floor. A peer is named on the command
// line, `ours` or `ours:NAME=VALUE` with a variable of its environment, so that variants can be compared in one run.
import { join } from 'node:path';

import type { Command } from '../processes';
import type { Program } from './program';

export const RUNTIMES = ['ours', 'node', 'bun', 'deno', 'floor'] as const;
export type Runtime = (typeof RUNTIMES)[number];

export interface Implementation {
  /** As on the command line, and in the results. */
  readonly name: string;
  readonly runtime: Runtime;
  readonly env: Readonly<Record<string, string>>;
}

/** The programs that are built or installed for the run. */
export interface Binaries {
  /** Runs `ours` and `node`. */
  node: string;
  load: string;
  floor: string;
  bun?: string | undefined;
  deno?: string | undefined;
}

const PEERS = join(__dirname, '..', 'peers');

/** The peer that a word of the command line names; an error describes a wrong one. */
export function implementation(word: string): Implementation {
  const [name, ...variables] = word.split(':');
  const runtime = RUNTIMES.find((one) => one === name);
  if (!runtime) throw new Error(`--peers: "${name}" is none of ${RUNTIMES.join(', ')}, all`);
  const env: Record<string, string> = {};
  for (const variable of variables) {
    const at = variable.indexOf('=');
    if (at < 1) throw new Error(`--peers: "${variable}" in "${word}" is not NAME=VALUE`);
    env[variable.slice(0, at)] = variable.slice(at + 1);
  }
  return { name: word, runtime, env };
}

/** The names that the results are shown under. */
export function title({ name, runtime }: Implementation): string {
  if (runtime === 'node') return name.replace('node', 'node:net');
  if (runtime === 'floor') return 'floor (tokio)';
  return runtime === 'ours' ? name.replace('ours', 'ferronet') : name;
}

/** How JavaScript is run by an implementation; with `gc`, so that it can collect its garbage on request. */
function javascript({ runtime }: Implementation, binaries: Binaries, gc: boolean): [string, ...string[]] {
  switch (runtime) {
    case 'bun':
      return [binaries.bun!, 'run'];
    case 'deno':
      return [binaries.deno!, 'run', '--allow-all', '--no-prompt', ...(gc ? ['--v8-flags=--expose-gc'] : [])];
    default:
      return [binaries.node, ...(gc ? ['--expose-gc'] : [])];
  }
}

const netOf = ({ runtime }: Implementation): string => (runtime === 'ours' ? 'ferronet' : 'node:net');

/** Where a server listens or connects to. */
export interface Places {
  upstream?: number | undefined;
  path?: string | undefined;
}

/** The command for a program of `peers/`, or the floor's of the same name. */
export function serverCommand(peer: Implementation, binaries: Binaries, program: Program, places: Places): Command {
  const { name, collects, files, unix: _, ...settings } = program;
  const options = Object.entries({ ...settings, ...places })
    .filter(([, value]) => value !== undefined)
    .flatMap(([option, value]) => [`--${option}`, String(value)]);
  if (peer.runtime === 'floor') return { file: binaries.floor, args: [name, ...options], env: peer.env, files };
  const [file, ...flags] = javascript(peer, binaries, collects ?? false);
  return { file, args: [...flags, join(PEERS, 'server.cjs'), netOf(peer), name, ...options], env: peer.env, files };
}

/** The command that prints how long the first `require` takes. */
export function requireCommand(peer: Implementation, binaries: Binaries): Command {
  const [file, ...flags] = javascript(peer, binaries, false);
  return { file, args: [...flags, join(PEERS, 'require.cjs'), netOf(peer)], env: peer.env };
}
