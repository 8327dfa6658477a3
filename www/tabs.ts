import { byId } from "./dom.js";

/**
 * Makes buttons a tab list as ARIA describes it: one tab stop, arrow keys, Home and End move and
 * select. `onSelect` shows the panel of a tab. Returns a function that selects a tab.
 */
export function tabList(
  tabs: readonly HTMLElement[],
  onSelect: (index: number) => void,
): (index: number, focus?: boolean) => void {
  const select = (index: number, focus = false) => {
    for (const [at, tab] of tabs.entries()) {
      tab.setAttribute("aria-selected", String(at === index));
      tab.tabIndex = at === index ? 0 : -1;
    }
    onSelect(index);
    if (focus) tabs[index]?.focus();
  };
  for (const [index, tab] of tabs.entries()) {
    tab.addEventListener("click", () => select(index));
    tab.addEventListener("keydown", (event) => {
      const target = {
        ArrowRight: (index + 1) % tabs.length,
        ArrowLeft: (index + tabs.length - 1) % tabs.length,
        Home: 0,
        End: tabs.length - 1,
      }[event.key];
      if (target === undefined) return;
      event.preventDefault();
      select(target, true);
    });
  }
  return select;
}

/** Shows a panel's answer in a few words on its tab. */
export function setVerdict(tab: string, words = "", kind: "good" | "warn" | "bad" | "" = ""): void {
  const verdict = byId(`verdict-${tab}`, HTMLElement);
  verdict.textContent = words;
  verdict.className = `verdict ${kind}`;
}
