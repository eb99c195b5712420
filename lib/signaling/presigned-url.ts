/** The WebSocket URL of a signaling connection (AWS WebRTC developer guide, ConnectAsViewer). */
import type { AwsCredentials } from '../aws/credentials.js';
import { presignUrl } from '../aws/sigv4.js';

/** What {@link presignSignalingUrl} signs. */
export interface SignalingUrlOptions {
  /** WSS endpoint of the role, from GetSignalingChannelEndpoint. */
  readonly endpoint: URL;
  readonly channelArn: string;
  /** A viewer's id; a master has none, and that is how the service tells them apart. */
  readonly clientId?: string | undefined;
  readonly region: string;
  readonly credentials: AwsCredentials;
  /** Time of the signature. @defaultValue now, by AWS's clock */
  readonly now?: Date;
}

/** As long as AWS's JS SDK gives itself; the URL is used at once. */
const expiresInSeconds = 299;

/** Signs the URL to connect to. It is a secret for its whole life. */
export function presignSignalingUrl(options: SignalingUrlOptions): Promise<URL> {
  const { endpoint, channelArn, clientId, region, credentials, now } = options;
  const url = new URL(endpoint);
  url.searchParams.set('X-Amz-ChannelARN', channelArn);
  if (clientId !== undefined) url.searchParams.set('X-Amz-ClientId', clientId);
  return presignUrl({
    ...{ url, region, credentials, expiresInSeconds },
    ...(now === undefined ? {} : { now }),
  });
}
