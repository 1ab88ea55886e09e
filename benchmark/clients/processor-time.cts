// What a process has used of the processor, read from outside as `crates/benchmark/src/processor_time.rs` does.
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessorTime {
  /** Nanoseconds of the main thread, which runs JavaScript. */
  main: number;
  /** Nanoseconds of all threads that are alive. */
  all: number;
}

const ofThread = (path: string): number => Number(readFileSync(`${path}/schedstat`, 'latin1').split(' ', 1)[0]);

/** Null where the system does not report it: everywhere but on Linux. */
export function processorTime(pid: number): ProcessorTime | null {
  try {
    const threads = `/proc/${pid}/task`;
    const all = readdirSync(threads).reduce((sum, thread) => sum + ofThread(`${threads}/${thread}`), 0);
    return { main: ofThread(`${threads}/${pid}`), all };
  } catch {
    return null;
  }
}
