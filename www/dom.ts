// Creates and finds elements. Text stays text: nothing that is pasted is parsed as HTML.

type Attributes = Record<string, string | number | boolean | ((event: Event) => void) | undefined>;

/**
 * Creates an element. A function becomes a listener, `true` an attribute without a value; `false`
 * and undefined are left out.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

/** Creates an SVG element. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string | number> = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Finds the element with an id. Throws unless it is of the class. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}`);
  return found;
}

/** Lists names with their values, and leaves out those without one. */
export function facts(entries: readonly (readonly [string, string | undefined])[]): HTMLElement {
  const rows = entries.flatMap(([name, value]) =>
    value ? [h("div", {}, h("dt", {}, name), h("dd", {}, value))] : [],
  );
  return h("dl", { class: "facts" }, ...rows);
}

/** Shows a verdict with its code. A word says what the colour says. */
export function notice(
  kind: "good" | "warn" | "bad" | "info",
  code: string,
  ...body: (Node | string)[]
): HTMLElement {
  const word = { good: "Good", warn: "Warning", bad: "Problem", info: "Note" }[kind];
  return h(
    "div",
    { class: `notice ${kind}` },
    h("p", { class: "notice-head" }, h("strong", {}, word), " ", h("code", {}, code)),
    ...body.map((part) => (typeof part === "string" ? h("p", {}, part) : part)),
  );
}

/** Shows code with a button that copies it. */
export function copyable(code: string, what: string): HTMLElement {
  const button = h(
    "button",
    { type: "button", class: "copy", "aria-label": `Copy ${what}`, click: () => void copy(code, button) },
    "Copy",
  );
  const text = h("pre", { tabindex: 0, role: "region", "aria-label": what }, h("code", {}, code));
  return h("div", { class: "copyable" }, text, button);
}

/** Copies a text, and says so on the button and to screen readers. */
export async function copy(text: string, button: HTMLButtonElement): Promise<void> {
  const label = button.dataset.label ?? button.textContent ?? "";
  button.dataset.label = label;
  const done = await navigator.clipboard.writeText(text).then(
    () => "Copied",
    () => "Not allowed",
  );
  button.textContent = done;
  byId("said", HTMLElement).textContent = done;
  setTimeout(() => {
    button.textContent = label;
  }, 1500);
}

/** Lists fixes. The first line of a fix is a sentence, the others are commands. */
export function fixes(list: readonly string[]): HTMLElement {
  const items = list.map((fix) => {
    const [sentence = "", ...commands] = fix.split("\n");
    return h("li", {}, sentence, ...commands.map((command) => copyable(command, "the command")));
  });
  return h("ol", { class: "fixes" }, ...items);
}
