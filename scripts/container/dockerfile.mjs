/** Reads the part of the Dockerfile language that this project's Dockerfile is written in. */

/**
 * @typedef {object} Instruction
 * @property {string} keyword in capitals
 * @property {string} text what follows it, continued lines joined
 */

/**
 * @typedef {object} Stage
 * @property {string} image another stage's name, or an image's
 * @property {string} name its number when it has no name
 * @property {Instruction[]} instructions
 */

/**
 * How a container of an image is started.
 *
 * @typedef {object} ImageSettings
 * @property {string} user
 * @property {string} folder the working folder
 * @property {Record<string, string>} env
 * @property {string[]} volumes
 * @property {string[]} entrypoint
 * @property {string[]} command what follows the entrypoint when nothing else is asked for
 * @property {string[]} healthcheck
 */

/** @type {ImageSettings} of an empty image */
export const emptyImage = {
  user: 'root',
  folder: '/',
  env: {},
  volumes: [],
  entrypoint: [],
  command: [],
  healthcheck: [],
};

/**
 * @param {string} text of a Dockerfile
 * @param {Record<string, string>} [buildArgs] as `docker build --build-arg` takes them
 * @returns {Stage[]}
 * @throws {Error} on a line that does not belong to a stage, and on an argument that is not declared
 */
export function parseDockerfile(text, buildArgs = {}) {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  /** @type {Record<string, string>} */
  const values = {};
  /** @type {Stage[]} */
  const stages = [];
  for (const line of lines) {
    const [, word = '', text = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const keyword = word.toUpperCase();
    const stage = stages.at(-1);
    if (keyword === 'FROM') {
      const [image, , name] = expand(text, values).split(/\s+/);
      stages.push({ image, name: name ?? String(stages.length), instructions: [] });
    } else if (stage === undefined && keyword === 'ARG') {
      const [name, value = ''] = text.split('=');
      values[name] = buildArgs[name] ?? value;
    } else if (stage === undefined || keyword === '') {
      throw new Error(`Dockerfile: not an instruction of a stage: ${line}`);
    } else {
      stage.instructions.push({ keyword, text: text.trim() });
    }
  }
  const unknown = Object.keys(buildArgs).find((name) => !(name in values));
  if (unknown !== undefined) throw new Error(`Dockerfile: there is no ARG ${unknown}`);
  return stages;
}

/**
 * @param {string} text
 * @param {Record<string, string>} values
 */
function expand(text, values) {
  return text.replace(/\$\{(\w+)\}/g, (_, name) => {
    if (values[name] !== undefined) return values[name];
    throw new Error(`Dockerfile: there is no ARG ${name} before the first FROM`);
  });
}

/**
 * @param {string} text of a COPY instruction
 * @returns {{ from: string | undefined, sources: string[], target: string }}
 */
export function parseCopy(text) {
  const words = text.split(/\s+/);
  const flags = words.filter((word) => word.startsWith('--'));
  const paths = words.filter((word) => !word.startsWith('--'));
  const unknown = flags.find((flag) => !flag.startsWith('--from='));
  if (unknown !== undefined) throw new Error(`Dockerfile: COPY with ${unknown} is not understood`);
  return {
    from: flags[0]?.slice('--from='.length),
    sources: paths.slice(0, -1),
    target: paths.at(-1) ?? '',
  };
}

/**
 * Applies an instruction that changes how the image's commands run; RUN and COPY change its files.
 *
 * @param {ImageSettings} settings
 * @param {Instruction} instruction
 * @returns {ImageSettings}
 */
export function applySetting(settings, { keyword, text }) {
  switch (keyword) {
    case 'RUN':
    case 'COPY':
    case 'EXPOSE':
      return settings;
    case 'WORKDIR':
      // Every path here is absolute, or below the one before.
      return { ...settings, folder: text.startsWith('/') ? text : `${settings.folder}/${text}` };
    case 'USER':
      return { ...settings, user: text };
    case 'ENV': {
      const [name, ...value] = text.split('=');
      return { ...settings, env: { ...settings.env, [name]: value.join('=') } };
    }
    case 'VOLUME':
      return { ...settings, volumes: [...settings.volumes, ...JSON.parse(text)] };
    case 'ENTRYPOINT':
      return { ...settings, entrypoint: JSON.parse(text) };
    case 'CMD':
      return { ...settings, command: JSON.parse(text) };
    case 'HEALTHCHECK':
      return { ...settings, healthcheck: JSON.parse(text.slice(text.indexOf('CMD') + 3)) };
    default:
      throw new Error(`Dockerfile: ${keyword} is not understood here`);
  }
}

/**
 * @param {readonly Stage[]} stages
 * @param {Stage} stage
 * @returns {ImageSettings} what the stage's image starts with, its parents' settings included
 */
export function settingsOf(stages, stage) {
  const parent = stages.find(({ name }) => name === stage.image);
  const inherited = parent === undefined ? emptyImage : settingsOf(stages, parent);
  return stage.instructions.reduce(applySetting, inherited);
}
