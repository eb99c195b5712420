/**
 * A reporter for `node --test` that is quiet about success: one line per file, and for a failure
 * the error and what the file printed. It tells its parent process of each event, to show that the
 * run is alive, and of the counts in the end.
 */
import path from 'node:path';
import { inspect } from 'node:util';

/** Lines of a failed file's own output that are shown. */
const shownOutputLines = 60;

/**
 * @param {AsyncIterable<{ type: string, data: any }>} source
 * @returns {AsyncGenerator<string>}
 */
export default async function* report(source) {
  /** @type {Map<string, FileReport>} */
  const files = new Map();
  const of = (file = 'unknown file') => {
    const source = sourceOf(file);
    const known = files.get(source) ?? new FileReport(source);
    files.set(source, known);
    return known;
  };
  for await (const { type, data } of source) {
    if (data.file !== undefined) process.send?.({ running: sourceOf(data.file) });
    if (type === 'test:stdout' || type === 'test:stderr') of(data.file).output.push(data.message);
    else if (type === 'test:pass') of(data.file).pass(data);
    else if (type === 'test:fail') of(data.file).fail(data);
    // What a test itself tells; the runner's own sums stand at the outermost level.
    else if (type === 'test:diagnostic' && data.nesting > 0) of(data.file).note(data.message);
  }
  const reports = [...files.values()].sort((a, b) => a.file.localeCompare(b.file));
  for (const fileReport of reports) yield fileReport.toString();

  const sum = (key) => reports.reduce((total, fileReport) => total + fileReport[key], 0);
  const counts = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  process.send?.({ counts });
}

/** What happened in one test file. */
class FileReport {
  passed = 0;
  failed = 0;
  skipped = 0;
  /** @type {string[]} what the file's process printed */
  output = [];
  /** @type {string[]} */
  #failures = [];
  /** @type {Set<string>} */
  #notes = new Set();
  #durationMs = 0;

  /** @param {string} file path of the source, relative to the project */
  constructor(file) {
    this.file = file;
  }

  /** @param {any} data of a `test:pass` event */
  pass(data) {
    this.#addDuration(data);
    // Suites are no tests, and a file without any test is reported as one that passed.
    if (data.details.type === 'suite' || this.#isFile(data)) return;
    if (data.skip !== undefined || data.todo !== undefined) this.skipped += 1;
    else this.passed += 1;
    if (typeof data.skip === 'string') this.note(`skipped: ${data.skip}`);
  }

  /** @param {string} text told once, however often it is said */
  note(text) {
    this.#notes.add(text);
  }

  /** @param {any} data of a `test:fail` event */
  fail(data) {
    this.#addDuration(data);
    if (data.todo !== undefined) {
      this.skipped += 1;
      return;
    }
    const error = data.details.error;
    // A suite or a file fails because a test in it did, which has been counted.
    if (error?.failureType === 'subtestsFailed') return;
    this.failed += 1;
    const title = this.#isFile(data) ? 'the file itself' : data.name;
    this.#failures.push(`✗ ${title}\n${indent(describeError(error?.cause ?? error))}`);
  }

  toString() {
    const count = `${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`;
    const notes = [...this.#notes].map((note) => `${indent(note)}\n`).join('');
    const line = `${this.file}: ${count}, ${(this.#durationMs / 1000).toFixed(1)} s\n${notes}`;
    if (this.failed === 0) return line;
    const output = this.output.join('').trimEnd().split('\n').slice(-shownOutputLines).join('\n');
    const printed = output === '' ? '' : `the file printed:\n${indent(output)}\n`;
    return `${line}${indent(`${this.#failures.join('\n')}\n${printed}`)}\n`;
  }

  /** @param {any} data */
  #addDuration(data) {
    if (data.nesting === 0) this.#durationMs += data.details.duration_ms ?? 0;
  }

  /**
   * @param {any} data
   * @returns {boolean} whether the event is about the file as a whole
   */
  #isFile(data) {
    return data.nesting === 0 && sourceOf(data.name) === this.file;
  }
}

/**
 * Node names the source where it has a source map at hand, the compiled file otherwise.
 *
 * @param {string} file
 * @returns {string}
 */
function sourceOf(file) {
  const relative = path.relative(process.cwd(), path.resolve(file));
  return relative.replace(/^(infra\/)?dist\//, '$1').replace(/\.js$/, '.ts');
}

/**
 * @param {unknown} error
 * @returns {string} message and stack without Node's own frames, and what an assertion compared
 */
function describeError(error) {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : inspect(error);
  const stack = (error.stack ?? error.message)
    .split('\n')
    .filter((line) => !/^\s+at .*\(?node:internal\//.test(line) && !/at async Promise/.test(line))
    .join('\n');
  if (error.code !== 'ERR_ASSERTION' || error.generatedMessage) return stack;
  return `${stack}\nexpected: ${inspect(error.expected)}\nactual: ${inspect(error.actual)}`;
}

/**
 * @param {string} text
 * @returns {string}
 */
function indent(text) {
  return text.replace(/^(?=.)/gm, '  ');
}
