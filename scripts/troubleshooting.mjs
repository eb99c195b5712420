/**
 * Writes docs/troubleshooting.md from doctor's catalog of findings; with `--check` it only says
 * whether the page is as it would be written. Needs the built TypeScript.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { inProject } from './setup/paths.mjs';
import { ensureTypeScript } from './setup/project.mjs';
import { runScript } from './setup/setup-error.mjs';

const page = 'docs/troubleshooting.md';

/** What each topic is called, and what is good to know about it. */
const topics = {
  node: 'Node',
  addon: 'The native addon',
  gstreamer: 'GStreamer',
  openssl: 'OpenSSL',
  kvssink: 'kvssink',
  region: 'Region',
  endpoints: 'Endpoints',
  clock: 'Clock',
  credentials: 'Credentials',
  permissions: 'Permissions',
  channel: 'The signaling channel',
  stream: 'The video stream',
  ice: 'STUN and TURN',
  spool: 'The disk of the spool',
  limits: 'Limits of the container or service',
};

const introduction = `# Troubleshooting

Ask \`doctor\` first, with the options that \`start\` gets:

\`\`\`sh
kvs-bridge doctor --region eu-west-1 --channel front-door --stream front-door-archive
\`\`\`

It looks at everything below, changes nothing, and prints a line for each thing with its fix. \`--only
stream,permissions\` looks at some topics, \`--json\` writes an event for each finding, and the
[exit code](exit-codes.md) tells the worst. In a container run it there, with the task's role and
network. In a program, \`runDoctor()\` does the same.

What could not be looked at is \`<topic>.skipped\` and says why; what took too long is
\`<topic>.timed-out\`. Where frames are missing although all is well, see [gaps.md](gaps.md).

This page is made from what doctor can find.
`;

/** @returns {Promise<string>} the page */
async function makePage() {
  const { format, resolveConfig } = await import('prettier');
  const { catalog } = await load('lib/doctor/catalog/catalog.js');
  const { showGaps } = await load('lib/doctor/template.js');
  const cell = (text) =>
    showGaps(text)
      .replaceAll('|', '\\|')
      // Outside of code, angle brackets would be taken for HTML.
      .replaceAll(/`[^`]*`|</g, (part) => (part === '<' ? '\\<' : part));
  const sections = Object.entries(topics).map(([topic, title]) => {
    const rows = Object.entries(catalog)
      .filter(([id, entry]) => id.startsWith(`${topic}.`) && 'fix' in entry)
      .map(([id, { severity, symptom, found, fix }]) =>
        [symptom, `${found} (${severity} \`${id}\`)`, fix].map(cell).join(' | '),
      );
    return `## ${title}

| You see | doctor says | Fix |
| ------- | ----------- | --- |
${rows.map((row) => `| ${row} |`).join('\n')}
`;
  });
  const config = await resolveConfig(inProject(page));
  return format([introduction, ...sections].join('\n'), { ...config, parser: 'markdown' });
}

/** @param {string} path relative to the built TypeScript */
function load(path) {
  return import(pathToFileURL(inProject('dist', path)).href);
}

/**
 * @param {boolean} fix writes the page when it differs
 * @returns {Promise<string>} what is wrong
 */
export async function troubleshootingPage(fix) {
  const wanted = await makePage();
  let current = '';
  try {
    current = readFileSync(inProject(page), 'utf8');
  } catch {
    // Not written yet.
  }
  if (current === wanted) return '';
  if (!fix)
    return `${page} is not as doctor's catalog has it: run node scripts/troubleshooting.mjs`;
  writeFileSync(inProject(page), wanted);
  return '';
}

if (process.argv[1] === inProject('scripts', 'troubleshooting.mjs')) {
  await runScript(async () => {
    await ensureTypeScript();
    const findings = await troubleshootingPage(!process.argv.includes('--check'));
    if (findings === '') return;
    process.stdout.write(`${findings}\n`);
    process.exitCode = 1;
  });
}
