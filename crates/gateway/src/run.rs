//! Runs the gateway: starts it, prints where it is, and follows signals.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use copilot_keyless::Secret;
use serde_json::{Map, json};

use crate::args::Args;
use crate::backend::Backends;
use crate::check;
use crate::clock;
use crate::config;
use crate::failure::{Failure, one_line};
use crate::gateway::{Gateway, Setup};
use crate::key;
use crate::recipes::{Address, NAMES, recipe};
use crate::server::{listen, serve};
use crate::settings::Given;

/// Runs what the command line asks for.
pub(crate) fn run(args: &Args) -> Result<ExitCode, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(
                "gateway/listen-failed",
                format!("No threads can be started: {error}"),
            )
        })?;
    let code = runtime.block_on(async {
        if args.health {
            return check::health(settings(args)?.port.unwrap_or_default(), args.timeout).await;
        }
        if args.check {
            return check::check(&settings(args)?, args).await;
        }
        start(args).await
    });
    // What is still in progress ends now.
    runtime.shutdown_background();
    code
}

/// The settings of the file, and those of the command line over them.
fn settings(args: &Args) -> Result<Given, Failure> {
    let file = args.config.as_deref().map(config::read).transpose()?;
    let given = args.over(file.unwrap_or_default());
    given.check()?;
    Ok(given)
}

/// The key of the platform, which is not printed.
fn own_key(given: &Given) -> Result<Option<Secret>, Failure> {
    match std::env::var(key::VARIABLE) {
        Ok(own) if given.key_file.is_none() => key::checked(&own, "Leave it out for a random one.").map(Some),
        _ => Ok(None),
    }
}

async fn start(args: &Args) -> Result<ExitCode, Failure> {
    let given = settings(args)?;
    let own = own_key(&given)?;
    let is_own_key = own.is_some();
    let key = match (own, &given.key_file) {
        (Some(own), _) => own,
        (None, Some(file)) => key::of_file(file)?,
        (None, None) => key::random()?,
    };
    let gateway = Arc::new(Gateway::new(Setup::new(&given, key, args.log(&given))?));
    let signals = Signals::new()?;
    let host = given.host().to_owned();
    let (listener, address) = listen(&host, given.port.unwrap_or_default()).await?;
    let setup = gateway.setup();
    warn(&setup.backends);
    let url = url_of(&host, address);
    if is_own_key && args.only.is_none() {
        print_without_key(&setup, &url, args.json);
    } else {
        print(&setup, &url, args);
    }
    drop(setup);
    let reload = || {
        let Some(file) = &args.config else { return };
        let again = settings(args).and_then(|next| reload(&gateway, args, &next, &host, address.port()));
        let name = file.display().to_string();
        let line = match again {
            Ok(names) if args.json => json!({ "reloaded": name, "backends": names }).to_string(),
            Ok(names) => format!("Settings of {name} read again: {}", names.join(", ")),
            Err(failure) => format!("{failure}\n  The settings are those from before."),
        };
        gateway.log.line(line);
    };
    let ended = signals.follow(reload, || gateway.log.line(state(&gateway)));
    serve(Arc::clone(&gateway), listener, ended).await;
    Ok(ExitCode::SUCCESS)
}

/// Replaces the settings. Returns the names of the backends.
fn reload(
    gateway: &Gateway,
    args: &Args,
    given: &Given,
    host: &str,
    port: u16,
) -> Result<Vec<String>, Failure> {
    let moved = given.port.is_some_and(|given| given != 0 && given != port) || given.host() != host;
    if moved {
        return Err(
            Failure::option("port and host cannot change while the gateway runs.")
                .hint("Leave them as they are, or start the gateway again."),
        );
    }
    // Without a file the key stays.
    let key = match &given.key_file {
        Some(file) => key::of_file(file)?,
        None => gateway.setup().key.clone(),
    };
    let setup = Setup::new(given, key, args.log(given))?;
    warn(&setup.backends);
    let names = setup.backends.all.iter().map(|one| one.name.clone()).collect();
    gateway.reload(setup);
    Ok(names)
}

