//! Words that say what follows them, or what they are part of.

/// Values follow these words of Salesforce's without quotation marks, up to the second words or the end of the text.
pub(super) const VALUES: [(&str, &str); 10] = [
    ("data value too large: ", " (max length="),
    ("bad value for restricted picklist field: ", ""),
    ("invalid email address: ", ""),
    ("value not of required type: ", ""),
    ("id value of incorrect type: ", ""),
    ("value outside of valid range on numeric field: ", ""),
    ("foreign key external id: ", " not found for field"),
    ("duplicate external id specified: ", ""),
    (" from value_string value ", " or request may be"),
    // This host's own: which queues there are is not the cause.
    ("; there are: ", ""),
];

/// A quoted name after one of these is a name of the set-up, and stays.
const NOUNS: [&str; 20] = [
    "team",
    "queue",
    "column",
    "field",
    "type",
    "object",
    "sobject",
    "entity",
    "relationship",
    "picklist",
    "rule",
    "flow",
    "trigger",
    "class",
    "method",
    "policy",
    "plugin",
    "function",
    "variable",
    "property",
];

/// A number that is the name of a team, an account or a queue stays after one of these, or one of the above.
pub(super) const ACCOUNTS: [&str; 4] = ["account", "page", "channel", "source"];

/// Parts of a date or time where they stand beside a number.
pub(super) const DATE_WORDS: [&str; 48] = [
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
    "January",
    "February",
    "March",
    "April",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
    "Mon",
    "Tue",
    "Wed",
    "Thu",
    "Fri",
    "Sat",
    "Sun",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "AM",
    "PM",
    "am",
    "pm",
    "UTC",
    "GMT",
    "CET",
    "CEST",
    "EST",
    "PST",
    "PDT",
];

/// Suffixes of the API names that an organization gives.
pub(super) const CUSTOM: [&str; 7] = ["__c", "__r", "__pc", "__mdt", "__e", "__x", "__kav"];

/// Whether what follows the word is the name of something in the set-up.
pub(super) fn is_noun(word: &str) -> bool {
    NOUNS.iter().any(|noun| noun.eq_ignore_ascii_case(word))
}
