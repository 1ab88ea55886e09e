// A bar for each figure: how it compares to `node:net`, with the line that is `node:net` itself.
import { ratio } from './number-text';
import type { Figure, Result, Row, ScenarioResult } from './result';
import { box, type Drawing, label, line } from './svg';
import { isMet } from './table';

const LABELS = 430;
const WIDTH = 390;
const ROW = 20;
const BAR = 12;
const HEAD = 44;
/** The axis goes to twice as good at least; a bar above the greatest is cut off and has its number. */
const LEAST_AXIS = 2;
const GREATEST_AXIS = 4;

interface Bar {
  text: string;
  row: Row;
  ratio: NonNullable<Figure['ratio']>;
}

/** The curve shows the points that stand for nothing else; a limit has no ratio worth a bar. */
function isBar({ scale }: ScenarioResult, { quiet, target, limit }: Row): boolean {
  return !quiet && limit === undefined && (scale === undefined || target !== undefined);
}

function barsOf({ scenarios }: Result): Bar[] {
  return scenarios.flatMap((scenario) =>
    scenario.metrics.flatMap((row) => {
      const compared = row.peers['ours']?.ratio;
      return compared && isBar(scenario, row) ? [{ text: `${scenario.title}: ${row.name}`, row, ratio: compared }] : [];
    }),
  );
}

export function drawBars(result: Result): Drawing {
  const bars = barsOf(result);
  const most = Math.max(0, ...bars.map((bar) => bar.ratio.greatest));
  const axis = Math.min(GREATEST_AXIS, Math.max(LEAST_AXIS, Math.ceil(most * 4) / 4));
  const x = (value: number): number => LABELS + (Math.min(value, axis) / axis) * WIDTH;
  const bottom = HEAD + bars.length * ROW;

  const parts = [
    label(
      0,
      14,
      `ferronet compared to node:net of Node ${result.machine.versions['node']}: longer is better, the line is node:net`,
      'heading',
    ),
  ];
  for (let tick = 0; tick <= axis; tick += 0.5) {
    parts.push(
      line(x(tick), HEAD - 4, x(tick), bottom, tick === 1 ? 'one' : 'grid'),
      label(x(tick), HEAD - 8, tick.toFixed(1), 'small', 'middle'),
    );
  }
  for (const [index, { text, row, ratio: compared }] of bars.entries()) {
    const y = HEAD + index * ROW;
    const middle = y + ROW / 2;
    const met = isMet(row);
    parts.push(
      label(LABELS - 8, middle + 4, text, 'small', 'end'),
      box(LABELS, y + (ROW - BAR) / 2, x(compared.median) - LABELS, BAR, compared.median >= 1 ? 'better' : 'worse'),
      line(x(compared.least), middle, x(compared.greatest), middle, 'spread'),
      label(LABELS + WIDTH + 8, middle + 4, `${ratio(compared.median)}${met ? ' ✓' : ''}`, 'small'),
    );
    if (row.target !== undefined) parts.push(line(x(row.target), y + 2, x(row.target), y + ROW - 2, 'wanted'));
  }
  parts.push(label(LABELS, bottom + 16, 'thin: least to greatest of all rounds; dotted: what is wanted', 'small'));
  return { svg: parts.join('\n'), height: bottom + 30 };
}
