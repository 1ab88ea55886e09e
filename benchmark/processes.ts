// The processes that the benchmark starts: each communicates in lines, has a time limit, and none outlives the run.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';

/** How much of the standard error of a process is saved: its end. */
const KEPT_COMPLAINT = 2000;
const LEAVE_MILLISECONDS = 3000;

const running = new Set<Child>();

export interface Command {
  file: string;
  args: readonly string[];
  env?: Readonly<Record<string, string>>;
  /** How many files it may have open, where that is more than it gets anyway. */
  files?: number | undefined;
}

/** A process that prints its results as lines of JSON, and ends when its standard input does. */
export class Child {
  readonly pid: number;
  readonly #name: string;
  readonly #process: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #messages: object[] = [];
  #wake: (() => void) | undefined;
  #complaint = '';
  #ended: string | undefined;

  constructor(name: string, { file, args, env, files }: Command) {
    this.#name = name;
    // `exec` keeps the process id, so that what is measured is the peer and not a shell.
    const [command, ...rest] =
      files === undefined || process.platform === 'win32'
        ? [file, ...args]
        : ['sh', '-c', 'ulimit -n "$0" && exec "$@"', String(files), file, ...args];
    this.#process = spawn(command!, rest, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.pid = this.#process.pid ?? 0;
    running.add(this);
    this.#process.on('error', (error) => this.#end(error.message));
    this.#process.on('close', (status, signal) => this.#end(`ended with ${signal ?? `status ${status}`}`));
    // It may have ended before the write; `close` reports that.
    this.#process.stdin.on('error', () => {});
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-KEPT_COMPLAINT);
    });
    let unfinished = '';
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
      this.#wake?.();
    });
  }

  #take(line: string): void {
    try {
      this.#messages.push(JSON.parse(line) as object);
    } catch {
      // Not what it was to say, so it may be the reason of what fails next.
      this.#complaint = `${this.#complaint}${line}\n`.slice(-KEPT_COMPLAINT);
    }
  }

  #end(how: string): void {
    running.delete(this);
    this.#ended ??= how;
    this.#wake?.();
  }

  #failure(what: string): Error {
    const complaint = this.#complaint.trim();
    return new Error(`${this.#name} ${what}${complaint ? `: ${complaint}` : ''}`);
  }

  /** What went wrong with it, if it has ended. */
  get failure(): Error | undefined {
    return this.#ended === undefined ? undefined : this.#failure(this.#ended);
  }

  /** The next line that it prints. Rejects, and ends the process, when that takes longer than `seconds`. */
  async hear<T extends object>(seconds: number): Promise<T> {
    const until = performance.now() + seconds * 1000;
    while (this.#messages.length === 0) {
      if (this.#ended) throw this.#failure(this.#ended);
      const left = until - performance.now();
      if (left <= 0) {
        this.kill();
        throw this.#failure(`said nothing for ${seconds} s and was killed`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    return this.#messages.shift() as T;
  }

  say(line: string): void {
    this.#process.stdin.write(`${line}\n`);
  }

  /** Lets it go, and waits until it is gone. */
  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#process.stdin.end();
    const timer = setTimeout(() => this.kill(), LEAVE_MILLISECONDS);
    await once(this.#process, 'close');
    clearTimeout(timer);
  }

  kill(): void {
    this.#process.kill('SIGKILL');
  }
}

/** Ends what still runs. */
export function killAll(): void {
  for (const child of running) child.kill();
}
