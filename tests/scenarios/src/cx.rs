// SPDX-License-Identifier: MIT OR Apache-2.0
//! Running a scenario: steps, checks and the log.

use core::fmt;

use crate::domain::{Domain, Role, State};
use crate::{Scenario, Verdict};

/// A step that is carried out while another one is.
pub struct Concurrent<'a, 'w> {
    /// Whose.
    pub role: Role,
    /// What.
    pub op: &'a mut (dyn FnMut(&Domain<'w>) -> i64 + Send),
}

impl fmt::Debug for Concurrent<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Concurrent({})", self.role)
    }
}

/// Where a scenario runs.
pub trait World<'w> {
    /// The domain that plays `role`, if its steps are carried out here.
    fn local(&self, role: Role) -> Option<&Domain<'w>>;

    /// Make the result of a step known to every participant: given by the one
    /// that carried it out, returned to all.
    fn share(&mut self, role: Role, result: Option<[i64; 2]>) -> [i64; 2];

    /// Carry out two steps at the same time; the results are the values that
    /// their domains got, where they run here.
    fn at_once(&mut self, steps: [Concurrent<'_, 'w>; 2]) -> [Option<i64>; 2];

    /// Write a line.
    fn log(&mut self, line: fmt::Arguments<'_>);

    /// Whether it is Xen for x86, which is not everywhere as on Arm. The
    /// simulator is Arm's.
    fn on_x86(&self) -> bool {
        false
    }
}

/// A check that did not hold.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    file: &'static str,
    line: u32,
    got: i64,
    want: i64,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            line,
            got,
            want,
        } = self;
        write!(f, "{file}:{line}: got {got}, want {want}")
    }
}

/// How many scenarios passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// All checks held and nothing was left open.
    pub passed: u32,
    /// The others.
    pub failed: u32,
}

impl Outcome {
    pub(crate) fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Ok(()) => self.passed += 1,
            Err(_) => self.failed += 1,
        }
    }
}

/// A scenario in progress.
pub struct Cx<'a, 'w> {
    world: &'a mut dyn World<'w>,
    note: Option<&'static str>,
    x86: Option<&'static str>,
}

impl<'w> Cx<'_, 'w> {
    /// Have `role` carry out `op`, described by `call`. All participants get
    /// the result.
    pub(crate) fn step(
        &mut self,
        role: Role,
        call: fmt::Arguments<'_>,
        op: impl FnOnce(&Domain<'w>) -> i64,
    ) -> i64 {
        let result = self.world.local(role).map(|domain| {
            let value = op(domain);
            [value, domain.state().pack()]
        });
        let [value, state] = self.world.share(role, result);
        let state = State::unpack(state);
        self.world
            .log(format_args!("  {role} {call} = {value} [{state}]"));
        value
    }

    /// Two steps of different domains at the same time.
    pub(crate) fn at_once(
        &mut self,
        call: fmt::Arguments<'_>,
        steps: [Concurrent<'_, 'w>; 2],
    ) -> [i64; 2] {
        let roles = [steps[0].role, steps[1].role];
        let values = self.world.at_once(steps);
        let [one, two] = [0, 1].map(|i| {
            let value = values[i].map(|value| [value, 0]);
            self.world.share(roles[i], value)[0]
        });
        self.world.log(format_args!(
            "  {} and {} {call} = {one} and {two}",
            roles[0], roles[1]
        ));
        [one, two]
    }

    /// A value that is not the same everywhere: known to all, but not logged.
    pub(crate) fn tell(&mut self, role: Role, value: impl FnOnce(&Domain<'w>) -> i64) -> i64 {
        let value = self.world.local(role).map(|domain| [value(domain), 0]);
        self.world.share(role, value)[0]
    }

    /// End the scenario unless `got` is `want`.
    #[track_caller]
    pub(crate) fn check(&self, got: i64, want: i64) -> Verdict {
        if got == want {
            return Ok(());
        }
        let at = core::panic::Location::caller();
        Err(Failure {
            file: at.file(),
            line: at.line(),
            got,
            want,
        })
    }

    /// Say with the verdict that it is about less than usual.
    pub(crate) fn note(&mut self, note: &'static str) {
        self.note = Some(note);
    }

    /// Whether this is Xen for x86.
    pub(crate) fn on_x86(&self) -> bool {
        self.world.on_x86()
    }

    /// The same where x86 differs from Arm by this, which comes with the
    /// verdict.
    pub(crate) fn x86(&mut self, by: &'static str) -> bool {
        let on_x86 = self.world.on_x86();
        if on_x86 {
            self.x86 = Some(by);
        }
        on_x86
    }

    fn nothing_left(&mut self) -> Verdict {
        for role in Role::ALL {
            let state = self.step(role, format_args!("holds"), |d| d.state().pack());
            self.check(state, State::default().pack())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Cx<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cx")
    }
}

/// Run one scenario, from its heading to its verdict.
pub(crate) fn run(world: &mut dyn World<'_>, scenario: &Scenario) -> Verdict {
    world.log(format_args!("scenario {}", scenario.name));
    for role in Role::ALL {
        if let Some(domain) = world.local(role) {
            domain.reset();
        }
    }
    let mut cx = Cx {
        world,
        note: None,
        x86: None,
    };
    let verdict = (scenario.run)(&mut cx).and_then(|()| cx.nothing_left());
    let Cx { world, note, x86 } = cx;
    let name = scenario.name;
    match (&verdict, x86, note) {
        (Ok(()), Some(by), _) => world.log(format_args!("passed {name}: x86: {by}")),
        (Ok(()), None, Some(note)) => world.log(format_args!("passed {name}: {note}")),
        (Ok(()), None, None) => world.log(format_args!("passed {name}")),
        (Err(failure), ..) => world.log(format_args!("FAILED {name}: {failure}")),
    }
    verdict
}
