/** Line charts as SVG: a few numbers, readable in light and dark pages. */

/** One line, with a point for each value of x. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** What a {@link lineChart} shows. */
export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly Series[];
  /** A bound to draw, such as a target. */
  readonly limit?: { readonly name: string; readonly y: number };
}

const width = 720;
const height = 400;
const plot = { left: 64, right: width - 24, top: 48, bottom: height - 88 };
const colours = ['#2563eb', '#d97706', '#059669', '#9333ea'];
const limitColour = '#dc2626';

/** @returns the document as text */
export function lineChart({ title, xLabel, yLabel, series, limit }: Chart): string {
  const points = series.flatMap((each) => each.points);
  const maxX = Math.max(1, ...points.map(([x]) => x));
  const maxY = niceMaximum(Math.max(limit?.y ?? 0, ...points.map(([, y]) => y)));
  const toX = (x: number): number => plot.left + (x / maxX) * (plot.right - plot.left);
  const toY = (y: number): number => plot.bottom - (y / maxY) * (plot.bottom - plot.top);
  const xs = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b);
  const lines = [
    text(width / 2, 26, title, 'middle', 'font-weight="600" font-size="16"'),
    ...[0, 1, 2, 3, 4, 5].flatMap((step) => {
      const value = (maxY * step) / 5;
      return [
        line(plot.left, toY(value), plot.right, toY(value), '#9ca3af', 'stroke-opacity="0.4"'),
        text(plot.left - 8, toY(value) + 4, formatNumber(value), 'end'),
      ];
    }),
    ...xs.map((x) => text(toX(x), plot.bottom + 20, String(x), 'middle')),
    text((plot.left + plot.right) / 2, plot.bottom + 40, xLabel, 'middle'),
    `<text transform="translate(16 ${(plot.top + plot.bottom) / 2}) rotate(-90)" text-anchor="middle">${escape(yLabel)}</text>`,
    ...series.flatMap((each, index) => drawSeries(each, index, toX, toY)),
  ];
  if (limit !== undefined) {
    const y = toY(limit.y);
    lines.push(line(plot.left, y, plot.right, y, limitColour, 'stroke-dasharray="6 4"'));
  }
  const names = [
    ...series.map(({ name }, index) => ({ name, colour: colourOf(index) })),
    ...(limit === undefined ? [] : [{ name: limit.name, colour: limitColour }]),
  ];
  const step = (plot.right - plot.left) / names.length;
  for (const [index, { name, colour }] of names.entries()) {
    const x = plot.left + index * step;
    lines.push(`<rect x="${x}" y="${height - 26}" width="12" height="12" fill="${colour}"/>`);
    lines.push(text(x + 18, height - 15, name, 'start'));
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}" font-family="system-ui, sans-serif" font-size="13" fill="#6b7280">`,
    '<rect width="100%" height="100%" fill="#ffffff"/>',
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function drawSeries(
  { points }: Series,
  index: number,
  toX: (x: number) => number,
  toY: (y: number) => number,
): readonly string[] {
  const colour = colourOf(index);
  const path = points.map(([x, y]) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`);
  return [
    `<polyline points="${path.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...points.map(
      ([x, y]) =>
        `<circle cx="${toX(x).toFixed(1)}" cy="${toY(y).toFixed(1)}" r="3.5" fill="${colour}"/>`,
    ),
  ];
}

function colourOf(index: number): string {
  return colours[index % colours.length] ?? '#000000';
}

/** The next 1, 2 or 5 times a power of ten. */
function niceMaximum(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  const factor = [1, 2, 5, 10].find((each) => each * power >= value) ?? 10;
  return factor * power;
}

function formatNumber(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function line(x1: number, y1: number, x2: number, y2: number, colour: string, more = ''): string {
  return `<line x1="${x1}" y1="${y1.toFixed(1)}" x2="${x2}" y2="${y2.toFixed(1)}" stroke="${colour}" ${more}/>`;
}

function text(x: number, y: number, content: string, anchor: string, more = ''): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" ${more}>${escape(content)}</text>`;
}

function escape(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
