/** Broken set-ups of a machine: Node, the addon, GStreamer, kvssink, the spool's disk, limits. */
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { diagnose } from '../../lib/doctor/run-doctor.js';
import { thisMachine } from '../../lib/doctor/machine.js';
import type { Machine } from '../../lib/doctor/machine.js';
import type { DoctorOptions, DoctorReport, DoctorTopic } from '../../lib/index.js';
import { neededElements } from '../../lib/doctor/elements.js';
import { VideoCodecName } from '../../lib/media/codecs.js';
import { loadNative } from '../../lib/media/native.js';
import type { BrokenSetUp } from './doctor-cases.js';
import { SmallDisk } from './small-disk.js';

const run = promisify(execFile);
const projectFolder = fileURLToPath(new URL('../../../', import.meta.url));
const addonPath = join('build', 'Release', 'kvs_bridge.node');
/** The machine may be busy. */
const stepTimeoutMs = 20_000;

type Variables = Readonly<Record<string, string>>;

/** Looks at one topic, on a machine that differs from this one. */
function look(
  only: DoctorTopic,
  machine: Partial<Machine> = {},
  options: DoctorOptions = {},
): Promise<DoctorReport> {
  return diagnose({ stepTimeoutMs, only: [only], ...options }, { ...thisMachine(), ...machine });
}

function lookWith(
  only: DoctorTopic,
  variables: Variables,
  options?: DoctorOptions,
): Promise<DoctorReport> {
  return look(only, { env: { ...process.env, ...variables } }, options);
}

/** The table. @param folder - an empty one */
export async function machineCases(folder: string): Promise<readonly BrokenSetUp[]> {
  return [
    ...softwareCases(folder),
    ...(await gstreamerCases(folder)),
    ...(await spoolCases(folder)),
    ...limitCases(folder),
  ];
}

function softwareCases(folder: string): readonly BrokenSetUp[] {
  const rebuild = 'npm rebuild kvs-bridge (in a clone of the repository: npm run build)';
  return [
    {
      name: "Debian 12's own Node",
      id: 'node.too-old',
      fix: 'Install Node 20.19.0 or newer',
      diagnose: () => look('node', { nodeVersion: '18.19.0' }),
    },
    {
      name: 'a Node with an old Node-API',
      id: 'addon.node-api',
      fix: 'Install Node 20.19 or newer',
      diagnose: () => look('addon', { napiVersion: 8 }),
    },
    {
      name: 'an addon that was not built',
      id: 'addon.missing',
      fix: rebuild,
      diagnose: () => lookInCopy(join(folder, 'unbuilt'), undefined),
    },
    {
      name: 'an addon that is none',
      id: 'addon.broken',
      fix: `Build it on this machine: ${rebuild}`,
      diagnose: () => lookInCopy(join(folder, 'none'), () => Buffer.from('not an addon')),
    },
    {
      name: 'an addon of a system with other libraries',
      id: 'addon.library',
      fix: 'sudo apt install libgstreamer-plugins-bad1.0-0',
      diagnose: () =>
        lookInCopy(join(folder, 'other'), (addon) => {
          const name = 'libgstwebrtc-1.0.so.';
          const at = addon.indexOf(`${name}0`);
          const copy = Buffer.from(addon);
          copy.write('9', at + name.length);
          return copy;
        }),
    },
    {
      name: 'a process that GStreamer takes down',
      id: 'addon.crashed',
      fix: /^npm rebuild kvs-bridge .*leave GST_PLUGIN_PATH empty and remove ~\/\.cache\/gstreamer-1\.0/,
      diagnose: async () => {
        const file = join(folder, 'abort.cjs');
        await writeFile(file, 'process.abort();');
        return lookWith('addon', { NODE_OPTIONS: `--require=${file}` });
      },
    },
    {
      name: 'a start of GStreamer that takes too long',
      id: 'addon.silent',
      fix: /set GST_REGISTRY to a file that was made before$/,
      diagnose: async () => {
        const file = join(folder, 'wait.cjs');
        await writeFile(file, 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);');
        return lookWith('addon', { NODE_OPTIONS: `--require=${file}` }, { stepTimeoutMs: 100 });
      },
    },
  ];
}

