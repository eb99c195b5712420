/** GStreamer's version, and its elements with the packages that hold them. */
import { finding, skipped } from '../catalog/catalog.js';
import type { Check } from '../check.js';
import type { ElementNeed } from '../elements.js';
import type { MediaFacts } from '../probes/media-protocol.js';
import type { DoctorFinding } from '../report.js';
import { isAtLeast } from './node.js';

/** See CMakeLists.txt. */
const floor = '1.22.0';

export const gstreamerCheck: Check = {
  topic: 'gstreamer',
  run: async ({ media }) => {
    const asked = await media.ask();
    if (!asked.ok || !('missing' in asked.value)) {
      return [skipped('gstreamer', 'the addon does not start it')];
    }
    return gstreamerFindings(asked.value, media.needs);
  },
};

/** What GStreamer lacks. Pure. */
export function gstreamerFindings(
  { gstreamerVersion: version, missing }: MediaFacts,
  needs: readonly ElementNeed[],
): readonly DoctorFinding[] {
  if (!isAtLeast(version, floor)) return [finding('gstreamer.too-old', { version })];
  const lacking = missingNeeds(needs, new Set(missing.map(({ element }) => element)));
  if (lacking.length === 0) return [finding('gstreamer.ok', { version, count: needs.length })];
  const packageOf = new Map(missing.map((entry) => [entry.element, entry.package]));
  const isUsable = hasUsableCodec(needs, lacking);
  const groups = new Map<string, { needs: ElementNeed[]; id: Id; package: string }>();
  for (const need of lacking) {
    const id = need.codec !== undefined && isUsable ? 'gstreamer.no-codec' : 'gstreamer.missing';
    const packageName = packageOf.get(need.anyOf[0]) ?? '';
    const key = `${id} ${packageName}`;
    const group = groups.get(key) ?? { needs: [], id, package: packageName };
    group.needs.push(need);
    groups.set(key, group);
  }
  const findings = [...groups.values()].map(({ id, needs: grouped, package: packageName }) => {
    const elements = [...new Set(grouped.map(({ anyOf }) => anyOf.join(' or ')))];
    const purposes = [...new Set(grouped.map(({ purpose }) => purpose))];
    return finding(id, {
      elements: elements.join(', '),
      element: grouped[0]?.anyOf[0] ?? '',
      purpose: purposes.join(', '),
      package: packageName,
    });
  });
  return [finding('gstreamer.version', { version }), ...findings];
}

type Id = 'gstreamer.missing' | 'gstreamer.no-codec';

function missingNeeds(
  needs: readonly ElementNeed[],
  missing: ReadonlySet<string>,
): readonly ElementNeed[] {
  return needs.filter(({ anyOf }) => anyOf.every((element) => missing.has(element)));
}

/** Whether there is still something to ask a master for. */
function hasUsableCodec(needs: readonly ElementNeed[], lacking: readonly ElementNeed[]): boolean {
  const codecs = new Set(needs.flatMap(({ codec }) => (codec === undefined ? [] : [codec])));
  for (const { codec } of lacking) if (codec !== undefined) codecs.delete(codec);
  return codecs.size > 0;
}
