// A program in a process of its own that says what it does.
import { type ChildProcessWithoutNullStreams, spawn, type StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

const root = join(__dirname, '..', '..');

/** A process in the folder of the package, and what it has printed so far. */
export class Program {
  output = '';
  readonly child: ChildProcessWithoutNullStreams;
  /** Its exit status, once it has ended and all of its output is here. */
  readonly status: Promise<number | null>;
  #waiting: (() => void)[] = [];

  constructor(t: ExecutionContext, command: string, args: string[], inherited: number[] = [], env = {}) {
    const options = {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe', ...inherited] as StdioOptions,
    };
    this.child = spawn(command, args, options) as ChildProcessWithoutNullStreams;
    const note = (text: string): void => {
      this.output += text;
      for (const look of this.#waiting) look();
    };
    this.child.stdout.setEncoding('utf8').on('data', note);
    this.child.stderr.setEncoding('utf8').on('data', note);
    this.status = once(this.child, 'close').then(() => this.child.exitCode);
    t.teardown(() => this.child.kill());
  }

  /** Resolves once the program has printed the text; fails if it ends without. */
  async says(text: string): Promise<void> {
    await this.#until(() => this.output.includes(text), text);
  }

  /** Resolves to the match once what the program has printed has one. */
  async matches(pattern: RegExp): Promise<RegExpExecArray> {
    await this.#until(() => pattern.test(this.output), String(pattern));
    return pattern.exec(this.output) as RegExpExecArray;
  }

  #until(isSaid: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (isSaid()) resolve();
      };
      this.#waiting.push(look);
      look();
      this.status.then(() => reject(new Error(`ended without saying "${what}": ${this.output}`)), reject);
    });
  }
}