/** Looks from a package with the same code, but with another addon or without one. */
async function lookInCopy(
  folder: string,
  change: ((addon: Buffer) => Buffer) | undefined,
): Promise<DoctorReport> {
  await mkdir(join(folder, dirname(addonPath)), { recursive: true });
  for (const name of ['dist', 'package.json', 'node_modules']) {
    await symlink(join(projectFolder, name), join(folder, name));
  }
  if (change !== undefined) {
    const addon = await readFile(join(projectFolder, addonPath));
    await writeFile(join(folder, addonPath), change(addon));
  }
  const script = `
    import { runDoctor } from './dist/lib/doctor/run-doctor.js';
    const report = await runDoctor({ only: ['addon'], stepTimeoutMs: ${stepTimeoutMs} });
    process.stdout.write(JSON.stringify(report));`;
  // The links are to count as files of this folder: the addon is looked for beside them.
  const env = { ...process.env, NODE_OPTIONS: '--preserve-symlinks --preserve-symlinks-main' };
  const args = ['--input-type=module', '--eval', script];
  const { stdout } = await run(process.execPath, args, { cwd: folder, env });
  return JSON.parse(stdout) as DoctorReport;
}

async function gstreamerCases(folder: string): Promise<readonly BrokenSetUp[]> {
  const native = loadNative();
  const dtls = native.pluginOf('dtlssrtpdec')?.file ?? '';
  const withoutDtls = await pluginFolder(join(folder, 'no-dtls'), 'dtlssrtpdec');
  const withoutVp9 = await pluginFolder(join(folder, 'no-vp9'), 'vp9dec', 'vp8dec');
  const brokenSink = join(folder, 'kvssink');
  await mkdir(brokenSink);
  await writeFile(join(brokenSink, 'libgstkvssink.so'), 'not a library');
  const hasSink = native.hasElement('kvssink') ? 'GStreamer finds kvssink here' : undefined;
  return [
    {
      name: 'no DTLS plugin',
      id: 'gstreamer.missing',
      fix: /^sudo apt install gstreamer1\.0-plugins-bad \(.*gst-inspect-1\.0 dtlssrtpdec/,
      diagnose: () => lookWith('gstreamer', withoutDtls),
    },
    {
      name: 'no VP8 and VP9 decoder',
      id: 'gstreamer.no-codec',
      fix: 'sudo apt install gstreamer1.0-plugins-good, or leave the codec out with --video-codecs',
      diagnose: () => lookWith('gstreamer', withoutVp9),
    },
    {
      name: 'no decoder of the one codec that is asked for',
      id: 'gstreamer.missing',
      fix: 'sudo apt install gstreamer1.0-plugins-good',
      diagnose: () => lookWith('gstreamer', withoutVp9, { videoCodecs: [VideoCodecName.vp9] }),
    },
    {
      name: 'a DTLS plugin that the dynamic linker binds to Node',
      id: 'openssl.mixed',
      fix: /^Leave LD_PRELOAD and LD_BIND_NOW empty/,
      diagnose: () => lookWith('openssl', { LD_PRELOAD: dtls, LD_BIND_NOW: '1' }),
      skip: thisMachine().sharesOpenSsl ? "Node has the system's OpenSSL here" : undefined,
    },
    {
      name: 'kvssink asked for, and not there',
      id: 'kvssink.wanted',
      fix: /set GST_PLUGIN_PATH and LD_LIBRARY_PATH to it, or leave --sink out$/,
      diagnose: () => look('kvssink', {}, { sink: 'kvssink' }),
      skip: hasSink,
    },
    {
      name: 'a kvssink that does not load',
      id: 'kvssink.not-loading',
      fix: `ldd ${join(brokenSink, 'libgstkvssink.so')}`,
      diagnose: () =>
        lookWith('kvssink', {
          GST_PLUGIN_PATH: brokenSink,
          GST_REGISTRY: join(folder, 'kvssink-registry'),
          ...systemFolder(withoutDtls),
        }),
      skip: hasSink,
    },
  ];
}

/** A folder with the plugins that a bridge needs, but for those of some elements. */
async function pluginFolder(folder: string, ...without: readonly string[]): Promise<Variables> {
  const native = loadNative();
  const fileOf = (element: string): string | undefined => native.pluginOf(element)?.file;
  const needs = neededElements(Object.values(VideoCodecName), 'aac');
  const removed = new Set(without.map(fileOf));
  const files = new Set(
    [...needs.flatMap(({ anyOf }) => anyOf), 'queue']
      .map(fileOf)
      .filter((file) => file !== undefined && !removed.has(file)),
  );
  await mkdir(folder);
  for (const file of files) {
    if (file !== undefined)
      await symlink(file, join(folder, file.slice(file.lastIndexOf('/') + 1)));
  }
  return {
    GST_PLUGIN_SYSTEM_PATH: folder,
    GST_PLUGIN_PATH: '',
    GST_REGISTRY: join(folder, 'registry'),
  };
}

function systemFolder(variables: Variables): Variables {
  return { GST_PLUGIN_SYSTEM_PATH: variables['GST_PLUGIN_SYSTEM_PATH'] ?? '' };
}

async function spoolCases(folder: string): Promise<readonly BrokenSetUp[]> {
  const file = join(folder, 'a-file');
  await writeFile(file, '');
  const inMemory = '/dev/shm';
  return [
    {
      name: 'a spool folder that cannot be made',
      id: 'spool.unwritable',
      fix: /a folder of its own with --spool-dir \(KVS_BRIDGE_SPOOL_DIR\), in a container a volume$/,
      diagnose: () => look('spool', {}, { spoolDir: join(file, 'spool') }),
    },
    {
      name: 'a spool larger than its disk',
      id: 'spool.small',
      fix: /mount a larger disk, or pass --spool-mb \d+$/,
      diagnose: async () => {
        await using disk = await SmallDisk.mount(512 * 1024);
        const place = disk === undefined ? { spoolMb: 1_000_000 } : { spoolDir: disk.folder };
        return await look('spool', {}, { spoolDir: folder, ...place });
      },
    },
    {
      name: 'a spool in memory',
      id: 'spool.volatile',
      fix: 'Point --spool-dir to a disk, in a container to a volume',
      diagnose: () => look('spool', {}, { spoolDir: inMemory }),
      skip: existsSync(inMemory) ? undefined : `there is no ${inMemory}`,
    },
  ];
}

function limitCases(folder: string): readonly BrokenSetUp[] {
  const group = (name: string, files: Variables): (() => Promise<DoctorReport>) => {
    return async () => {
      const root = join(folder, name);
      for (const [path, content] of Object.entries({
        'proc/self/cgroup': '0::/task/1',
        'proc/self/limits':
          'Max open files            1024                 4096                 files',
        ...files,
      })) {
        await mkdir(dirname(join(root, path)), { recursive: true });
        await writeFile(join(root, path), `${content}\n`);
      }
      return look('limits', { root, env: {} });
    };
  };
  const stopped = (variables: Variables, drainTimeoutMs: number): Promise<DoctorReport> =>
    look('limits', { root: join(folder, 'no-limits'), env: variables }, { drainTimeoutMs });
  const id = 'limits.stop-timeout';
  return [
    {
      name: 'a container with too little memory',
      id: 'limits.memory',
      fix: /^Raise the memory limit to 324 MB, or lower --buffer-mb$/,
      diagnose: group('small', { 'sys/fs/cgroup/task/memory.max': '256000000' }),
    },
    {
      name: 'a container that is killed before a media process that leaks is',
      id: 'limits.memory-guard',
      fix: /^Pass --media-memory-mb 188: /,
      diagnose: group('unguarded', { 'sys/fs/cgroup/task/1/memory.max': '512000000' }),
    },
    {
      name: 'the same with version 1 of control groups',
      id: 'limits.memory-guard',
      fix: /^Pass --media-memory-mb 188: /,
      diagnose: group('unguarded-v1', {
        'proc/self/cgroup': '4:memory:/task\n2:cpu,cpuacct:/task',
        'sys/fs/cgroup/memory/task/memory.limit_in_bytes': '512000000',
      }),
    },
    {
      name: 'a tenth of a CPU',
      id: 'limits.cpu',
      fix: /^Give it at least 0\.25 CPU/,
      diagnose: group('slow', { 'sys/fs/cgroup/task/cpu.max': '10000 100000' }),
    },
    {
      name: 'few open files',
      id: 'limits.files',
      fix: /LimitNOFILE= of systemd/,
      diagnose: group('few', {
        'proc/self/limits':
          'Max open files            64                   256                  files',
      }),
    },
    {
      name: 'ECS kills before the drain is done',
      id,
      fix: 'Set stopTimeout of the container definition to 65, or lower --drain-timeout',
      diagnose: () => stopped({ ECS_CONTAINER_METADATA_URI_V4: 'http://169.254.170.2/v4' }, 60_000),
    },
    {
      name: 'Kubernetes kills before the drain is done',
      id,
      fix: 'Set terminationGracePeriodSeconds of the pod to 65',
      diagnose: () => stopped({ KUBERNETES_SERVICE_HOST: '10.0.0.1' }, 60_000),
    },
    {
      name: 'systemd kills before the drain is done',
      id,
      fix: 'Set TimeoutStopSec=125 in the unit',
      diagnose: () => stopped({ INVOCATION_ID: '0123' }, 120_000),
    },
    {
      name: 'Docker kills before the drain is done',
      id,
      fix: 'docker run --stop-timeout 15',
      diagnose: group('docker', { '.dockerenv': '' }),
    },
  ];
}
