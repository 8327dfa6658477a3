//! Decides how a worker holds a conversation in shared storage for the time of one turn.
//!
//! The storage grants a lease that ends by itself. The holder renews it, and stops writing before it
//! ends; the storage refuses every write whose lease is over. So a worker that was paused or cut off
//! cannot write into a turn of its successor, whatever its clock says. All times are those of one
//! monotonic clock of the worker: no two clocks are ever compared.
//!
//! - [`Term`] says when to renew and until when to write.
//! - [`TurnLease`] says which request comes next, from taking a conversation to returning it.
//! - [`Reply::of`] says what an answer of the storage means; [`retry_wait_ms`] how long to wait
//!   before the same request is sent again, and [`busy_wait_ms`] how long a caller shall wait.

mod reply;
mod term;
mod turn;

pub use reply::{Reply, retry_wait_ms};
pub use term::{Term, busy_wait_ms};
pub use turn::{Came, Ending, Step, TurnLease};
