/** The programs of examples/, each as a user runs it, beside one another. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { localCredentials, TestMaster } from '../../lib/index.js';
import { ExampleProgram } from '../support/example-program.js';
import { LocalStack } from '../support/local-stack.js';

const small = { width: 480, height: 270, audio: false } as const;
const deadline = { signal: AbortSignal.timeout(60_000) };

describe('the examples', { concurrency: true }, () => {
  let stack: LocalStack;
  let masters: readonly TestMaster[];
  let environment: Readonly<Record<string, string>>;

  before(async () => {
    stack = await LocalStack.start();
    masters = ['front-door', 'back-door'].map(
      (channel) => new TestMaster({ ...stack.connection, ...small, channel, createChannel: true }),
    );
    await Promise.all(masters.map((master) => master.start()));
    environment = {
      KVS_ENDPOINT: stack.kvs.url,
      AWS_REGION: stack.region,
      AWS_ACCESS_KEY_ID: localCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: localCredentials.secretAccessKey,
      STATE_DIRECTORY: stack.spoolDir,
    };
  });
  after(async () => {
    await Promise.all(masters.map((master) => master[Symbol.asyncDispose]()));
    await stack[Symbol.asyncDispose]();
  });

  it('record-on-demand records between PUT and DELETE', async () => {
    using program = new ExampleProgram('record-on-demand', [], { ...environment, PORT: '0' });
    const [, url = ''] = await program.line(/^listening on (\S+)$/);
    const call = async (method: string, path: string): Promise<[number, unknown]> => {
      const response = await fetch(`${url}${path}`, { method });
      return [response.status, await response.json()];
    };
    const [created] = await call('PUT', '/recordings/front-door');
    assert.equal(created, 201);
    assert.deepEqual(await call('GET', '/recordings'), [
      200,
      [{ channel: 'front-door', state: 'recording' }],
    ]);
    assert.equal((await call('PUT', '/recordings/front-door'))[0], 409);
    const [ended, counts] = await call('DELETE', '/recordings/front-door');
    assert.equal(ended, 200);
    const { videoFramesReceived, videoFramesStored } = counts as Record<string, number>;
    assert.ok(videoFramesStored !== undefined && videoFramesStored > 0);
    assert.equal(videoFramesStored, videoFramesReceived);
    assert.deepEqual(await call('GET', '/recordings'), [200, []]);
    assert.equal((await call('DELETE', '/recordings/front-door'))[0], 404);
    assert.equal(await program.stop(), 0);
  });

  it('record-many-channels records each channel to its stream', async () => {
    using program = new ExampleProgram(
      'record-many-channels',
      ['front-door=many-front', 'back-door=many-back'],
      environment,
    );
    await Promise.all([
      program.line(/"channel":"front-door".*"state":"recording"/),
      program.line(/"channel":"back-door".*"state":"recording"/),
    ]);
    assert.equal(await program.stop(), 0, program.output);
    for (const stream of ['many-front', 'many-back']) {
      const { fragments } = await stack.kvs.openStream(stream);
      assert.ok(fragments.length > 0, stream);
    }
  });

  it('forward-acks delivers each fragment, in order, to a receiver that fails at first', async () => {
    const received: unknown[] = [];
    let posts = 0;
    const receiver = createServer((request, response) => {
      posts += 1;
      const isRefused = posts === 1;
      void request.toArray().then((chunks: Buffer[]) => {
        if (!isRefused) received.push(JSON.parse(Buffer.concat(chunks).toString()));
        response.writeHead(isRefused ? 503 : 200).end();
        receiver.emit('post');
      });
    }).listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    try {
      using program = new ExampleProgram(
        'forward-acks',
        ['front-door', 'forwarded', `http://127.0.0.1:${port}/fragments`],
        environment,
      );
      while (received.length < 1) {
        await Promise.race([once(receiver, 'post', deadline), program.failure]);
      }
      assert.equal(await program.stop(), 0, program.output);
      const { fragments } = await stack.kvs.openStream('forwarded');
      assert.deepEqual(
        received
          .map((message) => message as Readonly<Record<string, unknown>>)
          .filter(({ name }) => name === 'persisted')
          .map(({ fragmentNumber }) => fragmentNumber),
        fragments.map(({ number }) => number),
      );
      assert.match(program.output, /the receiver answered 503/);
    } finally {
      receiver.close();
    }
  });

  it('test-your-service passes', async () => {
    using program = new ExampleProgram('test-your-service', []);
    assert.equal(await program.end(), 0, program.output);
    assert.match(program.output, /^. pass 1$/m);
  });
});
