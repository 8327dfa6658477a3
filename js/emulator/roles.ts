/**
 * The operation of a request in terms of Azure RBAC. Routes without a published data action have
 * none.
 */
export interface Operation {
  readonly dataAction?: string;
  readonly openAi: boolean;
}

const PREFIX = "Microsoft.CognitiveServices/accounts/OpenAI";

/**
 * The operations of the routes of the resource. The names of data actions are those of
 * https://learn.microsoft.com/azure/role-based-access-control/permissions/ai-machine-learning.
 */
export const OPERATIONS = {
  responses: { dataAction: `${PREFIX}/responses/write`, openAi: true },
  "chat-completions": { dataAction: `${PREFIX}/deployments/chat/completions/action`, openAi: true },
  embeddings: { dataAction: `${PREFIX}/deployments/embeddings/action`, openAi: true },
  models: { dataAction: `${PREFIX}/models/read`, openAi: true },
  deployments: { dataAction: `${PREFIX}/deployments/read`, openAi: true },
  messages: { openAi: false },
} satisfies Record<string, Operation>;

/** The operations that a role allows. */
type RoleScope = "all" | "openai" | "none";

/** Roles by name and GUID: Azure accepts both, and renamed some roles. */
const ROLES: Readonly<Record<string, RoleScope>> = {
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
  // Management roles do not allow calls to a model.
  owner: "none",
  contributor: "none",
  reader: "none",
};

/** Whether the emulator knows a role, by name or GUID. Ignores case. */
export function isKnownRole(role: string): boolean {
  return Object.hasOwn(ROLES, role.toLowerCase());
}

/** Whether one of the roles allows the operation. */
export function allows(roles: readonly string[], operation: Operation): boolean {
  return roles.some((role) => {
    const scope = ROLES[role.toLowerCase()];
    return scope === "all" || (scope === "openai" && operation.openAi);
  });
}
