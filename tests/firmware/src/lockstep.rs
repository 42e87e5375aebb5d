// SPDX-License-Identifier: MIT OR Apache-2.0
//! Three domains that run the same scenario, each waiting for the results of
//! the others' steps. The control domain passes them on, and writes the log.

use core::fmt;
use core::time::Duration;

use firmware::hypercall::yield_now;
use firmware::println;
use firmware::time::now;
use xen_guest_scenarios::{Concurrent, Domain, Role, World};

use crate::mailbox::Mailbox;

/// How long a step of another domain may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// How this domain reaches the others.
#[derive(Debug)]
pub enum Link {
    /// The control domain: to A and to B.
    Hub([Mailbox; 2]),
    /// A plain domain: to the control domain.
    Spoke(Mailbox),
}

/// A wrong turn taken on purpose, to see that it is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Break {
    /// A result is not what it was.
    Fail,
    /// A step never ends.
    Hang,
    /// The firmware panics.
    Panic,
    /// The run ends early, without saying that it is complete.
    Silent,
}

/// The steps at which things go wrong: enough for one whose result is checked.
const BREAK_AT: core::ops::Range<u32> = 20..25;

/// This domain's view of the run.
pub struct Lockstep<'w> {
    pub domain: Domain<'w>,
    pub link: Link,
    pub broken: Option<Break>,
    /// Steps so far.
    pub number: u32,
}

fn wait<T>(number: u32, whom: Role, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = now() + PATIENCE;
    loop {
        if let Some(value) = look() {
            return value;
        }
        assert!(now() < deadline, "step {number}: no word from {whom}");
        yield_now();
    }
}

impl Lockstep<'_> {
    fn relay(&self, boxes: &[Mailbox; 2], role: Role, result: Option<[i64; 2]>) -> [i64; 2] {
        let number = self.number;
        let mut value = match (result, role) {
            (Some(value), _) => value,
            (None, Role::B) => wait(number, role, || boxes[1].receive_up(number)),
            (None, _) => wait(number, role, || boxes[0].receive_up(number)),
        };
        if BREAK_AT.contains(&number) {
            self.break_it(&mut value);
        }
        for (mailbox, role) in boxes.iter().zip([Role::A, Role::B]) {
            mailbox.send_down(number, value);
            wait(number, role, || mailbox.taken(number).then_some(()));
        }
        value
    }

    fn break_it(&self, value: &mut [i64; 2]) {
        match self.broken {
            None => {}
            Some(Break::Fail) => value[0] += 1,
            Some(Break::Panic) => panic!("on purpose"),
            Some(Break::Silent) => {
                firmware::hypercall::shutdown(firmware::hypercall::Shutdown::PowerOff)
            }
            Some(Break::Hang) => loop {
                yield_now();
            },
        }
    }
}

impl<'w> World<'w> for Lockstep<'w> {
    fn local(&self, role: Role) -> Option<&Domain<'w>> {
        (role == self.domain.role).then_some(&self.domain)
    }

    fn share(&mut self, role: Role, result: Option<[i64; 2]>) -> [i64; 2] {
        self.number += 1;
        let number = self.number;
        match &self.link {
            Link::Hub(boxes) => self.relay(boxes, role, result),
            Link::Spoke(mailbox) => {
                if let Some(value) = result {
                    mailbox.send_up(number, value);
                }
                wait(number, Role::Control, || mailbox.receive_down(number))
            }
        }
    }

    fn at_once(&mut self, steps: [Concurrent<'_, 'w>; 2]) -> [Option<i64>; 2] {
        // The other domain carries out its own at this moment.
        steps.map(|step| (step.role == self.domain.role).then(|| (step.op)(&self.domain)))
    }

    fn log(&mut self, line: fmt::Arguments<'_>) {
        if let Link::Hub(_) = self.link {
            println!("log: {line}");
        }
    }

    fn on_x86(&self) -> bool {
        cfg!(target_arch = "x86_64")
    }
}

impl fmt::Debug for Lockstep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lockstep({:?}, step {})", self.domain, self.number)
    }
}
