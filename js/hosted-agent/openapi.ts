import type { Hosting } from "../wasm/modules/plan.js";

const json = (schema: object) => ({ "application/json": { schema } });
const text = { type: "string" } as const;
const object = (properties: Record<string, object>, required = Object.keys(properties)) => ({
  type: "object",
  properties,
  required,
});

const invocation = object(
  {
    invocation_id: text,
    session_id: text,
    status: { enum: ["running", "completed", "failed", "cancelled"] },
    output: { ...text, description: "The last message of the turn." },
    error: { type: "object", description: "Why it failed, as problem+json." },
  },
  ["invocation_id", "session_id", "status"],
);
const problem = {
  description: "An error.",
  content: {
    "application/problem+json": {
      schema: object({
        title: text,
        status: { type: "integer" },
        code: text,
        detail: text,
        correlationId: text,
      }),
    },
  },
};
const invocationId = { name: "id", in: "path", required: true, schema: text };
const answers = (description: string, content: object) => ({
  responses: { 200: { description, content }, default: problem },
});

/** The description of the agent's requests, OpenAPI 3.1. */
export function openApi({ agent = "agent" }: Hosting): object {
  const [title, version = "1"] = agent.split(":");
  const events = { "text/event-stream": { schema: text } };
  return {
    openapi: "3.1.0",
    info: { title, version },
    paths: {
      "/invocations": {
        post: {
          summary: "Sends a prompt. Streams the events of the Copilot SDK, at the end an event done.",
          parameters: [
            { name: "agent_session_id", in: "query", schema: text },
            { name: "x-agent-invocation-id", in: "header", schema: text },
          ],
          requestBody: { required: true, content: json(object({ input: text })) },
          ...answers("The reply.", { ...events, ...json(invocation) }),
        },
      },
      "/invocations/{id}": {
        get: {
          summary: "Reports an invocation.",
          parameters: [invocationId],
          ...answers("Its state.", json(invocation)),
        },
      },
      "/invocations/{id}/cancel": {
        post: {
          summary: "Ends the turn of an invocation.",
          parameters: [invocationId],
          ...answers("Its state.", json(invocation)),
        },
      },
      "/responses": {
        post: {
          summary: "Sends a prompt in the form of the OpenAI Responses API.",
          requestBody: {
            required: true,
            content: json(
              object(
                {
                  input: { type: ["string", "array"] },
                  stream: { type: "boolean" },
                  previous_response_id: text,
                  conversation: { type: ["string", "object"] },
                  agent_session_id: text,
                },
                ["input"],
              ),
            ),
          },
          ...answers("The response.", { ...events, ...json({ type: "object" }) }),
        },
      },
      "/readiness": {
        get: {
          summary: "Whether requests can be answered.",
          responses: { 200: { description: "Yes." }, 503: { description: "No." } },
        },
      },
    },
  };
}
