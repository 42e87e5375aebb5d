// SPDX-License-Identifier: MIT OR Apache-2.0
//! The exchange that the examples show, the same on the simulator and in
//! firmware on real Xen: one domain grants a page and opens an event channel,
//! the other maps the page and connects, and both signal back and forth.
//!
//! The granter writes a message into the page and signals; the mapper turns
//! it round, writes it back and signals. In a larger system the mapper would
//! learn reference and port through xenstore; here it knows the reference,
//! because it is the first that a fresh table gives out, and finds the port
//! in the page.

use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use xen_guest::{
    Access, DomId, EmptyPages, Error, EventChannel, Grant, GrantMapping, GrantRef, Guest,
    PageOwner, Port, SharedMemory,
};

/// What the examples need of where they run.
pub trait Place {
    /// Print a line.
    fn say(&self, line: fmt::Arguments<'_>);
    /// Wait until `condition` holds, which is looked at after every event and
    /// now and then. False if it takes too long.
    fn wait(&self, condition: &mut dyn FnMut() -> bool) -> bool;
    /// Time since some fixed moment.
    fn now(&self) -> Duration;
}

/// What ended an exchange early.
#[derive(Debug)]
pub enum Problem {
    /// The library or Xen refused something.
    Refused(&'static str, Error),
    /// The peer did not do its part in time.
    Silent(&'static str),
    /// The peer's answer is not what it should be.
    Wrong,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(what, error) => write!(f, "{what}: {error}"),
            Self::Silent(what) => write!(f, "the peer is silent: {what}"),
            Self::Wrong => f.write_str("the peer's answer is wrong"),
        }
    }
}

/// The first reference of a fresh grant table: 0 to 7 belong to Xen's tools.
const FIRST_REFERENCE: GrantRef = GrantRef::new(8);

/// Where things are in the page, in bytes.
mod offset {
    /// [`super::READY`] once the port is there.
    pub const READY: usize = 0;
    /// The granter's port.
    pub const PORT: usize = 4;
    /// Number of the message in the page, or [`super::LAST`].
    pub const ASKED: usize = 8;
    /// Number of the message that was answered.
    pub const ANSWERED: usize = 12;
    /// The message.
    pub const MESSAGE: usize = 64;
}

const READY: u32 = 0x5859_4758;
const LAST: u32 = u32::MAX;
const MESSAGE_BYTES: usize = 16;

/// Rounds that are shown one by one.
const SHOWN: u32 = 3;

/// Signals that each side got: handlers run in interrupts, so they only count.
static GRANTER_EVENTS: AtomicU32 = AtomicU32::new(0);
static MAPPER_EVENTS: AtomicU32 = AtomicU32::new(0);

fn refused(what: &'static str) -> impl FnOnce(Error) -> Problem {
    move |error| Problem::Refused(what, error)
}

fn message(round: u32) -> [u8; MESSAGE_BYTES] {
    let mut message = *b"message no      ";
    let mut rest = round;
    for place in message[11..].iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    message
}

fn reversed(mut message: [u8; MESSAGE_BYTES]) -> [u8; MESSAGE_BYTES] {
    message.reverse();
    message
}

fn text(message: &[u8]) -> &str {
    core::str::from_utf8(message).unwrap_or("(not text)")
}

/// Grant `page` to `peer`, have `rounds` messages answered, and take the page
/// back.
pub fn granter<P: PageOwner>(
    guest: &Guest<'_>,
    peer: DomId,
    page: P,
    rounds: u32,
    place: &impl Place,
) -> Result<P, Problem> {
    let mut channel =
        EventChannel::alloc_unbound(guest, peer).map_err(refused("opening a port"))?;
    channel
        .bind(&|| _ = GRANTER_EVENTS.fetch_add(1, Ordering::Relaxed))
        .map_err(refused("binding a handler"))?;
    let grant = Grant::new(guest, peer, page, Access::ReadWrite)
        .map_err(|failure| Problem::Refused("granting", failure.error))?;
    place.say(format_args!(
        "granted a page to {peer} as {}, opened {}",
        grant.gref(),
        channel.port()
    ));
    if grant.gref() != FIRST_REFERENCE {
        return Err(Problem::Silent("it expects another reference"));
    }
    let memory = grant.memory();
    memory.write(offset::ASKED, 0_u32);
    memory.write(offset::ANSWERED, 0_u32);
    memory.write(offset::PORT, channel.port().raw());
    memory.write_release(offset::READY, READY);

    let mut start = place.now();
    for round in 1..=rounds {
        memory.write_bytes(offset::MESSAGE, &message(round));
        memory.write_release(offset::ASKED, round);
        channel.notify().map_err(refused("signalling"))?;
        if !place.wait(&mut || memory.read_acquire::<u32>(offset::ANSWERED) == round) {
            return Err(Problem::Silent("no answer"));
        }
        if round == 1 {
            // The peer had to start first: that is no round trip.
            start = place.now();
        }
        let mut answer = [0; MESSAGE_BYTES];
        memory.read_bytes(offset::MESSAGE, &mut answer);
        if answer != reversed(message(round)) {
            return Err(Problem::Wrong);
        }
        if round <= SHOWN {
            place.say(format_args!(
                "sent \"{}\", got \"{}\"",
                text(&message(round)),
                text(&answer)
            ));
        }
    }
    let took = place.now() - start;

    let grant = match grant.end() {
        Err(busy) => {
            place.say(format_args!("ending the grant now: {}", busy.error));
            busy.grant
        }
        Ok(_) => return Err(Problem::Silent("it does not have the page mapped")),
    };
    grant.memory().write_release(offset::ASKED, LAST);
    channel.notify().map_err(refused("signalling"))?;
    let mut grant = Some(grant);
    let mut page = None;
    let ended = place.wait(&mut || {
        match grant.take().map(Grant::end) {
            Some(Ok(back)) => page = Some(back),
            Some(Err(busy)) => grant = Some(busy.grant),
            None => {}
        }
        page.is_some()
    });
    let Some(page) = page.filter(|_| ended) else {
        return Err(Problem::Silent("it does not let go of the page"));
    };
    place.say(format_args!("the peer let go, the page is ours again"));
    place.say(format_args!(
        "{rounds} round trips, {} events, {} round trips per second",
        GRANTER_EVENTS.load(Ordering::Relaxed),
        per_second(rounds - 1, took)
    ));
    channel
        .close()
        .map_err(|(error, _)| Problem::Refused("closing", error))?;
    Ok(page)
}

fn per_second(count: u32, took: Duration) -> u128 {
    u128::from(count) * 1_000_000_000 / took.as_nanos().max(1)
}

/// Map the page of `peer` at `pages` and answer until the granter is done.
pub fn mapper(
    guest: &Guest<'_>,
    peer: DomId,
    pages: EmptyPages,
    place: &impl Place,
) -> Result<EmptyPages, Problem> {
    let mapping = map_first(guest, peer, pages, place)?;
    let memory = mapping.memory();
    if !place.wait(&mut || memory.read_acquire::<u32>(offset::READY) == READY) {
        return Err(Problem::Silent("its page never gets ready"));
    }
    // Copied once, then checked: the peer may write anything, at any time.
    let port = memory.read(offset::PORT);
    let port = Port::new(port).ok_or(Problem::Wrong)?;
    let mut channel = EventChannel::bind_interdomain(guest, peer, port)
        .map_err(refused("connecting to the peer's port"))?;
    channel
        .bind(&|| _ = MAPPER_EVENTS.fetch_add(1, Ordering::Relaxed))
        .map_err(refused("binding a handler"))?;
    place.say(format_args!(
        "mapped {FIRST_REFERENCE} of {peer}, connected {} to its {port}",
        channel.port()
    ));

    let mut answered = 0;
    while let Some(asked) = next(&memory, answered, place)? {
        let mut bytes = [0; MESSAGE_BYTES];
        memory.read_bytes(offset::MESSAGE, &mut bytes);
        memory.write_bytes(offset::MESSAGE, &reversed(bytes));
        memory.write_release(offset::ANSWERED, asked);
        channel.notify().map_err(refused("signalling"))?;
        if asked <= SHOWN {
            place.say(format_args!("turned \"{}\" round", text(&bytes)));
        }
        answered = asked;
    }
    place.say(format_args!("answered {answered}, unmapping"));
    let pages = mapping
        .unmap()
        .map_err(|failure| Problem::Refused("unmapping", failure.error))?;
    channel.notify().map_err(refused("signalling"))?;
    channel
        .close()
        .map_err(|(error, _)| Problem::Refused("closing", error))?;
    Ok(pages)
}

/// The granter may not have come as far as granting: try until it has.
fn map_first<'g>(
    guest: &'g Guest<'g>,
    peer: DomId,
    pages: EmptyPages,
    place: &impl Place,
) -> Result<GrantMapping<'g>, Problem> {
    let mut pages = Some(pages);
    let mut mapping = None;
    let mut refusal = Error::TryAgain;
    place.wait(&mut || {
        let Some(empty) = pages.take() else {
            return true;
        };
        match GrantMapping::new(guest, peer, FIRST_REFERENCE, Access::ReadWrite, empty) {
            Ok(new) => mapping = Some(new),
            Err(failure) => {
                refusal = failure.error;
                pages = failure.pages;
            }
        }
        mapping.is_some()
    });
    mapping.ok_or(Problem::Refused("mapping the peer's page", refusal))
}

/// Number of the next message, or none after the last.
fn next(
    memory: &SharedMemory<'_>,
    answered: u32,
    place: &impl Place,
) -> Result<Option<u32>, Problem> {
    let mut asked = answered;
    let came = place.wait(&mut || {
        asked = memory.read_acquire(offset::ASKED);
        asked != answered
    });
    match asked {
        _ if !came => Err(Problem::Silent("no message")),
        LAST => Ok(None),
        asked => Ok(Some(asked)),
    }
}
