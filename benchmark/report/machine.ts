// Where a run took place and what took part in it: without that, its figures say nothing.
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

import type { Binaries, Implementation } from '../runners/implementations';

export interface Machine {
  processor: string;
  cores: number;
  memoryGiB: number;
  system: string;
  /** By the names of the programs. */
  versions: Record<string, string>;
}

/** What a command prints, in one line; nothing where it is missing. */
function output(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, {
      cwd: join(__dirname, '..', '..', '..'),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined;
  }
}

function versions(binaries: Binaries, peers: readonly Implementation[]): Record<string, string> {
  const { version } = require('ferronet/package.json') as { version: string };
  const commit = output('git', ['rev-parse', '--short', 'HEAD']);
  const found: Record<string, string> = {
    ferronet: commit ? `${version} (${commit})` : version,
    // A child, also where it is the Node of this process: one way to ask.
    node: output(binaries.node, ['-p', 'process.versions.node']) ?? 'unknown',
  };
  for (const name of ['bun', 'deno'] as const) {
    if (!peers.some(({ runtime }) => runtime === name)) continue;
    // "deno 2.9.6 (stable, ...)", and Bun prints the number alone.
    const text = /\d+\.\d+\.\d+\S*/.exec(output(binaries[name]!, ['--version']) ?? '')?.[0];
    if (text) found[name] = text;
  }
  return found;
}

export function describeMachine(binaries: Binaries, peers: readonly Implementation[]): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? 'unknown processor',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch} ${release()}`,
    versions: versions(binaries, peers),
  };
}
