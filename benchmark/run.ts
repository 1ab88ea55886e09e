// `npm run bench`: ferronet against `node:net`, and against a floor that is plain tokio, in one run on one machine. `--help`
// lists the options; README.md and docs/ have the results.
import { measureAll } from './measure';
import { HELP, type Options, readOptions, ROUNDS_OF_RESULTS } from './options';
import { killAll } from './processes';
import { describeMachine } from './report/machine';
import { watchOthers } from './report/others';
import { showProgress } from './report/progress';
import { resultOf } from './report/result';
import { table } from './report/table';
import { writeResults } from './report/write';
import { buildPackage, getBinaries } from './runners/build';
import { scenarios } from './scenarios';

const INTERRUPTED = 130;

function list(): string {
  return scenarios.map(({ name, title, core }) => `${name.padEnd(24)}${core ? 'core  ' : '      '}${title}`).join('\n');
}

async function run(wanted: Options): Promise<void> {
  // Here and not before this program, so that the arguments are read first.
  if (!buildPackage()) {
    process.exitCode = 1;
    return;
  }
  const { binaries, peers } = getBinaries(wanted.peers);
  const options = { ...wanted, peers };
  const machine = describeMachine(binaries, peers);
  const progress = showProgress(options.scenarios.length);
  const others = watchOthers();
  const outcomes = await measureAll(options, binaries, progress);
  progress.end();

  const { rounds, seconds } = options;
  const share = others();
  const result = resultOf(outcomes, {
    rounds,
    seconds,
    machine,
    peers,
    ...(share !== undefined && { others: share }),
  });
  console.log(table(result));
  const failed = outcomes.some(({ failures }) => failures.size > 0);
  if (options.write || (options.full && rounds >= ROUNDS_OF_RESULTS && !failed)) {
    console.log(`written: ${writeResults(result).join(', ')}`);
  }
  if (failed) process.exitCode = 1;
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
