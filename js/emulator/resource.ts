import { KeylessError } from "../errors/keyless-error.js";
import type { EmulatorClock } from "./clock.js";
import { checkDeployments, readRoles, type Settings } from "./options.js";
import { checkQuota, type Quota, Quotas } from "./quota.js";

/** What an administrator of the resource changes: roles, deployments and quotas. */
export class Resource {
  readonly #start: Settings;
  readonly quotas: Quotas;
  #roles: readonly string[];
  #deployments: readonly string[];

  constructor(settings: Settings, clock: EmulatorClock) {
    this.#start = settings;
    this.quotas = new Quotas(clock, settings.quotas);
    this.#roles = settings.roles;
    this.#deployments = settings.deployments;
  }

  get roles(): readonly string[] {
    return this.#roles;
  }

  get deployments(): readonly string[] {
    return this.#deployments;
  }

  /** Throws a KeylessError `emulator/invalid-option`. */
  setRoles(roles: readonly string[]): void {
    this.#roles = readRoles(roles);
  }

  /** Throws a KeylessError `emulator/invalid-option`. */
  setDeployments(deployments: readonly string[]): void {
    this.#deployments = checkDeployments(deployments);
  }

  /** Throws a KeylessError `emulator/invalid-option`. */
  setQuota(deployment: string, quota: Quota | undefined): void {
    if (typeof deployment !== "string" || deployment === "") {
      throw new KeylessError("emulator/invalid-option", "`deployment` must be a non-empty string.");
    }
    this.quotas.set(deployment, quota === undefined ? undefined : checkQuota(quota, "quota"));
  }

  /** Restores what the options said. */
  reset(): void {
    this.#roles = this.#start.roles;
    this.#deployments = this.#start.deployments;
    this.quotas.clear();
    for (const [deployment, quota] of Object.entries(this.#start.quotas)) this.quotas.set(deployment, quota);
  }
}
