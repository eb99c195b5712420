import assert from 'node:assert/strict';
import { createHash, createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { WireRequest } from '../../lib/local/http/canonical-request.js';
import { ServiceError } from '../../lib/local/http/service-error.js';
import { SignatureVerifier } from '../../lib/local/http/signature.js';

const permanent = { accessKeyId: 'AKIDPERMANENT', secretAccessKey: 'permanent/secret+key' };
const temporary = {
  accessKeyId: 'ASIATEMPORARY',
  secretAccessKey: 'temporary-secret',
  sessionToken: 'token/with+signs==',
};
const now = new Date('2026-03-04T05:06:07.890Z');
const verifier = new SignatureVerifier({
  credentials: [permanent, temporary],
  region: 'us-east-1',
  maxClockSkewMs: 300_000,
  isEnabled: true,
});
const body = Buffer.from('{\n\t"StreamName": "x"}');

interface SignOptions {
  readonly credentials?: typeof permanent | typeof temporary;
  readonly region?: string;
  readonly service?: string;
  readonly date?: Date;
}

function signerOf({ credentials = permanent, region, service }: SignOptions): SignatureV4 {
  return new SignatureV4({
    credentials,
    region: region ?? 'us-east-1',
    service: service ?? 'kinesisvideo',
    sha256: Sha256,
  });
}

const target = { method: 'POST', protocol: 'http:', hostname: '127.0.0.1', port: 8080 } as const;

function rawHeaders(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).flat();
}

/** As AWS's SDKs sign calls. */
async function signedCall(options: SignOptions = {}): Promise<WireRequest> {
  const { headers } = await signerOf(options).sign(
    {
      ...target,
      path: '/describeStream',
      query: {},
      headers: { Host: '127.0.0.1:8080', 'content-type': 'application/json' },
      body,
    },
    { signingDate: options.date ?? now },
  );
  return { method: 'POST', url: '/describeStream', rawHeaders: rawHeaders(headers) };
}

/** As WebRTC clients sign the URL to connect to. */
async function presigned(
  options: SignOptions & { expiresIn?: number } = {},
): Promise<WireRequest & { readonly parameters: readonly (readonly [string, string])[] }> {
  const { query = {}, path } = await signerOf(options).presign(
    {
      ...target,
      method: 'GET',
      protocol: 'wss:',
      path: '/v',
      query: {
        'X-Amz-ChannelARN': 'arn:aws:kinesisvideo:us-east-1:1:channel/a/1',
        'X-Amz-ClientId': 'viewer_1.a-b',
      },
      headers: { host: '127.0.0.1:8080' },
    },
    { expiresIn: options.expiresIn ?? 299, signingDate: options.date ?? now },
  );
  const parameters = Object.entries(query).map(([name, value]) => [name, String(value)] as const);
  return { ...withQuery(path, parameters), parameters };
}

function withQuery(path: string, parameters: readonly (readonly [string, string])[]): WireRequest {
  const text = parameters.map((pair) => pair.map(encodeURIComponent).join('=')).join('&');
  return { method: 'GET', url: `${path}?${text}`, rawHeaders: ['Host', '127.0.0.1:8080'] };
}

