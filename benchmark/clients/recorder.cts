// Counts what happens in the measured interval, as `crates/benchmark/src/recorder.rs` does: it starts and ends with the
// first thing that happens after its time has come.
import { createHistogram } from 'node:perf_hooks';

import { type ProcessorTime, processorTime } from './processor-time.cjs';

interface Moment {
  time: number;
  peer: ProcessorTime | null;
  /** Microseconds of this process. */
  own: NodeJS.CpuUsage;
}

const NANOSECONDS = 1e6;

export interface Times {
  /** Milliseconds. */
  warmUp: number;
  measured: number;
  /** Whose processor time is read. */
  pid: number;
}

export class Recorder {
  readonly #times: Times;
  readonly #durations = createHistogram();
  readonly #began = performance.now();
  #start: Moment | undefined;
  #end: Moment | undefined;
  #count = 0;

  constructor(times: Times) {
    this.#times = times;
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  #moment(time: number): Moment {
    return { time, peer: processorTime(this.#times.pid), own: process.cpuUsage() };
  }

  /** Something that was begun at `since` is done. Returns the time. */
  record(since: number): number {
    const now = performance.now();
    if (this.isOver) return now;
    if (this.#start) {
      this.#count++;
      this.#durations.record(Math.max(1, Math.round((now - since) * NANOSECONDS)));
      if (now - this.#start.time >= this.#times.measured) this.#end = this.#moment(now);
    } else if (now - this.#began >= this.#times.warmUp) {
      this.#start = this.#moment(performance.now());
    }
    return now;
  }

  /** As `ferronet-load` prints it. */
  result(): object {
    const [start, end, durations] = [this.#start, this.#end, this.#durations];
    if (!start || !end) throw new Error('nothing was measured');
    const own = end.own.user + end.own.system - start.own.user - start.own.system;
    return {
      count: this.#count,
      seconds: (end.time - start.time) / 1000,
      p50: durations.percentile(50),
      p90: durations.percentile(90),
      p99: durations.percentile(99),
      p999: durations.percentile(99.9),
      max: durations.max,
      processor:
        start.peer && end.peer ? { main: end.peer.main - start.peer.main, all: end.peer.all - start.peer.all } : null,
      own: own * 1000,
    };
  }
}
