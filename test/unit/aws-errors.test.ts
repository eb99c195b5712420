import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AwsError, ErrorCode } from '../../lib/util/errors.js';
import { awsErrorOf, failureOfError, isTransient } from '../../lib/aws/aws-errors.js';
import type { AwsCall } from '../../lib/aws/aws-errors.js';
import { failureOfHttpAnswer } from '../../lib/aws/http-answer.js';

const call: AwsCall = {
  action: 'DescribeStream',
  region: 'eu-central-1',
  host: 'kinesisvideo.eu-central-1.amazonaws.com',
  resource: { type: 'stream', name: 'front-door' },
};

describe('failureOfHttpAnswer', () => {
  for (const [title, status, errorType, body, kind] of [
    ['header with namespace', 400, 'com.amazon#ExpiredTokenException:http://x/', '', 'credentials'],
    ['__type', 400, undefined, '{"__type":"a.b#ClientLimitExceededException"}', 'throttled'],
    ['code', 404, undefined, '{"code":"ResourceNotFoundException"}', 'notFound'],
    ['only a status', 403, undefined, '<html>', 'accessDenied'],
    ['empty body', 404, undefined, '', 'notFound'],
    [
      'a bad token',
      403,
      undefined,
      '{"message":"The security token included in the request is invalid."}',
      'credentials',
    ],
    [
      'an old signature',
      403,
      'InvalidSignatureException',
      '{"message":"Signature expired: 2026…"}',
      'clockSkew',
    ],
    [
      'a future signature',
      403,
      undefined,
      '{"Message":"Signature not yet current: …"}',
      'clockSkew',
    ],
    ['a broken server', 502, undefined, 'Bad Gateway', 'serverFault'],
    ['too many requests', 429, undefined, '', 'throttled'],
    ['JSON that is no object', 400, undefined, '[1]', 'other'],
    ['nonsense in the header', 404, '<script>', '{}', 'notFound'],
  ] as const) {
    it(`understands ${title}`, () => {
      const failure = failureOfHttpAnswer(status, errorType, body);
      assert.equal(failure.kind, kind);
      assert.equal(failure.status, status);
    });
  }
});

describe('failureOfError', () => {
  it('knows network failures from wrong calls', () => {
    const withCode = (code: string): Error => Object.assign(new Error(code), { code });
    for (const code of ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT']) {
      const failure = failureOfError(withCode(code));
      assert.equal(failure.kind, 'network');
      assert.ok(isTransient(failure));
    }
    for (const code of [
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
      'CERT_HAS_EXPIRED',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    ]) {
      const failure = failureOfError(withCode(code));
      assert.equal(failure.kind, 'network');
      assert.equal(isTransient(failure), false, 'a certificate does not become good by waiting');
      assert.match(awsErrorOf(failure, call).fix ?? '', /NODE_EXTRA_CA_CERTS/);
    }
    assert.equal(failureOfError(withCode('ERR_INVALID_ARG_TYPE')).kind, 'other');
    assert.equal(failureOfError(new AggregateError([withCode('ECONNREFUSED')])).kind, 'network');
    assert.equal(failureOfError('text').kind, 'other');
  });
});

describe('awsErrorOf', () => {
  for (const [name, status, code, text] of [
    ['ResourceNotFoundException', 404, ErrorCode.streamNotFound, '"front-door"'],
    ['UnrecognizedClientException', 403, ErrorCode.credentials, 'does not accept'],
    ['RequestTimeTooSkewed', 403, ErrorCode.credentials, 'clock'],
    ['AccessDeniedException', 401, ErrorCode.accessDenied, 'kinesisvideo:DescribeStream'],
    ['ClientLimitExceededException', 400, ErrorCode.aws, 'too frequent'],
    ['InternalFailure', 500, ErrorCode.aws, 'HTTP 500'],
  ] as const) {
    it(`names the cause and the fix: ${name}`, () => {
      const error = awsErrorOf(failureOfHttpAnswer(status, name, ''), call);
      assert.ok(error instanceof AwsError);
      assert.equal(error.code, code);
      assert.ok(error.message.includes(text), error.message);
      assert.ok(error.fix !== undefined && error.fix.length > 10);
    });
  }

  it('never repeats a secret that the service quotes', () => {
    const message =
      'The request signature we calculated does not match. The Canonical String should have been ' +
      "'POST\n/describeStream\n\nhost:x\nx-amz-security-token:FwoGZXIvYXdzSECRET\n\nhost'";
    const error = awsErrorOf(
      failureOfHttpAnswer(403, 'InvalidSignatureException', JSON.stringify({ message })),
      call,
    );
    assert.equal(error.code, ErrorCode.credentials);
    assert.doesNotMatch(`${error.message}${String(error.cause)}`, /SECRET/);
  });

  it('keeps messages short', () => {
    const failure = failureOfHttpAnswer(400, 'X', JSON.stringify({ message: 'y'.repeat(100_000) }));
    assert.ok(awsErrorOf(failure, call).message.length < 600);
  });
});
