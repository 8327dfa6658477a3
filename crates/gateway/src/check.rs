//! `--check`: diagnoses each backend without a client; `--health`: asks a gateway whether it serves.

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use copilot_keyless::Secret;
use copilot_keyless::diagnosis::{Diagnosis, DiagnosisCode, FailedRequest};
use copilot_keyless::endpoint::Options;
use copilot_keyless::provider::ProviderRequest;
use copilot_keyless::request::probe::{self, Method as ProbeMethod};
use copilot_keyless_tokio::Token;
use http_body::Body as _;
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Uri};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::args::Args;
use crate::backend::Backend;
use crate::clock;
use crate::failure::{Failure, clean, one_line};
use crate::headers::for_diagnosis;
use crate::request_body::Sent;
use crate::settings::{Given, GivenBackend};

/// How much of an answer is read.
const MAX_ANSWER: usize = 1024 * 1024;

/// Why a check failed.
enum Problem {
    Failure(Failure),
    Diagnosis(Box<Diagnosis>),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// The checks of one backend.
struct Report {
    json: bool,
    checks: Vec<Value>,
    problem: Option<Problem>,
}

/// Diagnoses each backend: its settings, its token, and a request to each model.
pub(crate) async fn check(given: &Given, args: &Args) -> Result<ExitCode, Failure> {
    let backends = given.backends();
    let mut results = Vec::new();
    let mut failed = 0;
    for (at, one) in backends.iter().enumerate() {
        let title = one.name.as_ref().or(one.endpoint.as_ref());
        if !args.json && backends.len() > 1 {
            let title = title.map_or("the environment's endpoint", |title| title);
            println!("{}{}", if at == 0 { "" } else { "\n" }, one_line(title));
        }
        let mut report = Report {
            json: args.json,
            checks: Vec::new(),
            problem: None,
        };
        check_one(&mut report, one, given, args.timeout).await;
        failed += usize::from(report.problem.is_some());
        if !args.json {
            report.print_end();
        }
        let mut result = json!({ "backend": title, "ok": report.problem.is_none(), "checks": report.checks });
        if let (Some(problem), Some(result)) = (&report.problem, result.as_object_mut()) {
            result.insert("problem".to_owned(), problem.json());
        }
        results.push(result);
    }
    if args.json {
        let all = json!({ "ok": failed == 0, "backends": results });
        println!("{}", serde_json::to_string_pretty(&all).unwrap_or_default());
    }
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn check_one(report: &mut Report, one: &GivenBackend, given: &Given, timeout: Duration) {
    let backend = Backend::new(one, given, &Secret::from("none"));
    let endpoint = async {
        backend
            .as_ref()
            .map(|one| one.endpoint().base_url.clone())
            .map_err(Clone::clone)
    };
    report.check("endpoint", async { Ok(endpoint.await?) }).await;
    let Ok(backend) = &backend else {
        report.check("token", std::future::ready(Ok(String::new()))).await;
        report
            .check("request", std::future::ready(Ok(String::new())))
            .await;
        return;
    };
    let mut token = None;
    report
        .check("token", token_of(backend, &mut token, timeout))
        .await;
    let own = [None];
    let models: Vec<Option<&String>> = one.models.iter().map(Some).collect();
    for model in if models.is_empty() { &own[..] } else { &models[..] } {
        let asked = request(backend, *model, token.as_ref(), timeout);
        report.check("request", asked).await;
    }
}

async fn token_of(
    backend: &Backend,
    token: &mut Option<Token>,
    timeout: Duration,
) -> Result<String, Problem> {
    let Some(tokens) = &backend.tokens else {
        return Ok(
            "no token: the scope of this host is unknown; set FOUNDRY_TOKEN_SCOPE or --scope if it needs one"
                .to_owned(),
        );
    };
    let late = || Failure::new("token/timeout", format!("There was no token within {timeout:?}."));
    let found = tokio::time::timeout(timeout, tokens.token())
        .await
        .map_err(|_| late())??;
    *token = Some(found);
    Ok(format!(
        "for {}",
        backend.plan.scope.as_deref().unwrap_or_default()
    ))
}

/// Sends the smallest request that needs the same access as a real one.
async fn request(
    backend: &Backend,
    model: Option<&String>,
    token: Option<&Token>,
    timeout: Duration,
) -> Result<String, Problem> {
    let mut asked = ProviderRequest {
        model: Some(backend.plan.model.clone()),
        ..backend.request.clone()
    };
    if let Some(model) = model {
        asked.model = Some(model.clone());
        asked.deployment = Some(model.clone());
    }
    let timeout_ms = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
    let call = probe::call(&asked, Some(timeout_ms)).map_err(Failure::from)?;
    let mut headers: HeaderMap = call
        .headers
        .iter()
        .filter_map(|(name, value)| {
            Some((
                HeaderName::try_from(name).ok()?,
                HeaderValue::try_from(value.expose()).ok()?,
            ))
        })
        .collect();
    if let Some(token) = token {
        headers.insert(AUTHORIZATION, token.header_value());
    }
    let method = match call.method {
        ProbeMethod::Get => Method::GET,
        ProbeMethod::Post => Method::POST,
    };
    let uri: Uri = call.url.parse().unwrap_or_default();
    let target = uri.path_and_query().map_or("/", |target| target.as_str());
    let sent = Sent::Whole(call.body.clone().map(Into::into));
    let exchange = async {
        let mut answer = backend
            .upstream
            .send(method, target, headers, sent)
            .await
            .map_err(|none| none.message)?;
        let mut body = Vec::new();
        while let Some(Ok(frame)) =
            std::future::poll_fn(|cx| Pin::new(answer.body_mut()).poll_frame(cx)).await
        {
            if let (Ok(bytes), true) = (frame.into_data(), body.len() < MAX_ANSWER) {
                body.extend_from_slice(&bytes);
            }
        }
        Ok::<_, String>((answer, body))
    };
    let answered = tokio::time::timeout(timeout, exchange).await;
    let mut outcome = FailedRequest {
        endpoint: Some(call.endpoint.base_url.clone()),
        options: Options {
            provider_type: Some(call.endpoint.provider_type),
            api_version: call.endpoint.api_version.clone(),
            scope: call.endpoint.scope.clone(),
        },
        now: Some(clock::wall()),
        deployment: call.deployment.clone(),
        wire_api: call.wire_api.map(|api| format!("{api:?}").to_lowercase()),
        token: token.map(|token| Secret::from(token.secret())),
        env: asked.env,
        ..FailedRequest::default()
    };
    match answered {
        Ok(Ok((answer, body))) => {
            outcome.status = answer.status().as_u16();
            outcome.headers = for_diagnosis(answer.headers());
            outcome.body = Some(String::from_utf8_lossy(&body).into_owned().into());
        }
        Ok(Err(message)) => outcome.body = Some(probe::network_words(&message, timeout_ms).into()),
        Err(_) => outcome.body = Some(probe::network_words("timed out (ETIMEDOUT)", timeout_ms).into()),
    }
    let diagnosis = probe::judge(&outcome);
    if diagnosis.code != DiagnosisCode::Ok {
        return Err(Problem::Diagnosis(Box::new(diagnosis)));
    }
    let model = call.deployment.as_deref().unwrap_or(&backend.plan.model);
    Ok(format!("{model} answered, HTTP {}", outcome.status))
}

impl Report {
    /// Runs a check, unless an earlier one failed.
    async fn check(&mut self, name: &str, run: impl Future<Output = Result<String, Problem>>) {
        if self.problem.is_some() {
            self.print(name, "skipped", 0, "not run");
            return;
        }
        let started = Instant::now();
        let result = run.await;
        let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok(detail) => self.print(name, "passed", ms, &detail),
            Err(problem) => {
                let detail = problem.title();
                self.problem = Some(problem);
                self.print(name, "failed", ms, &detail);
            }
        }
    }

    fn print(&mut self, name: &str, status: &str, ms: u64, detail: &str) {
        if !self.json {
            let mark = match status {
                "passed" => '✓',
                "failed" => '✗',
                _ => '-',
            };
            println!("{mark} {name:12}{:>6}  {}", format!("{ms}ms"), one_line(detail));
        }
        self.checks
            .push(json!({ "name": name, "status": status, "ms": ms, "detail": detail, "warnings": [] }));
    }

    fn print_end(&self) {
        let Some(problem) = &self.problem else {
            println!("\nAll checks passed.");
            return;
        };
        match problem {
            Problem::Failure(failure) => println!("\n{failure}"),
            Problem::Diagnosis(found) => {
                println!("\n✗ {}  {}", found.code.as_str(), one_line(&found.cause));
                if let Some(said) = &found.message {
                    println!(
                        "  Response, HTTP {}: {}",
                        found.status.unwrap_or_default(),
                        one_line(said)
                    );
                }
                for fix in &found.fixes {
                    println!("  {}", clean(fix));
                }
            }
        }
    }
}

impl Problem {
    fn title(&self) -> String {
        match self {
            Self::Failure(failure) => failure.code.clone(),
            Self::Diagnosis(found) => found.title.to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Failure(failure) => json!({
                "code": failure.code,
                "message": failure.message,
                "fixes": failure.hint.iter().collect::<Vec<_>>(),
            }),
            Self::Diagnosis(found) => json!({
                "code": found.code.as_str(),
                "message": found.cause,
                "said": found.message,
                "status": found.status,
                "requestId": found.request_id,
                "retryAfterMs": found.retry_after_ms,
                "fixes": found.fixes,
            }),
        }
    }
}

/// Asks the gateway of a port on this machine.
pub(crate) async fn health(port: u16, timeout: Duration) -> Result<ExitCode, Failure> {
    let asked = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let text = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(text.as_bytes()).await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        Ok::<_, std::io::Error>(&answer == b"HTTP/1.1 200")
    };
    match tokio::time::timeout(timeout, asked).await {
        Ok(Ok(true)) => Ok(ExitCode::SUCCESS),
        _ => Err(Failure::new(
            "gateway/listen-failed",
            format!("No gateway serves at port {port}."),
        )
        .hint("Start it, or name its port with --port.")),
    }
}
