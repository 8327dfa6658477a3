import type { CoreErrorCode } from "../../errors/codes.js";

/** An error that the modules throw. */
export interface CoreError {
  code: CoreErrorCode;
  message: string;
  hint?: string;
}
