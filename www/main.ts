import plan from "../js/wasm/modules/plan-inline.js";
import simulate from "../js/wasm/modules/simulate-inline.js";
import { byId, copy, copyable, h, notice } from "./dom.js";
import { endpointPanel } from "./endpoint-panel.js";
import { errorPanel } from "./error-panel.js";
import { startExample } from "./example.js";
import { linkedPanel, linkPanel, onPanelLink, PANELS, type PanelName } from "./fragment.js";
import { refreshPanel } from "./refresh-panel.js";
import { tabList } from "./tabs.js";
import { themeButton } from "./theme.js";
import { tokenPanel } from "./token-panel.js";
import { tryPanel } from "./try-panel.js";
import { load } from "./wasm-files.js";

themeButton();
navigation();
startExample();
byId("install", HTMLElement).replaceChildren(
  copyable("npm install copilot-keyless @azure/identity @github/copilot-sdk", "the install command"),
);
try {
  await Promise.all([load(plan), load(simulate)]);
  endpointPanel();
  tokenPanel();
  errorPanel();
  tryPanel();
  refreshPanel();
  // Not before: the page was too short to scroll to the panel.
  if (linkedPanel().named) byId("tools", HTMLElement).scrollIntoView();
  document.documentElement.dataset.ready = "";
  await registerOffline();
} catch (error) {
  const reason = h("p", {}, String(error));
  byId("content", HTMLElement).prepend(
    notice("bad", "not-loaded", "The page did not load. Reload it.", reason),
  );
  throw error;
}

function navigation(): void {
  const select = tabList(
    PANELS.map((name) => byId(`tab-${name}`, HTMLElement)),
    (index) => {
      for (const [at, name] of PANELS.entries()) byId(name, HTMLElement).hidden = at !== index;
      linkPanel(PANELS[index] as PanelName);
    },
  );
  const open = (panel: PanelName) => {
    select(PANELS.indexOf(panel));
    byId("tools", HTMLElement).scrollIntoView();
  };
  select(PANELS.indexOf(linkedPanel().panel));
  onPanelLink(open);
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-open]")) {
    button.addEventListener("click", () => {
      open(button.dataset.open as PanelName);
      byId(`tab-${button.dataset.open}`, HTMLElement).focus({ preventScroll: true });
    });
  }
  byId("skip", HTMLElement).addEventListener("click", (event) => {
    // The fragment holds the state, so the link must not change it.
    event.preventDefault();
    byId("tools", HTMLElement).focus();
  });
  const share = byId("share", HTMLButtonElement);
  share.addEventListener("click", () => void copy(location.href, share));
}

/**
 * Stores the page's files, also those that it has not loaded yet, so that it works without a
 * network.
 */
async function registerOffline(): Promise<void> {
  if (import.meta.env.PROD && "serviceWorker" in navigator) {
    await navigator.serviceWorker.register("./offline.js").catch(() => {
      // Private windows have no service workers. The page works without.
    });
  }
}
