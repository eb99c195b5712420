/** The pure parts of doctor: what a measurement means, texts, STUN messages. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { catalog } from '../../lib/doctor/catalog/catalog.js';
import { gstreamerFindings } from '../../lib/doctor/checks/gstreamer.js';
import { parseIceUri } from '../../lib/doctor/checks/ice.js';
import { isAtLeast } from '../../lib/doctor/checks/node.js';
import { DtlsBindings } from '../../lib/doctor/checks/openssl.js';
import { diskFindings } from '../../lib/doctor/checks/spool.js';
import { channelFindings } from '../../lib/doctor/checks/channel.js';
import { streamFindings } from '../../lib/doctor/checks/stream.js';
import { originOf } from '../../lib/doctor/probes/credentials-origin.js';
import { DoctorTopic, reportOf } from '../../lib/doctor/report.js';
import type { DoctorFinding } from '../../lib/doctor/report.js';
import { stunBinding } from '../../lib/doctor/stun/client.js';
import {
  StunAttribute,
  StunType,
  decode,
  encode,
  longTermKey,
  readXorAddress,
  valueOf,
} from '../../lib/doctor/stun/message.js';
import { fillIn, showGaps } from '../../lib/doctor/template.js';

function ids(findings: readonly DoctorFinding[]): readonly string[] {
  return findings.map(({ id }) => id);
}

describe('the catalog of findings', () => {
  it('begins each id with a topic, and gives each fault a symptom and a fix', () => {
    const topics: readonly string[] = Object.values(DoctorTopic);
    for (const [id, entry] of Object.entries(catalog)) {
      assert.ok(topics.includes(id.split('.')[0] ?? ''), id);
      assert.equal('fix' in entry, entry.severity === 'error' || entry.severity === 'warning', id);
    }
  });

  it('fills in what is known, and shows the rest', () => {
    assert.equal(fillIn('{a} of {b}', { a: 1, b: 'two' }), '1 of two');
    assert.equal(showGaps('{a} of {b}'), '<a> of <b>');
  });
});

describe('the report', () => {
  const finding = (severity: DoctorFinding['severity'], topic: DoctorTopic): DoctorFinding => ({
    ...{ id: `${topic}.x`, topic, severity, found: '' },
  });

  it('is in order, and as bad as its worst finding', () => {
    const { findings, worst } = reportOf([finding('warning', 'spool'), finding('ok', 'node')]);
    assert.deepEqual(ids(findings), ['node.x', 'spool.x']);
    assert.equal(worst, 'warning');
    assert.equal(reportOf([finding('skipped', 'node')]).worst, 'ok');
    assert.equal(reportOf([finding('error', 'node'), finding('warning', 'node')]).worst, 'error');
  });

  it('lets no secret through, whoever wrote it', () => {
    const found = 'wss://a/?X-Amz-Security-Token=abc by\n AKIAIOSFODNN7EXAMPLE';
    const { findings } = reportOf([{ ...finding('error', 'ice'), found }]);
    assert.equal(findings[0]?.found, 'wss://a/?X-Amz-Security-Token=[redacted] by AKIA[redacted]');
  });
});

describe('what measurements mean', () => {
  it('GStreamer of Ubuntu 22.04', () => {
    const findings = gstreamerFindings({ gstreamerVersion: '1.20.3', missing: [] }, []);
    assert.deepEqual(ids(findings), ['gstreamer.too-old']);
    assert.match(findings[0]?.fix ?? '', /^Use Debian 12 or newer/);
  });

  it('versions', () => {
    assert.ok(isAtLeast('20.19.0', '20.19.0'));
    assert.ok(isAtLeast('22.1.0', '20.19.0'));
    assert.ok(!isAtLeast('20.9.1', '20.19.0'));
  });

  it('a channel and a stream that are still made', () => {
    const status = 'CREATING';
    const arn = 'arn:aws:kinesisvideo:eu-west-1:123456789012:stream/door/1';
    const stream = streamFindings({ name: 'door', arn, status, retentionHours: 24 });
    assert.deepEqual(ids(stream), ['stream.inactive']);
    assert.match(stream[0]?.fix ?? '', /^Wait .* describe-stream --stream-name door$/);
    const channel = channelFindings({ name: 'door', arn, status }, undefined);
    assert.deepEqual(ids(channel), ['channel.inactive']);
    assert.match(channel[0]?.fix ?? '', /^Wait .* describe-signaling-channel --channel-name door$/);
  });

  it('disks', () => {
    const disk = { folder: '/spool', type: 0xef53, freeBytes: 2e9, writeMs: 3 };
    assert.deepEqual(ids(diskFindings(disk, 1_024)), ['spool.ok']);
    const remote = diskFindings({ ...disk, type: 0x6969, writeMs: 2_500 }, 1_024);
    assert.deepEqual(ids(remote), ['spool.network', 'spool.slow']);
    assert.equal(remote[0]?.fix, 'Point --spool-dir to a local disk');
    assert.equal(remote[1]?.fix, 'Point --spool-dir to a faster disk');
    const full = diskFindings({ ...disk, freeBytes: 5e8 }, 1_024);
    assert.match(full[0]?.fix ?? '', /--spool-mb 400$/);
  });

  it('bindings of the DTLS plugin', () => {
    const line = (to: string, symbol: string): string =>
      `   17: binding file /usr/lib/libgstdtls.so [0] to ${to} [0]: normal symbol \`${symbol}' [V]`;
    const system = new DtlsBindings();
    system.take(line('/usr/lib/libssl.so.3', 'SSL_read'));
    system.take(line('/usr/lib/libc.so.6', 'memcpy'));
    system.take('something else');
    assert.equal(system.finding().id, 'openssl.isolated');
    system.take(line('/usr/bin/node', 'SSL_write'));
    assert.equal(system.finding().id, 'openssl.mixed');
    assert.match(system.finding().found, /inside of \/usr\/bin\/node \(1 calls\)$/);
    assert.equal(new DtlsBindings().finding().id, 'openssl.skipped');
  });

  it('where credentials come from', () => {
    const text = (...features: string[]): string =>
      originOf(features, { AWS_PROFILE: 'work' }).text;
    assert.equal(text('CREDENTIALS_ENV_VARS'), 'the environment (AWS_ACCESS_KEY_ID)');
    assert.equal(text('CREDENTIALS_PROFILE'), 'the profile work');
    assert.equal(text('CREDENTIALS_SSO', 'CREDENTIALS_PROFILE_SSO'), 'SSO (the profile work)');
    assert.match(text('CREDENTIALS_HTTP'), /container .*ECS task/);
    assert.match(text('CREDENTIALS_ENV_VARS_STS_WEB_ID_TOKEN'), /^web identity/);
    assert.match(
      text('CREDENTIALS_STS_ASSUME_ROLE', 'CREDENTIALS_PROFILE_SOURCE_PROFILE'),
      /^the role of/,
    );
    assert.match(text(), /EC2 instance/);
  });

  it('URIs of STUN and TURN servers', () => {
    assert.deepEqual(parseIceUri('stun:a.example:443'), {
      ...{ kind: 'stun', host: 'a.example', port: 443, protocol: 'udp' },
    });
    assert.deepEqual(parseIceUri('turns:[2001:db8::1]?transport=tcp'), {
      ...{ kind: 'turn', host: '2001:db8::1', port: 5349, protocol: 'tls' },
    });
    assert.equal(parseIceUri('turn:a.example?transport=tcp')?.protocol, 'tcp');
    assert.equal(parseIceUri('http://a.example'), undefined);
  });
});

describe('STUN messages', () => {
  it('sign a request as RFC 5769 (2.4) does', () => {
    const username = Buffer.from('\u30DE\u30C8\u30EA\u30C3\u30AF\u30B9');
    const bytes = encode({
      type: StunType.bindingRequest,
      transactionId: Buffer.from('78ad3433c6ad72c029da412e', 'hex'),
      attributes: [
        { type: StunAttribute.username, value: username },
        { type: StunAttribute.nonce, value: Buffer.from('f//499k954d6OL34oL9FSTvy64sA') },
        { type: StunAttribute.realm, value: Buffer.from('example.org') },
      ],
      key: longTermKey(username.toString('utf8'), 'example.org', 'TheMatrIX'),
    });
    const message = decode(bytes);
    assert.ok(message !== undefined);
    assert.equal(
      valueOf(message, StunAttribute.messageIntegrity)?.toString('hex'),
      'f67024656dd64a3e02b8e0712e85c9a28ca89666',
    );
  });

  it('tell addresses as RFC 5769 (2.2, 2.3) does', () => {
    const id = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex');
    const v4 = Buffer.from('0001a147e112a643', 'hex');
    assert.equal(readXorAddress(v4, id), '192.0.2.1:32853');
    const v6 = Buffer.from('0002a1470113a9faa5d3f179bc25f4b5bed2b9d9', 'hex');
    assert.equal(readXorAddress(v6, id), '[2001:db8:1234:5678:11:2233:4455:6677]:32853');
  });

  it('that are none are passed over', () => {
    const id = Buffer.alloc(12);
    const good = encode({ type: StunType.bindingSuccess, transactionId: id, attributes: [] });
    assert.ok(decode(good) !== undefined);
    assert.equal(decode(good.subarray(0, 19)), undefined);
    assert.equal(decode(good.subarray(0, 24)), undefined);
    assert.equal(decode(Buffer.from(good).fill(0, 4, 8)), undefined);
    const overlong = Buffer.from(good);
    overlong.writeUInt16BE(200, 22);
    assert.equal(decode(overlong), undefined);
  });
});

describe('a STUN request', () => {
  it('is sent again until it is answered', async () => {
    const server = createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    let requests = 0;
    server.on('message', (bytes, { port, address }) => {
      requests += 1;
      if (requests === 1) return;
      const answer = encode({
        type: StunType.bindingSuccess,
        transactionId: bytes.subarray(8, 20),
        attributes: [],
      });
      server.send(answer, port, address);
    });
    const { port } = server.address();
    const place = { protocol: 'udp', host: '127.0.0.1', address: '127.0.0.1', port } as const;
    await stunBinding(place, AbortSignal.timeout(20_000));
    assert.ok(requests >= 2);
    server.close();
  });

  it('fails at once where the system lets nothing out', async () => {
    const address = '255.255.255.255';
    const place = { protocol: 'udp', host: address, address, port: 3478 } as const;
    await assert.rejects(stunBinding(place, AbortSignal.timeout(20_000)), { code: 'EACCES' });
  });

  it('ends when nobody answers', async () => {
    const server = createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address();
    const place = { protocol: 'udp', host: '127.0.0.1', address: '127.0.0.1', port } as const;
    const stop = new AbortController();
    server.once('message', () => {
      stop.abort(new Error('late'));
    });
    await assert.rejects(stunBinding(place, stop.signal), /late/);
    server.close();
  });
});
