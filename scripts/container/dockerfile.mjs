/** Reads the part of the Dockerfile language that this project's Dockerfile is written in. */

/**
 * @typedef {object} Instruction
 * @property {string} keyword in capitals
 * @property {string} text what follows it, continued lines joined
 */

/**
 * @typedef {object} Stage
 * @property {string} image
 * @property {string} name its number when it has no name
 * @property {Instruction[]} instructions
 */

/**
 * @param {string} text of a Dockerfile
 * @returns {Stage[]}
 * @throws {Error} on a line that does not belong to a stage
 */
export function parseDockerfile(text) {
  const lines = text
    .split('\n')
    .filter((line) => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  /** @type {Stage[]} */
  const stages = [];
  for (const line of lines) {
    const [, keyword, text] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    if (keyword === undefined) throw new Error(`Dockerfile: not an instruction: ${line}`);
    if (keyword.toUpperCase() === 'FROM') {
      const [image, , name] = text.split(/\s+/);
      stages.push({ image, name: name ?? String(stages.length), instructions: [] });
    } else {
      const stage = stages.at(-1);
      if (stage === undefined) throw new Error(`Dockerfile: before the first FROM: ${line}`);
      stage.instructions.push({ keyword: keyword.toUpperCase(), text: text.trim() });
    }
  }
  return stages;
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
