/** Wires the parts that answer calls. */
import { channelOperations } from './control/channels.js';
import { mediaStorageOperations } from './control/media-storage.js';
import type { Registry } from './control/registry.js';
import { streamOperations } from './control/streams.js';
import { tagOperations } from './control/tags.js';
import type { Endpoints } from './endpoints.js';
import type { EmitLocalKvsEvent } from './events.js';
import { FaultPlan } from './faults/fault-plan.js';
import { Faults } from './faults/faults.js';
import { ApiServer } from './http/api-server.js';
import { SignatureVerifier } from './http/signature.js';
import { PutMediaService } from './ingest/put-media-service.js';
import type { LocalKvsLogger, ResolvedOptions } from './options.js';
import { readbackOperations } from './readback/operations.js';
import { iceServerOperation } from './signaling/ice-servers.js';
import { SignalingService } from './signaling/signaling-service.js';
import type { FragmentStore } from './store/fragment-store.js';

/** What {@link createServices} needs. */
export interface ServicesOptions {
  readonly options: ResolvedOptions;
  readonly registry: Registry;
  readonly store: FragmentStore;
  readonly endpoints: Endpoints;
  readonly emit: EmitLocalKvsEvent;
  readonly logger: LocalKvsLogger | undefined;
}

/** The parts that answer calls. */
export interface Services {
  readonly api: ApiServer;
  readonly signaling: SignalingService;
  readonly putMedia: PutMediaService;
  readonly faults: Faults;
}

/** Makes the services; none of them holds a socket yet. */
export function createServices({
  options,
  registry,
  store,
  endpoints,
  emit,
  logger,
}: ServicesOptions): Services {
  const { limits, region } = options;
  const plan = new FaultPlan(() => {
    putMedia.refreshStalls();
  });
  const verifier = new SignatureVerifier({
    credentials: options.credentials,
    region,
    maxClockSkewMs: limits.storage.maxClockSkewMs,
    isEnabled: options.verifySignatures,
    isRevoked: (accessKeyId) => plan.isRevoked(accessKeyId),
    now: () => plan.now(),
  });
  const putMedia = new PutMediaService({
    registry,
    store,
    limits: limits.ingest,
    faults: plan,
    emit,
  });
  const signaling = new SignalingService({
    registry,
    verifier,
    limits: limits.signaling,
    superseded: options.supersededConnections,
    faults: plan,
    emit,
    logger,
  });
  const api = new ApiServer({
    operations: [
      ...streamOperations(registry, endpoints),
      ...tagOperations(registry),
      ...channelOperations(registry, endpoints),
      ...mediaStorageOperations(registry),
      iceServerOperation(registry, options.iceServers),
      ...readbackOperations({ registry, store, limits: limits.storage }),
    ],
    putMedia: async (request, response) => putMedia.accept(request, response),
    verifier,
    faults: plan,
    emit,
    logger,
  });
  const faults = new Faults(plan, {
    putMedia: () => putMedia.connections,
    signaling: () => signaling.connections,
  });
  return { api, signaling, putMedia, faults };
}
