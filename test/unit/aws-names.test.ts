import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { OptionsError } from '../../lib/util/errors.js';
import { checkRegion, parseResource } from '../../lib/aws/resource-names.js';
import { readIceServerList, stunServersOf } from '../../lib/signaling/ice-servers.js';

const isOptionsErrorFor =
  (option: string) =>
  (error: unknown): boolean =>
    error instanceof OptionsError && error.option === option && error.fix !== undefined;

describe('checkRegion', () => {
  it('accepts regions of every partition', () => {
    for (const region of ['eu-central-1', 'us-gov-west-1', 'cn-north-1', 'ap-southeast-2']) {
      assert.equal(checkRegion(region), region);
    }
  });
  it('refuses what would become a host name of its own', () => {
    for (const region of ['', 'eu', 'EU-CENTRAL-1', 'eu-central-1.evil.example/', 'a b']) {
      assert.throws(() => checkRegion(region), isOptionsErrorFor('region'));
    }
  });
});

describe('parseResource', () => {
  const arn = 'arn:aws:kinesisvideo:eu-central-1:123456789012:channel/front-door/1551924009774';
  it('reads names and ARNs', () => {
    assert.deepEqual(parseResource('stream', 'a_B.9-', 'eu-central-1'), {
      type: 'stream',
      name: 'a_B.9-',
    });
    assert.deepEqual(parseResource('channel', arn, 'eu-central-1'), {
      type: 'channel',
      name: 'front-door',
      arn,
    });
  });
  it('refuses names, ARN types and regions that cannot be', () => {
    for (const [type, text, region] of [
      ['channel', '', 'eu-central-1'],
      ['channel', 'with space', 'eu-central-1'],
      ['channel', 'x'.repeat(257), 'eu-central-1'],
      ['stream', arn, 'eu-central-1'],
      ['channel', `${arn}/x`, 'eu-central-1'],
      ['channel', arn, 'us-east-1'],
    ] as const) {
      assert.throws(() => parseResource(type, text, region), isOptionsErrorFor(type));
    }
  });
});

describe('ICE servers', () => {
  const region = 'eu-central-1';
  it('adds the STUN server of the region, another one, or none', () => {
    assert.deepEqual(stunServersOf({ region }), [
      { urls: ['stun:stun.kinesisvideo.eu-central-1.amazonaws.com:443'] },
    ]);
    assert.deepEqual(stunServersOf({ region: 'cn-north-1' }), [
      { urls: ['stun:stun.kinesisvideo.cn-north-1.amazonaws.com.cn:443'] },
    ]);
    assert.deepEqual(stunServersOf({ region, stunUri: 'stun:192.0.2.1:3478' }), [
      { urls: ['stun:192.0.2.1:3478'] },
    ]);
    assert.deepEqual(stunServersOf({ region, stunUri: null }), []);
    assert.throws(
      () => stunServersOf({ region, stunUri: 'http://example.com' }),
      isOptionsErrorFor('stunUri'),
    );
  });

  it('takes the servers of an answer and the shortest life', () => {
    const uris = [
      'turn:1-2-3-4.t-x.kinesisvideo.eu-central-1.amazonaws.com:443?transport=udp',
      'turns:1-2-3-4.t-x.kinesisvideo.eu-central-1.amazonaws.com:443?transport=tcp',
    ];
    const result = readIceServerList([
      { Uris: uris, Username: '1700000300:abc/=', Password: 'p+/=', Ttl: 300 },
      { Uris: [uris[0]], Username: 'u', Password: 'p', Ttl: 200 },
    ]);
    assert.deepEqual(result, {
      servers: [
        { urls: uris, username: '1700000300:abc/=', credential: 'p+/=' },
        { urls: [uris[0]], username: 'u', credential: 'p' },
      ],
      ttlSeconds: 200,
    });
  });

  it('leaves out what is of no use', () => {
    assert.deepEqual(
      readIceServerList([
        null,
        'x',
        { Uris: 'turn:a' },
        { Uris: [] },
        { Uris: ['http://a', 'turn:a b', 7, 'turn:u:p@host'], Username: 'u', Password: 'p' },
        { Uris: ['turn:host:443'] },
        { Uris: ['turn:host:443'], Username: 'u', Password: 'p', Ttl: -5 },
        { Uris: ['turn:host:443', 'stun:host:443'], Username: 'u' },
      ]),
      { servers: [{ urls: ['stun:host:443'] }] },
    );
    for (const list of [undefined, null, {}, 'x', 5]) {
      assert.deepEqual(readIceServerList(list), { servers: [] });
    }
  });
});
