/** `cdk synth`, `cdk deploy`: what config.json, or the file that --context config=… names, asks for. */
import { App } from 'aws-cdk-lib';
import { buildApp } from '../lib/build-app.js';
import { ConfigError } from '../lib/config-error.js';
import { readConfig } from '../lib/config.js';

const app = new App({ analyticsReporting: false });
const file: unknown = app.node.tryGetContext('config');
try {
  buildApp(app, readConfig(typeof file === 'string' ? file : 'config.json'));
  app.synth();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
