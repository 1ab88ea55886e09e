// Shows on standard error what is being measured: one line that changes on a terminal, one for each scenario elsewhere.
import type { Progress } from '../measure';
import type { Scenario } from '../scenarios/scenario';

export function showProgress(count: number): Progress & { end: () => void } {
  const { stderr } = process;
  const started = performance.now();
  const clear = stderr.isTTY ? '\r\u001B[K' : '';
  let line = '';
  return {
    scenario({ title, skip }: Scenario, index: number): void {
      const seconds = Math.round((performance.now() - started) / 1000);
      line = `[${index + 1}/${count}, ${seconds} s] ${title}${skip === undefined ? '' : ' (skipped)'}`;
      stderr.write(stderr.isTTY ? clear + line : `${line}\n`);
    },
    step(what: string): void {
      if (stderr.isTTY) stderr.write(`${clear}${line}: ${what}`.slice(0, stderr.columns + clear.length - 1));
    },
    end(): void {
      stderr.write(clear);
    },
  };
}
