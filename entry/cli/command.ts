// What a command of the command line is, and how its arguments are read.
import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Status of the process: what was asked for was done, could not be done, or could not be understood. */
export const enum Exit {
  Done = 0,
  Failed = 1,
  Usage = 2,
}

export type Options = NonNullable<ParseArgsConfig['options']>;
export type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

export interface Command {
  name: string;
  /** The arguments, as `--help` shows them. */
  synopsis: string;
  /** One sentence. */
  summary: string;
  /** What `--help` shows below: options, examples. */
  details: string;
  options: Options;
  /** How many arguments it takes. */
  takes: readonly [least: number, most: number];
  run: (args: readonly string[], values: Values) => Promise<Exit> | Exit;
}

/** The arguments make no sense: the message, with where to read how, and status 2. */
export class UsageError extends Error {
  /** @param command whose help says how it is used; without one, that of the whole command line */
  constructor(
    message: string,
    readonly command?: string,
  ) {
    super(message);
  }
}

const HELP: Options = { help: { type: 'boolean', short: 'h' } };

function helpOf({ name, synopsis, summary, details }: Command): string {
  const line = ['ferronet', name, synopsis].filter(Boolean).join(' ');
  return `${summary}\n\nUsage: ${line}\n${details && `\n${details}\n`}`;
}

function parse(command: Command, given: readonly string[]): { values: Values; positionals: string[] } {
  try {
    const options = { ...command.options, ...HELP };
    return parseArgs({ args: [...given], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** @throws UsageError */
export async function runCommand(command: Command, given: readonly string[]): Promise<Exit> {
  const { values, positionals } = parse(command, given);
  if (values['help'] === true) {
    process.stdout.write(helpOf(command));
    return Exit.Done;
  }
  const { 0: least, 1: most } = command.takes;
  if (positionals.length < least) throw new UsageError(`${command.synopsis} is missing`);
  if (positionals.length > most) throw new UsageError(`'${positionals[most]}' is one argument too many`);
  return command.run(positionals, values);
}
