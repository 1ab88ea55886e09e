// Plays programs on one implementation: `node build/_model/player.js <module> < programs.json` prints a line for each, and
// ends by itself. Prints with `writeSync`, since `process.stdout` may be a socket of node:net.
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Net } from '../_helpers/implementations.js';
import { Link } from './link.js';
import { Moments } from './moments.js';
import { Peer } from './peer.js';
import type { Lanes, Program, Result } from './program.js';
import { Planned } from './watched.js';

/** The last line of a run: what kept the process from ending by itself, if anything did. */
export interface Exit {
  open?: string[];
}

/** What a process that ends by itself needs at the most, from its last program on. */
const TO_END = 3000;

// Each pump waits for itself.
EventEmitter.defaultMaxListeners = 100;

/** How many violations are reported: the first is what matters. */
const MOST = 5;

class Player {
  readonly #net: Net;
  readonly #limit: number;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'ferronet-model-'));
  #peer: Peer | undefined;
  #violations: string[] = [];
  #planned = 0;

  constructor(net: Net, limit: number) {
    this.#net = net;
    this.#limit = limit;
    process.on('exit', () => rmSync(this.#folder, { recursive: true, force: true }));
    process.on('uncaughtException', (error) => {
      if (error instanceof Planned) this.#planned++;
      else this.#violations.push(`uncaught: ${error.stack}`);
    });
  }

  async play({ seed, links }: Program): Promise<Result> {
    const start = performance.now();
    const violations: string[] = (this.#violations = []);
    this.#planned = 0;
    const moments = await Moments.open(this.#net);
    const around = {
      net: this.#net,
      folder: this.#folder,
      moments,
      peer: () => (this.#peer ??= new Peer()),
      violation: (text: string) => void violations.push(text),
      limit: this.#limit,
    };
    const playing = links.map((link, index) => new Link(link, index, around));
    await Promise.all(playing.map((link) => link.play()));
    moments.close();
    const lanes: Lanes = Object.assign({}, ...playing.map((link) => link.lanes()));
    if (this.#planned > 0 && links.every(({ ordered }) => ordered)) lanes['thrown on purpose'] = String(this.#planned);
    return { seed, lanes, violations: violations.slice(0, MOST), ms: Math.round(performance.now() - start) };
  }
}

function print(line: Result | Exit): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

async function main(name: string, limit: number): Promise<void> {
  const programs = JSON.parse(readFileSync(0, 'utf8')) as Program[];
  const player = new Player(require(name) as Net, limit);
  for (const program of programs) {
    const result = await player.play(program);
    print(result);
    // What it has left open must not disturb the others, which are played in another process.
    if (result.violations.length > 0) process.exit(3);
  }
  const watchdog = setTimeout(() => {
    print({ open: process.getActiveResourcesInfo() });
    process.exit(4);
  }, TO_END + limit);
  watchdog.unref();
  process.on('exit', () => print({}));
}

if (require.main === module) void main(process.argv[2] as string, Number(process.argv[3] ?? 8000));
