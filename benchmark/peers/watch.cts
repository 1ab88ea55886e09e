// What only the process itself can say about a measured interval: the delay of its event loop, and on systems that do not
// show it to others, its processor time.
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds. A timer that wakes the loop as often, so this is not measured together with processor time. */
const RESOLUTION = 1;
const NANOSECONDS = 1e6;

export interface Watched {
  /** Nanoseconds by which a timer was late, in 99 of 100 cases at most. */
  delay: number | null;
  /** Nanoseconds of the processor. */
  usage: { main: number | null; all: number };
}

interface Usage {
  user: number;
  system: number;
}

const sum = ({ user, system }: Usage): number => user + system;

function usage(): { main: number | null; all: number } {
  // Node 22.19 and 24.
  const { threadCpuUsage } = process as { threadCpuUsage?: () => Usage };
  return { main: threadCpuUsage ? sum(threadCpuUsage()) : null, all: sum(process.cpuUsage()) };
}

function startDelay(): IntervalHistogram | undefined {
  try {
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION });
    histogram.enable();
    return histogram;
  } catch {
    // Not every runtime has it.
    return undefined;
  }
}

/** Watches until the function that it returns is called. */
export function watch(what: string | undefined): () => Watched {
  const before = usage();
  const histogram = what === 'delay' ? startDelay() : undefined;
  return () => {
    histogram?.disable();
    const after = usage();
    const main = before.main === null || after.main === null ? null : (after.main - before.main) * 1000;
    return {
      // It records the time from one timer to the next.
      delay: histogram?.count ? Math.max(0, histogram.percentile(99) - RESOLUTION * NANOSECONDS) : null,
      usage: { main, all: (after.all - before.all) * 1000 },
    };
  };
}
