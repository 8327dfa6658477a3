import { systemClock } from "../js/platform/clock.js";
import core from "../js/wasm/modules/core-inline.js";
import { byId, copy, h, notice } from "./dom.js";
import { endpointPanel } from "./endpoint-panel.js";
import { errorPanel } from "./error-panel.js";
import { load } from "./modules.js";
import { themeButton } from "./theme.js";
import { redraw, timelinePanel } from "./timeline-panel.js";
import { tokenPanel } from "./token-panel.js";
import { tryPanel } from "./try-panel.js";

themeButton(redraw);
navigation();
try {
  await load(core);
  endpointPanel();
  tokenPanel(systemClock);
  errorPanel();
  timelinePanel();
  tryPanel();
  document.documentElement.dataset.ready = "";
  await offline();
} catch (error) {
  byId("content", HTMLElement).prepend(
    notice(
      "bad",
      "not-loaded",
      "The page could not be loaded as a whole. Reload it.",
      h("p", {}, String(error)),
    ),
  );
  throw error;
}

function navigation(): void {
  // The fragment holds the state, so moving about must not touch it.
  const go = (heading: HTMLElement) => {
    heading.scrollIntoView();
    heading.focus({ preventScroll: true });
  };
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-goto]")) {
    button.addEventListener("click", () => go(byId(`${button.dataset.goto}-title`, HTMLElement)));
  }
  byId("skip", HTMLElement).addEventListener("click", (event) => {
    event.preventDefault();
    go(byId("content", HTMLElement));
  });
  const share = byId("share", HTMLButtonElement);
  share.addEventListener("click", () => void copy(location.href, share));
  // A link to another state of this very page.
  addEventListener("hashchange", () => location.reload());
}

/** Keeps the page's files, the lazy ones too, so that all of it works without a network. */
async function offline(): Promise<void> {
  if (import.meta.env.PROD && "serviceWorker" in navigator) {
    await navigator.serviceWorker.register("./offline.js").catch(() => {
      // Private windows have none; the page works all the same.
    });
  }
}
