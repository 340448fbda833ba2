/** Legend templates: `{{label}}` is replaced by the value of that label. What comes out is text, never markup. */
const PLACE = /\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g;
// Control characters and the ones that turn the writing direction could make a name read as another.
const DECEITFUL = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** With the characters that deceive written out. */
export const shown = (value: string): string =>
  value.replace(DECEITFUL, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

export type Labels = Readonly<Record<string, string>>;

/** The name of a series; an empty template shows every label. */
export function legend(template: string, labels: Labels): string {
  const written =
    template === ""
      ? Object.entries(labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(" ")
      : template.replace(PLACE, (_, name: string) => (Object.hasOwn(labels, name) ? (labels[name] ?? "") : ""));
  return shown(written);
}
