//! The terminal: whether it shows colours, and how wide it is. Where there is none, text stays plain.

use std::io::IsTerminal as _;

/// What a colour is for.
#[cfg_attr(
    not(feature = "demo"),
    expect(dead_code, reason = "only the demo paints in all of them")
)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    Good,
    Bad,
    Waiting,
    New,
    /// What stands beside what matters.
    Quiet,
    Strong,
}

impl Paint {
    fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Waiting => "33",
            Self::New => "36",
            Self::Quiet => "2",
            Self::Strong => "1",
        }
    }
}

/// Colours, or none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Palette {
    Plain,
    Ansi,
}

impl Palette {
    /// Colours for standard output, unless it is no terminal or the user does not want them.
    pub(super) fn of_output() -> Self {
        if wants_colours() && std::io::stdout().is_terminal() {
            Self::Ansi
        } else {
            Self::Plain
        }
    }

    pub(super) fn paint(self, paint: Paint, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code()),
        }
    }
}

/// Whether the user has not asked for plain text.
pub(super) fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// How many columns the terminal of standard output has, if it is one and says so.
pub(super) fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays_as_it_is() {
        assert_eq!(Palette::Plain.paint(Paint::Bad, "no"), "no");
        assert_eq!(
            Palette::Ansi.paint(Paint::Bad, "no"),
            "\u{1b}[31mno\u{1b}[0m"
        );
    }
}
