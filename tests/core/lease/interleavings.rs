//! Explores the turns of two workers of one conversation, in every order of their requests: with
//! answers that are lost, requests that arrive late, leases that end at any moment (a paused
//! process, a slow network, a wrong clock are all of this kind), and workers that die.

use std::collections::HashSet;

use copilot_keyless::lease::{Came, Ending, Step, TurnLease};

/// A set of turns, a bit each.
type Turns = u8;

const fn bit(turn: u8) -> Turns {
    1 << turn
}

/// A record of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Record {
    Begin(u8),
    /// The turn's end, and which turns its worker knew as ended.
    End(u8, Turns),
    Void(Turns),
}

/// A request that changes the storage, under the lease of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Request {
    Acquire,
    Renew,
    Begin,
    Tell(Turns),
    Commit { at: usize, base: Turns },
    Release,
}

/// The storage: what Azure documents of leases and append blobs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Storage {
    log: Vec<Record>,
    /// The turn that holds the lease, and whether its time is not over.
    lease: Option<(u8, bool)>,
}

impl Storage {
    fn handle(&mut self, turn: u8, request: Request) -> Came {
        match request {
            Request::Acquire => match self.lease {
                Some((holder, true)) if holder != turn => Came::Held,
                _ => {
                    self.lease = Some((turn, true));
                    Came::Done
                }
            },
            // An expired lease is renewed if nobody else has got one since.
            Request::Renew => match self.lease {
                Some((holder, _)) if holder == turn => {
                    self.lease = Some((turn, true));
                    Came::Done
                }
                _ => Came::Fenced,
            },
            Request::Release => {
                if self.lease.is_some_and(|(holder, _)| holder == turn) {
                    self.lease = None;
                }
                Came::Done
            }
            _ if self.lease != Some((turn, true)) => Came::Fenced,
            Request::Begin => self.append(Record::Begin(turn)),
            Request::Tell(lost) => self.append(Record::Void(lost)),
            Request::Commit { at, .. } if at != self.log.len() => Came::Moved,
            Request::Commit { base, .. } => {
                assert_eq!(base, self.ended(), "turn {turn} was written over another history");
                assert_eq!(self.ended() & bit(turn), 0, "turn {turn} was written twice");
                self.append(Record::End(turn, base))
            }
        }
    }

    fn append(&mut self, record: Record) -> Came {
        self.log.push(record);
        Came::Done
    }

    fn ended(&self) -> Turns {
        self.log.iter().fold(0, |all, record| match record {
            Record::End(turn, _) => all | bit(*turn),
            _ => all,
        })
    }

    fn voided(&self) -> Turns {
        self.log.iter().fold(0, |all, record| match record {
            Record::Void(turns) => all | turns,
            _ => all,
        })
    }

    /// The turns that began, and neither ended nor were told lost.
    fn dangling(&self) -> Turns {
        let (begun, over) = self
            .log
            .iter()
            .fold((0, 0), |(begun, over), record| match record {
                Record::Begin(turn) => (begun | bit(*turn), over),
                Record::End(turn, _) => (begun, over | bit(*turn)),
                Record::Void(turns) => (begun, over | turns),
            });
        begun & !over
    }
}

/// A worker in the midst of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Worker {
    turn: u8,
    lease: TurnLease,
    step: Step,
    /// What came of the step, and was not looked at yet.
    came: Option<Came>,
    /// What it read: where the log ends, the turns that ended, those that dangle.
    end: usize,
    base: Turns,
    dangling: Turns,
}

impl Worker {
    fn new(turn: u8) -> Self {
        let mut lease = TurnLease::default();
        let step = lease.next(Came::Done);
        Self {
            turn,
            lease,
            step,
            came: None,
            end: 0,
            base: 0,
            dangling: 0,
        }
    }

    fn request(&self) -> Option<Request> {
        match self.step {
            Step::Acquire => Some(Request::Acquire),
            Step::Begin => Some(Request::Begin),
            Step::Tell => Some(Request::Tell(self.dangling | bit(self.turn))),
            Step::Commit => Some(Request::Commit {
                at: self.end,
                base: self.base,
            }),
            Step::Release => Some(Request::Release),
            Step::Run | Step::Verify | Step::Done(_) => None,
        }
    }

