import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ControlPlane } from '../../lib/aws/control-plane.js';
import { staticCredentials } from '../../lib/aws/credentials.js';
import type { CredentialsSource } from '../../lib/aws/credentials.js';
import { KvsBridgeError, OptionsError } from '../../lib/util/errors.js';
import { getIceServers } from '../../lib/signaling/ice-servers.js';

const region = 'eu-central-1';
const channelArn = `arn:aws:kinesisvideo:${region}:123456789012:channel/door/1551924009774`;
const streamArn = `arn:aws:kinesisvideo:${region}:123456789012:stream/door/1551924009774`;
const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'SECRETKEY', sessionToken: 'TOKEN' };

interface Answer {
  readonly status?: number;
  readonly errorType?: string;
  readonly body: unknown;
}
type Handler = (body: Record<string, unknown>, request: IncomingMessage) => Answer | undefined;

const notFound: Answer = {
  status: 404,
  errorType: 'ResourceNotFoundException',
  body: { Message: 'gone' },
};

/** A hand-made endpoint: what AWS would answer is written down in each test. */
let server: Server;
let handlers: Record<string, Handler>;
let paths: string[];
let endpoint: string;

beforeEach(async () => {
  handlers = {};
  paths = [];
  server = createServer((request, response) => {
    void serve(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  endpoint = `http://127.0.0.1:${String(address.port)}`;
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? '';
  const body = JSON.parse(await text(request)) as Record<string, unknown>;
  paths.push(path);
  const answer = handlers[path]?.(body, request);
  if (answer === undefined) return; // the test wants silence
  response.statusCode = answer.status ?? 200;
  if (answer.errorType !== undefined) response.setHeader('x-amzn-ErrorType', answer.errorType);
  response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body));
}

const open = (
  options: { readonly createTimeoutMs?: number; readonly credentials?: CredentialsSource } = {},
): ControlPlane =>
  new ControlPlane({ region, endpoint, credentials: staticCredentials(keys), ...options });

const inTurn = (...answers: readonly Answer[]): Handler => {
  let count = 0;
  return () => answers[Math.min(count++, answers.length - 1)];
};

const failsWith =
  (code: string, ...words: readonly string[]) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof KvsBridgeError, String(error));
    assert.equal(error.code, code);
    for (const word of words) {
      assert.ok(`${error.message} ${error.fix ?? ''}`.includes(word), `${error.message}: ${word}`);
    }
    assert.doesNotMatch(`${error.stack ?? ''}${String(error.cause)}`, /SECRETKEY|TOKEN/);
    return true;
  };

describe('ControlPlane look-ups', () => {
  it('describes a channel by name and by ARN', async () => {
    const inputs: unknown[] = [];
    handlers['/describeSignalingChannel'] = (body, request) => {
      inputs.push(body);
      assert.match(
        request.headers.authorization ?? '',
        /\/eu-central-1\/kinesisvideo\/aws4_request/,
      );
      return {
        body: {
          ChannelInfo: {
            ChannelName: 'door',
            ChannelARN: channelArn,
            ChannelStatus: 'ACTIVE',
            CreationTime: 1551924009.774,
            FullMeshConfiguration: null,
          },
        },
      };
    };
    await using controlPlane = open();
    const expected = { name: 'door', arn: channelArn, status: 'ACTIVE' };
    assert.deepEqual(await controlPlane.describeChannel('door'), expected);
    assert.deepEqual(await controlPlane.describeChannel(channelArn), expected);
    assert.deepEqual(inputs, [{ ChannelName: 'door' }, { ChannelARN: channelArn }]);
  });

  it('sees whether AWS records the channel itself', async () => {
    handlers['/describeMediaStorageConfiguration'] = inTurn(
      { body: { MediaStorageConfiguration: { Status: 'ENABLED', StreamARN: streamArn } } },
      { body: { MediaStorageConfiguration: { Status: 'DISABLED', StreamARN: null } } },
    );
    await using controlPlane = open();
    assert.deepEqual(await controlPlane.mediaStorage(channelArn), { enabled: true, streamArn });
    assert.deepEqual(await controlPlane.mediaStorage('door'), { enabled: false });
  });

  it('asks for both endpoints of a role, and refuses unusable ones', async () => {
    let list = [
      { Protocol: 'HTTPS', ResourceEndpoint: 'https://r-1.example.com' },
      { Protocol: 'WSS', ResourceEndpoint: 'wss://v-1.example.com' },
    ];
    handlers['/getSignalingChannelEndpoint'] = (body) => {
      assert.deepEqual(body, {
        ChannelARN: channelArn,
        SingleMasterChannelEndpointConfiguration: { Protocols: ['WSS', 'HTTPS'], Role: 'VIEWER' },
      });
      return { body: { ResourceEndpointList: list } };
    };
    await using controlPlane = open();
    const { wss, https } = await controlPlane.signalingEndpoints(channelArn, 'VIEWER');
    assert.equal(wss.href, 'wss://v-1.example.com/');
    assert.equal(https.href, 'https://r-1.example.com/');
    list = [{ Protocol: 'WSS', ResourceEndpoint: 'file:///etc/passwd' }];
    await assert.rejects(
      controlPlane.signalingEndpoints(channelArn, 'VIEWER'),
      failsWith('KVSB_AWS', 'GetSignalingChannelEndpoint'),
    );
  });

  it('finds where PutMedia goes', async () => {
    handlers['/getDataEndpoint'] = (body) => {
      assert.deepEqual(body, { StreamName: 'door', APIName: 'PUT_MEDIA' });
      return { body: { DataEndpoint: 'https://s-1.example.com/prefix' } };
    };
    await using controlPlane = open();
    const url = await controlPlane.putMediaEndpoint('door');
    assert.equal(url.href, 'https://s-1.example.com/prefix');
  });

  it('asks for TURN servers and adds STUN', async () => {
    handlers['/v1/get-ice-server-config'] = (body) => {
      assert.deepEqual(body, { ChannelARN: channelArn, ClientId: 'viewer-1', Service: 'TURN' });
      const server = { Uris: ['turn:192.0.2.1:443'], Username: 'u', Password: 'p', Ttl: 300 };
      return { body: { IceServerList: [server] } };
    };
    const result = await getIceServers({
      endpoint: new URL(endpoint),
      channelArn,
      clientId: 'viewer-1',
      region,
      credentials: staticCredentials(keys),
      stunUri: 'stun:192.0.2.2:3478',
    });
    assert.deepEqual(result, {
      servers: [
        { urls: ['stun:192.0.2.2:3478'] },
        { urls: ['turn:192.0.2.1:443'], username: 'u', credential: 'p' },
      ],
      ttlSeconds: 300,
    });
  });
});

