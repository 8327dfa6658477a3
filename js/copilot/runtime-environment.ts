import {
  EMPTY_ENVIRONMENT,
  type Environment,
  environment,
  SECRET_VARIABLES,
} from "../platform/environment.js";

/**
 * The variables that the Copilot runtime gets of this process: where programs, home and temporary files are, language and time zone,
 * proxies and certificates, and where the runtime itself is. Lists of secrets are never complete, so everything else stays here.
 */
const FOR_RUNTIME =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TMPDIR|TEMP|TMP|TZ|LANG|LANGUAGE|LC_\w+|XDG_(CACHE|CONFIG|DATA|STATE)_HOME|LD_LIBRARY_PATH|(HTTPS?|ALL|NO)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|COPILOT_(HOME|CACHE_HOME|CLI_PATH)|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|HOMEDRIVE|HOMEPATH|(LOCAL)?APPDATA|PROGRAMDATA|PROGRAMFILES)$/i;

/**
 * The environment of the Copilot runtime: of this process only what {@link FOR_RUNTIME} names, and what the program adds, but for identity
 * secrets. A copy of this process's environment, as in `{ ...process.env, MORE: "1" }`, adds only what differs; one that lacks
 * most of it is none.
 */
export function runtimeEnvironment(
  added: Environment = EMPTY_ENVIRONMENT,
): Record<string, string | undefined> {
  const own = environment();
  const names = Object.keys(own).filter((name) => !FOR_RUNTIME.test(name));
  const isCopy = names.filter((name) => name in added).length * 2 > names.length;
  return Object.fromEntries([
    ...Object.entries(own).filter(([name]) => FOR_RUNTIME.test(name)),
    ...Object.entries(added).filter(
      ([name, value]) => !SECRET_VARIABLES.test(name) && !(isCopy && own[name] === value),
    ),
  ]);
}
