/** Sends the library's spans to an OTLP endpoint, when the environment names one. */
import { DiagLogLevel, diag, trace } from '@opentelemetry/api';
import { OptionsError } from '../../lib/index.js';
import type { Output } from './output.js';

const endpointNames = [
  'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
] as const;

/** A running export. */
export interface TraceExport {
  /** Sends what is left, for at most so long, and ends. Never rejects. */
  end(timeoutMs: number): Promise<void>;
}

/**
 * Begins to export, by OTLP over HTTP. The OpenTelemetry SDK is loaded only then; it reads its own
 * variables besides, such as OTEL_EXPORTER_OTLP_HEADERS.
 *
 * @returns nothing when no endpoint is named, or OTEL_SDK_DISABLED or OTEL_TRACES_EXPORTER say no
 * @throws {@link OptionsError} when the endpoint is no http or https URL
 */
export async function startTraceExport(
  env: NodeJS.ProcessEnv,
  { log }: Output,
): Promise<TraceExport | undefined> {
  const name = endpointNames.find((each) => (env[each] ?? '') !== '');
  if (name === undefined || env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return undefined;
  if (env['OTEL_TRACES_EXPORTER'] === 'none') return undefined;
  const endpoint = env[name] ?? '';
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol)) {
    // Its value may hold a password.
    throw new OptionsError(name, `${name} must be an http:// or https:// URL`, {
      fix: 'Name an endpoint for OTLP over HTTP, such as http://127.0.0.1:4318.',
    });
  }
  const [sdk, { OTLPTraceExporter }, resources, { packageVersion }] = await Promise.all([
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
    import('./package-version.js'),
  ]);
  const say = (message: string): void => {
    log.warn(`traces: ${message}`);
  };
  const quiet = (): void => undefined;
  diag.setLogger(
    { error: say, warn: say, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
  const own = { 'service.name': 'kvs-bridge', 'service.version': packageVersion() };
  const provider = new sdk.NodeTracerProvider({
    resource: resources
      .defaultResource()
      .merge(resources.resourceFromAttributes(own))
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  trace.setGlobalTracerProvider(provider);
  return {
    end: async (timeoutMs) => {
      const timeout = new Promise<void>((resolve) => {
        setTimeout(resolve, timeoutMs).unref();
      });
      await Promise.race([provider.shutdown().catch(quiet), timeout]);
      trace.disable();
    },
  };
}
