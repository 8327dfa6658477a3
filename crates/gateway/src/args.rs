//! The command line: the options of `copilot-keyless gateway`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::failure::Failure;
use crate::recipes;
use crate::settings::{Given, Log};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Usage: copilot-keyless-gateway [options]

Serve programs that can only hold a static key, until Ctrl-C: takes a local key, adds a fresh token,
passes requests on.

Options:
  -e, --endpoint <url>      endpoint of the resource or project (default: FOUNDRY_RESOURCE_URL and others)
  -m, --model <name>        model (default: FOUNDRY_MODEL_NAME, or else gpt-5.5)
  -d, --deployment <name>   deployment, if its name differs from the model's
  --scope <scope>           token scope (default: FOUNDRY_TOKEN_SCOPE, or else by the endpoint)
  --config <file>           file with settings, TOML or JSON; the other options override it
                            (env: COPILOT_KEYLESS_GATEWAY_CONFIG)
  --port <port>             port of the gateway (default: a free one) (env: COPILOT_KEYLESS_GATEWAY_PORT)
  --key-file <file>         file with the gateway's key; created if it does not exist (default: a new key)
                            (env: COPILOT_KEYLESS_GATEWAY_KEY_FILE)
  --host <address>          address to listen on (default: 127.0.0.1); another one needs --allow-host
                            (env: COPILOT_KEYLESS_GATEWAY_HOST)
  --allow-host <name...>    further host names that clients may use
  --for <client>            print the line for one client only
  --quiet                   print no access log to standard error
  --check                   diagnose each backend, and exit
  --health                  ask the gateway of --port whether it serves, and exit: a probe of a container
  --timeout <time>          of --check: deadline of each request (default: 30s)
  --json                    print the address, the key and the clients as JSON, and the access log as JSON lines
  --version                 print the version
  -h, --help                print this

A service gets its key by COPILOT_KEYLESS_GATEWAY_KEY; then the key is not printed without --for.
SIGHUP reads the file of --config again. SIGUSR1 logs the requests in progress and the backends.
Exit code of --check and --health: 0 if all is well, else 1.";

/// The options of a command line.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "independent switches")]
pub(crate) struct Args {
    pub(crate) config: Option<PathBuf>,
    /// Those that override the file's.
    given: Given,
    pub(crate) only: Option<String>,
    pub(crate) quiet: bool,
    pub(crate) check: bool,
    pub(crate) health: bool,
    pub(crate) timeout: Duration,
    pub(crate) json: bool,
    pub(crate) help: bool,
    pub(crate) version: bool,
}

impl Args {
    /// Reads the command line, and the variables for those options that it does not have.
    pub(crate) fn read(
        line: impl IntoIterator<Item = OsString>,
        env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let mut args = Self {
            timeout: Duration::from_secs(30),
            ..Self::default()
        };
        let mut parser = Parser::from_args(line);
        args.parse(&mut parser)
            .map_err(|error| Failure::option(format!("{error}.")).hint("Run with --help for all options."))?;
        let given = &mut args.given;
        let variable = |name: &str| env(&format!("COPILOT_KEYLESS_GATEWAY_{name}"));
        args.config = args.config.or_else(|| variable("CONFIG").map(PathBuf::from));
        given.host = given.host.take().or_else(|| variable("HOST"));
        given.key_file = given
            .key_file
            .take()
            .or_else(|| variable("KEY_FILE").map(PathBuf::from));
        if given.port.is_none()
            && let Some(port) = variable("PORT")
        {
            given.port = Some(port.parse().map_err(|_| {
                Failure::option("COPILOT_KEYLESS_GATEWAY_PORT must be a whole number from 0 to 65535.")
            })?);
        }
        Ok(args)
    }

    fn parse(&mut self, parser: &mut Parser) -> Result<(), lexopt::Error> {
        while let Some(arg) = parser.next()? {
            let shared = &mut self.given.shared;
            match arg {
                Arg::Short('e') | Arg::Long("endpoint") => shared.endpoint = Some(parser.value()?.string()?),
                Arg::Short('m') | Arg::Long("model") => shared.model = Some(parser.value()?.string()?),
                Arg::Short('d') | Arg::Long("deployment") => {
                    shared.deployment = Some(parser.value()?.string()?);
                }
                Arg::Long("scope") => shared.scope = Some(parser.value()?.string()?),
                Arg::Long("config") => self.config = Some(parser.value()?.into()),
                Arg::Long("port") => self.given.port = Some(parser.value()?.parse()?),
                Arg::Long("key-file") => self.given.key_file = Some(parser.value()?.into()),
                Arg::Long("host") => self.given.host = Some(parser.value()?.string()?),
                Arg::Long("allow-host") => {
                    for value in parser.values()? {
                        self.given.allow_hosts.push(value.string()?);
                    }
                }
                Arg::Long("for") => {
                    let name = parser.value()?.string()?;
                    if !recipes::NAMES.contains(&name.as_str()) {
                        let names = recipes::NAMES.join(", ");
                        return Err(format!("--for must be one of {names}").into());
                    }
                    self.only = Some(name);
                }
                Arg::Long("quiet") => self.quiet = true,
                Arg::Long("check") => self.check = true,
                Arg::Long("health") => self.health = true,
                Arg::Long("timeout") => self.timeout = parser.value()?.parse_with(duration)?,
                Arg::Long("json") => self.json = true,
                Arg::Long("version") | Arg::Short('V') => self.version = true,
                Arg::Long("help") | Arg::Short('h') => self.help = true,
                Arg::Long("demo") => {
                    return Err("--demo needs the emulator, which `npx copilot-keyless gateway` has".into());
                }
                other => return Err(other.unexpected()),
            }
        }
        Ok(())
    }

    /// The settings of the command line, over those of the file.
    pub(crate) fn over(&self, file: Given) -> Given {
        let own = &self.given;
        let mut all = file;
        all.port = own.port.or(all.port);
        all.host = own.host.clone().or(all.host);
        all.key_file = own.key_file.clone().or(all.key_file);
        if !own.allow_hosts.is_empty() {
            all.allow_hosts.clone_from(&own.allow_hosts);
        }
        let (shared, own) = (&mut all.shared, &own.shared);
        shared.endpoint = own.endpoint.clone().or(shared.endpoint.take());
        shared.model = own.model.clone().or(shared.model.take());
        shared.deployment = own.deployment.clone().or(shared.deployment.take());
        shared.scope = own.scope.clone().or(shared.scope.take());
        all
    }

    /// The form of the access log.
    pub(crate) fn log(&self, settings: &Given) -> Log {
        if self.quiet {
            Log::None
        } else if self.json {
            Log::Json
        } else {
            settings.log.unwrap_or(Log::Text)
        }
    }
}

/// Reads a time such as `30s`, `500ms` or `2m`.
fn duration(text: &str) -> Result<Duration, String> {
    let end = text
        .find(|char: char| char.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    let ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err("use a time such as 30s".to_owned()),
    };
    let number: u64 = number
        .trim()
        .parse()
        .map_err(|_| "use a time such as 30s".to_owned())?;
    Ok(Duration::from_millis(number.saturating_mul(ms)))
}
