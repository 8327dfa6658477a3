// The page: sends prompts by the client of copilot-keyless, and shows the replies as they arrive.

import { sendChat } from "/http-client.js";

const [form, prompt, log, status, send, stop, fresh] = [
  "form",
  "prompt",
  "log",
  "status",
  "send",
  "stop",
  "new",
].map((id) => document.getElementById(id));

/** The conversation, once it has a reply. */
let sessionId;
/** Aborts the running reply. */
let running;

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const text = prompt.value.trim();
  if (text === "" || running) return;
  prompt.value = "";
  ask(text);
});

prompt.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  form.requestSubmit();
});

document.addEventListener("keydown", ({ key }) => key === "Escape" && running?.abort());
stop.addEventListener("click", () => running?.abort());
fresh.addEventListener("click", () => {
  running?.abort();
  sessionId = undefined;
  log.replaceChildren();
  tell("");
  prompt.focus();
});

async function ask(text) {
  const own = show(text, "own");
  const message = show("", "waiting");
  running = new AbortController();
  const { signal } = running;
  answering(true);
  try {
    const reply = sendChat("/chat", { prompt: text, sessionId }, { signal });
    for await (const event of reply) {
      if (event.type === "delta") append(message, event.text);
      if (event.type === "tool") tell(`${event.name}: ${event.state}`);
    }
    sessionId = reply.sessionId;
    tell("");
  } catch (error) {
    if (message.textContent === "") message.remove();
    if (signal.aborted) tell("Stopped.");
    else {
      if (error.code === "chat/session-not-found") sessionId = undefined;
      tell(`${error.message}. ${error.hint ?? ""}`, true);
      // Lets the user send it again.
      if (!message.isConnected) own.remove();
      prompt.value ||= message.isConnected ? "" : text;
    }
  } finally {
    message.classList.remove("waiting");
    running = undefined;
    answering(false);
    prompt.focus();
  }
}

function show(text, kind) {
  const message = document.createElement("div");
  message.className = `message ${kind}`;
  message.textContent = text;
  log.append(message);
  message.scrollIntoView({ block: "end" });
  return message;
}

function append(message, text) {
  // Follows the text, unless the user has scrolled up.
  const follows = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  message.append(text);
  if (follows) log.scrollTop = log.scrollHeight;
}

function tell(text, isError = false) {
  status.textContent = text;
  status.classList.toggle("error", isError);
}

function answering(isRunning) {
  send.hidden = isRunning;
  stop.hidden = !isRunning;
  log.setAttribute("aria-busy", String(isRunning));
}

prompt.focus();
document.documentElement.dataset.ready = "";
