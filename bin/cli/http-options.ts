/** Options of the server for health and metrics. */
import { OptionGroup, text, whole } from './option-spec.js';
import type { OptionSpec } from './option-spec.js';

/** A part of the option table. */
export const httpOptions = {
  httpPort: {
    kind: 'value',
    value: 'port',
    description:
      'Serve /livez, /readyz and /metrics (Prometheus) on this TCP port; 0 takes a free one',
    group: OptionGroup.http,
    parse: whole(0, 65_535),
    defaultText: 'none',
  },
  httpHost: {
    kind: 'value',
    value: 'address',
    description: 'Address to serve them on; 0.0.0.0 lets other machines in',
    group: OptionGroup.http,
    parse: text,
    default: '127.0.0.1',
  },
} as const satisfies Readonly<Record<string, OptionSpec<unknown>>>;
