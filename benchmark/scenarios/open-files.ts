// Connections are open files, and the system limits how many of them a process has.
import { execFileSync } from 'node:child_process';

/** What a process has open beside its connections. */
const OTHERS = 200;
/** What every system gives without being asked. */
const ALWAYS = 512;

let known: number | undefined;

/** The most files that this process may have open, and so the processes that it starts. */
export function mostOpenFiles(): number {
  if (process.platform === 'win32') return Infinity;
  known ??= Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })) || Infinity;
  return known;
}

/** How many files are needed for so many connections, or why they cannot be had. */
export function openFiles(connections: number): { files?: number; skip?: string } {
  if (connections + OTHERS <= ALWAYS) return {};
  const files = connections + OTHERS;
  if (files <= mostOpenFiles()) return { files };
  return { skip: `needs ${files} open files, and a process may have ${mostOpenFiles()} (ulimit -Hn)` };
}

/** So many connections, or the most that the limit leaves room for. */
export const atMost = (connections: number): number => Math.min(connections, mostOpenFiles() - OTHERS);
