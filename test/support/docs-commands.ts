/** The commands that the documents show. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** A command as a document shows it. */
export interface DocumentedCommand {
  /** Relative to the project. */
  readonly document: string;
  /** One line: continued lines are joined, the prompt and the comment behind it are gone. */
  readonly text: string;
  readonly words: readonly string[];
}

/** All commands of the README and of docs/: the lines of `sh` blocks, those with a prompt of others. */
export async function documentedCommands(): Promise<readonly DocumentedCommand[]> {
  const pages = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'));
  const documents = ['README.md', ...pages.sort().map((name) => `docs/${name}`)];
  const found = await Promise.all(
    documents.map(async (document) =>
      commandsOf(await readFile(join(root, document), 'utf8')).map((text) => ({
        document,
        text,
        words: wordsOf(text),
      })),
    ),
  );
  return found.flat();
}

/** Reads a file of the project. */
export function projectFile(path: string): Promise<string> {
  return readFile(join(root, path), 'utf8');
}

function commandsOf(markdown: string): readonly string[] {
  const commands: string[] = [];
  for (const [, language, block] of markdown.matchAll(/^```(\w*)\n(.*?)^```/gms)) {
    const lines = (block ?? '').replaceAll(/\\\n\s*/g, '').split('\n');
    const prompted = lines.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2));
    const shown = language === 'sh' && prompted.length === 0 ? lines : prompted;
    commands.push(
      ...shown.map((line) => line.replace(/(?:^|\s)#.*$/, '').trim()).filter((line) => line !== ''),
    );
  }
  return commands;
}

/** Splits at spaces; quotes hold words together. */
function wordsOf(command: string): readonly string[] {
  return [...command.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) =>
    word.replaceAll(/['"]/g, ''),
  );
}
