import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { KinesisVideo } from '@aws-sdk/client-kinesis-video';
import { awsError, TestKvs } from '../support/local-kvs.js';

describe('streams, by AWS’s stock client', () => {
  let test: TestKvs;
  let control: KinesisVideo;
  before(async () => {
    test = await TestKvs.start();
    control = test.control;
  });
  after(async () => {
    await test[Symbol.asyncDispose]();
  });

  it('creates and describes', async () => {
    const { StreamARN = '' } = await control.createStream({
      StreamName: 'all.of_it-1',
      DeviceName: 'camera',
      MediaType: 'video/h264,audio/aac',
      DataRetentionInHours: 24,
      Tags: { site: 'north' },
    });
    assert.match(
      StreamARN,
      /^arn:aws:kinesisvideo:us-east-1:123456789012:stream\/all\.of_it-1\/\d{13}$/,
    );
    const byName = await control.describeStream({ StreamName: 'all.of_it-1' });
    const byArn = await control.describeStream({ StreamARN });
    assert.deepEqual(byName.StreamInfo, byArn.StreamInfo);
    const { CreationTime, Version, ...info } = byName.StreamInfo ?? {};
    assert.ok(Math.abs((CreationTime?.getTime() ?? 0) - Date.now()) < 60_000);
    assert.match(Version ?? '', /^[a-zA-Z0-9]{1,64}$/);
    assert.deepEqual(info, {
      StreamName: 'all.of_it-1',
      StreamARN,
      DeviceName: 'camera',
      MediaType: 'video/h264,audio/aac',
      KmsKeyId: 'alias/aws/kinesisvideo',
      Status: 'ACTIVE',
      DataRetentionInHours: 24,
    });
  });

  it('answers wrong input as the service does', async () => {
    await test.createStream('taken');
    const invalid = awsError('InvalidArgumentException', 400);
    const missing = awsError('ResourceNotFoundException', 404);
    await assert.rejects(
      control.createStream({ StreamName: 'taken' }),
      awsError('ResourceInUseException', 400),
    );
    await assert.rejects(control.createStream({ StreamName: 'no spaces' }), invalid);
    await assert.rejects(control.createStream({ StreamName: 'x'.repeat(257) }), invalid);
    await assert.rejects(control.createStream({ StreamName: 'x', MediaType: 'video' }), invalid);
    await assert.rejects(control.describeStream({ StreamName: 'absent' }), missing);
    await assert.rejects(control.describeStream({}), invalid);
    const arn = 'arn:aws:kinesisvideo:us-east-1:123456789012:stream/absent/1';
    await assert.rejects(control.describeStream({ StreamARN: arn }), missing);
    const both = { StreamName: 'taken', StreamARN: arn };
    await assert.rejects(control.describeStream(both), invalid);
    await assert.rejects(control.deleteStream({ StreamARN: 'arn:aws:s3:::x' }), invalid);
  });

  it('lists by prefix and in pages', async () => {
    for (const name of ['list-a', 'list-b', 'list-c']) await test.createStream(name);
    const StreamNameCondition = { ComparisonOperator: 'BEGINS_WITH', ComparisonValue: 'list-' };
    const names: (string | undefined)[] = [];
    let NextToken: string | undefined;
    let pages = 0;
    do {
      const page = await control.listStreams({
        MaxResults: 2,
        NextToken,
        StreamNameCondition: { ...StreamNameCondition, ComparisonOperator: 'BEGINS_WITH' },
      });
      names.push(...(page.StreamInfoList ?? []).map(({ StreamName }) => StreamName));
      NextToken = page.NextToken;
      pages += 1;
    } while (NextToken !== undefined);
    assert.deepEqual(names, ['list-a', 'list-b', 'list-c']);
    assert.equal(pages, 2);
    await assert.rejects(
      control.listStreams({ NextToken: 'bm90IG91cnM=' }),
      awsError('InvalidArgumentException', 400),
    );
  });

  it('changes retention by a difference, and only at the current version', async () => {
    const arn = await test.createStream('retention', 2);
    const info = async (): Promise<{ CurrentVersion: string; hours: number | undefined }> => {
      const { StreamInfo } = await control.describeStream({ StreamARN: arn });
      return {
        CurrentVersion: StreamInfo?.Version ?? '',
        hours: StreamInfo?.DataRetentionInHours,
      };
    };
    const { CurrentVersion } = await info();
    const change = { StreamARN: arn, CurrentVersion, DataRetentionChangeInHours: 3 };
    await control.updateDataRetention({ ...change, Operation: 'INCREASE_DATA_RETENTION' });
    assert.equal((await info()).hours, 5);
    await assert.rejects(
      control.updateDataRetention({ ...change, Operation: 'INCREASE_DATA_RETENTION' }),
      awsError('VersionMismatchException', 400),
    );
    const current = { ...change, CurrentVersion: (await info()).CurrentVersion };
    await assert.rejects(
      control.updateDataRetention({
        ...current,
        Operation: 'DECREASE_DATA_RETENTION',
        DataRetentionChangeInHours: 6,
      }),
      awsError('InvalidArgumentException', 400),
    );
    await control.updateDataRetention({ ...current, Operation: 'DECREASE_DATA_RETENTION' });
    assert.equal((await info()).hours, 2);
  });

  it('gives a recreated stream another ARN', async () => {
    const first = await test.createStream('again');
    await control.deleteStream({ StreamARN: first });
    await assert.rejects(
      control.describeStream({ StreamName: 'again' }),
      awsError('ResourceNotFoundException', 404),
    );
    const second = await test.createStream('again');
    assert.notEqual(second, first);
    await assert.rejects(
      control.describeStream({ StreamARN: first }),
      awsError('ResourceNotFoundException', 404),
    );
  });

  it('tags streams by a map and any resource by a list', async () => {
    const arn = await test.createStream('tagged');
    await control.tagStream({ StreamARN: arn, Tags: { a: '1', b: '2' } });
    await control.tagResource({ ResourceARN: arn, Tags: [{ Key: 'c', Value: '3' }] });
    await control.untagStream({ StreamName: 'tagged', TagKeyList: ['a'] });
    const { Tags } = await control.listTagsForStream({ StreamName: 'tagged' });
    assert.deepEqual(Tags, { b: '2', c: '3' });
    await control.untagResource({ ResourceARN: arn, TagKeyList: ['b'] });
    assert.deepEqual((await control.listTagsForResource({ ResourceARN: arn })).Tags, { c: '3' });
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`t${index}`, '']));
    await assert.rejects(
      control.tagStream({ StreamARN: arn, Tags: many }),
      awsError('TagsPerResourceExceededLimitException', 400),
    );
  });

  it('names the data endpoint without a slash at its end', async () => {
    await test.createStream('endpoint');
    for (const APIName of ['PUT_MEDIA', 'GET_MEDIA', 'LIST_FRAGMENTS'] as const) {
      const { DataEndpoint } = await control.getDataEndpoint({ StreamName: 'endpoint', APIName });
      assert.equal(DataEndpoint, test.kvs.url);
    }
  });

  it('takes what kvssink sends: white space and unknown members', async () => {
    await using open = await TestKvs.start({ verifySignatures: false });
    const post = async (path: string, body: string): Promise<Response> =>
      fetch(open.kvs.url + path, { method: 'POST', body });
    const created = await post(
      '/createStream',
      '{\n\t"DeviceName": "Kinesis_Video_Device",\n\t"StreamName": "f2",\n\t"MediaType": "video/h264",\n\t"DataRetentionInHours": 2\n}',
    );
    assert.equal(created.status, 200);
    assert.equal((await post('/describeStream', '{"StreamName":"f2","X":null}')).status, 200);
  });

  it('answers errors in every form that clients look for', async () => {
    const answer = await fetch(`${test.kvs.url}/describeStream`, { method: 'POST', body: '{}' });
    assert.equal(answer.status, 403);
    assert.equal(answer.headers.get('x-amzn-errortype'), 'MissingAuthenticationTokenException');
    assert.equal(answer.headers.get('x-amz-errortype'), 'MissingAuthenticationTokenException');
    assert.match(answer.headers.get('x-amzn-requestid') ?? '', /^[\da-f-]{36}$/);
    assert.ok(!Number.isNaN(Date.parse(answer.headers.get('date') ?? '')));
    assert.equal(answer.headers.get('access-control-allow-origin'), '*');
    const body = (await answer.json()) as Record<string, unknown>;
    assert.equal(body['__type'], 'MissingAuthenticationTokenException');
    assert.equal(body['Message'], body['message']);
    assert.equal((await fetch(`${test.kvs.url}/nothing`, { method: 'POST' })).status, 404);
  });

  it('lets pages of any origin call', async () => {
    const answer = await fetch(`${test.kvs.url}/describeStream`, { method: 'OPTIONS' });
    assert.equal(answer.status, 204);
    assert.match(answer.headers.get('access-control-allow-headers') ?? '', /Authorization/);
  });

  it('refuses credentials it does not know', async () => {
    const client = new KinesisVideo({
      ...test.client,
      credentials: { accessKeyId: 'local', secretAccessKey: 'guess' },
    });
    await assert.rejects(client.listStreams({}), awsError('InvalidSignatureException', 403));
    client.destroy();
  });
});

