/** Texts with named gaps: the report fills them in, the documentation shows them as they are. */

/** The names in the gaps of a template: `host` of `Cannot reach {host}`. */
type GapNames<T> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | GapNames<Rest>
  : never;

/** What fills the gaps of templates. */
export type GapValues<T> = Readonly<Record<GapNames<T>, string | number>>;

const gap = /\{(\w+)\}/g;

/** Fills in the gaps. */
export function fillIn(
  template: string,
  values: Readonly<Record<string, string | number>>,
): string {
  return template.replaceAll(gap, (_, name: string) => String(values[name] ?? ''));
}

/** The template as a reader of the documentation understands it: `Cannot reach <host>`. */
export function showGaps(template: string): string {
  return template.replaceAll(gap, '<$1>');
}
