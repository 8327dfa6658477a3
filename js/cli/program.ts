import { Command, InvalidArgumentError, Option } from "commander";
import { FORMATS, KEY_VARIABLE, LANGUAGES } from "./choices.js";
import { CLIENT_NAMES } from "./clients.js";
import { duration, outage, timeout } from "./durations.js";
import { exit, ignoreClosedPipes } from "./exit.js";
import { firstSteps } from "./first-steps.js";

// Each command is imported when it runs: the version and the help need no WebAssembly.

/** The same in every terminal: the build writes the help of the program itself to a file. */
const HELP_WIDTH = 80;

const program = new Command("copilot-keyless")
  .description("GitHub Copilot SDK with Microsoft Foundry / Azure OpenAI and no API key.")
  .showHelpAfterError("(run with --help for all options)")
  .configureHelp({ showGlobalOptions: true, helpWidth: HELP_WIDTH })
  .option("--debug", "show the causes of an error")
  .addHelpText("after", firstSteps);

/** Adds the options of an endpoint to a command. */
function withEndpoint(command: Command): Command {
  return command
    .option(
      "-e, --endpoint <url>",
      "endpoint of the resource or project (default: FOUNDRY_RESOURCE_URL and others)",
    )
    .option("-m, --model <name>", "model (default: FOUNDRY_MODEL_NAME, or else gpt-5.5)")
    .option("-d, --deployment <name>", "deployment, if its name differs from the model's")
    .option("--scope <scope>", "token scope (default: FOUNDRY_TOKEN_SCOPE, or else by the endpoint)");
}

withEndpoint(program.command("chat"))
  .description("Send a prompt to the model, or chat with it. The prompt `-` reads standard input.")
  .argument("[prompt...]", "prompt; without one, chat at the terminal")
  .option("--demo", "without an endpoint, use the embedded emulator; needs no Azure")
  .option("--json", "print the reply and the summary as JSON")
  .action((prompt, options) =>
    finish(
      import("./chat.js").then(({ chat }) =>
        chat(prompt.length === 0 ? undefined : prompt.join(" "), options),
      ),
    ),
  );

withEndpoint(program.command("doctor"))
  .description(
    "Check the setup, from settings to a whole turn, and explain the first problem and its fixes. Never prints a token.",
  )
  .option("--timeout <time>", "deadline of the request and of the turn (default: 30s)", checked(timeout))
  .option("--json", "print JSON")
  .addHelpText("after", "\nExit code: 0 if all checks pass, 1 if one fails, 130 after Ctrl-C.")
  .action((options) => finish(import("./doctor.js").then(({ doctor }) => doctor(options))));

withEndpoint(program.command("token"))
  .description("Get a token and show its principal, audience and expiry. Never prints the token.")
  .option("--json", "print JSON")
  .action((options) => finish(import("./token.js").then(({ token }) => token(options))));

withEndpoint(program.command("config"))
  .description("Show the provider config for the Copilot SDK, and the source of each setting.")
  .addOption(
    new Option("--format <format>", "print a whole program, the environment or the role").choices(FORMATS),
  )
  .option("--snippet", "with a language: print only the credential and the provider")
  .option("--json", "print JSON")
  .action((options, command: Command) => {
    if (options.snippet && !LANGUAGES.includes(options.format)) {
      command.error(`error: --snippet needs --format with a language: ${LANGUAGES.join(", ")}.`);
    }
    return finish(import("./config.js").then(({ config }) => config(options)));
  });

/** Adds the options of a gateway to a command. */
function withGateway(command: Command): Command {
  return withEndpoint(command)
    .addOption(
      new Option("--config <file>", "file with settings, TOML or JSON; the other options override it")
        .env("COPILOT_KEYLESS_GATEWAY_CONFIG")
        .conflicts("demo"),
    )
    .addOption(
      new Option("--port <port>", "port of the gateway (default: a free one)")
        .env("COPILOT_KEYLESS_GATEWAY_PORT")
        .argParser(port),
    )
    .addOption(
      new Option(
        "--key-file <file>",
        "file with the gateway's key; created if it does not exist (default: a new key)",
      ).env("COPILOT_KEYLESS_GATEWAY_KEY_FILE"),
    )
    .option("--demo", "without an endpoint, use the embedded emulator; needs no Azure");
}

withGateway(program.command("gateway"))
  .description(
    "Serve programs that can only hold a static key, until Ctrl-C: takes a local key, adds a fresh token, passes requests on.",
  )
  .addOption(
    new Option(
      "--host <address>",
      "address to listen on (default: 127.0.0.1); another one needs --allow-host",
    ).env("COPILOT_KEYLESS_GATEWAY_HOST"),
  )
  .option("--allow-host <name...>", "further host names that clients may use")
  .addOption(new Option("--for <client>", "print the line for one client only").choices(CLIENT_NAMES))
  .option("--quiet", "print no access log to standard error")
  .option("--check", "diagnose each backend as doctor does, without a turn, and exit")
  .option("--timeout <time>", "of --check: deadline of each request (default: 30s)", checked(timeout))
  .option("--json", "print the address, the key and the clients as JSON, and the access log as JSON lines")
  .addHelpText(
    "after",
    `
A service gets its key by ${KEY_VARIABLE}; then the key is not printed without --for.
SIGHUP reads the file of --config again.
Exit code of --check: 0 if all checks pass, 1 if one fails, 130 after Ctrl-C.`,
  )
  .action((options) => finish(import("./gateway.js").then(({ gateway }) => gateway(options))));

