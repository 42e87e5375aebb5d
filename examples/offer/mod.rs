// SPDX-License-Identifier: MIT OR Apache-2.0
use core::sync::atomic::{AtomicU32, Ordering};
use xen_guest::{Access, DomId, Error, EventChannel, Grant, Guest, PageOwner};

pub static EVENTS: AtomicU32 = AtomicU32::new(0);

/// Grant `page` to `peer`, with our port in it.
pub fn offer<'g, P: PageOwner>(
    guest: &'g Guest<'g>,
    peer: DomId,
    page: P,
) -> Result<(EventChannel<'g>, Grant<'g, P>), Error> {
    let mut channel = EventChannel::alloc_unbound(guest, peer)?;
    // The handler runs in the event interrupt.
    channel.bind(&|| _ = EVENTS.fetch_add(1, Ordering::Relaxed))?;
    // All errors give back what they were given; here the page is dropped.
    let grant = Grant::new(guest, peer, page, Access::ReadWrite).map_err(|e| e.error)?;
    grant.memory().write_release(0, channel.port().raw());
    Ok((channel, grant)) // dropping them closes the port and revokes the grant
}
