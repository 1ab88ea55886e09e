// The picture of a run, for the README: readable on a light page and on a dark one, without a script or a font.
import { drawBars } from './bars';
import { drawCurve } from './curve';
import type { Result } from './result';
import { label, moved } from './svg';
import { about } from './table';

const WIDTH = 900;
const MARGIN = 16;
const GAP = 20;
/** Characters of small text that fit into a line. */
const LINE = 140;

const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .heading { font-weight: 600; font-size: 15px; }
  .small { font-size: 12px; }
  .page { fill: #ffffff; }
  .grid { stroke: #d1d9e0; }
  .one { stroke: #1f2328; stroke-width: 1.5; }
  .spread { stroke: #1f2328; stroke-width: 1.5; }
  .wanted { stroke: #1f2328; stroke-dasharray: 2 2; }
  .better { fill: #2da44e; }
  .worse { fill: #d4a72c; }
  .curve { fill: none; stroke-width: 2; }
  .range { stroke-width: 1.5; }
  .first { stroke: #cf5b13; } .first.dot { fill: #cf5b13; }
  .second { stroke: #1a7f37; } .second.dot { fill: #1a7f37; }
  .third { stroke: #8250df; } .third.dot { fill: #8250df; }
  .fourth { stroke: #0969da; } .fourth.dot { fill: #0969da; }
  .fifth { stroke: #6e7781; } .fifth.dot { fill: #6e7781; }
  .sixth { stroke: #bf3989; } .sixth.dot { fill: #bf3989; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .page { fill: #0d1117; }
    .grid { stroke: #30363d; }
    .one, .spread, .wanted { stroke: #e6edf3; }
    .better { fill: #238636; }
    .worse { fill: #9e6a03; }
    .first { stroke: #f0883e; } .first.dot { fill: #f0883e; }
    .second { stroke: #3fb950; } .second.dot { fill: #3fb950; }
    .third { stroke: #a371f7; } .third.dot { fill: #a371f7; }
    .fourth { stroke: #58a6ff; } .fourth.dot { fill: #58a6ff; }
    .fifth { stroke: #8b949e; } .fifth.dot { fill: #8b949e; }
    .sixth { stroke: #f778ba; } .sixth.dot { fill: #f778ba; }
  }`;

/** Breaks a text between words. */
function wrapped(text: string): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of text.split(' ')) {
    if (current.length + word.length >= LINE) {
      lines.push(current);
      current = word;
    } else current = current ? `${current} ${word}` : word;
  }
  return [...lines, current];
}

export function picture(result: Result): string {
  const words = wrapped(`${about(result)}; ${result.date.slice(0, 10)}`);
  const parts: string[] = [];
  let y = MARGIN;
  for (const { svg, height } of [drawBars(result), drawCurve(result)]) {
    if (height === 0) continue;
    parts.push(moved(y, svg));
    y += height + GAP;
  }
  for (const text of words) {
    parts.push(label(0, y, text, 'small'));
    y += GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${-MARGIN} 0 ${WIDTH + MARGIN} ${y}" width="${WIDTH + MARGIN}" height="${y}" role="img">
<title>Benchmark of ferronet against node:net</title>
<style>${STYLE}
</style>
<rect class="page" x="${-MARGIN}" width="100%" height="100%" rx="6"/>
${parts.join('\n')}
</svg>
`;
}
