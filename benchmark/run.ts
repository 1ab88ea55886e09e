// Ours against node:net in one run: a server process of each, the same client against both in turn, several rounds.
// The ratio of a round compares two runs that are seconds apart on the same machine; its median is the figure to quote.
//
//     npm run bench -- [--rounds 5] [--seconds 2] [--connections 64] [--bytes 64]
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { echo } from './scenarios/echo';

const OURS = 'ferronet';
const THEIRS = 'node:net';

async function start(implementation: string): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(join(__dirname, 'peers', 'echo-server.js'), [implementation]);
  const [message] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() =>
      Promise.reject(new Error(`the server on ${implementation} ended before it listened`)),
    ),
  ])) as [{ port: number }];
  return { child, port: message.port };
}

/** Median, with the least and the greatest beside it. */
function spread(values: readonly number[], digits: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
  return `${middle.toFixed(digits)} (${at(0).toFixed(digits)} to ${at(sorted.length - 1).toFixed(digits)})`;
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} takes a number above 0, not "${text}"`);
  return value;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '64' },
      bytes: { type: 'string', default: '64' },
    },
  });
  const rounds = Math.ceil(positive('rounds', values.rounds));
  const load = {
    connections: Math.ceil(positive('connections', values.connections)),
    bytes: Math.ceil(positive('bytes', values.bytes)),
    seconds: positive('seconds', values.seconds),
  };

  const { version } = require('ferronet/package.json') as { version: string };
  const processors = cpus();
  console.log(`ferronet ${version}, Node ${process.version}, ${process.platform} ${process.arch}`);
  console.log(`${processors.length} x ${processors[0]?.model.trim() ?? 'unknown processor'}`);
  console.log(
    `echo: ${load.connections} connections of ${load.bytes} bytes, ${rounds} rounds of ${load.seconds} s each; ` +
      'the client is node:net for both and shares the machine, which draws the ratio towards 1',
  );

  const servers = new Map([
    [OURS, await start(OURS)],
    [THEIRS, await start(THEIRS)],
  ]);
  const results = new Map<string, number[]>([
    [OURS, []],
    [THEIRS, []],
  ]);
  for (let round = 0; round < rounds; round++) {
    // Who comes first changes with each round, so that neither always gets the warmer machine.
    const order = round % 2 === 0 ? [OURS, THEIRS] : [THEIRS, OURS];
    for (const implementation of order) {
      const { port } = servers.get(implementation)!;
      results.get(implementation)!.push(await echo(port, load));
    }
  }
  for (const { child } of servers.values()) child.disconnect();

  const ours = results.get(OURS)!;
  const theirs = results.get(THEIRS)!;
  console.log('round trips a second: median (least to greatest)');
  console.log(`  ${OURS.padEnd(10)}${spread(ours, 0)}`);
  console.log(`  ${THEIRS.padEnd(10)}${spread(theirs, 0)}`);
  const ratios = ours.map((value, round) => value / theirs[round]!);
  console.log(`  ${'ratio'.padEnd(10)}${spread(ratios, 2)}`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