describe('signaling channels, by AWS’s stock client', () => {
  let test: TestKvs;
  let control: KinesisVideo;
  before(async () => {
    test = await TestKvs.start();
    control = test.control;
  });
  after(async () => {
    await test[Symbol.asyncDispose]();
  });

  it('creates, describes, updates, lists and deletes', async () => {
    const arn = await test.createChannel('door', 30);
    const { ChannelInfo } = await control.describeSignalingChannel({ ChannelName: 'door' });
    assert.equal(ChannelInfo?.ChannelARN, arn);
    assert.equal(ChannelInfo.ChannelStatus, 'ACTIVE');
    assert.equal(ChannelInfo.ChannelType, 'SINGLE_MASTER');
    assert.equal(ChannelInfo.SingleMasterConfiguration?.MessageTtlSeconds, 30);
    const update = {
      ChannelARN: arn,
      CurrentVersion: ChannelInfo.Version ?? '',
      SingleMasterConfiguration: { MessageTtlSeconds: 5 },
    };
    await control.updateSignalingChannel(update);
    await assert.rejects(
      control.updateSignalingChannel(update),
      awsError('VersionMismatchException', 400),
    );
    const { ChannelInfoList } = await control.listSignalingChannels({});
    assert.deepEqual(
      ChannelInfoList?.map((info) => info.SingleMasterConfiguration?.MessageTtlSeconds),
      [5],
    );
    await assert.rejects(
      control.createSignalingChannel({ ChannelName: 'door' }),
      awsError('ResourceInUseException', 400),
    );
    await control.deleteSignalingChannel({ ChannelARN: arn });
    await assert.rejects(
      control.describeSignalingChannel({ ChannelARN: arn }),
      awsError('ResourceNotFoundException', 404),
    );
  });

  it('refuses a TTL out of bounds and a full mesh', async () => {
    const invalid = awsError('InvalidArgumentException', 400);
    for (const MessageTtlSeconds of [4, 121]) {
      const SingleMasterConfiguration = { MessageTtlSeconds };
      await assert.rejects(
        control.createSignalingChannel({ ChannelName: 'x', SingleMasterConfiguration }),
        invalid,
      );
    }
    await assert.rejects(
      control.createSignalingChannel({ ChannelName: 'x', ChannelType: 'FULL_MESH' }),
      invalid,
    );
  });

  it('gives each role its own endpoint, and only the protocols asked for', async () => {
    const ChannelARN = await test.createChannel('endpoints');
    const endpoints = async (
      Role: 'MASTER' | 'VIEWER',
      Protocols: ('HTTPS' | 'WEBRTC' | 'WSS')[],
    ): Promise<unknown> =>
      (
        await control.getSignalingChannelEndpoint({
          ChannelARN,
          SingleMasterChannelEndpointConfiguration: { Role, Protocols },
        })
      ).ResourceEndpointList;
    const { http, ws } = test.kvs.endpoints;
    assert.deepEqual(await endpoints('MASTER', ['WSS', 'HTTPS']), [
      { Protocol: 'WSS', ResourceEndpoint: `${ws}/m` },
      { Protocol: 'HTTPS', ResourceEndpoint: http },
    ]);
    assert.deepEqual(await endpoints('VIEWER', ['WSS']), [
      { Protocol: 'WSS', ResourceEndpoint: `${ws}/v` },
    ]);
    await assert.rejects(
      endpoints('MASTER', ['WEBRTC']),
      awsError('InvalidArgumentException', 400),
    );
  });

  it('keeps the media storage configuration, for streams with a retention', async () => {
    const ChannelARN = await test.createChannel('storage');
    const configuration = async (): Promise<unknown> =>
      (await control.describeMediaStorageConfiguration({ ChannelARN })).MediaStorageConfiguration;
    assert.deepEqual(await configuration(), { Status: 'DISABLED' });
    const update = async (StreamARN: string): Promise<unknown> =>
      control.updateMediaStorageConfiguration({
        ChannelARN,
        MediaStorageConfiguration: { Status: 'ENABLED', StreamARN },
      });
    await assert.rejects(
      update(await test.createStream('without', 0)),
      awsError('NoDataRetentionException', 400),
    );
    const StreamARN = await test.createStream('with', 1);
    await update(StreamARN);
    assert.deepEqual(await configuration(), { Status: 'ENABLED', StreamARN });
  });
});
