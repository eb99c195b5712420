/** What a Bridge needs to know of AWS before it can connect. */
import { ControlPlane } from '../aws/control-plane.js';
import type { SignalingEndpoints } from '../aws/control-plane.js';
import type { CredentialsSource } from '../aws/credentials.js';
import { AwsError, ErrorCode } from '../util/errors.js';
import type { ResolvedOptions } from './options.js';

/** The channel and the stream, found and fit for recording. */
export interface Resources {
  readonly channelArn: string;
  readonly endpoints: SignalingEndpoints;
  readonly streamName: string;
  /** Hours that the stream keeps its fragments, above 0. */
  readonly retentionHours: number;
  /** PutMedia endpoint. */
  readonly dataEndpoint: URL;
  /** ListFragments endpoint: what became of media that was not acknowledged is asked there. */
  readonly archiveEndpoint: URL;
}

/**
 * Looks up channel and stream, side by side; creates the stream if asked to.
 *
 * @param onWarning - told what could not be checked
 * @throws {@link AwsError} when one is missing or rules recording out, with the fix
 */
export async function findResources(
  options: ResolvedOptions,
  credentials: CredentialsSource,
  signal: AbortSignal,
  onWarning: (error: AwsError) => void,
): Promise<Resources> {
  await using controlPlane = new ControlPlane({
    region: options.region,
    credentials,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.ca === undefined ? {} : { ca: options.ca }),
  });
  const [channel, stream] = await Promise.all([
    findChannel(controlPlane, options, signal, onWarning),
    findStream(controlPlane, options, signal),
  ]);
  return { ...channel, ...stream };
}

async function findChannel(
  controlPlane: ControlPlane,
  { channel: name }: ResolvedOptions,
  signal: AbortSignal,
  onWarning: (error: AwsError) => void,
): Promise<Pick<Resources, 'channelArn' | 'endpoints'>> {
  const { arn } = await controlPlane.describeChannel(name, { signal });
  const [storage, endpoints] = await Promise.all([
    controlPlane.mediaStorage(arn, { signal }).catch((error: unknown) => {
      // A role made for viewers may lack this permission, and nothing else depends on it.
      const denied = error instanceof AwsError && error.code === ErrorCode.accessDenied;
      if (!denied) throw error;
      onWarning(error);
      return { enabled: false };
    }),
    controlPlane.signalingEndpoints(arn, 'VIEWER', { signal }),
  ]);
  if (storage.enabled) {
    // AWS dev guide: with storage enabled, direct peer-to-peer connections no longer occur.
    throw new AwsError(
      ErrorCode.storageEnabled,
      `Media storage is ENABLED on channel ${name}: AWS records it, and no viewer reaches its master`,
      {
        fix: 'Disable it (aws kinesisvideo update-media-storage-configuration … Status=DISABLED), or use another channel.',
      },
    );
  }
  return { channelArn: arn, endpoints };
}

async function findStream(
  controlPlane: ControlPlane,
  { stream: name, createStream, retentionHours }: ResolvedOptions,
  signal: AbortSignal,
): Promise<Pick<Resources, 'archiveEndpoint' | 'dataEndpoint' | 'retentionHours' | 'streamName'>> {
  const stream = await controlPlane.describeStream(name, { signal }).catch((error: unknown) => {
    const missing = error instanceof AwsError && error.code === ErrorCode.streamNotFound;
    if (!missing || !createStream) throw error;
    return controlPlane.createStream({ name, retentionHours }, { signal });
  });
  if (stream.retentionHours === 0) {
    throw new AwsError(
      ErrorCode.noRetention,
      `Stream ${name} keeps nothing: its retention is 0 hours`,
      {
        fix: `Raise it: aws kinesisvideo update-data-retention --stream-name ${name} --operation INCREASE_DATA_RETENTION --data-retention-change-in-hours 24 --current-version …`,
      },
    );
  }
  const [dataEndpoint, archiveEndpoint] = await Promise.all([
    controlPlane.putMediaEndpoint(name, { signal }),
    controlPlane.listFragmentsEndpoint(name, { signal }),
  ]);
  return {
    streamName: stream.name,
    retentionHours: stream.retentionHours,
    dataEndpoint,
    archiveEndpoint,
  };
}
