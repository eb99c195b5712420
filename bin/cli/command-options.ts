/** Which command takes which options. */
const connection = ['region', 'local', 'endpoint', 'caFile', 'stunServer'] as const;
const output = ['json', 'logLevel', 'logFormat'] as const;
const recordingOutput = ['events', 'totalsInterval', ...output, 'gstDebug'] as const;
const picture = ['width', 'height', 'fps', 'bitrate', 'sound'] as const;
const senderShape = ['video', 'videoCodec', 'audioCodec', 'bFrames', 'clockSkewPpm'] as const;
const recording = ['isolation', 'sink', 'fragmentSeconds', 'jitterBufferMs', 'bufferMb'] as const;

const start = [
  'channel',
  'stream',
  'createStream',
  'retentionHours',
  'clientId',
  'videoCodecs',
  'audio',
  ...connection,
  ...recording,
  'mediaMemoryMb',
  'spoolDir',
  'spoolMb',
  'tags',
  'relayOnly',
  'masterTimeout',
  'persistTimeout',
  'drainTimeout',
  'exitOnFatal',
  'httpPort',
  'httpHost',
  ...recordingOutput,
] as const;

/** By command, in the order of its help; names of the option table. */
export const commandOptions = {
  start,
  doctor: ['only', ...start],
  gaps: ['stream', 'since', 'spoolDir', ...output],
  local: ['host', 'port', 'dataDir', 'tls', 'tlsPort', 'verify', ...output],
  publish: [
    'channel',
    'createChannel',
    'source',
    ...picture,
    ...senderShape,
    ...connection,
    ...output,
  ],
  demo: [
    'duration',
    'recording',
    'dataDir',
    'audio',
    ...picture,
    ...recording,
    'drainTimeout',
    ...recordingOutput,
  ],
} as const;