withGateway(program.command("run"))
  .usage("[options] -- <command>")
  .description(
    "Run a command with a gateway of its own: sets the environment of known clients and removes identity secrets.",
  )
  .argument("<command...>", "command with its arguments, after --")
  .addHelpText(
    "after",
    "\nExit code: that of the command.\nExample: copilot-keyless run --demo -- copilot -p hello",
  )
  .action((command, options) => finish(import("./run.js").then(({ run }) => run(command, options))));

withEndpoint(program.command("credential"))
  .description(
    "Print a token and a line feed, for clients that run a command to get one. The only command that prints a token.",
  )
  .option("--cache <file>", "keep the token in a file for its owner only (default: none)")
  .action((options) =>
    finish(import("./credential-command.js").then(({ credential }) => credential(options))),
  );

program
  .command("simulate")
  .description("Simulate the refresh schedule: an outage, a slow endpoint, a fleet of instances.")
  .option("--scenario <file>", "scenario as JSON (`-`: standard input); the options below override it")
  .option("--duration <time>", "length of the simulation (default: 2h)", checked(duration))
  .option("--lifetime <time>", "lifetime of tokens (default: 1h)", checked(duration))
  .option("--latency <time>", "response time of the identity endpoint (default: 200ms)", checked(duration))
  .option("--every <time>", "interval of calls (default: 1m)", checked(duration))
  .option(
    "--outage <from-to[:how]>",
    "failure of the endpoint: 50m-70m (reset), 50m-70m:hang, 50m-70m:429; repeatable",
    checked(outage),
  )
  .option("--instances <count>", "number of instances (default: 1)", whole)
  .option("--keep-fresh", "also refresh on a timer, without calls")
  .addOption(
    new Option("--strategy <name>", "refresh strategy (default: keyless)").choices([
      "keyless",
      "per-call",
      "fixed-window",
    ]),
  )
  .option("--seed <number>", "seed of the random numbers (default: 1)", whole)
  .option("--json", "print the timeline as JSON")
  .action((options) => finish(import("./simulate.js").then(({ simulate }) => simulate(options))));

program
  .command("emulator")
  .description("Run an emulated managed identity and Foundry resource on this machine, until Ctrl-C.")
  .option("--port <port>", "port of the Foundry resource (default: a free one)", port)
  .option("--identity-port <port>", "port of the managed identity endpoint (default: a free one)", port)
  .option("--token-lifetime <seconds>", "lifetime of tokens", seconds, 3600)
  .option("--no-platform-cache", "give a new token to each request; Azure keeps one for about a day")
  .option("--deployment <name>", "a deployment that exists; repeatable", list)
  .option("--role <name>", "a role of the caller, or none; repeatable", list)
  .option("--quota <fields>", "limits: deployment=gpt-5.5,requestsPerMinute=3; repeatable", list)
  .option("--fault <fields>", "a fault: server=foundry,kind=status,status=429, or JSON; repeatable", list)
  .option("--reply <reply>", "a reply of the model, before the usual ones: text, or JSON; repeatable", list)
  .option("--json", "print the environment as JSON")
  .action((options) => finish(import("./emulator.js").then(({ emulator }) => emulator(options))));

/** Runs the command of this process's arguments. */
export async function runProgram(version: string): Promise<void> {
  ignoreClosedPipes();
  program.version(version);
  await program.parseAsync().catch(async (error) => exit(await fail(error)));
}

/** Exits with the code of a command. Reports an error in a few lines. */
async function finish(command: Promise<number>): Promise<void> {
  await exit(await command.catch(fail));
}

async function fail(error: unknown): Promise<number> {
  const { report } = await import("./report.js");
  const json = process.argv.includes("--json");
  report(error, { debug: program.opts().debug === true, json });
  // As shells do for a command that does not exist.
  return (error as { code?: unknown } | undefined)?.code === "gateway/command-not-found" ? 127 : 1;
}

/** Wraps a parser so that commander reports its TypeError as an invalid argument. */
function checked<T>(parse: (text: string, before?: T) => T): (text: string, before?: T) => T {
  return (text, before) => {
    try {
      return parse(text, before);
    } catch (error) {
      throw error instanceof TypeError ? new InvalidArgumentError(error.message) : error;
    }
  };
}

/** Collects the values of an option that is repeated. */
function list(text: string, before: string[] = []): string[] {
  return [...before, text];
}

function whole(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError("Use a whole number.");
}

function port(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new InvalidArgumentError("A port is a whole number from 0 to 65535.");
}

function seconds(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 1) return value;
  throw new InvalidArgumentError("A lifetime is a number of seconds, 1 or more.");
}
