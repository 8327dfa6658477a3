// Elements, made and found. Text only ever becomes text: nothing that is pasted here is read as HTML.

type Attributes = Record<string, string | number | boolean | ((event: Event) => void) | undefined>;

/** An element. Functions are listeners, `true` is an attribute without a value, `false` and undefined are none. */
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

/** The element of the page with an id, of a class. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}`);
  return found;
}

/** Names and values, the empty ones left out. */
export function facts(entries: readonly (readonly [string, string | undefined])[]): HTMLElement {
  const rows = entries.flatMap(([name, value]) =>
    value ? [h("div", {}, h("dt", {}, name), h("dd", {}, value))] : [],
  );
  return h("dl", { class: "facts" }, ...rows);
}

/** Something to be noticed: `good`, `warn` or `bad`, told by its word and not by its colour alone. */
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

/** A block of code with a button that copies it. */
export function copyable(code: string, what: string): HTMLElement {
  const button = h(
    "button",
    { type: "button", class: "copy", "aria-label": `Copy ${what}`, click: () => void copy(code, button) },
    "Copy",
  );
  const text = h("pre", { tabindex: 0, role: "region", "aria-label": what }, h("code", {}, code));
  return h("div", { class: "copyable" }, text, button);
}

/** Puts a text on the clipboard, and says so on the button and to screen readers. */
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

/** Fixes as a list; the lines after a fix's first are commands. */
export function fixes(list: readonly string[]): HTMLElement {
  const items = list.map((fix) => {
    const [sentence = "", ...commands] = fix.split("\n");
    return h("li", {}, sentence, ...commands.map((command) => copyable(command, "the command")));
  });
  return h("ol", { class: "fixes" }, ...items);
}
