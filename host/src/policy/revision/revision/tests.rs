//! What is told of a script's error.

use super::*;

#[test]
fn the_place_of_a_scripts_error_is_taken_out_of_its_words() {
    let of = |code: &str, message: &str| {
        place_in("shop.rhai", &Fault::Refused { code: code.into(), message: message.into() })
    };
    assert_eq!(of(SCRIPT_ERROR, "shop.rhai, line 3, column 14, in route: no"), (Some(3), Some(14)));
    assert_eq!(of(SCRIPT_ERROR, "shop.rhai, line 3, in route: line 9, column 9"), (Some(3), None));
    assert_eq!(of(SCRIPT_ERROR, "shop.rhai, in route: no"), (None, None));
    assert_eq!(of(SCRIPT_ERROR, "other.rhai, line 3, column 14, in route: no"), (None, None));
    assert_eq!(of("NO_ROUTE", "shop.rhai, line 3, column 14, in route: no"), (None, None));
}
