//! An executor for one thread. A waker has the number of a task, so it may go to other threads, as wakers
//! must.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

type Task = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static TASKS: RefCell<HashMap<u64, Task>> = RefCell::default();
    static READY: RefCell<VecDeque<u64>> = RefCell::default();
    static LAST: Cell<u64> = const { Cell::new(0) };
    static NOTIFY: Cell<fn()> = const { Cell::new(|| {}) };
}

struct Number(u64);

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        READY.with_borrow_mut(|ready| ready.push_back(self.0));
        NOTIFY.get()();
    }
}

/// Sets what a task that becomes ready calls: it lets the host call [`run`] soon. Not needed where the host
/// calls it in a loop.
pub fn on_ready(notify: fn()) {
    NOTIFY.set(notify);
}

/// Starts a task.
pub fn spawn(task: impl Future<Output = ()> + 'static) {
    let number = LAST.get() + 1;
    LAST.set(number);
    TASKS.with_borrow_mut(|tasks| tasks.insert(number, Box::pin(task)));
    Arc::new(Number(number)).wake();
}

/// Runs tasks until all of them wait.
pub fn run() {
    while let Some(number) = READY.with_borrow_mut(VecDeque::pop_front) {
        // Out of the map, since it may start tasks.
        let Some(mut task) = TASKS.with_borrow_mut(|tasks| tasks.remove(&number)) else {
            continue;
        };
        let waker = Waker::from(Arc::new(Number(number)));
        if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            TASKS.with_borrow_mut(|tasks| tasks.insert(number, task));
        }
    }
}
