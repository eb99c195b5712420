/** docs/benchmarks.md: a head, what was measured, and what people wrote about it. */
import { cpus, totalmem } from 'node:os';
import { parts } from './parts.js';

/** Before this, everything is written by the benchmarks; after it, by people. */
const handwritten = '<!-- From here on written by hand. -->';

/** The sections of a page by their headings; what people wrote is under an empty one. */
export function sectionsOf(page: string): Map<string, string> {
  const [generated = '', notes] = page.split(handwritten);
  const sections = new Map<string, string>();
  for (const section of generated.split(/^## /m).slice(1)) {
    const end = section.indexOf('\n');
    sections.set(section.slice(0, end), section.slice(end).trim());
  }
  if (notes !== undefined) sections.set('', notes.trim());
  return sections;
}

/** The page of these sections. */
export function pageOf(sections: ReadonlyMap<string, string>): string {
  const written = Object.values(parts)
    .map(({ title }) => title)
    .filter((title) => sections.has(title))
    .map((title) => `## ${title}\n\n${sections.get(title) ?? ''}\n`);
  const notes = sections.get('');
  return [
    head(),
    ...written,
    ...(notes === undefined ? [] : [`${handwritten}\n\n${notes}\n`]),
  ].join('\n');
}

function head(): string {
  const { model = 'unknown' } = cpus()[0] ?? {};
  const memoryGb = Math.round(totalmem() / 1e9);
  return `# Benchmarks

Written by \`npm run bench\` (one part: \`npm run bench -- pass-through\`); the notes at the end are by
hand. Machine: a virtual one with ${cpus().length} cores (${model}) and ${memoryGb} GB, shared with other work; Node
${process.version}. Read ratios rather than absolute figures.

What is recorded is 720p30 H.264 at 2 Mbit/s and Opus from a native sender that encoded it once
(bench/sender), over loopback with DTLS-SRTP; what stores it is the local KVS, over TLS. The floor is a
bare C program, \`webrtcbin ! depay ! parse\`, Opus to AAC by \`avenc_aac\`, Matroska to a null sink
(bench/floor): it stores and uploads nothing.
`;
}
