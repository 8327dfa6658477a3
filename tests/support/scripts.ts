/** Imports a module of scripts/, which is plain Node without types. */
// biome-ignore lint/suspicious/noExplicitAny: who imports one says what it holds.
export const script = (name: string): Promise<any> =>
  import(new URL(`../../scripts/${name}.mjs`, import.meta.url).href);