describe('ControlPlane failures', () => {
  it('says which channel or stream there is not, and how to make one', async () => {
    handlers['/describeSignalingChannel'] = () => notFound;
    handlers['/describeStream'] = () => notFound;
    await using controlPlane = open();
    await assert.rejects(
      controlPlane.describeChannel('door'),
      failsWith('KVSB_CHANNEL_NOT_FOUND', '"door"', region, '--create-channel'),
    );
    await assert.rejects(
      controlPlane.describeStream('door'),
      failsWith('KVSB_STREAM_NOT_FOUND', '"door"', '--create-stream', '--retention-hours'),
    );
    assert.equal(paths.length, 2, 'nothing is gained by asking again');
  });

  for (const [errorType, status, message, code, word] of [
    ['UnrecognizedClientException', 403, 'bad', 'KVSB_CREDENTIALS', 'AWS_ACCESS_KEY_ID'],
    ['InvalidSignatureException', 403, 'Signature expired: x', 'KVSB_CREDENTIALS', 'NTP'],
    ['AccessDeniedException', 401, 'no', 'KVSB_ACCESS_DENIED', 'kinesisvideo:DescribeStream'],
    ['NotAuthorizedException', 401, 'no', 'KVSB_ACCESS_DENIED', 'IAM'],
    ['InvalidArgumentException', 400, 'odd', 'KVSB_AWS', 'odd'],
  ] as const) {
    it(`does not repeat ${errorType}, and explains it`, async () => {
      handlers['/describeStream'] = () => ({ status, errorType, body: { message } });
      await using controlPlane = open();
      await assert.rejects(controlPlane.describeStream('door'), failsWith(code, word));
      assert.equal(paths.length, 1);
    });
  }

  it('repeats what passes: rate limits, server faults, answers of a broken proxy', async () => {
    handlers['/describeStream'] = inTurn(
      { status: 400, errorType: 'ClientLimitExceededException', body: { Message: 'slow down' } },
      { status: 500, errorType: 'InternalFailure', body: {} },
      { status: 502, body: '<html>Bad Gateway</html>' },
      {
        body: {
          StreamInfo: {
            StreamName: 'door',
            StreamARN: streamArn,
            Status: 'ACTIVE',
            DataRetentionInHours: 24,
          },
        },
      },
    );
    await using controlPlane = open();
    assert.deepEqual(await controlPlane.describeStream('door'), {
      name: 'door',
      arn: streamArn,
      status: 'ACTIVE',
      retentionHours: 24,
    });
    assert.equal(paths.length, 4);
  });

  it('names an endpoint that cannot be reached', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const address = closed.address();
    assert.ok(typeof address === 'object' && address !== null);
    const host = `127.0.0.1:${String(address.port)}`;
    closed.close();
    await once(closed, 'close');
    await using controlPlane = new ControlPlane({
      region,
      endpoint: `http://${host}`,
      credentials: staticCredentials(keys),
    });
    await assert.rejects(
      controlPlane.describeStream('door'),
      failsWith('KVSB_AWS', host, 'ECONNREFUSED'),
    );
  });

  it('asks for new keys when AWS refuses the old ones', async () => {
    const sources = ['AKIDOLD', 'AKIDNEW'];
    const credentials: CredentialsSource = {
      get: () => Promise.resolve({ ...keys, accessKeyId: sources[0] ?? '' }),
      invalidate: () => {
        sources.shift();
      },
    };
    handlers['/describeStream'] = (_body, request) =>
      request.headers.authorization?.includes('AKIDNEW') === true
        ? notFound
        : { status: 403, errorType: 'ExpiredTokenException', body: { message: 'old' } };
    await using controlPlane = open({ credentials });
    await assert.rejects(controlPlane.describeStream('door'), failsWith('KVSB_STREAM_NOT_FOUND'));
    assert.equal(paths.length, 2);
  });

  it('stops at once when aborted, with the reason', async () => {
    handlers['/describeStream'] = () => undefined;
    await using controlPlane = open();
    const controller = new AbortController();
    const reason = new Error('enough');
    server.once('request', () => {
      controller.abort(reason);
    });
    await assert.rejects(
      controlPlane.describeStream('door', { signal: controller.signal }),
      reason,
    );
  });

  it('refuses names and endpoints before any request', async () => {
    await using controlPlane = open();
    await assert.rejects(controlPlane.describeChannel('a b'), OptionsError);
    await assert.rejects(controlPlane.describeStream(channelArn), OptionsError);
    await assert.rejects(controlPlane.createStream({ name: 'a', retentionHours: 0 }), OptionsError);
    await assert.rejects(controlPlane.createChannel(channelArn), OptionsError);
    const credentials = staticCredentials(keys);
    assert.throws(() => new ControlPlane({ region: 'x', credentials }), OptionsError);
    assert.throws(
      () => new ControlPlane({ region, credentials, endpoint: 'nowhere' }),
      OptionsError,
    );
    assert.deepEqual(paths, []);
  });
});