    fn read(&mut self, storage: &Storage) {
        self.end = storage.log.len();
        self.base = storage.ended();
        self.dangling = storage.dangling() & !bit(self.turn);
    }
}

/// How much may go wrong in one run, so that there are finitely many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Budget {
    faults: u8,
    ends: u8,
    deaths: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    storage: Storage,
    /// The turns that each worker has yet to do, and the one that it does.
    waiting: [Vec<u8>; 2],
    workers: [Option<Worker>; 2],
    /// Requests that may arrive at any time.
    late: Vec<(u8, Request)>,
    budget: Budget,
    acknowledged: Turns,
    told_lost: Turns,
}

impl World {
    fn start(turns: [&[u8]; 2], budget: Budget) -> Self {
        let mut world = Self {
            storage: Storage::default(),
            waiting: turns.map(<[u8]>::to_vec),
            workers: [None, None],
            late: vec![],
            budget,
            acknowledged: 0,
            told_lost: 0,
        };
        for who in 0..2 {
            world.workers[who] = world.waiting[who].pop().map(Worker::new);
        }
        world
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut next = self.clone();
        change(&mut next);
        next
    }

    /// All that may happen next.
    fn successors(&self) -> Vec<Self> {
        let mut all = vec![];
        if self.budget.ends > 0 && matches!(self.storage.lease, Some((_, true))) {
            all.push(self.with(|world| {
                world.budget.ends -= 1;
                world.storage.lease = world.storage.lease.map(|(turn, _)| (turn, false));
            }));
        }
        for index in 0..self.late.len() {
            all.push(self.with(|world| {
                let (turn, request) = world.late.remove(index);
                world.storage.handle(turn, request);
            }));
        }
        for who in 0..2 {
            if let Some(worker) = self.workers[who] {
                self.act(who, worker, &mut all);
            }
        }
        all
    }

    fn act(&self, who: usize, worker: Worker, all: &mut Vec<Self>) {
        if self.budget.deaths > 0 {
            all.push(self.with(|world| {
                world.budget.deaths -= 1;
                world.workers[who] = None;
                world.waiting[who].clear();
            }));
        }
        if worker.came.is_some() {
            return all.push(self.with(|world| world.look(who)));
        }
        if worker.step == Step::Run {
            self.send(who, Request::Renew, all);
            all.push(self.with(|world| world.came(who, Came::Done)));
        }
        if worker.step == Step::Verify {
            all.push(self.with(|world| world.verify(who)));
        }
        if let Some(request) = worker.request() {
            self.send(who, request, all);
        }
    }

    /// A request arrives; or its answer is lost; or it is late.
    fn send(&self, who: usize, request: Request, all: &mut Vec<Self>) {
        all.push(self.with(|world| {
            let came = world.arrive(who, request);
            // A renewal that succeeded changes nothing for its turn.
            if request != Request::Renew || came == Came::Fenced {
                world.came(who, came);
            }
        }));
        if self.budget.faults == 0 {
            return;
        }
        for failed in [Came::Again, Came::Failed] {
            if request == Request::Renew && failed == Came::Failed {
                continue;
            }
            for late in [false, true] {
                all.push(self.with(|world| {
                    world.budget.faults -= 1;
                    if late {
                        let turn = world.worker(who).turn;
                        world.late.push((turn, request));
                        world.late.sort_unstable();
                    } else {
                        world.arrive(who, request);
                    }
                    if request != Request::Renew {
                        world.came(who, failed);
                    }
                }));
            }
        }
    }

    fn worker(&mut self, who: usize) -> &mut Worker {
        self.workers[who].as_mut().unwrap()
    }

    fn came(&mut self, who: usize, came: Came) {
        self.worker(who).came = Some(came);
    }

    /// A request arrives. With the one to begin, the log is read.
    fn arrive(&mut self, who: usize, request: Request) -> Came {
        let mut worker = *self.worker(who);
        let came = self.storage.handle(worker.turn, request);
        if request != Request::Begin || came != Came::Done {
            return came;
        }
        worker.read(&self.storage);
        *self.worker(who) = worker;
        if self.storage.voided() & bit(worker.turn) != 0 {
            return Came::Fenced;
        }
        if worker.dangling == 0 {
            Came::Done
        } else {
            Came::Dangling
        }
    }

