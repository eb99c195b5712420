/** The video stream: there, active, keeps what it gets, and says what players want to hear. */
import type { StreamDescription } from '../../aws/control-plane.js';
import { describeFailure } from '../../aws/aws-errors.js';
import { ErrorCode } from '../../util/errors.js';
import { finding, skipped } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import type { DoctorFinding } from '../report.js';

export const streamCheck: Check = {
  topic: 'stream',
  run: async ({ options, aws }) => {
    const name = options.stream;
    if (name === undefined) return [skipped('stream', 'no --stream is given')];
    const described = await aws.describeStream();
    if (described.kind === 'untried') return [skipped('stream', described.reason)];
    if (described.kind === 'failed') {
      if (described.error.code !== ErrorCode.streamNotFound) {
        return [skipped('stream', 'DescribeStream failed')];
      }
      return [
        options.createStream
          ? finding('stream.to-be-made', { name, hours: options.retentionHours })
          : finding('stream.missing', { name, region: options.region }),
      ];
    }
    const findings = streamFindings(described.value);
    const sent = await aws.putMedia();
    const failure = sent.kind === 'done' ? sent.value : undefined;
    return failure?.name === 'ConnectionLimitExceededException'
      ? [...findings, finding('stream.in-use', { name, reason: describeFailure(failure) })]
      : findings;
  },
};

/** What a stream that exists lacks. Pure. */
export function streamFindings({
  name,
  status,
  retentionHours: hours,
  mediaType = 'not set',
  version = '…',
}: StreamDescription): readonly DoctorFinding[] {
  if (status !== 'ACTIVE' && status !== 'UPDATING') {
    return [finding('stream.inactive', { name, status })];
  }
  const findings: DoctorFinding[] = [];
  if (hours === 0) findings.push(finding('stream.no-retention', { name, version }));
  // KVS API reference, CreateStream: the console plays a stream whose type says video/h264.
  if (!/^video\/h26[45](?:,|$)/i.test(mediaType)) {
    findings.push(finding('stream.media-type', { name, mediaType, version }));
  }
  return findings.length === 0 ? [finding('stream.ok', { name, hours, mediaType })] : findings;
}
