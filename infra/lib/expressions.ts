/** CloudFormation's expressions, worked out as far as the values are known. */

/** Values of `Ref` by their name, and of `Fn::GetAtt` by `resource.attribute`. */
export type KnownValues = Readonly<Record<string, string>>;

/**
 * Replaces every expression in a template's value by what it stands for.
 *
 * @throws Error for an expression that is not known
 */
export function evaluate(value: unknown, known: KnownValues): unknown {
  if (Array.isArray(value)) return value.map((item) => evaluate(item, known));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [first, ...more] = entries;
  if (first !== undefined && more.length === 0) {
    const [name, argument] = first as [string, unknown];
    if (name === 'Ref') return lookUp(String(argument), known);
    if (name === 'Fn::GetAtt') return lookUp((argument as string[]).join('.'), known);
    if (name === 'Fn::Join') return join(argument as [string, unknown], known);
    if (name.startsWith('Fn::')) throw new Error(`${name} is not known here`);
  }
  return Object.fromEntries(entries.map(([key, member]) => [key, evaluate(member, known)]));
}

function join([separator, parts]: [string, unknown], known: KnownValues): string {
  return (evaluate(parts, known) as string[]).join(separator);
}

function lookUp(name: string, known: KnownValues): string {
  const value = known[name];
  if (value === undefined) throw new Error(`nothing is known of ${name}`);
  return value;
}
