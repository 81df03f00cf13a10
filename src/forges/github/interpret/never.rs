//! Arbitrary deliveries never make the interpreter panic: each has a meaning, or a sentence about what cannot be read.

use proptest::prelude::*;

use super::interpret;
use super::planted::{EVENTS, payload};
use crate::domain::strange;

#[test]
fn one_strange_value_in_any_place_never_panics() {
    for event in EVENTS {
        strange::one(&payload(event), |body| {
            let _ = interpret(event, body);
        });
    }
}

#[test]
fn a_truncated_body_is_refused_and_never_panics() {
    for event in EVENTS {
        let body = payload(event).to_string();
        assert!(interpret(event, body.as_bytes()).is_ok(), "{event}");
        for end in 0..body.len() {
            let why = interpret(event, &body.as_bytes()[..end]).unwrap_err();
            assert!(why.starts_with(event), "{why}");
        }
    }
}

proptest! {
    #[test]
    fn several_strange_values_never_panic(
        event in prop::sample::select(EVENTS),
        changes in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::option::of(prop::sample::select(strange::values()))),
            1..8,
        ),
    ) {
        let mut changed = payload(event);
        for (place, by) in changes {
            let mut place = place.index(strange::size(&changed));
            strange::change(&mut changed, &mut place, by.as_ref());
        }
        let _ = interpret(event, changed.to_string().as_bytes());
    }

    #[test]
    fn strange_bytes_never_panic(
        event in prop::sample::select(EVENTS),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut body = payload(event).to_string().into_bytes();
        for (place, byte) in flips {
            let place = place.index(body.len());
            body[place] = byte;
        }
        let _ = interpret(event, &body);
    }

    #[test]
    fn no_event_whatever_its_name_panics(event in "\\PC{0,80}", body in any::<Vec<u8>>()) {
        let _ = interpret(&event, &body);
    }
}
