import { byId } from "./dom.js";

const THEMES = ["auto", "light", "dark"] as const;

/** The button that changes the theme. The theme is the only thing that the page remembers. */
export function themeButton(): void {
  const button = byId("theme", HTMLElement);
  const apply = (theme: (typeof THEMES)[number]) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = theme[0]?.toUpperCase() + theme.slice(1);
    button.setAttribute("aria-label", `${button.textContent} theme`);
  };
  let theme = THEMES.find((one) => one === remembered()) ?? "auto";
  apply(theme);
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? "auto";
    apply(theme);
    remember(theme);
  });
}

// localStorage throws in a browser that stores nothing.
function remembered(): string | null {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
}

function remember(theme: string): void {
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // The theme lasts until the page is left.
  }
}
