import {
  EMPTY_ENVIRONMENT,
  type Environment,
  environment,
  SECRET_VARIABLES,
} from "../platform/environment.js";

/**
 * The variables of this process that the Copilot runtime receives: locations of programs, home and
 * temporary files, language and time zone, proxies and certificates, and the location of the
 * runtime itself. A list of what to keep back would never be complete, so everything else stays in
 * this process.
 */
const FOR_RUNTIME =
  /^(PATH|HOME|USER|LOGNAME|SHELL|TERM|TMPDIR|TEMP|TMP|TZ|LANG|LANGUAGE|LC_\w+|XDG_(CACHE|CONFIG|DATA|STATE)_HOME|LD_LIBRARY_PATH|(HTTPS?|ALL|NO)_PROXY|NODE_EXTRA_CA_CERTS|SSL_CERT_(FILE|DIR)|COPILOT_(HOME|CACHE_HOME|CLI_PATH)|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|PATHEXT|USERPROFILE|HOMEDRIVE|HOMEPATH|(LOCAL)?APPDATA|PROGRAMDATA|PROGRAMFILES)$/i;

/**
 * The environment of the Copilot runtime: the variables of this process that {@link FOR_RUNTIME}
 * matches, and those that the program adds, without identity secrets. If the program adds a copy of
 * this process's environment, as in `{ ...process.env, MORE: "1" }`, only variables that differ are
 * added. An object that lacks most of this process's variables does not count as a copy.
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
