//! Wall time in UTC, as text.

use std::time::SystemTime;

use jiff::Timestamp;

/// For names of folders: `20261121T213000Z`. A clock that is out of range shows 1970.
#[must_use]
pub fn compact(time: SystemTime) -> String {
    utc(time).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// For people and programs (RFC 3339): `2026-11-21T21:30:00Z`. A clock that is out of range shows 1970.
#[must_use]
pub fn readable(time: SystemTime) -> String {
    utc(time).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn utc(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH)
}
