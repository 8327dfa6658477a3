//! A loop around the executor that waits for the host by `wasi:io/poll`.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use tokens::executor;
use wasip2::io::poll::{Pollable, poll};

thread_local! {
    static WAITING: RefCell<Vec<(Rc<Pollable>, Waker)>> = RefCell::default();
}

/// Waits for something of the host.
pub(super) struct Ready {
    pollable: Rc<Pollable>,
    waits: bool,
}

pub(super) fn ready(pollable: Pollable) -> Ready {
    Ready {
        pollable: Rc::new(pollable),
        waits: false,
    }
}

impl Future for Ready {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.pollable.ready() {
            return Poll::Ready(());
        }
        if !std::mem::replace(&mut self.waits, true) {
            let entry = (Rc::clone(&self.pollable), context.waker().clone());
            WAITING.with_borrow_mut(|all| all.push(entry));
        }
        Poll::Pending
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        WAITING.with_borrow_mut(|all| all.retain(|(one, _)| !Rc::ptr_eq(one, &self.pollable)));
    }
}

/// Runs a task to its end.
pub(super) fn block_on(task: impl Future<Output = ()> + 'static) {
    let done = Rc::new(Cell::new(false));
    let end = Rc::clone(&done);
    executor::spawn(async move {
        task.await;
        end.set(true);
    });
    loop {
        executor::run();
        if done.get() {
            return;
        }
        let mut waiting = WAITING.take();
        let indices = poll(
            &waiting
                .iter()
                .map(|(pollable, _)| &**pollable)
                .collect::<Vec<_>>(),
        );
        // From the last one on, so that the places of the others stay.
        for index in indices.into_iter().rev() {
            waiting.remove(index as usize).1.wake();
        }
        WAITING.with_borrow_mut(|all| all.append(&mut waiting));
    }
}
