import { type ErrorAnswer, resourceError } from "./errors.js";
import type { Json } from "./json.js";

/** Epoch seconds; an arbitrary date, the same in every run. */
const CREATED_AT = 1_754_006_400;

/**
 * The last api-version that lists deployments. Later ones answer 404, because the list moved to the
 * management plane: https://learn.microsoft.com/answers/questions/1371786
 */
const LAST_DEPLOYMENTS_VERSION = "2023-03-15-preview";

/**
 * The list of `GET /openai/v1/models`:
 * https://learn.microsoft.com/rest/api/microsoft-foundry/azureopenai/models. Azure lists the models
 * that the resource may deploy; the emulator knows no others than its deployments.
 */
export function modelList(deployments: readonly string[]): Json {
  return { object: "list", data: deployments.map(model) };
}

/** The answer of `GET /openai/v1/models/{model}`. */
export function oneModel(deployments: readonly string[], id: string): Json | ErrorAnswer {
  return deployments.includes(id) ? model(id) : resourceError("wrong-path");
}

function model(id: string): Json {
  return { id, object: "model", created: CREATED_AT, owned_by: "system" };
}

/**
 * The list of `GET /openai/models?api-version=`:
 * https://learn.microsoft.com/rest/api/azureopenai/models/list
 */
export function datedModelList(deployments: readonly string[]): Json {
  const data = deployments.map((id) => ({
    id,
    object: "model",
    status: "succeeded",
    created_at: CREATED_AT,
    lifecycle_status: "generally-available",
    capabilities: {
      fine_tune: false,
      inference: true,
      completion: false,
      chat_completion: !isEmbedding(id),
      embeddings: isEmbedding(id),
    },
    deprecation: { inference: CREATED_AT + 157_680_000 },
  }));
  return { object: "list", data };
}

/** The list of `GET /openai/deployments?api-version=`, in the form of 2022-12-01. */
export function deploymentList(deployments: readonly string[], apiVersion: string): Json | ErrorAnswer {
  if (apiVersion > LAST_DEPLOYMENTS_VERSION) return resourceError("wrong-path");
  const data = deployments.map((id) => ({
    id,
    object: "deployment",
    model: id,
    owner: "organization-owner",
    status: "succeeded",
    scale_settings: { scale_type: "standard" },
    created_at: CREATED_AT,
    updated_at: CREATED_AT,
  }));
  return { object: "list", data };
}

function isEmbedding(id: string): boolean {
  return id.includes("embedding");
}
