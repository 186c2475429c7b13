//! Events as they are sent: encoded once for everybody who listens.

use axum::http::HeaderValue;
use bytes::Bytes;

use crate::domain::{EventType, HostEvent, OrgId};
use crate::http::api::Event;
use crate::http::problem::Problem;

/// Where somebody has read to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The name of the sequence.
    pub(super) of: String,
    pub(super) number: u64,
}

impl Place {
    /// Reads an id as it was sent with an event.
    ///
    /// # Errors
    /// When no event ever had such an id.
    pub(super) fn read(id: &HeaderValue) -> Result<Self, Problem> {
        let place = || {
            let (of, number) = id.to_str().ok()?.split_once('-')?;
            let is_name = of.len() == 16 && of.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let digits = number.bytes().all(|byte| byte.is_ascii_digit());
            Some(Self { of: of.to_owned(), number: number.parse().ok().filter(|_| is_name && digits)? })
        };
        place().ok_or_else(|| Problem::bad_request("Last-Event-ID: not the id of an event"))
    }
}

/// The id of an event.
pub(super) fn id(name: &str, number: u64) -> String {
    format!("{name}-{number}")
}

/// An event, ready to be sent.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) number: u64,
    pub(super) what: EventType,
    pub(super) org: Option<OrgId>,
    pub(super) bytes: Bytes,
}

impl Frame {
    pub(super) fn new(name: &str, number: u64, event: HostEvent) -> Self {
        let (id, what, org) = (id(name, number), event.what, event.org.clone());
        // An event is made of ids, words and numbers: there is always JSON for it, in one line.
        let data = serde_json::to_string(&Event::from((id.clone(), event))).unwrap_or_default();
        let bytes = format!("id: {id}\nevent: {}\ndata: {data}\n\n", what.as_str()).into();
        Self { number, what, org, bytes }
    }
}

/// Says how far everything was told, without an event: it keeps the connection alive, and a client's place near the newest event also where
/// nothing matches its filters.
pub(super) fn place(name: &str, number: u64) -> Bytes {
    format!("id: {}\n\n", id(name, number)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    #[test]
    fn an_id_reads_back_and_what_is_none_is_refused() {
        let id = |text: &str| Place::read(&HeaderValue::from_bytes(text.as_bytes()).unwrap());
        let place = id("0123456789abcdef-18446744073709551615").unwrap_or_else(|_| panic!());
        assert_eq!(place, Place { of: "0123456789abcdef".to_owned(), number: u64::MAX });
        for bad in [
            "7",
            "-7",
            "0123456789abcdef",
            "0123456789abcdef-",
            "0123456789abcdef--7",
            "0123456789abcdef-+7",
            "0123456789abcdef-7-7",
            "0123456789abcdef-18446744073709551616",
            "0123456789ABCDEF-7",
            "0123456789abcde-7",
            "gäb",
            "*",
        ] {
            assert_eq!(id(bad).err().map(|problem| problem.status().as_u16()), Some(400), "{bad}");
        }
    }

    #[test]
    fn a_frame_is_one_event_with_its_id_its_type_and_one_line_of_data() {
        let event = HostEvent::new(EventType::Reset, Timestamp::default());
        let frame = Frame::new("0123456789abcdef", 7, event);
        let text = String::from_utf8(frame.bytes.to_vec()).unwrap();
        let lines: Vec<_> = text.split('\n').collect();
        assert_eq!(lines[..2], ["id: 0123456789abcdef-7", "event: reset"]);
        assert!(
            lines[2].starts_with("data: {\"id\":\"0123456789abcdef-7\",\"type\":\"reset\",\"at\":\"1970"),
            "{text}"
        );
        assert_eq!(lines[3..], ["", ""]);
    }
}
