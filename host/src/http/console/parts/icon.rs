//! The icons: lines of two units on a field of 24, in the colour of the text beside them. They say nothing that words do not say as well.

use maud::{Markup, html};

/// What an icon stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    Home,
    Causes,
    SyncErrors,
    Operations,
    Policies,
    More,
    Actions,
    Mails,
    Customers,
    Quarantine,
    Tokens,
    Settings,
    Api,
    Search,
    Retry,
    Ignore,
    Reopen,
    Assign,
    Good,
    Bad,
    Waits,
    Pause,
    Resume,
    Cancel,
    Outside,
    Download,
    Incident,
    Growing,
    Person,
    Conversation,
    Plugin,
    Next,
    Previous,
}

impl Icon {
    /// Every icon.
    pub(crate) const ALL: [Self; 33] = [
        Self::Home,
        Self::Causes,
        Self::SyncErrors,
        Self::Operations,
        Self::Policies,
        Self::More,
        Self::Actions,
        Self::Mails,
        Self::Customers,
        Self::Quarantine,
        Self::Tokens,
        Self::Settings,
        Self::Api,
        Self::Search,
        Self::Retry,
        Self::Ignore,
        Self::Reopen,
        Self::Assign,
        Self::Good,
        Self::Bad,
        Self::Waits,
        Self::Pause,
        Self::Resume,
        Self::Cancel,
        Self::Outside,
        Self::Download,
        Self::Incident,
        Self::Growing,
        Self::Person,
        Self::Conversation,
        Self::Plugin,
        Self::Next,
        Self::Previous,
    ];

    /// Its lines, as the `d` of a path.
    const fn lines(self) -> &'static str {
        match self {
            Self::Home => "M4 11 12 4l8 7M6 9.5V20h12V9.5M10 20v-6h4v6",
            Self::Causes => "m12 3 9 5-9 5-9-5zM3 12.5l9 5 9-5M3 17l9 5 9-5",
            Self::SyncErrors => "M12 3.5 22 20.5H2zM12 10v4.5M12 17.2v.3",
            Self::Operations => "M4 6h10M4 12h10M4 18h6M16 14l5 3.5-5 3.5z",
            Self::Policies => "M6 3v18M6 8c0 5 12 2 12 8v5M18 21l-3-3M18 21l3-3M6 3 3 6M6 3l3 3",
            Self::More => "M5 12h.01M12 12h.01M19 12h.01",
            Self::Actions => "M3 12a9 9 0 1 0 3-6.7L3 8M3 3v5h5M12 7v5l3.5 2",
            Self::Mails => "M3 6h18v12H3zM3 7l9 6 9-6",
            Self::Customers => {
                "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-8 14-8 14 0M16 3.5a4 4 0 0 1 0 7M22 21c0-4-2-5.5-4-6"
            }
            Self::Quarantine => "M3 4h18v5H3zM5 9v11h14V9M10 13h4",
            Self::Tokens => "M8 20a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM11.5 11.5 20 3M17 6l3 3",
            Self::Settings => {
                "M4 7h9M19 7h1M4 17h1M11 17h9M16 10a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM8 20a3 3 0 1 0 0-6 3 3 0 0 0 0 6z"
            }
            Self::Api => "m8 7-5 5 5 5M16 7l5 5-5 5M14 4l-4 16",
            Self::Search => "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.5 15.5 21 21",
            Self::Retry => "M20 11a8 8 0 1 0-2.3 6M20 4v7h-7",
            Self::Ignore => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM6 6l12 12",
            Self::Reopen => "M4 9h10a6 6 0 0 1 0 12H8M4 9l5-5M4 9l5 5",
            Self::Assign => "M10 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM3 21c0-8 14-8 14 0M19 8v6M16 11h6",
            Self::Good => "m4 12.5 5.5 5.5L20 6.5",
            Self::Bad => "M6 6l12 12M18 6 6 18",
            Self::Waits => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
            Self::Pause => "M8 5v14M16 5v14",
            Self::Resume => "M7 4l12 8-12 8z",
            Self::Cancel => "M6 6h12v12H6z",
            Self::Outside => "M14 4h6v6M20 4l-9 9M18 14v6H4V6h6",
            Self::Download => "M12 4v11M7 11l5 5 5-5M4 20h16",
            Self::Incident => "M13 2 5 13.5h6L10 22l9-12h-6.5z",
            Self::Growing => "M3 18l6-6 4 4 8-9M15 7h6v6",
            Self::Person => "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 21c0-9 14-9 14 0",
            Self::Conversation => "M4 5h16v11H11l-5 4v-4H4zM8 9h8M8 12.5h5",
            Self::Plugin => "M9 3v5M15 3v5M6 8h12v4a6 6 0 0 1-12 0zM12 18v3",
            Self::Next => "m9 5 7 7-7 7",
            Self::Previous => "m15 5-7 7 7 7",
        }
    }
}

/// The icon, as large as the text beside it; who hears the page hears nothing of it.
pub(crate) fn icon(of: Icon) -> Markup {
    html! {
        svg.icon viewBox="0 0 24 24" aria-hidden="true" focusable="false" { path d=(of.lines()) {} }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_icons_look_alike() {
        let drawn: HashSet<_> = Icon::ALL.into_iter().map(Icon::lines).collect();
        assert_eq!(drawn.len(), Icon::ALL.len());
    }
}