describe('ControlPlane creations', () => {
  const stream = (Status: string): Answer => ({
    body: {
      StreamInfo: {
        StreamName: 'door',
        StreamARN: streamArn,
        Status,
        DataRetentionInHours: 24,
        MediaType: 'video/h264,audio/aac',
      },
    },
  });

  it('makes a stream and waits until it is ACTIVE', async () => {
    handlers['/createStream'] = (body) => {
      assert.deepEqual(body, {
        StreamName: 'door',
        DataRetentionInHours: 24,
        MediaType: 'video/h264,audio/aac',
      });
      return { body: { StreamARN: streamArn } };
    };
    handlers['/describeStream'] = inTurn(notFound, stream('CREATING'), stream('ACTIVE'));
    await using controlPlane = open();
    const created = await controlPlane.createStream({ name: 'door', retentionHours: 24 });
    assert.deepEqual(created, {
      name: 'door',
      arn: streamArn,
      status: 'ACTIVE',
      retentionHours: 24,
      mediaType: 'video/h264,audio/aac',
    });
  });

  it('takes a stream that someone else has just made', async () => {
    handlers['/createStream'] = () => ({
      status: 400,
      errorType: 'ResourceInUseException',
      body: { Message: 'exists' },
    });
    handlers['/describeStream'] = () => stream('ACTIVE');
    await using controlPlane = open();
    assert.equal(
      (await controlPlane.createStream({ name: 'door', retentionHours: 1 })).retentionHours,
      24,
    );
  });

  it('does not wait for ever', async () => {
    handlers['/createStream'] = () => ({ body: { StreamARN: streamArn } });
    handlers['/describeStream'] = () => stream('CREATING');
    await using controlPlane = open({ createTimeoutMs: 50 });
    await assert.rejects(
      controlPlane.createStream({ name: 'door', retentionHours: 1 }),
      failsWith('KVSB_AWS', '"door"', 'CREATING', '50 ms'),
    );
  });

  it('stops waiting when aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    handlers['/createStream'] = () => ({ body: { StreamARN: streamArn } });
    handlers['/describeStream'] = () => {
      setImmediate(() => {
        controller.abort(reason);
      });
      return stream('CREATING');
    };
    await using controlPlane = open();
    const { signal } = controller;
    await assert.rejects(
      controlPlane.createStream({ name: 'door', retentionHours: 1 }, { signal }),
      reason,
    );
  });

  it('makes a channel', async () => {
    handlers['/createSignalingChannel'] = (body) => {
      assert.deepEqual(body, { ChannelName: 'door', ChannelType: 'SINGLE_MASTER' });
      return { body: { ChannelARN: channelArn } };
    };
    handlers['/describeSignalingChannel'] = () => ({
      body: {
        ChannelInfo: { ChannelName: 'door', ChannelARN: channelArn, ChannelStatus: 'ACTIVE' },
      },
    });
    await using controlPlane = open();
    assert.equal((await controlPlane.createChannel('door')).arn, channelArn);
  });
});
