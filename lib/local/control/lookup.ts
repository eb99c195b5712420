/** Finds resources or answers that there are none. */
import { resourceNotFound, versionMismatch } from '../http/service-error.js';
import type { ChannelRecord, StreamRecord } from './records.js';
import type { Registry } from './registry.js';
import { exactlyOne } from './schemas.js';

/** How calls name a stream. */
export interface StreamInput {
  readonly StreamName?: string | undefined;
  readonly StreamARN?: string | undefined;
}

/** How calls name a channel. */
export interface ChannelInput {
  readonly ChannelName?: string | undefined;
  readonly ChannelARN?: string | undefined;
}

/** @throws ServiceError ResourceNotFoundException, or both or no names given */
export function findStream(registry: Registry, input: StreamInput): StreamRecord {
  const { name, arn } = exactlyOne(input.StreamName, input.StreamARN, 'Stream');
  const found = name === undefined ? registry.streamByArn(arn) : registry.streamByName(name);
  if (found !== undefined) return found;
  throw resourceNotFound(`The requested stream ${name ?? arn} is not found or not active.`);
}

/** @throws ServiceError ResourceNotFoundException, or both or no names given */
export function findChannel(registry: Registry, input: ChannelInput): ChannelRecord {
  const { name, arn } = exactlyOne(input.ChannelName, input.ChannelARN, 'Channel');
  const found = name === undefined ? registry.channelByArn(arn) : registry.channelByName(name);
  if (found !== undefined) return found;
  throw resourceNotFound(`The requested channel ${name ?? arn} is not found or not active.`);
}

/** @throws ServiceError VersionMismatchException */
export function checkVersion(
  record: { readonly version: string },
  currentVersion: string | undefined,
): void {
  if (currentVersion === undefined || currentVersion === record.version) return;
  throw versionMismatch('The version given is not the current version of the resource.');
}