/// The requests in progress, and the backends as they are now.
fn state(gateway: &Gateway) -> String {
    let backends = &gateway.setup().backends;
    let pool = backends.pool();
    let states: Vec<_> = backends
        .all
        .iter()
        .enumerate()
        .map(|(at, one)| {
            let paused = pool
                .as_ref()
                .map_or(0, |pool| pool.paused_ms(at, None, clock::monotonic()));
            json!({ "name": one.name, "pausedMs": paused })
        })
        .collect();
    json!({ "active": gateway.active(), "backends": states }).to_string()
}

fn warn(backends: &Backends) {
    for notice in backends.warnings() {
        eprintln!("! {} ({})", one_line(&notice.message), notice.code.as_str());
    }
}

fn url_of(host: &str, address: SocketAddr) -> String {
    let port = address.port();
    match host {
        "0.0.0.0" | "::" => format!("http://127.0.0.1:{port}"),
        host if host.contains(':') => format!("http://[{host}]:{port}"),
        host => format!("http://{host}:{port}"),
    }
}

fn print(setup: &Setup, url: &str, args: &Args) {
    let Some(first) = setup.backends.all.first() else {
        return;
    };
    let address = Address {
        url,
        key: setup.key.expose(),
        model: first.model(),
    };
    let chosen: Vec<&str> = NAMES
        .into_iter()
        .filter(|name| args.only.as_deref().is_none_or(|only| only == *name))
        .collect();
    if args.json {
        let clients: Map<_, _> = chosen
            .iter()
            .map(|name| ((*name).to_owned(), recipe(name, &address).json()))
            .collect();
        let mut all = json!({
            "url": url,
            "key": address.key,
            "model": address.model,
            "endpoint": first.endpoint().base_url,
        });
        if let Some(all) = all.as_object_mut() {
            if setup.backends.all.len() > 1 {
                let backends = setup.backends.all.iter();
                let backends =
                    backends.map(|one| json!({ "name": one.name, "endpoint": one.endpoint().base_url }));
                all.insert("backends".to_owned(), backends.collect());
            }
            all.insert("clients".to_owned(), clients.into());
        }
        // In one write.
        let line = format!("{all}\n");
        print!("{line}");
        return;
    }
    if let (Some(_), [only]) = (&args.only, chosen.as_slice()) {
        println!("{}", recipe(only, &address).line());
        return;
    }
    println!("{:13}{url}\n{:13}{}", "address", "key", address.key);
    for one in &setup.backends.all {
        let url = one_line(&one.endpoint().base_url);
        match setup.backends.all.len() {
            1 => println!("{:13}{url}", "endpoint"),
            _ => println!("{:13}{url} ({})", "endpoint", one_line(&one.name)),
        }
    }
    for name in chosen {
        println!("{name:13}{}", recipe(name, &address).line());
    }
}

/// Prints where the gateway is. The log of a service must not hold its key.
fn print_without_key(setup: &Setup, url: &str, json: bool) {
    let Some(first) = setup.backends.all.first() else {
        return;
    };
    let (model, endpoint) = (first.model(), &first.endpoint().base_url);
    if json {
        println!("{}", json!({ "url": url, "model": model, "endpoint": endpoint }));
    } else {
        let endpoint = one_line(endpoint);
        println!(
            "{:13}{url}\n{:13}that of {}\n{:13}{endpoint}",
            "address",
            "key",
            key::VARIABLE,
            "endpoint"
        );
    }
}

/// The signals that the gateway follows.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
    user: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let failed = |error| {
            Failure::new(
                "gateway/listen-failed",
                format!("Signals cannot be followed: {error}"),
            )
        };
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            hang_up: signal(SignalKind::hangup()).map_err(failed)?,
            user: signal(SignalKind::user_defined1()).map_err(failed)?,
        })
    }

    /// Resolves when the gateway is to end.
    async fn follow(mut self, reload: impl Fn(), state: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => return,
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => reload(),
                _ = self.user.recv() => state(),
            }
        }
    }
}

/// Windows has Ctrl-C alone.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[allow(clippy::unnecessary_wraps, reason = "as on other platforms")]
    fn new() -> Result<Self, Failure> {
        Ok(Self)
    }

    async fn follow(self, _reload: impl Fn(), _state: impl Fn()) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
