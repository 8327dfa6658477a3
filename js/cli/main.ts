import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { chat } from "./chat.js";
import { config, FORMATS } from "./config.js";
import { doctor } from "./doctor.js";
import { emulator } from "./emulator.js";
import { exit, forgiveClosedPipes } from "./exit.js";
import { report } from "./report.js";
import { duration, outage, simulate, timeout } from "./simulate.js";
import { token } from "./token.js";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

const program = new Command("copilot-keyless")
  .description("GitHub Copilot SDK with Microsoft Foundry / Azure OpenAI and no API key.")
  .version(version)
  .showHelpAfterError("(--help tells more)")
  .configureHelp({ showGlobalOptions: true })
  .option("--debug", "on an error, show its causes");

/** The options that name an endpoint, for every command that needs one. */
function withEndpoint(command: Command): Command {
  return command
    .option(
      "-e, --endpoint <url>",
      "the resource's or project's endpoint (else FOUNDRY_RESOURCE_URL and others)",
    )
    .option("-m, --model <name>", "the model (else FOUNDRY_MODEL_NAME; default gpt-5.5)")
    .option("-d, --deployment <name>", "the deployment, where its name is not the model's")
    .option("--scope <scope>", "the token scope (else FOUNDRY_TOKEN_SCOPE, else by endpoint)");
}

withEndpoint(program.command("chat"))
  .description(
    "Talk with the model: once with a prompt, else as a chat. `-` reads the prompt from standard input.",
  )
  .argument("[prompt...]", "what to say")
  .option("--demo", "without an endpoint, use the embedded emulator: no Azure needed")
  .option("--json", "print the reply and the summary as JSON")
  .action((prompt, options) => finish(chat(prompt.length === 0 ? undefined : prompt.join(" "), options)));

withEndpoint(program.command("doctor"))
  .description(
    "Look at everything from the settings to a whole turn, and say what is wrong and what mends it. Never prints a token.",
  )
  .option("--timeout <time>", "how long the request and the turn may take (default: 30s)", checked(timeout))
  .option("--json", "print JSON")
  .addHelpText("after", "\nExit code: 0 when all is well, 1 when something is broken, 130 after Ctrl-C.")
  .action((options) => finish(doctor(options)));

withEndpoint(program.command("token"))
  .description("Get a token and say whose it is, for what, and until when. Never prints it.")
  .option("--json", "print JSON")
  .action((options) => finish(token(options)));

withEndpoint(program.command("config"))
  .description("Show the provider that the Copilot SDK is given, and where each setting comes from.")
  .addOption(new Option("--format <format>", "print it as code to copy").choices(FORMATS))
  .option("--json", "print JSON")
  .action((options) => finish(config(options)));

program
  .command("simulate")
  .description(
    "Play a token's life on the real refresh schedule: what an outage, a slow endpoint or a fleet does.",
  )
  .option("--scenario <file>", "a scenario as JSON (`-`: standard input); the options below override it")
  .option("--duration <time>", "how long it lasts (default: 2h)", checked(duration))
  .option("--lifetime <time>", "how long tokens live (default: 1h)", checked(duration))
  .option("--latency <time>", "how long the identity endpoint takes (default: 200ms)", checked(duration))
  .option("--every <time>", "a call in this time (default: 1m)", checked(duration))
  .option(
    "--outage <from-to[:how]>",
    "the endpoint fails: 50m-70m (reset), 50m-70m:hang, 50m-70m:429; repeatable",
    checked(outage),
  )
  .option("--instances <count>", "how many instances live this life (default: 1)", whole)
  .option("--keep-fresh", "refresh on a timer while nobody calls")
  .addOption(
    new Option("--strategy <name>", "what is in charge of the token (default: keyless)").choices([
      "keyless",
      "per-call",
      "fixed-window",
    ]),
  )
  .option("--seed <number>", "what chance begins with (default: 1)", whole)
  .option("--json", "print the timeline as JSON")
  .action((options) => finish(simulate(options)));

program
  .command("emulator")
  .description("Run a managed identity endpoint and a Foundry resource on this machine, until Ctrl-C.")
  .option("--port <port>", "port of the Foundry resource (default: a free one)", port)
  .option("--identity-port <port>", "port of the managed identity endpoint (default: a free one)", port)
  .option("--token-lifetime <seconds>", "how long tokens live", seconds, 3600)
  .option("--json", "print the environment as JSON")
  .action((options) => finish(emulator(options)));

forgiveClosedPipes();
await program.parseAsync().catch(async (error) => exit(fail(error)));

/** Ends with the command's exit code; whatever goes wrong is told in a few lines. */
async function finish(command: Promise<number>): Promise<void> {
  await exit(await command.catch(fail));
}

function fail(error: unknown): number {
  const json = process.argv.includes("--json");
  report(error, { debug: program.opts().debug === true, json });
  return 1;
}

/** A parser whose complaint is shown as commander shows its own. */
function checked<T>(parse: (text: string, before?: T) => T): (text: string, before?: T) => T {
  return (text, before) => {
    try {
      return parse(text, before);
    } catch (error) {
      throw error instanceof TypeError ? new InvalidArgumentError(error.message) : error;
    }
  };
}

function whole(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isInteger(value) && value >= 0) return value;
  throw new InvalidArgumentError("Give a whole number.");
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
