// Tests what attach() says of a sub-agent's failed request: the runtime may choose its model.

import type { CopilotSession } from "@github/copilot-sdk";
import { expect, test } from "vitest";
import type { KeylessError } from "../../../js/errors/keyless-error.js";
import { createFoundryProvider } from "../../../js/foundry/provider.js";

const NOT_FOUND =
  '{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}';

/** A session that is told of events, and its attached provider's errors. */
function attached() {
  const listeners = new Map<string, (event: object) => void>();
  const session = {
    sessionId: "s1",
    on: (type: string, listener: (event: object) => void) => {
      listeners.set(type, listener);
      return () => listeners.delete(type);
    },
    sendAndWait: () => Promise.resolve(),
  } as unknown as CopilotSession;
  const foundry = createFoundryProvider({
    endpoint: "https://myres.openai.azure.com",
    model: "gpt-5.5",
    deployment: "team-gpt",
    credential: { getToken: () => Promise.reject(new Error("not asked")) },
  });
  const errors: KeylessError[] = [];
  foundry.attach(session, (error) => errors.push(error));
  const fire = (type: string, event: object) => listeners.get(type)?.(event);
  return { fire, errors };
}

const failure = (model: string | undefined) => ({
  data: { statusCode: 404, errorMessage: NOT_FOUND, model },
});

test.each([
  ["claude-haiku-4.5", "claude-haiku-4.5"],
  ["east/claude-haiku-4.5", "claude-haiku-4.5"],
])("a model that the runtime chose, %s, is named with the agent", (model, named) => {
  const { fire, errors } = attached();
  fire("subagent.started", { agentId: "a1", data: { agentName: "explore" } });
  fire("model.call_failure", { ...failure(model), agentId: "a1" });
  expect(errors[0]?.code).toBe("model/deployment-not-found");
  expect(errors[0]?.message).toContain(`The sub-agent explore asked for the model "${named}"`);
  expect(errors[0]?.hint).toContain("customAgents");
});

test.each([
  ["its parent's model", { ...failure("gpt-5.5"), agentId: "a1" }],
  ["its parent's deployment", { ...failure("team-gpt"), agentId: "a1" }],
  ["an unknown model", { ...failure(undefined), agentId: "a1" }],
  ["the main agent", failure("gpt-5.5")],
])("%s is the provider's deployment", (_name, event) => {
  const { fire, errors } = attached();
  fire("model.call_failure", event);
  expect(errors[0]?.message).toContain('The resource has no deployment "team-gpt"');
});

test("an agent whose name is not known is named by its id", () => {
  const { fire, errors } = attached();
  fire("subagent.started", { agentId: "a1", data: { agentName: "explore" } });
  fire("subagent.completed", { agentId: "a1", data: {} });
  fire("model.call_failure", { ...failure("other"), agentId: "a1" });
  expect(errors[0]?.message).toContain("The sub-agent a1 asked for");
});
