import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { presignUrl, signRequest } from '../../lib/aws/sigv4.js';
import { presignSignalingUrl } from '../../lib/signaling/presigned-url.js';

/**
 * Signature Version 4 by hand, from the AWS documents ("Create a signed AWS API request"), sharing
 * nothing with the code under test.
 */
function expectedSignature(parts: {
  method: string;
  path: string;
  query: readonly (readonly [string, string])[];
  headers: Readonly<Record<string, string>>;
  amzDate: string;
  region: string;
  secret: string;
}): string {
  const encode = (text: string): string =>
    [...Buffer.from(text)]
      .map((byte) => {
        const character = String.fromCharCode(byte);
        return /[A-Za-z0-9\-._~]/.test(character)
          ? character
          : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
      })
      .join('');
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const hmac = (key: Buffer | string, text: string): Buffer =>
    createHmac('sha256', key).update(text).digest();
  const headerNames = Object.keys(parts.headers).sort();
  const canonicalRequest = [
    parts.method,
    parts.path,
    parts.query
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...headerNames.map((name) => `${name}:${String(parts.headers[name])}`),
    '',
    headerNames.join(';'),
    hash(''),
  ].join('\n');
  const date = parts.amzDate.slice(0, 8);
  const scope = `${date}/${parts.region}/kinesisvideo/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', parts.amzDate, scope, hash(canonicalRequest)].join('\n');
  const key = [parts.region, 'kinesisvideo', 'aws4_request'].reduce(
    (previous, text) => hmac(previous, text),
    hmac(`AWS4${parts.secret}`, date),
  );
  return hmac(key, toSign).toString('hex');
}

const now = new Date('2026-03-04T05:06:07.000Z');
const amzDate = '20260304T050607Z';
const region = 'eu-central-1';
const channelArn =
  'arn:aws:kinesisvideo:eu-central-1:123456789012:channel/front.door_1-a/1551924009774';
const permanent = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalr/XUtn+FEMI' };
const temporary = { ...permanent, sessionToken: 'token/with+signs==' };

describe('presigned signaling URL', () => {
  for (const [title, endpoint, credentials, clientId] of [
    [
      'a viewer on AWS',
      'wss://v-1234.kinesisvideo.eu-central-1.amazonaws.com',
      permanent,
      'v.1-_x',
    ],
    ['a master with a session token', 'wss://m-1.example.com/', temporary, undefined],
    ['a local endpoint with port and path', 'ws://127.0.0.1:4567/v', temporary, 'viewer-1'],
  ] as const) {
    it(`is signed as AWS documents it: ${title}`, async () => {
      const url = await presignSignalingUrl({
        endpoint: new URL(endpoint),
        channelArn,
        clientId,
        region,
        credentials,
        now,
      });
      const { searchParams } = url;
      assert.equal(searchParams.get('X-Amz-ChannelARN'), channelArn);
      assert.equal(searchParams.get('X-Amz-ClientId') ?? undefined, clientId);
      assert.equal(searchParams.get('X-Amz-Expires'), '299');
      assert.equal(searchParams.get('X-Amz-Date'), amzDate);
      assert.equal(searchParams.get('X-Amz-SignedHeaders'), 'host');
      assert.equal(
        searchParams.get('X-Amz-Credential'),
        `AKIDEXAMPLE/20260304/${region}/kinesisvideo/aws4_request`,
      );
      assert.equal(
        searchParams.get('X-Amz-Security-Token') ?? undefined,
        'sessionToken' in credentials ? credentials.sessionToken : undefined,
      );
      assert.equal(
        searchParams.get('X-Amz-Signature'),
        expectedSignature({
          method: 'GET',
          path: new URL(endpoint).pathname,
          query: [...searchParams].filter(([name]) => name !== 'X-Amz-Signature'),
          headers: { host: new URL(endpoint).host },
          amzDate,
          region,
          secret: permanent.secretAccessKey,
        }),
      );
      assert.ok(!url.search.includes('+'), 'a space or plus must be percent-encoded');
    });
  }
});

describe('presignUrl', () => {
  it('signs characters that URLSearchParams would encode otherwise', async () => {
    const url = new URL('https://example.com/');
    url.searchParams.set('odd', "a b+c'(d)*!~é");
    const signed = await presignUrl({
      url,
      region,
      credentials: permanent,
      expiresInSeconds: 60,
      now,
    });
    assert.equal(signed.searchParams.get('odd'), "a b+c'(d)*!~é");
    assert.equal(
      signed.searchParams.get('X-Amz-Signature'),
      expectedSignature({
        method: 'GET',
        path: '/',
        query: [...signed.searchParams].filter(([name]) => name !== 'X-Amz-Signature'),
        headers: { host: 'example.com' },
        amzDate,
        region,
        secret: permanent.secretAccessKey,
      }),
    );
  });
});

describe('signRequest', () => {
  for (const [title, credentials] of [
    ['permanent keys', permanent],
    ['temporary keys', temporary],
  ] as const) {
    it(`signs a streaming POST with the hash of an empty body: ${title}`, async () => {
      const headers = await signRequest({
        method: 'POST',
        url: new URL('http://127.0.0.1:8080/prefix/putMedia'),
        headers: {
          'X-Amzn-Stream-Name': 'front-door',
          'x-amzn-fragment-timecode-type': 'ABSOLUTE',
          'transfer-encoding': 'chunked',
          'user-agent': 'kvs-bridge',
        },
        region,
        credentials,
        now,
      });
      const signedNames = /SignedHeaders=([^,]+),/.exec(headers['authorization'] ?? '')?.[1] ?? '';
      const expectedNames = [
        'host',
        'x-amz-date',
        ...('sessionToken' in credentials ? ['x-amz-security-token'] : []),
        'x-amzn-fragment-timecode-type',
        'x-amzn-stream-name',
      ];
      assert.deepEqual(signedNames.split(';'), expectedNames);
      assert.equal(headers['host'], '127.0.0.1:8080');
      assert.equal(headers['transfer-encoding'], 'chunked');
      assert.equal(headers['user-agent'], 'kvs-bridge');
      assert.equal(headers['x-amz-content-sha256'], undefined);
      const signature = expectedSignature({
        method: 'POST',
        path: '/prefix/putMedia',
        query: [],
        headers: Object.fromEntries(expectedNames.map((name) => [name, headers[name] ?? ''])),
        amzDate,
        region,
        secret: permanent.secretAccessKey,
      });
      assert.equal(
        headers['authorization'],
        `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260304/${region}/kinesisvideo/aws4_request, ` +
          `SignedHeaders=${expectedNames.join(';')}, Signature=${signature}`,
      );
    });
  }

  it('changes with the secret', async () => {
    const options = {
      method: 'POST',
      url: new URL('https://example.com/putMedia'),
      headers: {},
      now,
    };
    const one = await signRequest({ ...options, region, credentials: permanent });
    const other = await signRequest({
      ...options,
      region,
      credentials: { ...permanent, secretAccessKey: 'other' },
    });
    assert.notEqual(one['authorization'], other['authorization']);
  });
});
