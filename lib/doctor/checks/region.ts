/** The region: named, the channel's, and the one that the endpoint takes signatures for. */
import { finding, skipped } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import { regionOfArn } from '../options.js';
import { reasonOf } from '../probes/attempt.js';
import { isRegionRefused, verdictOnCredentials } from '../probes/verdict.js';

export const regionCheck: Check = {
  topic: 'region',
  run: async ({ options, aws }) => {
    const { region, regionOrigin: origin, channel, endpoint } = options;
    if (origin === undefined) return [finding('region.missing', {})];
    const elsewhere = regionOfArn(channel ?? '');
    if (elsewhere !== undefined && elsewhere !== region) {
      return [finding('region.elsewhere', { elsewhere, region })];
    }
    const verdict = await verdictOnCredentials(aws);
    if (verdict.kind === 'refused' && isRegionRefused(verdict.error)) {
      const { host } = aws.controlPlaneUrl;
      return [finding('region.refused', { host, region, reason: reasonOf(verdict.error) })];
    }
    if (endpoint === undefined && verdict.kind === 'untried') {
      const reached = await aws.reach(aws.controlPlaneUrl);
      if (!reached.ok) return [skipped('region', `${region} is not reached`)];
    }
    return [finding('region.ok', { region, origin })];
  },
};
