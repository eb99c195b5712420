/** The signaling channel: there, active, and not recorded by AWS itself. */
import type { ChannelDescription } from '../../aws/control-plane.js';
import { ErrorCode } from '../../util/errors.js';
import { finding, skipped } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import { reasonOf } from '../probes/attempt.js';
import type { DoctorFinding } from '../report.js';

export const channelCheck: Check = {
  topic: 'channel',
  run: async ({ options, aws }) => {
    const name = options.channel;
    if (name === undefined) return [skipped('channel', 'no --channel is given')];
    const [described, storage, connected] = await Promise.all([
      aws.describeChannel(),
      aws.mediaStorage(),
      aws.connectAsViewer(),
    ]);
    if (described.kind === 'untried') return [skipped('channel', described.reason)];
    if (described.kind === 'failed') {
      return described.error.code === ErrorCode.channelNotFound
        ? [finding('channel.missing', { name, region: options.region })]
        : [skipped('channel', 'DescribeSignalingChannel failed')];
    }
    const isRecorded = storage.kind === 'done' ? storage.value.enabled : undefined;
    const findings = channelFindings({ ...described.value, name }, isRecorded);
    if (connected.kind !== 'failed' || connected.error.code !== ErrorCode.signaling)
      return findings;
    return [...findings, finding('channel.full', { name, reason: reasonOf(connected.error) })];
  },
};

/**
 * What is wrong with a channel that exists. Pure.
 *
 * @param isRecorded - whether AWS itself records it; undefined when nobody may ask
 */
export function channelFindings(
  { name, arn, status }: ChannelDescription,
  isRecorded: boolean | undefined,
): readonly DoctorFinding[] {
  if (status !== 'ACTIVE' && status !== 'UPDATING') {
    return [finding('channel.inactive', { name, status })];
  }
  if (isRecorded === undefined) {
    return [skipped('channel', `whether media storage is disabled on ${name}`)];
  }
  return [isRecorded ? finding('channel.storage', { name, arn }) : finding('channel.ok', { name })];
}
