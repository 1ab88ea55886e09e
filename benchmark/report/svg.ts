// The few elements that the pictures are made of. Colours are classes, which `picture.ts` gives a light and a dark value.

/** A part of a picture and the height that it takes. */
export interface Drawing {
  svg: string;
  height: number;
}

const number = (value: number): string => String(Math.round(value * 10) / 10);

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

function element(name: string, attributes: Readonly<Record<string, string | number>>, inner = ''): string {
  const written = Object.entries(attributes)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? number(value) : escaped(value)}"`)
    .join('');
  return inner ? `<${name}${written}>${inner}</${name}>` : `<${name}${written}/>`;
}

export const label = (x: number, y: number, text: string, of = '', anchor = 'start'): string =>
  element('text', { x, y, class: of, 'text-anchor': anchor }, escaped(text));

export const line = (x1: number, y1: number, x2: number, y2: number, of: string): string =>
  element('line', { x1, y1, x2, y2, class: of });

export const box = (x: number, y: number, width: number, height: number, of: string): string =>
  element('rect', { x, y, width: Math.max(0, width), height, class: of });

export const dot = (cx: number, cy: number, of: string): string => element('circle', { cx, cy, r: 3.5, class: of });

export const path = (points: readonly (readonly [number, number])[], of: string): string =>
  element('polyline', { points: points.map((point) => point.map(number).join(',')).join(' '), class: of });

export const moved = (y: number, svg: string): string => element('g', { transform: `translate(0 ${number(y)})` }, svg);
