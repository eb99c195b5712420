/** Findings about AWS: region, endpoints, clock, credentials, permissions. */
import { Severity } from '../report.js';
import type { CatalogPart } from './entry.js';

const noCredentials = '`start` ends with `KVSB_CREDENTIALS` (exit code 10)';
const noNetwork = '`start` stays in `reconnecting`, "Cannot reach …"';
const denied = '`start` ends with `KVSB_ACCESS_DENIED` (exit code 11)';
const allow = 'Allow kinesisvideo:{action} on {resource} in the IAM policy of the user or role';

export const awsCatalog = {
  'region.ok': { severity: Severity.ok, found: '{region}, from {origin}' },
  'region.missing': {
    severity: Severity.error,
    symptom: '`start` ends with `KVSB_OPTIONS`, "No AWS region is given" (exit code 2)',
    found: 'No AWS region is given',
    fix: 'Pass --region, or set AWS_REGION',
  },
  'region.elsewhere': {
    severity: Severity.error,
    symptom: '`start` ends with `KVSB_OPTIONS` (exit code 2)',
    found: 'The channel is in {elsewhere}, but the region is {region}',
    fix: 'Pass --region {elsewhere} (or set AWS_REGION={elsewhere}); the stream has to be there too',
  },
  'region.refused': {
    severity: Severity.error,
    symptom: noCredentials,
    found: '{host} takes no signatures for {region} ({reason})',
    fix: 'Pass the region of the endpoint with --region, or set AWS_REGION',
  },
  'endpoints.ok': { severity: Severity.ok, found: '{purpose}: {host} answers within {ms} ms' },
  'endpoints.no-name': {
    severity: Severity.error,
    symptom: noNetwork,
    found: '{purpose}: the name {host} is not known ({reason})',
    fix: 'Check the region ({region}: does it have Kinesis Video Streams?), --endpoint, and the DNS of this machine: getent hosts {host}',
  },
  'endpoints.no-local': {
    severity: Severity.error,
    symptom: noNetwork,
    found: '{purpose}: nothing listens on {host} ({reason})',
    fix: 'Start the local KVS: kvs-bridge local; or correct --local',
  },
  'endpoints.unreachable': {
    severity: Severity.error,
    symptom: noNetwork,
    found: '{purpose}: {host} cannot be reached ({reason})',
    fix: 'Let outbound TCP {port} through: security group, firewall, and in a private subnet a NAT or VPC endpoint',
  },
  'endpoints.certificate': {
    severity: Severity.error,
    symptom: '`start` ends or waits with "self-signed certificate" or "unable to verify"',
    found: '{purpose}: the certificate of {host} is not trusted ({reason})',
    fix: 'Pass the PEM of its authority with --ca-file, or set NODE_EXTRA_CA_CERTS to it',
  },
  'clock.ok': { severity: Severity.ok, found: "The clock is within {seconds} s of the service's" },
  'clock.off': {
    severity: Severity.warning,
    symptom: 'Fragments are dated some seconds wrong',
    found:
      "The clock of this machine is {seconds} s {direction} the service's: fragments are dated by it",
    fix: 'Keep the clock set: timedatectl set-ntp true (or chrony)',
  },
  'clock.wrong': {
    severity: Severity.error,
    symptom:
      'Fragments are dated wrong; other programs get "Signature expired" or "not yet current"',
    found:
      "The clock of this machine is {minutes} min {direction} the service's: fragments are dated by it, and AWS takes signatures of 5 min around its own",
    fix: 'Set the clock, and keep it set: timedatectl set-ntp true (or chrony)',
  },
  'credentials.ok': { severity: Severity.ok, found: 'From {origin}{until}; {accepted}' },
  'credentials.none': {
    severity: Severity.error,
    symptom: `${noCredentials}: "No AWS credentials could be loaded"`,
    found:
      'There are no AWS credentials: no environment, profile, SSO, web identity, task or instance role',
    fix: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the ECS task, EKS pod or EC2 instance a role',
  },
  'credentials.half': {
    severity: Severity.error,
    symptom: noCredentials,
    found: '{present} is set, but {absent} is not',
    fix: 'Set {absent} too, or unset {present}',
  },
  'credentials.malformed': {
    severity: Severity.error,
    symptom: noCredentials,
    found: '{variable} holds {what}',
    fix: 'Set {variable} to the plain value, without quotes, spaces or line ends',
  },
  'credentials.no-token': {
    severity: Severity.error,
    symptom: `${noCredentials}: "security token … is invalid"`,
    found: 'The keys from {origin} are temporary (ASIA…), but have no session token',
    fix: 'Set AWS_SESSION_TOKEN too (aws_session_token in a profile): all three belong together',
  },
  'credentials.profile': {
    severity: Severity.error,
    symptom: noCredentials,
    found: 'The profile {profile} gives no credentials ({reason})',
    fix: 'Correct AWS_PROFILE, or make the profile: aws configure --profile {profile}',
  },
  'credentials.sso': {
    severity: Severity.error,
    symptom: noCredentials,
    found: 'The SSO session of the profile {profile} has ended ({reason})',
    fix: 'aws sso login --profile {profile}',
  },
  'credentials.role': {
    severity: Severity.error,
    symptom:
      '`start` stays in `reconnecting`, "The credentials of the role behind … could not be loaded"',
    found: 'The role behind {variable} gives no credentials ({reason})',
    fix: 'Check that {variable} is right, that its endpoint can be reached, and that the task or pod has a role',
  },
  'credentials.failed': {
    severity: Severity.error,
    symptom: noCredentials,
    found: 'The credentials could not be loaded ({reason})',
    fix: 'Check what gives them out: profile, credential_process, SSO, or the role of task or instance',
  },
  'credentials.expired': {
    severity: Severity.error,
    symptom: `${noCredentials}: "security token … is expired"`,
    found: 'The credentials from {origin} have expired ({reason})',
    fix: 'Renew them (aws sso login, or new temporary keys); better let the bridge renew them itself: a profile or a role',
  },
  'credentials.refused': {
    severity: Severity.error,
    symptom: `${noCredentials}: "AWS does not accept the credentials"`,
    found: 'The service does not accept the credentials from {origin} ({reason})',
    fix: 'Check the key pair: was it deleted, is it of another account, was it copied whole? Make a new one with `aws iam create-access-key`',
  },
  'credentials.temporary': {
    severity: Severity.warning,
    symptom: 'After some hours `degraded`, "security token … is expired"',
    found: 'The keys from {origin} are temporary, and nothing renews them',
    fix: 'Use a profile (AWS_PROFILE with SSO or a role) or the role of task or instance, which are renewed while the bridge runs',
  },
  'permissions.allowed': { severity: Severity.ok, found: 'kinesisvideo:{action} is allowed' },
  'permissions.denied': {
    severity: Severity.error,
    symptom: denied,
    found: 'kinesisvideo:{action} is denied',
    fix: allow,
  },
  'permissions.denied-storage': {
    severity: Severity.warning,
    symptom: 'A warning at start; with media storage ENABLED no master ever answers',
    found: 'kinesisvideo:{action} is denied: nobody can tell whether media storage is enabled',
    fix: allow,
  },
  'permissions.denied-archive': {
    severity: Severity.warning,
    symptom: 'A warning after an outage; some fragments are stored twice',
    found: 'kinesisvideo:{action} is denied: after an outage, fragments may be stored twice',
    fix: allow,
  },
  'permissions.failed': {
    severity: Severity.error,
    symptom: '`start` stays in `reconnecting`, or ends with `KVSB_AWS` (exit code 16)',
    found: '{action} failed: {reason}',
    fix: 'Try again in a minute; if it stays so, look at the AWS Health Dashboard and the quotas of {region}',
  },
  'permissions.untried': {
    severity: Severity.skipped,
    found: 'kinesisvideo:{action} was not tried: {reason}',
  },
} as const satisfies CatalogPart;
