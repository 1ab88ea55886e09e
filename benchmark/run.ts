// `npm run bench`: ferronet against `node:net`, and against a floor that is plain tokio, in one run on one machine. `--help`
// lists the options; README.md and docs/ have the results.
import { measureAll } from './measure';
import { HELP, type Options, readOptions, ROUNDS_OF_RESULTS } from './options';
import { killAll } from './processes';
import { describeMachine } from './report/machine';
import { nodesTable } from './report/nodes-table';
import { watchOthers } from './report/others';
import { showProgress } from './report/progress';
import { type Result, resultOf } from './report/result';
import { scalingTable } from './report/scaling-table';
import { table } from './report/table';
import { writeResults } from './report/write';
import { buildPackage, getBinaries } from './runners/build';
import type { Binaries } from './runners/implementations';
import { scenarios } from './scenarios';

const INTERRUPTED = 130;

function list(): string {
  return scenarios.map(({ name, title, core }) => `${name.padEnd(24)}${core ? 'core  ' : '      '}${title}`).join('\n');
}

async function runOn(options: Options, binaries: Binaries): Promise<Result> {
  const { rounds, seconds, peers } = options;
  const machine = describeMachine(binaries, peers);
  const progress = showProgress(options.scenarios.length);
  const others = watchOthers();
  const outcomes = await measureAll(options, binaries, progress);
  progress.end();
  const share = others();
  return resultOf(outcomes, { rounds, seconds, machine, peers, ...(share !== undefined && { others: share }) });
}

/** What the files of a run are called. */
function nameOf({ scaling, nodes }: Options, { machine }: Result): string {
  if (scaling) return 'scaling';
  return nodes.length > 1 ? `node-${machine.versions['node']!.split('.', 1)[0]}` : 'latest';
}

async function run(wanted: Options): Promise<void> {
  // Here and not before this program, so that the arguments are read first.
  if (!buildPackage()) {
    process.exitCode = 1;
    return;
  }
  const { binaries, peers } = getBinaries(wanted.peers);
  const options = { ...wanted, peers };
  const results: Result[] = [];
  for (const node of options.nodes) {
    const result = await runOn(options, { ...binaries, node });
    results.push(result);
    console.log(options.scaling ? scalingTable(result) : table(result));
    const failed = result.scenarios.some(({ failures }) => Object.keys(failures).length > 0);
    if (options.write || (options.full && options.rounds >= ROUNDS_OF_RESULTS && !failed)) {
      console.log(`written: ${writeResults(result, nameOf(options, result), !options.scaling).join(', ')}`);
    }
    if (failed) process.exitCode = 1;
  }
  if (results.length > 1) console.log(nodesTable(results));
}

async function main(): Promise<void> {
  let options: Options;
  try {
    options = readOptions();
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`);
    process.exitCode = 2;
    return;
  }
  if (options.help) console.log(HELP);
  else if (options.list) console.log(list());
  else await run(options);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    killAll();
    process.exit(INTERRUPTED);
  });
}

main().catch((error: unknown) => {
  killAll();
  console.error(error);
  process.exit(1);
});
