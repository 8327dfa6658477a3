/** What a request does, as Azure RBAC names it. A route without a published data action has none. */
export interface Operation {
  readonly dataAction?: string;
  readonly openAi: boolean;
}

const PREFIX = "Microsoft.CognitiveServices/accounts/OpenAI";

/** Data actions behind the routes of the resource. */
export const OPERATIONS = {
  responses: { dataAction: `${PREFIX}/responses/write`, openAi: true },
  "chat-completions": { dataAction: `${PREFIX}/deployments/chat/completions/action`, openAi: true },
  models: { dataAction: `${PREFIX}/models/read`, openAi: true },
  messages: { openAi: false },
} satisfies Record<string, Operation>;

type Reach = "all" | "openai" | "none";

/** Names and GUIDs, since Azure accepts both and renamed some of them. */
const REACH: Readonly<Record<string, Reach>> = {
  "cognitive services openai user": "openai",
  "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "openai",
  "cognitive services openai contributor": "openai",
  "a001fd3d-188f-4b5d-821b-7da978bf7442": "openai",
  "cognitive services user": "all",
  "a97b65f3-24c7-4388-baec-2e87135dc908": "all",
  "foundry user": "all",
  "azure ai user": "all",
  "53ca6127-db72-4b80-b1b0-d745d6d5456d": "all",
  "azure ai developer": "openai",
  "64702f94-c441-49e6-a78b-ef80e0188fee": "openai",
  // Management roles: full control of the resource, and not one call to a model.
  owner: "none",
  contributor: "none",
  reader: "none",
};

/** True for a role that the emulator knows, by name or GUID, in any case. */
export function isKnownRole(role: string): boolean {
  return Object.hasOwn(REACH, role.toLowerCase());
}

/** Whether one of the roles allows the operation. */
export function allows(roles: readonly string[], operation: Operation): boolean {
  return roles.some((role) => {
    const reach = REACH[role.toLowerCase()];
    return reach === "all" || (reach === "openai" && operation.openAi);
  });
}
