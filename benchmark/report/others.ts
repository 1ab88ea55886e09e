// How much of the processor went to what is not the benchmark: a figure of a run on a machine with other guests is worth
// less, and this says how much less.
import { readFileSync } from 'node:fs';

/** In ticks of the clock, since the machine or the process started. */
interface Ticks {
  /** Of all processors, also idle. */
  all: number;
  /** Spent in processes, or taken away by the hypervisor. */
  busy: number;
  /** Of these, this process and the children that it had and that have ended. */
  own: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

function ticks(): Ticks {
  // "cpu user nice system idle iowait irq softirq steal ...": time in interrupts belongs to no process.
  const cpu = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!.trim().split(/\s+/).slice(1, 9).map(Number);
  const [user = 0, nice = 0, system = 0, , , , , steal = 0] = cpu;
  // The name in parentheses may contain anything; utime, stime, cutime and cstime come 11 fields after it.
  const own = readFileSync('/proc/self/stat', 'latin1')
    .replace(/^.*\)/s, '')
    .trim()
    .split(' ')
    .slice(11, 15)
    .map(Number);
  return { all: sum(cpu), busy: user + nice + system + steal, own: sum(own) };
}

/** Returns a function that returns the percentage of other processes since then, or undefined if the system has no figure. */
export function watchOthers(): () => number | undefined {
  if (process.platform !== 'linux') return () => undefined;
  const before = ticks();
  return () => {
    const after = ticks();
    const others = after.busy - before.busy - (after.own - before.own);
    return Math.max(0, Math.round((others / (after.all - before.all)) * 100));
  };
}