/** Signature Version 4 step by step, for clients that no library signs like. */
function signByHand(headers: Readonly<Record<string, string>>, signed: readonly string[]): string {
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
  const lines = signed.map((name) => `${name}:${headers[name] ?? ''}\n`).join('');
  const canonical = ['POST', '/putMedia', '', lines, signed.join(';'), hash('')].join('\n');
  const scope = '20260304/us-east-1/kinesisvideo/aws4_request';
  const text = `AWS4-HMAC-SHA256\n20260304T050607Z\n${scope}\n${hash(canonical)}`;
  let key: Buffer = Buffer.from(`AWS4${temporary.secretAccessKey}`);
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key).update(text).digest('hex');
  const credential = `${temporary.accessKeyId}/${scope}`;
  return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed.join(';')}, Signature=${signature}`;
}

const nothing = Buffer.alloc(0);

function refuses(
  request: WireRequest,
  type: string,
  message: RegExp,
  payload = body,
  at = now,
): void {
  assert.throws(
    () => {
      verifier.verify(request, payload, at);
    },
    (error) =>
      error instanceof ServiceError &&
      error.status === 403 &&
      error.type === type &&
      message.test(error.message),
  );
}

describe('SignatureVerifier', () => {
  it('takes calls of permanent and of temporary keys', async () => {
    verifier.verify(await signedCall(), body, now);
    verifier.verify(await signedCall({ credentials: temporary }), body, now);
  });

  it('takes presigned URLs, whatever the order of their parameters', async () => {
    for (const credentials of [permanent, temporary]) {
      const { parameters, ...request } = await presigned({ credentials });
      verifier.verify(request, undefined, now);
      verifier.verify(withQuery('/v', parameters.toReversed()), undefined, now);
    }
  });

  it("takes kvssink's PutMedia: host without port, token not signed, hop-by-hop headers signed", () => {
    const headers = {
      connection: 'keep-alive',
      host: '127.0.0.1',
      'transfer-encoding': 'chunked',
      'user-agent': 'AWS-SDK-KVS-CPP-CLIENT/3.6.0/1.6.2 GCC/12.2.0 Linux/6.18 x86_64 CPPSDK',
      'x-amz-date': '20260304T050607Z',
      'x-amzn-fragment-timecode-type': 'ABSOLUTE',
      'x-amzn-stream-name': 's',
    };
    const authorization = signByHand(headers, Object.keys(headers).sort());
    const sent = {
      ...headers,
      Authorization: authorization,
      'x-amz-security-token': temporary.sessionToken,
    };
    const request = { method: 'POST', url: '/putMedia', rawHeaders: rawHeaders(sent) };
    verifier.verify(request, undefined, now);
  });

  it('takes UNSIGNED-PAYLOAD, signed or added afterwards', async () => {
    const head = { ...target, path: '/putMedia', query: {} };
    const host = '127.0.0.1:8080';
    const hash = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const within = await signerOf({}).sign(
      { ...head, headers: { host, ...hash } },
      { signingDate: now },
    );
    const plain = new SignatureV4({
      credentials: permanent,
      region: 'us-east-1',
      service: 'kinesisvideo',
      sha256: Sha256,
      applyChecksum: false,
    });
    const before = await plain.sign({ ...head, headers: { host } }, { signingDate: now });
    for (const headers of [within.headers, { ...before.headers, ...hash }]) {
      const request = { method: 'POST', url: '/putMedia', rawHeaders: rawHeaders(headers) };
      verifier.verify(request, undefined, now);
    }
  });

  it('refuses a call that was changed', async () => {
    const call = await signedCall();
    const mismatch = /does not match/;
    refuses({ ...call, url: '/deleteStream' }, 'InvalidSignatureException', mismatch);
    refuses({ ...call, url: '/describeStream?a=b' }, 'InvalidSignatureException', mismatch);
    refuses({ ...call, method: 'PUT' }, 'InvalidSignatureException', mismatch);
    refuses(call, 'InvalidSignatureException', mismatch, Buffer.from('{}'));
    const { parameters, ...url } = await presigned();
    const other = parameters.map(
      ([name, value]) => [name, name === 'X-Amz-ClientId' ? 'someone' : value] as const,
    );
    verifier.verify(url, undefined, now);
    refuses(withQuery('/v', other), 'InvalidSignatureException', mismatch, nothing);
    refuses(withQuery('/m', parameters), 'InvalidSignatureException', mismatch, nothing);
  });

  it('refuses wrong keys and tokens', async () => {
    const wrongSecret = { ...permanent, secretAccessKey: 'guess' };
    const call = await signedCall({ credentials: wrongSecret });
    refuses(call, 'InvalidSignatureException', /does not match/);
    for (const credentials of [
      { ...permanent, accessKeyId: 'AKIDUNKNOWN' },
      { ...permanent, sessionToken: 'of someone else' },
      { ...temporary, sessionToken: 'expired' },
      { accessKeyId: temporary.accessKeyId, secretAccessKey: temporary.secretAccessKey },
    ]) {
      refuses(await signedCall({ credentials }), 'UnrecognizedClientException', /security token/);
      refuses(await presigned({ credentials }), 'UnrecognizedClientException', /security token/);
    }
  });

  it('refuses another region or service', async () => {
    const region = await signedCall({ region: 'eu-west-1' });
    refuses(region, 'InvalidSignatureException', /region "us-east-1", not "eu-west-1"/);
    const service = await signedCall({ service: 's3' });
    refuses(service, 'InvalidSignatureException', /service "kinesisvideo"/);
  });

  it('refuses what was signed too long ago or for later, in words that clients look for', async () => {
    const call = await signedCall();
    const later = (ms: number): Date => new Date(now.getTime() + ms);
    verifier.verify(call, body, later(299_000));
    verifier.verify(call, body, later(-299_000));
    refuses(call, 'InvalidSignatureException', /^Signature expired/, body, later(301_000));
    refuses(call, 'InvalidSignatureException', /^Signature not yet current/, body, later(-302_000));
    const url = await presigned({ expiresIn: 60 });
    verifier.verify(url, undefined, later(58_000));
    refuses(url, 'InvalidSignatureException', /^Signature expired/, nothing, later(61_000));
  });

  it('refuses calls without a whole signature', async () => {
    const { rawHeaders: headers, ...call } = await signedCall();
    const bare = { ...call, rawHeaders: ['Host', '127.0.0.1:8080'] };
    refuses(bare, 'MissingAuthenticationTokenException', /Missing/);
    const authorization = headers[headers.indexOf('authorization') + 1] ?? '';
    for (const damaged of [
      'Bearer x',
      'AWS4-HMAC-SHA256',
      authorization.replace(/Credential=[^,]+, /, ''),
      authorization.replace(/SignedHeaders=[^,]+, /, ''),
    ]) {
      const changed = headers.map((text) => (text === authorization ? damaged : text));
      refuses({ ...call, rawHeaders: changed }, 'IncompleteSignatureException', /lacks/);
    }
    const unsigned = headers.map((text) =>
      text === authorization ? authorization.replace(/Signature=.*/, '') : text,
    );
    refuses({ ...call, rawHeaders: unsigned }, 'InvalidSignatureException', /does not match/);
  });

  it('lets everything pass when it is off', () => {
    const off = new SignatureVerifier({
      credentials: [],
      region: 'us-east-1',
      maxClockSkewMs: 1,
      isEnabled: false,
    });
    off.verify({ method: 'POST', url: '/x', rawHeaders: [] }, body);
  });
});
