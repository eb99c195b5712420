/** `kvs-bridge local` */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LocalKvs, localCredentials } from '../../lib/index.js';
import type { commandOptions } from '../cli/command-options.js';
import type { Values } from '../cli/option-table.js';
import type { Output } from '../cli/output.js';
import type { CommandContext } from '../cli/command-context.js';

type LocalSettings = Values<(typeof commandOptions.local)[number]>;

const defaultDataDir = join('.kvs-bridge', 'local');

/** Serves until told to stop. */
export async function runLocal(
  settings: LocalSettings,
  { output, signal }: CommandContext,
): Promise<void> {
  const dataDir = resolve(settings.dataDir ?? defaultDataDir);
  const stopped = once(signal, 'abort');
  await using kvs = await LocalKvs.start({
    dataDir,
    host: settings.host,
    port: settings.port,
    ...(settings.tls ? { tls: 'self-signed', tlsPort: settings.tlsPort } : {}),
    verifySignatures: settings.verify,
    logger: output.log,
    signal,
  });
  report(kvs, output);
  const caFile = await writeCa(kvs, dataDir);
  sayReady(kvs, { dataDir, caFile }, output);
  await stopped;
  await kvs.close();
  output.event('stopped', {}, 'stopped');
}

/** Clients need the certificate as a file. */
async function writeCa({ caPem }: LocalKvs, dataDir: string): Promise<string | undefined> {
  if (caPem === undefined) return undefined;
  const caFile = join(dataDir, 'ca.pem');
  await writeFile(caFile, caPem);
  return caFile;
}

interface Files {
  readonly dataDir: string;
  readonly caFile: string | undefined;
}

function sayReady(kvs: LocalKvs, { dataDir, caFile }: Files, output: Output): void {
  const { url, region } = kvs;
  const { http, ws, https, wss } = kvs.endpoints;
  const { accessKeyId, secretAccessKey } = localCredentials;
  const tls = https === undefined ? {} : { https, wss, caFile };
  const fields = { endpoint: url, http, ws, ...tls, region, accessKeyId, secretAccessKey, dataDir };
  output.event('ready', fields, `the local KVS listens on ${url}`);
  const lines = [
    '',
    `  API, PutMedia, read-back   ${[http, https].filter(Boolean).join('  ')}`,
    `  Signaling                  ${[ws, wss].filter(Boolean).join('  ')}`,
    ...(caFile === undefined ? [] : [`  Certificate authority      ${caFile}`]),
    `  Data                       ${dataDir}`,
    '',
    'kvs-bridge:',
    `  kvs-bridge publish --source test --local ${url} --channel test --create-channel`,
    `  kvs-bridge start --local ${url} --channel test --stream test --create-stream`,
    '',
    'AWS CLI and SDKs:',
    `  export AWS_ACCESS_KEY_ID=${accessKeyId} AWS_SECRET_ACCESS_KEY=${secretAccessKey}`,
    `  export AWS_REGION=${region} AWS_ENDPOINT_URL=${url}`,
    '  aws kinesisvideo list-streams',
    '',
    'Ctrl-C ends it.',
  ];
  for (const line of lines) output.print(line);
}

function report(kvs: LocalKvs, output: Output): void {
  kvs.on('request', (request) => {
    const { operation, status, errorType } = request;
    const outcome = errorType === undefined ? String(status) : `${status} ${errorType}`;
    output.event('request', request, `${operation}: ${outcome}`, 'debug');
  });
  kvs.on('signaling', (peer) => {
    const { kind, channelName, role, clientId } = peer;
    const who = clientId === undefined ? role : `${role} ${clientId}`;
    output.event('signaling', peer, `channel ${channelName}: ${who} ${kind}`);
  });
  kvs.on('putMedia', (upload) => {
    const { kind, streamName, cause } = upload;
    const why = cause === undefined ? '' : ` (${cause})`;
    output.event('putMedia', upload, `stream ${streamName}: upload ${kind}${why}`);
  });
  kvs.on('fragment', (fragment) => {
    const { streamName, fragmentNumber, durationMs } = fragment;
    const text = `stream ${streamName}: fragment ${fragmentNumber}, ${(durationMs / 1_000).toFixed(1)} s`;
    output.event('fragment', fragment, text, 'debug');
  });
}
