import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { SignalingClient } from '../../lib/signaling/signaling-client.js';
import { OptionsError, StateError } from '../../lib/util/errors.js';
import {
  SignalingService,
  channelArn,
  credentials,
  endpointOf,
  failsWith,
  region,
} from '../support/signaling-service.js';

let service: SignalingService;

beforeEach(async () => {
  service = await SignalingService.start();
});
afterEach(async () => {
  await service[Symbol.asyncDispose]();
});

describe('SignalingClient handshake failures', () => {
  for (const [title, status, headers, body, code, words] of [
    [
      'a missing permission',
      '403 Forbidden',
      [],
      '{"Message":"no"}',
      'KVSB_ACCESS_DENIED',
      ['kinesisvideo:ConnectAsViewer'],
    ],
    [
      'wrong keys',
      '403 Forbidden',
      ['x-amzn-ErrorType: InvalidSignatureException'],
      '{"message":"The request signature we calculated does not match"}',
      'KVSB_CREDENTIALS',
      ['credentials'],
    ],
    [
      'a wrong clock',
      '403 Forbidden',
      [],
      '{"message":"Signature expired: 20260304T050607Z is now earlier than …"}',
      'KVSB_CREDENTIALS',
      ['clock'],
    ],
    [
      'an unknown channel',
      '404 Not Found',
      [],
      '{"__type":"ResourceNotFoundException"}',
      'KVSB_CHANNEL_NOT_FOUND',
      ['"door"'],
    ],
    [
      'too many viewers',
      '400 Bad Request',
      [],
      '{"__type":"ClientLimitExceededException","Message":"full"}',
      'KVSB_SIGNALING',
      ['ClientLimitExceeded', 'full'],
    ],
    [
      'a bad argument',
      '400 Bad Request',
      [],
      'not JSON',
      'KVSB_SIGNALING',
      ['HTTP 400', 'not JSON'],
    ],
    ['a broken server', '503 Unavailable', [], '', 'KVSB_SIGNALING', ['HTTP 503']],
    [
      'a redirect',
      '302 Found',
      ['location: http://127.0.0.1:1/'],
      '',
      'KVSB_SIGNALING',
      ['HTTP 302'],
    ],
    ['a plain page', '200 OK', [], '<html>', 'KVSB_SIGNALING', ['HTTP 200']],
    [
      'an endless body',
      '400 Bad Request',
      [],
      'x'.repeat(1_000_000),
      'KVSB_SIGNALING',
      ['HTTP 400'],
    ],
  ] as const) {
    it(`explains ${title}`, async () => {
      service.refuse(status, headers, body);
      const client = service.viewer();
      client.on('closed', () => {
        assert.fail('closed without ever having been open');
      });
      await assert.rejects(client.connect(), failsWith(code, ...words));
      await client.close();
    });
  }

  it('names a host that cannot be reached', async () => {
    const closedServer = createServer().listen(0, '127.0.0.1');
    await once(closedServer, 'listening');
    const endpoint = endpointOf(closedServer);
    closedServer.close();
    await once(closedServer, 'close');
    const client = service.viewer({ endpoint });
    await assert.rejects(
      client.connect(),
      failsWith('KVSB_SIGNALING', endpoint.host, 'ECONNREFUSED'),
    );
  });

  describe('with a server that never answers', () => {
    const silent = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
    });
    let silentEndpoint: URL;
    beforeEach(async () => {
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      silentEndpoint = endpointOf(silent);
    });
    afterEach(async () => {
      // Closes only when the client has let go of every connection.
      silent.close();
      await once(silent, 'close');
    });

    it('gives up in time', async () => {
      const client = service.viewer({ endpoint: silentEndpoint, connectTimeoutMs: 50 });
      await assert.rejects(client.connect(), failsWith('KVSB_SIGNALING', '50 ms'));
    });

    it('gives up when aborted, with the reason', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      silent.once('connection', () => {
        controller.abort(reason);
      });
      const client = service.viewer({ endpoint: silentEndpoint });
      await assert.rejects(client.connect({ signal: controller.signal }), reason);
      await assert.rejects(service.viewer().connect({ signal: controller.signal }), reason);
    });

    it('gives up when closed', async () => {
      const client = service.viewer({ endpoint: silentEndpoint });
      silent.once('connection', () => {
        void client.close();
      });
      await assert.rejects(client.connect(), StateError);
    });
  });

  it('forgets keys that were refused', async () => {
    service.refuse('403 Forbidden', ['x-amzn-ErrorType: ExpiredTokenException'], '{}');
    let invalidated = 0;
    const client = new SignalingClient({
      role: 'MASTER',
      channelArn,
      endpoint: service.endpoint,
      region,
      credentials: {
        get: (options) => credentials.get(options),
        invalidate: () => {
          invalidated += 1;
        },
      },
    });
    await assert.rejects(client.connect(), failsWith('KVSB_CREDENTIALS'));
    assert.equal(invalidated, 1);
  });

  it('refuses options that cannot be', () => {
    const common = {
      role: 'VIEWER',
      clientId: 'v',
      channelArn,
      endpoint: service.endpoint,
      region,
      credentials,
    } as const;
    for (const override of [
      { clientId: 'AWS_x' },
      { region: 'us-east-1' },
      { channelArn: 'arn:x' },
    ]) {
      assert.throws(() => new SignalingClient({ ...common, ...override }), OptionsError);
    }
  });
});
