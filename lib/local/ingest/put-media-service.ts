/** Accepts or refuses PutMedia requests. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { findStream } from '../control/lookup.js';
import type { StreamRecord } from '../control/records.js';
import type { Registry } from '../control/registry.js';
import type { EmitLocalKvsEvent } from '../events.js';
import type { FaultPlan } from '../faults/fault-plan.js';
import { headerValue } from '../http/canonical-request.js';
import { invalidArgument } from '../http/service-error.js';
import type { IngestLimits } from '../options.js';
import type { FragmentStore } from '../store/fragment-store.js';
import { ConnectionSlots } from './connection-slots.js';
import { IngestError } from './ingest-error.js';
import { PutMediaConnection } from './put-media-connection.js';

/** Options of {@link PutMediaService}. */
export interface PutMediaServiceOptions {
  readonly registry: Registry;
  readonly store: FragmentStore;
  readonly limits: IngestLimits;
  readonly faults: FaultPlan;
  readonly emit: EmitLocalKvsEvent;
}

export class PutMediaService {
  readonly #options: PutMediaServiceOptions;
  readonly #connections = new Map<PutMediaConnection, StreamRecord>();
  readonly #slots = new Map<string, ConnectionSlots>();
  readonly #runs = new Set<Promise<unknown>>();
  #count = 0;

  constructor(options: PutMediaServiceOptions) {
    this.#options = options;
    options.registry.on('streamDeleted', this.#onDeleted);
  }

  get connections(): Iterable<PutMediaConnection> {
    return this.#connections.keys();
  }

  /**
   * Takes an upload whose signature is good.
   *
   * @throws ServiceError it is refused; nothing was written yet
   */
  async accept(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { registry, store } = this.#options;
    const header = (name: string): string | undefined => headerValue(request.rawHeaders, name);
    const stream = findStream(registry, {
      StreamName: header('x-amzn-stream-name'),
      StreamARN: header('x-amzn-stream-arn'),
    });
    const startTimestampMs = startOf(
      header('x-amzn-fragment-timecode-type'),
      header('x-amzn-producer-start-timestamp'),
    );
    const streamStore = await store.of(stream);
    const slots = this.#slotsOf(stream);
    slots.check();
    this.#count += 1;
    const connection = new PutMediaConnection({
      id: this.#count,
      streamName: stream.name,
      request,
      response,
      store: streamStore,
      retentionHours: () => registry.streamByArn(stream.arn)?.retentionHours ?? 0,
      wantsAcks: header('x-amzn-fragment-acknowledgment-required') !== '0',
      startTimestampMs,
      limits: this.#options.limits,
      faults: this.#options.faults,
      onPersisted: ({ number, producerTimestampMs, durationMs, sizeBytes, metadata }) => {
        this.#options.emit('fragment', {
          streamName: stream.name,
          connectionId: connection.id,
          fragmentNumber: number,
          producerTimestampMs,
          durationMs,
          bytes: sizeBytes,
          metadata: Object.fromEntries(metadata.map(({ name, value }) => [name, value])),
        });
      },
    });
    slots.add(connection);
    this.#connections.set(connection, stream);
    if (request.headers.expect !== undefined) response.writeContinue();
    this.#track(this.#run(connection, slots));
  }

  /** Uploads read on, or stop: a fault began or ended. */
  refreshStalls(): void {
    for (const connection of this.#connections.keys()) connection.holdOrRead();
  }

  /** Cuts every upload; resolves when what they delivered is on disk. */
  async close(): Promise<void> {
    this.#options.registry.off('streamDeleted', this.#onDeleted);
    for (const connection of this.#connections.keys()) connection.cut();
    await Promise.all(this.#runs);
  }

  async #run(connection: PutMediaConnection, slots: ConnectionSlots): Promise<void> {
    const { emit } = this.#options;
    const { id: connectionId, streamName } = connection;
    emit('putMedia', { kind: 'opened', streamName, connectionId });
    const cause = await connection.run();
    slots.remove(connection);
    this.#connections.delete(connection);
    emit('putMedia', { kind: 'closed', streamName, connectionId, cause });
  }

  #track(run: Promise<void>): void {
    this.#runs.add(run);
    void run.finally(() => this.#runs.delete(run));
  }

  #slotsOf({ arn }: StreamRecord): ConnectionSlots {
    let slots = this.#slots.get(arn);
    if (slots === undefined) {
      slots = new ConnectionSlots(this.#options.limits.connectionOverlapMs);
      this.#slots.set(arn, slots);
    }
    return slots;
  }

  readonly #onDeleted = (deleted: StreamRecord): void => {
    this.#slots.delete(deleted.arn);
    for (const [connection, { arn }] of this.#connections) {
      if (arn === deleted.arn) connection.fail(new IngestError(4507, 'The stream was deleted'));
    }
  };
}

/**
 * What the upload's timestamps count from. The producer SDK prints seconds and milliseconds
 * without padding ("12.5" for 12.005), so the fraction is only roughly right from there.
 */
function startOf(type: string | undefined, start: string | undefined): number {
  switch (type) {
    case 'ABSOLUTE':
      return 0;
    case 'RELATIVE': {
      if (start === undefined || !/^\d+(\.\d*)?$/.test(start)) {
        throw invalidArgument('x-amzn-producer-start-timestamp must be epoch seconds.');
      }
      return Math.round(Number(start) * 1000);
    }
    default:
      throw invalidArgument('x-amzn-fragment-timecode-type must be ABSOLUTE or RELATIVE.');
  }
}
