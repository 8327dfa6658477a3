//! Decides what the keyless gateway does with a request: refuse it, or forward it, and where to; and
//! what it does with the answer.
//!
//! The gateway is a server on loopback that takes a local key in place of a token. [`Gateway::admit`]
//! checks a request and finds its route; [`judge`] says whether an answer is passed on, repeated with
//! a new token, or explained; [`Refusal`] and [`error_body`] are the errors that a client receives.
//! [`operation`] and [`Usage`] are for telemetry.
//! [`Pool`] chooses among several backends.
//!
//! | client asks for | resource is asked for |
//! | --- | --- |
//! | `/openai/v1/...`, `/anthropic/v1/...`, `/api/projects/P/...`, dated routes | the same; query unchanged |
//! | `/v1/...`, `/responses`, `/openai/v1/v1/...`, `/openai/responses` without a version | `/openai/v1/...` |
//! | `/openai/v1/...?api-version=...` | the same without the version |
//! | `/openai/deployments/D/responses?...` | `/openai/v1/responses` |
//! | `/openai/v1/deployments/D/...?api-version=...` | `/openai/deployments/D/...?api-version=...` |
//! | `/v1/messages`, `/anthropic/messages` | `/anthropic/v1/messages` |

mod access;
mod answer;
mod backends;
mod headers;
mod refusal;
mod route;
mod target;
mod usage;

pub use access::{Admission, Forward, Gateway, Incoming};
pub use answer::{Answer, Verdict, is_final_status, judge, needs_reading, repeats_broken_connection};
pub use backends::{AnswerReader, Backend, Choice, Outcome, Pool, Wanted, asks_next};
pub use headers::{Pair, pause_asked, response_headers};
pub use refusal::{Dialect, Refusal, error_body};
pub use route::Upstream;
pub use usage::{Usage, operation};
