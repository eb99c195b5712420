/** Names, ARNs and regions, checked before they travel (AWS API reference, KVS data types). */
import { OptionsError } from '../util/errors.js';

/** The two things that have names in KVS. */
export type ResourceType = 'channel' | 'stream';

/** A channel or stream as the user named it: by name, or by ARN. */
export interface ResourceRef {
  readonly type: ResourceType;
  readonly name: string;
  /** Present when the user gave one. */
  readonly arn?: string;
}

const namePattern = /^[a-zA-Z0-9_.-]{1,256}$/;
const arnPattern =
  /^arn:[a-z\d-]+:kinesisvideo:([a-z0-9-]+):[0-9]+:([a-z]+)\/([a-zA-Z0-9_.-]{1,256})\/[0-9]+$/;
const regionPattern = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;

/**
 * Checks an AWS region's form, for example `eu-central-1`.
 *
 * @throws {@link OptionsError} for `region`
 */
export function checkRegion(region: string): string {
  if (regionPattern.test(region)) return region;
  throw new OptionsError('region', `"${printable(region)}" is not an AWS region`, {
    fix: 'Give one like eu-central-1 with --region or AWS_REGION.',
  });
}

/**
 * Reads a channel or stream given by name or by ARN.
 *
 * @throws {@link OptionsError} for the resource type when it is neither, or an ARN of something
 * else or of another region
 */
export function parseResource(type: ResourceType, nameOrArn: string, region: string): ResourceRef {
  if (!nameOrArn.startsWith('arn:')) {
    if (namePattern.test(nameOrArn)) return { type, name: nameOrArn };
    throw new OptionsError(type, `"${printable(nameOrArn)}" is not a ${type} name`, {
      fix: 'Use 1 to 256 letters, digits and "_", "." or "-", or an ARN.',
    });
  }
  const [, arnRegion, arnType, name] = arnPattern.exec(nameOrArn) ?? [];
  if (name === undefined || arnType !== type) {
    throw new OptionsError(type, `"${printable(nameOrArn)}" is not the ARN of a ${type}`, {
      fix: `Use arn:aws:kinesisvideo:<region>:<account>:${type}/<name>/<number>, or the name.`,
    });
  }
  if (arnRegion !== region) {
    throw new OptionsError(
      type,
      `The ${type} "${name}" is in ${String(arnRegion)}, but the region is ${region}`,
      { fix: `Set the region to ${String(arnRegion)} with --region or AWS_REGION.` },
    );
  }
  return { type, name, arn: nameOrArn };
}

/** Quotes hostile input in an error without control characters or excess. */
function printable(text: string): string {
  const clean = text.replaceAll(/[^\x20-\x7e]/g, '?');
  return clean.length <= 80 ? clean : `${clean.slice(0, 80)}…`;
}

/** The domain AWS serves a region from; China has its own. */
export function awsDomainOf(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}
