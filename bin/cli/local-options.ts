/** Options of `kvs-bridge local`: where it listens, and what it keeps. */
import { OptionGroup, flag, text, whole } from './option-spec.js';
import type { OptionSpec } from './option-spec.js';

/** Where `kvs-bridge local` listens unless told otherwise. */
export const defaultLocalPort = 8181;

/** A part of the option table. */
export const localOptions = {
  host: {
    kind: 'value',
    value: 'address',
    description: 'Address to listen on; 0.0.0.0 lets other machines in',
    group: OptionGroup.server,
    parse: text,
    default: '127.0.0.1',
  },
  port: {
    kind: 'value',
    value: 'port',
    description: 'TCP port of http and ws; 0 takes a free one',
    group: OptionGroup.server,
    parse: whole(0, 65_535),
    default: defaultLocalPort,
  },
  dataDir: {
    kind: 'value',
    value: 'folder',
    description: 'Where streams, channels and fragments are kept',
    group: OptionGroup.server,
    parse: text,
    defaultText: '.kvs-bridge/local; demo: a temporary folder',
  },
  tls: {
    kind: 'switch',
    description: 'Serve https and wss too, with a certificate of its own',
    group: OptionGroup.server,
    parse: flag,
    default: false,
  },
  tlsPort: {
    kind: 'value',
    value: 'port',
    description: 'TCP port of https and wss; 0 takes a free one',
    group: OptionGroup.server,
    parse: whole(0, 65_535),
    default: defaultLocalPort + 1,
  },
  verify: {
    kind: 'off',
    description: 'Take calls without checking their signatures',
    group: OptionGroup.server,
    parse: flag,
    default: true,
  },
} as const satisfies Readonly<Record<string, OptionSpec<unknown>>>;
