// Echo round trips a second over the number of connections, a line for each peer.
import { title } from '../runners/implementations';
import { short } from './number-text';
import type { Result } from './result';
import { dot, type Drawing, label, line, path } from './svg';

const LEFT = 60;
const WIDTH = 620;
const HEIGHT = 240;
const HEAD = 34;
const GRID_LINES = 4;
const ROW = 20;
const LEGEND = LEFT + WIDTH + 20;
/** Classes of `picture.ts`. */
const COLOURS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth'];

/** The next number that reads well, also in quarters. */
function roundedUp(value: number): number {
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * ([1, 2, 4, 6, 8, 10].find((step) => step * unit >= value) ?? 10);
}

export function drawCurve({ scenarios, peers }: Result): Drawing {
  const points = scenarios.flatMap(({ scale, metrics }) => {
    const rate = metrics.find(({ unit }) => unit === 'round trips/s');
    return scale === undefined || !rate ? [] : [{ connections: scale, figures: rate.peers }];
  });
  const figures = points.flatMap((point) => Object.values(point.figures));
  if (points.length < 2 || figures.length === 0) return { svg: '', height: 0 };

  const most = roundedUp(Math.max(...figures.map(({ greatest }) => greatest)));
  const [first, last] = [points[0]!.connections, points.at(-1)!.connections];
  const x = (connections: number): number => LEFT + (Math.log(connections / first) / Math.log(last / first)) * WIDTH;
  const y = (value: number): number => HEAD + HEIGHT - (value / most) * HEIGHT;

  const parts = [label(0, 14, 'Echo of 64 bytes: round trips a second, by the number of connections', 'heading')];
  for (let n = 0; n <= GRID_LINES; n++) {
    const value = (most * n) / GRID_LINES;
    parts.push(
      line(LEFT, y(value), LEFT + WIDTH, y(value), 'grid'),
      label(LEFT - 8, y(value) + 4, value === 0 ? '0' : short(value), 'small', 'end'),
    );
  }
  for (const { connections } of points) {
    parts.push(label(x(connections), HEAD + HEIGHT + 18, connections.toLocaleString('en-US'), 'small', 'middle'));
  }
  for (const [index, peer] of peers.entries()) {
    const colour = COLOURS[index % COLOURS.length]!;
    const of = points.flatMap(({ connections, figures: all }) => {
      const figure = all[peer.name];
      return figure ? [{ x: x(connections), ...figure }] : [];
    });
    parts.push(
      path(
        of.map((point) => [point.x, y(point.median)] as const),
        `curve ${colour}`,
      ),
    );
    for (const point of of) {
      parts.push(
        line(point.x, y(point.least), point.x, y(point.greatest), `range ${colour}`),
        dot(point.x, y(point.median), `dot ${colour}`),
      );
    }
    parts.push(
      dot(LEGEND, HEAD + 6 + index * ROW, `dot ${colour}`),
      label(LEGEND + 12, HEAD + 10 + index * ROW, title(peer), 'small'),
    );
  }
  return { svg: parts.join('\n'), height: HEAD + HEIGHT + 36 };
}