    fn verify(&mut self, who: usize) {
        let mut worker = *self.worker(who);
        let found = self.storage.ended() & bit(worker.turn) != 0;
        let is_own = |record: &Record| *record == Record::Begin(worker.turn);
        let alone = self.storage.log.iter().skip(worker.end).all(is_own);
        worker.came = Some(match (found, alone) {
            (true, _) => Came::Done,
            (false, false) => Came::Fenced,
            (false, true) => Came::Missing,
        });
        worker.end = self.storage.log.len();
        *self.worker(who) = worker;
    }

    /// A worker looks at what came, and goes on.
    fn look(&mut self, who: usize) {
        let mut worker = *self.worker(who);
        let came = worker.came.take().unwrap();
        worker.step = worker.lease.next(came);
        self.workers[who] = Some(worker);
        let Step::Done(ending) = worker.step else { return };
        match ending {
            Ending::Kept => self.acknowledged |= bit(worker.turn),
            Ending::LeaseLost => self.told_lost |= bit(worker.turn),
            Ending::TurnLost => self.told_lost |= worker.dangling | bit(worker.turn),
            Ending::Busy | Ending::Unavailable => {}
            Ending::NotFound => panic!("the conversation is there"),
        }
        self.workers[who] = self.waiting[who].pop().map(Worker::new);
    }

    fn check(&self) {
        let ended = self.storage.ended();
        assert_eq!(
            self.acknowledged & !ended,
            0,
            "what was acknowledged is in the log: {self:?}"
        );
        assert_eq!(self.told_lost & ended, 0, "what was told lost is not: {self:?}");
    }

    /// Whether the conversation goes on once the leases of the dead are over: at most one caller
    /// is told of a lost turn, and the next one is answered.
    fn goes_on(&self) {
        let mut world = self.clone();
        world.budget = Budget {
            faults: 0,
            ends: 0,
            deaths: 0,
        };
        world.late.clear();
        world.storage.lease = world.storage.lease.map(|(turn, _)| (turn, false));
        world.waiting = [vec![4, 3], vec![]];
        world.workers = [world.waiting[0].pop().map(Worker::new), None];
        while let Some(worker) = world.workers[0] {
            if worker.came.is_some() {
                world.look(0);
            } else if worker.step == Step::Run {
                world.came(0, Came::Done);
            } else {
                let request = worker.request().unwrap();
                let came = world.arrive(0, request);
                world.came(0, came);
            }
            world.check();
        }
        assert_ne!(
            world.acknowledged & bit(4),
            0,
            "the second caller is answered: {self:?}"
        );
        assert_eq!(world.storage.lease, None);
    }
}

fn explore(turns: [&[u8]; 2], budget: Budget) -> usize {
    let mut seen = HashSet::new();
    let mut open = vec![World::start(turns, budget)];
    let all = turns.concat().into_iter().map(bit).sum::<Turns>();
    let (mut kept, mut lost, mut unsure) = (0, 0, 0);
    while let Some(world) = open.pop() {
        if !seen.insert(world.clone()) {
            continue;
        }
        world.check();
        if world.workers == [None, None] {
            world.goes_on();
            kept += usize::from(world.acknowledged == all);
            lost += usize::from(world.told_lost != 0);
            unsure += usize::from(world.storage.ended() & !world.acknowledged != 0);
        }
        open.extend(world.successors());
    }
    // The exploration reached what it is about.
    assert!(kept > 0 && lost > 0 && unsure > 0, "{kept} {lost} {unsure}");
    seen.len()
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_is_written_twice_whatever_the_order() {
    let three: [&[u8]; 2] = [&[2, 0], &[1]];
    let two: [&[u8]; 2] = [&[0], &[1]];
    for (turns, faults, ends, deaths) in [(three, 1, 1, 1), (two, 2, 2, 0), (two, 1, 2, 1)] {
        let states = explore(turns, Budget { faults, ends, deaths });
        assert!(states > 10_000, "{states}");
    }
}
