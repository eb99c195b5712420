/**
 * The import layers: which folder may use which. The reasons are in the README's architecture
 * section; the short one is that every layer only looks down, and that the local KVS shares no
 * protocol code with the client side, so that a misreading of AWS's documents shows.
 */
import path from 'node:path';

/**
 * By folder: what it may import, and what it may import types from besides. A folder may always
 * import from itself.
 *
 * @type {Record<string, { values: readonly string[], types?: readonly string[] }>}
 */
const layers = {
  bin: { values: ['lib/index'] },
  'lib/index': {
    values: ['lib/aws', 'lib/bridge', 'lib/demo', 'lib/local', 'lib/ops', 'lib/publisher'].concat(
      'lib/doctor',
      'lib/media',
      'lib/kvssink',
      'lib/ledger',
      'lib/putmedia',
      'lib/signaling',
      'lib/util',
    ),
  },
  'lib/demo': { values: ['lib/bridge', 'lib/local', 'lib/publisher', 'lib/ops', 'lib/util'] },
  'lib/bridge': {
    values: ['lib/aws', 'lib/kvssink', 'lib/ledger', 'lib/media', 'lib/signaling'].concat(
      'lib/spool',
      'lib/util',
    ),
  },
  'lib/doctor': {
    values: ['lib/aws', 'lib/bridge', 'lib/kvssink', 'lib/media', 'lib/putmedia'].concat(
      'lib/signaling',
      'lib/util',
    ),
  },
  'lib/publisher': { values: ['lib/aws', 'lib/media', 'lib/signaling', 'lib/util'] },
  'lib/media': {
    values: ['lib/kvssink', 'lib/ledger', 'lib/putmedia', 'lib/spool', 'lib/util'],
    types: ['lib/aws', 'lib/signaling'],
  },
  'lib/kvssink': { values: ['lib/putmedia', 'lib/util'], types: ['lib/aws'] },
  'lib/ledger': { values: ['lib/spool', 'lib/util'] },
  'lib/spool': { values: ['lib/util'], types: ['lib/putmedia'] },
  'lib/putmedia': { values: ['lib/aws', 'lib/util'] },
  'lib/signaling': { values: ['lib/aws', 'lib/util'] },
  'lib/aws': { values: ['lib/util'] },
  'lib/local': { values: ['lib/util'] },
  'lib/ops': { values: ['lib/bridge', 'lib/ledger', 'lib/util'] },
  'lib/util': { values: [] },
};

/**
 * @param {string} file absolute path
 * @param {string} root the project's folder
 * @returns {string | undefined} the layer that the file belongs to; undefined for tests and such
 */
function layerOf(file, root) {
  const [top, second] = path.relative(root, file).split(path.sep);
  if (top === 'bin') return 'bin';
  if (top !== 'lib' || second === undefined) return undefined;
  return `lib/${second.replace(/\.[jt]s$/, '')}`;
}

/** @type {import('eslint').Rule.RuleModule} */
export const layersRule = {
  meta: {
    type: 'problem',
    docs: { description: 'Keep to the import layers of the architecture' },
    messages: {
      forbidden: '{{from}} may not import from {{to}}; it may use: {{allowed}}.',
      typesOnly: '{{from}} may only import types from {{to}}; use "import type".',
      unknown: '{{from}} has no place in the layers; give it one in scripts/lint/layers.mjs.',
    },
    schema: [],
  },
  create(context) {
    const from = layerOf(context.filename, context.cwd);
    if (from === undefined) return {};
    const layer = layers[from];
    if (layer === undefined) {
      return {
        Program: (node) => context.report({ node, messageId: 'unknown', data: { from } }),
      };
    }

    const check = (node, isTypeOnly) => {
      const target = node.source?.value;
      if (typeof target !== 'string' || !target.startsWith('.')) return;
      const to = layerOf(path.resolve(path.dirname(context.filename), target), context.cwd);
      if (to === undefined || to === from || layer.values.includes(to)) return;
      const knowsTypes = layer.types?.includes(to) ?? false;
      if (knowsTypes && isTypeOnly) return;
      const allowed = layer.values.join(', ') || 'nothing';
      const messageId = knowsTypes ? 'typesOnly' : 'forbidden';
      context.report({ node, messageId, data: { from, to, allowed } });
    };
    return {
      ImportDeclaration: (node) => check(node, node.importKind === 'type'),
      ExportAllDeclaration: (node) => check(node, node.exportKind === 'type'),
      ExportNamedDeclaration: (node) => check(node, node.exportKind === 'type'),
      ImportExpression: (node) => check(node, false),
    };
  },
};
