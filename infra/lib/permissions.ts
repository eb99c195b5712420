/** What a bridge may do: the table of the README, by resource. */
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** On the signaling channel. */
export const channelActions: readonly string[] = [
  'kinesisvideo:DescribeSignalingChannel',
  'kinesisvideo:DescribeMediaStorageConfiguration',
  'kinesisvideo:GetSignalingChannelEndpoint',
  'kinesisvideo:GetIceServerConfig',
  'kinesisvideo:ConnectAsViewer',
];

/** On the video stream. */
export const streamActions: readonly string[] = [
  'kinesisvideo:DescribeStream',
  'kinesisvideo:GetDataEndpoint',
  'kinesisvideo:PutMedia',
  'kinesisvideo:ListFragments',
];

/** The task role's statements: one channel, one stream, no pattern. */
export function bridgeStatements(channelArn: string, streamArn: string): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'ViewTheChannel',
      actions: [...channelActions],
      resources: [channelArn],
    }),
    new PolicyStatement({
      sid: 'StoreInTheStream',
      actions: [...streamActions],
      resources: [streamArn],
    }),
  ];
}
