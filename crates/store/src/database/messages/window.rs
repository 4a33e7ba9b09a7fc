//! Reading just that part of a lane which changed messages touch.

use domain::ChannelId;

use super::row::stored;
use crate::{
    Result,
    database::{Session, query::Statement},
    lanes::{Lane, Place, Stored},
};

const FIRST_READ: u32 = 32;
const LARGEST_READ: u32 = 512;

/// Which way to read a lane.
enum Direction {
    /// Messages before a place, newest first.
    Before,
    /// Messages from a place on, it included.
    From,
    /// Messages after a place.
    After,
}

/// The units of a lane that lie around the given places (sorted): the one at each, before and after.
pub(super) async fn units_around(
    connection: &mut Session,
    channel: &ChannelId,
    lane: &Lane,
    places: &[Place],
) -> Result<Vec<Vec<Stored>>> {
    let mut units = Vec::new();
    let mut left = places;
    while let Some(first) = left.first() {
        let mut part = unit_before(connection, channel, lane, first).await?;
        let mut size = FIRST_READ;
        let mut whole = false;
        let mut direction = Direction::From;
        let mut from = first.clone();
        let end = loop {
            match left.first().and_then(|place| lane.end_after(&part, place, whole)) {
                Some(end) => {
                    let loaded = part.last().map(Stored::place);
                    match left.get(1) {
                        // What has been read already covers the next place as well, or will soon.
                        Some(next) if loaded.is_some_and(|last| (next.0, &next.1) <= last) => {
                            left = &left[1..];
                        }
                        _ => break end,
                    }
                }
                None => {
                    let more = read(connection, channel, lane, &from, &direction, size).await?;
                    whole = more.len() < size as usize;
                    size = (size * 2).min(LARGEST_READ);
                    if let Some(last) = more.last() {
                        from = (last.message.sent_at, last.message.id.clone());
                        direction = Direction::After;
                    }
                    part.extend(more);
                }
            }
        };
        part.truncate(end);
        units.extend(lane.cut(part));
        left = &left[1..];
    }
    Ok(units)
}

/// The unit that ends before a place, in order.
async fn unit_before(
    connection: &mut Session,
    channel: &ChannelId,
    lane: &Lane,
    place: &Place,
) -> Result<Vec<Stored>> {
    let mut before: Vec<Stored> = Vec::new();
    let mut size = FIRST_READ;
    let mut from = place.clone();
    loop {
        let more = read(connection, channel, lane, &from, &Direction::Before, size).await?;
        // A unit longer than any may be is cut where reading stops.
        let whole = more.len() < size as usize
            || before.len() >= domain::conversation::MAX_MESSAGES as usize;
        if let Some(last) = more.last() {
            from = (last.message.sent_at, last.message.id.clone());
        }
        before.extend(more);
        if let Some(count) = lane.start_before(&before, whole) {
            before.truncate(count);
            before.reverse();
            return Ok(before);
        }
        size = (size * 2).min(LARGEST_READ);
    }
}

async fn read(
    connection: &mut Session,
    channel: &ChannelId,
    lane: &Lane,
    (at, id): &Place,
    direction: &Direction,
    limit: u32,
) -> Result<Vec<Stored>> {
    let mut sql = Statement::new("SELECT * FROM messages WHERE channel_id = ");
    sql.push_bind(channel.as_str());
    match lane {
        Lane::Channel => sql.push(" AND thread_id IS NULL"),
        Lane::Thread(thread) => sql.push(" AND thread_id = ").push_bind(thread.as_str()),
    };
    sql.push(" AND deleted_at IS NULL AND kind = 'text' AND (sent_at, message_id) ");
    sql.push(match direction {
        Direction::Before => "< (",
        Direction::From => ">= (",
        Direction::After => "> (",
    });
    sql.push_bind(at.micros()).push(", ").push_bind(id.as_str());
    sql.push(match direction {
        Direction::Before => ") ORDER BY sent_at DESC, message_id DESC LIMIT ",
        Direction::From | Direction::After => ") ORDER BY sent_at, message_id LIMIT ",
    });
    let rows = sql.push_bind(limit).build().fetch_all(connection).await?;
    rows.iter().map(stored).collect()
}
