/** Findings about the channel, the stream, and the way of media: STUN and TURN. */
import { Severity } from '../report.js';
import type { CatalogPart } from './entry.js';

const openUdp = 'Let outbound UDP to port {port} through, and the answers back in';

export const resourceCatalog = {
  'channel.ok': {
    severity: Severity.ok,
    found: '{name} exists, and its media storage is disabled',
  },
  'channel.missing': {
    severity: Severity.error,
    symptom: '`start` ends with `KVSB_CHANNEL_NOT_FOUND` (exit code 12)',
    found: 'There is no signaling channel {name} in {region} for this account',
    fix: 'Correct --channel or --region, or make it: aws kinesisvideo create-signaling-channel --channel-name {name} --region {region}',
  },
  'channel.inactive': {
    severity: Severity.error,
    symptom: '`start` stays in `reconnecting`',
    found: 'The channel {name} is {status}',
    fix: 'Wait until it is ACTIVE: aws kinesisvideo describe-signaling-channel --channel-name {name}',
  },
  'channel.storage': {
    severity: Severity.error,
    symptom: '`start` ends with `KVSB_STORAGE_ENABLED` (exit code 14)',
    found: 'Media storage is ENABLED on {name}: AWS records it, and no viewer reaches its master',
    fix: 'aws kinesisvideo update-media-storage-configuration --channel-arn {arn} --media-storage-configuration Status=DISABLED',
  },
  'channel.full': {
    severity: Severity.warning,
    symptom: '`start` stays in `reconnecting`, "The signaling endpoint refused ConnectAsViewer"',
    found: 'The channel {name} took no further viewer ({reason})',
    fix: 'Let other viewers leave (a channel takes 10), or try again in a minute',
  },
  'stream.ok': {
    severity: Severity.ok,
    found: '{name} exists, keeps {hours} h, media type {mediaType}',
  },
  'stream.to-be-made': {
    severity: Severity.ok,
    found: 'There is no stream {name} yet; --create-stream makes it, with {hours} h of retention',
  },
  'stream.missing': {
    severity: Severity.error,
    symptom: '`start` ends with `KVSB_STREAM_NOT_FOUND` (exit code 13)',
    found: 'There is no video stream {name} in {region} for this account',
    fix: 'Correct --stream or --region, or pass --create-stream --retention-hours 24',
  },
  'stream.inactive': {
    severity: Severity.error,
    symptom: '`start` stays in `reconnecting`',
    found: 'The stream {name} is {status}',
    fix: 'Wait until it is ACTIVE: aws kinesisvideo describe-stream --stream-name {name}',
  },
  'stream.no-retention': {
    severity: Severity.error,
    symptom: '`start` ends with `KVSB_NO_RETENTION` (exit code 15)',
    found: 'The stream {name} keeps nothing: its retention is 0 hours',
    fix: 'aws kinesisvideo update-data-retention --stream-name {name} --operation INCREASE_DATA_RETENTION --data-retention-change-in-hours 24 --current-version {version}',
  },
  'stream.media-type': {
    severity: Severity.warning,
    symptom: 'It records, but the console and HLS players show nothing',
    found: 'The media type of the stream {name} is {mediaType}: players want video/h264',
    fix: 'aws kinesisvideo update-stream --stream-name {name} --media-type video/h264,audio/aac --current-version {version}',
  },
  'stream.in-use': {
    severity: Severity.warning,
    symptom: '`degraded`, "Somebody else is sending to the stream"',
    found: 'Somebody is sending to the stream {name} already ({reason})',
    fix: 'Stop the other producer: KVS takes one PutMedia connection per stream (if it is this bridge, all is well)',
  },
  'ice.host-only': {
    severity: Severity.ok,
    found: 'No STUN or TURN servers are used: the master has to reach this machine directly',
  },
  'ice.stun': {
    severity: Severity.ok,
    found: '{uri} answers over UDP; from there this machine is {address}',
  },
  'ice.turn': { severity: Severity.ok, found: '{uri} relays (an allocation was made, and ended)' },
  'ice.unresolved': {
    severity: Severity.warning,
    symptom: 'Masters behind NAT or firewalls do not connect',
    found: '{uri}: its name is not known ({reason})',
    fix: 'Check --stun-server and the DNS of this machine',
  },
  'ice.stun-silent': {
    severity: Severity.warning,
    symptom: 'Masters on other networks connect through relays only, or not at all',
    found: '{uri} does not answer over UDP ({reason})',
    fix: openUdp,
  },
  'ice.turn-silent': {
    severity: Severity.warning,
    symptom: 'Masters behind NAT or firewalls do not connect, or over TCP with a longer delay',
    found: '{uri} does not answer over UDP ({reason})',
    fix: openUdp,
  },
  'ice.turn-unreachable': {
    severity: Severity.warning,
    symptom: 'Where UDP is blocked, masters do not connect',
    found: '{uri} cannot be reached over TCP ({reason})',
    fix: 'Let outbound TCP to port {port} through',
  },
  'ice.turn-refused': {
    severity: Severity.error,
    symptom: 'No master connects through a relay',
    found: '{uri} refuses the credentials of GetIceServerConfig ({reason})',
    fix: 'Check the clock; with a TURN server of your own, that it shares the secret with whoever hands out its credentials',
  },
  'ice.turn-failed': {
    severity: Severity.warning,
    symptom: 'Some masters do not connect',
    found: '{uri} makes no allocation ({reason})',
    fix: 'Try again in a minute: a channel has 50 allocations at a time',
  },
  'ice.no-relay': {
    severity: Severity.error,
    symptom: 'No master ever connects',
    found: '--relay-only is set, but GetIceServerConfig lists no TURN server',
    fix: 'Leave --relay-only out, or configure a TURN server (local KVS: iceServers)',
  },
  'ice.none': {
    severity: Severity.error,
    symptom: 'No master ever connects, except on the same network',
    found: 'None of the {count} STUN and TURN servers can be used',
    fix: 'Let outbound UDP and TCP 443 through: security group, firewall, network ACL (with UDP both ways)',
  },
} as const satisfies CatalogPart;
