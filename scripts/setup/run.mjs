/** Child processes and progress lines. Everything goes to stderr: stdout belongs to the command. */
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { projectRoot } from './paths.mjs';

/**
 * @typedef {object} RunResult
 * @property {number} exitCode 127 when the program does not exist
 * @property {string} output stdout and stderr, interleaved as they came
 */

/**
 * Runs a program to its end and collects what it prints.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ env?: Record<string, string>, cwd?: string, stdin?: 'inherit' | 'ignore' }} [options]
 * @returns {Promise<RunResult>}
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? projectRoot,
      env: { ...process.env, ...options.env },
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    });
    collect(child, command, resolve);
  });
}

/**
 * The same with the least priority: whoever else wants the processor has it first. Linux shares it
 * between sessions before it does within one (sched_autogroup), so the program gets a session of its
 * own, and that the least share.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {AbortSignal} signal ends the program with all that it started
 * @returns {Promise<RunResult>}
 */
export function runInBackground(command, args, signal) {
  const lowered = 'echo 19 2>/dev/null > /proc/self/autogroup; exec nice -n 19 "$@"';
  return new Promise((resolve) => {
    const child = spawn('sh', ['-c', lowered, 'sh', command, ...args], {
      cwd: projectRoot,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const end = () => {
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    signal.addEventListener('abort', end, { once: true });
    collect(child, command, (result) => {
      signal.removeEventListener('abort', end);
      resolve(result);
    });
  });
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {string} command
 * @param {(result: RunResult) => void} done
 */
function collect(child, command, done) {
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  child.stderr.on('data', (chunk) => chunks.push(chunk));
  child.on('error', (error) => done({ exitCode: 127, output: error.message }));
  child.on('close', (code, signal) => {
    const output = Buffer.concat(chunks).toString('utf8');
    done({
      exitCode: code ?? 1,
      output: signal === null ? output : `${output}\n${command} was ended by ${signal}\n`,
    });
  });
}

/**
 * Shows one line for a step that takes a while: what runs, then how long it took.
 *
 * @template T
 * @param {string} label
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function step(label, work) {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const terminal = process.stderr.isTTY;
  let timer;
  if (terminal) {
    const draw = () => process.stderr.write(`\r\x1b[K${label} … ${seconds()}`);
    draw();
    timer = setInterval(draw, 500);
  } else {
    process.stderr.write(`${label} …\n`);
  }
  let outcome = 'failed after';
  try {
    const result = await work();
    outcome = 'took';
    return result;
  } finally {
    clearInterval(timer);
    process.stderr.write(`${terminal ? '\r\x1b[K' : ''}${label}: ${outcome} ${seconds()}\n`);
  }
}

/**
 * Keeps a failed tool's full output.
 *
 * @param {string} name
 * @param {string} output
 * @returns {string} the file's path, relative to the project
 */
export function writeLog(name, output) {
  const file = path.join('build', 'logs', `${name}.log`);
  mkdirSync(path.join(projectRoot, 'build', 'logs'), { recursive: true });
  writeFileSync(path.join(projectRoot, file), output);
  return file;
}

/**
 * @param {string} text
 * @param {number} count
 * @returns {string} the last lines, which is where tools say what went wrong
 */
export function lastLines(text, count) {
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
