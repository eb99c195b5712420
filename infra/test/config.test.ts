/** What a config may say, and what it is told when it says something else. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError } from '../lib/config-error.js';
import { parseConfig, readConfig } from '../lib/config.js';
import { inInfra } from './support/paths.js';
import { smallest } from './support/synthesize.js';

const arnOf = (kind: string, region = 'eu-west-1'): string =>
  `arn:aws:kinesisvideo:${region}:123456789012:${kind}/front-door/1700000000000`;

function refused(value: object, message: RegExp): void {
  assert.throws(
    () => parseConfig({ ...smallest, ...value }),
    (error) => error instanceof ConfigError && message.test(error.message),
  );
}

const oneChannel = (channel: object): object => ({
  channels: [{ channel: 'front-door', stream: 'archive', ...channel }],
});

describe('config', () => {
  it('fills in what is not said', () => {
    const { architecture, logRetentionDays, channels, removeData } = parseConfig(smallest);
    assert.deepEqual(
      { architecture, logRetentionDays, removeData },
      {
        architecture: 'X86_64',
        logRetentionDays: 30,
        removeData: false,
      },
    );
    assert.deepEqual(channels, [
      {
        channel: 'front-door',
        stream: 'front-door-archive',
        alwaysOn: true,
        cpu: 512,
        memoryMiB: 1_024,
        drainTimeoutS: 10,
        spoolMb: 8_000,
        gapAlarmMs: 0,
        environment: {},
      },
    ]);
  });

  it('has an example that holds', () => {
    assert.equal(readConfig(inInfra('config.example.json')).channels.length, 2);
  });

  it('says where to begin when there is none', () => {
    assert.throws(() => readConfig('missing.json'), /missing\.json.*copy config\.example\.json/);
  });

  it('names the value that is wrong', () => {
    refused({ region: 'Ireland' }, /^region: must be like eu-west-1$/);
    refused({ channels: [] }, /^channels: must not be empty$/);
    refused({ chanels: [] }, /chanels/);
    refused({ image: {} }, /^image: must have a tag/);
    refused({ logRetentionDays: 31 }, /^logRetentionDays: must be one of 1, 3, 5/);
    refused(oneChannel({ channel: 'front door' }), /^channels\.0\.channel: must be the name/);
    refused(oneChannel({ retentionHours: 0 }), /^channels\.0\.retentionHours: must be a whole/);
  });

  it('knows the sizes that Fargate has', () => {
    for (const [cpu, memoryMiB] of [
      [256, 512],
      [256, 2_048],
      [1_024, 2_048],
      [4_096, 30_720],
    ]) {
      assert.equal(
        parseConfig({ ...smallest, ...oneChannel({ cpu, memoryMiB }) }).channels.length,
        1,
      );
    }
    for (const [cpu, memoryMiB] of [
      [256, 4_096],
      [300, 1_024],
      [512, 512],
      [1_024, 2_500],
    ]) {
      refused(oneChannel({ cpu, memoryMiB }), /^channels\.0: Fargate has no such size$/);
    }
  });

  it('takes an ARN for what exists, of the right kind and region', () => {
    parseConfig({
      ...smallest,
      ...oneChannel({ channel: arnOf('channel'), stream: arnOf('stream') }),
    });
    refused(oneChannel({ channel: arnOf('stream') }), /^channels\.0\.channel/);
    refused(oneChannel({ channel: `${arnOf('channel').slice(0, -13)}*` }), /^channels\.0\.channel/);
    refused(oneChannel({ stream: arnOf('stream', 'us-east-1') }), /is not in region eu-west-1/);
    refused(
      oneChannel({ stream: arnOf('stream'), retentionHours: 24 }),
      /retentionHours is for streams that are made here/,
    );
  });

  it('records no channel and fills no stream twice', () => {
    const channels = [
      { channel: 'front-door', stream: 'one' },
      { channel: arnOf('channel'), stream: 'two' },
    ];
    refused({ channels }, /^channels: must not name a channel twice$/);
    refused(
      {
        channels: [
          { channel: 'a', stream: 'one' },
          { channel: 'b', stream: 'one' },
        ],
      },
      /^channels: must not name a stream twice$/,
    );
  });

  it('takes no keys', () => {
    refused(
      oneChannel({ environment: { AWS_SECRET_ACCESS_KEY: 'x' } }),
      /keys come from the task role/,
    );
  });

  it('leaves room for the drain in the longest stop that Fargate allows', () => {
    refused(oneChannel({ drainTimeoutS: 101 }), /^channels\.0\.drainTimeoutS: .* 1 to 100$/);
  });
});
