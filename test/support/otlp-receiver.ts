/** An OpenTelemetry collector as far as tests need one: takes traces by OTLP over HTTP, as JSON. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string };
}

/** A span as it came (opentelemetry-proto, trace.proto). */
export interface ReceivedSpan {
  readonly name: string;
  readonly spanId: string;
  readonly traceId: string;
  readonly parentSpanId?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly Attribute[];
  readonly links: readonly { readonly spanId: string }[];
}

interface TracesRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly ReceivedSpan[] }[];
  }[];
}

/** Keeps what it gets. */
export class OtlpReceiver implements AsyncDisposable {
  readonly #server: Server;
  readonly bodies: string[] = [];
  readonly paths = new Set<string>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      this.paths.add(request.url ?? '');
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.bodies.push(Buffer.concat(chunks).toString());
        response.setHeader('content-type', 'application/json');
        response.end('{}');
      });
    });
  }

  static async start(): Promise<OtlpReceiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new OtlpReceiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get spans(): readonly ReceivedSpan[] {
    return this.#resourceSpans().flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) => spans),
    );
  }

  /** Attributes of whoever sent them, by key. */
  get resource(): Readonly<Record<string, string | undefined>> {
    return attributesOf(this.#resourceSpans()[0]?.resource.attributes ?? []);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #resourceSpans(): TracesRequest['resourceSpans'] {
    return this.bodies.flatMap((body) => (JSON.parse(body) as TracesRequest).resourceSpans);
  }
}

/** Attributes with texts, by key. */
export function attributesOf(
  attributes: readonly Attribute[],
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue]));
}
