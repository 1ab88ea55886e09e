// The command line: `npx ferronet`. Everything that a command needs is loaded when it runs, the native part foremost, which
// `doctor` is there to look for.
import { bench } from './cli/bench.js';
import { type Command, Exit, runCommand, UsageError } from './cli/command.js';
import { doctor } from './cli/doctor.js';
import { echo } from './cli/echo.js';
import { readManifest } from './cli/manifest.js';
import { proxy } from './cli/proxy.js';

const commands: readonly Command[] = [doctor, echo, proxy, bench];

function help(): string {
  const lines = commands.map(({ name, synopsis, summary }) => `  ${`${name} ${synopsis}`.padEnd(22)}${summary}`);
  return `Usage: ferronet COMMAND

Commands:
${lines.join('\n')}

  -h, --help            Shows this, and behind a command how that is used.
  -v, --version         Shows the version.
`;
}

async function run([name, ...rest]: readonly string[]): Promise<Exit> {
  if (name === undefined) {
    process.stderr.write(help());
    return Exit.Usage;
  }
  if (name === '-h' || name === '--help' || name === 'help') {
    process.stdout.write(help());
    return Exit.Done;
  }
  if (name === '-v' || name === '--version') {
    process.stdout.write(`${readManifest().version}\n`);
    return Exit.Done;
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) throw new UsageError(`there is no command '${name}'`);
  try {
    return await runCommand(command, rest);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${name}: ${error.message}`, name);
  }
}

/**
 * Runs a command and sets the status of the process: 0 when it has done what it was asked for, 1 when it could not, 2 when the
 * arguments made no sense.
 */
export function main(args: readonly string[]): void {
  // What reads the output may have gone, such as `head`.
  process.stdout.on('error', () => process.exit(Exit.Done));
  run(args).then(
    (status) => {
      process.exitCode = status;
    },
    (error: Error) => {
      process.stderr.write(`ferronet: ${error.message}\n`);
      process.exitCode = Exit.Failed;
      if (!(error instanceof UsageError)) return;
      const help = ['ferronet', error.command, '--help'].filter(Boolean).join(' ');
      process.stderr.write(`${help} says how it is used.\n`);
      process.exitCode = Exit.Usage;
    },
  );
}
