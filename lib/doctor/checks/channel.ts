/** The signaling channel: there, active, and not recorded by AWS itself. */
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
    const { arn, status } = described.value;
    if (status !== 'ACTIVE' && status !== 'UPDATING') {
      return [finding('channel.inactive', { name, status })];
    }
    const findings: DoctorFinding[] = [];
    if (storage.kind === 'done' && storage.value.enabled) {
      findings.push(finding('channel.storage', { name, arn }));
    } else if (storage.kind === 'done') {
      findings.push(finding('channel.ok', { name }));
    } else {
      findings.push(skipped('channel', `whether media storage is disabled on ${name}`));
    }
    if (connected.kind === 'failed' && connected.error.code === ErrorCode.signaling) {
      findings.push(finding('channel.full', { name, reason: reasonOf(connected.error) }));
    }
    return findings;
  },
};
