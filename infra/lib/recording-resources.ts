/** The channel that is recorded and the stream that keeps it: made here, or there already. */
import type { RemovalPolicy } from 'aws-cdk-lib';
import { CfnSignalingChannel, CfnStream } from 'aws-cdk-lib/aws-kinesisvideo';
import type { Construct } from 'constructs';
import { nameOf } from './config.js';

/** A channel or a stream, as a bridge needs it. */
export interface KvsResource {
  readonly name: string;
  readonly arn: string;
}

/** Retention in hours of a stream that is made without another one being asked for. */
const defaultRetentionHours = 24;

/** What the bridge stores: H.264 (or H.265, which KVS does not check) and AAC. */
const mediaType = 'video/h264,audio/aac';

/** Makes a channel of that name, or takes the one with that ARN. */
export function signalingChannel(
  scope: Construct,
  nameOrArn: string,
  removalPolicy: RemovalPolicy,
): KvsResource {
  const name = nameOf(nameOrArn);
  if (nameOrArn.startsWith('arn:')) return { name, arn: nameOrArn };
  const channel = new CfnSignalingChannel(scope, 'Channel', { name, type: 'SINGLE_MASTER' });
  channel.applyRemovalPolicy(removalPolicy);
  return { name, arn: channel.attrArn };
}

/**
 * Makes a stream of that name, or takes the one with that ARN.
 *
 * @param retentionHours - of a new stream; 24 when undefined
 */
export function videoStream(
  scope: Construct,
  nameOrArn: string,
  retentionHours: number | undefined,
  removalPolicy: RemovalPolicy,
): KvsResource {
  const name = nameOf(nameOrArn);
  if (nameOrArn.startsWith('arn:')) return { name, arn: nameOrArn };
  const stream = new CfnStream(scope, 'Stream', {
    name,
    mediaType,
    dataRetentionInHours: retentionHours ?? defaultRetentionHours,
  });
  stream.applyRemovalPolicy(removalPolicy);
  return { name, arn: stream.attrArn };
}
