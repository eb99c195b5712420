/**
 * Draws terminal text from stdin as an SVG on stdout. How docs/demo.svg is made:
 *
 *   script -qec 'npm run demo -- --duration 12' /dev/null | node scripts/demo-picture.mjs > docs/demo.svg
 */
import { text } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';

const font = { width: 8.4, size: 14, line: 20, margin: 16 };

/**
 * @param {string} line what a terminal was sent, up to a line feed
 * @returns {string} what it then showed: the last rewrite of the line, without control sequences
 */
function shown(line) {
  const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
  return stripVTControlCharacters(last).trimEnd();
}

/**
 * @param {string} line
 * @returns {string}
 */
function escapeXml(line) {
  return line.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/**
 * @param {string} line
 * @returns {string} a colour that tells its kind
 */
function colourOf(line) {
  if (line.startsWith('$')) return '#ffffff';
  if (/PERSISTED|recording$/.test(line)) return '#7ee787';
  if (/^(Frames|Fragments|Pictures|Sound|Recording)/.test(line)) return '#79c0ff';
  return '#c9d1d9';
}

const lines = [
  '$ npm run demo -- --duration 12',
  ...(await text(process.stdin)).split('\n').map(shown),
]
  // npm's own banner, and the local path of the recording's folder.
  .filter((line) => !line.startsWith('>'))
  .map((line) => line.replace(/\/\S*\/recordings\//, 'recordings/'))
  .filter((line, index, all) => line !== '' || all[index - 1] !== '');
while (lines.at(-1) === '') lines.pop();

const width =
  Math.ceil(Math.max(...lines.map(({ length }) => length)) * font.width) + 2 * font.margin;
const height = lines.length * font.line + 2 * font.margin;
const rows = lines.map((line, index) => {
  const y = font.margin + (index + 0.75) * font.line;
  return `  <text x="${font.margin}" y="${y}" fill="${colourOf(line)}" xml:space="preserve">${escapeXml(line)}</text>`;
});

process.stdout
  .write(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="${font.size}">
  <rect width="100%" height="100%" rx="8" fill="#0d1117"/>
${rows.join('\n')}
</svg>
`);
